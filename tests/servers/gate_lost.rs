//! The gate loses what it knew: its Redis fails over, is flushed, or dies.

use std::time::Duration;

use serde_json::Value;
use xtask::services::{Keep, Redis, RedisSentinel};

use crate::engines::{self, Servers};
use crate::fleet::{
    PLENTY, assert_prompt, blocking, hoarders, market, node, shoppers, turn, until_lacking,
    until_missing, until_whole, worker,
};
use crate::support::{Answered, Caller, Demo, Sale, Server, Shop, Traffic, settled, verify};

/// Units of what everybody wants.
const FEW: i64 = 600;
/// How many of them are sold when the gate loses its memory.
const SOLD: usize = 150;

/// Two sales at once: of plenty, with all that buyers do, and of few units, until they are gone.
struct Sales {
    server: Server,
    shop: Shop,
    items: Vec<String>,
    few: String,
    shopping: Traffic,
    hoarding: Traffic,
}

impl Sales {
    async fn begin(redis: engines::Redis) -> Self {
        let servers = Servers {
            redis,
            ..Servers::shared()
        };
        let settings = [("ORDERS__HOLD", "10m"), ("PAYMENT__ASK_AGAIN_AFTER", "1s")];
        let shop = Shop::over(&servers.engines(), &settings);
        shop.migrate().await;
        let server = shop.server(
            vec![node(&shop).await, node(&shop).await],
            vec![worker(&shop), worker(&shop)],
        );
        let (items, buyers) = market(&server).await;
        let few = server.sign_in(Demo::Seller).await.sell(Sale::of(FEW)).await;
        let shopping = shoppers(&server, &items, &buyers);
        let hoarding = hoarders(&server, std::slice::from_ref(&few), &buyers);
        hoarding.goes_on(SOLD).await;
        Self {
            server,
            shop,
            items,
            few,
            shopping,
            hoarding,
        }
    }

    /// Everything that was answered is there, and of the few not one too many is sold.
    async fn come_out_right(self) {
        let Self {
            server,
            shop,
            items,
            few,
            shopping,
            hoarding,
        } = self;
        let (hoarded, tally) = hoarding.sold_out().await;
        assert_prompt(&tally);
        shopping.goes_on(60).await;
        let (answered, tally) = shopping.end().await;
        assert_prompt(&tally);

        assert_eq!(pending(&server, &hoarded).await, FEW);
        let anybody: Caller = server.anybody();
        anybody.until_available(&few, 0).await;
        verify(&server, &items, PLENTY, &answered).await;
        server.assert_audit(0).await;
        // The command of operators says the same.
        let (audit, exit) = shop.run_json(&["audit", "--json"]).await;
        assert_eq!(
            (exit, &audit["clean"]),
            (Some(0), &Value::Bool(true)),
            "{audit}"
        );
    }
}

/// Of orders of one unit each, how many hold theirs; the others must have been rejected.
async fn pending(server: &Server, answered: &[Answered]) -> i64 {
    let mut pending = 0;
    for order in settled(server, answered).await {
        match order["state"].as_str() {
            Some("PENDING_PAYMENT") => pending += 1,
            // The gate let it through twice over: told before anybody paid, with the reason.
            Some("REJECTED") => assert_ne!(order["rejection"], Value::Null, "{order}"),
            _ => panic!("{order}"),
        }
    }
    pending
}

#[tokio::test]
async fn redis_replication_with_sentinel_failover_loses_no_sale_and_sells_nothing_twice() {
    let _turn = turn().await;
    let mut redis = blocking(|| RedisSentinel::launch().unwrap()).await;
    let sales = Sales::begin(engines::Redis::Sentinel {
        sentinels: redis.sentinels(),
        primary: xtask::services::PRIMARY.to_owned(),
    })
    .await;
    let mut redis = blocking(move || {
        let primary = redis.primary().unwrap();
        let port = primary.port();
        primary.kill().unwrap();
        redis
            .fails_over_from(port, Duration::from_secs(40))
            .unwrap();
        redis
    })
    .await;
    sales.shopping.goes_on(30).await;
    // Whoever was primary comes back as a replica.
    let _redis = blocking(move || {
        for node in redis.nodes() {
            node.start().unwrap();
        }
        redis
    })
    .await;
    sales.come_out_right().await;
}

/// A Redis of its own that forgets everything when it ends.
async fn forgetful() -> Redis {
    blocking(|| Redis::launch(Keep::Nothing).unwrap()).await
}

#[tokio::test]
async fn a_flush_in_the_middle_of_a_sale_sells_nothing_twice() {
    let _turn = turn().await;
    let redis = forgetful().await;
    let sales = Sales::begin(engines::Redis::Standalone(redis.url())).await;
    let url = redis.url();
    blocking(move || {
        for flush in ["FLUSHALL", "SCRIPT"] {
            let mut client = std::process::Command::new("redis-cli");
            client.args(["-u", &url, flush]);
            if flush == "SCRIPT" {
                client.arg("FLUSH");
            }
            let output = client.output().unwrap();
            assert_eq!(output.stdout.trim_ascii(), b"OK", "{output:?}");
        }
    })
    .await;
    sales.shopping.goes_on(30).await;
    sales.come_out_right().await;
}

#[tokio::test]
async fn a_redis_that_dies_and_forgets_sells_nothing_twice() {
    let _turn = turn().await;
    let mut redis = forgetful().await;
    let sales = Sales::begin(engines::Redis::Standalone(redis.url())).await;
    redis = blocking(move || {
        redis.kill().unwrap();
        redis
    })
    .await;
    // First the node waits for it; then it says that it is of no use.
    until_lacking(&sales.server, sales.server.url(), "gate").await;
    until_missing(&sales.server, sales.server.url(), "gate").await;
    let _redis = blocking(move || {
        redis.start().unwrap();
        redis
    })
    .await;
    until_whole(&sales.server, sales.server.url()).await;
    sales.shopping.goes_on(30).await;
    sales.come_out_right().await;
}

#[tokio::test]
async fn resilience_my_page_still_answers_when_the_gate_does_not() {
    let _turn = turn().await;
    let mut redis = forgetful().await;
    let servers = Servers {
        redis: engines::Redis::Standalone(redis.url()),
        ..Servers::shared()
    };
    let shop = Shop::over(&servers.engines(), &[("ORDERS__HOLD", "10m")]);
    shop.migrate().await;
    let server = shop.server(vec![node(&shop).await], vec![worker(&shop)]);
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(9)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let order = buyer.own(&item, 1).await;
    let wish = "mutation($input: AddToWishlistInput!) { addToWishlist(input: $input) {
        entry { id } userErrors { code } } }";
    let input = serde_json::json!({ "itemId": item, "quantity": 3 });
    buyer.mutate(wish, input).await;
    redis = blocking(move || {
        redis.kill().unwrap();
        redis
    })
    .await;
    until_lacking(&server, server.url(), "gate").await;
    let page = "{ viewer { profile { email } wishlist(first: 9) { nodes { quantity
        item { name stock { available } } } } orders(first: 9) { nodes { id state
        payment { state } shipment { state } } } } }";
    let answer = buyer.post(page, Value::Null).await;
    let viewer = &answer["data"]["viewer"];
    let (email, _) = shop.credentials(Demo::Customer);
    assert_eq!(viewer["profile"]["email"], email, "{answer}");
    assert_eq!(viewer["orders"]["nodes"][0]["id"], order, "{answer}");
    assert_eq!(viewer["orders"]["nodes"][0]["state"], "PAID", "{answer}");
    let wished = &viewer["wishlist"]["nodes"][0];
    assert_eq!(
        (&wished["quantity"], &wished["item"]["name"]),
        (&3.into(), &"Thing".into())
    );
    // What only the gate knows is missing, and said to be.
    assert_eq!(wished["item"]["stock"], Value::Null, "{answer}");
    let code = &answer["errors"][0]["extensions"]["code"];
    assert_eq!(code, "UNAVAILABLE", "{answer}");
    let _redis = blocking(move || {
        redis.start().unwrap();
        redis
    })
    .await;
    until_whole(&server, server.url()).await;
    buyer.until_available(&item, 8).await;
    server.assert_audit(0).await;
}
