//! Personal data at rest: nothing of it can be read where a shop keeps what it knows.

use serde_json::json;

use crate::engines;
use crate::support::{Demo, Sale, Shop, code};

#[tokio::test]
async fn personal_data_is_encrypted_at_rest() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let item = seller.sell(Sale::of(5).named("Something findable")).await;
    let anybody = server.anybody();
    anybody.request_verification("findme@example.com").await;
    let mailed = server.mailed_code("findme@example.com").await;
    let input = json!({
        "email": "findme@example.com", "code": mailed, "password": "correct horse battery",
        "name": "Findme Nameson", "phone": "010-1234-0000", "address": "77 Findable Street",
    });
    assert_eq!(code(&anybody.sign_up(input).await), None);
    let buyer = anybody
        .sign_in("findme@example.com", "correct horse battery")
        .await;
    let order = buyer.hold(&item, 1).await;
    let input = json!({
        "orderId": order, "paymentMethod": "tok_approve", "deliveryAddress": "88 Parcel Road",
    });
    assert_eq!(code(&buyer.change("payOrder", input).await), None);
    buyer.until_state(&order, "PAID").await;
    assert_eq!(
        buyer.after(&order).await["shipment"]["address"],
        "88 Parcel Road"
    );
    server.assert_clean().await;
    server.stop().await;

    let seen = engines::at_rest(&shop);
    let has = |text: &str| seen.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has("Something findable"), "what is no secret is there");
    for secret in [
        "findme@example.com",
        "Findme Nameson",
        "010-1234-0000",
        "77 Findable Street",
        "88 Parcel Road",
        "correct horse battery",
    ] {
        assert!(!has(secret), "{secret} can be read");
    }
}
