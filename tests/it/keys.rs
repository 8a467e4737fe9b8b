//! Keys are replaced while people sign in, buy and are served, and nobody notices.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, Demo, Sale, Server, Shop, code, until};

/// The ids of the public keys that a node publishes.
async fn published(at: &Caller) -> Vec<String> {
    let request = at.request(Method::GET, "/.well-known/jwks.json");
    let answer = request.send().await.unwrap();
    let kept = answer.headers()["cache-control"].to_str().unwrap();
    assert_eq!(kept, "public, max-age=30");
    let text = answer.text().await.unwrap();
    let keys: Value = serde_json::from_str(&text).unwrap();
    let keys = keys["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

/// The key that a token was signed with.
fn kid(token: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let head = token.split('.').next().unwrap();
    let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap();
    head["kid"].as_str().unwrap().to_owned()
}

/// Whether each node knows whoever has this token.
async fn knows(server: &Server, token: &str) -> Vec<bool> {
    let mut known = Vec::new();
    for url in server.urls() {
        let caller = server.bearer(token).at(url);
        let answer = caller
            .post("{ viewer { profile { email } } }", json!({}))
            .await;
        known.push(answer["data"]["viewer"]["profile"]["email"].is_string());
    }
    known
}

async fn refresh(caller: &Caller, token: &str) -> (String, String) {
    let document = "mutation($input: RefreshSessionInput!) { refreshSession(input: $input) {
        session { accessToken refreshToken } userErrors { code } } }";
    let payload = caller
        .mutate(document, json!({ "refreshToken": token }))
        .await;
    assert_eq!(code(&payload), None, "{payload}");
    let text = |field: &str| payload["session"][field].as_str().unwrap().to_owned();
    (text("accessToken"), text("refreshToken"))
}

async fn rotate(shop: &Shop, arguments: &[&str]) -> String {
    let (status, printed) = shop.run(&[&["rotate"], arguments].concat()).await;
    assert!(status.success(), "{printed}");
    printed
}

#[tokio::test]
async fn token_keys_are_rotated_and_nobody_is_signed_out() {
    let shop = Shop::new();
    let server = shop.start().await;
    let nodes = server.urls().len();
    let anybody = server.anybody();
    let (email, password) = shop.credentials(Demo::Customer);
    let signed_in = anybody.try_sign_in(&email, &password).await;
    let text = |field: &str| signed_in["session"][field].as_str().unwrap().to_owned();
    let (first, mut refreshing) = (text("accessToken"), text("refreshToken"));

    let printed = rotate(&shop, &["tokens", "--lead", "5s"]).await;
    assert!(printed.contains("A new key is published now"), "{printed}");
    for url in server.urls() {
        until("both keys to be published", || async {
            let keys = published(&anybody.at(url)).await;
            (keys.len() == 2 && keys.contains(&kid(&first))).then_some(())
        })
        .await;
    }
    let printed = rotate(&shop, &["tokens", "--lead", "5s"]).await;
    assert!(printed.contains("is there already"), "{printed}");

    // Every token that anybody gets on the way is good at every node at once.
    let mut second = first.clone();
    while kid(&second) == kid(&first) {
        (second, refreshing) = refresh(&anybody, &refreshing).await;
        assert_eq!(knows(&server, &second).await, vec![true; nodes]);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(
        knows(&server, &first).await,
        vec![true; nodes],
        "signed out"
    );

    // A key in wrong hands: its tokens end, sessions do not.
    let printed = rotate(&shop, &["tokens", "--at-once"]).await;
    assert!(printed.contains("refused from now on"), "{printed}");
    until("tokens of other keys to be refused everywhere", || async {
        let known = [knows(&server, &first).await, knows(&server, &second).await].concat();
        known.iter().all(|known| !known).then_some(())
    })
    .await;
    let (third, _) = refresh(&anybody, &refreshing).await;
    assert_eq!(knows(&server, &third).await, vec![true; nodes]);
    assert_eq!(published(&anybody).await, [kid(&third)]);
    server.assert_clean().await;
}

/// Signs somebody up with everything there is to know of them.
async fn person(server: &Server, name: &str) -> Caller {
    let anybody = server.anybody();
    let email = format!("{name}@example.com");
    anybody.request_verification(&email).await;
    let mailed = server.mailed_code(&email).await;
    let input = json!({
        "email": email, "code": mailed, "password": "correct horse battery",
        "name": name, "phone": "010-1234-5678", "address": format!("{name} Street 1"),
    });
    let payload = anybody.sign_up(input).await;
    assert_eq!(code(&payload), None, "{payload}");
    anybody.sign_in(&email, "correct horse battery").await
}

async fn order_to(buyer: &Caller, item: &str, address: &str) -> String {
    let order = buyer.hold(item, 1).await;
    let input = json!({
        "orderId": order, "paymentMethod": "tok_approve", "deliveryAddress": address,
    });
    assert_eq!(code(&buyer.change("payOrder", input).await), None);
    order
}

async fn assert_readable(people: &[(String, Caller)], orders: &BTreeMap<String, (usize, String)>) {
    for (name, caller) in people {
        let document = "{ viewer { profile { email name phone address } } }";
        let read = caller.ask(document, json!({})).await;
        let profile = json!({
            "email": format!("{name}@example.com"), "name": name, "phone": "010-1234-5678",
            "address": format!("{name} Street 1"),
        });
        assert_eq!(read["viewer"]["profile"], profile);
    }
    for (order, (buyer, address)) in orders {
        let caller = &people[*buyer].1;
        caller.until_state(order, "PAID").await;
        let read = caller.after(order).await;
        assert_eq!(read["shipment"]["address"], address.as_str());
    }
}

fn vault_ids(shop: &Shop) -> Vec<u64> {
    let text = std::fs::read(shop.data().join("keys.json")).unwrap();
    let keys: Value = serde_json::from_slice(&text).unwrap();
    let keys = keys["vault"].as_array().unwrap().iter();
    keys.map(|key| key["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn personal_data_is_sealed_anew_while_people_buy() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let item = seller.sell(Sale::of(500)).await;
    let mut people = Vec::new();
    for name in ["kim", "lee"] {
        people.push((name.to_owned(), person(&server, name).await));
    }
    let mut orders = BTreeMap::new();
    let before = order_to(&people[0].1, &item, "0 Old Road").await;
    orders.insert(before, (0, "0 Old Road".to_owned()));

    // People go on until the rotation has ended, which waits for its key first.
    let ended = AtomicBool::new(false);
    let rotating = async {
        let printed = rotate(&shop, &["personal-data", "--lead", "4s", "--keep", "4s"]).await;
        ended.store(true, Ordering::Relaxed);
        printed
    };
    let buying = async {
        let mut bought = Vec::new();
        while !ended.load(Ordering::Relaxed) {
            let (number, buyer) = (bought.len(), bought.len() % 2);
            let (name, caller) = &people[buyer];
            let address = format!("{number} New Road");
            let order = order_to(caller, &item, &address).await;
            bought.push((order, (buyer, address)));
            let email = format!("{name}@example.com");
            caller.sign_in(&email, "correct horse battery").await;
        }
        bought
    };
    let joining = async { person(&server, "park").await };
    let (printed, bought, late) = tokio::join!(rotating, buying, joining);
    assert!(printed.contains("Dropped: key 1."), "{printed}");
    assert!(printed.contains("0 unreadable"), "{printed}");
    assert!(!bought.is_empty());
    orders.extend(bought);
    people.push(("park".to_owned(), late));
    assert_eq!(vault_ids(&shop), [2]);
    assert_readable(&people, &orders).await;
    server.assert_calm();
    server.assert_clean().await;
    server.stop().await;

    // Nobody has the first key any more, and everything reads.
    let server = shop.start().await;
    for (_, caller) in &mut people {
        *caller = caller.at(server.url());
    }
    assert_readable(&people, &orders).await;

    // The next one: the key before it stays for its time, however often somebody asks.
    let first = rotate(&shop, &["personal-data", "--lead", "3s"]).await;
    assert!(first.contains("Key 3 is there"), "{first}");
    assert!(first.contains("The key before is kept"), "{first}");
    let again = rotate(&shop, &["personal-data", "--lead", "3s"]).await;
    assert!(again.contains("this goes on with it"), "{again}");
    assert!(
        !again.contains("pass 2"),
        "there was nothing to do: {again}"
    );
    assert_eq!(vault_ids(&shop), [2, 3]);
    assert_readable(&people, &orders).await;
    server.assert_clean().await;
}

#[tokio::test]
async fn a_rotation_is_for_a_shop_that_is_there_and_one_at_a_time() {
    let shop = Shop::new();
    let failure = async |arguments: &'static [&'static str]| {
        let mut command = shop.command(arguments);
        let done = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = done.await.unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = failure(&["rotate", "tokens"]).await;
    assert!(said.contains("there are no keys in"), "{said}");
    assert!(!shop.data().join("keys.json").exists());

    let server = shop.start().await;
    let said = failure(&["rotate", "tokens", "--lead", "1s"]).await;
    assert!(said.contains("--lead"), "{said}");
    let said = failure(&["rotate", "personal-data", "--keep", "59s"]).await;
    assert!(said.contains("--keep"), "{said}");
    let said = failure(&["rotate", "personal-data", "--batch", "0"]).await;
    assert!(said.contains("--batch"), "{said}");
    let lock = std::fs::File::create(shop.data().join("rotate.lock")).unwrap();
    lock.lock().unwrap();
    let said = failure(&["rotate", "personal-data"]).await;
    assert!(said.contains("somebody else"), "{said}");
    drop(lock);
    rotate(&shop, &["tokens"]).await;
    server.assert_clean().await;
}
