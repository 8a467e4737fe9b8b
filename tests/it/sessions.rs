//! Sessions: refresh tokens that are good once, and ends that every node hears of.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Caller, Closed, Demo, Sale, Server, Shop, Socket, code, until};

const ME: &str = "{ viewer { profile { email } } }";

async fn refresh(caller: &Caller, token: &Value) -> Value {
    let document = "mutation($input: RefreshSessionInput!) { refreshSession(input: $input) {
        session { accessToken refreshToken account { email } } userErrors { code } } }";
    let input = json!({ "refreshToken": token });
    caller.mutate(document, input).await
}

async fn sessions_of(caller: &Caller) -> Vec<Value> {
    let document = "{ viewer { sessions { id isCurrent signedInAt refreshedAt expiresAt } } }";
    let mut answer = caller.ask(document, json!({})).await;
    serde_json::from_value(answer["viewer"]["sessions"].take()).unwrap()
}

async fn everywhere(caller: &Caller, input: Value) -> Value {
    let document = "mutation($input: SignOutEverywhereInput!) { signOutEverywhere(input: $input) {
        endedSessions userErrors { code } } }";
    caller.mutate(document, input).await
}

/// A device of the demo's customer.
struct Device {
    caller: Caller,
    refresh_token: Value,
}

impl Device {
    async fn sign_in(shop: &Shop, server: &Server) -> Self {
        let (email, password) = shop.credentials(Demo::Customer);
        let session = server.anybody().try_sign_in(&email, &password).await;
        let session = &session["session"];
        Self {
            caller: server.bearer(session["accessToken"].as_str().unwrap()),
            refresh_token: session["refreshToken"].clone(),
        }
    }

    /// Waits until no node takes the access token any more.
    async fn until_signed_out(&self, server: &Server) {
        for url in server.urls() {
            let there = self.caller.at(url);
            until("the token stops working", || async {
                let answer = there.post(ME, json!({})).await;
                (answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED").then_some(())
            })
            .await;
        }
    }

    async fn assert_signed_in(&self, server: &Server) {
        for url in server.urls() {
            let answer = self.caller.at(url).post(ME, json!({})).await;
            assert_eq!(answer.get("errors"), None, "{answer}");
        }
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_used_again_ends_its_session() {
    let shop = Shop::new();
    let server = shop.start().await;
    let anybody = server.anybody();
    let (mine, other) = (
        Device::sign_in(&shop, &server).await,
        Device::sign_in(&shop, &server).await,
    );
    let second = refresh(&anybody, &mine.refresh_token).await;
    let second = &second["session"];
    let renewed = server.bearer(second["accessToken"].as_str().unwrap());
    assert_eq!(renewed.post(ME, json!({})).await.get("errors"), None);
    let listed = sessions_of(&renewed).await;
    assert_eq!(listed.len(), 2);
    let current: Vec<_> = listed.iter().filter(|it| it["isCurrent"] == true).collect();
    assert_eq!(current.len(), 1);
    assert!(current[0]["refreshedAt"].is_string(), "{listed:?}");

    let again = refresh(&anybody, &mine.refresh_token).await;
    assert_eq!(code(&again), Some("SESSION_ENDED"), "{again}");
    // Whichever of the two was the thief: neither goes on.
    let newest = refresh(&anybody, &second["refreshToken"]).await;
    assert_eq!(code(&newest), Some("SESSION_ENDED"), "{newest}");
    let stolen = Device {
        caller: renewed,
        refresh_token: Value::Null,
    };
    stolen.until_signed_out(&server).await;
    mine.until_signed_out(&server).await;
    other.assert_signed_in(&server).await;
    assert_eq!(sessions_of(&other.caller).await.len(), 1);
    server.assert_calm();
}

#[tokio::test]
async fn a_token_that_was_never_given_out_ends_nothing() {
    let shop = Shop::new();
    let server = shop.start().await;
    let anybody = server.anybody();
    let mine = Device::sign_in(&shop, &server).await;
    let token = mine.refresh_token.as_str().unwrap();
    let (session, rest) = token.split_once('.').unwrap();
    let (secret, seal) = rest.split_once('.').unwrap();
    let guessed = "0".repeat(secret.len());
    for forged in [
        format!("{session}.{guessed}.{seal}"),
        format!("{session}.{secret}.{}", "0".repeat(seal.len())),
        format!("{session}.{secret}"),
        format!("{session}..{seal}"),
        format!("{token}0"),
        session.to_owned(),
        "garbage".to_owned(),
        String::new(),
    ] {
        let payload = refresh(&anybody, &json!(forged)).await;
        assert_eq!(code(&payload), Some("SESSION_ENDED"), "{forged}");
        let document = "mutation($input: SignOutInput!) { signOut(input: $input) {
            signedOut userErrors { code } } }";
        let out = anybody
            .mutate(document, json!({ "refreshToken": forged }))
            .await;
        assert_eq!(out["signedOut"], true, "there is nothing to end");
    }
    let payload = refresh(&anybody, &mine.refresh_token).await;
    assert_eq!(code(&payload), None, "{payload}");
}

#[tokio::test]
async fn of_many_refreshes_at_once_at_most_one_gets_through() {
    let shop = Shop::new();
    let server = shop.start().await;
    let anybody = server.anybody();
    let mine = Device::sign_in(&shop, &server).await;
    let payloads = join_all((0..10).map(|_| refresh(&anybody, &mine.refresh_token))).await;
    let through: Vec<_> = payloads.iter().filter(|it| code(it).is_none()).collect();
    assert_eq!(through.len(), 1, "{payloads:?}");
    // The nine others ended it.
    let newest = &through[0]["session"]["refreshToken"];
    let payload = refresh(&anybody, newest).await;
    assert_eq!(code(&payload), Some("SESSION_ENDED"), "{payload}");
    server.assert_calm();
}

#[tokio::test]
async fn who_signs_out_is_out_on_every_node_and_its_sockets_close() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (phone, desk) = (
        Device::sign_in(&shop, &server).await,
        Device::sign_in(&shop, &server).await,
    );
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(1)).await;
    let mut sockets = Vec::new();
    for url in server.urls() {
        for device in [&phone, &desk] {
            let there = device.caller.at(url);
            let mut socket = Socket::stock_changed(&there, &[&item]).await;
            socket.next().await;
            sockets.push(socket);
        }
    }
    let document = "mutation($input: SignOutInput!) { signOut(input: $input) {
        signedOut userErrors { code } } }";
    let input = json!({ "refreshToken": phone.refresh_token });
    let out = server.anybody().mutate(document, input).await;
    assert_eq!(out["signedOut"], true);
    phone.until_signed_out(&server).await;
    desk.assert_signed_in(&server).await;
    for (number, socket) in sockets.iter_mut().enumerate() {
        if number % 2 == 0 {
            assert_eq!(socket.closed().await, Closed(Some(4403)));
        }
    }
    // The other device's go on.
    let seller = server.sign_in(Demo::Seller).await;
    seller.restock(&item, 5).await;
    for socket in sockets.iter_mut().skip(1).step_by(2) {
        let seen = |seen: &Value| seen["stock"]["available"] == 6;
        socket.until(seen).await;
    }
}

#[tokio::test]
async fn sessions_are_ended_one_by_one_or_all() {
    let shop = Shop::new();
    let server = shop.start().await;
    let mut devices = Vec::new();
    for _ in 0..3 {
        devices.push(Device::sign_in(&shop, &server).await);
    }
    let [phone, desk, tablet] = devices.try_into().ok().unwrap();
    let end = async |caller: &Caller, id: &Value| {
        let document = "mutation($input: EndSessionInput!) { endSession(input: $input) {
            endedSessionId userErrors { code field } } }";
        caller.mutate(document, json!({ "sessionId": id })).await
    };
    let listed = sessions_of(&desk.caller).await;
    let tablets = sessions_of(&tablet.caller).await;
    let tablets = tablets.iter().find(|it| it["isCurrent"] == true).unwrap();
    assert_eq!(listed.len(), 3);

    let stranger = server.sign_in(Demo::Seller).await;
    let payload = end(&stranger, &tablets["id"]).await;
    assert_eq!(code(&payload), Some("NOT_FOUND"), "{payload}");
    let payload = end(&desk.caller, &json!("session_nonsense")).await;
    assert_eq!(code(&payload), Some("INVALID_INPUT"), "{payload}");
    let payload = end(&server.anybody(), &tablets["id"]).await;
    assert_eq!(code(&payload), Some("UNAUTHENTICATED"), "{payload}");
    tablet.assert_signed_in(&server).await;

    let payload = end(&desk.caller, &tablets["id"]).await;
    assert_eq!(payload["endedSessionId"], tablets["id"], "{payload}");
    tablet.until_signed_out(&server).await;
    let payload = end(&desk.caller, &tablets["id"]).await;
    assert_eq!(code(&payload), Some("NOT_FOUND"), "{payload}");
    assert_eq!(sessions_of(&desk.caller).await.len(), 2);

    let refused = everywhere(&server.anybody(), json!({})).await;
    assert_eq!(code(&refused), Some("UNAUTHENTICATED"), "{refused}");
    let payload = everywhere(&phone.caller, json!({ "keepThis": true })).await;
    assert_eq!(payload["endedSessions"], 1, "{payload}");
    desk.until_signed_out(&server).await;
    phone.assert_signed_in(&server).await;
    let again = Device::sign_in(&shop, &server).await;
    let payload = everywhere(&phone.caller, json!({})).await;
    assert_eq!(payload["endedSessions"], 2, "{payload}");
    phone.until_signed_out(&server).await;
    again.until_signed_out(&server).await;
    stranger.ask(ME, json!({})).await;
}

#[tokio::test]
async fn who_was_signed_out_stays_so_after_a_restart() {
    let shop = Shop::new();
    let server = shop.start().await;
    let mine = Device::sign_in(&shop, &server).await;
    let payload = everywhere(&mine.caller, json!({})).await;
    assert_eq!(payload["endedSessions"], 1, "{payload}");
    mine.until_signed_out(&server).await;
    assert_eq!(server.stop().await, Some(0));
    let server = shop.start().await;
    let answer = mine.caller.at(server.url()).post(ME, json!({})).await;
    let code = &answer["errors"][0]["extensions"]["code"];
    assert_eq!(code, "UNAUTHENTICATED", "at the first request: {answer}");
}
