//! What a sustained rehearsal tells.

use std::io;

use serde_json::{Value, json};

use super::{Floor, Measured, Sustained};
use crate::rush::stampede::per_second;
use crate::rush::subscribers::Watched;

impl Sustained {
    /// Whether every order is there, and every subscriber saw what happened.
    pub fn is_clean(&self) -> bool {
        self.verified.is_clean() && self.subscribed.as_ref().is_none_or(Watched::is_clean)
    }

    /// Prints it for people.
    ///
    /// # Errors
    /// `out` can't be written to.
    pub fn print(&self, out: &mut impl io::Write) -> io::Result<()> {
        let Self { measured, .. } = self;
        let orders = &measured.pressed.orders;
        writeln!(
            out,
            "{} buyers on {} connections to {}, for {} items, in {} s",
            self.buyers,
            self.connections,
            self.urls.join(" and "),
            self.items.len(),
            measured.duration.as_secs_f64(),
        )?;
        for line in orders.lines("orders accepted") {
            writeln!(out, "{line}")?;
        }
        let [least, middle, most] = measured.by_second();
        writeln!(
            out,
            "{} orders a second (in single seconds {least} at least, {middle} in the middle, {most} at most)",
            measured.rate(),
        )?;
        writeln!(out, "{}", measured.pressed.latency.line())?;
        writeln!(
            out,
            "{} ms after the end the ledger had all of them: {} orders a second until then",
            self.written_after.as_millis(),
            self.written_rate(),
        )?;
        if let Some(costs) = measured.costs() {
            writeln!(out, "microseconds of a processor for each order:")?;
            for line in costs.lines(orders.accepted) {
                writeln!(out, "{line}")?;
            }
        }
        if let Some(costs) = &self.costs_until_written {
            writeln!(out, "and until the ledger had all of them:")?;
            for line in costs.lines(orders.accepted) {
                writeln!(out, "{line}")?;
            }
        }
        if let Some(floor) = &self.floor {
            for line in floor.lines(measured) {
                writeln!(out, "{line}")?;
            }
        }
        let subscribed = self.subscribed.iter().flat_map(Watched::lines);
        for line in subscribed.chain(self.verified.lines()) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    /// The same for machines.
    pub fn to_json(&self) -> Value {
        let Self { measured, .. } = self;
        let accepted = measured.pressed.orders.accepted;
        let mut told = measured.to_json();
        told["items"] = self.items.iter().map(|item| json!(item.id)).collect();
        told["buyers"] = json!(self.buyers);
        told["connections"] = json!(self.connections);
        told["nodes"] = json!(self.urls);
        told["writtenAfterMs"] =
            json!(u64::try_from(self.written_after.as_millis()).unwrap_or(u64::MAX));
        told["writtenPerSecond"] = json!(self.written_rate());
        told["processorsUntilWritten"] = self
            .costs_until_written
            .as_ref()
            .map_or(Value::Null, |costs| costs.to_json(accepted));
        told["floor"] = self
            .floor
            .as_ref()
            .map_or(Value::Null, |floor| floor.to_json(measured));
        told["subscribers"] = self
            .subscribed
            .as_ref()
            .map_or(Value::Null, Watched::to_json);
        told["verified"] = self.verified.to_json();
        told
    }

    /// Orders a second, counted until the last one was in the ledger.
    fn written_rate(&self) -> u64 {
        let took = self.measured.duration + self.written_after;
        per_second(self.measured.pressed.orders.accepted, took)
    }
}

impl Measured {
    /// Orders in the worst second, in the middle one and in the best.
    fn by_second(&self) -> [u64; 3] {
        let mut counts = self.pressed.by_second.clone();
        counts.sort_unstable();
        let at = |place: usize| counts.get(place).copied().unwrap_or(0);
        [
            at(0),
            at(counts.len() / 2),
            at(counts.len().saturating_sub(1)),
        ]
    }

    pub(super) fn to_json(&self) -> Value {
        let [least, middle, most] = self.by_second();
        let accepted = self.pressed.orders.accepted;
        json!({
            "seconds": self.duration.as_secs_f64(),
            "orders": self.pressed.orders.to_json(),
            "ordersPerSecond": self.rate(),
            "bySecond": { "least": least, "middle": middle, "most": most },
            "latency": self.pressed.latency.to_json(),
            "processors": self.costs().map(|costs| costs.to_json(accepted)),
        })
    }
}

impl Floor {
    /// Requests a second, between before and afterwards.
    fn rate(&self) -> u64 {
        self.before.rate().midpoint(self.after.rate())
    }

    /// How much of the floor's rate the orders reach, in thousandths.
    fn per_mille(&self, measured: &Measured) -> u64 {
        measured.rate() * 1_000 / self.rate().max(1)
    }

    fn lines(&self, measured: &Measured) -> Vec<String> {
        let per_mille = self.per_mille(measured);
        let mut lines = vec![format!(
            "floor: {} no-op mutations a second before, {} afterwards; orders reach {}.{:03} of it",
            self.before.rate(),
            self.after.rate(),
            per_mille / 1_000,
            per_mille % 1_000,
        )];
        for (when, floor) in [("before", &self.before), ("afterwards", &self.after)] {
            if let Some(costs) = floor.costs() {
                lines.push(format!("microseconds of a processor for each, {when}:"));
                lines.extend(costs.lines(floor.pressed.orders.accepted));
            }
        }
        lines
    }

    fn to_json(&self, measured: &Measured) -> Value {
        json!({
            "before": self.before.to_json(),
            "after": self.after.to_json(),
            "requestsPerSecond": self.rate(),
            "reachedPerMille": self.per_mille(measured),
        })
    }
}
