//! Nothing of a person is where it has no business: not in what the processes print, however much they
//! are asked to, not in files, log or tables, not in what others are answered.

use serde_json::json;

use crate::engines;
use crate::support::{Caller, Demo, Sale, Server, Shop, code, portion, until};

/// All there is to say: of our own crates everything, of the others what they say of their own accord.
const ALL: &str = "info,firstcome=trace,domain=trace,adapters=trace,api=trace,workers=trace";

/// What belongs to somebody. All of it is typed, mailed or handed out somewhere below.
const PERSON: [&str; 9] = [
    "findme@example.com",
    "Findme Nameson",
    "010-7777-1234",
    "77 Findable Street",
    "88 Parcel Road",
    "correct horse findable",
    "wrong horse findable",
    "findme.typo@@example",
    "call me findable",
];

/// Everything that must not be found, once it is known.
struct Secrets(Vec<String>);

impl Secrets {
    /// Fails if anything of it is there.
    fn assert_not_in(&self, what: &str, bytes: &[u8]) {
        for secret in &self.0 {
            let mut parts = bytes.windows(secret.len());
            let found = parts.position(|part| part.eq_ignore_ascii_case(secret.as_bytes()));
            if let Some(at) = found {
                let from = at.saturating_sub(200);
                let around = String::from_utf8_lossy(&bytes[from..at + secret.len()]);
                panic!("{secret} can be read in {what}: …{around}");
            }
        }
    }

    /// Nothing of it in what any of these processes has printed.
    fn assert_not_printed(&self, server: &Server) {
        let nodes = server.nodes.iter().map(|node| &node.process);
        for process in nodes.chain(&server.workers) {
            let printed = process.printed();
            self.assert_not_in("what a process prints", printed.as_bytes());
        }
    }
}

/// What somebody else gets to see, whatever they ask for.
async fn ask_around(caller: &Caller, order: &str, account: &str) -> String {
    let mut seen = String::new();
    let document = "query($order: ID!, $account: ID!) {
        order(id: $order) { id shipment { address } lines { quantity } }
        node(id: $account) { __typename id } other: node(id: $order) { __typename id }
        items(first: 50) { nodes { id name description } }
        viewer { profile { email name phone address } orders(first: 50) { nodes { id } } } }";
    let back_office = "{ backOffice { accounts(first: 50) { nodes { id email name phone address } }
        orders(first: 50) { nodes { id shipment { address } } } } }";
    let input = json!({ "email": "findme@example.com", "password": "wrong horse findable" });
    for (document, variables) in [
        (document, json!({ "order": order, "account": account })),
        (back_office, json!({})),
        (
            "mutation($input: SignInInput!) { signIn(input: $input) { session { accessToken }
                userErrors { code message } } }",
            json!({ "input": input }),
        ),
        (
            "mutation($order: ID!) { payOrder(input: { orderId: $order, idempotencyKey: \"x\",
                paymentMethod: \"tok_approve\" }) { order { id shipment { address } }
                userErrors { code message } } }",
            json!({ "order": order }),
        ),
    ] {
        let answer = caller.post(document, variables).await;
        seen.push_str(&answer.to_string());
    }
    seen
}

/// Input that is wrong, with something personal wherever it has a place.
async fn go_wrong(anybody: &Caller) {
    let sign_up = json!({
        "email": "findme@example.com", "code": "00000000", "password": "short",
        "name": "Findme Nameson\u{7}", "phone": "call me findable", "address": "77 Findable Street",
    });
    let refused = anybody.sign_up(sign_up).await;
    assert_eq!(code(&refused), Some("INVALID_INPUT"), "{refused}");
    for (document, variables) in [
        // Literals that do not fit, a document that ends too early, variables of another type.
        (
            "mutation { signIn(input: { email: \"findme@example.com\", password: 7 }) { x } }",
            json!({}),
        ),
        (
            "mutation { signIn(input: { email: \"findme@example.com\", password: \"correct horse findable",
            json!({}),
        ),
        (
            "mutation($input: SignInInput!) { signIn(input: $input) { userErrors { code } } }",
            json!({ "input": { "email": ["findme@example.com"], "password": { "a": "wrong horse findable" } } }),
        ),
        (
            "mutation($email: String!) { requestEmailVerification(input: { email: $email }) {
                verification { validForMs } userErrors { code message } } }",
            json!({ "email": "findme.typo@@example" }),
        ),
    ] {
        anybody.post(document, variables).await;
    }
}

/// The whole life of an account: it is made, signs in, buys, is delivered, gives back. Returns
/// everything that is nobody else's business.
async fn live(server: &Server) -> Secrets {
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let anybody = server.anybody().in_trace(trace);
    let seller = server.sign_in(Demo::Seller).await;
    let item = seller.sell(Sale::of(5)).await;
    anybody.request_verification("findme@example.com").await;
    let mailed = server.mailed_code("findme@example.com").await;
    go_wrong(&anybody).await;
    let input = json!({
        "email": "findme@example.com", "code": mailed, "password": "correct horse findable",
        "name": "Findme Nameson", "phone": "010-7777-1234", "address": "77 Findable Street",
    });
    let account = anybody.sign_up(input).await["account"]["id"].take();
    let wrong = anybody
        .try_sign_in("findme@example.com", "wrong horse findable")
        .await;
    assert_eq!(code(&wrong), Some("INVALID_CREDENTIALS"));
    let signed_in = anybody
        .try_sign_in("findme@example.com", "correct horse findable")
        .await;
    let text = |field: &str| signed_in["session"][field].as_str().unwrap().to_owned();
    let (access, refresh) = (text("accessToken"), text("refreshToken"));
    let buyer = server.bearer(&access).in_trace(trace);

    let order = buyer.hold(&item, 2).await;
    for method in ["tok_decline", "tok_approve"] {
        buyer.until_state(&order, "PENDING_PAYMENT").await;
        let input = json!({
            "orderId": order, "paymentMethod": method, "deliveryAddress": "88 Parcel Road",
        });
        assert_eq!(code(&buyer.change("payOrder", input).await), None);
    }
    buyer.until_delivered(&order).await;
    let lines = [portion(1, 1)];
    assert_eq!(code(&buyer.give_back(&order, &lines).await), None);
    buyer
        .until_after(&order, "returned", |order| {
            order["returns"][0]["state"] == "COMPLETED"
        })
        .await;
    until("letters of all that", || async {
        (server.letters("findme@example.com").len() >= 4).then_some(())
    })
    .await;

    let mut secrets: Vec<String> = PERSON.map(str::to_owned).into();
    // A signature is enough to know a token by.
    let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
    secrets.extend([mailed, signature(&access), refresh]);
    let secrets = Secrets(secrets);
    let others = [
        server.sign_in(Demo::Customer).await,
        server.anybody(),
        seller,
    ];
    for other in others {
        let seen = ask_around(&other, &order, account.as_str().unwrap()).await;
        secrets.assert_not_in("what others are answered", seen.as_bytes());
    }
    secrets
}

/// Letters can't be sent, and that is said without saying to whom.
async fn fail_to_write(mut shop: Shop, secrets: &Secrets) {
    shop.set("MAIL__SMTP", "smtp://127.0.0.1:1");
    let server = shop.start().await;
    let anybody = server.anybody();
    anybody.request_verification("findme@example.com").await;
    until("the mail worker to say that it fails", || async {
        let mut printed = String::new();
        let nodes = server.nodes.iter().map(|node| &node.process);
        for process in nodes.chain(&server.workers) {
            printed.push_str(&process.printed());
        }
        printed.contains("sending a letter").then_some(())
    })
    .await;
    secrets.assert_not_printed(&server);
}

/// Everything in a folder, but what is meant to have it: letters, keys, the demo's own passwords.
fn search(secrets: &Secrets, folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if ["mailbox", "demo-accounts.json"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            search(secrets, &path);
        } else {
            secrets.assert_not_in(&name, &std::fs::read(path).unwrap());
        }
    }
}

#[tokio::test]
async fn nothing_of_a_person_is_where_it_has_no_business() {
    let shop = Shop::with(&[
        ("LOG__FILTER", ALL),
        ("DELIVERY__DAY", "2s"),
        ("RETURNS__DAYS_TO_REQUEST", "600"),
    ]);
    let server = shop.start().await;
    let secrets = live(&server).await;
    server.assert_clean().await;
    let printed = server.printed();
    assert!(
        printed.contains("TRACE") || printed.contains("DEBUG"),
        "it says nothing: {printed}"
    );
    secrets.assert_not_printed(&server);
    search(&secrets, &shop.data());
    server.stop().await;
    search(&secrets, &shop.data());
    secrets.assert_not_in("what a shop leaves", &engines::at_rest(&shop));
    fail_to_write(shop, &secrets).await;
}
