//! Servers by their names: nothing but DNS has to know where they are.

use crate::engines;
use crate::support::{Demo, Sale, Shop};

/// The same servers under the name that every machine has for itself.
fn named(mut settings: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    for (_, value) in &mut settings {
        *value = value.replace("127.0.0.1", "localhost");
    }
    settings
}

#[tokio::test]
async fn every_server_is_found_by_its_name() {
    for gate in [&[][..], &[("GATE__SHARDS", "3")][..]] {
        let mut servers = engines::of(gate);
        servers.0 = named(servers.0);
        let names = servers.0.iter();
        let names = names.filter(|(_, value)| value.contains("localhost:"));
        let names: Vec<&str> = names.map(|(key, _)| *key).collect();
        for server in [
            "LEDGER__URL",
            "KAFKA__BROKERS",
            "REDIS__CACHE",
            "REDIS__NODES",
        ] {
            assert!(names.contains(&server), "{server} of {names:?}");
        }
        let mut shop = Shop::over(&servers, gate);
        let provider = shop.setting("PAYMENT__URL").unwrap();
        let provider = provider.replace("127.0.0.1", "localhost");
        shop.set("PAYMENT__URL", &provider);
        let server = shop.start().await;
        let seller = server.sign_in(Demo::Seller).await;
        let item = seller.sell(Sale::of(5)).await;
        let buyer = server.sign_in(Demo::Customer).await;
        buyer.own(&item, 2).await;
        server.assert_clean().await;
    }
}
