//! The mailbox folder, read as a person would.

use std::path::Path;
use std::time::SystemTime;

use mail_parser::MessageParser;

/// A letter as its reader sees it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Letter {
    written: SystemTime,
    /// Its Message-ID.
    pub id: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Letter {
    /// The code in it, if it has one.
    pub fn code(&self) -> Option<&str> {
        let mut words = self.text.split(|c: char| !c.is_ascii_digit());
        words.find(|word| word.len() == 8)
    }
}

/// The letters to an address, the oldest first.
pub fn letters(folder: &Path, to: &str) -> Vec<Letter> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut letters: Vec<Letter> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let written = path.metadata().ok()?.modified().ok()?;
            let letter = parse(&std::fs::read(path).ok()?, to)?;
            Some(Letter { written, ..letter })
        })
        .collect();
    letters.sort();
    letters
}

/// A letter, if it is to this address.
pub fn parse(bytes: &[u8], to: &str) -> Option<Letter> {
    let letter = MessageParser::default().parse(bytes)?;
    let is_to = letter.to()?.first()?.address()? == to;
    is_to.then_some(())?;
    Some(Letter {
        written: SystemTime::UNIX_EPOCH,
        id: letter.message_id()?.to_owned(),
        subject: letter.subject()?.to_owned(),
        text: letter.body_text(0)?.into_owned(),
        html: letter.body_html(0)?.into_owned(),
    })
}

/// The codes in them.
pub fn codes(folder: &Path, to: &str) -> Vec<String> {
    let letters = letters(folder, to).into_iter();
    letters
        .filter_map(|letter| letter.code().map(str::to_owned))
        .collect()
}
