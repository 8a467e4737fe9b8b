//! Mails codes to addresses that somebody wants to prove.

use async_trait::async_trait;
use domain::event::What;
use domain::message::{Message, Topic};
use domain::ports::Ports;
use domain::ports::log::Group;
use domain::use_cases::send_code::send_code;
use domain::{Fault, VerificationId};

use crate::consume::{Consuming, Handler, Subscription};

/// Records taken from the log at once.
const RECORDS_AT_ONCE: usize = 32;
/// A letter goes out on its own: a group that failed would be mailed twice.
const LETTERS_AT_ONCE: usize = 1;

pub(crate) fn mail(ports: Ports) -> Consuming<Mail> {
    let subscription = Subscription {
        group: Group::Mail,
        topics: &[Topic::Accounts],
        most: RECORDS_AT_ONCE,
        at_once: LETTERS_AT_ONCE,
    };
    Consuming::new(ports.log.clone(), subscription, Mail(ports))
}

pub(crate) struct Mail(Ports);

#[async_trait]
impl Handler for Mail {
    type Task = VerificationId;

    fn task(&self, message: &Message) -> Option<Self::Task> {
        match message {
            Message::Event(event) => match event.what {
                What::VerificationRequested { verification } => Some(verification),
                What::Order { .. } | What::Item { .. } => None,
            },
            Message::Order(_) => None,
        }
    }

    async fn handle(&self, tasks: &[Self::Task]) -> Result<(), Fault> {
        for &verification in tasks {
            send_code(&self.0, verification).await?;
        }
        Ok(())
    }
}
