//! One connection to one server at a time, kept up by a task: whoever finds it dead says so and
//! goes on with the next one.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisError, RedisResult, Value};
use tokio::sync::watch;

use super::target::Target;
use super::{Blame, blame, out_of_time};

/// Commands on their way into the connection; a caller past it waits for a place.
const BUFFER: usize = 1_024;
/// The shortest time between two connections, so that a server which takes every connection and
/// serves none is not stormed.
const PAUSE: Duration = Duration::from_millis(20);
/// How long nobody tries after an attempt has failed.
const RETRY: Duration = Duration::from_millis(200);

pub struct Line {
    state: watch::Receiver<State>,
    /// The number of the newest connection that was found dead.
    dead: watch::Sender<u64>,
    patience: Duration,
}

#[derive(Clone)]
enum State {
    Connecting,
    Up(Up),
    Down(RedisError),
}

/// A connection and its number; later ones have higher ones.
#[derive(Clone)]
struct Up {
    connection: MultiplexedConnection,
    number: u64,
}

impl Line {
    pub(super) async fn open(target: Target, timeout: Duration) -> RedisResult<Self> {
        // Sentinels are asked first, then the server.
        let patience = timeout * 2;
        let (state, seen) = watch::channel(State::Connecting);
        let (dead, found_dead) = watch::channel(0);
        tokio::spawn(keep_up(target, timeout, state, found_dead));
        let line = Self {
            state: seen,
            dead,
            patience,
        };
        line.up(0).await?;
        Ok(line)
    }

    pub(super) async fn run(&self, command: &Cmd) -> RedisResult<Value> {
        let mut up = self.up(0).await?;
        let answer = up.connection.send_packed_command(command).await;
        match self.judge(&up, first_error(&answer)) {
            Some(dead) => {
                let mut up = self.up(dead).await?;
                up.connection.send_packed_command(command).await
            }
            None => answer,
        }
    }

    pub(super) async fn run_all(&self, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
        let count = pipeline.len();
        let mut up = self.up(0).await?;
        let answers = up.connection.send_packed_commands(pipeline, 0, count).await;
        let error = match &answers {
            Ok(answers) => answers.iter().find_map(server_error),
            Err(error) => Some(error.clone()),
        };
        match self.judge(&up, error) {
            Some(dead) => {
                let mut up = self.up(dead).await?;
                up.connection.send_packed_commands(pipeline, 0, count).await
            }
            None => answers,
        }
    }

    /// Gives a dead connection up. Its number, when the command may be run again on the next one.
    fn judge(&self, up: &Up, error: Option<RedisError>) -> Option<u64> {
        let blame = blame(&error?);
        if blame != Blame::Command {
            self.dead.send_if_modified(|dead| {
                let is_news = up.number > *dead;
                *dead = up.number.max(*dead);
                is_news
            });
        }
        (blame == Blame::Connection).then_some(up.number)
    }

    /// The connection, if it is newer than number `dead`.
    async fn up(&self, dead: u64) -> RedisResult<Up> {
        if let State::Up(up) = &*self.state.borrow()
            && up.number > dead
        {
            return Ok(up.clone());
        }
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| match state {
            State::Connecting => false,
            State::Up(up) => up.number > dead,
            State::Down(_) => true,
        });
        match tokio::time::timeout(self.patience, settled).await {
            Ok(Ok(state)) => match &*state {
                State::Up(up) => Ok(up.clone()),
                State::Down(error) => Err(error.clone()),
                State::Connecting => Err(out_of_time()),
            },
            Ok(Err(_)) | Err(_) => Err(out_of_time()),
        }
    }
}

fn first_error(answer: &RedisResult<Value>) -> Option<RedisError> {
    match answer {
        Ok(value) => server_error(value),
        Err(error) => Some(error.clone()),
    }
}

fn server_error(value: &Value) -> Option<RedisError> {
    match value {
        Value::ServerError(error) => Some(error.clone().into()),
        _ => None,
    }
}

/// Connects, and connects again whenever the connection is found dead, until its line is gone.
async fn keep_up(
    mut target: Target,
    timeout: Duration,
    state: watch::Sender<State>,
    mut dead: watch::Receiver<u64>,
) {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(timeout))
        .set_response_timeout(Some(timeout))
        .set_pipeline_buffer_size(BUFFER);
    let mut number = 0;
    while dead.has_changed().is_ok() {
        let connecting = async {
            let client = target.client().await?;
            client
                .get_multiplexed_async_connection_with_config(&config)
                .await
        };
        let connected = tokio::time::timeout(timeout * 2, connecting);
        match connected.await.unwrap_or_else(|_| Err(out_of_time())) {
            Ok(connection) => {
                number += 1;
                state.send_replace(State::Up(Up { connection, number }));
                if dead.wait_for(|dead| *dead >= number).await.is_err() {
                    return;
                }
                state.send_replace(State::Connecting);
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => {
                state.send_replace(State::Down(error));
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}
