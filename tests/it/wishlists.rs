//! What a customer means to buy later.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Caller, Demo, Sale, Server, Shop, code, codes, fresh_key};

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

/// Adds an item to the caller's wishlist; the entry's id.
async fn wish(caller: &Caller, item: &str, quantity: i64) -> Value {
    let payload = add(caller, item, quantity).await;
    assert_eq!(code(&payload), None, "{payload}");
    payload["entry"]["id"].clone()
}

/// Places an order from entries of the caller's wishlist.
async fn place(caller: &Caller, key: &str, entries: &[&Value]) -> Value {
    let input = json!({ "idempotencyKey": key, "wishlistEntryIds": entries });
    caller.place_input(input).await
}

/// The items of an order's lines, and how many of each.
fn lines(order: &Value) -> Vec<(&str, i64)> {
    let lines = order["lines"].as_array().unwrap().iter();
    lines
        .map(|line| {
            let item = line["item"]["id"].as_str().unwrap();
            (item, line["quantity"].as_i64().unwrap())
        })
        .collect()
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

#[tokio::test]
async fn an_order_from_chosen_entries_clears_them() {
    let shop = Shop::new();
    let server = shop.start().await;
    let items = items(&server, 3).await;
    let [one, two, three] = [&items[0], &items[1], &items[2]];
    let buyer = server.sign_in(Demo::Customer).await;
    let other = server.sign_in(Demo::Seller).await;
    wish(&other, one, 1).await;
    let first = wish(&buyer, one, 2).await;
    let second = wish(&buyer, two, 1).await;
    let third = wish(&buyer, three, 1).await;
    let changed = update(&buyer, &third, 4).await;
    assert_eq!(code(&changed), None, "{changed}");

    let key = fresh_key();
    let chosen = [&third, &first];
    let placed = place(&buyer, &key, &chosen).await;
    assert_eq!(code(&placed), None, "{placed}");
    assert_eq!(placed["replayed"], false);
    assert_eq!(
        lines(&placed["order"]),
        [(three.as_str(), 4), (one.as_str(), 2)]
    );
    assert_eq!(placed["order"]["total"]["amount"], "6000");
    let order = placed["order"]["id"].as_str().unwrap();
    buyer.until_state(order, "PENDING_PAYMENT").await;
    // In the transaction that wrote the order, so nobody sees one without the other.
    assert_eq!(wishes(&buyer).await, [(two.clone(), 1)]);
    assert_eq!(wishes(&other).await, [(one.clone(), 1)]);

    // The same request again finds its order, though its entries are gone, or are wished for anew.
    for state in ["PENDING_PAYMENT", "PAID"] {
        buyer.until_state(order, state).await;
        let again = place(&buyer, &key, &chosen).await;
        assert_eq!(code(&again), None, "{again}");
        assert_eq!(again["replayed"], true);
        assert_eq!(again["order"]["id"], order);
        assert_eq!(again["order"]["state"], state);
        if state == "PENDING_PAYMENT" {
            wish(&buyer, one, 1).await;
            let paid = buyer.pay(order, "tok_approve").await;
            assert_eq!(code(&paid), None, "{paid}");
        }
    }
    for entries in [vec![&first, &third], vec![&third], vec![&second]] {
        let refused = place(&buyer, &key, &entries).await;
        assert_eq!(code(&refused), Some("IDEMPOTENCY_KEY_REUSED"), "{refused}");
    }
    // Under another key there is nothing left to order.
    let gone = place(&buyer, &fresh_key(), &[&second, &first]).await;
    assert_eq!(codes(&gone), ["NOT_FOUND"], "{gone}");
    let place = &gone["userErrors"][0]["field"];
    assert_eq!(*place, json!(["wishlistEntryIds", "1"]));
    assert_eq!(wishes(&buyer).await, [(one.clone(), 1), (two.clone(), 1)]);
    for (item, left) in [(one, 3), (two, 5), (three, 1)] {
        assert_eq!(buyer.available(item).await, left);
    }
    server.assert_clean().await;
}

#[tokio::test]
async fn an_entry_that_cannot_be_bought_refuses_the_whole_by_its_name() {
    let shop = Shop::new();
    let server = shop.start().await;
    let items = items(&server, 2).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let seller = server.sign_in(Demo::Seller).await;
    let later = json!({ "opensAt": buyer.server_time_in(3_600_000).await });
    let opens_later = seller.sell(Sale::of(5).deal(later)).await;
    let limited = seller.sell(Sale::of(5).limited_to(1)).await;
    let dollars = seller.sell(Sale::of(5).at("9.50", "USD")).await;
    let good = wish(&buyer, &items[0], 2).await;
    for (item, quantity, refused) in [
        (&items[1], 6, "OUT_OF_STOCK"),
        (&opens_later, 1, "DEAL_NOT_OPEN"),
        (&limited, 2, "PURCHASE_LIMIT_REACHED"),
        (&dollars, 1, "CURRENCY_MISMATCH"),
    ] {
        let bad = wish(&buyer, item, quantity).await;
        let payload = place(&buyer, &fresh_key(), &[&good, &bad]).await;
        assert_eq!(codes(&payload), [refused], "{payload}");
        let error = &payload["userErrors"][0];
        assert_eq!(error["field"], json!(["wishlistEntryIds", "1"]));
        if refused != "CURRENCY_MISMATCH" {
            assert_eq!(error["itemId"], **item, "{error}");
        }
    }
    let theirs = wish(&seller, &items[1], 1).await;
    let payload = place(&buyer, &fresh_key(), &[&theirs, &good]).await;
    assert_eq!(codes(&payload), ["NOT_FOUND"], "{payload}");
    assert_eq!(wishes(&buyer).await.len(), 5);
    assert_eq!(wishes(&seller).await.len(), 1);
    assert_eq!(buyer.available(&items[0]).await, 5);

    // What is in the way is taken away, and the same entries are an order.
    let page = page(&buyer, 5, &Value::Null).await;
    let sold_out = &page["nodes"][3];
    assert_eq!(sold_out["quantity"], 6);
    update(&buyer, &sold_out["id"], 5).await;
    let payload = place(&buyer, &fresh_key(), &[&good, &sold_out["id"]]).await;
    assert_eq!(code(&payload), None, "{payload}");
    let order = payload["order"]["id"].as_str().unwrap();
    buyer.until_state(order, "PENDING_PAYMENT").await;
    assert_eq!(wishes(&buyer).await.len(), 3);
    server.assert_clean().await;
}

#[tokio::test]
async fn entries_ordered_many_times_at_once_are_one_order() {
    let shop = Shop::new();
    let server = shop.start().await;
    let items = items(&server, 2).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let one = wish(&buyer, &items[0], 1).await;
    let two = wish(&buyer, &items[1], 2).await;
    let key = fresh_key();
    let entries = [&one, &two];
    // Some of them find the entries, some the order that has cleared them.
    for _ in 0..5 {
        let payloads = join_all((0..10).map(|_| place(&buyer, &key, &entries))).await;
        for payload in &payloads {
            assert_eq!(code(payload), None, "{payload}");
            assert_eq!(payload["order"]["id"], payloads[0]["order"]["id"]);
        }
        let order = payloads[0]["order"]["id"].as_str().unwrap();
        let order = buyer.until_state(order, "PENDING_PAYMENT").await;
        let expected = [(items[0].as_str(), 1), (items[1].as_str(), 2)];
        assert_eq!(lines(&order), expected);
    }
    assert_eq!(wishes(&buyer).await, []);
    let left = [
        buyer.available(&items[0]).await,
        buyer.available(&items[1]).await,
    ];
    assert_eq!(left, [4, 3]);
    server.assert_clean().await;
}
