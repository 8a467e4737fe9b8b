//! What processes used between two readings, as microseconds for each order.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::processor::{Process, Reading};

/// What the processes of a reading are called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Names(Vec<String>);

impl Names {
    pub fn of(watched: &[Process]) -> Self {
        Self(watched.iter().map(|process| process.name.clone()).collect())
    }
}

/// Processor time between two readings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Costs {
    /// By name, in the order in which the names first came.
    used: Vec<(String, Duration)>,
    cores: u32,
    /// Of the whole machine.
    busy: Duration,
    idle: Duration,
}

impl Costs {
    pub fn between(names: &Names, begin: &Reading, end: &Reading) -> Self {
        let mut used = Vec::<(String, Duration)>::new();
        let readings = begin.processes.iter().zip(&end.processes);
        for (name, (begin, end)) in names.0.iter().zip(readings) {
            let more = end.saturating_sub(*begin);
            match used.iter_mut().find(|(known, _)| known == name) {
                Some((_, sum)) => *sum += more,
                None => used.push((name.clone(), more)),
            }
        }
        let (begin, end) = (begin.machine, end.machine);
        Self {
            used,
            cores: end.cores,
            busy: end.busy.saturating_sub(begin.busy),
            idle: end.idle.saturating_sub(begin.idle),
        }
    }

    /// Microseconds of each process for each of `orders`, and of all of them together.
    pub fn per_order(&self, orders: u64) -> Vec<(String, f64)> {
        let sum: Duration = self.used.iter().map(|(_, used)| used).sum();
        let each = self.used.iter().cloned();
        each.chain([("together".to_owned(), sum)])
            .map(|(name, used)| (name, micros(used, orders)))
            .collect()
    }

    /// What the machine was busy with, in percent of its cores: with anything, and with what is
    /// none of the watched processes.
    pub fn busy_percent(&self) -> (f64, f64) {
        let watched: Duration = self.used.iter().map(|(_, used)| used).sum();
        let all = (self.busy + self.idle).as_secs_f64().max(f64::MIN_POSITIVE);
        let percent = |time: Duration| 100.0 * time.as_secs_f64() / all;
        (
            percent(self.busy),
            percent(self.busy.saturating_sub(watched)),
        )
    }

    /// For people.
    pub fn lines(&self, orders: u64) -> Vec<String> {
        let each = self.per_order(orders).into_iter();
        let mut lines: Vec<_> = each
            .map(|(name, us)| format!("{us:>9.1}  {name}"))
            .collect();
        let (busy, others) = self.busy_percent();
        lines.push(format!(
            "{} cores, {busy:.0} % busy, {others:.0} % with none of these",
            self.cores
        ));
        lines
    }

    /// For machines.
    pub fn to_json(&self, orders: u64) -> Value {
        let each = self.per_order(orders).into_iter();
        let (busy, others) = self.busy_percent();
        json!({
            "microsecondsPerOrder": each
                .map(|(name, us)| (name, json!(tenths(us))))
                .collect::<Map<_, _>>(),
            "cores": self.cores,
            "busyPercent": tenths(busy),
            "busyWithOthersPercent": tenths(others),
        })
    }
}

fn micros(time: Duration, orders: u64) -> f64 {
    let orders = u32::try_from(orders.max(1)).unwrap_or(u32::MAX);
    time.as_secs_f64() * 1e6 / f64::from(orders)
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::super::processor::Machine;
    use super::*;

    #[test]
    fn processes_of_one_name_add_up() {
        let process = |name: &str| Process {
            name: name.to_owned(),
            pid: 1,
            with_children: false,
        };
        let reading = |seconds: [u64; 3], busy, idle| Reading {
            processes: seconds.map(Duration::from_secs).to_vec(),
            machine: Machine {
                cores: 2,
                busy: Duration::from_secs(busy),
                idle: Duration::from_secs(idle),
            },
        };
        let names = Names::of(&["crowd", "api", "api"].map(process));
        let begin = reading([1, 10, 20], 100, 50);
        let end = reading([2, 13, 25], 115, 55);
        let costs = Costs::between(&names, &begin, &end);
        let expected = [("crowd", 100.0), ("api", 800.0), ("together", 900.0)];
        let expected = expected.map(|(name, us)| (name.to_owned(), us));
        assert_eq!(costs.per_order(10_000), expected);
        let json = costs.to_json(10_000);
        assert_eq!(json["busyPercent"], 75.0);
        assert_eq!(json["busyWithOthersPercent"], 30.0);
        assert!(costs.lines(10_000)[1].contains("800.0  api"));
        // Nothing was ordered: what it cost is still told.
        assert!(costs.per_order(0)[0].1.is_finite());
    }
}
