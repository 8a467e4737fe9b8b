//! What the shops of these tests work over.

use crate::support::Engines;

/// Nothing but their own process.
pub fn of(_settings: &[(&str, &str)]) -> Engines {
    Engines(Vec::new())
}
