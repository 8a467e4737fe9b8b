//! How a rush ended: what the crowd was told, and what the audit says.

use std::io;

use domain::use_cases::audit::AuditReport;
use serde_json::{Value, json};

use super::replay::Replayed;
use super::stampede::Stampede;
use super::sustained::Sustained;
use super::sustained::overload::Overloaded;
use super::verify::Verified;
use crate::audit_report::{self, Answered};

/// How a rush ended.
pub struct Outcome {
    pub(super) run: String,
    pub(super) told: Told,
    /// Or why there is none.
    pub(super) audit: Result<AuditReport, String>,
}

/// What the crowd was told.
pub(super) enum Told {
    Stampede(Box<Stampede>),
    Replay(Box<Replayed>),
    Sustained(Box<Sustained>),
    Overloaded(Box<Overloaded>),
}

impl Outcome {
    /// Whether nothing is broken: every order that was answered is there, everybody who watched saw
    /// it, what was to be sold is sold, and the audit is clean. Refusals break nothing.
    pub fn is_clean(&self) -> bool {
        let told = match &self.told {
            Told::Stampede(stampede) => stampede.is_clean(),
            Told::Replay(replayed) => replayed.is_clean(),
            Told::Sustained(sustained) => sustained.is_clean(),
            Told::Overloaded(overloaded) => overloaded.is_clean(),
        };
        told && self.audit.as_ref().is_ok_and(AuditReport::is_clean)
    }

    /// Prints it for people.
    ///
    /// # Errors
    /// `out` can't be written to.
    pub fn print(&self, out: &mut impl io::Write) -> io::Result<()> {
        writeln!(out, "run {}", self.run)?;
        match &self.told {
            Told::Stampede(stampede) => stampede.print(out)?,
            Told::Replay(replayed) => replayed.print(out)?,
            Told::Sustained(sustained) => sustained.print(out)?,
            Told::Overloaded(overloaded) => overloaded.print(out)?,
        }
        writeln!(out)?;
        match &self.audit {
            Ok(report) => audit_report::print(report, Some(self.answered()), out)?,
            Err(detail) => writeln!(out, "there is no audit: {detail}")?,
        }
        let verdict = if self.is_clean() { "clean" } else { "BROKEN" };
        writeln!(out, "rush: {verdict}")
    }

    /// The same for machines.
    pub fn to_json(&self) -> Value {
        let (kind, told) = match &self.told {
            Told::Stampede(stampede) => ("stampede", stampede.to_json()),
            Told::Replay(replayed) => ("replay", replayed.to_json()),
            Told::Sustained(sustained) => ("sustained", sustained.to_json()),
            Told::Overloaded(overloaded) => ("overload", overloaded.to_json()),
        };
        let audit = match &self.audit {
            Ok(report) => audit_report::to_json(report, Some(self.answered())),
            Err(detail) => json!({ "clean": false, "failed": detail }),
        };
        json!({ "run": self.run, "clean": self.is_clean(), kind: told, "audit": audit })
    }

    fn answered(&self) -> Answered {
        let verified: &Verified = match &self.told {
            Told::Stampede(stampede) => &stampede.verified,
            Told::Replay(replayed) => &replayed.verified,
            Told::Sustained(sustained) => &sustained.verified,
            Told::Overloaded(overloaded) => &overloaded.verified,
        };
        Answered {
            orders: verified.orders,
            missing: verified.missing + verified.unknown,
        }
    }
}
