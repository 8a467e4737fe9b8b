//! Scalars of the schema beside GraphQL's own.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{SecondsFormat, SubsecRound};
use domain::Timestamp;

/// The number of characters of a UUID with its hyphens.
const UUID_LENGTH: usize = 36;

/// An instant, to the millisecond.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DateTime(pub Timestamp);

/// An instant in UTC with milliseconds, as RFC 3339 writes it: `2026-03-01T06:00:00.000Z`. Input
/// may have any offset; digits beyond milliseconds are dropped.
#[Scalar(
    name = "DateTime",
    specified_by_url = "https://scalars.graphql.org/andimarek/date-time"
)]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        instant(&value)
            .map(Self)
            .ok_or_else(|| InputValueError::expected_type(value))
    }

    fn is_valid(value: &Value) -> bool {
        instant(value).is_some()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

fn instant(value: &Value) -> Option<Timestamp> {
    let Value::String(text) = value else {
        return None;
    };
    let at = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(at.to_utc().trunc_subsecs(3))
}

impl From<Timestamp> for DateTime {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

/// A decimal number as text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decimal(pub String);

/// An exact decimal number as a string: an optional sign, digits, and a point with more digits if
/// there is a fraction (`"12.50"`, `"9000"`). Never a float. What is no decimal is refused as
/// `INVALID_INPUT` by the mutation that takes it.
#[Scalar(name = "Decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A UUID.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Uuid(pub uuid::Uuid);

/// A UUID by RFC 9562 with its hyphens, of any version: `f81d4fae-7dec-41d0-a765-00a0c91e6bf6`.
#[Scalar(
    name = "UUID",
    specified_by_url = "https://www.rfc-editor.org/rfc/rfc9562"
)]
impl ScalarType for Uuid {
    fn parse(value: Value) -> InputValueResult<Self> {
        uuid(&value)
            .map(Self)
            .ok_or_else(|| InputValueError::expected_type(value))
    }

    fn is_valid(value: &Value) -> bool {
        uuid(value).is_some()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

fn uuid(value: &Value) -> Option<uuid::Uuid> {
    match value {
        Value::String(text) if text.len() == UUID_LENGTH => text.parse().ok(),
        _ => None,
    }
}

/// A number that only rises.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Version(pub u64);

/// A whole number that only rises, by which two states of one thing are compared: the higher is the
/// newer. It has no other meaning, may skip values, and has up to 63 bits: read it into a type that
/// holds them.
#[Scalar(name = "Version")]
impl ScalarType for Version {
    fn parse(value: Value) -> InputValueResult<Self> {
        version(&value)
            .map(Self)
            .ok_or_else(|| InputValueError::expected_type(value))
    }

    fn is_valid(value: &Value) -> bool {
        version(value).is_some()
    }

    fn to_value(&self) -> Value {
        Value::from(self.0)
    }
}

fn version(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number
            .as_u64()
            .filter(|number| i64::try_from(*number).is_ok()),
        _ => None,
    }
}

impl Version {
    /// The version of a row; the ledger counts them from 1.
    pub fn of_row(version: i64) -> Self {
        Self(u64::try_from(version).unwrap_or(0))
    }

    /// The row's version that a client saw.
    pub fn row(self) -> i64 {
        // `parse` lets nothing higher through.
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }
}

/// A count as GraphQL's `Int`, which has 32 bits; what does not fit is as high as it can be.
pub fn count(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: ScalarType>(text: &str) -> Option<T> {
        let value = Value::from(text);
        let read = T::parse(value.clone()).ok();
        assert_eq!(read.is_some(), T::is_valid(&value), "{text}");
        read
    }

    #[test]
    fn instants_go_out_in_utc_with_milliseconds() {
        for (text, out) in [
            ("2026-03-01T06:00:00Z", "2026-03-01T06:00:00.000Z"),
            ("2026-03-01T06:00:00.1239Z", "2026-03-01T06:00:00.123Z"),
            ("2026-03-01T15:00:00.5+09:00", "2026-03-01T06:00:00.500Z"),
        ] {
            let at: DateTime = read(text).unwrap();
            assert_eq!(at.to_value(), Value::from(out));
        }
        for text in ["", "2026-03-01", "2026-03-01T06:00:00", "now", "1772344800"] {
            assert_eq!(read::<DateTime>(text), None, "{text}");
        }
        assert!(!DateTime::is_valid(&Value::from(1)));
    }

    #[test]
    fn a_uuid_has_its_hyphens() {
        let text = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6";
        assert_eq!(read::<Uuid>(text).unwrap().to_value(), Value::from(text));
        for text in [
            "",
            "f81d4fae7dec41d0a76500a0c91e6bf6",
            "{f81d4fae-7dec-41d0-a765-00a0c91e6bf6}",
            "g81d4fae-7dec-41d0-a765-00a0c91e6bf6",
        ] {
            assert_eq!(read::<Uuid>(text), None, "{text}");
        }
    }

    #[test]
    fn a_decimal_is_never_a_number() {
        assert_eq!(read::<Decimal>("12.50"), Some(Decimal("12.50".to_owned())));
        assert!(!Decimal::is_valid(&Value::from(12)));
        assert!(Decimal::parse(Value::from(12)).is_err());
    }

    #[test]
    fn a_version_may_exceed_32_bits_and_is_never_negative() {
        let high = 1_u64 << 41;
        assert_eq!(Version::parse(Value::from(high)).unwrap(), Version(high));
        for value in [
            Value::from(-1),
            Value::from(1.5),
            Value::from("1"),
            Value::from(u64::MAX),
        ] {
            assert!(Version::parse(value.clone()).is_err());
            assert!(!Version::is_valid(&value));
        }
    }

    #[test]
    fn a_count_that_does_not_fit_is_as_high_as_it_can_be() {
        assert_eq!(count(7_i64), 7);
        assert_eq!(count(i64::MAX), i32::MAX);
        assert_eq!(count(u64::MAX), i32::MAX);
    }
}
