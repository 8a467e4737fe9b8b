//! Waiting for another process: there is nothing to be notified by, so it is asked again and again.

use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::Failure;

/// How long between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks until the answer is yes; the last *no* when `limit` has passed.
#[allow(
    clippy::disallowed_methods,
    reason = "a tool that waits for real processes: no runtime, no clock to move"
)]
pub fn until<Yes, No: Display>(
    what: &str,
    limit: Duration,
    mut ask: impl FnMut() -> Result<Yes, No>,
) -> Result<Yes, Failure> {
    let begun = Instant::now();
    loop {
        match ask() {
            Ok(yes) => return Ok(yes),
            Err(no) if begun.elapsed() > limit => {
                return Err(format!("{what}: not within {limit:?}: {no}").into());
            }
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_yes_ends_it() {
        let mut asked = 0;
        let outcome = until("x", Duration::from_mins(1), || {
            asked += 1;
            if asked < 3 { Err("no") } else { Ok(asked) }
        });
        assert_eq!(outcome.unwrap(), 3);
    }

    #[test]
    fn the_last_no_is_told() {
        let failure =
            until("the moon", Duration::ZERO, || Err::<(), _>("still green")).unwrap_err();
        assert_eq!(failure.to_string(), "the moon: not within 0ns: still green");
    }
}
