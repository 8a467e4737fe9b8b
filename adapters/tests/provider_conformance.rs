//! The simulated provider under the provider's conformance suite: in this process, and as a server
//! behind the HTTP adapter.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "conformance/provider.rs"]
mod conformance;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters::clock::SystemClock;
use adapters::config::{Config, Secret, Simulated, Span};
use adapters::entropy::SystemEntropy;
use adapters::payment::server::ProviderServer;
use adapters::payment::{References, SimulatedProvider, StripeProvider, StripeSettings};
use async_trait::async_trait;
use conformance::{ORDER, World, books, payment, refund};
use domain::payment::{CaptureAnswer, DeclineReason, RefundAnswer};
use domain::ports::{Clock, Provider};
use domain::{Fault, PaymentId};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use CaptureAnswer::{Captured, Declined, Unknown};

fn quick() -> Simulated {
    Simulated {
        latency: Span::milliseconds(0),
        ..Config::default().payment.simulated
    }
}

fn secret(text: &str) -> Secret {
    serde_json::from_str(&format!("\"{text}\"")).unwrap()
}

mod in_process {
    use super::*;

    struct InProcess {
        provider: Arc<SimulatedProvider>,
        _folder: TempDir,
    }

    impl InProcess {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("provider.db");
            let provider = SimulatedProvider::open(&path, quick()).await;
            Self {
                provider: Arc::new(provider.map_err(|fault| fault.detail()).unwrap()),
                _folder: folder,
            }
        }
    }

    impl World for InProcess {
        fn provider(&self) -> Arc<dyn Provider> {
            self.provider.clone()
        }
    }

    conformance::provider_suite!(InProcess::new().await);
}

/// References in memory, or lost at once.
#[derive(Default)]
struct Kept {
    known: Mutex<HashMap<PaymentId, String>>,
    forgets: bool,
}

#[async_trait]
impl References for Kept {
    async fn remember(&self, payment: PaymentId, reference: &str) -> Result<(), Fault> {
        if !self.forgets {
            let mut known = self.known.lock().unwrap();
            known.insert(payment, reference.to_owned());
        }
        Ok(())
    }

    async fn recall(&self, payment: PaymentId) -> Result<Option<String>, Fault> {
        Ok(self.known.lock().unwrap().get(&payment).cloned())
    }
}

/// A server on a port of its own, and the adapter that asks it.
struct OverHttp {
    provider: Arc<StripeProvider>,
    url: String,
    stop: CancellationToken,
    _folder: TempDir,
}

impl OverHttp {
    async fn new() -> Self {
        Self::with(quick(), Kept::default()).await
    }

    async fn with(settings: Simulated, kept: Kept) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("provider.db");
        let secrets = (secret("sk_x"), Some(secret("whsec_x")));
        let world: (Arc<dyn Clock>, _) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let server = ProviderServer::open(&path, settings, secrets, (world.0, world.1)).await;
        let server = server.map_err(|fault| fault.detail()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(server.serve(listener, stop.clone()));
        Self {
            provider: asking(&url, "sk_x", kept),
            url,
            stop,
            _folder: folder,
        }
    }
}

fn asking(url: &str, key: &str, kept: Kept) -> Arc<StripeProvider> {
    let settings = StripeSettings {
        url: url.to_owned(),
        secret_key: secret(key),
        webhook_secret: None,
        key_life: Duration::from_hours(24),
        timeout: Duration::from_secs(10),
    };
    let provider = StripeProvider::new(settings, Arc::new(kept), Arc::new(SystemClock));
    Arc::new(provider.map_err(|fault| fault.detail()).unwrap())
}

impl World for OverHttp {
    fn provider(&self) -> Arc<dyn Provider> {
        self.provider.clone()
    }
}

mod over_http {
    use super::*;

    conformance::provider_suite!(OverHttp::new().await);
}

/// Where every reference is lost, the provider's own search finds what there is.
mod over_http_by_search {
    use super::*;

    fn forgetful() -> Kept {
        Kept {
            forgets: true,
            ..Kept::default()
        }
    }

    conformance::provider_suite!(OverHttp::with(quick(), forgetful()).await);
}

/// Asks until it is known.
async fn until_known(provider: &dyn Provider, number: u128, token: &str) -> CaptureAnswer {
    let payment = payment(number, token);
    loop {
        let answer = provider.capture(ORDER, &payment).await;
        if answer != Unknown {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn who_has_to_be_shown_a_page_is_declined_and_nothing_stays_open() {
    let world = OverHttp::new().await;
    let payment = payment(1, "tok_requires_action");
    for _ in 0..2 {
        let answer = world.provider.capture(ORDER, &payment).await;
        assert_eq!(answer, Declined(DeclineReason::Refused));
    }
    let answer = world.provider.look_up(&payment, None).await;
    assert_eq!(answer, Declined(DeclineReason::Refused));
    assert_eq!(books(&*world.provider, 10).await[0].captures, 0);
}

#[tokio::test]
async fn what_is_in_progress_is_unknown_until_it_is_captured() {
    let settings = Simulated {
        late: Span::milliseconds(400),
        ..quick()
    };
    let world = OverHttp::with(settings, Kept::default()).await;
    let late = payment(1, "tok_late");
    assert_eq!(world.provider.capture(ORDER, &late).await, Unknown);
    // There is nothing to give back yet, and that stands under its key.
    let back = world.provider.refund(&refund(6, &late, 5_000)).await;
    assert_eq!(back, RefundAnswer::NotGivenBack);
    assert_eq!(until_known(&*world.provider, 1, "tok_late").await, Captured);
    let back = world.provider.refund(&refund(7, &late, 5_000)).await;
    assert_eq!(back, RefundAnswer::GivenBack);
}

#[tokio::test]
async fn a_late_success_is_found_by_looking_and_can_be_given_back() {
    let settings = Simulated {
        late: Span::milliseconds(300),
        ..quick()
    };
    let world = OverHttp::with(settings, Kept::default()).await;
    let late = payment(1, "tok_decline_then_approve");
    let declined = Declined(DeclineReason::Refused);
    assert_eq!(world.provider.capture(ORDER, &late).await, declined);
    while world.provider.look_up(&late, None).await != Captured {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Its key still says what it said.
    assert_eq!(world.provider.capture(ORDER, &late).await, declined);
    let back = world.provider.refund(&refund(7, &late, 5_000)).await;
    assert_eq!(back, RefundAnswer::GivenBack);
    let entry = books(&*world.provider, 10).await[0];
    assert_eq!((entry.captures, entry.refunded_minor), (1, 5_000));
}

#[tokio::test]
async fn where_every_answer_is_lost_and_half_are_declined_each_is_settled_once() {
    let settings = Simulated {
        lost_answers: 1.0,
        declines: 0.5,
        ..quick()
    };
    let world = OverHttp::with(settings, Kept::default()).await;
    let mut captured = 0;
    for number in 1..=20 {
        let answer = until_known(&*world.provider, number, "tok_approve").await;
        captured += usize::from(answer == Captured);
    }
    assert!((2..=18).contains(&captured), "{captured}");
    let entries = books(&*world.provider, 7).await;
    assert_eq!(entries.len(), 20);
    let taken: u32 = entries.iter().map(|entry| entry.captures).sum();
    assert_eq!(taken as usize, captured);
}

#[tokio::test]
async fn a_payment_that_may_still_be_on_its_way_is_not_given_up() {
    let world = OverHttp::new().await;
    let mut fresh = payment(1, "tok_approve");
    // Sent at its key's very end, and the search does not know of it yet.
    fresh.requested_at = SystemClock.now() - chrono::TimeDelta::hours(24);
    assert_eq!(world.provider.look_up(&fresh, None).await, Unknown);
    fresh.requested_at -= chrono::TimeDelta::hours(2);
    let never = Declined(DeclineReason::NeverReceived);
    assert_eq!(world.provider.look_up(&fresh, None).await, never);
}

#[tokio::test]
async fn who_has_another_key_or_is_gone_gets_no_answer() {
    let world = OverHttp::new().await;
    let stranger = asking(&world.url, "sk_y", Kept::default());
    let payment = payment(1, "tok_approve");
    assert_eq!(stranger.capture(ORDER, &payment).await, Unknown);
    assert!(stranger.statement(None, 10).await.is_err());
    assert_eq!(books(&*world.provider, 10).await, []);
    world.stop.cancel();
    while world.provider.capture(ORDER, &payment).await != Unknown {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
