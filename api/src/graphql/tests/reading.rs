//! Queries.

use domain::account::Role;
use domain::item::Kind;
use serde_json::{Value, json};

use super::client::Client;
use super::world::{World, deal, item_id};
use crate::graphql::ids::GlobalId;

fn global(id: impl GlobalId) -> String {
    id.to_global().to_string()
}

#[tokio::test]
async fn an_item_shows_its_price_exactly_and_its_stock_from_the_gate() {
    let world = World::new();
    let id = world.add_item(7, 10, Kind::General);
    world.take(id, 3);
    let client = Client::new(&world);
    let query = "query($id: ID!) { item(id: $id) {
        id kind name price { amount currencyCode } sku deal { phase } version
        stock { total available version } } }";
    let data = client.data(query, json!({ "id": global(id) })).await;
    assert_eq!(
        data["item"],
        json!({
            "id": global(id),
            "kind": "GENERAL",
            "name": "Item 7",
            "price": { "amount": "1007", "currencyCode": "KRW" },
            "sku": null,
            "deal": null,
            "version": 1,
            "stock": { "total": 10, "available": 7, "version": 4 },
        })
    );
}

#[tokio::test]
async fn an_item_that_the_gate_has_not_loaded_shows_the_ledgers_stock() {
    let world = World::new();
    let id = world.add_item_unloaded(7, 10);
    let client = Client::new(&world);
    let query = "query($id: ID!) { stock(itemId: $id) { total available } }";
    let data = client.data(query, json!({ "id": global(id) })).await;
    assert_eq!(data["stock"], json!({ "total": 10, "available": 10 }));
}

#[tokio::test]
async fn a_phase_follows_the_window() {
    let world = World::new();
    world.add_item(1, 10, deal(-10, None));
    world.add_item(2, 10, deal(600, Some(900)));
    world.add_item(3, 10, deal(-20, Some(-10)));
    let client = Client::new(&world);
    let query = "{ items(first: 9) { edges { node { deal { phase limitPerBuyer closesAt } } } } }";
    let data = client.data(query, json!({})).await;
    let deals: Vec<&Value> = data["items"]["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| &edge["node"]["deal"])
        .collect();
    assert_eq!(
        deals,
        [
            &json!({ "phase": "OPEN", "limitPerBuyer": 2, "closesAt": null }),
            &json!({ "phase": "UPCOMING", "limitPerBuyer": 2, "closesAt": "1970-01-01T00:15:00.000Z" }),
            &json!({ "phase": "CLOSED", "limitPerBuyer": 2, "closesAt": "1969-12-31T23:59:50.000Z" }),
        ]
    );
}

#[tokio::test]
async fn a_page_asks_the_gate_once() {
    let world = World::new();
    for number in 1..=50 {
        world.add_item(number, 10, Kind::General);
    }
    let client = Client::new(&world);
    let query = "{ items(first: 50) { edges { node { stock { available } deal { phase } seller { name } } } } }";
    client.data(query, json!({})).await;
    // The loader's millisecond may end before a slow machine has come through the page.
    assert!(world.asked("levels") <= 3, "{}", world.asked("levels"));
    assert!(world.asked("accounts") <= 3, "{}", world.asked("accounts"));
}

#[tokio::test]
async fn a_list_goes_on_from_its_cursor() {
    let world = World::new();
    for number in 1..=5 {
        world.add_item(number, 10, Kind::General);
    }
    let client = Client::new(&world);
    let query = "query($after: String) { items(first: 2, after: $after) {
        edges { node { name } } nodes { name } totalCount pageInfo { hasNextPage hasPreviousPage endCursor } } }";
    let (mut names, mut after) = (Vec::new(), Value::Null);
    loop {
        let data = client.data(query, json!({ "after": after })).await;
        let items = &data["items"];
        assert_eq!(items["totalCount"], 5);
        let edges = items["edges"].as_array().unwrap();
        names.extend(
            edges
                .iter()
                .map(|edge| edge["node"]["name"].as_str().unwrap().to_owned()),
        );
        let nodes = items["nodes"].as_array().unwrap();
        assert!(edges.iter().map(|edge| &edge["node"]).eq(nodes));
        after = items["pageInfo"]["endCursor"].clone();
        if items["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(names, ["Item 1", "Item 2", "Item 3", "Item 4", "Item 5"]);
}

#[tokio::test]
async fn a_page_that_cannot_be_meant_is_refused_and_its_neighbours_are_answered() {
    let client = Client::new(&World::new());
    for arguments in [
        "",
        "(first: 1, last: 1)",
        "(first: 0)",
        "(first: -1)",
        "(last: 101)",
        "(first: 1, after: \"x\")",
        "(first: 1, filter: { sellerId: \"item_00000000000000000000000000\" })",
        "(first: 1, filter: { nameContains: \"\" })",
        "(first: 1, filter: { priceFrom: { amount: \"1.5\", currencyCode: \"KRW\" } })",
    ] {
        let answer = client
            .ask(
                &format!("{{ items{arguments} {{ totalCount }} serverTime }}"),
                json!({}),
            )
            .await;
        assert_eq!(answer["data"]["items"], Value::Null, "{arguments}");
        assert!(answer["data"]["serverTime"].is_string(), "{arguments}");
        let errors = answer["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{arguments}");
        assert_eq!(
            errors[0]["extensions"]["code"], "BAD_USER_INPUT",
            "{arguments}"
        );
        assert_eq!(errors[0]["path"], json!(["items"]), "{arguments}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_null_without_an_error() {
    let world = World::new();
    world.add_item(1, 1, Kind::General);
    let client = Client::new(&world);
    let order = "order_00000000000000000000000001";
    for id in [
        &global(item_id(2)),
        order,
        "",
        "item_x",
        "payment_00000000000000000000000001",
    ] {
        let query = "query($id: ID!) { item(id: $id) { id } stock(itemId: $id) { total }
            order(id: $id) { id } node(id: $id) { id } nodes(ids: [$id]) { id } viewer { profile { id } } }";
        let data = client.data(query, json!({ "id": id })).await;
        assert_eq!(
            data,
            json!({ "item": null, "stock": null, "order": null, "node": null, "nodes": [null], "viewer": null }),
            "{id}"
        );
    }
}

#[tokio::test]
async fn nodes_come_in_the_order_they_were_asked_for() {
    let world = World::new();
    let item = global(world.add_item(1, 1, Kind::General));
    let me = world.add_account(5, Role::Customer);
    let other = world.add_account(6, Role::Customer);
    let client = Client::new(&world).signed_in(me, Role::Customer);
    let ids = json!({ "ids": [global(me), item, global(other), "x"] });
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    let data = client.data(query, ids).await;
    assert_eq!(
        data["nodes"],
        json!([
            { "__typename": "Account", "id": global(me) },
            { "__typename": "Item", "id": item },
            null,
            null
        ])
    );
    let many = json!({ "ids": vec!["x"; 101] });
    let answer = client.ask(query, many).await;
    assert_eq!(answer["data"], json!({ "nodes": null }));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_viewer_sees_what_its_role_allows() {
    let world = World::new();
    let client = Client::new(&world);
    let query = "{ viewer { profile { name email role } sellerItems(first: 1) { totalCount } } backOffice { __typename } }";
    for (role, code) in [(Role::Customer, Some("FORBIDDEN")), (Role::Seller, None)] {
        let me = world.add_account(5, role);
        let answer = client.signed_in(me, role).ask(query, json!({})).await;
        let viewer = &answer["data"]["viewer"];
        assert_eq!(viewer["profile"]["email"], "person5@example.test");
        assert_eq!(answer["data"]["backOffice"], Value::Null);
        assert_eq!(viewer["sellerItems"].is_null(), code.is_some());
        let errors = answer["errors"].as_array().unwrap();
        let codes: Vec<&Value> = errors
            .iter()
            .map(|error| &error["extensions"]["code"])
            .collect();
        assert!(codes.iter().all(|code| *code == "FORBIDDEN"), "{codes:?}");
        assert_eq!(codes.len(), 1 + usize::from(code.is_some()));
    }
    let admin = world.add_account(7, Role::Admin);
    let answer = client
        .signed_in(admin, Role::Admin)
        .data(query, json!({}))
        .await;
    assert_eq!(answer["backOffice"]["__typename"], "BackOffice");
    let answer = client.ask(query, json!({})).await;
    assert_eq!(
        answer["data"],
        json!({ "viewer": null, "backOffice": null })
    );
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_fault_leaves_its_neighbours_and_says_nothing_of_its_cause() {
    let world = World::new();
    let id = world.add_item(1, 1, Kind::General);
    let client = Client::new(&world);
    client.set_away(true);
    let query = "query($id: ID!) { a: item(id: $id) { name } serverTime b: stock(itemId: $id) { available } }";
    let answer = client.ask(query, json!({ "id": global(id) })).await;
    assert_eq!(
        (&answer["data"]["a"], &answer["data"]["b"]),
        (&Value::Null, &Value::Null)
    );
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 2);
    for error in errors {
        let extensions = &error["extensions"];
        assert_eq!(extensions["code"], "UNAVAILABLE");
        assert_eq!(extensions["retryable"], true);
        assert!(extensions["requestId"].is_string());
    }
    assert!(!answer.to_string().contains("secret driver text"));
}

#[tokio::test]
async fn when_a_part_of_my_page_is_away_the_others_still_answer() {
    let world = World::new();
    let me = world.add_account(5, Role::Seller);
    let client = Client::new(&world).signed_in(me, Role::Seller);
    // This world has no wishlists and no sessions to read.
    let query = "{ viewer { profile { email } orders(first: 1) { nodes { id } }
        sellerItems(first: 1) { nodes { id } } wishlist(first: 1) { nodes { id } }
        sessions { id } } }";
    for (broken, gone) in [
        (None, vec!["wishlist", "sessions"]),
        (Some("orders_of"), vec!["orders", "wishlist", "sessions"]),
        (Some("list"), vec!["sellerItems", "wishlist", "sessions"]),
    ] {
        *world.broken.lock().unwrap() = broken;
        let answer = client.ask(query, json!({})).await;
        let viewer = answer["data"]["viewer"].as_object().unwrap();
        for (part, value) in viewer {
            assert_eq!(
                value.is_null(),
                gone.contains(&part.as_str()),
                "{part}: {answer}"
            );
        }
        assert_eq!(answer["errors"].as_array().unwrap().len(), gone.len());
    }
}
