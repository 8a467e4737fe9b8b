//! Money and dates as each language writes them.

use chrono::NaiveDate;
use domain::{Language, Money};

/// What Korean calls the units of some currencies, and the sign that English puts before them.
const CURRENCIES: [(&str, &str, &str); 5] = [
    ("KRW", "₩", "원"),
    ("USD", "$", "달러"),
    ("EUR", "€", "유로"),
    ("GBP", "£", "파운드"),
    ("JPY", "¥", "엔"),
];

/// `₩9,000`, `£12.50`; in Korean `9,000원`. Other currencies by their code: `CHF 12.50`.
pub fn money(language: Language, money: Money) -> String {
    let decimal = money.to_decimal();
    let (sign, decimal) = match decimal.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", decimal.as_str()),
    };
    let (whole, part) = decimal.split_once('.').unwrap_or((decimal, ""));
    let point = if part.is_empty() { "" } else { "." };
    let figure = format!("{}{point}{part}", grouped(whole));
    let code = money.currency.code();
    let known = CURRENCIES.iter().find(|(known, ..)| *known == code);
    match (known, language) {
        (Some((_, before, _)), Language::English) => format!("{sign}{before}{figure}"),
        (Some((.., after)), Language::Korean) => format!("{sign}{figure}{after}"),
        (None, _) => format!("{code} {sign}{figure}"),
    }
}

/// `5 March 2026`; in Korean `2026년 3월 5일`.
pub fn date(language: Language, date: NaiveDate) -> String {
    let format = match language {
        Language::English => "%-d %B %Y",
        Language::Korean => "%Y년 %-m월 %-d일",
    };
    date.format(format).to_string()
}

/// Digits with a comma before every third from the end.
fn grouped(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;

    #[test]
    fn money_is_written_as_people_write_it() {
        for (minor, code, english, korean) in [
            (0, "KRW", "₩0", "0원"),
            (900, "KRW", "₩900", "900원"),
            (1_234_567, "KRW", "₩1,234,567", "1,234,567원"),
            (1_250, "GBP", "£12.50", "12.50파운드"),
            (100_000, "USD", "$1,000.00", "1,000.00달러"),
            (-1_250, "EUR", "-€12.50", "-12.50유로"),
            (123_456, "CHF", "CHF 1,234.56", "CHF 1,234.56"),
        ] {
            let currency = Currency::from_code(code).unwrap();
            let amount = Money { minor, currency };
            assert_eq!(money(Language::English, amount), english);
            assert_eq!(money(Language::Korean, amount), korean);
        }
    }

    #[test]
    fn dates_are_written_as_people_write_them() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 5).unwrap();
        assert_eq!(date(Language::English, day), "5 March 2026");
        assert_eq!(date(Language::Korean, day), "2026년 3월 5일");
    }
}
