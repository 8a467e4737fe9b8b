//! Writes letters: codes to addresses that somebody wants to prove, and to buyers what became of
//! their orders.

use async_trait::async_trait;
use domain::Fault;
use domain::event::Event;
use domain::message::{Message, Topic};
use domain::ports::Ports;
use domain::ports::log::Group;
use domain::use_cases::send_letters::{asks_for_a_letter, forget_letters, send_letters};

use crate::consume::{Consuming, Handler, Subscription};
use crate::context::{Context, End, Worker};

/// Records taken from the log at once.
const RECORDS_AT_ONCE: usize = 100;
/// All of them at once: whose letters they are is looked up together, and most of a rehearsal's have
/// none. A letter that went out is not sent again because of another one.
const LETTERS_AT_ONCE: usize = RECORDS_AT_ONCE;
/// Letters forgotten in one transaction.
const FORGOTTEN_AT_ONCE: usize = 500;

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

/// Forgets which letters went out, once that is long ago.
pub(crate) struct MailSweep(pub Ports);

#[async_trait]
impl Worker for MailSweep {
    async fn live(&mut self, context: &Context) -> Result<End, Fault> {
        while !context.is_stopping() {
            let found = forget_letters(&self.0, FORGOTTEN_AT_ONCE).await?;
            context
                .rest_after_round(found >= FORGOTTEN_AT_ONCE, context.pace.forget_ms)
                .await;
        }
        Ok(End::Shutdown)
    }
}
