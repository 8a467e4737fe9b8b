//! What a person sees when a shop starts.

use crate::support::{Demo, Shop};

#[tokio::test]
async fn the_banner_says_where_everything_is() {
    let shop = Shop::new();
    let server = shop.start().await;
    let printed = server.printed();
    for part in [
        &format!("{}/graphql", server.url()),
        &format!("{}/mailbox", server.url()),
        "Wireless earbuds",
        "open, 100 left",
        "Running shoes",
        "opens in 0 min",
        "Festival ticket",
        "opens in 4 min",
        "Three things to try",
    ] {
        assert!(printed.contains(part), "{part} is not in\n{printed}");
    }
    // The credentials that are printed are those that work.
    for who in [Demo::Customer, Demo::Seller, Demo::Admin] {
        let (email, password) = shop.credentials(who);
        let line = printed.lines().find(|line| line.contains(&email)).unwrap();
        assert!(line.trim_end().ends_with(&password), "{line}");
        server.sign_in(who).await;
    }
}
