//! What the shops of these tests work over.

use std::sync::Arc;

use adapters::clock::SystemClock;
use adapters::embedded::log::SqliteLog;
use domain::ports::Log;

use crate::support::{Engines, Shop};

/// Nothing but their own process.
pub fn of(_settings: &[(&str, &str)]) -> Engines {
    Engines(Vec::new())
}

/// The log of a shop that is closed.
pub async fn log(shop: &Shop) -> Box<dyn Log> {
    let path = shop.data().join("log.db");
    let log = SqliteLog::open(&path, 1, Arc::new(SystemClock)).await;
    Box::new(log.map_err(|fault| fault.detail()).unwrap())
}
