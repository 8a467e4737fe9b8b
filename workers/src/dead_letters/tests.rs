use std::sync::{Mutex, MutexGuard};

use domain::DeadLetterId;
use domain::act::Act;
use domain::dead_letter::{FiledLetter, KeptLetter, LetterFilter, Settled};
use domain::message::Offset;
use domain::order::KeyUse;
use domain::page::{Page, Window};
use domain::ports::dead_letters::Standing;
use domain::ports::log::{DeadLetter, Group};

use super::*;
use crate::testing::{World, in_partition, until};

/// What is filed, in a ledger that is away now and then.
#[derive(Clone, Default)]
struct Files(Arc<Mutex<Filed>>);

#[derive(Default)]
struct Filed {
    offsets: Vec<i64>,
    next: i64,
    most_at_once: usize,
    failing: u32,
    /// Somebody else files what is asked for first, so often.
    overtaken: u32,
}

impl Files {
    fn state(&self) -> MutexGuard<'_, Filed> {
        self.0.lock().unwrap()
    }
}

#[async_trait]
impl ports::DeadLetters for Files {
    async fn standing(&self) -> Result<Standing, Fault> {
        let state = self.state();
        Ok(Standing {
            next: Offset(state.next),
            open: 0,
        })
    }

    async fn file(
        &self,
        from: Offset,
        letters: &[KeptLetter],
        next: Offset,
    ) -> Result<bool, Fault> {
        let mut state = self.state();
        if state.failing > 0 {
            state.failing -= 1;
            return Err(Fault::unavailable("filing", "away"));
        }
        if state.next != from.0 {
            return Ok(false);
        }
        let offsets = letters.iter().map(|kept| kept.letter.offset.0);
        state.offsets.extend(offsets);
        state.next = next.0;
        state.most_at_once = state.most_at_once.max(letters.len());
        let is_first = state.overtaken == 0;
        state.overtaken = state.overtaken.saturating_sub(1);
        Ok(is_first)
    }

    async fn list(&self, _: &LetterFilter, _: &Window) -> Result<Page<FiledLetter>, Fault> {
        unreachable!("nobody lists")
    }

    async fn get(&self, _: DeadLetterId) -> Result<Option<FiledLetter>, Fault> {
        unreachable!("nobody looks")
    }

    async fn settle(
        &self,
        _: DeadLetterId,
        _: Settled,
        _: &Act,
        _: &KeyUse,
    ) -> Result<bool, Fault> {
        unreachable!("nobody settles")
    }
}

async fn put_aside(world: &World, offsets: std::ops::Range<i64>) {
    for offset in offsets {
        let letter = DeadLetter {
            group: Group::Mail,
            partition: in_partition(0),
            offset: Offset(offset),
            reason: "nobody can do this".to_owned(),
            attempts: 1,
        };
        world.log.put_aside(&letter).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn dead_letters_are_filed_in_order_whoever_is_away_or_faster() {
    let (world, files) = (World::new(), Files::default());
    let most = i64::try_from(LETTERS_AT_ONCE).unwrap();
    put_aside(&world, 0..most + 5).await;
    files.state().failing = 2;
    files.state().overtaken = 1;
    let (log, ledger) = (Arc::new(world.log.clone()), Arc::new(files.clone()));
    let workers = world.start("dead-letters", move || {
        DeadLetters::new(log.clone(), ledger.clone())
    });
    until(|| files.state().next == most + 5).await;
    put_aside(&world, most + 5..most + 7).await;
    until(|| files.state().next == most + 7).await;
    assert_eq!(files.state().offsets, (0..most + 7).collect::<Vec<_>>());
    assert_eq!(files.state().most_at_once, LETTERS_AT_ONCE);
    assert!(world.stop(workers).await.is_empty());
}
