//! Collects what is wrong with the settings, so that all of it is reported together.

use std::time::Duration;

use domain::use_cases::accept_edge::CALLS_MS;

use super::{Config, Span};

/// The longest any setting may be: a century.
const LONGEST: Span = Span::hours(24 * 36_500);

/// What is wrong so far, a line each.
#[derive(Default)]
pub(super) struct Check {
    pub errors: Vec<String>,
}

impl Check {
    pub fn that(&mut self, holds: bool, key: &str, rule: &str) {
        if !holds {
            self.errors.push(format!("{key}: {rule}"));
        }
    }

    pub fn span(&mut self, span: Span, key: &str) -> i64 {
        let sound = span >= Span::milliseconds(1) && span <= LONGEST;
        self.that(sound, key, "must last between a millisecond and a century");
        span.ms()
    }

    /// A time that people wait at a start or a stop, or a wait within a request.
    pub fn wait(&mut self, span: Span, least: Span, key: &str) {
        let sound = span >= least && span <= Span::hours(1);
        self.that(
            sound,
            key,
            &format!(
                "must last between {} and an hour",
                humantime::format_duration(least.duration())
            ),
        );
    }
}

impl Config {
    /// Checks every setting, by itself and with the others.
    pub(super) fn check(&self) -> Result<(), Vec<String>> {
        let mut check = Check::default();
        self.check_graphql(&mut check);
        self.check_processes(&mut check);
        self.check_guards(&mut check);
        self.check_servers(&mut check);
        self.check_payment(&mut check);
        self.check_limits(&mut check);
        let mut errors = check.errors;
        errors.extend(self.policies().err().unwrap_or_default());
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    fn check_processes(&self, check: &mut Check) {
        let filter = crate::telemetry::parse(&self.log.filter);
        let wrong = filter.err().unwrap_or_default();
        check.that(wrong.is_empty(), "log.filter", &wrong);
        let nothing = Span::milliseconds(0);
        check.wait(self.process.start, nothing, "process.start");
        check.wait(self.process.notice, nothing, "process.notice");
        check.wait(self.process.drain, Span::milliseconds(100), "process.drain");
        check.wait(self.work.late_after, Span::seconds(1), "work.late_after");
        check.that(
            self.work.linger <= Span::seconds(1),
            "work.linger",
            "must last at most a second",
        );
    }

    fn check_guards(&self, check: &mut Check) {
        let guards = &self.guards;
        for (span, key) in [
            (guards.gate, "guards.gate"),
            (guards.gate_bulk, "guards.gate_bulk"),
            (guards.log, "guards.log"),
            (guards.provider, "guards.provider"),
            (guards.mail, "guards.mail"),
            (guards.pause, "guards.pause"),
        ] {
            check.wait(span, Span::milliseconds(10), key);
        }
        // While an order may still be on its way, a gate that lost something can't be trusted.
        let calls = guards.gate.duration().saturating_add(guards.log.duration());
        check.that(
            calls <= Duration::from_millis(CALLS_MS),
            "guards.log",
            "must take at most 5.5s together with guards.gate",
        );
        check.that(
            (1..=1_000).contains(&guards.failures),
            "guards.failures",
            "must be 1 to 1000",
        );
    }
}
