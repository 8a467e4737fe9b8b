//! What may be done only so often.

use serde_json::{Value, json};

use crate::support::{Caller, Demo, Sale, Shop, code, line};

/// How long a refusal says to wait, in milliseconds; nothing where it is another, or none.
fn wait(payload: &Value) -> Option<u64> {
    let refusal = &payload["userErrors"][0];
    (refusal["code"] == "RATE_LIMITED").then(|| refusal["retryAfterMs"].as_u64().unwrap())
}

async fn sign_in(caller: &Caller, email: &str, password: &str) -> Value {
    let document = "mutation($input: SignInInput!) { signIn(input: $input) {
        session { accessToken } userErrors { code ... on RateLimited { retryAfterMs } } } }";
    let input = json!({ "email": email, "password": password });
    caller.mutate(document, input).await
}

async fn verify(caller: &Caller, email: &str) -> Value {
    let document = "mutation($input: RequestEmailVerificationInput!) {
        requestEmailVerification(input: $input) { verification { email validForMs resendAfterMs }
        userErrors { code message ... on RateLimited { retryAfterMs } } } }";
    caller.mutate(document, json!({ "email": email })).await
}

#[tokio::test]
async fn an_address_is_tried_so_often_whoever_has_it() {
    let shop = Shop::with(&[("RATES__SIGN_IN_PER_EMAIL", "3/1h")]);
    let server = shop.start().await;
    let (known, password) = shop.credentials(Demo::Customer);
    let mut told = Vec::new();
    for email in [known.as_str(), "nobody@example.com"] {
        let mut codes = Vec::new();
        for attempt in 0..5 {
            // Over several nodes each is at the next one: they count together.
            let caller = server.anybody();
            // The right password is no way around it.
            let password = if attempt < 3 { "not it" } else { &password };
            let payload = sign_in(&caller, email, password).await;
            codes.push(code(&payload).map(str::to_owned));
            if attempt >= 3 {
                let wait = wait(&payload).expect("a wait");
                assert!((1..=1_200_000).contains(&wait), "{wait}");
            }
        }
        told.push(codes);
    }
    assert_eq!(
        told[0], told[1],
        "the answers say nothing of who has an account"
    );
    assert_eq!(told[0][2].as_deref(), Some("INVALID_CREDENTIALS"));
    // Somebody else is not kept out.
    let (seller, password) = shop.credentials(Demo::Seller);
    let payload = sign_in(&server.anybody(), &seller, &password).await;
    assert_eq!(code(&payload), None, "{payload}");
}

#[tokio::test]
async fn codes_are_asked_for_so_often_and_the_answer_says_nothing() {
    let shop = Shop::with(&[("RATES__LETTERS_PER_EMAIL", "2/1h")]);
    let server = shop.start().await;
    let (known, _) = shop.credentials(Demo::Customer);
    for email in [known.as_str(), "nobody@example.com"] {
        for _ in 0..2 {
            let payload = verify(&server.anybody(), email).await;
            assert_eq!(payload["verification"]["email"], email, "{payload}");
        }
        let payload = verify(&server.anybody(), email).await;
        assert_eq!(payload["verification"], Value::Null);
        assert!(wait(&payload).is_some(), "{payload}");
    }
}

#[tokio::test]
async fn a_place_tries_so_often_with_whatever_address() {
    // Nobody is spared, not even who is on the same machine.
    let shop = Shop::with(&[
        ("LIMITS__SPARED", ""),
        ("RATES__SIGN_IN_PER_PEER", "4/1h"),
        ("RATES__CODES_PER_PEER", "2/1h"),
        ("RATES__REFRESH_PER_PEER", "2/1h"),
    ]);
    let server = shop.start().await;
    for attempt in 0..6 {
        let email = format!("guess-{attempt}@example.com");
        let payload = sign_in(&server.anybody(), &email, "a guess").await;
        assert_eq!(
            wait(&payload).is_some(),
            attempt >= 4,
            "{attempt}: {payload}"
        );
    }
    let refresh = "mutation($input: RefreshSessionInput!) { refreshSession(input: $input) {
        userErrors { code ... on RateLimited { retryAfterMs } } } }";
    let sign_up = "mutation($input: SignUpInput!) { signUp(input: $input) {
        userErrors { code ... on RateLimited { retryAfterMs } } } }";
    for attempt in 0..4 {
        let input = json!({ "refreshToken": format!("guess {attempt}") });
        let payload = server.anybody().mutate(refresh, input).await;
        assert_eq!(
            wait(&payload).is_some(),
            attempt >= 2,
            "{attempt}: {payload}"
        );
        let input = json!({ "email": format!("guess-{attempt}@example.com"), "code": "00000000",
            "password": "a password of mine", "name": "Guess" });
        let payload = server.anybody().mutate(sign_up, input).await;
        assert_eq!(
            wait(&payload).is_some(),
            attempt >= 2,
            "{attempt}: {payload}"
        );
    }
}

#[tokio::test]
async fn an_account_orders_so_often_and_takes_nothing_beyond() {
    let shop = Shop::with(&[("RATES__ORDERS_PER_ACCOUNT", "3/1h")]);
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let item = seller.sell(Sale::of(10)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    for _ in 0..3 {
        let payload = buyer.place(&[line(&item, 1)]).await;
        assert_eq!(code(&payload), None, "{payload}");
    }
    for _ in 0..3 {
        let payload = buyer.place(&[line(&item, 1)]).await;
        assert_eq!(code(&payload), Some("RATE_LIMITED"), "{payload}");
    }
    assert_eq!(buyer.available(&item).await, 7);
    // The buyer's other requests are not counted, nor is anybody else.
    let other = seller.place(&[line(&item, 1)]).await;
    assert_eq!(code(&other), None, "{other}");
    server.assert_clean().await;
}
