//! From the configured limits to what the face is bounded by.

use std::sync::Arc;

use adapters::config::Config;
use api::app::{ConnectionSettings, Limit, SocketSettings};
use api::limits::Limits;
use api::origin::Networks;
use domain::ports::Ports;
use domain::rate::Action;
use domain::use_cases::keep_to_rate::{Who, keep_to_rate};
use domain::{Failure, Reason};

/// What one request may ask for, and all of them together.
pub fn of_requests(config: &Config) -> Limits {
    let limits = &config.limits;
    Limits {
        body_bytes: limits.body,
        json_depth: limits.json_depth,
        document_bytes: limits.document,
        tokens: limits.tokens,
        brackets: limits.brackets,
        depth: limits.depth,
        selection_levels: limits.selection_levels,
        selections: limits.selections,
        complexity: limits.complexity,
        aliases: limits.aliases,
        root_fields: limits.root_fields,
        directives: limits.directives,
        list_items: limits.list_items,
        errors: limits.errors,
        in_flight: limits.in_flight,
    }
}

/// How connections are served.
pub fn of_connections(config: &Config) -> ConnectionSettings {
    let limits = &config.limits;
    ConnectionSettings {
        per_node: limits.connections_per_node,
        per_peer: limits.connections_per_peer,
        idle_timeout: limits.idle.duration(),
        head_timeout: limits.head.duration(),
        body_timeout: limits.body_read.duration(),
        write_timeout: limits.write.duration(),
        bodies: limits.bodies,
    }
}

/// How sockets are served.
pub fn of_sockets(config: &Config) -> SocketSettings {
    let limits = &config.limits;
    SocketSettings {
        write_timeout: limits.write.duration(),
        operations: limits.socket_operations,
        messages: limits.socket_messages.rate(),
        per_account: limits.sockets_per_account,
        per_peer: limits.sockets_per_peer,
        per_node: limits.sockets_per_node,
        ..SocketSettings::default()
    }
}

/// What is known of the networks that requests come from.
pub fn networks(config: &Config) -> Networks {
    Networks {
        trusted_proxies: config.limits.trusted_proxies.to_vec(),
        spared: config.limits.spared.to_vec(),
    }
}

/// Counts the requests of whoever is not signed in.
pub fn of_anonymous(ports: &Ports) -> Limit {
    let ports = ports.clone();
    Arc::new(move |peer| {
        let ports = ports.clone();
        Box::pin(async move {
            let who = Who::comes_from(Some(peer));
            match keep_to_rate(&ports, Action::Request, who).await {
                Err(Failure::Refused(refusals)) => Err(wait_ms(&refusals)),
                // What can't be counted is let through: there is no request that nobody may make.
                Ok(()) | Err(Failure::Fault(_)) => Ok(()),
            }
        })
    })
}

fn wait_ms(refusals: &[domain::Refusal]) -> u64 {
    let waits = refusals.iter().map(|refusal| match refusal.reason {
        Reason::RateLimited { retry_after_ms } => retry_after_ms,
        _ => 0,
    });
    waits.max().unwrap_or(0)
}
