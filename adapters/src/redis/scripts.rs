//! The gate's verbs: the scripts of `lua/`, run by the digest of their text.

use domain::Fault;
use redis::{Cmd, ErrorKind, Pipeline, RedisError, ServerErrorKind, Value};

use super::connection::{Connection, fault};

/// One verb.
pub(super) struct Script {
    code: &'static str,
    digest: String,
    /// What a caller is told when it fails.
    doing: &'static str,
}

impl Script {
    pub fn new(code: &'static str, doing: &'static str) -> Self {
        let digest = redis::Script::new(code).get_hash().to_owned();
        Self {
            code,
            digest,
            doing,
        }
    }

    /// The beginning of a call with so many keys. `bytes` is what keys and arguments take, about.
    pub fn call(&self, keys: usize, arguments: usize, bytes: usize) -> Cmd {
        self.begin("EVALSHA", keys, arguments, bytes)
    }

    /// The same for a script that writes nothing; a replica takes it too.
    pub fn call_read_only(&self, keys: usize, bytes: usize) -> Cmd {
        self.begin("EVALSHA_RO", keys, 0, bytes)
    }

    fn begin(&self, how: &str, keys: usize, arguments: usize, bytes: usize) -> Cmd {
        let mut call = Cmd::with_capacity(3 + keys + arguments, 64 + bytes);
        call.arg(how).arg(&self.digest).arg(keys);
        call
    }

    /// Runs a call of this script, and loads the script where the server does not know it.
    pub async fn run(&self, on: &Connection, call: &Cmd) -> Result<Value, Fault> {
        match on.run(call).await {
            Err(error) if is_unknown(&error) => {
                self.load(on).await?;
                on.run(call).await.map_err(|error| fault(self.doing, error))
            }
            answer => answer.map_err(|error| fault(self.doing, error)),
        }
    }

    /// Runs many calls of this script on the primary of `key`, one after the other. The first that
    /// fails makes all of it fail.
    pub async fn run_all(
        &self,
        on: &Connection,
        calls: &Pipeline,
        key: &str,
    ) -> Result<Vec<Value>, Fault> {
        let mut answers = self.answers(on, calls, key).await;
        if answers.as_ref().is_err_and(is_unknown) {
            self.load(on).await?;
            answers = self.answers(on, calls, key).await;
        }
        answers.map_err(|error| fault(self.doing, error))
    }

    async fn answers(
        &self,
        on: &Connection,
        calls: &Pipeline,
        key: &str,
    ) -> Result<Vec<Value>, RedisError> {
        let answers = on.run_all(calls, key).await?;
        answers.into_iter().map(Value::extract_error).collect()
    }

    /// Has every server know the script.
    pub async fn load(&self, on: &Connection) -> Result<(), Fault> {
        let mut load = redis::cmd("SCRIPT");
        load.arg("LOAD").arg(self.code);
        on.run_everywhere(&load)
            .await
            .map(drop)
            .map_err(|error| fault("loading a script of the gate", error))
    }
}

fn is_unknown(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// All of them.
pub(super) struct Scripts {
    pub reserve: Script,
    pub settle: Script,
    pub claim: Script,
    pub receipt: Script,
    pub remember: Script,
    pub level: Script,
    pub sync: Script,
    pub load: Script,
    pub beat: Script,
    pub heal: Script,
    pub lock_release: Script,
}

impl Scripts {
    pub fn new() -> Self {
        macro_rules! script {
            ($file:literal, $doing:literal) => {
                Script::new(
                    include_str!(concat!("../../../lua/", $file, ".lua")),
                    $doing,
                )
            };
        }
        Self {
            reserve: script!("reserve", "reserving at the gate"),
            settle: script!("settle", "taking entries off the edge queue"),
            claim: script!("claim", "claiming entries of the edge queue"),
            receipt: script!("receipt", "reading a receipt"),
            remember: script!("remember", "telling receipts to the gate"),
            level: script!("level", "reading levels"),
            sync: script!("sync", "telling the gate"),
            load: script!("load", "loading the gate"),
            beat: script!("beat", "giving the gate its beat"),
            heal: script!("heal", "healing the gate"),
            lock_release: script!("lock_release", "ending a loading"),
        }
    }

    /// Has every server know those that are run there.
    pub async fn load(&self, primary: &Connection, display: &Connection) -> Result<(), Fault> {
        let Self {
            reserve,
            settle,
            claim,
            receipt,
            remember,
            level,
            sync,
            load,
            beat,
            heal,
            lock_release,
        } = self;
        for script in [
            reserve,
            settle,
            claim,
            receipt,
            remember,
            level,
            sync,
            load,
            beat,
            heal,
            lock_release,
        ] {
            script.load(primary).await?;
        }
        level.load(display).await
    }
}
