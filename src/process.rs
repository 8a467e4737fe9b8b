//! How a process begins, where it needs servers, and how it ends.

use std::io::{IsTerminal as _, stdin};
use std::time::Duration;

use domain::{Fault, FaultKind};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Between two tries to reach a server.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// How often whoever waits says so.
const SAY_SO: Duration = Duration::from_secs(10);

/// Does what needs a server, again and again while that does not answer, for at most `limit`: where
/// everything is started at once, servers come after those who need them.
///
/// # Errors
/// The last fault, or the first that no waiting mends.
pub async fn patiently<T>(
    limit: Duration,
    server: &'static str,
    mut attempt: impl AsyncFnMut() -> Result<T, Fault>,
) -> Result<T, Fault> {
    let deadline = Instant::now() + limit;
    let mut say_so_at = Instant::now();
    loop {
        let fault = match attempt().await {
            Err(fault) if fault.kind == FaultKind::Unavailable => fault,
            done => return done,
        };
        let now = Instant::now();
        if now >= deadline {
            return Err(fault);
        }
        if now >= say_so_at {
            let cause = fault.detail();
            tracing::warn!(server, cause, "a server does not answer; waiting for it");
            say_so_at = now + SAY_SO;
        }
        sleep(TRY_AGAIN).await;
    }
}

/// A handler for one of the system's signals; from then on the process goes on when it comes.
///
/// # Errors
/// The system takes none.
pub fn listen(kind: SignalKind) -> Result<Signal, Fault> {
    signal(kind).map_err(|error| Fault::unavailable("listening to signals", error))
}

/// The terminal that a process was started at, if there was one.
#[derive(Clone, Copy)]
pub struct Terminal {
    was_there: bool,
}

impl Terminal {
    pub fn of_this_process() -> Self {
        Self {
            was_there: stdin().is_terminal(),
        }
    }

    /// Whether it was closed: a hang-up is then no message, but means that whoever sat there left.
    pub fn is_gone(self) -> bool {
        self.was_there && !stdin().is_terminal()
    }
}

/// The end of a process: first it says that it is leaving, then it stops.
#[derive(Clone)]
pub struct Ending {
    /// Cancelled by Ctrl-C, SIGTERM, or the end of the terminal.
    pub leaving: CancellationToken,
    /// Cancelled when the notice is over, or by a second signal.
    pub stop: CancellationToken,
}

impl Ending {
    /// Waits for the signal in the background. `notice` is the time from leaving to stopping.
    ///
    /// # Errors
    /// The system takes no handler for its signals.
    pub fn on_signal(notice: Duration) -> Result<Self, Fault> {
        let signals = Signals {
            interrupts: listen(SignalKind::interrupt())?,
            terminations: listen(SignalKind::terminate())?,
            hangups: listen(SignalKind::hangup())?,
            terminal: Terminal::of_this_process(),
        };
        let ending = Self {
            leaving: CancellationToken::new(),
            stop: CancellationToken::new(),
        };
        tokio::spawn(ending.clone().wait(notice, signals));
        Ok(ending)
    }

    async fn wait(self, notice: Duration, mut signals: Signals) {
        signals.say_to_end().await;
        self.leaving.cancel();
        tokio::select! { () = sleep(notice) => {}, () = signals.say_to_end() => {} }
        self.stop.cancel();
    }

    /// What `start` brings, or nothing if the signal comes first.
    pub async fn unless_leaving<T>(&self, start: impl Future<Output = T>) -> Option<T> {
        self.leaving.run_until_cancelled(start).await
    }
}

struct Signals {
    interrupts: Signal,
    terminations: Signal,
    hangups: Signal,
    terminal: Terminal,
}

impl Signals {
    async fn say_to_end(&mut self) {
        loop {
            tokio::select! {
                _ = self.interrupts.recv() => return,
                _ = self.terminations.recv() => return,
                _ = self.hangups.recv() => if self.terminal.is_gone() { return },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> Fault {
        Fault::unavailable("asking", "nobody is there")
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_is_waited_for_as_long_as_it_may_take() {
        let begin = Instant::now();
        let mut tries = 0;
        let come = patiently(Duration::from_mins(1), "redis", async || {
            tries += 1;
            if tries < 5 { Err(away()) } else { Ok(tries) }
        });
        assert_eq!(come.await.unwrap(), 5);
        assert_eq!(begin.elapsed(), Duration::from_secs(4));

        let begin = Instant::now();
        let in_vain = patiently(Duration::from_mins(1), "redis", async || {
            Err::<(), _>(away())
        });
        assert_eq!(in_vain.await.unwrap_err().kind, FaultKind::Unavailable);
        assert_eq!(begin.elapsed(), Duration::from_mins(1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_no_waiting_mends_is_told_at_once() {
        let begin = Instant::now();
        let wrong = async || Err::<(), _>(Fault::corrupt("asking", "it is another's"));
        let told = patiently(Duration::from_mins(1), "redis", wrong).await;
        assert_eq!(told.unwrap_err().kind, FaultKind::Corrupt);
        assert_eq!(begin.elapsed(), Duration::ZERO);
    }
}
