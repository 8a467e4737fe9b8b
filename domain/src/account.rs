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

/// What a person changes of what they say about themselves; what is absent stays.
#[derive(Clone, Default)]
pub struct ProfileChange {
    pub name: Option<String>,
    /// `Some(None)` takes it away.
    pub phone: Option<Option<String>>,
    /// The same.
    pub address: Option<Option<String>>,
    pub language: Option<Language>,
}

impl ProfileChange {
    /// Changes an account so, and nothing else of it.
    pub fn apply_to(self, account: &mut Account) {
        let present = &mut account.profile;
        if let Some(name) = self.name {
            present.name = name;
        }
        if let Some(phone) = self.phone {
            present.phone = phone;
        }
        if let Some(address) = self.address {
            present.address = address;
        }
        account.language = self.language.unwrap_or(account.language);
    }
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
            ("phone", self.phone.as_deref().map_or(Ok(()), phone)),
            ("address", optional(&self.address, 200)),
        ];
        checks
            .into_iter()
            .filter_map(|(field, check)| check.err().map(|reason| reason.at([field])))
            .collect()
    }
}

/// A telephone number as people write it anywhere: `010-1234-5678`, `+44 (0)20 7946 0958`,
/// `555.0100 ext. 7`. At most 30 characters: digits of any script and what stands between them, a
/// `+` before everything else, an extension at the end. Which numbers exist is not ours to know.
fn phone(number: &str) -> Result<(), Reason> {
    const LEAST_DIGITS: usize = 3;
    const MOST_DIGITS: usize = 20;
    text(number, 1, 30)?;
    let number = number.trim();
    let (main, extension) = match number.find(|c: char| c.is_alphabetic() || c == '#' || c == ';') {
        Some(at) => (&number[..at], Some(&number[at..])),
        None => (number, None),
    };
    let main = main.strip_prefix('+').unwrap_or(main);
    let digits = main.chars().filter(|c| c.is_numeric()).count();
    let is_number = (LEAST_DIGITS..=MOST_DIGITS).contains(&digits)
        && main
            .chars()
            .all(|c| c.is_numeric() || " -()./\u{2010}\u{2013}".contains(c));
    if is_number && extension.is_none_or(is_extension) {
        Ok(())
    } else {
        Err(Rule::Phone.into())
    }
}

/// `x7`, `ext. 7`, `extension 7`, `;ext=7`, `#7`, `내선 7`: a word, and digits.
fn is_extension(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_alphabetic() || "#;".contains(c));
    let word = text[..text.len() - rest.len()].trim_start_matches(';');
    let words = ["x", "ext", "extension", "#", "내선"];
    let digits = rest.trim_start_matches(['.', '=', ':', ' ']);
    words.contains(&word.to_lowercase().as_str())
        && (1..=8).contains(&digits.chars().count())
        && digits.chars().all(char::is_numeric)
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
    fn names_and_numbers_of_anybody_are_taken() {
        let refused = |name: &str, phone: &str| {
            let profile = Profile {
                name: name.to_owned(),
                phone: Some(phone.to_owned()),
                address: None,
            };
            let fields = profile.refusals().into_iter();
            fields
                .map(|refusal| refusal.field.unwrap().concat())
                .collect::<Vec<_>>()
        };
        // Those of Korea, as both systems before took them, one to ten syllables.
        for name in ["김", "김민수", "남궁민수", "가나다라마바사아자차"] {
            assert_eq!(refused(name, "010-1234-5678"), [""; 0], "{name}");
        }
        for name in ["Ørjan O'Neill-Smith Jr.", "José", "王小明", "मीरा", "X"] {
            assert_eq!(refused(name, "112"), [""; 0], "{name}");
        }
        for phone in [
            "02-123-4567",
            "031)123-4567",
            "01012345678",
            "+82 10-1234-5678",
            "+82 (0)10 1234 5678",
            "+1 (555) 010-0199 x7",
            "555.010.0199 ext. 1234",
            "+44 20 7946 0958;ext=7",
            "030/1234567",
            "02-123-4567 내선 12",
            "０１０－1234".replace('－', "-").as_str(),
            " 112 ",
        ] {
            assert_eq!(refused("김민수", phone), [""; 0], "{phone}");
        }
        for phone in [
            "",
            "  ",
            "12",
            "call me",
            "kim@example.com",
            "010-1234-5678 and after six",
            "010_1234_5678",
            "+",
            "1+1+1",
            "010-1234-5678 x",
            "010-1234-5678 x123456789",
            "123456789012345678901",
            "<script>1234</script>",
            "010\n1234",
        ] {
            assert_eq!(refused("김민수", phone), ["phone"], "{phone}");
        }
        assert_eq!(refused("", "112"), ["name"]);
    }

    #[test]
    fn roles_include_the_lesser_ones() {
        assert!(Role::Admin > Role::Seller && Role::Seller > Role::Customer);
    }
}
