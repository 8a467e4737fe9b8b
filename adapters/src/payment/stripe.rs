//! Stripe's payment intents: money is granted first, then taken, each under a key of its own.
//!
//! An intent is made and confirmed under the payment's id, and captured under a key made of it. An
//! answer that was lost is asked for again under the same key; Stripe then says what it said the
//! first time, so a step that was on its way is looked at afresh.
//!
//! Stripe finds an intent by our id only through its search, which lags behind by a minute, in bad
//! hours by an hour. So its own name for a payment is kept before the money is taken
//! ([`References`]), and a search that finds nothing is believed only when that hour is over.

mod answers;
mod client;
mod shapes;
pub(super) mod signature;
mod units;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::payment::{CaptureAnswer, DeclineReason, Payment, Refund, RefundAnswer};
use domain::ports::provider::{
    Heard, Notice, NoticeRefused, ProviderReference, Statement, StatementCursor,
};
use domain::ports::{Clock, Provider};
use domain::{Fault, OrderId, PaymentId};

use super::References;
use crate::config::Secret;
use answers::Next;
use client::{Api, Failed};
use shapes::{Event, Intent, List, Refund as StripeRefund};

/// How far Stripe's search may lag behind.
const SEARCH_LAG: TimeDelta = TimeDelta::hours(1);
/// The most that a list of Stripe's holds.
const MOST_LISTED: usize = 100;
/// The most pages of one payment's refunds.
const MOST_PAGES: usize = 10;
const INTENTS: &str = "payment_intents";
const REFUNDS: &str = "refunds";

/// How to reach Stripe, or what speaks its language.
pub struct StripeSettings {
    /// `https://api.stripe.com`.
    pub url: String,
    pub secret_key: Secret,
    /// What webhooks are signed with; none are taken without it.
    pub webhook_secret: Option<Secret>,
    /// How long a key is known: nothing is sent for longer.
    pub key_life: Duration,
    /// How long one request may take.
    pub timeout: Duration,
}

/// Stripe, or what speaks its language.
pub struct StripeProvider {
    api: Api,
    webhook_secret: Option<Secret>,
    key_life: TimeDelta,
    references: Arc<dyn References>,
    clock: Arc<dyn Clock>,
}

impl StripeProvider {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// An address that is none.
    pub fn new(
        settings: StripeSettings,
        references: Arc<dyn References>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        let key_life = TimeDelta::from_std(settings.key_life);
        Ok(Self {
            api: Api::new(&settings.url, settings.secret_key, settings.timeout)?,
            webhook_secret: settings.webhook_secret,
            key_life: key_life.unwrap_or(TimeDelta::MAX),
            references,
            clock,
        })
    }

    /// Makes the intent, or finds it under its key.
    async fn make(&self, order: OrderId, payment: &Payment) -> Result<Intent, CaptureAnswer> {
        let Some(amount) = units::to_stripe(payment.amount) else {
            let currency = payment.amount.currency.code();
            tracing::error!(currency, "the payment provider can't take such an amount");
            return Err(CaptureAnswer::Declined(DeclineReason::Refused));
        };
        let (id, order) = (payment.id.0.to_string(), order.0.to_string());
        let currency = payment.amount.currency.code().to_lowercase();
        let fields = [
            ("amount", amount.to_string()),
            ("currency", currency),
            ("payment_method", payment.method.0.clone()),
            ("payment_method_types[0]", "card".to_owned()),
            ("capture_method", "manual".to_owned()),
            ("confirm", "true".to_owned()),
            ("metadata[payment]", id.clone()),
            ("metadata[order]", order),
        ];
        let fields: Vec<_> = fields.iter().map(|(name, is)| (*name, &**is)).collect();
        let made = self.api.post(&[INTENTS], &id, &fields).await;
        made.map_err(|failed| match failed {
            Failed::Unknown => CaptureAnswer::Unknown,
            Failed::Refused(error) => {
                let answer = answers::not_made(&error);
                tracing::info!(said = error.said(), "the payment provider took no payment");
                answer
            }
        })
    }

    /// Brings an intent to its end; where that is not to be had yet, nobody knows.
    async fn settle(&self, payment: PaymentId, intent: &Intent) -> CaptureAnswer {
        let next = match answers::next(intent) {
            Next::LookAgain => match self.intent(&intent.id).await {
                Some(fresh) => answers::next(&fresh),
                None => return CaptureAnswer::Unknown,
            },
            next => next,
        };
        match next {
            Next::Answer(answer) => {
                if answer == CaptureAnswer::Captured {
                    // It is known by the search too; this is only faster.
                    let _ = self.references.remember(payment, &intent.id).await;
                }
                answer
            }
            Next::Capture => self.take(payment, &intent.id).await,
            Next::Cancel => self.finish(payment, &intent.id, "cancel").await,
            Next::LookAgain => CaptureAnswer::Unknown,
        }
    }

    /// Takes the money that was granted. Its name is kept before: from here on it may have to be
    /// given back at any time.
    async fn take(&self, payment: PaymentId, intent: &str) -> CaptureAnswer {
        if let Err(fault) = self.references.remember(payment, intent).await {
            let cause = fault.detail();
            tracing::warn!(cause, "a payment waits until its reference can be kept");
            return CaptureAnswer::Unknown;
        }
        self.finish(payment, intent, "capture").await
    }

    /// Does a last step under its own key. Where it is refused, or was the first time, the intent has
    /// moved already: then its state says how.
    async fn finish(&self, payment: PaymentId, intent: &str, step: &str) -> CaptureAnswer {
        let key = format!("{}-{step}", payment.0);
        let done: Result<Intent, _> = self.api.post(&[INTENTS, intent, step], &key, &[]).await;
        let now = match done {
            Ok(done) => Some(done),
            Err(_) => self.intent(intent).await,
        };
        match now.as_ref().map(answers::next) {
            Some(Next::Answer(answer)) => answer,
            Some(Next::Capture | Next::Cancel | Next::LookAgain) | None => CaptureAnswer::Unknown,
        }
    }

    async fn intent(&self, id: &str) -> Option<Intent> {
        self.api.get(&[INTENTS, id], &[]).await.ok()
    }

    /// The intent of a payment by its kept name, by the name somebody told, or by search. `Ok(None)`
    /// is no proof that there is none.
    async fn find(
        &self,
        payment: PaymentId,
        told: Option<&ProviderReference>,
    ) -> Result<Option<Intent>, Failed> {
        let kept = self.references.recall(payment).await;
        let kept = kept.map_err(|_| Failed::Unknown)?;
        if let Some(name) = kept.as_ref().or(told.map(|told| &told.0)) {
            let intent: Intent = self.api.get(&[INTENTS, name], &[]).await?;
            // What somebody told is a hint.
            let is_its = intent.metadata.payment() == Some(payment);
            return if is_its {
                Ok(Some(intent))
            } else {
                Err(Failed::Unknown)
            };
        }
        let query = format!("metadata['payment']:'{}'", payment.0);
        let fields = [("query", query.as_str())];
        let found: List<Intent> = self.api.get(&[INTENTS, "search"], &fields).await?;
        let mut found = found.data;
        found.retain(|intent| intent.metadata.payment() == Some(payment));
        let taken = found
            .iter()
            .position(|intent| answers::next(intent) == Next::Answer(CaptureAnswer::Captured));
        Ok((!found.is_empty()).then(|| found.swap_remove(taken.unwrap_or(0))))
    }

    /// The refund of ours that an intent has already, if it has it.
    async fn refund_of(
        &self,
        intent: &str,
        refund: &Refund,
    ) -> Result<Option<StripeRefund>, Failed> {
        let most = MOST_LISTED.to_string();
        let mut after: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut fields = vec![("payment_intent", intent), ("limit", &*most)];
            fields.extend(after.as_deref().map(|after| ("starting_after", after)));
            let page: List<StripeRefund> = self.api.get(&[REFUNDS], &fields).await?;
            after = page.data.last().map(|refund| refund.id.clone());
            let has_more = page.has_more && after.is_some();
            let mut refunds = page.data.into_iter();
            let known = refunds.find(|known| known.metadata.is_of_refund(refund.id.0));
            if known.is_some() || !has_more {
                return Ok(known);
            }
        }
        Err(Failed::Unknown)
    }

    /// Asks for a refund unless it is there: by its key as long as that is known, by what stands on
    /// it for ever.
    async fn give_back(&self, refund: &Refund) -> Result<Option<StripeRefund>, Failed> {
        let Some(intent) = self.find(refund.payment, None).await? else {
            return Ok(None);
        };
        if let Some(known) = self.refund_of(&intent.id, refund).await? {
            return Ok(Some(known));
        }
        self.ask_back(&intent.id, refund).await
    }

    /// Asks for a refund, once under its key; nothing where its amount can't be written.
    async fn ask_back(
        &self,
        intent: &str,
        refund: &Refund,
    ) -> Result<Option<StripeRefund>, Failed> {
        let Some(amount) = units::to_stripe(refund.amount) else {
            let currency = refund.amount.currency.code();
            tracing::error!(
                currency,
                "the payment provider can't give such an amount back"
            );
            return Ok(None);
        };
        let (key, payment) = (refund.id.0.to_string(), refund.payment.0.to_string());
        let amount = amount.to_string();
        let fields = [
            ("payment_intent", intent),
            ("amount", &amount),
            ("metadata[refund]", &key),
            ("metadata[payment]", &payment),
        ];
        self.api.post(&[REFUNDS], &key, &fields).await.map(Some)
    }
}

#[async_trait]
impl Provider for StripeProvider {
    async fn capture(&self, order: OrderId, payment: &Payment) -> CaptureAnswer {
        let answer = match self.make(order, payment).await {
            Ok(intent) => self.settle(payment.id, &intent).await,
            Err(answer) => answer,
        };
        if answer == CaptureAnswer::Captured {
            fail::fail_point!("provider-charged");
        }
        answer
    }

    async fn look_up(
        &self,
        payment: &Payment,
        known_as: Option<&ProviderReference>,
    ) -> CaptureAnswer {
        match self.find(payment.id, known_as).await {
            Ok(Some(intent)) => self.settle(payment.id, &intent).await,
            // It may have been sent until its key's end, and the search may not know of it yet.
            Ok(None) if self.clock.now() - payment.requested_at > self.key_life + SEARCH_LAG => {
                CaptureAnswer::Declined(DeclineReason::NeverReceived)
            }
            Ok(None) | Err(_) => CaptureAnswer::Unknown,
        }
    }

    async fn refund(&self, refund: &Refund) -> RefundAnswer {
        match self.give_back(refund).await {
            Ok(Some(known)) => {
                if answers::is_in_vain(&known) {
                    let refund = refund.id.0;
                    tracing::error!(%refund, "the payment provider could not give money back");
                }
                if answers::is_given_back(&known) {
                    RefundAnswer::GivenBack
                } else {
                    RefundAnswer::NotGivenBack
                }
            }
            Ok(None) => RefundAnswer::NotGivenBack,
            Err(Failed::Unknown) => RefundAnswer::Unknown,
            Err(Failed::Refused(error)) => {
                let refund = refund.id.0;
                let said = error.said();
                tracing::error!(%refund, said, "the payment provider refuses to give money back");
                RefundAnswer::NotGivenBack
            }
        }
    }

    async fn statement(
        &self,
        after: Option<&StatementCursor>,
        most: usize,
    ) -> Result<Statement, Fault> {
        let most = most.clamp(1, MOST_LISTED).to_string();
        let mut fields = vec![
            ("limit", &*most),
            ("expand[]", "data.latest_charge"),
            ("expand[]", "data.latest_charge.refunds"),
        ];
        fields.extend(after.map(|StatementCursor(after)| ("starting_after", &**after)));
        let page: Result<List<Intent>, _> = self.api.get(&[INTENTS], &fields).await;
        let page = page.map_err(|_| {
            Fault::unavailable("reading the provider's books", "no answer to go by")
        })?;
        let last = page.data.last().filter(|_| page.has_more);
        Ok(Statement {
            next: last.map(|intent| StatementCursor(intent.id.clone())),
            // What others have on the same account is not ours to judge.
            entries: page.data.iter().filter_map(answers::entry).collect(),
        })
    }

    async fn hear(&self, notice: &Notice<'_>) -> Result<Heard, NoticeRefused> {
        let secret = self.webhook_secret.as_ref();
        let secret = secret.ok_or(NoticeRefused::NotTaken)?.expose();
        if !signature::is_sound(secret, notice.signature, notice.body, self.clock.now()) {
            return Err(NoticeRefused::Signature);
        }
        let unreadable = |_| NoticeRefused::Unreadable;
        let event: Event = serde_json::from_slice(notice.body).map_err(unreadable)?;
        let is_an_end = matches!(
            event.kind.as_str(),
            "payment_intent.succeeded"
                | "payment_intent.payment_failed"
                | "payment_intent.canceled"
        );
        if !is_an_end {
            return Ok(Heard::Nothing);
        }
        let intent: Intent = serde_json::from_value(event.data.object).map_err(unreadable)?;
        Ok(match intent.metadata.payment() {
            None => Heard::Nothing,
            Some(payment) => Heard::Settled {
                payment,
                known_as: ProviderReference(intent.id),
            },
        })
    }
}

#[cfg(test)]
mod tests;
