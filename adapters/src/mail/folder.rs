//! A folder in the place of a mail server: one `.eml` file a letter.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use domain::account::Email;
use domain::ports::mail::{Letter, MailedLetter};
use domain::ports::{Mailbox, Mailer};
use domain::{Fault, Timestamp};
use lettre::{AsyncFileTransport, AsyncTransport, Tokio1Executor};
use mail_parser::{MessageParser, PartType};
use uuid::Uuid;

use super::compose;

/// The most letters whose files are looked at for the newest ones.
const MOST_FILES: usize = 10_000;
const ENDING: &str = "eml";
const READING: &str = "reading the mailbox folder";

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

    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Path) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, Fault> {
        let folder = self.folder.clone();
        let looked = tokio::task::spawn_blocking(move || look(&folder)).await;
        looked
            .map_err(|error| Fault::unavailable(READING, error))?
            .map_err(|error| Fault::unavailable(READING, error))
    }
}

#[async_trait]
impl Mailbox for FolderMailbox {
    async fn letters(&self, most: usize) -> Result<Vec<MailedLetter>, Fault> {
        self.look(move |folder| newest(folder, most)).await
    }

    async fn letter(&self, id: Uuid) -> Result<Option<MailedLetter>, Fault> {
        self.look(move |folder| {
            let path = folder.join(format!("{id}.{ENDING}"));
            match path.metadata() {
                Ok(metadata) => Ok(read(&path, metadata.modified()?)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await
    }
}

fn newest(folder: &Path, most: usize) -> std::io::Result<Vec<MailedLetter>> {
    let mut files: Vec<(SystemTime, PathBuf)> = std::fs::read_dir(folder)?
        .take(MOST_FILES)
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let written = entry.metadata().ok()?.modified().ok()?;
            let path = entry.path();
            path.extension()
                .is_some_and(|ending| ending == ENDING)
                .then_some((written, path))
        })
        .collect();
    files.sort_unstable_by(|a, b| b.cmp(a));
    let letters = files
        .into_iter()
        .take(most)
        .filter_map(|(written, path)| read(&path, written));
    Ok(letters.collect())
}

/// The letter of a file, which is named by its id. One that is only half written is there at the
/// next look.
fn read(path: &Path, written: SystemTime) -> Option<MailedLetter> {
    let id = path.file_stem()?.to_str()?.parse().ok()?;
    let bytes = std::fs::read(path).ok()?;
    let message = MessageParser::default().parse(&bytes)?;
    let html = message.html_bodies().find_map(|part| match &part.body {
        PartType::Html(html) => Some(html.clone().into_owned()),
        _ => None,
    });
    Some(MailedLetter {
        id,
        arrived_at: Timestamp::from(written),
        to: Email::parse(message.to()?.first()?.address()?).ok()?,
        subject: message.subject().unwrap_or_default().to_owned(),
        text: message.body_text(0)?.into_owned(),
        html,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::samples;
    use domain::Language;

    #[tokio::test]
    async fn what_was_sent_is_read_back_newest_first() {
        let folder = tempfile::tempdir().unwrap();
        let from = crate::mail::sender("firstcome <no-reply@shop.example>").unwrap();
        let mailer = FolderMailer::open(folder.path(), from).unwrap();
        let mut letter = samples::letter(7);
        mailer.send(&letter).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        letter.language = Language::English;
        mailer.send(&letter).await.unwrap();
        std::fs::write(folder.path().join("other.txt"), "not a letter").unwrap();
        let mailbox = FolderMailbox::new(folder.path());
        let letters = mailbox.letters(10).await.unwrap();
        let subjects: Vec<&str> = letters.iter().map(|l| l.subject.as_str()).collect();
        assert_eq!(subjects, ["Your verification code", "인증 코드 안내"]);
        assert!(letters[1].text.contains("\r\n    12345678\r\n"));
        assert!(letters[1].text.contains("10분 동안 유효합니다"));
        let html = letters[1].html.as_deref().unwrap();
        assert!(html.starts_with("<!DOCTYPE html>") && html.contains(">12345678<"));
        assert_eq!(letters[0].to.as_str(), "kim@example.com");
        assert_eq!(mailbox.letters(1).await.unwrap().len(), 1);
        let one = mailbox.letter(letters[1].id).await.unwrap();
        assert!(one == Some(letters[1].clone()));
        assert!(mailbox.letter(Uuid::from_u128(7)).await.unwrap().is_none());
    }
}
