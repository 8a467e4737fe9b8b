//! Letters, as their readers find them: one for everything that happened to an order.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::{Demo, Letter, Sale, Shop, code};

/// No two of them are the same letter, and each says the same in text and HTML.
fn assert_whole(letters: &[Letter]) {
    let ids: HashSet<&str> = letters.iter().map(|letter| letter.id.as_str()).collect();
    assert_eq!(ids.len(), letters.len(), "{letters:?}");
    for letter in letters {
        let heading = format!(">{}</h1>", letter.subject);
        assert!(letter.html.contains(&heading), "{letter:?}");
    }
}

fn subjects(letters: &[Letter]) -> Vec<&str> {
    let subjects = letters.iter().map(|letter| letter.subject.as_str());
    subjects.collect()
}

#[tokio::test]
async fn whoever_signs_up_in_korean_reads_of_the_way_of_a_parcel_in_korean() {
    let shop = Shop::with(&[("DELIVERY__DAY", "1s")]);
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let sale = Sale::of(10).named("<b>머그</b>").at("4500", "KRW");
    let item = seller.sell(sale).await;
    let korean = server.anybody().reading("ko-KR,ko;q=0.9,en;q=0.8");
    let buyer = server.sign_up_as(korean, "minsu").await;
    let document = "{ viewer { profile { language } } }";
    let me = buyer.reading("en").ask(document, json!({})).await;
    assert_eq!(me["viewer"]["profile"]["language"], "KO");

    let order = buyer.own(&item, 2).await;
    let is_there = |order: &Value| order["shipment"]["state"] == "DELIVERED";
    let order = buyer.until_order(&order, "delivered", is_there).await;
    let number = order["number"].as_str().unwrap();
    let letters = server.until_mail("minsu@example.com", 4).await;
    server.assert_clean().await;
    assert_eq!(
        subjects(&letters),
        [
            "인증 코드 안내".to_owned(),
            format!("주문 {number} 결제가 완료되었습니다"),
            format!("주문 {number}의 상품이 발송되었습니다"),
            format!("주문 {number}의 배송이 완료되었습니다"),
        ]
    );
    assert_whole(&letters);
    let [_, paid, dispatched, _] = &letters[..] else {
        panic!("{letters:?}");
    };
    assert!(paid.text.contains("- <b>머그</b> × 2: 9,000원"), "{paid:?}");
    assert!(!paid.html.contains("<b>머그"), "{paid:?}");
    let tracking = order["shipment"]["trackingNumber"].as_str().unwrap();
    assert!(dispatched.text.contains(tracking), "{dispatched:?}");
    assert_eq!(server.mail("minsu@example.com"), letters);
}

#[tokio::test]
async fn whoever_cancels_reads_of_it_and_of_the_money_once_it_is_back() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let item = seller.sell(Sale::of(10).at("12.50", "GBP")).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let (email, _) = shop.credentials(Demo::Customer);
    let paid = buyer.own(&item, 1).await;
    server.until_mail(&email, 1).await;
    assert_eq!(code(&buyer.cancel(&paid).await), None);
    let paid = buyer.order(&paid).await["number"].clone();
    server.until_mail(&email, 3).await;
    let unpaid = buyer.hold(&item, 1).await;
    assert_eq!(code(&buyer.cancel(&unpaid).await), None);
    let unpaid = buyer.order(&unpaid).await["number"].clone();
    let letters = server.until_mail(&email, 4).await;
    server.assert_clean().await;

    let (paid, unpaid) = (paid.as_str().unwrap(), unpaid.as_str().unwrap());
    let mut told = subjects(&letters);
    // Of a cancellation and its refund somebody may write at the same moment.
    told[1..3].sort_unstable_by_key(|subject| !subject.ends_with("is cancelled"));
    assert_eq!(
        told,
        [
            format!("Order {paid} is paid"),
            format!("Order {paid} is cancelled"),
            format!("£12.50 refunded for order {paid}"),
            format!("Order {unpaid} is cancelled"),
        ]
    );
    assert_whole(&letters);
    assert!(letters[3].text.contains("nothing is owed"), "{letters:?}");
    assert_eq!(server.mail(&email), letters);
    // Nobody else was written to.
    let (email, _) = shop.credentials(Demo::Seller);
    assert_eq!(server.mail(&email), []);
}
