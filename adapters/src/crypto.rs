//! Secrets: what is sealed at rest, hashed, or signed.

pub mod digests;
mod ed25519;
pub mod keyring;
mod live;
pub mod passwords;
pub mod rotation;
pub mod tokens;
pub mod vault;

pub use digests::KeyedDigests;
pub use keyring::Keyring;
pub use live::LiveKeys;
pub use passwords::Argon2Passwords;
pub use tokens::JwtTokens;
pub use vault::Vault;
