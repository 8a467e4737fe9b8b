//! How often something may be done.

use std::time::Duration;

use domain::policy::{self, RatePolicy};
use domain::rate::{LEAST_PER_MS, MOST_PER_MS, MOST_TIMES, Rate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How often each thing may be done, by the place it comes from, the address or the account.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    /// Letters with codes that are asked for.
    pub letters_per_peer: Often,
    pub letters_per_email: Often,
    /// Codes from letters that are tried.
    pub codes_per_peer: Often,
    pub codes_per_email: Often,
    /// Passwords that whoever is signed in types.
    pub passwords_per_account: Often,
    pub sign_in_per_peer: Often,
    pub sign_in_per_email: Often,
    pub refresh_per_peer: Often,
    /// On each node.
    pub orders_per_account: Often,
    /// Any request of somebody who is not signed in; on each node.
    pub anonymous_per_peer: Often,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            letters_per_peer: Often::times(30, Duration::from_mins(10)),
            letters_per_email: Often::times(10, Duration::from_hours(1)),
            codes_per_peer: Often::times(30, Duration::from_mins(10)),
            codes_per_email: Often::times(20, Duration::from_mins(10)),
            passwords_per_account: Often::times(20, Duration::from_mins(10)),
            sign_in_per_peer: Often::times(60, Duration::from_mins(1)),
            sign_in_per_email: Often::times(20, Duration::from_mins(10)),
            refresh_per_peer: Often::times(300, Duration::from_mins(1)),
            orders_per_account: Often::times(1_200, Duration::from_mins(1)),
            anonymous_per_peer: Often(None),
        }
    }
}

impl Rates {
    /// The same as rules.
    pub(super) fn policy(&self) -> RatePolicy {
        let at_the_door = |peer: &Often, email: &Often| policy::Rates {
            peer: peer.0,
            email: email.0,
            account: None,
        };
        let per_peer = |peer: &Often| policy::Rates {
            peer: peer.0,
            ..policy::Rates::default()
        };
        let per_account = |account: &Often| policy::Rates {
            account: account.0,
            ..policy::Rates::default()
        };
        RatePolicy {
            letters: at_the_door(&self.letters_per_peer, &self.letters_per_email),
            codes: at_the_door(&self.codes_per_peer, &self.codes_per_email),
            passwords: per_account(&self.passwords_per_account),
            sign_in: at_the_door(&self.sign_in_per_peer, &self.sign_in_per_email),
            refresh: per_peer(&self.refresh_per_peer),
            orders: per_account(&self.orders_per_account),
            requests: per_peer(&self.anonymous_per_peer),
        }
    }
}

/// A rate as people write it, `10/5m`, or `off`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Often(Option<Rate>);

impl Often {
    pub(super) fn times(times: u32, per: Duration) -> Self {
        Self(rate(times, per))
    }

    /// As a rate; nothing is as often as one likes.
    #[must_use]
    pub fn rate(self) -> Option<Rate> {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        if text.trim() == "off" {
            return Some(Self(None));
        }
        let (times, per) = text.split_once('/')?;
        let per = humantime::parse_duration(per.trim()).ok()?;
        rate(times.trim().parse().ok()?, per).map(|rate| Self(Some(rate)))
    }
}

fn rate(times: u32, per: Duration) -> Option<Rate> {
    Rate::new(times, u64::try_from(per.as_millis()).ok()?)
}

impl<'de> Deserialize<'de> for Often {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            let days = MOST_PER_MS / 86_400_000;
            let least = LEAST_PER_MS / 1_000;
            serde::de::Error::custom(format!(
                "`{text}` is no rate; write `10/5m`, 1 to {MOST_TIMES} times in {least}s to \
                 {days}days, or `off`"
            ))
        })
    }
}

impl Serialize for Often {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(rate) = self.0 else {
            return serializer.serialize_str("off");
        };
        let per = Duration::from_millis(rate.per_ms());
        let per = humantime::format_duration(per);
        serializer.collect_str(&format_args!("{}/{per}", rate.times()))
    }
}
