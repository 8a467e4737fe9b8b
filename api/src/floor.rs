//! The floor that `placeOrder` is measured against: the same request, answered by async-graphql and
//! axum as they come. Nothing is checked, taken or written down.

use async_graphql::{
    EmptySubscription, ID, InputObject, Interface, Object, Request, Response, Schema, SimpleObject,
};
use axum::extract::State;
use axum::routing::post;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use tokio::net::TcpListener;

/// Serves it on `listener` until the process ends.
///
/// # Errors
/// The listener's.
pub async fn serve(listener: TcpListener) -> std::io::Result<()> {
    let router = Router::new()
        .route("/graphql", post(execute))
        .with_state(Plain::new(Nothing, Floor, EmptySubscription));
    // As the real server does; one connection that can't be set so changes nothing.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router).await
}

type Plain = Schema<Nothing, Floor, EmptySubscription>;

async fn execute(State(schema): State<Plain>, Json(request): Json<Request>) -> Json<Response> {
    Json(schema.execute(request).await)
}

/// Every schema has a query.
struct Nothing;

#[Object]
impl Nothing {
    async fn nothing(&self) -> bool {
        false
    }
}

struct Floor;

#[Object]
impl Floor {
    /// Takes the key for an order's id: the answer is as long as a real one.
    async fn place_order(&self, input: PlaceOrderInput) -> PlaceOrderPayload {
        let digits = input.idempotency_key.chars().filter(|c| *c != '-').take(26);
        PlaceOrderPayload {
            order: Some(Order {
                id: ID(format!("order_{}", digits.collect::<String>())),
                state: "ACCEPTED",
            }),
            replayed: input.lines.is_empty(),
            user_errors: Vec::new(),
        }
    }
}

#[derive(InputObject)]
struct PlaceOrderInput {
    idempotency_key: String,
    lines: Vec<OrderLineInput>,
}

#[derive(InputObject)]
struct OrderLineInput {
    item_id: ID,
    quantity: i32,
}

#[derive(SimpleObject)]
struct PlaceOrderPayload {
    order: Option<Order>,
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct Order {
    id: ID,
    state: &'static str,
}

/// What the crowd's document asks of refusals; there are none.
#[derive(Interface)]
#[allow(
    clippy::duplicated_attributes,
    reason = "two fields are of the same type"
)]
#[graphql(
    field(name = "code", ty = "&String"),
    field(name = "message", ty = "&String"),
    field(name = "field", ty = "&Option<Vec<String>>")
)]
enum UserError {
    TryAgain(TryAgain),
    RateLimited(RateLimited),
}

macro_rules! refusals {
    ($($name:ident),*) => {$(
        #[derive(SimpleObject)]
        struct $name {
            code: String,
            message: String,
            field: Option<Vec<String>>,
            retry_after_ms: i32,
        }
    )*};
}
refusals!(TryAgain, RateLimited);
