//! What somebody signs in with: passwords, codes, addresses; and how an account goes.

use serde_json::{Value, json};

use crate::support::{Caller, Demo, Sale, Server, Shop, code, line, until};

const PASSWORD: &str = "a long enough password";
const ANOTHER: &str = "another password of mine";

async fn mutate(caller: &Caller, mutation: &str, object: &str, input: Value) -> Value {
    let mut kind = mutation.to_owned();
    kind[..1].make_ascii_uppercase();
    let document = format!(
        "mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ {object}
            userErrors {{ code field ... on SecondFactorRequired {{ challenge expiresAt }}
                ... on OrdersOpen {{ orders }} }} }} }}"
    );
    caller.mutate(&document, input).await
}

/// An account of the tests' own, and who is signed in to it.
struct Person {
    email: String,
    caller: Caller,
}

impl Person {
    async fn new(server: &Server, email: &str) -> Self {
        let anybody = server.anybody();
        let letters = server.mail(email).len();
        anybody.request_verification(email).await;
        server.until_mail(email, letters + 1).await;
        let sent = server.mailed_code(email).await;
        let input = json!({
            "email": email, "code": sent, "password": PASSWORD, "name": "김민수",
            "phone": "010-0000-0000", "address": "서울 종로구 1",
        });
        let payload = anybody.sign_up(input).await;
        assert_eq!(code(&payload), None, "{payload}");
        Self {
            email: email.to_owned(),
            caller: anybody.sign_in(email, PASSWORD).await,
        }
    }

    async fn until_signed_out(&self) {
        until("the token stops working", || async {
            let answer = self.caller.post("{ viewer { profile { id } } }", json!({}));
            let code = &answer.await["errors"][0]["extensions"]["code"];
            (code == "UNAUTHENTICATED").then_some(())
        })
        .await;
    }
}

/// The newest code in an address's mailbox that is not one of these.
async fn next_code(server: &Server, email: &str, but: &[&str]) -> String {
    until("a letter with another code", || async {
        let code = server.mailed_code(email).await;
        Some(code).filter(|code| !but.contains(&code.as_str()))
    })
    .await
}

/// The owner is written to, whoever it was.
async fn until_told(server: &Server, email: &str, subject: &str) {
    until(subject, || async {
        let letters = server.mail(email).into_iter();
        let told = letters.filter(|letter| letter.subject == subject);
        (told.count() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_changed_password_ends_every_session() {
    let shop = Shop::new();
    let server = shop.start().await;
    let kim = Person::new(&server, "kim@example.com").await;
    let elsewhere = server.anybody().sign_in(&kim.email, PASSWORD).await;
    let change = |password: &str, new: &str| {
        let input = json!({ "password": password, "newPassword": new });
        let caller = kim.caller.clone();
        async move { mutate(&caller, "changePassword", "session { accessToken }", input).await }
    };
    let payload = change("not the password", ANOTHER).await;
    assert_eq!(code(&payload), Some("INVALID_CREDENTIALS"), "{payload}");
    let payload = change(PASSWORD, "password123").await;
    assert_eq!(code(&payload), Some("INVALID_INPUT"), "{payload}");
    let payload = change(PASSWORD, ANOTHER).await;
    assert_eq!(code(&payload), None, "{payload}");
    let renewed = server.bearer(payload["session"]["accessToken"].as_str().unwrap());
    kim.until_signed_out().await;
    until_told(&server, &kim.email, "Your password was changed").await;
    let other = Person {
        email: kim.email.clone(),
        caller: elsewhere,
    };
    other.until_signed_out().await;
    let me = renewed
        .ask("{ viewer { sessions { id } } }", json!({}))
        .await;
    assert_eq!(me["viewer"]["sessions"].as_array().unwrap().len(), 1);
    let anybody = server.anybody();
    let old = anybody.try_sign_in(&kim.email, PASSWORD).await;
    assert_eq!(code(&old), Some("INVALID_CREDENTIALS"), "{old}");
    anybody.sign_in(&kim.email, ANOTHER).await;
    let input = json!({ "password": PASSWORD, "newPassword": ANOTHER });
    let payload = mutate(&anybody, "changePassword", "session { accessToken }", input).await;
    assert_eq!(code(&payload), Some("UNAUTHENTICATED"), "{payload}");
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_by_who_reads_the_mail() {
    let shop = Shop::with(&[("ACCOUNTS__VERIFICATION_RESEND", "1ms")]);
    let server = shop.start().await;
    let anybody = server.anybody();
    let kim = Person::new(&server, "kim@example.com").await;
    let signed_up_with = server.mailed_code(&kim.email).await;
    let nobody = "nobody@example.com";
    let request = async |email: &str| {
        let object = "verification { validForMs resendAfterMs }";
        let input = json!({ "email": email });
        mutate(&anybody, "requestPasswordReset", object, input).await
    };
    let (known, unknown) = (request(&kim.email).await, request(nobody).await);
    assert_eq!(known, unknown, "the answer says nothing");
    let sent = next_code(&server, &kim.email, &[&signed_up_with]).await;
    let reset = async |email: &str, typed: &str, new: &str| {
        let input = json!({ "email": email, "code": typed, "newPassword": new });
        mutate(&anybody, "resetPassword", "passwordSet", input).await
    };
    for (email, typed) in [
        (kim.email.as_str(), signed_up_with.as_str()),
        (nobody, sent.as_str()),
    ] {
        let payload = reset(email, typed, ANOTHER).await;
        assert_eq!(code(&payload), Some("VERIFICATION_INVALID"), "{payload}");
    }
    let payload = reset(&kim.email, &sent, "short").await;
    assert_eq!(code(&payload), Some("INVALID_INPUT"), "{payload}");
    let payload = reset(&kim.email, &sent, ANOTHER).await;
    assert_eq!(payload["passwordSet"], true, "{payload}");
    kim.until_signed_out().await;
    until_told(&server, &kim.email, "Your password was changed").await;
    anybody.sign_in(&kim.email, ANOTHER).await;
    let again = reset(&kim.email, &sent, PASSWORD).await;
    assert_eq!(code(&again), Some("VERIFICATION_INVALID"), "{again}");
    assert!(server.letters(nobody).is_empty());
    // A code that was mailed for this is good for nothing else.
    request(&kim.email).await;
    let other = next_code(&server, &kim.email, &[&signed_up_with, &sent]).await;
    let input = json!({
        "email": kim.email, "code": other, "password": PASSWORD, "name": "Kim",
    });
    let payload = anybody.sign_up(input).await;
    assert_eq!(code(&payload), Some("VERIFICATION_INVALID"), "{payload}");
}

#[tokio::test]
async fn a_second_factor_is_a_code_from_the_mailbox() {
    let shop = Shop::with(&[("ACCOUNTS__VERIFICATION_ATTEMPTS", "2")]);
    let server = shop.start().await;
    let anybody = server.anybody();
    let kim = Person::new(&server, "kim@example.com").await;
    let first = server.mailed_code(&kim.email).await;
    let set = async |password: &str, enabled: bool| {
        let input = json!({ "password": password, "enabled": enabled });
        mutate(
            &kim.caller,
            "setSecondFactor",
            "account { secondFactor }",
            input,
        )
        .await
    };
    let payload = set("not the password", true).await;
    assert_eq!(code(&payload), Some("INVALID_CREDENTIALS"), "{payload}");
    for _ in 0..2 {
        let payload = set(PASSWORD, true).await;
        assert_eq!(payload["account"]["secondFactor"], true, "{payload}");
    }
    until_told(&server, &kim.email, "Signing in asks for a code now").await;

    let sign_in = async |password: &str| {
        let input = json!({ "email": kim.email, "password": password });
        mutate(&anybody, "signIn", "session { accessToken }", input).await
    };
    let confirm = async |challenge: &Value, typed: &str| {
        let input = json!({ "challenge": challenge, "code": typed });
        mutate(&anybody, "confirmSignIn", "session { accessToken }", input).await
    };
    let wrong = sign_in("not the password").await;
    assert_eq!(code(&wrong), Some("INVALID_CREDENTIALS"), "{wrong}");
    let required = sign_in(PASSWORD).await;
    assert_eq!(
        code(&required),
        Some("SECOND_FACTOR_REQUIRED"),
        "{required}"
    );
    assert_eq!(required["session"], Value::Null);
    let challenge = &required["userErrors"][0]["challenge"];
    let again = sign_in(PASSWORD).await;
    assert_eq!(
        &again["userErrors"][0]["challenge"], challenge,
        "one letter"
    );
    let sent = next_code(&server, &kim.email, &[&first]).await;
    let wrong = confirm(challenge, "00000000").await;
    assert_eq!(code(&wrong), Some("VERIFICATION_INVALID"), "{wrong}");
    let session = confirm(challenge, &sent).await;
    assert_eq!(code(&session), None, "{session}");
    let me = server.bearer(session["session"]["accessToken"].as_str().unwrap());
    me.ask("{ viewer { profile { id } } }", json!({})).await;
    let twice = confirm(challenge, &sent).await;
    assert_eq!(code(&twice), Some("VERIFICATION_INVALID"), "{twice}");

    // Two wrong codes, and the right one is void too.
    let required = sign_in(PASSWORD).await;
    let challenge = &required["userErrors"][0]["challenge"];
    let sent = next_code(&server, &kim.email, &[&first, &sent]).await;
    for _ in 0..2 {
        confirm(challenge, "00000000").await;
    }
    let late = confirm(challenge, &sent).await;
    assert_eq!(code(&late), Some("VERIFICATION_INVALID"), "{late}");

    let payload = set(PASSWORD, false).await;
    assert_eq!(payload["account"]["secondFactor"], false, "{payload}");
    anybody.sign_in(&kim.email, PASSWORD).await;
    let off = "Signing in asks for no code any more";
    until_told(&server, &kim.email, off).await;
}

#[tokio::test]
async fn an_address_changes_with_a_code_from_each() {
    let shop = Shop::with(&[("ACCOUNTS__VERIFICATION_RESEND", "1ms")]);
    let server = shop.start().await;
    let anybody = server.anybody();
    let kim = Person::new(&server, "kim@example.com").await;
    let (old, new, taken) = (
        kim.email.clone(),
        "kim@new.example.com",
        shop.credentials(Demo::Seller).0,
    );
    let request = async |password: &str, to: &str| {
        let input = json!({ "password": password, "newEmail": to });
        let object = "verification { validForMs }";
        mutate(&kim.caller, "requestEmailChange", object, input).await
    };
    let confirm = async |from_old: &str, from_new: &str| {
        let input = json!({ "codeFromOldAddress": from_old, "codeFromNewAddress": from_new });
        mutate(&kim.caller, "confirmEmailChange", "email", input).await
    };
    let payload = request("not the password", new).await;
    assert_eq!(code(&payload), Some("INVALID_CREDENTIALS"), "{payload}");
    let payload = request(PASSWORD, "no address").await;
    assert_eq!(payload["userErrors"][0]["field"], json!(["newEmail"]));
    let known = request(PASSWORD, &taken).await;
    let letter = until("a letter to who has it", || async {
        server.letters(&taken).pop()
    })
    .await;
    assert!(letter.contains("It already has one"), "{letter}");

    let unknown = request(PASSWORD, new).await;
    assert_eq!(known, unknown, "the answer says nothing");
    let from_new = server.mailed_code(new).await;
    // The first was to sign up, the second for the address that is taken.
    server.until_mail(&old, 3).await;
    let from_old = server.mailed_code(&old).await;
    let wrong = confirm(&from_new, &from_old).await;
    assert_eq!(
        wrong["userErrors"][0]["field"],
        json!(["codeFromOldAddress"]),
        "{wrong}"
    );
    let wrong = confirm(&from_old, "00000000").await;
    assert_eq!(
        wrong["userErrors"][0]["field"],
        json!(["codeFromNewAddress"]),
        "{wrong}"
    );
    let moved = confirm(&from_old, &from_new).await;
    assert_eq!(moved["email"], new, "{moved}");
    let twice = confirm(&from_old, &from_new).await;
    assert_eq!(code(&twice), Some("VERIFICATION_INVALID"), "{twice}");
    let gone = anybody.try_sign_in(&old, PASSWORD).await;
    assert_eq!(code(&gone), Some("INVALID_CREDENTIALS"), "{gone}");
    anybody.sign_in(new, PASSWORD).await;
    let me = "{ viewer { profile { email } } }";
    let me = kim.caller.ask(me, json!({})).await;
    assert_eq!(me["viewer"]["profile"]["email"], new, "the session goes on");
}

#[tokio::test]
async fn a_profile_is_changed_field_by_field() {
    let shop = Shop::new();
    let server = shop.start().await;
    let kim = Person::new(&server, "kim@example.com").await;
    let object = "account { name phone address language email }";
    let update = async |input: Value| mutate(&kim.caller, "updateProfile", object, input).await;
    let payload = update(json!({ "name": "", "phone": "0".repeat(31) })).await;
    let fields = payload["userErrors"].as_array().unwrap();
    assert_eq!(fields.len(), 2, "{payload}");
    let payload = update(json!({ "phone": null, "language": "KO" })).await;
    let expected = json!({
        "name": "김민수", "phone": null, "address": "서울 종로구 1", "language": "KO",
        "email": kim.email,
    });
    assert_eq!(payload["account"], expected, "{payload}");
    let payload = update(json!({ "name": "Kim Minsu", "phone": "+82 10 0000 0000" })).await;
    assert_eq!(payload["account"]["name"], "Kim Minsu");
    assert_eq!(payload["account"]["phone"], "+82 10 0000 0000");
    assert_eq!(payload["account"]["language"], "KO");
    let stranger = mutate(&server.anybody(), "updateProfile", object, json!({})).await;
    assert_eq!(code(&stranger), Some("UNAUTHENTICATED"), "{stranger}");
}

#[tokio::test]
async fn an_account_goes_and_its_orders_keep_their_figures() {
    let shop = Shop::with(&[("DELIVERY__DAY", "2s"), ("RETURNS__DAYS_TO_REQUEST", "0")]);
    let server = shop.start().await;
    let kim = Person::new(&server, "kim@example.com").await;
    let seller = server.sign_in(Demo::Seller).await;
    let item = seller.sell(Sale::of(10)).await;
    let order = kim.caller.hold(&item, 2).await;
    let delete = async |caller: &Caller, password: &str| {
        let input = json!({ "password": password });
        mutate(caller, "deleteAccount", "deleted", input).await
    };
    let payload = delete(&kim.caller, "not the password").await;
    assert_eq!(code(&payload), Some("INVALID_CREDENTIALS"), "{payload}");
    let payload = delete(&kim.caller, PASSWORD).await;
    assert_eq!(code(&payload), Some("ORDERS_OPEN"), "{payload}");
    assert_eq!(payload["userErrors"][0]["orders"], 1, "{payload}");
    let (_, sellers) = shop.credentials(Demo::Seller);
    let payload = delete(&seller, &sellers).await;
    assert_eq!(code(&payload), Some("FORBIDDEN"), "{payload}");

    kim.caller.pay(&order, "tok_approve").await;
    kim.caller.until_delivered(&order).await;
    let payload = delete(&kim.caller, PASSWORD).await;
    assert_eq!(payload["deleted"], true, "{payload}");
    kim.until_signed_out().await;
    let gone = server.anybody().try_sign_in(&kim.email, PASSWORD).await;
    assert_eq!(code(&gone), Some("INVALID_CREDENTIALS"), "{gone}");
    let admin = server.sign_in(Demo::Admin).await;
    let orders = "{ backOffice { orders(first: 10) { nodes { order { id total { amount }
        shipment { state address } } } } } }";
    let orders = admin.ask(orders, json!({})).await;
    let orders = orders["backOffice"]["orders"]["nodes"].as_array().unwrap();
    let kept = orders
        .iter()
        .find(|kept| kept["order"]["id"] == order)
        .unwrap();
    let kept = &kept["order"];
    assert_eq!(kept["shipment"]["state"], "DELIVERED", "{kept}");
    assert_eq!(kept["shipment"]["address"], Value::Null, "{kept}");
    // The address is free for somebody new, who starts with nothing.
    let again = Person::new(&server, &kim.email).await;
    let document =
        "{ viewer { orders(first: 1) { nodes { id } } wishlist(first: 1) { nodes { id } } } }";
    let nothing = again.caller.ask(document, json!({})).await;
    assert_eq!(nothing["viewer"]["orders"]["nodes"], json!([]));
    again.caller.place(&[line(&item, 1)]).await;
    server.assert_clean().await;
}
