//! An attacker's evening: forged tokens, other people's ids, and every way around the door.
//!
//! What is tried on mutations is made from the schema itself, so that one that is added tomorrow is
//! tried too. Guessed and bombed codes are in `accounts`, refresh tokens used twice in `sessions`,
//! what is too large in `limits`.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Caller, Demo, Mutations, Sale, Shop, fresh_key, refused_with, until};

/// What anybody may do who is not signed in.
const OPEN: [&str; 8] = [
    "confirmSignIn",
    "refreshSession",
    "requestEmailVerification",
    "requestPasswordReset",
    "resetPassword",
    "signIn",
    "signOut",
    "signUp",
];
/// What only sellers may do, and what only admins.
const SELLING: [&str; 7] = [
    "createItem",
    "endDeal",
    "pauseDeal",
    "restockItem",
    "resumeDeal",
    "scheduleDeal",
    "updateItem",
];
const OPERATING: [&str; 5] = [
    "approveReturn",
    "dropDeadLetter",
    "refundOrder",
    "rejectReturn",
    "replayDeadLetter",
];
/// An id of no object, to be put behind a type's name.
const NOTHING: &str = "01h455vb4pex5vsknk084sn02q";

/// The type that a field's ids have.
fn prefix(field: &str) -> &'static str {
    match field {
        "itemId" => "item",
        "orderId" => "order",
        "returnId" => "return",
        "entryId" | "wishlistEntryIds" => "wish",
        "sessionId" => "session",
        "letterId" => "letter",
        "challenge" => "challenge",
        _ => panic!("whose id is {field}?"),
    }
}

fn nobodys(field: &str) -> Value {
    match field {
        // Lines are ordered, not wishes.
        "wishlistEntryIds" => Value::Null,
        _ => json!(format!("{}_{NOTHING}", prefix(field))),
    }
}

#[tokio::test]
async fn every_mutation_asks_who_it_is() {
    let shop = Shop::new();
    let server = shop.start().await;
    let anybody = server.anybody();
    let mutations = Mutations::of(&anybody).await;
    let open: BTreeSet<&str> = OPEN.into();
    assert!(mutations.names().is_superset(&open));
    for mutation in mutations.names().difference(&open) {
        let answer = mutations.send(&anybody, mutation, &nobodys).await;
        assert_eq!(refused_with(&answer), ["UNAUTHENTICATED"], "{mutation}");
    }
    let customer = server.sign_in(Demo::Customer).await;
    let seller = server.sign_in(Demo::Seller).await;
    for mutation in SELLING.iter().chain(&OPERATING) {
        let answer = mutations.send(&customer, mutation, &nobodys).await;
        assert_eq!(refused_with(&answer), ["FORBIDDEN"], "{mutation}");
    }
    for mutation in OPERATING {
        let answer = mutations.send(&seller, mutation, &nobodys).await;
        assert_eq!(refused_with(&answer), ["FORBIDDEN"], "{mutation}");
    }
    for caller in [&anybody, &customer, &seller] {
        let document = "{ backOffice { stockAudit { __typename } } }";
        let answer = caller.post(document, json!({})).await;
        let code = &answer["errors"][0]["extensions"]["code"];
        assert!(code == "UNAUTHENTICATED" || code == "FORBIDDEN", "{answer}");
    }
    server.assert_clean().await;
}

/// What one buyer and one seller have, by the field that would name it.
async fn belongings(owner: &Caller, seller: &Caller) -> BTreeMap<&'static str, Value> {
    let item = seller.sell(Sale::of(9)).await;
    let order = owner.own(&item, 1).await;
    let wish = "mutation($input: AddToWishlistInput!) { addToWishlist(input: $input) {
        entry { id } userErrors { code } } }";
    let wish = owner
        .mutate(wish, json!({ "itemId": item, "quantity": 1 }))
        .await;
    let sessions = "{ viewer { sessions { id } } }";
    let sessions = owner.ask(sessions, json!({})).await;
    BTreeMap::from([
        ("itemId", json!(item)),
        ("orderId", json!(order)),
        ("entryId", wish["entry"]["id"].clone()),
        ("wishlistEntryIds", wish["entry"]["id"].clone()),
        ("sessionId", sessions["viewer"]["sessions"][0]["id"].clone()),
    ])
}

/// Everything of them that could have been changed.
async fn state(owner: &Caller, of: &BTreeMap<&'static str, Value>) -> Value {
    let document = "query($item: ID!, $order: ID!) {
        item(id: $item) { name version stock { total available } }
        order(id: $order) { state version total { amount } returns { id } }
        viewer { sessions { id } wishlist(first: 10) { nodes { id quantity } } } }";
    let variables = json!({ "item": of["itemId"], "order": of["orderId"] });
    owner.ask(document, variables).await
}

#[tokio::test]
async fn somebody_elses_ids_lead_nowhere() {
    let shop = Shop::new();
    let server = shop.start().await;
    let owner = server.sign_in(Demo::Customer).await;
    let seller = server.sign_in(Demo::Seller).await;
    let theirs = belongings(&owner, &seller).await;
    let before = state(&owner, &theirs).await;
    let stranger = server.sign_up("Stranger").await;
    let mutations = Mutations::of(&stranger).await;
    // Items are everybody's to buy and to wish for.
    let public = BTreeSet::from(["addToWishlist", "placeOrder"]);
    let mut tried = 0;
    for mutation in mutations.names().difference(&public) {
        if mutations.ids_in(mutation).is_empty() {
            continue;
        }
        tried += 1;
        let of_theirs = |field: &str| match theirs.get(field) {
            Some(id) => id.clone(),
            None => nobodys(field),
        };
        let garbage = |field: &str| json!(format!("{}_garbage", prefix(field)));
        for ids in [&of_theirs as &dyn Fn(&str) -> Value, &nobodys, &garbage] {
            let answer = mutations.send(&stranger, mutation, ids).await;
            let codes = refused_with(&answer);
            // Over servers a gate that may have forgotten an order's receipt says so.
            let is_refused = codes.iter().all(|code| {
                matches!(
                    *code,
                    "NOT_FOUND"
                        | "FORBIDDEN"
                        | "INVALID_INPUT"
                        | "VERIFICATION_INVALID"
                        | "TRY_AGAIN"
                )
            });
            assert!(!codes.is_empty() && is_refused, "{mutation}: {answer}");
        }
    }
    assert!(tried >= 15, "{tried} mutations take an id");
    // A wish of somebody else's is no order.
    let document = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) {
        order { id } userErrors { code } } }";
    let input = json!({
        "idempotencyKey": fresh_key(), "wishlistEntryIds": [theirs["entryId"]],
    });
    let codes = until("a clear answer", || async {
        let answer = stranger.post(document, json!({ "input": input })).await;
        let codes = refused_with(&answer).join(" ");
        (codes != "TRY_AGAIN").then_some(codes)
    });
    assert_eq!(codes.await, "NOT_FOUND");

    let document = "query($order: ID!, $wish: ID!, $session: ID!) {
        order(id: $order) { id } node(id: $order) { id }
        nodes(ids: [$order, $wish, $session]) { id } }";
    let variables = json!({
        "order": theirs["orderId"], "wish": theirs["entryId"], "session": theirs["sessionId"],
    });
    let answer = stranger.ask(document, variables).await;
    let nothing = json!({ "order": null, "node": null, "nodes": [null, null, null] });
    assert_eq!(answer, nothing);
    assert_eq!(state(&owner, &theirs).await, before);
    server.assert_clean().await;
}

#[tokio::test]
async fn a_token_signed_with_what_everybody_knows_opens_nothing() {
    let shop = Shop::new();
    let server = shop.start().await;
    let customer = server.sign_in(Demo::Customer).await;
    let token = customer.token().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let jwks = customer.request(Method::GET, "/.well-known/jwks.json");
    let jwks: Value = jwks.send().await.unwrap().json().await.unwrap();
    let key = &jwks["keys"][0];
    let (kid, public) = (key["kid"].clone(), key["x"].as_str().unwrap());
    let raw = BASE64.decode(public).unwrap();
    let mut claims: Value = serde_json::from_slice(&BASE64.decode(parts[1]).unwrap()).unwrap();
    claims["role"] = json!("ADMIN");
    let claims = BASE64.encode(claims.to_string());
    // The public key as the secret of an HMAC, in every form that it is handed out in.
    let secrets = [
        raw.as_slice(),
        public.as_bytes(),
        b"",
        kid.as_str().unwrap().as_bytes(),
    ];
    let mut forged = Vec::new();
    for algorithm in ["HS256", "HS384", "none", "None", "EdDSA", "ES256", "RS256"] {
        for secret in secrets {
            let header = json!({ "alg": algorithm, "typ": "JWT", "kid": kid });
            let signed = format!("{}.{claims}", BASE64.encode(header.to_string()));
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
            mac.update(signed.as_bytes());
            let seal = BASE64.encode(mac.finalize().into_bytes());
            forged.extend([format!("{signed}.{seal}"), format!("{signed}.")]);
        }
    }
    for (kid, jwk) in [
        (json!("../../dev/null"), Value::Null),
        (json!(""), Value::Null),
        (json!(7), Value::Null),
        (kid.clone(), key.clone()),
    ] {
        let header = json!({
            "alg": "EdDSA", "typ": "JWT", "kid": kid, "jwk": jwk,
            "jku": "http://127.0.0.1:9/keys", "x5u": "http://127.0.0.1:9/keys",
        });
        let header = BASE64.encode(header.to_string());
        forged.push(format!("{header}.{claims}.{}", parts[2]));
        forged.push(format!("{header}.{}.{}", parts[1], parts[2]));
    }
    forged.push(format!("{}.{claims}.{}", parts[0], parts[2]));
    forged.push(parts[..2].join("."));
    for forged in &forged {
        let forger = server.bearer(forged);
        let answer = forger.post("{ viewer { __typename } }", json!({})).await;
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(code, "UNAUTHENTICATED", "{forged}: {answer}");
    }
    customer.ask("{ viewer { __typename } }", json!({})).await;
    server.assert_calm();
}

#[tokio::test]
async fn no_mutation_runs_by_a_link_or_a_form_of_another_site() {
    let shop = Shop::new();
    let server = shop.start().await;
    let owner = server.sign_in(Demo::Customer).await;
    let mutations = Mutations::of(&owner).await;
    for mutation in mutations.names() {
        let document = format!("mutation {{ {mutation} {{ __typename }} }}");
        let query = [("query", document.as_str())];
        let by_link = owner
            .request(Method::GET, "/graphql")
            .header(ACCEPT, "application/graphql-response+json")
            .query(&query);
        let status = by_link.send().await.unwrap().status();
        // Without its input it is no document either.
        assert!(status == 405 || status == 400, "{mutation}: {status}");
        for form in [
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/plain",
        ] {
            let body = json!({ "query": document }).to_string();
            let by_form = owner.request(Method::POST, "/graphql");
            let by_form = by_form.header(CONTENT_TYPE, form).body(body);
            assert_eq!(by_form.send().await.unwrap().status(), 415, "{mutation}");
        }
    }
    let everywhere = [(
        "query",
        "mutation { signOutEverywhere(input: {}) { endedSessions } }",
    )];
    let by_link = owner.request(Method::GET, "/graphql").query(&everywhere);
    assert_eq!(by_link.send().await.unwrap().status(), 405);
    owner.ask("{ viewer { __typename } }", json!({})).await;
}
