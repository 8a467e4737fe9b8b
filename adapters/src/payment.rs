//! Payment providers.

pub mod simulated;

pub use simulated::SimulatedProvider;
