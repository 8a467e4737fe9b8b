//! How often something may be done, and whose doing is counted together.
//!
//! The counting is the Generic Cell Rate Algorithm, the virtual scheduling form of ITU-T I.371: a
//! bucket of so many that fills evenly, kept as one instant, the one at which it will be full. What
//! is refused takes nothing.

use std::net::{IpAddr, Ipv6Addr};

use crate::AccountId;
use crate::account::Email;
use crate::ports::Digests;

/// The most times that a rate can say, so that a microsecond is always fine enough.
pub const MOST_TIMES: u32 = 100_000;
/// The shortest and the longest time that a rate can be about, in milliseconds: a second, 31 days.
pub const LEAST_PER_MS: u64 = 1_000;
pub const MOST_PER_MS: u64 = 31 * 24 * 60 * 60 * 1_000;

/// So many times at once, and as many again over so long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    times: u32,
    per_ms: u64,
}

impl Rate {
    /// `times` in every `per_ms` milliseconds. Nothing where one of them is out of bounds.
    #[must_use]
    pub fn new(times: u32, per_ms: u64) -> Option<Self> {
        let sound =
            (1..=MOST_TIMES).contains(&times) && (LEAST_PER_MS..=MOST_PER_MS).contains(&per_ms);
        sound.then_some(Self { times, per_ms })
    }

    /// How many at once.
    #[must_use]
    pub fn times(self) -> u32 {
        self.times
    }

    /// How long until as many again, in milliseconds.
    #[must_use]
    pub fn per_ms(self) -> u64 {
        self.per_ms
    }

    /// After how many microseconds there is one more.
    #[must_use]
    pub fn interval_us(self) -> u64 {
        self.per_ms * 1_000 / u64::from(self.times)
    }

    /// Takes one at `now_us` from a bucket that will be full at `full_us`: when it will be full
    /// then.
    ///
    /// # Errors
    /// It is empty; in how many microseconds there is one.
    pub fn take(self, full_us: u64, now_us: u64) -> Result<u64, u64> {
        let interval = self.interval_us();
        let whole = interval * u64::from(self.times);
        // No bucket is emptier than empty, whatever rate or clock it was taken from before.
        let full = full_us.clamp(now_us, now_us + whole);
        let wait = (full + interval).saturating_sub(now_us + whole);
        if wait == 0 {
            Ok(full + interval)
        } else {
            Err(wait)
        }
    }
}

/// What is limited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// A request for a letter with a code.
    RequestCode,
    /// A try with a code from a letter.
    TryCode,
    /// A try with a password by whoever is signed in.
    TryPassword,
    SignIn,
    RefreshSession,
    PlaceOrder,
    /// Any request of somebody who is not signed in.
    Request,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::RequestCode => "letter",
            Self::TryCode => "code",
            Self::TryPassword => "password",
            Self::SignIn => "sign-in",
            Self::RefreshSession => "refresh",
            Self::PlaceOrder => "order",
            Self::Request => "request",
        }
    }

    fn reach(self) -> Reach {
        match self {
            // In the way of everybody: it must not cost a question to anybody else.
            Self::PlaceOrder | Self::Request => Reach::Node,
            Self::RequestCode
            | Self::TryCode
            | Self::TryPassword
            | Self::SignIn
            | Self::RefreshSession => Reach::Shop,
        }
    }
}

/// Over what a bucket is counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reach {
    /// Over all processes of the shop.
    Shop,
    /// On each node for itself.
    Node,
}

/// From where a request comes, as far as it can be told apart: an address of IPv4, a network of
/// IPv6, whose subscriber has all of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Peer(IpAddr);

impl Peer {
    /// Whose address this is.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Self(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
            }
            v4 @ IpAddr::V4(_) => Self(v4),
        }
    }
}

/// What is counted together. Says nothing of anybody: addresses are digests in it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Bucket {
    key: String,
    reach: Reach,
}

/// Of how many hexadecimal digits of a digest a bucket is named: 128 bits.
const DIGITS: usize = 32;

impl Bucket {
    /// What one account does.
    #[must_use]
    pub fn of_account(action: Action, account: AccountId) -> Self {
        Self::new(action, "account", &account.0.simple().to_string())
    }

    /// What is done with one e-mail address, whether or not somebody has an account there.
    #[must_use]
    pub fn of_email(action: Action, email: &Email, digests: &dyn Digests) -> Self {
        let digest = digests.digest("rate-of-email", email.as_str());
        Self::new(action, "email", &digest)
    }

    /// What comes from one place.
    #[must_use]
    pub fn of_peer(action: Action, peer: Peer, digests: &dyn Digests) -> Self {
        let digest = digests.digest("rate-of-peer", &peer.0.to_string());
        Self::new(action, "peer", &digest)
    }

    fn new(action: Action, whose: &str, name: &str) -> Self {
        let name = name.get(..DIGITS).unwrap_or(name);
        Self {
            key: format!("{}:{whose}:{name}", action.name()),
            reach: action.reach(),
        }
    }

    /// Its name, unlike any other's: at most 64 letters, digits, hyphens and colons.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Over what it is counted.
    #[must_use]
    pub fn reach(&self) -> Reach {
        self.reach
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    #[test]
    fn so_many_at_once_and_then_one_at_a_time() {
        let rate = Rate::new(4, 60_000).unwrap();
        let now = 1_000 * SECOND;
        let mut full = 0;
        for taken in 1..=4 {
            full = rate.take(full, now).unwrap();
            assert_eq!(full, now + taken * 15 * SECOND);
        }
        assert_eq!(rate.take(full, now), Err(15 * SECOND));
        assert_eq!(rate.take(full, now + 14 * SECOND), Err(SECOND));
        let full = rate.take(full, now + 15 * SECOND).unwrap();
        assert_eq!(rate.take(full, now + 15 * SECOND), Err(15 * SECOND));
        // After as long as it is about, all of them.
        let later = now + 75 * SECOND;
        let taken = std::iter::successors(rate.take(full, later).ok(), |full| {
            rate.take(*full, later).ok()
        });
        assert_eq!(taken.count(), 4);
    }

    #[test]
    fn a_bucket_of_another_rate_or_clock_keeps_nobody_waiting_longer() {
        let rate = Rate::new(1, 10_000).unwrap();
        let now = 1_000 * SECOND;
        assert_eq!(rate.take(now + 3_600 * SECOND, now), Err(10 * SECOND));
    }

    #[test]
    fn a_rate_is_exact_at_its_bounds() {
        assert!(Rate::new(0, 1_000).is_none() && Rate::new(MOST_TIMES + 1, 1_000).is_none());
        assert!(Rate::new(1, 999).is_none() && Rate::new(1, MOST_PER_MS + 1).is_none());
        let fast = Rate::new(MOST_TIMES, LEAST_PER_MS).unwrap();
        let mut full = 0;
        for _ in 0..MOST_TIMES {
            full = fast.take(full, SECOND).unwrap();
        }
        assert_eq!(fast.take(full, SECOND), Err(10));
        // What does not divide evenly is no more than what was said.
        let odd = Rate::new(7, 1_000).unwrap();
        let taken = std::iter::successors(odd.take(0, SECOND).ok(), |full| {
            odd.take(*full, SECOND).ok()
        });
        assert_eq!(taken.count(), 7);
    }

    #[test]
    fn a_subscriber_of_ipv6_is_one_peer() {
        let peer = |text: &str| Peer::of(text.parse().unwrap());
        assert_eq!(peer("2001:db8:1:2::3"), peer("2001:db8:1:2:ffff::"));
        assert_ne!(peer("2001:db8:1:2::3"), peer("2001:db8:1:3::3"));
        assert_eq!(peer("::ffff:192.0.2.7"), peer("192.0.2.7"));
        assert_ne!(peer("192.0.2.7"), peer("192.0.2.8"));
    }
}
