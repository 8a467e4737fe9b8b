//! Every process is replaced, one after another, while a sale goes on.

use std::time::Duration;

use crate::fleet::{
    PLENTY, assert_known, assert_prompt, hoarders, market, node, shoppers, until_missing, worker,
};
use crate::support::{Shop, Traffic, verify};

/// Orders between two restarts.
const ORDERS: usize = 30;

#[tokio::test]
async fn a_rolling_restart_is_noticed_by_nobody() {
    let settings = [
        ("ORDERS__HOLD", "10m"),
        ("PAYMENT__ASK_AGAIN_AFTER", "1s"),
        ("PROCESS__NOTICE", "1s"),
    ];
    let shop = Shop::with(&settings);
    shop.migrate().await;
    let workers = vec![worker(&shop), worker(&shop)];
    let mut server = shop.server(vec![node(&shop).await, node(&shop).await], workers);
    let (items, buyers) = market(&server).await;
    let shoppers = shoppers(&server, &items, &buyers);
    let hoarders = hoarders(&server, &items, &buyers);
    let crowds = [&shoppers, &hoarders];
    let go_on = async || {
        shoppers.goes_on(ORDERS).await;
        hoarders.goes_on(ORDERS).await;
    };
    go_on().await;

    for _ in 0..2 {
        let leaving = server.nodes.remove(0);
        leaving.process.signal("-TERM");
        // A proxy in front of it takes it out as soon as it says that it is leaving.
        until_missing(&server, &leaving.url, "leaving").await;
        move_to(&crowds, &server.urls());
        let mut process = leaving.process;
        assert_eq!(process.exit().await.code(), Some(0));
        process.assert_calm();
        server.nodes.push(node(&shop).await);
        move_to(&crowds, &server.urls());
        go_on().await;
    }
    for _ in 0..2 {
        let leaving = server.workers.remove(0);
        leaving.signal("-TERM");
        let mut leaving = leaving;
        assert_eq!(leaving.exit().await.code(), Some(0));
        leaving.assert_calm();
        server.workers.push(worker(&shop));
        go_on().await;
    }

    let mut answered = Vec::new();
    for traffic in [shoppers, hoarders] {
        let (orders, tally) = traffic.end().await;
        assert_prompt(&tally);
        assert_known(&tally);
        assert_eq!((tally.faults, tally.unreachable), (0, 0), "{tally:?}");
        assert_eq!(tally.broken, Vec::<String>::new());
        assert!(tally.slowest < Duration::from_secs(5), "{tally:?}");
        answered.extend(orders);
    }
    verify(&server, &items, PLENTY, &answered).await;
    server.assert_clean().await;
}

fn move_to(crowds: &[&Traffic], urls: &[&str]) {
    for traffic in crowds {
        traffic.moves_to(urls);
    }
}
