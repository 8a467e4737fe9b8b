//! What of Stripe's objects is read here; everything else in them is passed over.

use domain::PaymentId;
use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;

#[derive(Deserialize)]
pub struct Intent {
    pub id: String,
    pub status: Status,
    pub amount: i64,
    #[serde(default)]
    pub amount_received: i64,
    pub currency: String,
    #[serde(default)]
    pub cancellation_reason: Option<String>,
    #[serde(default)]
    pub metadata: Metadata,
    /// Its charge where that was asked for, otherwise only the charge's id.
    #[serde(default)]
    pub latest_charge: Option<MaybeCharge>,
}

/// Where a payment intent stands.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    RequiresCapture,
    Processing,
    Succeeded,
    Canceled,
    /// A word that came up after this was written.
    #[serde(other)]
    Unheard,
}

/// What we have written onto an object: ids of ours.
#[derive(Deserialize, Default)]
pub struct Metadata {
    #[serde(default)]
    payment: Option<String>,
    #[serde(default)]
    refund: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum MaybeCharge {
    Charge(Charge),
    Id(IgnoredAny),
}

#[derive(Deserialize)]
pub struct Charge {
    #[serde(default)]
    pub amount_refunded: i64,
    #[serde(default)]
    pub refunds: Option<List<Refund>>,
}

#[derive(Deserialize)]
pub struct Refund {
    pub id: String,
    pub status: Option<String>,
    #[serde(default)]
    pub metadata: Metadata,
}

#[derive(Deserialize)]
pub struct List<T> {
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

#[derive(Deserialize)]
pub struct Event {
    #[serde(rename = "type")]
    pub kind: String,
    pub data: EventData,
}

#[derive(Deserialize)]
pub struct EventData {
    pub object: serde_json::Value,
}

#[derive(Deserialize)]
pub struct Failure {
    pub error: ApiError,
}

/// Why Stripe did not do what it was asked. Its message is left out: it may name what is nobody's
/// business in a log.
#[derive(Deserialize)]
pub struct ApiError {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub code: Option<String>,
    #[serde(default)]
    pub param: Option<String>,
    #[serde(default)]
    pub decline_code: Option<String>,
}

impl Metadata {
    /// The payment of ours that it is about.
    pub fn payment(&self) -> Option<PaymentId> {
        let id = self.payment.as_deref()?;
        Uuid::parse_str(id).ok().map(PaymentId)
    }

    pub fn is_of_refund(&self, refund: Uuid) -> bool {
        let id = self.refund.as_deref();
        id.and_then(|id| Uuid::parse_str(id).ok()) == Some(refund)
    }
}

impl ApiError {
    /// For the log: what sort of no it is.
    pub fn said(&self) -> String {
        let more = [&self.code, &self.decline_code, &self.param];
        let more = more.into_iter().flatten().map(String::as_str);
        let words: Vec<&str> = [self.kind.as_str()].into_iter().chain(more).collect();
        words.join(" ")
    }
}

impl Intent {
    pub fn charge(&self) -> Option<&Charge> {
        match &self.latest_charge {
            Some(MaybeCharge::Charge(charge)) => Some(charge),
            Some(MaybeCharge::Id(_)) | None => None,
        }
    }
}
