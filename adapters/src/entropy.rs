//! Random bytes from the operating system.

use domain::ports::Entropy;
use rand::TryRng;
use rand::rngs::SysRng;

/// The operating system's generator, good enough for secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    /// # Panics
    /// When the operating system has no randomness to give: nothing that needs a secret or a fresh
    /// id may go on then.
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = SysRng.try_fill_bytes(bytes) {
            panic!("the operating system gives no random bytes: {error}");
        }
    }
}
