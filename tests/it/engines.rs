//! What the shops of these tests work over.

use crate::support::{Engines, Shop};

/// Nothing but their own process.
pub fn of(_settings: &[(&str, &str)]) -> Engines {
    Engines(Vec::new())
}

/// All that the shop has in its files.
pub fn at_rest(shop: &Shop) -> Vec<u8> {
    let mut seen = Vec::new();
    for file in std::fs::read_dir(shop.data()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            seen.extend(std::fs::read(path).unwrap());
        }
    }
    seen
}
