//! Amounts as Stripe writes them: mostly in minor units, but not always in those of ISO 4217.

use domain::{Currency, Money};

/// Currencies that Stripe writes without decimal places. ISO 4217 gives one of them (MGA) two.
const WHOLE: [&str; 15] = [
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
];
/// Those it writes with three, of which the last has to be 0.
const THREE: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// Decimal places that Stripe writes. All others have two, ISK and UGX among them, which have none
/// by ISO 4217.
fn places(currency: Currency) -> u32 {
    let code = currency.code();
    if WHOLE.contains(&code) {
        0
    } else if THREE.contains(&code) {
        3
    } else {
        2
    }
}

/// The amount as Stripe takes it; nothing where it can't be written exactly.
pub fn to_stripe(money: Money) -> Option<i64> {
    let amount = scaled(
        money.minor,
        money.currency.exponent(),
        places(money.currency),
    )?;
    let is_taken = places(money.currency) < 3 || amount % 10 == 0;
    is_taken.then_some(amount)
}

/// An amount of Stripe's; nothing for a currency that nobody knows, or less than its minor unit.
pub fn from_stripe(amount: i64, currency: &str) -> Option<Money> {
    let currency = Currency::from_code(&currency.to_uppercase())?;
    let minor = scaled(amount, places(currency), currency.exponent())?;
    Some(Money { minor, currency })
}

fn scaled(amount: i64, from: u32, to: u32) -> Option<i64> {
    if to >= from {
        return amount.checked_mul(10_i64.checked_pow(to - from)?);
    }
    let divisor = 10_i64.checked_pow(from - to)?;
    (amount % divisor == 0).then_some(amount / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_currency_comes_back_as_it_went_out() {
        for (code, minor, stripe) in [
            ("USD", 1_234, 1_234),
            ("KRW", 9_000, 9_000),
            ("JPY", 1, 1),
            // No decimals by ISO 4217, two at Stripe.
            ("ISK", 500, 50_000),
            ("UGX", 1, 100),
            // The other way round.
            ("MGA", 700, 7),
            // Taken with two for charges, whatever payouts do.
            ("HUF", 1_200, 1_200),
            ("TWD", 1_200, 1_200),
            ("KWD", 5_120, 5_120),
        ] {
            let currency = Currency::from_code(code).unwrap();
            let money = Money { minor, currency };
            assert_eq!(to_stripe(money), Some(stripe), "{code}");
            let code = code.to_lowercase();
            assert_eq!(from_stripe(stripe, &code), Some(money), "{code}");
        }
    }

    #[test]
    fn what_can_not_be_written_is_not_rounded() {
        for (code, minor) in [("KWD", 5_121), ("MGA", 705), ("UGX", i64::MAX)] {
            let currency = Currency::from_code(code).unwrap();
            assert_eq!(to_stripe(Money { minor, currency }), None, "{code}");
        }
        assert_eq!(from_stripe(150, "ugx"), None);
        assert_eq!(from_stripe(1, "???"), None);
    }
}
