//! Lists: pages in both directions, filters, orders, and looking things up by their ids.

use serde_json::{Value, json};

use crate::support::{Caller, Demo, Sale, Server, Shop};

const ITEMS: &str = "query(
    $first: Int, $last: Int, $after: String, $before: String,
    $filter: ItemFilter, $orderBy: ItemOrder
) {
    items(
        first: $first, last: $last, after: $after, before: $before,
        filter: $filter, orderBy: $orderBy
    ) {
        totalCount
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor node { id name } }
    }
}";

/// A page of the items of the shelf, by what `items` takes.
async fn page(caller: &Caller, mut arguments: Value) -> Value {
    if arguments.get("filter").is_none() {
        arguments["filter"] = json!({ "nameContains": "shelf" });
    }
    let order = arguments.get("orderBy").cloned();
    arguments["orderBy"] = order.unwrap_or_else(|| json!("OLDEST_FIRST"));
    let mut data = caller.ask(ITEMS, arguments).await;
    data["items"].take()
}

fn names(page: &Value) -> Vec<String> {
    let edges = page["edges"].as_array().unwrap().iter();
    edges
        .map(|edge| edge["node"]["name"].as_str().unwrap().to_owned())
        .collect()
}

/// A shelf of so many items, `shelf 00` first.
async fn fill(server: &Server, count: usize) -> Vec<String> {
    let seller = server.sign_in(Demo::Seller).await;
    let mut ids = Vec::new();
    for number in 0..count {
        let price = (number * 7 % 10).to_string();
        let sale = Sale::of(10)
            .named(&format!("shelf {number:02}"))
            .at(&price, "KRW");
        ids.push(seller.sell(sale).await);
    }
    ids
}

fn numbered(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    let name = |number| format!("shelf {number:02}");
    numbers.into_iter().map(name).collect()
}

#[tokio::test]
async fn pages_go_both_ways_and_cursors_stay_good() {
    let shop = Shop::new();
    let server = shop.start().await;
    fill(&server, 11).await;
    let anybody = server.anybody();

    let first = page(&anybody, json!({ "first": 4 })).await;
    assert_eq!(names(&first), numbered(0..4));
    assert_eq!(first["totalCount"], 11);
    let info = &first["pageInfo"];
    assert_eq!(info["hasNextPage"], true);
    assert_eq!(info["hasPreviousPage"], false);
    assert_eq!(info["startCursor"], first["edges"][0]["cursor"]);
    assert_eq!(info["endCursor"], first["edges"][3]["cursor"]);

    // Somebody puts more on sale, in front and behind: every place stays where it was.
    let seller = server.sign_in(Demo::Seller).await;
    seller.sell(Sale::of(1).named("shelf 11")).await;
    let second = page(&anybody, json!({ "first": 4, "after": info["endCursor"] })).await;
    assert_eq!(names(&second), numbered(4..8));
    assert_eq!(second["pageInfo"]["hasPreviousPage"], true);
    let end = &second["pageInfo"]["endCursor"];
    let third = page(&anybody, json!({ "first": 4, "after": end })).await;
    assert_eq!(names(&third), numbered(8..12));
    assert_eq!(third["pageInfo"]["hasNextPage"], false);
    let nothing = page(
        &anybody,
        json!({ "first": 4, "after": third["pageInfo"]["endCursor"] }),
    )
    .await;
    assert_eq!(names(&nothing), numbered([]));
    assert_eq!(nothing["pageInfo"]["startCursor"], Value::Null);

    let last = page(&anybody, json!({ "last": 5 })).await;
    assert_eq!(names(&last), numbered(7..12));
    assert_eq!(last["pageInfo"]["hasPreviousPage"], true);
    assert_eq!(last["pageInfo"]["hasNextPage"], false);
    let start = &last["pageInfo"]["startCursor"];
    let before = page(&anybody, json!({ "last": 5, "before": start })).await;
    assert_eq!(names(&before), numbered(2..7));
    let start = &before["pageInfo"]["startCursor"];
    let rest = page(&anybody, json!({ "last": 5, "before": start })).await;
    assert_eq!(names(&rest), numbered(0..2));
    assert_eq!(rest["pageInfo"]["hasPreviousPage"], false);

    let between = page(
        &anybody,
        json!({
            "first": 100,
            "after": first["edges"][1]["cursor"],
            "before": third["edges"][0]["cursor"],
        }),
    )
    .await;
    assert_eq!(names(&between), numbered(2..8));
}

#[tokio::test]
async fn every_order_can_be_paged_through_without_loss_or_repetition() {
    let shop = Shop::new();
    let server = shop.start().await;
    fill(&server, 23).await;
    let anybody = server.anybody();
    let by_price = {
        let mut numbers: Vec<usize> = (0..23).collect();
        numbers.sort_by_key(|number| number * 7 % 10);
        numbers
    };
    for (order, expected) in [
        ("OLDEST_FIRST", (0..23).collect::<Vec<_>>()),
        ("NEWEST_FIRST", (0..23).rev().collect()),
        ("BY_NAME", (0..23).collect()),
        ("CHEAPEST_FIRST", by_price),
        ("DEAREST_FIRST", Vec::new()),
    ] {
        let forward = walk(&anybody, order, "first", "after").await;
        let mut backward = walk(&anybody, order, "last", "before").await;
        backward.reverse();
        assert_eq!(forward, backward, "{order}");
        assert_eq!(forward.len(), 23, "{order}");
        if !expected.is_empty() {
            assert_eq!(forward, numbered(expected), "{order}");
        }
    }
    let dearest = walk(&anybody, "DEAREST_FIRST", "first", "after").await;
    let price = |name: &String| name[6..].parse::<usize>().unwrap() * 7 % 10;
    assert!(
        dearest.is_sorted_by_key(|name| 10 - price(name)),
        "{dearest:?}"
    );
}

/// All names, three at a time, in the order in which they come; backwards from `last`.
async fn walk(caller: &Caller, order: &str, count: &str, from: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut cursor = Value::Null;
    let (edge, more) = match count {
        "first" => ("endCursor", "hasNextPage"),
        _ => ("startCursor", "hasPreviousPage"),
    };
    loop {
        let page = page(caller, json!({ count: 3, from: cursor, "orderBy": order })).await;
        let mut names = names(&page);
        if count == "last" {
            names.reverse();
        }
        all.extend(names);
        if page["pageInfo"][more] == false {
            return all;
        }
        cursor = page["pageInfo"][edge].clone();
    }
}

#[tokio::test]
async fn items_are_filtered() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let admin = server.sign_in(Demo::Admin).await;
    let sale = |name: &str| Sale::of(10).named(name);
    let later = seller.server_time_in(7_200_000).await;
    seller.sell(sale("a cheap").at("1.00", "GBP")).await;
    seller.sell(sale("b Dear").at("20.00", "GBP")).await;
    seller
        .sell(sale("c").at("500", "JPY").category("FASHION").sku("C-1"))
        .await;
    admin.sell(sale("d 100%_off").at("30.00", "GBP")).await;
    seller.sell(Sale::of(0).named("e").at("1", "JPY")).await;
    let deal = json!({ "opensAt": later });
    seller.sell(sale("f").at("2", "JPY").deal(deal)).await;
    let sold_out = Sale::of(1).named("g").at("3", "JPY");
    let sold_out = seller.sell(sold_out).await;
    seller.hold(&sold_out, 1).await;
    let seller_id = &seller.item(&sold_out).await["seller"]["id"].clone();

    let pounds = |amount: &str| json!({ "amount": amount, "currencyCode": "GBP" });
    let yen = |amount: &str| json!({ "amount": amount, "currencyCode": "JPY" });
    for (filter, expected) in [
        (
            json!({ "priceFrom": pounds("0") }),
            "a cheap,b Dear,d 100%_off",
        ),
        (json!({ "priceFrom": pounds("1.01") }), "b Dear,d 100%_off"),
        (
            json!({ "priceFrom": pounds("1.00"), "priceTo": pounds("20.00") }),
            "a cheap,b Dear",
        ),
        (
            json!({ "priceFrom": pounds("0"), "sellerId": seller_id }),
            "a cheap,b Dear",
        ),
        (json!({ "priceTo": yen("9999") }), "c,e,f,g"),
        (json!({ "priceTo": yen("9999"), "inStock": true }), "c,f"),
        (json!({ "priceTo": yen("9999"), "kind": "TIME_DEAL" }), "f"),
        (
            json!({ "priceTo": yen("9999"), "kind": "GENERAL" }),
            "c,e,g",
        ),
        (
            json!({ "priceTo": yen("9999"), "category": "FASHION" }),
            "c",
        ),
        (json!({ "skus": ["C-1", "C-2"] }), "c"),
        (json!({ "nameContains": "dear" }), "b Dear"),
        (json!({ "nameContains": "100%" }), "d 100%_off"),
        (json!({ "nameContains": "%_o" }), "d 100%_off"),
        (json!({ "nameContains": "0%_f" }), ""),
        (json!({ "opensFrom": later }), "f"),
        (
            json!({ "opensBefore": later, "nameContains": "shoes" }),
            "Running shoes",
        ),
    ] {
        let arguments = json!({ "first": 100, "filter": filter, "orderBy": "BY_NAME" });
        let page = page(&server.anybody(), arguments).await;
        assert_eq!(names(&page).join(","), expected, "{filter}");
        assert_eq!(page["totalCount"], names(&page).len(), "{filter}");
    }
    let deals = page(
        &server.anybody(),
        json!({ "first": 10, "filter": {}, "orderBy": "OPENS_FIRST" }),
    )
    .await;
    let expected = ["Wireless earbuds", "Running shoes", "Festival ticket", "f"];
    assert_eq!(names(&deals), expected);
    server.assert_clean().await;
}

#[tokio::test]
async fn a_page_that_makes_no_sense_is_refused() {
    let shop = Shop::new();
    let server = shop.start().await;
    let anybody = server.anybody();
    let by_name = anybody
        .ask(ITEMS, json!({ "first": 1, "orderBy": "BY_NAME" }))
        .await;
    let cursor = &by_name["items"]["edges"][0]["cursor"];
    for arguments in [
        json!({}),
        json!({ "first": 1, "last": 1 }),
        json!({ "first": 0 }),
        json!({ "first": -1 }),
        json!({ "first": 101 }),
        json!({ "last": 101 }),
        json!({ "first": i32::MAX }),
        json!({ "first": 1, "after": "garbage" }),
        json!({ "first": 1, "after": "" }),
        json!({ "first": 1, "after": cursor, "orderBy": "CHEAPEST_FIRST" }),
        json!({ "first": 1, "filter": { "nameContains": "" } }),
        json!({ "first": 1, "filter": { "sellerId": "item_1" } }),
        json!({ "first": 1, "filter": { "skus": vec!["x"; 101] } }),
    ] {
        let answer = anybody.post(ITEMS, arguments.clone()).await;
        assert_eq!(
            answer["data"],
            json!({ "items": null }),
            "{arguments}: {answer}"
        );
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(code, "BAD_USER_INPUT", "{arguments}: {answer}");
        assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
    }
    server.assert_calm();
}

#[tokio::test]
async fn things_are_found_by_their_ids() {
    let shop = Shop::new();
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(5)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let order = buyer.hold(&item, 1).await;
    let me = buyer.ask("{ viewer { profile { id } } }", json!({})).await;
    let me = &me["viewer"]["profile"]["id"];
    let document = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id
        ... on Item { name } ... on Order { state } ... on Account { email } } }";
    let unknown = "item_00000000000000000000000001";
    let ids = json!([order, unknown, item, me, "garbage", item]);
    let data = buyer.ask(document, json!({ "ids": ids })).await;
    assert_eq!(
        data["nodes"],
        json!([
            { "__typename": "Order", "id": order, "state": "PENDING_PAYMENT" },
            null,
            { "__typename": "Item", "id": item, "name": "Thing" },
            { "__typename": "Account", "id": me, "email": "customer@shop.example" },
            null,
            { "__typename": "Item", "id": item, "name": "Thing" },
        ])
    );
    let ids = json!([order, me, item]);
    let data = server.anybody().ask(document, json!({ "ids": ids })).await;
    assert_eq!(
        data["nodes"],
        json!([null, null, { "__typename": "Item", "id": item, "name": "Thing" }])
    );
    let answer = buyer
        .post(document, json!({ "ids": vec![unknown; 101] }))
        .await;
    assert_eq!(answer["data"]["nodes"], Value::Null, "{answer}");
    server.assert_clean().await;
}

#[tokio::test]
async fn a_buyers_orders_are_a_list_of_their_own() {
    let shop = Shop::new();
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(9)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let mut placed = Vec::new();
    for quantity in 1..=3 {
        placed.push(buyer.hold(&item, quantity).await);
    }
    server.sign_in(Demo::Admin).await.hold(&item, 1).await;
    let document = "query($first: Int, $last: Int, $after: String) { viewer {
        orders(first: $first, last: $last, after: $after) {
            pageInfo { hasNextPage endCursor } edges { node { id } } } } }";
    let newest = buyer.ask(document, json!({ "first": 2 })).await;
    let newest = &newest["viewer"]["orders"];
    assert_eq!(
        newest["edges"],
        json!([{ "node": { "id": placed[2] } }, { "node": { "id": placed[1] } }])
    );
    assert_eq!(newest["pageInfo"]["hasNextPage"], true);
    let after = &newest["pageInfo"]["endCursor"];
    let rest = buyer
        .ask(document, json!({ "first": 2, "after": after }))
        .await;
    assert_eq!(
        rest["viewer"]["orders"]["edges"],
        json!([{ "node": { "id": placed[0] } }])
    );
    server.assert_clean().await;
}
