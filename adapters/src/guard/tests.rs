use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use domain::payment::{
    CaptureAnswer, DeclineReason, Payment, PaymentMethod, PaymentState, Refund, RefundAnswer,
    RefundReason,
};
use domain::ports::gate::FeedCursor;
use domain::ports::mail::{Content, Letter};
use domain::ports::provider::{
    Heard, Notice, NoticeRefused, ProviderReference, Statement, StatementCursor,
};
use domain::ports::{Gate, Mailer, Provider};
use domain::{Currency, FaultKind, Money, OrderId, PaymentId, RefundId, Timestamp};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::*;
use crate::clock::SystemClock;
use crate::embedded::gate::{MemoryGate, MemoryGateSettings};

const PAUSE: Duration = Duration::from_millis(60);

fn settings(failures: usize) -> GuardSettings {
    let limit = Duration::from_millis(30);
    GuardSettings {
        gate: limit,
        gate_bulk: limit,
        log: limit,
        provider: limit,
        mail: limit,
        failures,
        pause: PAUSE,
    }
}

/// A provider that answers every question the same, or not at all.
struct Answers {
    answer: Option<CaptureAnswer>,
    asked: AtomicU32,
}

impl Answers {
    fn new(answer: Option<CaptureAnswer>) -> Arc<Self> {
        let asked = AtomicU32::new(0);
        Arc::new(Self { answer, asked })
    }

    async fn say(&self) -> CaptureAnswer {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match self.answer {
            Some(answer) => answer,
            None => pending().await,
        }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Provider for Answers {
    async fn capture(&self, _: OrderId, _: &Payment) -> CaptureAnswer {
        self.say().await
    }

    async fn look_up(&self, _: &Payment, _: Option<&ProviderReference>) -> CaptureAnswer {
        self.say().await
    }

    async fn refund(&self, _: &Refund) -> RefundAnswer {
        match self.say().await {
            CaptureAnswer::Captured => RefundAnswer::GivenBack,
            CaptureAnswer::Declined(_) => RefundAnswer::NotGivenBack,
            CaptureAnswer::Unknown => RefundAnswer::Unknown,
        }
    }

    async fn statement(&self, _: Option<&StatementCursor>, _: usize) -> Result<Statement, Fault> {
        self.say().await;
        let entries = Vec::new();
        Ok(Statement {
            entries,
            next: None,
        })
    }

    async fn hear(&self, _: &Notice<'_>) -> Result<Heard, NoticeRefused> {
        Err(NoticeRefused::NotTaken)
    }
}

fn payment() -> Payment {
    Payment {
        id: PaymentId(Uuid::nil()),
        attempt: 1,
        method: PaymentMethod("tok_approve".to_owned()),
        amount: Money::zero(Currency::from_code("KRW").unwrap()),
        requested_at: Timestamp::UNIX_EPOCH,
        state: PaymentState::Requested,
    }
}

fn refund() -> Refund {
    Refund {
        id: RefundId(Uuid::nil()),
        payment: PaymentId(Uuid::nil()),
        amount: Money::zero(Currency::from_code("KRW").unwrap()),
        reason: RefundReason::Cancelled,
        requested_at: Timestamp::UNIX_EPOCH,
        completed_at: None,
    }
}

#[tokio::test]
async fn a_provider_without_an_answer_leaves_the_outcome_unknown() {
    let silent = Answers::new(None);
    let provider = GuardedProvider::new(silent.clone(), &settings(3)).unwrap();
    assert_eq!(
        provider.capture(OrderId(Uuid::nil()), &payment()).await,
        CaptureAnswer::Unknown
    );
    assert_eq!(
        provider.look_up(&payment(), None).await,
        CaptureAnswer::Unknown
    );
    assert_eq!(provider.refund(&refund()).await, RefundAnswer::Unknown);
    assert!(provider.breaker().is_open());
    for _ in 0..5 {
        assert_eq!(
            provider.capture(OrderId(Uuid::nil()), &payment()).await,
            CaptureAnswer::Unknown
        );
    }
    assert_eq!(silent.asked(), 3, "an open breaker asks nobody");
    assert!(provider.statement(None, 1).await.is_err());
}

#[tokio::test]
async fn a_decline_is_an_answer() {
    let declined = CaptureAnswer::Declined(DeclineReason::Refused);
    let provider = GuardedProvider::new(Answers::new(Some(declined)), &settings(1)).unwrap();
    for _ in 0..3 {
        assert_eq!(
            provider.capture(OrderId(Uuid::nil()), &payment()).await,
            declined
        );
    }
    assert!(!provider.breaker().is_open());
}

fn letter() -> Letter {
    Letter {
        id: Uuid::nil(),
        to: domain::account::Email::parse("kim@example.com").unwrap(),
        language: domain::Language::English,
        content: Content::KnownAddress,
    }
}

struct Refuses;

#[async_trait]
impl Mailer for Refuses {
    async fn send(&self, _: &Letter) -> Result<(), Fault> {
        Err(Fault::corrupt("sending a letter", "no such mailbox"))
    }
}

#[tokio::test]
async fn a_letter_that_is_refused_stops_no_other() {
    let mailer = GuardedMailer::new(Arc::new(Refuses), &settings(1)).unwrap();
    let letter = letter();
    for _ in 0..3 {
        let fault = mailer.send(&letter).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Corrupt);
    }
    assert!(!mailer.breaker().is_open());
}

/// A mail server that takes its time, and the most letters it had in hand at once.
#[derive(Default)]
struct Slow {
    in_hand: AtomicU32,
    most: AtomicU32,
}

#[async_trait]
impl Mailer for Slow {
    async fn send(&self, _: &Letter) -> Result<(), Fault> {
        let in_hand = self.in_hand.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(in_hand, Ordering::SeqCst);
        sleep(settings(1).mail / 3).await;
        self.in_hand.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_mail_server_is_given_few_letters_at_once_and_waiting_is_no_fault() {
    let server = Arc::new(Slow::default());
    let mailer = GuardedMailer::new(server.clone(), &settings(1)).unwrap();
    let letter = letter();
    let letters = (0..100).map(|_| mailer.send(&letter));
    for sent in futures_util::future::join_all(letters).await {
        sent.unwrap();
    }
    assert_eq!(server.most.load(Ordering::SeqCst), 8);
}

/// Opens a gate's breaker by a call that gets no answer.
async fn cut_off(gate: &GuardedGate) {
    let silence = pending::<Result<(), _>>();
    let limit = Duration::from_millis(1);
    gate.breaker().run(limit, silence).await.unwrap_err();
    assert!(gate.breaker().is_open());
}

fn gate() -> GuardedGate {
    let gate = MemoryGate::new(Arc::new(SystemClock), MemoryGateSettings::default());
    GuardedGate::new(Arc::new(gate), &settings(1)).unwrap()
}

#[tokio::test]
async fn who_waits_for_changes_does_not_take_the_place_of_who_tries() {
    let gate = Arc::new(gate());
    let longer_than_a_call_may_take = settings(1).gate * 2;
    let mut here = FeedCursor::default();
    while let Ok(news) = timeout(longer_than_a_call_may_take, gate.changes(here)).await {
        here = news.unwrap().cursor;
    }
    cut_off(&gate).await;
    sleep(PAUSE).await;
    let fed = gate.clone();
    let feed = tokio::spawn(async move { fed.changes(here).await });
    tokio::task::yield_now().await;
    assert_eq!(gate.edge_length().await.unwrap(), 0);
    assert!(!gate.breaker().is_open());
    feed.abort();
}
