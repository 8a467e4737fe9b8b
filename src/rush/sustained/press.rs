//! The crowd of a sustained rehearsal: a fixed number of connections, each of which orders again as
//! soon as it is answered, for a given time.
//!
//! It has one thread, whatever the machine has: it shares the processors with the shop that it
//! presses, and one thread without queues between tasks does the most for its time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use crate::rush::RushError;
use crate::rush::client::{NoAnswer, Token};
use crate::rush::endpoint::Nodes;
use crate::rush::requests::{Asked, Line};
use crate::rush::tally::{Fate, Latency, Tally};

use super::wire::Wire;

/// Who presses what, and for how long.
#[derive(Clone)]
pub struct Press {
    pub nodes: Nodes,
    /// At least one.
    pub buyers: Arc<Vec<Token>>,
    /// At least one; the orders of a connection take them in turn.
    pub items: Arc<Vec<String>>,
    pub quantity: u32,
    pub connections: usize,
    /// Before anything counts.
    pub warm_up: Duration,
    pub duration: Duration,
    /// For one answer.
    pub timeout: Duration,
    /// What idempotency keys are counted from.
    pub keys: Uuid,
    /// How many orders come a second, whatever becomes of those before; as many as are answered,
    /// when absent.
    pub offered: Option<u32>,
}

/// What came of it.
pub struct Pressed {
    /// What was answered within the time that counts.
    pub orders: Tally,
    /// Of orders and refusals.
    pub latency: Latency,
    /// Of faults: who is told to come again.
    pub turned_away: Latency,
    /// Orders accepted in each of its seconds.
    pub by_second: Vec<u64>,
    /// Accepted orders with their buyers, those of the warm-up too.
    pub accepted: Vec<(usize, String)>,
    /// Each connection's last accepted order, with its buyer.
    pub last: Vec<(usize, String)>,
}

/// When what is answered counts.
#[derive(Clone, Copy)]
pub struct Window {
    pub begin: Instant,
    pub end: Instant,
}

impl Window {
    /// The window that begins after the warm-up from now.
    pub fn of(press: &Press) -> Self {
        let begin = Instant::now() + press.warm_up;
        let end = begin + press.duration;
        Self { begin, end }
    }

    fn holds(&self, at: Instant) -> bool {
        self.begin <= at && at < self.end
    }
}

pub const SECOND: Duration = Duration::from_secs(1);
/// How long a connection pauses that got no answer, or a refusal that names no time.
const PAUSE: Duration = Duration::from_millis(50);

/// Presses until the window's end.
///
/// # Errors
/// There is no thread for it.
pub async fn run(press: Press, window: Window) -> Result<Pressed, RushError> {
    let wrong = |error: &dyn std::fmt::Display| RushError::new(format!("no crowd: {error}"));
    let latency = Latency::new().map_err(|error| wrong(&error))?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| wrong(&error))?;
    let crowd = move || runtime.block_on(all(press, window, latency));
    spawn_blocking(crowd).await.map_err(|error| wrong(&error))
}

async fn all(press: Press, window: Window, latency: Latency) -> Pressed {
    // All of them are on one thread; what each needs for itself would be too much for thousands.
    let all = Arc::new(Mutex::new(Pressed::new(latency, press.duration)));
    let came = Arc::new(AtomicU64::new(0));
    let mut connections = JoinSet::new();
    for number in 0..press.connections {
        let connection = Connection {
            wire: Wire::new(Arc::clone(press.nodes.of(number)), press.timeout),
            press: press.clone(),
            number,
            window,
            began: Instant::now(),
            came: Arc::clone(&came),
            pressed: Arc::clone(&all),
        };
        connections.spawn(connection.press());
    }
    connections.join_all().await;
    let mut all = lock(&all);
    let empty = Pressed {
        orders: Tally::default(),
        latency: all.latency.clone(),
        turned_away: all.turned_away.clone(),
        by_second: Vec::new(),
        accepted: Vec::new(),
        last: Vec::new(),
    };
    std::mem::replace(&mut all, empty)
}

fn lock(pressed: &Mutex<Pressed>) -> MutexGuard<'_, Pressed> {
    // A count is whole at any moment.
    pressed.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Connection {
    wire: Wire,
    press: Press,
    number: usize,
    window: Window,
    began: Instant,
    /// Orders that have come so far, over all connections.
    came: Arc<AtomicU64>,
    pressed: Arc<Mutex<Pressed>>,
}

impl Connection {
    async fn press(mut self) {
        let (mut order, mut last) = (0, None);
        loop {
            let due = self.due();
            if due >= self.window.end {
                break;
            }
            sleep_until(due).await;
            let buyer = self.press.buyer(self.number, order);
            let (accepted, pause) = self.order(order, buyer).await;
            last = accepted.or(last);
            match pause {
                // Whoever was turned away is not who comes next.
                Some(pause) if self.press.offered.is_none() => sleep(pause).await,
                _ => {}
            }
            order += 1;
        }
        lock(&self.pressed).last.extend(last);
    }

    /// When the next order comes.
    fn due(&self) -> Instant {
        let Some(offered) = self.press.offered else {
            return Instant::now();
        };
        let number = self.came.fetch_add(1, Ordering::Relaxed);
        let micros = u128::from(number) * 1_000_000 / u128::from(offered.max(1));
        self.began + Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// Places the connection's order of this number: what was accepted, with its buyer, and how
    /// long to wait before the next.
    async fn order(
        &mut self,
        order: usize,
        buyer: usize,
    ) -> (Option<(usize, String)>, Option<Duration>) {
        let items = &self.press.items;
        let lines = [Line {
            item_id: items[order % items.len()].clone(),
            quantity: self.press.quantity,
        }];
        let key = self.press.key(self.number, order);
        let token = &self.press.buyers[buyer];
        let begun = Instant::now();
        let asked = self.wire.place_order(token, key, &lines).await;
        let answered = Instant::now();
        let mut pressed = lock(&self.pressed);
        let counts = self.window.holds(answered);
        if counts {
            pressed.orders.requests += 1;
            match &asked {
                Ok(_) => pressed.latency.note(answered - begun),
                Err(NoAnswer::Fault { .. }) => pressed.turned_away.note(answered - begun),
                Err(NoAnswer::Transport(_)) => {}
            }
        }
        let (fate, accepted, pause) = match asked {
            Ok(Asked::Done { order, .. }) => (Fate::Accepted, Some((buyer, order.id)), None),
            Ok(Asked::Refused(errors)) => {
                let asked_for = errors.iter().filter_map(|error| error.retry_after_ms).max();
                let pause = asked_for.map_or(PAUSE, Duration::from_millis);
                (Fate::refused(&errors), None, Some(pause))
            }
            Err(no_answer) => (Fate::of(&no_answer), None, Some(PAUSE)),
        };
        pressed.accepted.extend(accepted.clone());
        if counts {
            if fate == Fate::Accepted {
                let second = (answered - self.window.begin).as_secs();
                let second = usize::try_from(second).unwrap_or(usize::MAX);
                if let Some(count) = pressed.by_second.get_mut(second) {
                    *count += 1;
                }
            }
            pressed.orders.note(fate);
        }
        (accepted, pause)
    }
}

impl Press {
    /// Whose turn it is. No two connections ever speak for one buyer, if there are enough buyers.
    fn buyer(&self, connection: usize, order: usize) -> usize {
        let buyers = self.buyers.len();
        let own = buyers.saturating_sub(connection).div_ceil(self.connections);
        if own == 0 {
            return connection % buyers;
        }
        connection + order % own * self.connections
    }

    /// One for each order of each connection, different in every run.
    fn key(&self, connection: usize, order: usize) -> Uuid {
        let number = (connection as u128) << 64 | order as u128;
        Uuid::from_u128(self.keys.as_u128().wrapping_add(number))
    }
}

impl Pressed {
    fn new(latency: Latency, duration: Duration) -> Self {
        let seconds = usize::try_from(duration.as_secs()).unwrap_or(0);
        Self {
            orders: Tally::default(),
            turned_away: latency.clone(),
            latency,
            by_second: vec![0; seconds],
            accepted: Vec::new(),
            last: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn press(buyers: usize, connections: usize) -> Press {
        let buyer = |number| Token::new(&format!("token-{number}")).unwrap();
        Press {
            nodes: Nodes::parse(&["http://127.0.0.1:1/".to_owned()]).unwrap(),
            buyers: Arc::new((0..buyers).map(buyer).collect()),
            items: Arc::new(vec!["item_1".to_owned()]),
            quantity: 1,
            connections,
            warm_up: Duration::ZERO,
            duration: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            keys: Uuid::max(),
            offered: None,
        }
    }

    #[test]
    fn every_buyer_has_one_connection() {
        for (buyers, connections) in [(10, 3), (3, 3), (100, 7)] {
            let press = press(buyers, connections);
            let mut all = HashSet::new();
            for connection in 0..connections {
                let own: HashSet<_> = (0..buyers)
                    .map(|order| press.buyer(connection, order))
                    .collect();
                assert!(own.iter().all(|buyer| all.insert(*buyer)), "{buyers}");
            }
            assert_eq!(all.len(), buyers);
        }
        assert_eq!(press(2, 3).buyer(2, 5), 0);
    }

    #[test]
    fn no_two_orders_have_one_key() {
        let press = press(1, 9);
        let keys = (0..9).flat_map(|connection| (0..99).map(move |order| (connection, order)));
        let keys: HashSet<_> = keys.map(|(c, order)| press.key(c, order)).collect();
        assert_eq!(keys.len(), 9 * 99);
    }
}
