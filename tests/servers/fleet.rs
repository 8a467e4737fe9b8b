//! Processes of one shop that a test starts, hurts and replaces.

use std::collections::HashSet;
use std::process::Command;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::support::{
    Caller, Crowd, Demo, Node, Process, Sale, Server, Shop, Tally, Traffic, until,
};

/// Every worker.
const WORKERS: [&str; 12] = [
    "order-writer",
    "payment",
    "cancellation",
    "expiry",
    "delivery",
    "returns",
    "mail",
    "dead-letters",
    "edge-relay",
    "outbox-relay",
    "gate-keeper",
    "housekeeping",
];
/// The longest time that anything may take to be answered, whatever is away: the API says *try again*
/// or *unavailable*, it does not hang.
const ANSWER: Duration = Duration::from_secs(15);
/// More than anybody wants.
pub const PLENTY: i64 = 100_000;

/// Servers of their own are heavy: so many tests with some at a time.
pub async fn turn() -> SemaphorePermit<'static> {
    static TURNS: Semaphore = Semaphore::const_new(2);
    TURNS.acquire().await.unwrap()
}

/// An API node.
pub async fn node(shop: &Shop) -> Node {
    Shop::node(shop.command(&["serve"])).await
}

/// An API node that does something at a fail point, in the words of the crate `fail`.
pub async fn failing_node(shop: &Shop, point: &str) -> Node {
    Shop::node(failing(shop.command(&["serve"]), point)).await
}

/// A process with every worker.
pub fn worker(shop: &Shop) -> Process {
    Process::start(shop.command(&["work"]))
}

/// The same, which can be asked how it is; where.
pub async fn worker_with_health(shop: &Shop) -> (Process, String) {
    let mut command = shop.command(&["work"]);
    command.env("FIRSTCOME_WORK__LISTEN", "127.0.0.1:0");
    let mut process = Process::start(command);
    let url = process.output.announced("Health", "/health/ready").await;
    let url = url.unwrap_or_else(|| panic!("no health:\n{}", process.printed()));
    (process, url)
}

/// A process with one worker.
pub fn only(shop: &Shop, worker: &str) -> Process {
    Process::start(shop.command(&["work", "--only", worker]))
}

/// The same, which does something at a fail point.
pub fn failing_only(shop: &Shop, worker: &str, point: &str) -> Process {
    Process::start(failing(shop.command(&["work", "--only", worker]), point))
}

/// A process with every worker but one.
pub fn all_but(shop: &Shop, worker: &str) -> Process {
    assert!(WORKERS.contains(&worker));
    let others = WORKERS.into_iter().filter(|other| *other != worker);
    let others = others.collect::<Vec<_>>().join(",");
    Process::start(shop.command(&["work", "--only", &others]))
}

fn failing(mut command: Command, point: &str) -> Command {
    let point = cfg!(feature = "failpoints").then_some(point);
    let point = point.expect("a binary with fail points: `cargo test --features failpoints`");
    command.env("FAILPOINTS", point);
    command
}

/// Two items of plenty, and three buyers.
pub async fn market(server: &Server) -> (Vec<String>, Vec<Caller>) {
    let seller = server.sign_in(Demo::Seller).await;
    let items = vec![
        seller.sell(Sale::of(PLENTY)).await,
        seller.sell(Sale::of(PLENTY)).await,
    ];
    let buyers = vec![
        server.sign_in(Demo::Customer).await,
        server.sign_in(Demo::Admin).await,
        seller,
    ];
    (items, buyers)
}

/// Nine at once who order, pay, are declined and cancel, spread over the nodes.
pub fn shoppers(server: &Server, items: &[String], buyers: &[Caller]) -> Traffic {
    crowd(server, items, buyers, false)
}

/// Nine at once who only order, one unit at a time, until there is nothing left.
pub fn hoarders(server: &Server, items: &[String], buyers: &[Caller]) -> Traffic {
    crowd(server, items, buyers, true)
}

fn crowd(server: &Server, items: &[String], buyers: &[Caller], only_orders: bool) -> Traffic {
    let traffic = Traffic::start(&Crowd {
        buyers: buyers.to_vec(),
        items: items.to_vec(),
        each: 3,
        pause: Duration::from_millis(100),
        only_orders,
    });
    traffic.moves_to(&server.urls());
    traffic
}

/// Nobody hung, whatever was away.
pub fn assert_prompt(tally: &Tally) {
    assert!(tally.slowest < ANSWER, "{tally:?}");
}

/// No order that was answered was unknown afterwards, not for a moment.
pub fn assert_known(tally: &Tally) {
    assert_eq!(tally.unknown, 0, "{tally:?}");
}

/// Waits until a process says of itself that it lacks this part, whether that only makes it do less
/// or keeps it from everything.
pub async fn until_lacking(server: &Server, url: &str, part: &str) {
    until_ready(server, url, part, |_, lacks| lacks.contains(part)).await;
}

/// Waits until a process says that it must not be sent any requests, for want of this part.
pub async fn until_missing(server: &Server, url: &str, part: &str) {
    until_ready(server, url, part, |status, lacks| {
        status == StatusCode::SERVICE_UNAVAILABLE && lacks.contains(part)
    })
    .await;
}

/// Waits until a process says that it has everything.
pub async fn until_whole(server: &Server, url: &str) {
    until_ready(server, url, "nothing", |status, lacks| {
        status == StatusCode::OK && lacks.is_empty()
    })
    .await;
}

async fn until_ready(
    server: &Server,
    url: &str,
    part: &str,
    is_so: impl Fn(StatusCode, &HashSet<String>) -> bool,
) {
    let caller = server.anybody().at(url);
    until(&format!("{url} to lack {part}"), || async {
        let request = caller.request(Method::GET, "/health/ready");
        let answer = request.send().await.ok()?;
        let status = answer.status();
        let body: Value = answer.json().await.ok()?;
        let parts = ["missing", "degraded"].map(|how| body[how].as_array().cloned());
        let parts = parts.into_iter().flatten().flatten();
        let lacks = parts
            .map(|part| part.as_str().unwrap().to_owned())
            .collect();
        is_so(status, &lacks).then_some(())
    })
    .await;
}

/// Runs what blocks (a server that starts or ends) beside the clients.
pub async fn blocking<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(job).await.unwrap()
}
