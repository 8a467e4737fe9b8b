//! Who has an account.

use crate::item::text;
use crate::language::Language;
use crate::refusal::{Reason, Refusal, Rule};
use crate::{AccountId, Timestamp};

/// What an account may do; each role may do all that the one before may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    Customer,
    Seller,
    Admin,
}

/// An account. Its personal data is never logged, so neither is the account.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub role: Role,
    pub email: Email,
    pub profile: Profile,
    /// What letters to it are written in.
    pub language: Language,
    /// In the PHC string format; a rehearsal buyer has none and can't sign in.
    pub password_hash: Option<String>,
    /// Whether signing in asks for a code from its mailbox too.
    pub second_factor: bool,
    /// Made by an operator for a rehearsal, and removable.
    pub rehearsal: bool,
    pub created_at: Timestamp,
}

/// What a person says about themselves.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    pub name: String,
    pub phone: Option<String>,
    pub address: Option<String>,
}

/// An e-mail address, trimmed and with its domain in lower case. Without `Debug`, so that it can't
/// get into a log.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Accepts what can be delivered to, without trying to know every mail server's rules: one
    /// `@`, something before it, a domain with a dot or `localhost` behind it, no blanks.
    ///
    /// # Errors
    /// [`Rule::Email`].
    pub fn parse(text: &str) -> Result<Self, Reason> {
        const MAX: usize = 254;
        let text = text.trim();
        let Some((local, host)) = text.rsplit_once('@') else {
            return Err(Rule::Email.into());
        };
        let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[]\\,;:\"@".contains(c);
        let host_is_odd = |c: char| !(c.is_alphanumeric() || c == '-' || c == '.');
        let sound = !local.is_empty()
            && local.len() <= 64
            && text.len() <= MAX
            && !local.contains(odd)
            && !host.contains(host_is_odd)
            && host.contains('.')
            && host
                .split('.')
                .all(|label| !label.is_empty() && label.len() <= 63);
        if sound {
            Ok(Self(format!("{local}@{}", host.to_lowercase())))
        } else {
            Err(Rule::Email.into())
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two spellings of one mailbox share: the whole address in lower case.
    #[must_use]
    pub fn lookup_key(&self) -> String {
        self.0.to_lowercase()
    }
}

/// A password as typed. Without `Debug`.
pub struct Password(String);

impl Password {
    pub const MIN: usize = 10;
    pub const MAX: usize = 128;

    /// # Errors
    /// Too short, too long (in characters), or on `common`, the list of passwords everybody tries.
    pub fn new(text: String, common: &dyn Fn(&str) -> bool) -> Result<Self, Reason> {
        let length = text.chars().count();
        if length < Self::MIN {
            return Err(Rule::TooShort { least: 10 }.into());
        }
        if length > Self::MAX {
            return Err(Rule::TooLong { most: 128 }.into());
        }
        if common(&text.to_lowercase()) {
            return Err(Rule::CommonPassword.into());
        }
        Ok(Self(text))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Profile {
    /// Checks every field and reports all that is wrong.
    #[must_use]
    pub fn refusals(&self) -> Vec<Refusal> {
        let optional = |value: &Option<String>, most| match value {
            Some(value) => text(value, 1, most),
            None => Ok(()),
        };
        let checks = [
            ("name", text(&self.name, 1, 50)),
            ("phone", optional(&self.phone, 30)),
            ("address", optional(&self.address, 200)),
        ];
        checks
            .into_iter()
            .filter_map(|(field, check)| check.err().map(|reason| reason.at([field])))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_must_be_one() {
        for good in [
            "a@example.com",
            "A.b+c@Mail.Example.test",
            " 민수@example.com ",
        ] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "@example.com",
            "a@",
            "a@b",
            "a b@example.com",
            "a@b@example.com",
            "a@.com",
        ] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
        let email = |text| Email::parse(text).map(|email| email.lookup_key()).ok();
        assert_eq!(email("Kim@Example.com"), email("kim@example.COM"));
    }

    #[test]
    fn a_password_is_long_and_not_everybodys() {
        let common = |text: &str| text == "password12";
        let check = |text: &str| Password::new(text.to_owned(), &common).err();
        assert_eq!(check("short"), Some(Rule::TooShort { least: 10 }.into()));
        assert_eq!(
            check(&"x".repeat(129)),
            Some(Rule::TooLong { most: 128 }.into())
        );
        assert_eq!(check("PassWord12"), Some(Rule::CommonPassword.into()));
        assert_eq!(check("한글도되는비밀번호입니다"), None);
    }

    #[test]
    fn roles_include_the_lesser_ones() {
        assert!(Role::Admin > Role::Seller && Role::Seller > Role::Customer);
    }
}
