//! Writes letters: codes to addresses that somebody wants to prove, and to buyers what became of
//! their orders.

use async_trait::async_trait;
use domain::Fault;
use domain::event::Event;
use domain::message::{Message, Topic};
use domain::ports::Ports;
use domain::ports::log::Group;
use domain::use_cases::send_letters::{asks_for_a_letter, send_letters};

use crate::consume::{Consuming, Handler, Subscription};

/// Records taken from the log at once.
const RECORDS_AT_ONCE: usize = 100;
/// All of them at once: whose letters they are is looked up together, and most of a rehearsal's have
/// none. A letter that went out is not sent again because of another one.
const LETTERS_AT_ONCE: usize = RECORDS_AT_ONCE;

pub(crate) fn mail(ports: Ports) -> Consuming<Mail> {
    let subscription = Subscription {
        group: Group::Mail,
        topics: &[Topic::Accounts, Topic::Orders],
        most: RECORDS_AT_ONCE,
        at_once: LETTERS_AT_ONCE,
    };
    Consuming::new(ports.log.clone(), subscription, Mail(ports))
}

pub(crate) struct Mail(Ports);

#[async_trait]
impl Handler for Mail {
    type Task = Event;

    fn task(&self, message: &Message) -> Option<Self::Task> {
        match message {
            Message::Event(event) => asks_for_a_letter(event).then(|| event.clone()),
            Message::Order(_) => None,
        }
    }

    async fn handle(&self, tasks: &[Self::Task]) -> Result<(), Fault> {
        send_letters(&self.0, tasks).await
    }
}
