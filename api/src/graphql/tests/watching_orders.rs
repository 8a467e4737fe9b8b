//! Live orders, and the feed behind them.

use std::sync::Arc;
use std::time::Duration;

use domain::OrderId;
use domain::account::Role;
use domain::event::{Event, OrderEvent};
use domain::item::Kind;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use super::client::Client;
use super::world::{World, at, item_id};
use crate::graphql::ids::GlobalId;

/// Long enough for whatever is on its way.
const SOON: Duration = Duration::from_millis(300);
const KEY: &str = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6";
const ORDER: &str = "subscription($id: ID!) { orderUpdated(orderId: $id) {
    order { state version } serverTime } }";

/// A buyer who watches an order that was just accepted.
struct Buyer {
    client: Client,
    world: Arc<World>,
    id: String,
    events: BoxStream<'static, Value>,
}

impl Buyer {
    /// The order is accepted and watched, and the feed follows.
    async fn new() -> Self {
        let world = World::new();
        world.add_item(1, 10, Kind::General);
        let me = world.add_account(5, Role::Customer);
        let client = Client::new(&world).signed_in(me, Role::Customer);
        client.follow();
        // What happens before the feed has reached the present end is seen without it.
        while world.asked("tail") == 0 {
            tokio::task::yield_now().await;
        }
        let lines = json!([{ "itemId": item_id(1).to_global().to_string(), "quantity": 1 }]);
        let input = json!({ "input": { "idempotencyKey": KEY, "lines": lines } });
        let place =
            "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) { order { id } } }";
        let placed = client.data(place, input).await;
        let id = placed["placeOrder"]["order"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let events = client.watch(ORDER, json!({ "id": id })).await;
        let mut buyer = Self {
            client,
            world,
            id,
            events,
        };
        assert_eq!(buyer.state().await, "ACCEPTED");
        buyer
    }

    fn order(&self) -> OrderId {
        OrderId::parse(&self.id.as_str().into()).unwrap()
    }

    async fn event(&mut self) -> Value {
        let event = timeout(Duration::from_secs(5), self.events.next()).await;
        event
            .expect("there is something to see")
            .expect("the stream has no end")
    }

    async fn state(&mut self) -> String {
        let event = self.event().await;
        event["data"]["orderUpdated"]["order"]["state"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn sees_nothing(&mut self) {
        assert!(timeout(SOON, self.events.next()).await.is_err());
    }
}

#[tokio::test]
async fn every_step_is_seen_and_the_same_news_again_is_not() {
    let mut buyer = Buyer::new().await;
    buyer.world.write_order(buyer.order());
    assert_eq!(buyer.state().await, "PENDING_PAYMENT");
    let cancel =
        "mutation($input: CancelOrderInput!) { cancelOrder(input: $input) { order { id } } }";
    let input = json!({ "input": { "orderId": buyer.id, "idempotencyKey": KEY } });
    buyer.client.data(cancel, input).await;
    assert_eq!(buyer.state().await, "CANCELLED");
    buyer.world.tell(Event::of_order(
        buyer.order(),
        2,
        at(1),
        OrderEvent::Expired,
    ));
    buyer.sees_nothing().await;
}

#[tokio::test]
async fn an_order_is_watched_by_its_buyer_alone() {
    let buyer = Buyer::new().await;
    let somebody = buyer.world.add_account(6, Role::Admin);
    let other = buyer.client.signed_in(somebody, Role::Admin);
    for (client, code) in [
        (other, "NOT_FOUND"),
        (Client::new(&buyer.world), "UNAUTHENTICATED"),
    ] {
        let events = client.watch(ORDER, json!({ "id": buyer.id })).await;
        let events: Vec<Value> = events.collect().await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["errors"][0]["extensions"]["code"], code);
    }
}

#[tokio::test]
async fn a_fault_is_said_once_and_the_order_comes_when_it_can_be_read() {
    let mut buyer = Buyer::new().await;
    buyer.client.set_away(true);
    buyer.world.write_order(buyer.order());
    let event = buyer.event().await;
    assert_eq!(event["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    buyer.sees_nothing().await;
    buyer.client.set_away(false);
    assert_eq!(buyer.state().await, "PENDING_PAYMENT");
}

#[tokio::test]
async fn what_happened_while_the_feed_was_interrupted_is_seen_afterwards() {
    let mut buyer = Buyer::new().await;
    buyer.world.write_order(buyer.order());
    // So many at once that the tail is left behind, and begins anew at the end.
    for number in 0..200 {
        let other = OrderId(Uuid::from_u128(number));
        buyer
            .world
            .tell(Event::of_order(other, 1, at(1), OrderEvent::Expired));
    }
    assert_eq!(buyer.state().await, "PENDING_PAYMENT");
    assert_eq!(buyer.world.asked("tail"), 2);
}
