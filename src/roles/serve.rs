//! `firstcome serve`: an API node. It keeps nothing, so there may be any number.

use std::sync::Arc;

use domain::Fault;

use crate::banner;
use crate::compose::World;
use crate::probes::Probes;
use crate::process::Ending;
use crate::reload::Reload;
use crate::roles::endpoint::{self, Endpoint};

/// Serves until Ctrl-C or SIGTERM, then gives notice, and drains.
///
/// # Errors
/// Whatever keeps it from starting, or from closing cleanly.
pub async fn run(reload: Reload) -> Result<(), Fault> {
    let config = &reload.config().clone();
    super::need_servers(config, "serve")?;
    endpoint::check(config)?;
    let ending = Ending::on_signal(config.process.notice.duration())?;
    let Some(world) = ending.unless_leaving(World::distributed(config)).await else {
        return Ok(());
    };
    let world = world?;
    let endpoint = Endpoint::listen(config.listen.0, "listen")?;
    banner::print_places(config, &endpoint.url, world.mailbox.is_some());
    let probes = Probes::start(&world.ports, &ending.stop);
    let lacks = Arc::new(move || probes.lacks());
    endpoint.serve(&world, reload, lacks, &ending).await?;
    world.close().await?;
    println!("Stopped.");
    Ok(())
}
