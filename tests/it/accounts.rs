//! Accounts.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::sleep;

use crate::support::{Demo, Shop, code, until};

#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    let shop = Shop::new();
    let server = shop.start().await;
    let anybody = server.anybody();
    let (known, password) = shop.credentials(Demo::Customer);
    let unknown = "nobody@example.com";
    for (email, password) in [
        (known.as_str(), "not the password"),
        (unknown, password.as_str()),
        (unknown, ""),
    ] {
        let payload = anybody.try_sign_in(email, password).await;
        assert_eq!(code(&payload), Some("INVALID_CREDENTIALS"), "{payload}");
    }

    // The answers are alike; the letters are not.
    anybody.request_verification(&known).await;
    anybody.request_verification(unknown).await;
    let sent = server.mailed_code(unknown).await;
    let letter = until("a letter to who has an account", || async {
        server.letters(&known).pop()
    })
    .await;
    assert!(letter.contains("It already has one"), "{letter}");
    let taken =
        json!({ "email": known, "code": sent, "password": "long enough it is", "name": "X" });
    let payload = anybody.sign_up(taken).await;
    assert_eq!(code(&payload), Some("VERIFICATION_INVALID"), "{payload}");
}

#[tokio::test]
async fn a_code_is_not_for_guessing_and_letters_are_not_for_bombing() {
    let shop = Shop::with(&[("ACCOUNTS__VERIFICATION_ATTEMPTS", "3")]);
    let server = shop.start().await;
    let anybody = server.anybody();
    let email = "kim@example.com";
    for _ in 0..5 {
        anybody.request_verification(email).await;
    }
    let sent = server.mailed_code(email).await;
    let sign_up = |code: &str| {
        let input = json!({
            "email": email, "code": code, "password": "long enough it is", "name": "Kim",
        });
        anybody.sign_up(input)
    };
    // A rule that the input breaks costs no try.
    let short = json!({ "email": email, "code": sent, "password": "short", "name": "" });
    let payload = anybody.sign_up(short).await;
    assert_eq!(
        payload["userErrors"],
        json!([
            { "code": "INVALID_INPUT", "field": ["name"] },
            { "code": "INVALID_INPUT", "field": ["password"] },
        ])
    );
    for number in 0..3 {
        let guess = format!("{number:08}");
        assert_ne!(guess, sent);
        let payload = sign_up(&guess).await;
        assert_eq!(code(&payload), Some("VERIFICATION_INVALID"));
    }
    let payload = sign_up(&sent).await;
    assert_eq!(code(&payload), Some("VERIFICATION_INVALID"), "{payload}");
    // Five requests, one letter: by now the mail worker has seen all of them.
    assert_eq!(server.letters(email).len(), 1);
    server.assert_calm();
}

#[tokio::test]
async fn of_many_at_once_one_gets_through() {
    let shop = Shop::new();
    let server = shop.start().await;
    let anybody = server.anybody();
    let email = "kim@example.com";
    anybody.request_verification(email).await;
    let sent = server.mailed_code(email).await;
    let input = json!({
        "email": email, "code": sent, "password": "long enough it is", "name": "Kim",
    });
    let payloads = join_all((0..5).map(|_| anybody.sign_up(input.clone()))).await;
    let made = payloads.iter().filter(|payload| code(payload).is_none());
    assert_eq!(made.count(), 1, "{payloads:?}");
    server.assert_calm();
}

#[tokio::test]
async fn the_newest_code_counts_for_as_long_as_it_is_good() {
    let shop = Shop::with(&[
        ("ACCOUNTS__VERIFICATION", "3s"),
        ("ACCOUNTS__VERIFICATION_RESEND", "1ms"),
    ]);
    let server = shop.start().await;
    let anybody = server.anybody();
    let email = "kim@example.com";
    let sign_up = |code: String| {
        let input = json!({
            "email": email, "code": code, "password": "long enough it is", "name": "Kim",
        });
        anybody.sign_up(input)
    };
    anybody.request_verification(email).await;
    let first = server.mailed_code(email).await;
    anybody.request_verification(email).await;
    let second = until("a second letter", || async {
        Some(server.mailed_code(email).await).filter(|code| *code != first)
    })
    .await;
    let payload = sign_up(first).await;
    assert_eq!(code(&payload), Some("VERIFICATION_INVALID"), "{payload}");
    sleep(Duration::from_secs(3)).await;
    let payload = sign_up(second).await;
    assert_eq!(code(&payload), Some("VERIFICATION_INVALID"), "{payload}");

    anybody.request_verification(email).await;
    let third = until("a third letter", || async {
        (server.letters(email).len() == 3).then_some(())
    });
    third.await;
    let payload = sign_up(server.mailed_code(email).await).await;
    assert_eq!(code(&payload), None, "{payload}");
}
