//! More than a shop can serve: what is served all the same, how long that takes, and whether the
//! shop stays the same meanwhile.

use std::io;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::rush::client::Token;
use crate::rush::verify::{self, Verified};
use crate::rush::{Means, RushArgs, RushError, deal};

use super::Measured;
use super::press::{self, Press, Window};
use super::probe::{self, Health};
use super::processor::{self, Process};

/// What came of an overload.
pub struct Overloaded {
    factor: u32,
    /// What the shop serves when it is asked for no more than that.
    best: Measured,
    /// What it serves of so many times as much.
    pressed: Measured,
    /// Orders offered a second.
    offered: u32,
    connections: usize,
    memory: Vec<Memory>,
    health: Health,
    pub verified: Verified,
}

/// Memory of a watched process, in bytes.
struct Memory {
    name: String,
    /// When what counts began, at most, and when it ended.
    begin: u64,
    most: u64,
    end: u64,
}

/// How often memory is looked at, in parts of a second.
const LOOKS: u32 = 4;

/// Finds the most that is served, then offers `--overload` times as much.
///
/// # Errors
/// There is nothing to order, a process to watch is not there, or nobody answers before it begins.
pub async fn run(
    means: &Means,
    args: &RushArgs,
    run: Uuid,
    tokens: Vec<Token>,
) -> Result<Overloaded, RushError> {
    let items = deal::choose_items(&mut means.client(), &args.item).await?;
    let press = Press {
        nodes: means.nodes.clone(),
        buyers: Arc::new(tokens),
        items: Arc::new(items.into_iter().map(|item| item.id).collect()),
        quantity: args.quantity,
        connections: means.concurrency,
        warm_up: args.warm_up,
        duration: args.duration.unwrap_or_default(),
        timeout: means.timeout,
        keys: run,
        offered: None,
    };
    let mut best = super::measure(press.clone(), &args.watch).await?;
    let factor = args.overload.unwrap_or(1);
    let offered = u32::try_from(best.rate()).unwrap_or(u32::MAX);
    let offered = offered.saturating_mul(factor).max(1);
    let press = Press {
        connections: usize::try_from(args.overload_connections).unwrap_or(1),
        offered: Some(offered),
        keys: Uuid::new_v5(&run, b"overload"),
        ..press
    };
    let (buyers, connections) = (Arc::clone(&press.buyers), press.connections);
    let (mut pressed, memory, health) = overload(press, &args.watch).await?;

    let accepted = std::mem::take(&mut pressed.pressed.accepted);
    let accepted = best.pressed.accepted.drain(..).chain(accepted);
    let answered = verify::by_buyer(&buyers, accepted);
    let mut asking = means.asking();
    asking.patience += (args.warm_up + args.duration.unwrap_or_default()) * 8;
    let verified = verify::verify(&asking, answered, means.progress("asking after", 0)).await;
    Ok(Overloaded {
        factor,
        best,
        pressed,
        offered,
        connections,
        memory,
        health,
        verified,
    })
}

/// Presses, and meanwhile looks at the memory of what is watched and asks how the nodes are.
async fn overload(
    press: Press,
    watched: &[Process],
) -> Result<(Measured, Vec<Memory>, Health), RushError> {
    let window = Window::of(&press);
    let asking = tokio::spawn(probe::ask(press.nodes.clone(), window));
    let looking = tokio::spawn(look(watched.to_vec(), window));
    let pressed = super::measure_in(press, watched, window).await?;
    let wrong = |error: tokio::task::JoinError| RushError::new(format!("no look: {error}"));
    let memory = looking.await.map_err(wrong)??;
    Ok((pressed, memory, asking.await.map_err(wrong)??))
}

async fn look(watched: Vec<Process>, window: Window) -> Result<Vec<Memory>, RushError> {
    let mut looked: Vec<Memory> = Vec::new();
    let mut at = window.begin;
    while at <= window.end {
        sleep_until(at).await;
        for (number, process) in watched.iter().enumerate() {
            let now = processor::resident(process).map_err(RushError::new)?;
            match looked.get_mut(number) {
                Some(memory) => {
                    memory.most = memory.most.max(now);
                    memory.end = now;
                }
                None => looked.push(Memory {
                    name: process.name.clone(),
                    begin: now,
                    most: now,
                    end: now,
                }),
            }
        }
        at = (at + press::SECOND / LOOKS).max(Instant::now());
    }
    Ok(looked)
}

impl Overloaded {
    /// Whether every order that was accepted is there, and the nodes always said how they are.
    pub fn is_clean(&self) -> bool {
        self.verified.is_clean() && self.health.is_clean()
    }

    /// What is served of the most that is, in thousandths.
    fn per_mille(&self) -> u64 {
        self.pressed.rate() * 1_000 / self.best.rate().max(1)
    }

    /// What was really offered a second: a crowd may be too slow for what it was told to offer.
    fn asked(&self) -> u64 {
        let requests = self.pressed.pressed.orders.requests;
        crate::rush::stampede::per_second(requests, self.pressed.duration)
    }

    /// Prints it for people.
    ///
    /// # Errors
    /// `out` can't be written to.
    pub fn print(&self, out: &mut impl io::Write) -> io::Result<()> {
        let (best, pressed) = (&self.best, &self.pressed);
        writeln!(out, "at most {} orders a second are served", best.rate())?;
        writeln!(out, "{}", best.pressed.latency.line())?;
        writeln!(
            out,
            "of {} a second on {} connections ({} times as many: {}) {} are, {}.{} % of the most",
            self.asked(),
            self.connections,
            self.factor,
            self.offered,
            pressed.rate(),
            self.per_mille() / 10,
            self.per_mille() % 10,
        )?;
        for line in pressed.pressed.orders.lines("orders accepted") {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "what is served: {}", pressed.pressed.latency.line())?;
        writeln!(out, "what is not: {}", pressed.pressed.turned_away.line())?;
        for memory in &self.memory {
            let mib = |bytes: u64| bytes.div_ceil(1 << 20);
            writeln!(
                out,
                "memory of {}: {} MiB at the beginning, {} at most, {} at the end",
                memory.name,
                mib(memory.begin),
                mib(memory.most),
                mib(memory.end),
            )?;
        }
        let verified = self.verified.lines();
        for line in self.health.lines().into_iter().chain(verified) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    /// The same for machines.
    pub fn to_json(&self) -> Value {
        let memory = self.memory.iter().map(|memory| {
            let Memory {
                name,
                begin,
                most,
                end,
            } = memory;
            json!({ "name": name, "begin": begin, "most": most, "end": end })
        });
        let turned_away = self.pressed.pressed.turned_away.to_json();
        json!({
            "factor": self.factor,
            "connections": self.connections,
            "best": self.best.to_json(),
            "overloaded": self.pressed.to_json(),
            "offeredPerSecond": self.offered,
            "askedPerSecond": self.asked(),
            "servedPerMille": self.per_mille(),
            "turnedAway": turned_away,
            "memoryBytes": memory.collect::<Vec<_>>(),
            "health": self.health.to_json(),
            "verified": self.verified.to_json(),
        })
    }
}
