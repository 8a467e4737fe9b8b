//! How much one client may ask for, and how much all of them together.

use serde::{Deserialize, Serialize};

use super::check::Check;
use super::{Config, Networks, Often, Span};

/// Bounds on requests, connections and sockets.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a request's body, and of one WebSocket message.
    pub body: usize,
    /// Brackets within brackets of a body or message, which is JSON.
    pub json_depth: usize,
    /// Bytes of a document's text.
    pub document: usize,
    /// Lexical tokens of a document.
    pub tokens: usize,
    /// Brackets open at once in a document.
    pub brackets: usize,
    /// Fields within fields.
    pub depth: usize,
    /// Selections within selections, fragments included.
    pub selection_levels: usize,
    /// Fields and fragments of a document, every fragment put in its place.
    pub selections: usize,
    /// What an operation may cost.
    pub complexity: usize,
    pub aliases: usize,
    /// Fields at the top of one operation.
    pub root_fields: usize,
    pub directives: usize,
    /// Entries of one list among arguments and variables.
    pub list_items: usize,
    /// Errors listed in one answer.
    pub errors: usize,
    /// Operations that a node works on at once; past it one is told to try again.
    pub in_flight: usize,
    /// Bytes of bodies that a node holds at once.
    pub bodies: usize,
    pub connections_per_node: usize,
    pub connections_per_peer: usize,
    /// How long a connection may be without a request.
    pub idle: Span,
    /// How long a request's head may take from its first byte on.
    pub head: Span,
    /// How long its body may take.
    pub body_read: Span,
    /// How long a client may take nothing of what it is sent.
    pub write: Span,
    pub sockets_per_node: usize,
    pub sockets_per_account: usize,
    /// Of those who are not signed in.
    pub sockets_per_peer: usize,
    /// Operations that one socket may have at once.
    pub socket_operations: usize,
    /// Messages and frames that one socket may send.
    pub socket_messages: Often,
    /// Proxies that are believed when they say whom they speak for (`X-Forwarded-For`).
    pub trusted_proxies: Networks,
    /// Networks whose connections, sockets and requests are not counted by where they come from.
    pub spared: Networks,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1024 * 1024,
            json_depth: 32,
            document: 100 * 1024,
            tokens: 5_000,
            brackets: 60,
            depth: 16,
            selection_levels: 30,
            selections: 3_000,
            complexity: 10_000,
            aliases: 100,
            root_fields: 20,
            directives: 100,
            list_items: 2_000,
            errors: 50,
            in_flight: 256,
            bodies: 256 * 1024 * 1024,
            connections_per_node: 20_000,
            connections_per_peer: 1_000,
            idle: Span::seconds(75),
            head: Span::seconds(10),
            body_read: Span::seconds(10),
            write: Span::seconds(10),
            sockets_per_node: 15_000,
            sockets_per_account: 50,
            sockets_per_peer: 500,
            socket_operations: 50,
            socket_messages: Often::times(200, Span::seconds(10).duration()),
            trusted_proxies: Networks::default(),
            spared: Networks::this_machine(),
        }
    }
}

/// As many as any number of these may be.
const MANY: usize = 10_000_000;

impl Config {
    /// Checks the limits, each by itself and with the others.
    pub(super) fn check_limits(&self, check: &mut Check) {
        let limits = &self.limits;
        for (number, least, most, key) in [
            (limits.body, 1_024, 64 << 20, "body"),
            // JSON is read by recursion, 128 deep at most.
            (limits.json_depth, 8, 120, "json_depth"),
            (limits.document, 1_024, 16 << 20, "document"),
            (limits.tokens, 100, MANY, "tokens"),
            // Documents are read by recursion too.
            (limits.brackets, 20, 200, "brackets"),
            (limits.depth, 4, 100, "depth"),
            (limits.selection_levels, 4, 100, "selection_levels"),
            (limits.selections, 100, MANY, "selections"),
            (limits.complexity, 100, MANY, "complexity"),
            (limits.aliases, 0, MANY, "aliases"),
            (limits.root_fields, 1, MANY, "root_fields"),
            (limits.directives, 0, MANY, "directives"),
            (limits.list_items, 1, MANY, "list_items"),
            (limits.errors, 1, 10_000, "errors"),
            (limits.in_flight, 1, MANY, "in_flight"),
            (limits.connections_per_node, 1, MANY, "connections_per_node"),
            (limits.connections_per_peer, 1, MANY, "connections_per_peer"),
            (limits.sockets_per_node, 0, MANY, "sockets_per_node"),
            (limits.sockets_per_account, 1, MANY, "sockets_per_account"),
            (limits.sockets_per_peer, 1, MANY, "sockets_per_peer"),
            (limits.socket_operations, 1, 10_000, "socket_operations"),
        ] {
            let rule = format!("must be {least} to {most}");
            let sound = (least..=most).contains(&number);
            check.that(sound, &format!("limits.{key}"), &rule);
        }
        for (span, key) in [
            (limits.idle, "limits.idle"),
            (limits.head, "limits.head"),
            (limits.body_read, "limits.body_read"),
            (limits.write, "limits.write"),
        ] {
            check.wait(span, Span::milliseconds(100), key);
        }
        self.check_limits_together(check);
    }

    fn check_limits_together(&self, check: &mut Check) {
        let limits = &self.limits;
        for (holds, key, rule) in [
            (
                limits.document <= limits.body,
                "limits.document",
                "must be at most limits.body, which it is sent in",
            ),
            (
                limits.bodies >= limits.body,
                "limits.bodies",
                "must have room for one of limits.body",
            ),
            (
                limits.list_items > self.orders.max_lines,
                "limits.list_items",
                "must be more than orders.max_lines, so that an order of too many is told so",
            ),
            (
                limits.depth >= INTROSPECTION_DEPTH || !self.playground.0,
                "limits.depth",
                "must be at least 15 where the playground is, whose tools ask so deep",
            ),
            (
                limits.sockets_per_node <= limits.connections_per_node,
                "limits.sockets_per_node",
                "must be at most limits.connections_per_node, as each socket is one",
            ),
        ] {
            check.that(holds, key, rule);
        }
    }
}

/// How deep the usual introspection query goes.
const INTROSPECTION_DEPTH: usize = 15;
