//! What a Redis has to be to hold the gate: it must not forget what it confirmed.

use domain::Fault;
use redis::Value;

use super::Shared;
use crate::redis::connection::{Connection, fault};
use crate::redis::keys::ShardKeys;

const DOING: &str = "looking whether Redis can hold the gate";
/// The oldest major version whose scripts declare what they do.
const OLDEST: u32 = 7;

/// Looks at the primaries of all shards; whether they write everything down before they answer.
///
/// # Errors
/// One is too old, may evict, or takes writes without its replicas; the fault names the setting.
pub(super) async fn check(shared: &Shared) -> Result<bool, Fault> {
    let mut is_durable = true;
    for keys in &shared.shards {
        let info = Info::all(&shared.primary, keys).await?;
        if let Some(wrong) = info.unfit() {
            return Err(Fault::corrupt(DOING, wrong));
        }
        is_durable &= is_durable_at(&shared.primary, keys).await;
    }
    Ok(is_durable)
}

/// What Redis says of itself.
pub(super) struct Info(String);

impl Info {
    async fn all(on: &Connection, keys: &ShardKeys) -> Result<Self, Fault> {
        Self::ask(on, keys, &["server", "memory", "replication"]).await
    }

    pub async fn replication(on: &Connection, keys: &ShardKeys) -> Result<Self, Fault> {
        Self::ask(on, keys, &["replication"]).await
    }

    async fn ask(on: &Connection, keys: &ShardKeys, sections: &[&str]) -> Result<Self, Fault> {
        let mut ask = redis::cmd("INFO");
        ask.arg(sections);
        let answer = on.run_beside(&ask, &keys.state).await;
        match answer.map_err(|error| fault(DOING, error))? {
            Value::BulkString(text) => Ok(Self(String::from_utf8_lossy(&text).into_owned())),
            Value::VerbatimString { text, .. } => Ok(Self(text.clone())),
            _ => Err(Fault::corrupt(DOING, "it says nothing")),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut lines = self.0.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
    }

    /// Replicas that are connected.
    pub fn replicas(&self) -> u64 {
        let count = self.get("connected_slaves");
        count.and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    /// Why it can't hold the gate.
    fn unfit(&self) -> Option<String> {
        let version = self.get("redis_version").unwrap_or("unknown");
        let major = version
            .split('.')
            .next()
            .and_then(|major| major.parse().ok());
        if major.is_none_or(|major: u32| major < OLDEST) {
            return Some(format!(
                "its version is {version}; the gate needs {OLDEST}.0"
            ));
        }
        let policy = self.get("maxmemory_policy").unwrap_or("unknown");
        if policy != "noeviction" {
            return Some(format!(
                "maxmemory-policy is {policy}; it must be noeviction"
            ));
        }
        // Redis tells of good replicas only where some are needed for a write.
        if self.replicas() > 0 && self.get("min_slaves_good_slaves").is_none() {
            let missing = "min-replicas-to-write is 0; with replicas it must be at least 1";
            return Some(missing.to_owned());
        }
        None
    }
}

/// Whether every answer comes after its write is on disk. Where that can't be asked, it is not.
async fn is_durable_at(on: &Connection, keys: &ShardKeys) -> bool {
    let mut ask = redis::cmd("CONFIG");
    ask.arg("GET").arg("append*");
    let Ok(answer) = on.run_beside(&ask, &keys.state).await else {
        return false;
    };
    let settings: std::collections::HashMap<String, String> =
        redis::from_redis_value(answer).unwrap_or_default();
    let is = |name: &str, value: &str| settings.get(name).is_some_and(|set| set == value);
    is("appendonly", "yes") && is("appendfsync", "always")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unfit(text: &str) -> Option<String> {
        Info(text.replace('\n', "\r\n")).unfit()
    }

    #[test]
    fn a_fault_names_the_setting() {
        let sound = "redis_version:7.0.15\nmaxmemory_policy:noeviction\nconnected_slaves:0\n";
        assert_eq!(unfit(sound), None);
        let old = unfit(&sound.replace("7.0.15", "6.2.1")).unwrap();
        assert!(old.contains("6.2.1"), "{old}");
        let evicting = unfit(&sound.replace("noeviction", "allkeys-lru")).unwrap();
        assert!(evicting.contains("maxmemory-policy"), "{evicting}");
        let replicated = sound.replace("slaves:0", "slaves:2");
        let careless = unfit(&replicated).unwrap();
        assert!(careless.contains("min-replicas-to-write"), "{careless}");
        assert_eq!(
            unfit(&format!("{replicated}min_slaves_good_slaves:2\n")),
            None
        );
        assert!(unfit("").is_some());
    }
}
