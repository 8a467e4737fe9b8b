//! Settings that are read again while the process runs, when it is told to by SIGHUP.

use std::io::{self, Write as _};

use adapters::config::{Config, Reread, Settings};
use adapters::telemetry::LogFilter;
use domain::Fault;
use domain::policy::LiveRates;
use tokio::signal::unix::{Signal, SignalKind};

use crate::process::{Terminal, listen};

/// The settings of a process that runs.
pub struct Reload {
    settings: Settings,
    filter: LogFilter,
    hangups: Signal,
    terminal: Terminal,
}

impl Reload {
    /// From here on SIGHUP ends the process no more.
    ///
    /// # Errors
    /// The system takes no handler for it.
    pub fn new(settings: Settings, filter: LogFilter) -> Result<Self, Fault> {
        Ok(Self {
            settings,
            filter,
            hangups: listen(SignalKind::hangup())?,
            terminal: Terminal::of_this_process(),
        })
    }

    /// What holds now.
    pub fn config(&self) -> &Config {
        self.settings.config()
    }

    /// Reads them again whenever told to, for ever. `face` takes what is about requests.
    pub async fn follow(
        mut self,
        rates: LiveRates,
        mut face: impl FnMut(&Config) -> Result<(), Fault>,
    ) {
        while self.hangups.recv().await.is_some() {
            // Then the process ends.
            if self.terminal.is_gone() {
                continue;
            }
            match self.reread(&rates, &mut face) {
                Ok((changed, later)) => tell(&changed, &later),
                Err(errors) => {
                    for error in errors {
                        tracing::error!(error, "the settings were read again, and none was taken");
                    }
                }
            }
        }
        // Nothing is ever sent again; the settings are as they are.
        std::future::pending::<()>().await;
    }

    fn reread(
        &mut self,
        rates: &LiveRates,
        face: &mut impl FnMut(&Config) -> Result<(), Fault>,
    ) -> Result<(Vec<String>, Vec<String>), Vec<String>> {
        let Reread {
            settings,
            changed,
            later,
        } = self.settings.reread()?;
        let config = settings.config();
        let policies = config.policies()?;
        // What may still fail comes first, so that all of it is taken or nothing.
        face(config).map_err(|fault| vec![fault.detail()])?;
        self.filter
            .replace(&config.log.filter)
            .map_err(|error| vec![error])?;
        rates.replace(policies.rates.read());
        self.settings = settings;
        Ok((changed, later))
    }
}

/// Says what came of it to whoever reads along; there may be nobody any more.
fn tell(changed: &[String], later: &[String]) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "Settings were read again.");
    for (what, keys) in [("New from now on", changed), ("New after a restart", later)] {
        if !keys.is_empty() {
            let _ = writeln!(out, "  {what}: {}", keys.join(", "));
        }
    }
}
