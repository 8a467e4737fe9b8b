//! Holds the ledger against itself, against the gate and against the provider: every invariant of
//! the order path, by its number.

mod counts;
mod money;

use crate::Fault;
use crate::message::Topic;
use crate::order::OrderStatus;
use crate::ports::Ports;
use crate::ports::log::Group;

/// What an audit found.
#[derive(Clone, Default, Debug)]
pub struct AuditReport {
    /// What is broken; empty when all is well. Bounded by [`MOST_FINDINGS`].
    pub findings: Vec<Finding>,
    /// What was going on meanwhile.
    pub pipeline: Pipeline,
    pub items: u64,
    pub orders: Vec<(OrderStatus, u64)>,
    pub payments: u64,
    /// Records put aside for an operator, and not settled yet.
    pub dead_letters: u64,
}

/// What is going on in a shop while it is audited.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pipeline {
    /// It had come to rest when the audit began: gate and ledger are held against each other.
    AtRest,
    /// Orders kept coming in: only what holds at every moment is checked.
    Busy,
    /// Nothing runs: there is no gate, and nobody to expire orders.
    #[default]
    Stopped,
}

/// A broken invariant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The number of the invariant, 1 to 6.
    pub invariant: u8,
    /// What it is about: an item, an order or a payment.
    pub subject: uuid::Uuid,
    pub detail: String,
}

/// The most findings a report lists.
pub const MOST_FINDINGS: usize = 100;
/// Rows read at once.
const PAGE: usize = 1_000;
/// How late expiry may be, in milliseconds.
const EXPIRY_GRACE_MS: i64 = 10_000;
/// How long an audit waits for the pipeline to come to rest, in milliseconds, and looks again.
const QUIET_WAIT_MS: u64 = 15_000;
const QUIET_LOOK_MS: u64 = 100;

/// Audits a running shop, after waiting for its pipeline to come to rest.
///
/// # Errors
/// A fault of whatever is read.
pub async fn audit(ports: &Ports) -> Result<AuditReport, Fault> {
    let is_at_rest = wait_until_quiet(ports).await?;
    let pipeline = if is_at_rest {
        Pipeline::AtRest
    } else {
        Pipeline::Busy
    };
    check(ports, pipeline).await
}

/// Audits a shop that nobody runs: its ledger against itself and the provider.
///
/// # Errors
/// A fault of whatever is read.
pub async fn audit_stopped(ports: &Ports) -> Result<AuditReport, Fault> {
    check(ports, Pipeline::Stopped).await
}

async fn check(ports: &Ports, pipeline: Pipeline) -> Result<AuditReport, Fault> {
    let mut report = AuditReport {
        pipeline,
        ..Default::default()
    };
    counts::check(ports, &mut report).await?;
    money::check(ports, &mut report).await?;
    if pipeline != Pipeline::Stopped {
        let overdue = ports.audit.overdue_by(EXPIRY_GRACE_MS).await?;
        if overdue > 0 {
            let detail = format!("{overdue} orders wait for a payment past their time");
            report.note(6, uuid::Uuid::nil(), detail);
        }
    }
    report.orders = ports.audit.orders_by_status().await?;
    report.dead_letters = open_dead_letters(ports).await?;
    Ok(report)
}

/// Those that are filed and open, and those that the log has kept since.
async fn open_dead_letters(ports: &Ports) -> Result<u64, Fault> {
    let standing = ports.dead_letters.standing().await?;
    let not_filed = ports.log.dead_letters(standing.next).await?;
    Ok(standing.open + not_filed)
}

async fn wait_until_quiet(ports: &Ports) -> Result<bool, Fault> {
    for _ in 0..QUIET_WAIT_MS / QUIET_LOOK_MS {
        if is_quiet(ports).await? {
            return Ok(true);
        }
        ports.clock.sleep_ms(QUIET_LOOK_MS).await;
    }
    is_quiet(ports).await
}

/// Whether nothing is on its way: edge queue, order writer, outbox, the groups of its events, and
/// orders whose time is over.
///
/// # Errors
/// A fault of whatever is read.
pub async fn is_quiet(ports: &Ports) -> Result<bool, Fault> {
    if ports.gate.edge_length().await? > 0 {
        return Ok(false);
    }
    for (partition, end) in ports.log.ends(Topic::OrderAccepted).await? {
        if ports.orders.writer_position(partition).await? < end {
            return Ok(false);
        }
    }
    if ports.outbox.length().await? > 0 {
        return Ok(false);
    }
    if ports.audit.overdue_by(0).await? > 0 {
        return Ok(false);
    }
    for group in [Group::Payment, Group::Cancellation] {
        if ports.log.lag(group, &[Topic::Orders]).await? > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

impl AuditReport {
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn note(&mut self, invariant: u8, subject: uuid::Uuid, detail: String) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(Finding {
                invariant,
                subject,
                detail,
            });
        }
    }
}
