//! What a customer means to buy later.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Caller, Demo, Sale, Server, Shop, code};

const ENTRY: &str = "entry { id quantity addedAt item { id stock { available } } }";
const REFUSALS: &str = "userErrors { code field ... on OnWishlistAlready { entryId } }";

async fn add(caller: &Caller, item: &str, quantity: i64) -> Value {
    let document = format!(
        "mutation($input: AddToWishlistInput!) {{
            addToWishlist(input: $input) {{ {ENTRY} {REFUSALS} }} }}"
    );
    let input = json!({ "itemId": item, "quantity": quantity });
    caller.mutate(&document, input).await
}

async fn update(caller: &Caller, entry: &Value, quantity: i64) -> Value {
    let document = format!(
        "mutation($input: UpdateWishlistEntryInput!) {{
            updateWishlistEntry(input: $input) {{ {ENTRY} {REFUSALS} }} }}"
    );
    let input = json!({ "entryId": entry, "quantity": quantity });
    caller.mutate(&document, input).await
}

async fn remove(caller: &Caller, entry: &Value) -> Value {
    let document = format!(
        "mutation($input: RemoveFromWishlistInput!) {{
            removeFromWishlist(input: $input) {{ removedEntryId {REFUSALS} }} }}"
    );
    let input = json!({ "entryId": entry });
    caller.mutate(&document, input).await
}

/// A page of the caller's wishlist.
async fn page(caller: &Caller, first: i64, after: &Value) -> Value {
    let document = "query($first: Int!, $after: String) { viewer {
        wishlist(first: $first, after: $after) {
            nodes { id quantity item { id } } pageInfo { hasNextPage endCursor } } } }";
    let variables = json!({ "first": first, "after": after });
    let mut data = caller.ask(document, variables).await;
    data["viewer"]["wishlist"].take()
}

/// The items on the caller's wishlist, and how many of each.
async fn wishes(caller: &Caller) -> Vec<(String, i64)> {
    let page = page(caller, 100, &Value::Null).await;
    let nodes = page["nodes"].as_array().unwrap().iter();
    let wish = |node: &Value| {
        let item = node["item"]["id"].as_str().unwrap().to_owned();
        (item, node["quantity"].as_i64().unwrap())
    };
    nodes.map(wish).collect()
}

async fn items(server: &Server, count: usize) -> Vec<String> {
    let seller = server.sign_in(Demo::Seller).await;
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(seller.sell(Sale::of(5)).await);
    }
    items
}

#[tokio::test]
async fn a_wishlist_is_added_to_listed_changed_and_emptied() {
    let shop = Shop::new();
    let server = shop.start().await;
    let items = items(&server, 3).await;
    let buyer = server.sign_in(Demo::Customer).await;
    assert_eq!(wishes(&buyer).await, []);
    let mut entries = Vec::new();
    for (item, quantity) in items.iter().zip([2, 1, 7]) {
        let payload = add(&buyer, item, quantity).await;
        assert_eq!(code(&payload), None, "{payload}");
        assert_eq!(payload["entry"]["item"]["id"], **item);
        entries.push(payload["entry"]["id"].clone());
    }
    let [one, two, three] = [&items[0], &items[1], &items[2]].map(Clone::clone);
    // The newest first.
    let expected = [(three.clone(), 7), (two.clone(), 1), (one.clone(), 2)];
    assert_eq!(wishes(&buyer).await, expected);
    let first = page(&buyer, 2, &Value::Null).await;
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let second = page(&buyer, 2, &first["pageInfo"]["endCursor"]).await;
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
    assert_eq!(second["nodes"][0]["id"], entries[0]);
    assert_eq!(second["nodes"].as_array().unwrap().len(), 1);

    let payload = update(&buyer, &entries[0], 4).await;
    assert_eq!(payload["entry"]["quantity"], 4, "{payload}");
    let payload = remove(&buyer, &entries[1]).await;
    assert_eq!(payload["removedEntryId"], entries[1], "{payload}");
    assert_eq!(wishes(&buyer).await, [(three, 7), (one.clone(), 4)]);
    for payload in [
        update(&buyer, &entries[1], 4).await,
        remove(&buyer, &entries[1]).await,
    ] {
        assert_eq!(code(&payload), Some("NOT_FOUND"), "{payload}");
    }
    // A wish takes nothing.
    assert_eq!(buyer.available(&one).await, 5);
    server.assert_clean().await;
}

#[tokio::test]
async fn an_item_stands_on_a_wishlist_once() {
    let shop = Shop::new();
    let server = shop.start().await;
    let item = items(&server, 1).await.remove(0);
    let buyer = server.sign_in(Demo::Customer).await;
    let payloads = join_all((0..20).map(|_| add(&buyer, &item, 1))).await;
    let done: Vec<&Value> = payloads.iter().filter(|one| code(one).is_none()).collect();
    assert_eq!(done.len(), 1, "{payloads:?}");
    let entry = &done[0]["entry"]["id"];
    for refused in payloads.iter().filter(|one| code(one).is_some()) {
        let error = &refused["userErrors"][0];
        assert_eq!(error["code"], "ON_WISHLIST_ALREADY");
        assert_eq!(error["entryId"], *entry);
    }
    assert_eq!(wishes(&buyer).await, [(item, 1)]);
    server.assert_clean().await;
}

#[tokio::test]
async fn a_wishlist_is_its_owners_and_of_what_there_is() {
    let shop = Shop::new();
    let server = shop.start().await;
    let item = items(&server, 1).await.remove(0);
    let buyer = server.sign_in(Demo::Customer).await;
    let other = server.sign_in(Demo::Seller).await;
    let payload = add(&buyer, &item, 1).await;
    let entry = &payload["entry"]["id"];
    for payload in [update(&other, entry, 4).await, remove(&other, entry).await] {
        assert_eq!(code(&payload), Some("NOT_FOUND"), "{payload}");
        assert_eq!(payload["userErrors"][0]["field"], json!(["entryId"]));
    }
    assert_eq!(wishes(&other).await, []);
    assert_eq!(wishes(&buyer).await, [(item.clone(), 1)]);

    let nothing = "item_00000000000000000000000000";
    let payload = add(&buyer, nothing, 1).await;
    assert_eq!(code(&payload), Some("NOT_FOUND"), "{payload}");
    for quantity in [0, -1, 1_000_001] {
        let payload = add(&buyer, &item, quantity).await;
        assert_eq!(code(&payload), Some("INVALID_INPUT"), "{payload}");
        let payload = update(&buyer, entry, quantity).await;
        assert_eq!(code(&payload), Some("INVALID_INPUT"), "{payload}");
    }
    // All that is wrong is said at once.
    let payload = add(&buyer, "item_1", 0).await;
    assert_eq!(payload["userErrors"].as_array().unwrap().len(), 2);
    let nobody = server.anybody();
    let payload = add(&nobody, &item, 1).await;
    assert_eq!(code(&payload), Some("UNAUTHENTICATED"), "{payload}");
    let data = nobody.ask(
        "{ viewer { wishlist(first: 1) { nodes { id } } } }",
        json!({}),
    );
    assert_eq!(data.await["viewer"], Value::Null);
    assert_eq!(wishes(&buyer).await, [(item, 1)]);
    server.assert_clean().await;
}
