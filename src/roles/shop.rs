//! Everything in one process: the endpoint and every worker, over the embedded engines or, where
//! they are set, over servers.

use std::sync::Arc;
use std::time::Duration;

use adapters::config::Config;
use domain::Fault;
use domain::use_cases::load_gate;
use workers::WorkerName;

use crate::compose::World;
use crate::instance::{Claimed, Instance};
use crate::probes::Probes;
use crate::process::Ending;
use crate::reload::Reload;
use crate::roles::crew::Crew;
use crate::roles::endpoint::{self, Endpoint};
use crate::{banner, demo, setup};

/// Runs the shop until Ctrl-C or SIGTERM, then drains.
///
/// # Errors
/// Whatever keeps it from starting, or from closing cleanly.
pub async fn run(reload: Reload) -> Result<(), Fault> {
    let config = &reload.config().clone();
    endpoint::check(config)?;
    if config.servers().is_some() {
        return Box::pin(over_servers(config, reload)).await;
    }
    let instance = match Instance::claim(config)? {
        Claimed::Ours(instance) => instance,
        Claimed::Running { url } => {
            let place = url.unwrap_or_else(|| "another process".to_owned());
            return Err(Fault::unavailable(
                "starting",
                format!("it runs already: {place}"),
            ));
        }
    };
    let world = World::embedded(config, instance.next_epoch()?).await?;
    let ports = &world.ports;
    if config.demo.0 {
        demo::fill(ports, &config.data_dir.0).await?;
    }
    let crew = Crew::start(&world, config, &WorkerName::ALL);
    // Workers first: the gate may only be loaded once the order writer has caught up with the log.
    load_gate::rebuild_gate(ports).await?;

    let endpoint = Endpoint::listen(config.listen.0, "listen")?;
    instance.announce(&endpoint.url)?;
    banner::print(ports, config, &endpoint.url, world.mailbox.is_some()).await?;
    // Who ends it sits before it: there is no proxy to be told.
    let ending = Ending::on_signal(Duration::ZERO)?;
    let lacks = Arc::new(crew.lacks());
    endpoint.serve(&world, reload, lacks, &ending).await?;
    // What was accepted until now is the workers' to finish.
    crew.leave().await;
    world.close().await?;
    println!(
        "Stopped. Everything is in {}; the next start goes on from here.",
        config.data_dir.0.display()
    );
    Ok(())
}

async fn over_servers(config: &Config, reload: Reload) -> Result<(), Fault> {
    let ending = Ending::on_signal(config.process.notice.duration())?;
    let opening = async {
        // Boxed, as each of these is too large to be carried on the stack.
        Box::pin(setup::prepare(config, |line| tracing::info!("{line}"))).await?;
        World::distributed(config).await
    };
    let Some(world) = ending.unless_leaving(opening).await else {
        return Ok(());
    };
    let world = world?;
    let crew = Crew::start(&world, config, &WorkerName::ALL);
    let probes = Probes::start(&world.ports, &ending.stop);
    let endpoint = Endpoint::listen(config.listen.0, "listen")?;
    banner::print(&world.ports, config, &endpoint.url, world.mailbox.is_some()).await?;
    let workers = crew.lacks();
    let lacks = Arc::new(move || {
        let mut lacks = probes.lacks();
        let of_workers = workers();
        lacks.missing.extend(of_workers.missing);
        lacks.degraded.extend(of_workers.degraded);
        lacks
    });
    endpoint.serve(&world, reload, lacks, &ending).await?;
    crew.leave().await;
    world.close().await?;
    println!("Stopped.");
    Ok(())
}
