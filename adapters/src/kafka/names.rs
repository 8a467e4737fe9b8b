//! What topics and groups are called at the brokers.

use domain::message::Topic;
use domain::ports::log::Group;

/// The names of one shop.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
    topics: [(Topic, String); Topic::ALL.len()],
    pub dead_letters: String,
}

impl Names {
    pub fn new(namespace: &str) -> Self {
        let prefix = match namespace {
            "" => String::new(),
            namespace => format!("{namespace}."),
        };
        let topics = Topic::ALL.map(|topic| (topic, format!("{prefix}{}", topic.name())));
        let dead_letters = format!("{prefix}dead-letters");
        Self {
            prefix,
            topics,
            dead_letters,
        }
    }

    pub fn of(&self, topic: Topic) -> &str {
        let mut topics = self.topics.iter();
        // Every topic is among them.
        topics
            .find(|(of, _)| *of == topic)
            .map_or("", |(_, name)| name)
    }

    /// The topic of a name.
    pub fn topic(&self, name: &str) -> Option<Topic> {
        let mut topics = self.topics.iter();
        topics.find(|(_, of)| of == name).map(|(topic, _)| *topic)
    }

    /// Every topic of the shop, dead letters included.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let topics = self.topics.iter().map(|(_, name)| name.as_str());
        topics.chain([self.dead_letters.as_str()])
    }

    pub fn group(&self, group: Group) -> String {
        format!("{}{}", self.prefix, group.name())
    }

    /// The group of those who read alone: nothing is ever stored under it.
    pub fn alone(&self) -> String {
        format!("{}alone", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_stands_before_every_name() {
        let names = Names::new("shop7");
        assert_eq!(names.of(Topic::OrderAccepted), "shop7.order.accepted");
        assert_eq!(names.group(Group::OrderWriter), "shop7.order-writer");
        assert_eq!(names.dead_letters, "shop7.dead-letters");
        assert_eq!(names.topic("shop7.items"), Some(Topic::Items));
        assert_eq!(names.topic("items"), None);
        let bare = Names::new("");
        assert_eq!(
            bare.all().collect::<Vec<_>>(),
            [
                "order.accepted",
                "orders",
                "items",
                "accounts",
                "dead-letters"
            ]
        );
        assert_eq!(bare.group(Group::Mail), "mail");
    }
}
