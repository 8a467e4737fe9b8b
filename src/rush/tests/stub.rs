//! A little shop that speaks the API's part that a crowd uses, and can be told to misbehave.

mod orders;
mod socket;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::AUTHORIZATION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How a shop misbehaves.
#[derive(Clone, Default)]
pub struct Manners {
    /// Every so many order requests are done and then not answered.
    pub silent_after: Option<u64>,
    /// Every so many order requests are refused with *try again*.
    pub try_again: Option<u64>,
    /// Every so many accepted orders are forgotten.
    pub forgets: Option<u64>,
    pub habit: Habit,
}

/// What a shop does all the time.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Habit {
    #[default]
    Good,
    /// Stock is told with versions that fall.
    FallingVersions,
    /// Subscribers are never told anything after the snapshot.
    Mute,
    /// Every order expires before it can be paid.
    Impatient,
    /// Paid orders are told with a unit less than was ordered.
    Shortchanging,
    /// Every parcel has arrived as soon as it is paid.
    Quick,
    /// A pound is missing from what is given back.
    Stingy,
}

/// The first of the versions that fall.
const FALLING_FROM: u64 = 1_000_000;

pub struct Item {
    pub id: String,
    pub sku: String,
    pub seller: String,
    pub available: i64,
    pub phase: Option<&'static str>,
}

#[derive(Clone)]
struct Order {
    buyer: String,
    lines: Value,
    state: &'static str,
}

/// What is in the shop, and what happened there.
#[derive(Default)]
pub struct State {
    pub manners: Manners,
    pub items: Vec<Item>,
    orders: BTreeMap<String, Order>,
    /// How and under which keys units were taken back.
    taken_back: HashSet<String>,
    requests: u64,
    version: u64,
}

pub struct Stub {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Stub {
    /// Opens the shop on a port of its own.
    pub async fn open(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/graphql", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(state));
        let (changed, changes) = watch::channel(());
        let shop = Arc::clone(&state);
        tokio::spawn(async move {
            let changed = Arc::new(changed);
            while let Ok((stream, _)) = listener.accept().await {
                let (shop, changed, changes) =
                    (Arc::clone(&shop), Arc::clone(&changed), changes.clone());
                tokio::spawn(async move {
                    if is_upgrade(&stream).await {
                        socket::tell_stock(stream, shop, changes).await;
                    } else {
                        answer(stream, shop, changed).await;
                    }
                });
            }
        });
        Self { url, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

async fn is_upgrade(stream: &TcpStream) -> bool {
    let mut start = [0; 3];
    stream.peek(&mut start).await.is_ok() && &start == b"GET"
}

async fn answer(stream: TcpStream, shop: Arc<Mutex<State>>, changed: Arc<watch::Sender<()>>) {
    let service = service_fn(|request: Request<Incoming>| {
        let (shop, changed) = (Arc::clone(&shop), Arc::clone(&changed));
        async move {
            let token = request.headers().get(AUTHORIZATION);
            let token = token.map_or("", |token| token.to_str().unwrap()).to_owned();
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let answered = shop.lock().unwrap().execute(&token, &body);
            let _ = changed.send(());
            match answered {
                Some(body) => Ok(Response::new(Full::new(Bytes::from(body.to_string())))),
                None => Err("gone"),
            }
        }
    });
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl State {
    pub fn new(items: Vec<Item>, manners: Manners) -> Self {
        Self {
            manners,
            items,
            ..Default::default()
        }
    }

    /// Answers, or does not.
    fn execute(&mut self, token: &str, body: &[u8]) -> Option<Value> {
        let body: Value = serde_json::from_slice(body).unwrap();
        let (query, variables) = (body["query"].as_str().unwrap(), &body["variables"]);
        let operation = query.split(['(', ' ']).nth(1).unwrap();
        let data = match operation {
            "PlaceOrder" => {
                self.requests += 1;
                let placed = self.place(token, &variables["input"]);
                let is_silent = |every: u64| self.requests.is_multiple_of(every);
                if self.manners.silent_after.is_some_and(is_silent) {
                    return None;
                }
                json!({ "placeOrder": placed })
            }
            "PayOrder" => json!({ "payOrder": self.pay(token, &variables["input"]) }),
            "Orders" => {
                let ids = variables["ids"].as_array().unwrap().iter();
                let orders: Vec<_> = ids
                    .map(|id| self.order(token, id.as_str().unwrap()))
                    .collect();
                json!({ "nodes": orders })
            }
            "CancelOrder" => {
                json!({ "cancelOrder": self.take_back(token, &variables["input"], "cancelled") })
            }
            "RequestReturn" => {
                json!({ "requestReturn": self.take_back(token, &variables["input"], "returned") })
            }
            "OrderLines" => {
                json!({ "order": self.lines(token, variables["id"].as_str().unwrap()) })
            }
            "Item" => {
                let item = self.items.iter().find(|item| item.id == variables["id"]);
                let item = item.map(|item| item.shown(self.final_version()));
                json!({ "serverTime": "2026-03-01T06:00:00.000Z", "item": item })
            }
            "Deals" => self.page(|item| item.phase.is_some()),
            "General" => self.page(|item| item.phase.is_none()),
            "BySku" => {
                let filter = &variables["filter"];
                let skus = filter["skus"].as_array().unwrap();
                self.page(|item| {
                    let of_seller = filter["sellerId"]
                        .as_str()
                        .is_none_or(|seller| seller == item.seller);
                    of_seller && skus.iter().any(|sku| *sku == item.sku)
                })
            }
            other => panic!("{other} is not asked here"),
        };
        Some(json!({ "data": data }))
    }

    /// What falls never comes as far as this.
    fn final_version(&self) -> u64 {
        match self.manners.habit {
            Habit::FallingVersions => FALLING_FROM + 1,
            _ => self.version,
        }
    }

    fn page(&self, wanted: impl Fn(&Item) -> bool) -> Value {
        let items = self.items.iter().filter(|item| wanted(item));
        let nodes: Vec<_> = items.map(|item| item.shown(self.version)).collect();
        let page_info = json!({ "hasNextPage": false, "endCursor": null });
        json!({ "serverTime": "2026-03-01T06:00:00.000Z", "items": { "nodes": nodes, "pageInfo": page_info } })
    }

    /// Orders by state.
    pub fn states(&self) -> BTreeMap<&'static str, usize> {
        let mut states = BTreeMap::new();
        for order in self.orders.values() {
            *states.entry(order.state).or_default() += 1;
        }
        states
    }
}

impl Item {
    fn shown(&self, version: u64) -> Value {
        let deal = self
            .phase
            .map(|phase| json!({ "phase": phase, "opensAt": "2026-03-01T06:00:00.300Z" }));
        json!({
            "id": self.id,
            "name": "A thing",
            "sku": self.sku,
            "stock": { "total": 1_000, "available": self.available, "version": version },
            "deal": deal,
        })
    }
}
