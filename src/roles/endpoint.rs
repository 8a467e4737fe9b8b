//! The endpoint of a process: where it listens, what it serves, and how it ends.

mod limits;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adapters::config::Config;
use api::app::{App, Lacks, Readiness, ServerSettings};
use api::authenticate::{Denied, Identity};
use api::engine::{Documents, Engine, EngineSettings, TrustedDocuments};
use api::graphql::Graph;
use api::server::Server;
use api::sessions::EndedSessions;
use chrono::TimeDelta;
use domain::ports::Ports;
use domain::ports::provider::Notice;
use domain::use_cases::hear_provider::hear_provider;
use domain::{Fault, Requester};
use tokio::net::{TcpListener, TcpSocket};

use crate::compose::World;
use crate::process::Ending;
use crate::reload::Reload;

/// A socket that listens.
pub struct Endpoint {
    pub listener: TcpListener,
    /// Without a path.
    pub url: String,
}

impl Endpoint {
    /// # Errors
    /// The address, which `key` configures, is taken or not this machine's.
    pub fn listen(address: SocketAddr, key: &str) -> Result<Self, Fault> {
        let fault = |error| Fault::unavailable("listening", format!("{key}: {address}: {error}"));
        let listener = bind(address).map_err(fault)?;
        let url = format!("http://{}", listener.local_addr().map_err(fault)?);
        Ok(Self { listener, url })
    }

    /// Serves the API until the end; then requests and sockets may end in their time.
    ///
    /// # Errors
    /// Settings that make no sense, or a fault of the ledger at the start.
    pub async fn serve(
        self,
        world: &World,
        reload: Reload,
        lacks: Arc<dyn Fn() -> Lacks + Send + Sync>,
        ending: &Ending,
    ) -> Result<(), Fault> {
        let ports = &world.ports;
        let graph = Graph::new(ports.clone());
        let access = TimeDelta::milliseconds(ports.policies.accounts.access_ms);
        let ended = EndedSessions::new(access);
        ended.load(&*ports.sessions, ports.clock.now()).await?;
        let readiness = Readiness {
            lacks,
            leaving: ending.leaving.clone(),
        };
        let face = Face {
            world,
            graph: graph.clone(),
            ended: ended.clone(),
            readiness,
        };
        let server = Server::new(face.app(reload.config())?, ending.stop.clone());
        let following = tokio::spawn({
            let (ports, stop) = (ports.clone(), ending.stop.clone());
            async move {
                let sessions = ended.follow(&*ports.sessions, &*ports.clock, &stop);
                tokio::join!(graph.follow(stop.clone()), sessions);
            }
        });
        let reloading = reload.follow(ports.policies.rates.clone(), |config| {
            server.renew(face.app(config)?);
            Ok(())
        });
        tokio::select! {
            () = server.serve(self.listener) => {}
            () = reloading => {}
        }
        ending.stop.cancel();
        let _ = following.await;
        Ok(())
    }
}

/// Connections that may wait to be accepted; the system has a bound of its own (`somaxconn`). Past
/// it one is tried again after a second, and buyers who come all at once would wait that long.
const BACKLOG: u32 = 4_096;

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Those of the process before that are not quite gone keep nobody from the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Makes sure before anything starts of what the settings name beside them.
///
/// # Errors
/// Trusted documents that can't be read, or are none.
pub fn check(config: &Config) -> Result<(), Fault> {
    documents(config).map(drop)
}

/// Which documents are executed.
fn documents(config: &Config) -> Result<Documents, Fault> {
    const DOING: &str = "reading graphql.trusted_documents";
    match &config.graphql.trusted_documents {
        Some(file) => {
            let fault = |error: &dyn std::fmt::Display| {
                Fault::corrupt(DOING, format!("{}: {error}", file.display()))
            };
            let text = std::fs::read_to_string(file).map_err(|error| fault(&error))?;
            let trusted = TrustedDocuments::read(&text).map_err(|error| fault(&error))?;
            Ok(Documents::Trusted(trusted))
        }
        None if config.graphql.persisted_queries.0 => Ok(Documents::default()),
        None => Ok(Documents::Sent { remembered: 0 }),
    }
}

/// What stays the same of the face whatever the settings say.
struct Face<'a> {
    world: &'a World,
    graph: Graph,
    ended: EndedSessions,
    readiness: Readiness,
}

impl Face<'_> {
    /// The face by these settings.
    fn app(&self, config: &Config) -> Result<App, Fault> {
        let ports = &self.world.ports;
        let origins = config.graphql.origins.iter();
        let origins = origins.map(|origin| {
            origin
                .parse()
                .map_err(|e| Fault::corrupt("reading graphql.origins", e))
        });
        let settings = EngineSettings {
            limits: limits::of_requests(config),
            introspection: config.playground.0,
            accepted: documents(config)?,
            ..EngineSettings::default()
        };
        Ok(App {
            engine: Engine::new(|| api::graphql::schema(&self.graph), settings),
            authenticate: Arc::new({
                let (ports, ended) = (ports.clone(), self.ended.clone());
                move |token| {
                    let identity = identify(&ports, &ended, &token);
                    Box::pin(async move { identity })
                }
            }),
            ended: self.ended.clone(),
            limit: limits::of_anonymous(ports),
            hear: Arc::new({
                let ports = ports.clone();
                move |body, signature| {
                    let ports = ports.clone();
                    Box::pin(async move {
                        let notice = Notice {
                            body: &body,
                            signature: &signature,
                        };
                        hear_provider(&ports, &notice).await
                    })
                }
            }),
            request_id: Arc::new({
                let ports = ports.clone();
                move || ports.random_id()
            }),
            span: Arc::new(adapters::telemetry::trace::span_of),
            readiness: self.readiness.clone(),
            jwks: Arc::new({
                let tokens = ports.tokens.clone();
                move || tokens.jwks()
            }),
            mailbox: self.world.mailbox.clone(),
            settings: ServerSettings {
                playground: config.playground.0,
                origins: origins.collect::<Result<_, _>>()?,
                drain: config.process.drain.duration(),
                networks: limits::networks(config),
                connections: limits::of_connections(config),
                sockets: limits::of_sockets(config),
            },
        })
    }
}

fn identify(ports: &Ports, ended: &EndedSessions, token: &str) -> Result<Identity, Denied> {
    let now = ports.clock.now();
    let claims = ports.tokens.verify(token, now).map_err(|_| Denied::Token)?;
    if claims
        .session
        .is_some_and(|session| ended.contains(session))
    {
        return Err(Denied::Token);
    }
    let left = (claims.expires_at - now).to_std().unwrap_or(Duration::ZERO);
    let requester = Requester::SignedIn {
        account: claims.account,
        role: claims.role,
        session: claims.session,
        until: claims.expires_at,
    };
    Ok(Identity {
        requester,
        expires_in: Some(left),
    })
}
