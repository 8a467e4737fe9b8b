//! Exact money: minor units of one currency. Never a float, never past 64 bits.

use crate::refusal::{Reason, Rule};

/// A currency by ISO 4217, with its minor unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The currency with this three-letter code, if ISO 4217 knows one with a minor unit.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let currency = iso_currency::Currency::from_code(code)?;
        currency.exponent().map(|_| Self(currency))
    }

    /// The three-letter code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Decimal places of the minor unit: 0 for KRW, 2 for GBP.
    #[must_use]
    pub fn exponent(self) -> u32 {
        // `from_code` admits only currencies that have one.
        self.0.exponent().map_or(0, u32::from)
    }
}

/// An amount in minor units of a currency. Not negative anywhere money is taken or given back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

/// The highest price of one unit, in minor units: far above any shop's, and low enough that a full
/// order of it still fits 64 bits.
pub const MAX_PRICE_MINOR: i64 = 1_000_000_000_000;

impl Money {
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// The sum, or `None` when currencies differ or it does not fit.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        let minor = self.minor.checked_add(other.minor)?;
        Some(Self { minor, ..self })
    }

    /// This price for so many units, or `None` when it does not fit.
    #[must_use]
    pub fn times(self, count: u32) -> Option<Self> {
        let minor = self.minor.checked_mul(i64::from(count))?;
        Some(Self { minor, ..self })
    }

    /// The amount as a plain decimal with exactly the currency's places: `"12.50"`, `"9000"`.
    #[must_use]
    pub fn to_decimal(self) -> String {
        let places = self.currency.exponent() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = places + 1);
        let (whole, part) = digits.split_at(digits.len() - places);
        if places == 0 {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{part}")
        }
    }

    /// Reads a plain decimal: optional sign, digits, at most the currency's places.
    ///
    /// # Errors
    /// The rule that the text breaks: not a decimal, too many places, or too large.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, Reason> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = rest.split_once('.').unwrap_or((rest, ""));
        let places = currency.exponent() as usize;
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let dangling = rest.contains('.') && part.is_empty();
        if whole.is_empty() || dangling || !digits(whole) || !digits(part) {
            return Err(Rule::Decimal.into());
        }
        if part.len() > places {
            return Err(Rule::DecimalPlaces {
                most: currency.exponent(),
            }
            .into());
        }
        let minor = format!("{whole}{part:0<places$}")
            .parse::<i64>()
            .map_err(|_| Reason::from(Rule::TooLarge { most: i64::MAX }))?;
        Ok(Self {
            minor: if negative { -minor } else { minor },
            currency,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gbp(minor: i64) -> Money {
        Money {
            minor,
            currency: Currency::from_code("GBP").unwrap(),
        }
    }

    #[test]
    fn decimals_go_out_as_they_came_in() {
        for (text, minor) in [("0.00", 0), ("0.05", 5), ("12.50", 1250), ("-3.10", -310)] {
            assert_eq!(Money::parse(text, gbp(0).currency), Ok(gbp(minor)));
            assert_eq!(gbp(minor).to_decimal(), text);
        }
        let won = Currency::from_code("KRW").unwrap();
        assert_eq!(
            Money {
                minor: 9000,
                currency: won
            }
            .to_decimal(),
            "9000"
        );
        assert_eq!(Money::parse("2.5", gbp(0).currency), Ok(gbp(250)));
    }

    #[test]
    fn what_is_not_exact_money_is_refused() {
        for text in [
            "",
            ".5",
            "1.",
            "1e3",
            "1.234",
            "+1",
            "--1",
            "NaN",
            "1,5",
            "99999999999999999999",
        ] {
            assert!(Money::parse(text, gbp(0).currency).is_err(), "{text}");
        }
    }

    #[test]
    fn arithmetic_never_wraps() {
        assert_eq!(gbp(i64::MAX).plus(gbp(1)), None);
        assert_eq!(gbp(i64::MAX).times(2), None);
        assert_eq!(
            gbp(1).plus(Money::zero(Currency::from_code("KRW").unwrap())),
            None
        );
    }
}
