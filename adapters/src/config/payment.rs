//! How the payment provider is reached.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::check::Check;
use super::{Config, Secret, Span};

/// How payments are made, and asked after.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payment {
    /// After what time a payment whose outcome is unknown is asked after again.
    pub ask_again_after: Span,
    /// How long the provider remembers a key; afterwards payments are looked up, never sent again.
    pub key_life: Span,
    /// Where Stripe, or `firstcome provider`, is asked; the simulated provider in this process, when
    /// absent.
    pub url: Option<String>,
    /// Who we are to it.
    pub secret_key: Option<Secret>,
    /// What it signs webhooks with.
    pub webhook_secret: Option<Secret>,
    pub simulated: Simulated,
}

/// The simulated provider: the one in this process, and the server that `firstcome provider` is.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Simulated {
    /// What decides which shoppers abandon; the same seed, the same shoppers.
    pub seed: u64,
    /// How long an answer takes.
    pub latency: Span,
    /// Share of `tok_shopper` payments that are abandoned on the payment screen, 0 to 1.
    pub abandon_on_screen: f64,
    /// Share of the rest that is abandoned while the payment is in progress, 0 to 1.
    pub abandon_in_progress: f64,
    /// Address and port of the server; the rest is about the server alone.
    pub listen: SocketAddr,
    /// Share of all other payments that is declined, 0 to 1.
    pub declines: f64,
    /// Share of captures whose answer is lost, 0 to 1.
    pub lost_answers: f64,
    /// How long what comes late takes.
    pub late: Span,
    /// Where webhooks are sent; nowhere, when absent.
    pub webhook_url: Option<String>,
    /// How long after it happened.
    pub webhook_delay: Span,
    /// Share of webhooks that are sent twice, 0 to 1.
    pub duplicate_webhooks: f64,
}

impl Default for Payment {
    fn default() -> Self {
        Self {
            ask_again_after: Span::seconds(5),
            key_life: Span::hours(24),
            url: None,
            secret_key: None,
            webhook_secret: None,
            simulated: Simulated::default(),
        }
    }
}

impl Default for Simulated {
    fn default() -> Self {
        Self {
            seed: 1,
            latency: Span::milliseconds(50),
            abandon_on_screen: 0.2,
            abandon_in_progress: 0.2,
            listen: SocketAddr::from(([127, 0, 0, 1], 8200)),
            declines: 0.0,
            lost_answers: 0.0,
            late: Span::seconds(5),
            webhook_url: None,
            webhook_delay: Span::milliseconds(0),
            duplicate_webhooks: 0.0,
        }
    }
}

impl Config {
    pub(super) fn check_payment(&self, check: &mut Check) {
        let payment = &self.payment;
        check.that(
            payment.key_life > payment.ask_again_after,
            "payment.key_life",
            "must last longer than payment.ask_again_after",
        );
        let is_web = |url: &Option<String>| {
            url.as_ref()
                .is_none_or(|url| url.starts_with("http://") || url.starts_with("https://"))
        };
        let rule = "must begin with http:// or https://";
        check.that(is_web(&payment.url), "payment.url", rule);
        let webhook_url = &payment.simulated.webhook_url;
        check.that(is_web(webhook_url), "payment.simulated.webhook_url", rule);
        self.check_reach(check);
        self.check_simulated(check);
    }

    /// A provider in each process of several would have books of its own in each.
    fn check_reach(&self, check: &mut Check) {
        let payment = &self.payment;
        let has_servers = self.servers().is_some();
        check.that(
            payment.url.is_some() || !has_servers,
            "payment.url",
            "must be set where servers are: https://api.stripe.com, or where `firstcome provider` \
             listens",
        );
        check.that(
            payment.secret_key.is_some() || payment.url.is_none(),
            "payment.secret_key",
            "must be set too, as payment.url is",
        );
        check.that(
            payment.webhook_secret.is_some() || payment.url.is_none() || !has_servers,
            "payment.webhook_secret",
            "must be set too, as payment.url and servers are",
        );
        let is_empty = |secret: &Secret| secret.expose().is_empty();
        for (secret, key) in [
            (&payment.secret_key, "payment.secret_key"),
            (&payment.webhook_secret, "payment.webhook_secret"),
        ] {
            // Anybody could sign with nothing.
            let is_set = !secret.as_ref().is_some_and(is_empty);
            check.that(is_set, key, "must not be empty");
        }
        let is_told = payment.simulated.webhook_url.is_some();
        check.that(
            payment.webhook_secret.is_some() || !is_told,
            "payment.webhook_secret",
            "must be set too, as payment.simulated.webhook_url is",
        );
    }

    fn check_simulated(&self, check: &mut Check) {
        let simulated = &self.payment.simulated;
        for (share, name) in [
            (simulated.abandon_on_screen, "abandon_on_screen"),
            (simulated.abandon_in_progress, "abandon_in_progress"),
            (simulated.declines, "declines"),
            (simulated.lost_answers, "lost_answers"),
            (simulated.duplicate_webhooks, "duplicate_webhooks"),
        ] {
            let key = format!("payment.simulated.{name}");
            check.that(
                (0.0..=1.0).contains(&share),
                &key,
                "must be a share from 0 to 1",
            );
        }
        check.wait(
            simulated.late,
            Span::milliseconds(0),
            "payment.simulated.late",
        );
        let delay = simulated.webhook_delay;
        check.wait(
            delay,
            Span::milliseconds(0),
            "payment.simulated.webhook_delay",
        );
    }
}
