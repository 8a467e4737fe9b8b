//! A folder in the place of a mail server: one `.eml` file a letter.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use domain::account::Email;
use domain::ports::mail::{Letter, Mailbox, Mailer};
use domain::{Fault, Timestamp};
use lettre::{AsyncFileTransport, AsyncTransport, Tokio1Executor};
use mail_parser::MessageParser;

use super::compose;

/// The most letters whose files are looked at for the newest ones.
const MOST_FILES: usize = 10_000;

/// Drops letters into a folder.
pub struct FolderMailer {
    from: lettre::message::Mailbox,
    transport: AsyncFileTransport<Tokio1Executor>,
}

impl FolderMailer {
    /// # Errors
    /// A folder that can't be made.
    pub fn open(folder: &Path, from: lettre::message::Mailbox) -> Result<Self, Fault> {
        std::fs::create_dir_all(folder)
            .map_err(|error| Fault::unavailable("making the mailbox folder", error))?;
        Ok(Self {
            from,
            transport: AsyncFileTransport::new(folder),
        })
    }
}

#[async_trait]
impl Mailer for FolderMailer {
    async fn send(&self, letter: &Letter) -> Result<(), Fault> {
        let message = compose(&self.from, letter)?;
        let sent = self.transport.send(message).await;
        sent.map(drop)
            .map_err(|error| Fault::unavailable("writing a letter", error))
    }
}

/// Reads the letters of a folder.
pub struct FolderMailbox {
    folder: Arc<Path>,
}

impl FolderMailbox {
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.into(),
        }
    }
}

#[async_trait]
impl Mailbox for FolderMailbox {
    async fn letters(&self, most: usize) -> Result<Vec<(Timestamp, Letter)>, Fault> {
        const DOING: &str = "reading the mailbox folder";
        let folder = self.folder.clone();
        let read = tokio::task::spawn_blocking(move || newest(&folder, most)).await;
        read.map_err(|error| Fault::unavailable(DOING, error))?
            .map_err(|error| Fault::unavailable(DOING, error))
    }
}

fn newest(folder: &Path, most: usize) -> std::io::Result<Vec<(Timestamp, Letter)>> {
    let mut files: Vec<(SystemTime, PathBuf)> = std::fs::read_dir(folder)?
        .take(MOST_FILES)
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let written = entry.metadata().ok()?.modified().ok()?;
            let path = entry.path();
            path.extension()
                .is_some_and(|ending| ending == "eml")
                .then_some((written, path))
        })
        .collect();
    files.sort_unstable_by(|a, b| b.cmp(a));
    let letters = files.into_iter().take(most).filter_map(|(written, path)| {
        // One that is only half written is there at the next look.
        let letter = parse(&std::fs::read(path).ok()?)?;
        Some((Timestamp::from(written), letter))
    });
    Ok(letters.collect())
}

fn parse(bytes: &[u8]) -> Option<Letter> {
    let message = MessageParser::default().parse(bytes)?;
    let to = Email::parse(message.to()?.first()?.address()?).ok()?;
    let subject = message.subject().unwrap_or_default().to_owned();
    let text = message.body_text(0)?.into_owned();
    Some(Letter { to, subject, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_sent_is_read_back_newest_first() {
        let folder = tempfile::tempdir().unwrap();
        let from = super::super::sender("firstcome <no-reply@shop.example>").unwrap();
        let mailer = FolderMailer::open(folder.path(), from).unwrap();
        let letter = |subject: &str| Letter {
            to: Email::parse("kim@example.com").unwrap(),
            subject: subject.to_owned(),
            text: "Your code is 12345678. 인증 코드는 12345678 입니다.\n".to_owned(),
        };
        mailer.send(&letter("one")).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        mailer.send(&letter("둘")).await.unwrap();
        std::fs::write(folder.path().join("other.txt"), "not a letter").unwrap();
        let mailbox = FolderMailbox::new(folder.path());
        let letters = mailbox.letters(10).await.unwrap();
        let subjects: Vec<&str> = letters.iter().map(|(_, l)| l.subject.as_str()).collect();
        assert_eq!(subjects, ["둘", "one"]);
        assert!(letters[0].1.text.contains("인증 코드는 12345678 입니다."));
        assert_eq!(letters[0].1.to.as_str(), "kim@example.com");
        assert_eq!(mailbox.letters(1).await.unwrap().len(), 1);
    }
}
