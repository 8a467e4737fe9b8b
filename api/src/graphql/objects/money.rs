//! Amounts of money.

use async_graphql::{InputObject, Object};
use domain::refusal::Rule;
use domain::{Currency, Refusal};

use crate::graphql::scalars::Decimal;

/// An exact amount of money.
#[derive(Clone, Debug)]
pub struct Money(pub domain::Money);

/// An exact amount of money in one currency.
#[Object]
impl Money {
    /// The amount in the currency's main unit, with exactly as many decimal places as the currency
    /// has: `"12.50"` for GBP, `"9000"` for KRW.
    async fn amount(&self) -> Decimal {
        Decimal(self.0.to_decimal())
    }

    /// The currency's code by ISO 4217, e.g. `KRW`.
    async fn currency_code(&self) -> &'static str {
        self.0.currency.code()
    }
}

impl From<domain::Money> for Money {
    fn from(money: domain::Money) -> Self {
        Self(money)
    }
}

/// An exact amount of money in one currency.
#[derive(InputObject, Debug)]
pub struct MoneyInput {
    /// The amount in the currency's main unit, with at most as many decimal places as the currency
    /// has, e.g. `"12.50"`.
    amount: Decimal,
    /// The currency's code by ISO 4217, e.g. `KRW`.
    currency_code: String,
}

impl MoneyInput {
    /// The amount that is meant.
    ///
    /// # Errors
    /// No such currency, no decimal number, more places than the currency has; at the input's field
    /// within `path`.
    pub fn parse(&self, path: &'static str) -> Result<domain::Money, Refusal> {
        let currency = Currency::from_code(&self.currency_code)
            .ok_or_else(|| domain::Reason::from(Rule::Currency).at([path, "currencyCode"]))?;
        domain::Money::parse(&self.amount.0, currency).map_err(|reason| reason.at([path, "amount"]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(amount: &str, currency: &str) -> Result<i64, Refusal> {
        let input = MoneyInput {
            amount: Decimal(amount.to_owned()),
            currency_code: currency.to_owned(),
        };
        input.parse("price").map(|money| money.minor)
    }

    #[test]
    fn an_amount_is_refused_at_the_field_that_is_wrong() {
        assert_eq!(parse("12.50", "GBP"), Ok(1250));
        let place = |result: Result<i64, Refusal>| result.unwrap_err().field.unwrap();
        assert_eq!(place(parse("12.5", "KRW")), ["price", "amount"]);
        assert_eq!(place(parse("x", "GBP")), ["price", "amount"]);
        assert_eq!(place(parse("1", "gbp?")), ["price", "currencyCode"]);
    }
}
