//! What developer commands and tests share: real servers, started without a container engine.

pub mod services;

/// What went wrong in the words for the person at the terminal.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
