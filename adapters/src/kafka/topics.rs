//! Making the topics, and telling where those that are there differ from what is wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::Fault;
use domain::message::Topic;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::MetadataTopic;

use super::client::{Quiet, blocking, fault};
use super::inquiry::Inquiry;
use super::names::Names;
use super::settings::KafkaSettings;

const DOING: &str = "making the topics of the log";
/// How long brokers may take until all of them know a new topic.
const KNOWN_WITHIN: Duration = Duration::from_mins(1);
/// How long they may take to make or delete some.
const DONE_WITHIN: Duration = Duration::from_secs(30);
/// Who looks after the shop reads the dead letters whenever there are any; there is one order among
/// them.
const DEAD_LETTER_PARTITIONS: u16 = 1;

/// What became of the topics.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Topics {
    /// Names of those that were not there.
    pub created: Vec<String>,
    /// What differs in those that were; nothing is changed in them.
    pub differences: Vec<Difference>,
}

/// A topic that is there, but not as it is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    pub topic: String,
    /// `partitions`, `replication`, or the topic setting's own name.
    pub setting: &'static str,
    pub wanted: String,
    pub found: String,
}

/// How a topic is wanted.
struct Wanted {
    name: String,
    partitions: u16,
    settings: BTreeMap<&'static str, String>,
}

/// Makes the topics that are missing. Those that are there are left as they are: a partition more
/// would send a key's records elsewhere, a shorter retention would delete some.
///
/// # Errors
/// Settings that make no sense, brokers that can't be reached or refuse.
pub async fn create_topics(settings: &KafkaSettings) -> Result<Topics, Fault> {
    settings.check()?;
    let names = Arc::new(Names::new(&settings.namespace));
    let wanted = wanted(settings, &names);
    let admin = admin(settings)?;
    let new: Vec<_> = wanted
        .iter()
        .map(|wanted| {
            let replication = TopicReplication::Fixed(settings.replication.into());
            let new = NewTopic::new(&wanted.name, wanted.partitions.into(), replication);
            let all = wanted.settings.iter();
            all.fold(new, |new, (key, value)| new.set(key, value))
        })
        .collect();
    let made = admin.create_topics(&new, &options()).await;
    let mut topics = Topics::default();
    for made in made.map_err(fault(DOING))? {
        match made {
            Ok(name) => topics.created.push(name),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, error)) => {
                return Err(Fault::unavailable(DOING, format!("{name}: {error}")));
            }
        }
    }
    let inquiry = Inquiry::new(settings.clone(), names)?;
    wait_until_known(&inquiry).await?;
    let created: BTreeSet<_> = topics.created.iter().cloned().collect();
    let old = wanted
        .iter()
        .filter(|wanted| !created.contains(&wanted.name));
    topics.differences = differences(&admin, settings, &old.collect::<Vec<_>>()).await?;
    Ok(topics)
}

/// Removes every topic of a namespace, with all that is in them: for tests, and for shops that have
/// closed for good.
///
/// # Errors
/// Brokers that can't be reached or refuse.
pub async fn delete_topics(settings: &KafkaSettings) -> Result<(), Fault> {
    let names = Names::new(&settings.namespace);
    let all: Vec<_> = names.all().collect();
    let admin = admin(settings)?;
    let deleted = admin.delete_topics(&all, &options()).await;
    for deleted in deleted.map_err(fault("deleting topics"))? {
        match deleted {
            Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
            Err((name, error)) => {
                return Err(Fault::unavailable(
                    "deleting topics",
                    format!("{name}: {error}"),
                ));
            }
        }
    }
    Ok(())
}

fn admin(settings: &KafkaSettings) -> Result<Arc<AdminClient<Quiet>>, Fault> {
    let admin = settings.client().create_with_context(Quiet);
    admin.map(Arc::new).map_err(fault(DOING))
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(DONE_WITHIN))
        .operation_timeout(Some(DONE_WITHIN / 2))
}

fn wanted(settings: &KafkaSettings, names: &Names) -> Vec<Wanted> {
    let of = |retention_ms: String| {
        BTreeMap::from([
            ("cleanup.policy", "delete".to_owned()),
            ("min.insync.replicas", settings.min_insync.to_string()),
            ("retention.ms", retention_ms),
            // A replica that missed confirmed records must never lead.
            ("unclean.leader.election.enable", "false".to_owned()),
        ])
    };
    let mut wanted: Vec<_> = Topic::ALL
        .into_iter()
        .map(|topic| Wanted {
            name: names.of(topic).to_owned(),
            partitions: settings.partitions,
            settings: of(settings.retention.as_millis().to_string()),
        })
        .collect();
    wanted.push(Wanted {
        name: names.dead_letters.clone(),
        partitions: DEAD_LETTER_PARTITIONS,
        // Until somebody has looked.
        settings: of("-1".to_owned()),
    });
    wanted
}

async fn wait_until_known(inquiry: &Inquiry) -> Result<(), Fault> {
    let known = async {
        loop {
            // Known is not yet led: the ends of all partitions have to be told.
            if matches!(inquiry.missing().await, Ok(missing) if missing.is_empty())
                && inquiry.ends(&Topic::ALL).await.is_ok()
                && inquiry.dead_letters().await.is_ok()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let known = tokio::time::timeout(KNOWN_WITHIN, known).await;
    known.map_err(|late| Fault::unavailable(DOING, late))
}

async fn differences(
    admin: &Arc<AdminClient<Quiet>>,
    settings: &KafkaSettings,
    topics: &[&Wanted],
) -> Result<Vec<Difference>, Fault> {
    let mut differences = Vec::new();
    for wanted in topics {
        let (asker, name, limit) = (admin.clone(), wanted.name.clone(), settings.query_timeout);
        let metadata = blocking(DOING, move || {
            asker.inner().fetch_metadata(Some(&name), limit)
        });
        let metadata = metadata.await?;
        let mut found = metadata.topics().iter();
        let found = found.find(|found| found.name() == wanted.name);
        let mut compare = |setting, wanted_value: String, found: String| {
            if wanted_value != found {
                differences.push(Difference {
                    topic: wanted.name.clone(),
                    setting,
                    wanted: wanted_value,
                    found,
                });
            }
        };
        let partitions = found.map_or(0, |found| found.partitions().len());
        compare(
            "partitions",
            wanted.partitions.to_string(),
            partitions.to_string(),
        );
        let replication = found.map_or(0, replication_of);
        compare(
            "replication",
            settings.replication.to_string(),
            replication.to_string(),
        );
        let found = settings_of(admin, &wanted.name).await?;
        for (key, value) in &wanted.settings {
            let found = found.get(*key).cloned().unwrap_or_default();
            compare(key, value.clone(), found);
        }
    }
    Ok(differences)
}

fn replication_of(topic: &MetadataTopic) -> usize {
    let partitions = topic.partitions().iter();
    let counts = partitions.map(|partition| partition.replicas().len());
    counts.min().unwrap_or(0)
}

async fn settings_of(
    admin: &Arc<AdminClient<Quiet>>,
    topic: &str,
) -> Result<BTreeMap<String, String>, Fault> {
    let of = [ResourceSpecifier::Topic(topic)];
    let found = admin.describe_configs(&of, &options()).await;
    let mut all = BTreeMap::new();
    for resource in found.map_err(fault(DOING))? {
        let resource = resource.map_err(|error| fault(DOING)(KafkaError::AdminOp(error)))?;
        let entries = resource.entries.into_iter();
        all.extend(entries.filter_map(|entry| Some((entry.name, entry.value?))));
    }
    Ok(all)
}
