//! The mailbox folder, read as a person would.

use std::path::Path;
use std::time::SystemTime;

use mail_parser::MessageParser;

/// The texts of the letters to an address, the oldest first.
pub fn letters(folder: &Path, to: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut letters: Vec<(SystemTime, String)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let written = path.metadata().ok()?.modified().ok()?;
            let bytes = std::fs::read(path).ok()?;
            let letter = MessageParser::default().parse(&bytes)?;
            let is_to = letter.to()?.first()?.address()? == to;
            let text = letter.body_text(0)?.into_owned();
            is_to.then_some((written, text))
        })
        .collect();
    letters.sort();
    letters.into_iter().map(|(_, text)| text).collect()
}

/// The codes in them.
pub fn codes(folder: &Path, to: &str) -> Vec<String> {
    let code = |text: &String| {
        let words = text.split(|c: char| !c.is_ascii_digit());
        words
            .filter(|word| word.len() == 8)
            .map(str::to_owned)
            .next()
    };
    letters(folder, to).iter().filter_map(code).collect()
}
