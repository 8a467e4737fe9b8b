//! Orders that can't be: each gets a clear *no*, and moves nothing.

use serde_json::{Value, json};

use crate::refusals::{PLACE, Untouched};
use crate::support::{Demo, Sale, Shop, Socket, code, fresh_key, line};

#[tokio::test]
async fn quantities_have_bounds() {
    let untouched = Untouched::of(Shop::new()).await;
    let Untouched { buyer, item, .. } = &untouched;
    for (quantity, rule, bound) in [
        (0, "TOO_SMALL", "1"),
        (-1, "TOO_SMALL", "1"),
        (i64::from(i32::MIN), "TOO_SMALL", "1"),
        (1_000_001, "TOO_LARGE", "1000000"),
        (i64::from(i32::MAX), "TOO_LARGE", "1000000"),
    ] {
        let payload = buyer.place(&[line(item, 1), line(item, quantity)]).await;
        let refusal = &payload["userErrors"][0];
        assert_eq!(refusal["rule"], rule, "{quantity}: {payload}");
        assert_eq!(refusal["bound"], bound, "{quantity}");
        assert_eq!(refusal["field"], json!(["lines", "1", "quantity"]));
    }
    // What is no `Int` at all never gets as far as a payload.
    for quantity in [
        json!(i64::from(i32::MAX) + 1),
        json!(i64::from(i32::MIN) - 1),
        json!(u64::MAX),
        json!(1e30),
        json!(1.5),
        json!("1"),
        json!(true),
        Value::Null,
    ] {
        let lines = [json!({ "itemId": item, "quantity": quantity })];
        let input = json!({ "idempotencyKey": fresh_key(), "lines": lines });
        let answer = buyer.post(PLACE, json!({ "input": input })).await;
        assert_eq!(answer.get("data"), None, "{quantity}: {answer}");
        let error = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(error, "BAD_USER_INPUT", "{quantity}: {answer}");
    }
    let key = fresh_key();
    let literal = format!(
        "mutation {{ placeOrder(input: {{ idempotencyKey: \"{key}\", lines: [
            {{ itemId: \"{item}\", quantity: 99999999999 }}] }}) {{ order {{ id }} }} }}"
    );
    let answer = buyer.post(&literal, json!({})).await;
    assert_eq!(answer.get("data"), None, "{answer}");

    let payload = buyer.place(&[]).await;
    assert_eq!(payload["userErrors"][0]["rule"], "TOO_SHORT", "{payload}");
    let many = vec![line(item, 1); 1_001];
    let payload = buyer.place(&many).await;
    assert_eq!(payload["userErrors"][0]["rule"], "TOO_LONG", "{payload}");
    untouched.assert_untouched().await;
}

#[tokio::test]
async fn a_total_that_does_not_fit_is_refused() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let sale = Sale::of(1_000_000_000).at("1000000000000", "KRW");
    let payload = seller.create_item(&sale, &fresh_key()).await;
    assert_eq!(code(&payload), None, "{payload}");
    let item = payload["item"]["id"].as_str().unwrap();
    let million = line(item, 1_000_000);
    let payload = seller.place(&vec![million; 10]).await;
    assert_eq!(code(&payload), Some("TOTAL_TOO_LARGE"), "{payload}");
    assert_eq!(seller.available(item).await, 1_000_000_000);
    server.assert_clean().await;
}

#[tokio::test]
async fn ids_are_of_their_type_and_of_something() {
    const UNKNOWN: &str = "00000000000000000000000001";
    let untouched = Untouched::of(Shop::new()).await;
    let Untouched { buyer, item, .. } = &untouched;
    let order_like = item.replace("item_", "order_");
    let upper_case = item.to_uppercase();
    let longer = format!("{item}0");
    for id in [
        "",
        "1",
        "item_",
        "item_1",
        "item_zzzzzzzzzzzzzzzzzzzzzzzzzz",
        "item",
        "아이템_00000000000000000000000001",
        "item_00000000000000000000000001' OR 1=1 --",
        &order_like,
        &upper_case,
        &longer,
    ] {
        let payload = buyer.place(&[line(id, 1)]).await;
        assert_eq!(payload["userErrors"][0]["rule"], "ID", "{id}: {payload}");
        let wrong_order = item;
        let payload = buyer.pay(wrong_order, "tok_approve").await;
        assert_eq!(payload["userErrors"][0]["rule"], "ID", "{payload}");
        assert_eq!(buyer.item(id).await, Value::Null, "{id}");
        let document = "query($id: ID!) { stock(itemId: $id) { available } node(id: $id) { id } }";
        if id != order_like {
            let data = buyer.ask(document, json!({ "id": id })).await;
            assert_eq!(data, json!({ "stock": null, "node": null }), "{id}");
        }
    }
    for id in [
        format!("item_{UNKNOWN}"),
        "item_7zzzzzzzzzzzzzzzzzzzzzzzzz".to_owned(),
    ] {
        let payload = buyer.place(&[line(&id, 1)]).await;
        assert_eq!(code(&payload), Some("NOT_FOUND"), "{id}: {payload}");
        assert_eq!(buyer.item(&id).await, Value::Null);
    }
    let order = format!("order_{UNKNOWN}");
    assert_eq!(buyer.order(&order).await, Value::Null);
    for payload in [
        buyer.pay(&order, "tok_approve").await,
        buyer.cancel(&order).await,
    ] {
        assert_eq!(code(&payload), Some("NOT_FOUND"), "{payload}");
    }
    for key in [
        json!("not-a-uuid"),
        json!(1),
        json!(fresh_key().replace('-', "")),
        Value::Null,
    ] {
        let input = json!({ "idempotencyKey": key, "lines": [line(item, 1)] });
        let answer = buyer.post(PLACE, json!({ "input": input })).await;
        assert_eq!(answer.get("data"), None, "{key}: {answer}");
    }
    untouched.assert_untouched().await;
}

#[tokio::test]
async fn somebody_elses_order_is_not_there() {
    let shop = Shop::new();
    let server = shop.start().await;
    let owner = server.sign_in(Demo::Customer).await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(5)).await;
    let order = owner.hold(&item, 1).await;
    let before = owner.order(&order).await;

    // Not even for who sells the item, or runs the shop.
    for other in [
        server.sign_in(Demo::Seller).await,
        server.sign_in(Demo::Admin).await,
    ] {
        assert_eq!(other.order(&order).await, Value::Null);
        let node = "query($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }";
        let data = other.ask(node, json!({ "id": order })).await;
        assert_eq!(data, json!({ "node": null, "nodes": [null] }));
        for payload in [
            other.pay(&order, "tok_approve").await,
            other.cancel(&order).await,
        ] {
            assert_eq!(code(&payload), Some("NOT_FOUND"), "{payload}");
        }
        let refusal = Socket::order_updated(&other, &order).await.refusal().await;
        assert_eq!(refusal[0]["extensions"]["code"], "NOT_FOUND", "{refusal}");
    }
    let anybody = server.anybody();
    assert_eq!(anybody.order(&order).await, Value::Null);
    for payload in [
        anybody.place(&[line(&item, 1)]).await,
        anybody.pay(&order, "tok_approve").await,
        anybody.cancel(&order).await,
    ] {
        assert_eq!(code(&payload), Some("UNAUTHENTICATED"), "{payload}");
    }
    let refusal = Socket::order_updated(&anybody, &order)
        .await
        .refusal()
        .await;
    assert_eq!(refusal[0]["extensions"]["code"], "UNAUTHENTICATED");
    let answer = anybody
        .post(
            "{ viewer { profile { id } } backOffice { stockAudit { clean } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        answer["data"],
        json!({ "viewer": null, "backOffice": null })
    );
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let answer = owner
        .post("{ backOffice { stockAudit { clean } } }", json!({}))
        .await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");

    assert_eq!(owner.order(&order).await, before);
    assert_eq!(owner.available(&item).await, 4);
    server.assert_clean().await;
}
