//! A value of a row, and how each engine is told it.

use std::fmt::Write;

use domain::Fault;
use sea_orm::sea_query::Value;
use uuid::Uuid;

/// A value with its kind, absent or not.
#[derive(Clone, Debug)]
pub enum Cell {
    Id(Option<Uuid>),
    Number(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Flag(Option<bool>),
}

impl From<Uuid> for Cell {
    fn from(id: Uuid) -> Self {
        Self::Id(Some(id))
    }
}

impl From<Option<Uuid>> for Cell {
    fn from(id: Option<Uuid>) -> Self {
        Self::Id(id)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Cell {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Cell {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<Option<&str>> for Cell {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

impl TryFrom<Value> for Cell {
    type Error = Fault;

    /// # Errors
    /// A kind of value that no table of the ledger has.
    fn try_from(value: Value) -> Result<Self, Fault> {
        Ok(match value {
            Value::Uuid(id) => Self::Id(id),
            Value::BigInt(number) => Self::Number(number),
            Value::String(text) => Self::Text(text),
            Value::Bytes(bytes) => Self::Bytes(bytes),
            Value::Bool(flag) => Self::Flag(flag),
            _ => {
                let problem = "a kind of value that the ledger does not have";
                return Err(Fault::corrupt("writing rows", problem));
            }
        })
    }
}

impl From<Cell> for Value {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Id(id) => Self::Uuid(id),
            Cell::Number(number) => Self::BigInt(number),
            Cell::Text(text) => Self::String(text),
            Cell::Bytes(bytes) => Self::Bytes(bytes),
            Cell::Flag(flag) => Self::Bool(flag),
        }
    }
}

impl Cell {
    /// The PostgreSQL type of a column of such values.
    pub fn postgres_type(&self) -> &'static str {
        match self {
            Self::Id(_) => "uuid",
            Self::Number(_) => "bigint",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytea",
            Self::Flag(_) => "boolean",
        }
    }

    /// Writes it as an element of a PostgreSQL array.
    pub fn write_element(&self, out: &mut String) {
        match self {
            Self::Id(Some(id)) => write(out, id.as_hyphenated()),
            Self::Number(Some(number)) => write(out, number),
            Self::Flag(Some(flag)) => out.push(if *flag { 't' } else { 'f' }),
            Self::Bytes(Some(bytes)) => {
                out.push_str("\"\\\\x");
                write_hex(out, bytes);
                out.push('"');
            }
            Self::Text(Some(text)) => {
                out.push('"');
                for c in text.chars() {
                    if matches!(c, '"' | '\\') {
                        out.push('\\');
                    }
                    out.push(c);
                }
                out.push('"');
            }
            Self::Id(None)
            | Self::Number(None)
            | Self::Flag(None)
            | Self::Bytes(None)
            | Self::Text(None) => out.push_str("NULL"),
        }
    }

    /// The MySQL type of a column of such values in a JSON document.
    pub fn json_type(&self) -> &'static str {
        match self {
            Self::Id(_) => "CHAR(32)",
            Self::Number(_) => "BIGINT",
            Self::Text(_) => "VARCHAR(255)",
            Self::Bytes(_) => "LONGTEXT",
            Self::Flag(_) => "TINYINT",
        }
    }

    /// A column of such values in a JSON document, as the value itself.
    pub fn out_of_json(&self, column: &str) -> String {
        match self {
            Self::Id(_) | Self::Bytes(_) => format!("UNHEX({column})"),
            Self::Number(_) | Self::Text(_) | Self::Flag(_) => column.to_owned(),
        }
    }

    /// Writes it as a value of a JSON document.
    pub fn write_json(&self, out: &mut String) {
        match self {
            Self::Id(Some(id)) => {
                out.push('"');
                write(out, id.as_simple());
                out.push('"');
            }
            Self::Number(Some(number)) => write(out, number),
            Self::Flag(Some(flag)) => out.push(if *flag { '1' } else { '0' }),
            Self::Bytes(Some(bytes)) => {
                out.push('"');
                write_hex(out, bytes);
                out.push('"');
            }
            Self::Text(Some(text)) => {
                out.push('"');
                for c in text.chars() {
                    match c {
                        '"' | '\\' => {
                            out.push('\\');
                            out.push(c);
                        }
                        c if c.is_control() => write(out, format_args!("\\u{:04x}", u32::from(c))),
                        c => out.push(c),
                    }
                }
                out.push('"');
            }
            Self::Id(None)
            | Self::Number(None)
            | Self::Flag(None)
            | Self::Bytes(None)
            | Self::Text(None) => out.push_str("null"),
        }
    }

    /// Writes it as a MySQL literal. A text that has anything in it that a literal could end by is
    /// written as its bytes, so that nothing depends on how the session escapes.
    pub fn write_mysql(&self, out: &mut String) {
        match self {
            Self::Id(Some(id)) => {
                out.push_str("x'");
                write(out, id.as_simple());
                out.push('\'');
            }
            Self::Number(Some(number)) => write(out, number),
            Self::Flag(Some(flag)) => out.push(if *flag { '1' } else { '0' }),
            Self::Bytes(Some(bytes)) => {
                out.push_str("x'");
                write_hex(out, bytes);
                out.push('\'');
            }
            Self::Text(Some(text)) if is_plain(text) => {
                out.push('\'');
                out.push_str(text);
                out.push('\'');
            }
            Self::Text(Some(text)) => {
                out.push_str("_utf8mb4 x'");
                write_hex(out, text.as_bytes());
                out.push('\'');
            }
            Self::Id(None)
            | Self::Number(None)
            | Self::Flag(None)
            | Self::Bytes(None)
            | Self::Text(None) => out.push_str("NULL"),
        }
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'\'' | b'\\'))
}

fn write_hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
}

fn write(out: &mut String, value: impl std::fmt::Display) {
    // A string takes whatever is written to it.
    let _ = write!(out, "{value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell {
        Cell::from(text)
    }

    fn written(cell: &Cell, write: fn(&Cell, &mut String)) -> String {
        let mut out = String::new();
        write(cell, &mut out);
        out
    }

    #[test]
    fn no_text_ends_its_literal() {
        let mysql = |cell: &Cell| written(cell, Cell::write_mysql);
        assert_eq!(mysql(&text("{\"a\": 1}")), "'{\"a\": 1}'");
        for (nasty, hex) in [
            ("'", "27"),
            ("\\", "5c"),
            ("\n", "0a"),
            ("\u{0}", "00"),
            ("é", "c3a9"),
        ] {
            assert_eq!(mysql(&text(nasty)), format!("_utf8mb4 x'{hex}'"));
        }
        assert_eq!(mysql(&Cell::Bytes(Some(vec![0, 255]))), "x'00ff'");
        assert_eq!(mysql(&Cell::Text(None)), "NULL");

        let element = |cell: &Cell| written(cell, Cell::write_element);
        assert_eq!(
            element(&text("NULL")),
            "\"NULL\"",
            "a word is not an absence"
        );
        assert_eq!(element(&text("a\"b\\c,}")), "\"a\\\"b\\\\c,}\"");
        assert_eq!(element(&Cell::Bytes(Some(vec![1]))), "\"\\\\x01\"");

        let json = |cell: &Cell| written(cell, Cell::write_json);
        for nasty in ["plain", "a\"b\\c", "\u{1}\n\t", "한 é \u{7f}\u{9f}"] {
            let read: String = serde_json::from_str(&json(&text(nasty))).unwrap();
            assert_eq!(read, nasty);
        }
    }
}
