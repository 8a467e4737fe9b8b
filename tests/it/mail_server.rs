//! A mail server that has its moods: what it puts off is sent again, what it refuses is put aside.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Caller, Demo, Letter, Sale, Shop, code, fresh_key, parse_letter, until};

/// How often an address is put off before its letter is taken.
const PUT_OFF: u32 = 2;
const NOBODY: &str = "550 nobody of that name";

/// A mail server. It puts off who is `later@…`, and knows nobody who is `gone@…` or, until they move
/// in, `new@…`.
#[derive(Clone, Default)]
struct MailServer {
    letters: Arc<Mutex<Vec<Vec<u8>>>>,
    /// How often each address was named.
    named: Arc<Mutex<HashMap<String, u32>>>,
    is_new_in: Arc<AtomicBool>,
}

impl MailServer {
    /// Starts it; with it, its URL.
    async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let server = Self::default();
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = serving.clone();
                tokio::spawn(async move { server.converse(stream).await });
            }
        });
        (server, url)
    }

    async fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        let (reading, mut writing) = stream.into_split();
        let mut lines = BufReader::new(reading).lines();
        writing.write_all(b"220 test ESMTP\r\n").await?;
        while let Some(line) = lines.next_line().await? {
            let command = line.split([' ', ':']).next().unwrap_or_default();
            let answer = match command {
                "EHLO" => "250-test\r\n250 8BITMIME",
                "RCPT" => self.knows(&line),
                "DATA" => "354 go on",
                "QUIT" => "221 bye",
                _ => "250 fine",
            };
            writing
                .write_all(format!("{answer}\r\n").as_bytes())
                .await?;
            if command == "DATA" {
                let mut letter = Vec::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    letter.extend_from_slice(line.as_bytes());
                    letter.extend_from_slice(b"\r\n");
                }
                self.letters.lock().unwrap().push(letter);
                writing.write_all(b"250 taken\r\n").await?;
            }
        }
        Ok(())
    }

    fn knows(&self, line: &str) -> &'static str {
        let address = line.split(['<', '>']).nth(1).unwrap_or_default();
        let mut named = self.named.lock().unwrap();
        let times = named.entry(address.to_owned()).or_default();
        *times += 1;
        match address.split('@').next() {
            Some("later") if *times <= PUT_OFF => "451 try again later",
            Some("gone") => NOBODY,
            Some("new") if !self.is_new_in.load(Ordering::Relaxed) => NOBODY,
            _ => "250 fine",
        }
    }

    fn named(&self, address: &str) -> u32 {
        let named = self.named.lock().unwrap();
        named.get(address).copied().unwrap_or_default()
    }

    fn letters(&self, to: &str) -> Vec<Letter> {
        let letters = self.letters.lock().unwrap();
        let theirs = letters.iter().filter_map(|bytes| parse_letter(bytes, to));
        theirs.collect()
    }

    async fn until_letters(&self, to: &str, count: usize) -> Vec<Letter> {
        until(&format!("{count} letters to {to}"), || async {
            Some(self.letters(to)).filter(|letters| letters.len() >= count)
        })
        .await
    }
}

async fn dead_letters(admin: &Caller) -> u64 {
    let document = "{ backOffice { stockAudit { deadLetters } } }";
    let data = admin.ask(document, json!({})).await;
    data["backOffice"]["stockAudit"]["deadLetters"]
        .as_u64()
        .unwrap()
}

#[tokio::test]
async fn e_mail_that_is_put_off_goes_out_later_and_what_is_refused_is_put_aside() {
    let (mail, url) = MailServer::start().await;
    let shop = Shop::with(&[("MAIL__SMTP", &url)]);
    let server = shop.start().await;
    let anybody = server.anybody();
    for name in ["gone", "later", "kim"] {
        let address = format!("{name}@example.com");
        anybody.request_verification(&address).await;
    }
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    buyer.own(&item, 1).await;

    let (customer, _) = shop.credentials(Demo::Customer);
    mail.until_letters("kim@example.com", 1).await;
    mail.until_letters("later@example.com", 1).await;
    let paid = mail.until_letters(&customer, 1).await;
    assert!(paid[0].subject.ends_with("is paid"), "{paid:?}");
    let admin = server.sign_in(Demo::Admin).await;
    until("the dead letter", || async {
        (dead_letters(&admin).await == 1).then_some(())
    })
    .await;

    assert_eq!(mail.named("later@example.com"), PUT_OFF + 1);
    assert!(mail.letters("gone@example.com").is_empty());
    for address in ["kim@example.com", "later@example.com", &customer] {
        assert_eq!(mail.letters(address).len(), 1, "{address}");
    }
    // Together with the others, and then for itself: it is refused as it was.
    assert!(mail.named("gone@example.com") <= 2);
    server.assert_audit(1).await;
}

/// The open dead letters, once there are so many.
async fn until_dead_letters(admin: &Caller, count: usize) -> Vec<Value> {
    until(&format!("{count} dead letters"), || async {
        Some(admin.open_dead_letters().await).filter(|letters| letters.len() == count)
    })
    .await
}

fn id(letter: &Value) -> &str {
    letter["id"].as_str().unwrap()
}

#[tokio::test]
async fn what_it_refused_goes_out_when_an_operator_replays_it() {
    let (mail, url) = MailServer::start().await;
    let shop = Shop::with(&[("MAIL__SMTP", &url)]);
    let server = shop.start().await;
    let anybody = server.anybody();
    let admin = server.sign_in(Demo::Admin).await;
    let mut letters = Vec::new();
    for name in ["new", "gone"] {
        let address = format!("{name}@example.com");
        anybody.request_verification(&address).await;
        letters.push(
            until_dead_letters(&admin, letters.len() + 1)
                .await
                .remove(0),
        );
    }
    let [new, gone] = letters.try_into().unwrap();

    // They say what it is about, and nothing of whom.
    assert!(id(&new).starts_with("letter_"), "{new}");
    assert_eq!(
        (&new["group"], &new["topic"]),
        (&json!("MAIL"), &json!("accounts"))
    );
    assert_eq!(
        (&new["whole"], &new["settledAt"]),
        (&json!(true), &Value::Null)
    );
    let record: Value = serde_json::from_str(new["payload"].as_str().unwrap()).unwrap();
    assert!(record["id"].is_string(), "{record}");
    assert!(!new.to_string().contains("example.com"), "{new}");
    assert_eq!(admin.dead_letter(id(&new)).await, new);

    // Only operators settle them; the same cause makes a dead letter again, with an id of its own.
    let customer = server.sign_in(Demo::Customer).await;
    let refused = customer.replay_dead_letter(id(&new), &fresh_key()).await;
    assert_eq!(code(&refused), Some("FORBIDDEN"), "{refused}");
    let too_early = admin.replay_dead_letter(id(&new), &fresh_key()).await;
    assert_eq!(
        too_early["deadLetter"]["settlement"], "REPLAYED",
        "{too_early}"
    );
    let again = until("the same one again", || async {
        let open = admin.open_dead_letters().await;
        open.into_iter()
            .find(|letter| letter["payload"] == new["payload"])
    })
    .await;
    assert_ne!(again["id"], new["id"]);

    // The cause is mended: it is handled, once however often that is asked.
    mail.is_new_in.store(true, Ordering::Relaxed);
    let key = fresh_key();
    for replayed in [false, true] {
        let done = admin.replay_dead_letter(id(&again), &key).await;
        assert_eq!(code(&done), None, "{done}");
        assert_eq!(done["replayed"], replayed);
        assert_eq!(done["deadLetter"]["settlement"], "REPLAYED");
    }
    mail.until_letters("new@example.com", 1).await;
    let late = admin
        .drop_dead_letter(id(&again), &fresh_key(), "too late")
        .await;
    assert_eq!(code(&late), Some("DEAD_LETTER_SETTLED"), "{late}");
    let reused = admin.replay_dead_letter(id(&gone), &key).await;
    assert_eq!(code(&reused), Some("IDEMPOTENCY_KEY_REUSED"), "{reused}");

    drop_with_a_word(&admin, &gone).await;
    let act = |deed: &str, note: Option<&str>, after: &str| {
        let change = json!({ "what": "settlement", "before": "", "after": after });
        json!({ "deed": deed, "note": note, "changes": [change] })
    };
    let replay = act("REPLAY_DEAD_LETTER", None, "REPLAYED");
    let drop = act("DROP_DEAD_LETTER", Some("moved away"), "DROPPED");
    assert_eq!(admin.audit_log().await, [drop, replay.clone(), replay]);
    assert_eq!(mail.letters("new@example.com").len(), 1);
    server.assert_audit(0).await;
}

/// What nobody can help.
async fn drop_with_a_word(admin: &Caller, gone: &Value) {
    let wordless = admin.drop_dead_letter(id(gone), &fresh_key(), " ").await;
    assert_eq!(code(&wordless), Some("INVALID_INPUT"), "{wordless}");
    let dropped = admin
        .drop_dead_letter(id(gone), &fresh_key(), "moved away")
        .await;
    assert_eq!(dropped["deadLetter"]["settlement"], "DROPPED", "{dropped}");
    assert!(dropped["deadLetter"]["settledAt"].is_string());
    assert_eq!(admin.open_dead_letters().await, Vec::<Value>::new());
    assert_eq!(admin.dead_letter(id(gone)).await, dropped["deadLetter"]);
}

/// The letters that a worker could not get rid of, and nobody else was held up by.
#[tokio::test]
async fn events_have_a_topic_an_aggregate_a_group_a_concern_and_dead_letters() {
    let (mail, url) = MailServer::start().await;
    mail.is_new_in.store(true, Ordering::Relaxed);
    let shop = Shop::with(&[("MAIL__SMTP", &url)]);
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
    let admin = server.sign_in(Demo::Admin).await;
    let anybody = server.anybody();
    anybody.request_verification("new@example.com").await;
    let letters = mail.until_letters("new@example.com", 1).await;
    let password = "correct horse battery";
    let input = json!({
        "email": "new@example.com", "code": letters[0].code(), "password": password, "name": "kim",
    });
    assert_eq!(code(&anybody.sign_up(input).await), None);
    let buyer = anybody.sign_in("new@example.com", password).await;

    // From now on, letters about orders and one about an account are refused.
    mail.is_new_in.store(false, Ordering::Relaxed);
    let order = buyer.refunded(&item).await;
    anybody.request_verification("gone@example.com").await;
    let open = until_dead_letters(&admin, 4).await;
    let mut told: Vec<(&str, &str, String)> = open
        .iter()
        .map(|letter| {
            let record: Value = serde_json::from_str(letter["payload"].as_str().unwrap()).unwrap();
            let text = |field: &str| letter[field].as_str().unwrap();
            let kind = record["type"].as_str().unwrap().to_owned();
            (text("group"), text("topic"), kind)
        })
        .collect();
    told.sort();
    let of = |topic, kind: &str| ("MAIL", topic, kind.to_owned());
    assert_eq!(
        told,
        [
            of("accounts", "account.verification_requested"),
            of("orders", "order.cancelled"),
            of("orders", "order.paid"),
            of("orders", "order.refunded"),
        ]
    );
    // The same events, to other groups, came to their end: payment, cancellation, refund.
    assert_eq!(buyer.after(&order).await["state"], "CANCELLED");
    buyer.own(&item, 1).await;
    until_dead_letters(&admin, 5).await;
    server.assert_audit(5).await;
}
