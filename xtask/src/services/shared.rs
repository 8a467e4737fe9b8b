//! One set of servers for everybody: started once, found through a file.

mod addresses;
mod record;

use std::path::{Path, PathBuf};

pub use self::addresses::{Addresses, Cluster, Log, RedisAddresses, Sentinel, Url};

use self::record::{Record, Running};
use super::home::{Home, Lifetime};
use super::redis::{Keep, PRIMARY};
use super::server::{Probe, Server};
use super::{
    Kafka, MariaDb, Postgres, Redis, RedisCluster, RedisSentinel, kafka, mariadb, packages,
    postgres,
};
use crate::Failure;

/// A service of the set, running.
enum Service {
    Redis(Redis),
    Sentinel(RedisSentinel),
    Cluster(RedisCluster),
    Kafka(Kafka),
    MariaDb(MariaDb),
    Postgres(Postgres),
}

/// What can be started: its name, how, and how one of its servers is asked whether it is there.
struct Kind {
    name: &'static str,
    launch: fn(Lifetime) -> Result<Service, Failure>,
    probe: Probe,
}

/// In the order in which they are shown. Kafka takes longest, so it begins first.
const KINDS: [Kind; 6] = [
    Kind {
        name: "kafka",
        launch: |lifetime| Kafka::launch_for(lifetime).map(Service::Kafka),
        probe: kafka::unfenced,
    },
    Kind {
        name: "redis.standalone",
        // As in production, so that what is measured with it counts.
        launch: |lifetime| Redis::launch_for(lifetime, Keep::AppendOnly).map(Service::Redis),
        probe: super::redis::ping,
    },
    Kind {
        name: "redis.sentinel",
        launch: |lifetime| RedisSentinel::launch_for(lifetime).map(Service::Sentinel),
        probe: super::redis::ping,
    },
    Kind {
        name: "redis.cluster",
        launch: |lifetime| RedisCluster::launch_for(lifetime).map(Service::Cluster),
        probe: super::redis::ping,
    },
    Kind {
        name: "mariadb",
        launch: |lifetime| MariaDb::launch_for(lifetime).map(Service::MariaDb),
        probe: mariadb::greets,
    },
    Kind {
        name: "postgresql",
        launch: |lifetime| Postgres::launch_for(lifetime).map(Service::Postgres),
        probe: postgres::is_ready,
    },
];

impl Service {
    fn home(&self) -> &Home {
        match self {
            Self::Redis(redis) => &redis.home,
            Self::Sentinel(set) => &set.home,
            Self::Cluster(cluster) => &cluster.home,
            Self::Kafka(kafka) => &kafka.home,
            Self::MariaDb(database) => &database.home,
            Self::Postgres(database) => &database.home,
        }
    }

    fn servers(&mut self) -> Vec<&mut Server> {
        match self {
            Self::Redis(redis) => vec![redis],
            Self::Sentinel(set) => set.servers(),
            Self::Cluster(cluster) => cluster.servers(),
            Self::Kafka(kafka) => vec![kafka],
            Self::MariaDb(database) => vec![database],
            Self::Postgres(database) => vec![database],
        }
    }

    fn tell(&self, addresses: &mut Addresses) {
        match self {
            Self::Redis(redis) => addresses.redis.standalone = Some(Url { url: redis.url() }),
            Self::Sentinel(set) => {
                addresses.redis.sentinel = Some(Sentinel {
                    sentinels: set.sentinels(),
                    primary: PRIMARY.to_owned(),
                });
            }
            Self::Cluster(cluster) => {
                addresses.redis.cluster = Some(Cluster {
                    nodes: cluster.urls(),
                });
            }
            Self::Kafka(kafka) => {
                addresses.kafka = Some(Log {
                    brokers: kafka.brokers(),
                });
            }
            Self::MariaDb(database) => {
                addresses.mariadb = Some(Url {
                    url: database.url(),
                });
            }
            Self::Postgres(database) => {
                addresses.postgresql = Some(Url {
                    url: database.url(),
                });
            }
        }
    }
}

/// What one call of [`up`](Set::up) started. With [`Lifetime::Ours`] it ends with this value, or
/// with this process.
pub struct Set {
    file: PathBuf,
    services: Vec<(&'static str, Service)>,
    /// Everything that runs now, whoever started it.
    pub addresses: Addresses,
    /// What could not be started, each with its name and reason.
    pub failures: Vec<String>,
}

impl Set {
    /// Starts what does not run yet, and writes where everything is. A service that lost one of its
    /// processes is ended and started anew.
    pub fn up(lifetime: Lifetime) -> Result<Self, Failure> {
        Self::up_in(Addresses::file(), &KINDS, lifetime)
    }

    fn up_in(file: PathBuf, kinds: &[Kind], lifetime: Lifetime) -> Result<Self, Failure> {
        let _lock = packages::lock(&file)?;
        let mut record = Record::read(&file)?;
        for Kind { name, .. } in kinds {
            let running = record.running.get(*name);
            if running.is_some_and(|service| !service.lives()) {
                record.end(name)?;
            }
        }
        let mut set = Self {
            file,
            services: Vec::new(),
            addresses: Addresses::default(),
            failures: Vec::new(),
        };
        for (name, launched) in launch_missing(&record, kinds, lifetime) {
            match launched.and_then(|service| enter(&mut record, name, service)) {
                Ok(service) => set.services.push((name, service)),
                Err(failure) => set.failures.push(format!("{name} is not up: {failure}")),
            }
        }
        record.write(&set.file)?;
        set.addresses = record.addresses;
        if lifetime == Lifetime::Lasting {
            for (_, mut service) in set.services.drain(..) {
                service.servers().into_iter().for_each(Server::release);
            }
        }
        Ok(set)
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        let names: Vec<_> = self.services.drain(..).map(|(name, _)| name).collect();
        if names.is_empty() {
            return;
        }
        let forgotten = packages::lock(&self.file).and_then(|_lock| {
            let mut record = Record::read(&self.file)?;
            for name in names {
                record.end(name)?;
            }
            record.write(&self.file)
        });
        if let Err(failure) = forgotten {
            eprintln!("services: {failure}");
        }
    }
}

fn launch_missing(
    record: &Record,
    kinds: &[Kind],
    lifetime: Lifetime,
) -> Vec<(&'static str, Result<Service, Failure>)> {
    let missing = kinds
        .iter()
        .filter(|kind| !record.running.contains_key(kind.name));
    std::thread::scope(|scope| {
        let launches: Vec<_> = missing
            .map(|kind| (kind.name, scope.spawn(|| (kind.launch)(lifetime))))
            .collect();
        let ended = launches.into_iter().map(|(name, launch)| {
            let launched = launch.join();
            (
                name,
                launched.unwrap_or_else(|_| Err("its start panicked".into())),
            )
        });
        ended.collect()
    })
}

fn enter(record: &mut Record, name: &str, mut service: Service) -> Result<Service, Failure> {
    let folder = service.home().path().to_owned();
    let servers = service.servers();
    let servers: Vec<_> = servers.iter().map(|server| &**server).collect();
    let running = Running::new(&folder, &servers)?;
    record.running.insert(name.to_owned(), running);
    service.tell(&mut record.addresses);
    Ok(service)
}

/// Ends everything that [`Set::up`] wrote down, and nothing else; the names of what it ended.
pub fn down() -> Result<Vec<String>, Failure> {
    down_in(&Addresses::file())
}

fn down_in(file: &Path) -> Result<Vec<String>, Failure> {
    let _lock = packages::lock(file)?;
    let mut record = Record::read(file)?;
    let names: Vec<_> = record.running.keys().cloned().collect();
    let mut failures = Vec::new();
    for name in &names {
        if let Err(failure) = record.end(name) {
            failures.push(format!("{name}: {failure}"));
        }
    }
    record.write(file)?;
    if failures.is_empty() {
        Ok(names)
    } else {
        Err(failures.join("\n").into())
    }
}

/// One line a server: what it is, and whether it answers.
pub struct Answer {
    pub service: &'static str,
    pub server: String,
    /// Missing for a service that was never started.
    pub pid: Option<u32>,
    /// Why it does not answer.
    pub answers: Result<(), String>,
}

/// Asks every server of the set.
pub fn status() -> Result<Vec<Answer>, Failure> {
    status_in(&Addresses::file(), &KINDS)
}

fn status_in(file: &Path, kinds: &[Kind]) -> Result<Vec<Answer>, Failure> {
    let record = Record::read(file)?;
    let mut answers = Vec::new();
    for kind in kinds {
        let Some(running) = record.running.get(kind.name) else {
            answers.push(Answer {
                service: kind.name,
                server: String::new(),
                pid: None,
                answers: Err("not started".into()),
            });
            continue;
        };
        for server in &running.servers {
            let answer = if server.lives() {
                (kind.probe)(server.port)
            } else {
                Err("it has ended".into())
            };
            answers.push(Answer {
                service: kind.name,
                server: format!("{} on port {}", server.name, server.port),
                pid: Some(server.pid),
                answers: answer,
            });
        }
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::services::{process, wait};

    fn one_kind() -> &'static [Kind] {
        let redis = KINDS
            .iter()
            .position(|kind| kind.name == "redis.standalone");
        std::slice::from_ref(&KINDS[redis.unwrap()])
    }

    fn pid(file: &Path) -> u32 {
        Record::read(file).unwrap().running["redis.standalone"].servers[0].pid
    }

    fn answers(file: &Path) -> bool {
        let answers = status_in(file, one_kind()).unwrap();
        answers.iter().all(|answer| answer.answers.is_ok())
    }

    #[test]
    fn a_set_that_lasts_is_kept_mended_and_ended() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services.json");
        assert!(!answers(&file), "nothing is up");
        let up = || Set::up_in(file.clone(), one_kind(), Lifetime::Lasting).unwrap();
        let first = up().addresses.clone();
        assert!(answers(&file));
        let (begun, home) = (pid(&file), home(&file));
        assert_eq!(up().addresses, first);
        assert_eq!(pid(&file), begun, "what runs is left alone");

        process::signal(begun, "KILL").unwrap();
        wait::until("its end", Duration::from_secs(30), || {
            if answers(&file) {
                Err("it answers")
            } else {
                Ok(())
            }
        })
        .unwrap();
        up();
        assert!(answers(&file));
        assert!(!home.exists(), "what is left of the first one is gone");

        assert_eq!(down_in(&file).unwrap(), ["redis.standalone"]);
        assert!(!file.exists());
        assert!(!answers(&file));
        assert_eq!(down_in(&file).unwrap(), [""; 0]);
    }

    #[test]
    fn a_set_of_ours_ends_with_its_value() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services.json");
        let set = Set::up_in(file.clone(), one_kind(), Lifetime::Ours).unwrap();
        assert!(set.failures.is_empty());
        let home = home(&file);
        assert!(answers(&file));
        drop(set);
        assert!(!file.exists());
        assert!(!home.exists());
    }

    #[test]
    fn what_can_not_be_started_is_named_and_the_rest_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services.json");
        let [Kind { launch, probe, .. }] = *one_kind() else {
            panic!("one kind");
        };
        let kinds = [
            Kind {
                name: "redis.standalone",
                launch,
                probe,
            },
            Kind {
                name: "kafka",
                launch: |_| Err("no Java".into()),
                probe,
            },
        ];
        let set = Set::up_in(file.clone(), &kinds, Lifetime::Ours).unwrap();
        assert_eq!(set.failures, ["kafka is not up: no Java"]);
        assert!(set.addresses.redis.standalone.is_some());
        assert_eq!(set.addresses.kafka, None);
    }

    fn home(file: &Path) -> PathBuf {
        Record::read(file).unwrap().running["redis.standalone"]
            .folder
            .clone()
    }
}
