//! Commits that are asked for at the same time go together: one caller after the other has the turn,
//! and takes along everybody who came meanwhile. The disk is waited for once a turn, not once a
//! step, and whoever writes many orders does not wait behind many who write one.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use domain::order::Transition;
use domain::ports::orders::Committed;
use domain::{Fault, FaultKind};
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::commit::commit;
use crate::sql::Ledger;
use crate::telemetry::trace;

/// Steps of one turn; who comes after them waits for the next.
const MOST_STEPS: usize = 1_000;

type Answer = Result<Vec<Committed>, Fault>;

/// Callers in line, and whose turn it is.
#[derive(Default)]
pub struct Together {
    line: Mutex<VecDeque<Caller>>,
    turn: tokio::sync::Mutex<()>,
}

struct Caller {
    steps: Vec<Transition>,
    answer: oneshot::Sender<Answer>,
}

impl Together {
    fn queue(&self, steps: &[Transition]) -> oneshot::Receiver<Answer> {
        let (answer, receiver) = oneshot::channel();
        let mut steps = steps.to_vec();
        // Now, because whoever has the turn commits the steps of others too.
        if let Some(trace) = trace::current() {
            for step in &mut steps {
                let trace = || Box::new(trace.clone());
                step.event.trace.get_or_insert_with(trace);
            }
        }
        let caller = Caller { steps, answer };
        self.line
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(caller);
        receiver
    }

    /// Those whose turn it is: at least one where somebody waits. Who gave up waiting is left out.
    fn next(&self) -> Vec<Caller> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.retain(|caller| !caller.answer.is_closed());
        let mut steps = 0;
        let fit = line.iter().take_while(|caller| {
            let first = steps == 0;
            steps += caller.steps.len();
            first || steps <= MOST_STEPS
        });
        let fit = fit.count();
        line.drain(..fit).collect()
    }
}

impl Ledger {
    /// Commits `steps`, with those of others where some are waiting.
    pub(super) async fn commit_together(&self, steps: &[Transition]) -> Answer {
        loop {
            let mut answer = self.together.queue(steps);
            let turn = tokio::select! {
                biased;
                answered = &mut answer => match answered {
                    Ok(answer) => return answer,
                    // Who took these steps along was cut off. Where they are committed all the
                    // same, the next try finds that something has changed.
                    Err(_) => continue,
                },
                turn = self.together.turn.lock() => turn,
            };
            loop {
                match answer.try_recv() {
                    Ok(answer) => return answer,
                    Err(TryRecvError::Empty) => self.take_turn().await,
                    Err(TryRecvError::Closed) => break,
                }
            }
            drop(turn);
        }
    }

    async fn take_turn(&self) {
        let mut callers = self.together.next();
        let lengths: Vec<usize> = callers.iter().map(|caller| caller.steps.len()).collect();
        let steps: Vec<Transition> = callers
            .iter_mut()
            .flat_map(|caller| std::mem::take(&mut caller.steps))
            .collect();
        let mut parts = Vec::with_capacity(lengths.len());
        let mut rest = steps.as_slice();
        for length in lengths {
            let (part, others) = rest.split_at(length);
            parts.push(part);
            rest = others;
        }
        let answers = self.answers(&steps, &parts).await;
        for (caller, answer) in callers.into_iter().zip(answers) {
            // Whoever is gone does not need it.
            let _ = caller.answer.send(answer);
        }
    }

    /// What becomes of each part. Steps that make no sense spoil their own part only; a ledger that
    /// is away is away for all.
    async fn answers(&self, steps: &[Transition], parts: &[&[Transition]]) -> Vec<Answer> {
        match self.commit_now(steps).await {
            Ok(committed) => {
                let mut committed = committed.into_iter();
                parts
                    .iter()
                    .map(|part| Ok(committed.by_ref().take(part.len()).collect()))
                    .collect()
            }
            Err(fault) if parts.len() == 1 => vec![Err(fault)],
            Err(fault) if fault.kind == FaultKind::Unavailable => {
                let again = || Fault::unavailable(fault.doing, fault.detail());
                parts.iter().map(|_| Err(again())).collect()
            }
            Err(_) => {
                let mut answers = Vec::with_capacity(parts.len());
                for part in parts {
                    answers.push(self.commit_now(part).await);
                }
                answers
            }
        }
    }

    async fn commit_now(&self, steps: &[Transition]) -> Answer {
        let doing = "committing steps of orders";
        let committed = self
            .write(doing, |on| async move {
                commit((&self.engine, &self.vault), &on, steps).await
            })
            .await?;
        self.events.notify_one();
        Ok(committed)
    }
}
