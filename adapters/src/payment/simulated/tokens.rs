//! What is left to chance, and comes out the same for the same payment: dice that are thrown by its
//! id.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use crate::config::Simulated;

/// Whether this shopper leaves the payment screen, or gives up while the payment is in progress.
pub fn abandons(settings: &Simulated, payment: Uuid) -> bool {
    let mut dice = dice(settings.seed, payment);
    dice.random_bool(settings.abandon_on_screen) || dice.random_bool(settings.abandon_in_progress)
}

/// Whether one of a share of all payments is this one. Shares of different `kind` are independent.
pub fn is_among(settings: &Simulated, share: f64, kind: u64, payment: Uuid) -> bool {
    let seed = settings.seed ^ kind.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    dice(seed, payment).random_bool(share)
}

fn dice(seed: u64, payment: Uuid) -> StdRng {
    let (high, low) = payment.as_u64_pair();
    StdRng::seed_from_u64(seed ^ high ^ low.rotate_left(32))
}
