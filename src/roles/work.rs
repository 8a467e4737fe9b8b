//! `firstcome work`: workers without an endpoint. Any number of processes may run the same ones.

use std::sync::Arc;
use std::time::Duration;

use adapters::config::Config;
use api::app::Readiness;
use domain::Fault;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use workers::WorkerName;

use crate::compose::World;
use crate::probes::Probes;
use crate::process::Ending;
use crate::reload::Reload;
use crate::roles::crew::Crew;
use crate::roles::endpoint::Endpoint;

/// The options of `firstcome work`.
#[derive(clap::Args)]
pub struct WorkArgs {
    /// Run these workers alone, by their names with commas between them.
    #[arg(long, value_name = "WORKERS", value_delimiter = ',')]
    only: Vec<WorkerName>,
}

/// Works until Ctrl-C or SIGTERM; then each worker finishes what it has, and leaves.
///
/// # Errors
/// Whatever keeps it from starting, or from closing cleanly.
pub async fn run(reload: Reload, args: &WorkArgs) -> Result<(), Fault> {
    let config = &reload.config().clone();
    super::need_servers(config, "work")?;
    let names: &[WorkerName] = match args.only.as_slice() {
        [] => &WorkerName::ALL,
        only => only,
    };
    // Nobody sends work to a worker, so nobody has to be told before it stops.
    let ending = Ending::on_signal(Duration::ZERO)?;
    let Some(world) = ending.unless_leaving(World::distributed(config)).await else {
        return Ok(());
    };
    let world = world?;
    let crew = Crew::start(&world, config, names);
    let closed = CancellationToken::new();
    let health = health(config, &world, &crew, &ending, &closed)?;
    let names: Vec<&str> = names.iter().map(|name| name.name()).collect();
    println!("Working: {}", names.join(", "));
    let rates = world.ports.policies.rates.clone();
    let following = reload.follow(rates, |_| Ok(()));
    ending.stop.run_until_cancelled(following).await;
    crew.leave().await;
    world.close().await?;
    closed.cancel();
    if let Some(health) = health {
        let _ = health.await;
    }
    println!("Stopped.");
    Ok(())
}

/// Answers whoever asks how the workers are, where that is wanted.
fn health(
    config: &Config,
    world: &World,
    crew: &Crew,
    ending: &Ending,
    closed: &CancellationToken,
) -> Result<Option<JoinHandle<()>>, Fault> {
    let Some(address) = config.work.listen else {
        return Ok(None);
    };
    let Endpoint { listener, url } = Endpoint::listen(address, "work.listen")?;
    println!("Health      {url}/health/ready");
    let (probes, workers) = (Probes::start(&world.ports, &ending.stop), crew.lacks());
    let readiness = Readiness {
        lacks: Arc::new(move || {
            // A server that is away is no reason to call a worker missing: it waits for it.
            let away = probes.lacks();
            let mut lacks = workers();
            lacks.degraded.extend(away.missing);
            lacks.degraded.extend(away.degraded);
            lacks
        }),
        leaving: ending.leaving.clone(),
    };
    let closed = closed.clone();
    Ok(Some(tokio::spawn(async move {
        api::server::serve_health(listener, readiness, closed).await;
    })))
}
