//! Everything in one process: the endpoint and every worker over the embedded engines.

use std::sync::Arc;
use std::time::Duration;

use adapters::config::Config;
use api::app::{App, ServerSettings};
use api::authenticate::{Denied, Identity};
use api::engine::{Engine, EngineSettings};
use api::graphql::Graph;
use domain::ports::Ports;
use domain::use_cases::load_gate;
use domain::{Fault, Requester};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use workers::{Health, Pace, WorkerName, Workers};

use crate::compose::World;
use crate::instance::{Claimed, Instance};
use crate::{banner, demo};

/// Runs the shop until Ctrl-C or SIGTERM, then drains.
///
/// # Errors
/// Whatever keeps it from starting, or from closing cleanly.
pub async fn run(config: Config) -> Result<(), Fault> {
    let instance = match Instance::claim(&config)? {
        Claimed::Ours(instance) => instance,
        Claimed::Running { url } => {
            let place = url.unwrap_or_else(|| "another process".to_owned());
            return Err(Fault::unavailable(
                "starting",
                format!("it runs already: {place}"),
            ));
        }
    };
    let world = World::open(&config, instance.next_epoch()?).await?;
    let ports = world.ports.clone();
    if config.demo.0 {
        demo::fill(&ports, &config.data_dir.0).await?;
    }
    let stop_workers = CancellationToken::new();
    let workers = Workers::start(
        &ports,
        Pace::default(),
        &WorkerName::ALL,
        stop_workers.clone(),
    );
    // Workers first: the gate may only be loaded once the order writer has caught up with the log.
    load_gate::rebuild_gate(&ports).await?;

    let listener = TcpListener::bind(config.listen.0).await.map_err(|error| {
        Fault::unavailable("listening", format!("{}: {error}", config.listen.0))
    })?;
    let address = listener
        .local_addr()
        .map_err(|error| Fault::unavailable("listening", error))?;
    let url = format!("http://{address}");
    instance.announce(&url)?;
    banner::print(&ports, &config, &url, world.mailbox.is_some()).await?;

    let stop = CancellationToken::new();
    let graph = Graph::new(ports.clone());
    let following = tokio::spawn({
        let (graph, stop) = (graph.clone(), stop.clone());
        async move { graph.follow(stop).await }
    });
    tokio::spawn(wait_for_signal(stop.clone()));
    let app = app(&world, &graph, &config, workers.health());
    api::server::serve(listener, app, stop.clone())
        .await
        .map_err(|error| Fault::unavailable("serving", error))?;
    // What was accepted until now is the workers' to finish.
    stop.cancel();
    let _ = following.await;
    stop_workers.cancel();
    for late in workers.finish().await {
        tracing::warn!(
            worker = late,
            "was stopped in the middle of its work; it is done again"
        );
    }
    drop(ports);
    world.close().await?;
    println!(
        "Stopped. Everything is in {}; the next start goes on from here.",
        config.data_dir.0.display()
    );
    Ok(())
}

async fn wait_for_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} }
        }
        Err(_) => {
            let _ = interrupt.await;
        }
    }
    stop.cancel();
}

fn app(world: &World, graph: &Graph, config: &Config, health: Health) -> App {
    let ports = &world.ports;
    let settings = EngineSettings {
        introspection: config.playground.0,
        ..EngineSettings::default()
    };
    App {
        engine: Engine::new(|| api::graphql::schema(graph), settings),
        authenticate: Arc::new({
            let ports = ports.clone();
            move |token| {
                let identity = identify(&ports, &token);
                Box::pin(async move { identity })
            }
        }),
        request_id: Arc::new({
            let ports = ports.clone();
            move || ports.random_id()
        }),
        missing: Arc::new({
            let clock = ports.clock.clone();
            move || {
                let unwell = health.unwell(clock.now());
                Box::pin(async move { unwell })
            }
        }),
        jwks: ports.tokens.jwks(),
        mailbox: world.mailbox.clone(),
        settings: ServerSettings {
            playground: config.playground.0,
            ..ServerSettings::default()
        },
    }
}

fn identify(ports: &Ports, token: &str) -> Result<Identity, Denied> {
    let now = ports.clock.now();
    let claims = ports.tokens.verify(token, now).map_err(|_| Denied::Token)?;
    let left = (claims.expires_at - now).to_std().unwrap_or(Duration::ZERO);
    let requester = Requester::SignedIn {
        account: claims.account,
        role: claims.role,
        until: claims.expires_at,
    };
    Ok(Identity {
        requester,
        expires_in: Some(left),
    })
}
