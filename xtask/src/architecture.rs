//! The house's rules that a compiler does not know: which crate may stand where, who may depend on
//! whom, what the domain must stay free of.

mod bans;
mod direction;
mod length;
mod placement;
mod purity;
mod sources;

use std::fmt;

use xtask::Failure;

use crate::cargo::Workspace;

/// A rule broken at a place.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// Relative to the root.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    pub rule: String,
    pub severity: Severity,
}

/// Whether a finding stops a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Warning,
    Error,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(
            out,
            "{severity}: {}:{}: {}",
            self.file, self.line, self.rule
        )
    }
}

/// Prints every finding; whether none of them is an error.
pub fn check(workspace: &Workspace) -> Result<bool, Failure> {
    let sources = sources::read(workspace)?;
    let mut findings = purity::check(workspace)?;
    findings.extend(bans::check(workspace)?);
    findings.extend(direction::check(workspace));
    findings.extend(placement::check_manifests(workspace));
    findings.extend(placement::check_sources(&sources)?);
    findings.extend(length::check(&sources));
    for finding in &findings {
        eprintln!("{finding}");
    }
    Ok(findings
        .iter()
        .all(|finding| finding.severity == Severity::Warning))
}

#[cfg(test)]
mod fixture;
