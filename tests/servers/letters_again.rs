//! Everything is told again, and nobody is written to again.

use crate::kafka_tools::Logged;
use crate::support::{Demo, Sale, until};

/// The group of those who write.
const MAIL: &str = "mail";

#[tokio::test]
async fn what_is_told_twice_is_written_once() {
    let logged = Logged::with(&[]);
    let shop = &logged.shop;
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
    let (email, _) = shop.credentials(Demo::Customer);
    let buyer = server.sign_in(Demo::Customer).await;
    buyer.refunded(&item).await;
    let letters = server.until_mail(&email, 3).await;
    assert_eq!(server.stop().await, Some(0));

    let (read, left) = logged.read_and_left(MAIL).await;
    assert_eq!((read, left), (5, 0), "placed to refunded");
    let all_again = &[
        "--reset-offsets",
        "--to-earliest",
        "--all-topics",
        "--execute",
    ];
    logged.group(MAIL, all_again).await;
    assert_eq!(logged.read_and_left(MAIL).await, (0, 5), "all of it again");

    let server = shop.start().await;
    server
        .anybody()
        .request_verification("kim@example.com")
        .await;
    server.mailed_code("kim@example.com").await;
    until("all of it to be read again", || async {
        (logged.read_and_left(MAIL).await == (5, 0)).then_some(())
    })
    .await;
    assert_eq!(server.mail(&email), letters);
    server.assert_clean().await;
}
