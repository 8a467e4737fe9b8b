//! Against a server that speaks SMTP over a real connection, and behaves as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::FaultKind;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::guard::{GuardSettings, GuardedMailer};
use crate::mail::samples::letter;

/// How the server behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    TakesAll,
    /// Answers these commands so, and takes the rest.
    Says(&'static str, &'static str),
    /// Answers nothing from this command on.
    FallsSilentAt(&'static str),
}

#[derive(Clone)]
struct Server {
    manner: Arc<Mutex<Manner>>,
    letters: Arc<Mutex<Vec<String>>>,
    url: String,
}

impl Server {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            manner: Arc::new(Mutex::new(manner)),
            letters: Arc::default(),
            url: format!("smtp://{}", listener.local_addr().unwrap()),
        };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = serving.clone();
                // It ends when the client leaves.
                tokio::spawn(async move { server.converse(stream).await });
            }
        });
        server
    }

    fn mailer(&self) -> SmtpMailer {
        let from = crate::mail::sender("firstcome <no-reply@shop.example>").unwrap();
        SmtpMailer::new(&self.url, from).unwrap()
    }

    fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    fn letters(&self) -> Vec<String> {
        self.letters.lock().unwrap().clone()
    }

    async fn converse(&self, stream: TcpStream) -> Option<()> {
        let (reading, mut writing) = stream.into_split();
        let mut lines = BufReader::new(reading).lines();
        self.say(&mut writing, "CONNECT", "220 test ESMTP").await?;
        while let Some(line) = lines.next_line().await.ok()? {
            let command = line.split([' ', ':']).next()?.to_ascii_uppercase();
            let usual = match command.as_str() {
                "EHLO" => "250-test\r\n250 8BITMIME",
                "DATA" => "354 go on",
                "QUIT" => "221 bye",
                _ => "250 fine",
            };
            self.say(&mut writing, &command, usual).await?;
            if command == "DATA" && self.takes("DATA") {
                let mut letter = String::new();
                while let Some(line) = lines.next_line().await.ok()? {
                    if line == "." {
                        break;
                    }
                    letter.push_str(&line);
                    letter.push('\n');
                }
                self.say(&mut writing, "LETTER", "250 taken").await?;
                if self.takes("LETTER") {
                    self.letters.lock().unwrap().push(letter);
                }
            }
        }
        Some(())
    }

    fn takes(&self, command: &str) -> bool {
        !matches!(*self.manner.lock().unwrap(), Manner::Says(of, _) if of == command)
    }

    async fn say(&self, to: &mut OwnedWriteHalf, command: &str, usual: &str) -> Option<()> {
        let manner = *self.manner.lock().unwrap();
        let answer = match manner {
            Manner::FallsSilentAt(from) if from == command => std::future::pending().await,
            Manner::Says(of, answer) if of == command => answer,
            Manner::TakesAll | Manner::Says(..) | Manner::FallsSilentAt(_) => usual,
        };
        let answer = format!("{answer}\r\n");
        to.write_all(answer.as_bytes()).await.ok()
    }
}

#[tokio::test]
async fn a_letter_arrives_as_it_was_written() {
    let server = Server::start(Manner::TakesAll).await;
    let mailer = server.mailer();
    mailer.send(&letter(1)).await.unwrap();
    mailer.send(&letter(2)).await.unwrap();
    let letters = server.letters();
    assert_eq!(letters.len(), 2);
    let parsed = mail_parser::MessageParser::default()
        .parse(letters[0].as_bytes())
        .unwrap();
    assert_eq!(parsed.subject(), Some("인증 코드 안내"));
    let to = parsed.to().unwrap().first().unwrap();
    assert_eq!(to.address(), Some("kim@example.com"));
    assert!(
        parsed
            .body_text(0)
            .unwrap()
            .contains("인증 코드는 10분 동안 유효합니다.")
    );
    assert!(parsed.body_html(0).unwrap().contains(">12345678</p>"));
    let id = "00000000-0000-0000-0000-000000000001@shop.example";
    assert_eq!(parsed.message_id(), Some(id));
    assert!(letters[0].contains("Auto-Submitted: auto-generated\n"));
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_sent_again_and_all_else_is() {
    use FaultKind::{Corrupt, Unavailable};
    for (command, answer, kind) in [
        ("RCPT", "550 no such kim@example.com here", Corrupt),
        ("MAIL", "553 not from you", Corrupt),
        ("LETTER", "554 looks like spam", Corrupt),
        ("RCPT", "451 try kim@example.com later", Unavailable),
        ("LETTER", "452 the disk is full", Unavailable),
        ("CONNECT", "421 too busy", Unavailable),
        ("MAIL", "530 log in first", Unavailable),
    ] {
        let server = Server::start(Manner::Says(command, answer)).await;
        let fault = server.mailer().send(&letter(1)).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{command} {answer}");
        assert!(!fault.detail().contains("kim"), "{}", fault.detail());
        assert_eq!(server.letters(), [""; 0]);
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", free.local_addr().unwrap());
    drop(free);
    let from = crate::mail::sender("no-reply@shop.example").unwrap();
    let mailer = SmtpMailer::new(&url, from).unwrap();
    let fault = mailer.send(&letter(1)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left_and_the_next_letter_begins_anew() {
    let settings = GuardSettings {
        mail: Duration::from_millis(200),
        failures: 100,
        ..GuardSettings::default()
    };
    for command in ["CONNECT", "EHLO", "RCPT", "DATA", "LETTER"] {
        let server = Server::start(Manner::FallsSilentAt(command)).await;
        let mailer = GuardedMailer::new(Arc::new(server.mailer()), &settings).unwrap();
        let fault = mailer.send(&letter(1)).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unavailable, "{command}");
        server.behave(Manner::Says("RCPT", "550 nobody of that name"));
        let fault = mailer.send(&letter(2)).await.unwrap_err();
        assert_eq!(
            fault.kind,
            FaultKind::Corrupt,
            "no answer to letter one is read: {command}"
        );
        server.behave(Manner::TakesAll);
        mailer.send(&letter(3)).await.unwrap();
        let letters = server.letters();
        let last = letters.last().unwrap();
        assert!(
            last.contains("-000000000003@shop.example"),
            "{command}: {last}"
        );
    }
}

#[test]
fn a_url_that_is_none_is_not_repeated() {
    let from = crate::mail::sender("no-reply@shop.example").unwrap();
    let fault = SmtpMailer::new("https://user:secret@host", from)
        .err()
        .unwrap();
    assert!(!fault.detail().contains("secret"), "{}", fault.detail());
}
