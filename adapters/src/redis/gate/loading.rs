//! One loader an item: whoever comes second waits for a wake-up, never in a loop.

use domain::ports::gate::{LoadToken, Loading};
use domain::ports::{Clock, Entropy};
use domain::{Fault, ItemId};
use redis::{Pipeline, Value};

use super::feed::Feed;
use super::{Shared, ms};
use crate::redis::connection::fault;
use crate::redis::replies::{int, wrong};

const DOING: &str = "beginning to load an item";

pub(super) fn token(entropy: &dyn Entropy) -> LoadToken {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    LoadToken(u64::from_be_bytes(bytes))
}

pub(super) async fn begin(
    shared: &Shared,
    feed: &Feed,
    clock: &dyn Clock,
    item: ItemId,
    token: LoadToken,
) -> Result<Loading, Fault> {
    let keys = shared.of_item(item);
    // From here on no wake-up is missed, though it comes before the wait begins.
    let mut wakes = feed.wakes();
    let lock = keys.lock(item);
    let mut asked = Pipeline::new();
    asked
        .cmd("SET")
        .arg(lock)
        .arg(token.0)
        .arg("NX")
        .arg("PX")
        .arg(ms(shared.settings.load_lease));
    asked.cmd("GET").arg(lock);
    asked.cmd("PTTL").arg(lock);
    asked.cmd("HEXISTS").arg(keys.item(item)).arg("terms");
    let answers = shared.primary.run_all(&asked, &keys.state).await;
    let answers: Result<Vec<Value>, _> = answers
        .map_err(|error| fault(DOING, error))?
        .into_iter()
        .map(|answer| answer.extract_error().map_err(|error| fault(DOING, error)))
        .collect();
    let [_, holder, left, is_loaded] = &answers?[..] else {
        return Err(wrong(DOING, "it is too short"));
    };
    // Asked for, and not read from the first answer: a call that is run again finds its own lock.
    let is_ours =
        matches!(holder, Value::BulkString(holder) if *holder == token.0.to_string().into_bytes());
    if int(DOING, is_loaded)? == 1 {
        if is_ours {
            end(shared, item, token).await?;
        }
        return Ok(Loading::AnotherHas);
    }
    if is_ours {
        return Ok(Loading::Won(token));
    }
    let left_ms = u64::try_from(int(DOING, left)?).unwrap_or(0);
    tokio::select! {
        () = wakes.of(item) => {}
        () = clock.sleep_ms(left_ms) => {}
    }
    Ok(Loading::AnotherHas)
}

pub(super) async fn end(shared: &Shared, item: ItemId, token: LoadToken) -> Result<(), Fault> {
    let keys = shared.of_item(item);
    let script = &shared.scripts.lock_release;
    let mut call = script.call(1, 2, 128);
    call.arg(keys.lock(item)).arg(token.0).arg(&keys.wake);
    script.run(&shared.primary, &call).await.map(drop)
}
