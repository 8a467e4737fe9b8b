//! What Stripe's answers mean to us.

use domain::payment::{CaptureAnswer, DeclineReason, ProviderEntry};

use super::shapes::{ApiError, Intent, Refund, Status};
use super::units;

/// What has to be done about an intent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Nothing: it is settled.
    Answer(CaptureAnswer),
    /// The buyer's bank has granted the money; it is to be taken.
    Capture,
    /// It waits for something that nobody will do.
    Cancel,
    /// It is on its way, or was when this was written down.
    LookAgain,
}

/// What is to be done about an intent that stands where it stands.
pub fn next(intent: &Intent) -> Next {
    let declined = |reason| Next::Answer(CaptureAnswer::Declined(reason));
    match intent.status {
        Status::RequiresCapture => Next::Capture,
        Status::Succeeded => Next::Answer(CaptureAnswer::Captured),
        // The buyer has left; there is nobody to show a bank's page to.
        Status::RequiresAction | Status::RequiresConfirmation => Next::Cancel,
        Status::Canceled if intent.cancellation_reason.as_deref() == Some("abandoned") => {
            declined(DeclineReason::Abandoned)
        }
        // What was tried with it was refused, and we try nothing else with it.
        Status::RequiresPaymentMethod | Status::Canceled => declined(DeclineReason::Refused),
        Status::Processing | Status::Unheard => Next::LookAgain,
    }
}

/// What it means that an intent could not be made. Only where Stripe has looked at the request and
/// said no is nothing taken for certain.
pub fn not_made(error: &ApiError) -> CaptureAnswer {
    let is_about_method = error
        .param
        .as_deref()
        .is_some_and(|param| param.starts_with("payment_method"));
    match error.kind.as_str() {
        "invalid_request_error" if is_about_method => {
            CaptureAnswer::Declined(DeclineReason::UnknownMethod)
        }
        // A card that is refused; an amount below the least, a currency that is not taken.
        "card_error" | "invalid_request_error" => CaptureAnswer::Declined(DeclineReason::Refused),
        // A key that was used for something else says nothing about what it was used for.
        _ => CaptureAnswer::Unknown,
    }
}

/// Whether a refund is done. One that is on its way may still fail, and then is done again by hand.
pub fn is_given_back(refund: &Refund) -> bool {
    refund.status.as_deref() == Some("succeeded")
}

/// Whether nothing will come of a refund any more.
pub fn is_in_vain(refund: &Refund) -> bool {
    matches!(
        refund.status.as_deref(),
        Some("failed" | "canceled" | "requires_action")
    )
}

/// An intent as a line of the provider's books; nothing where it is not ours, or its amount makes no
/// sense.
pub fn entry(intent: &Intent) -> Option<ProviderEntry> {
    let is_captured = intent.status == Status::Succeeded;
    let amount = if is_captured {
        intent.amount_received
    } else {
        intent.amount
    };
    let given_back = intent.charge().map_or(0, |charge| charge.amount_refunded);
    let refunds = intent.charge().and_then(|charge| charge.refunds.as_ref());
    let refunds = refunds.map_or(0, |refunds| refunds.data.len());
    Some(ProviderEntry {
        payment: intent.metadata.payment()?,
        captured: units::from_stripe(amount, &intent.currency)?,
        refunded_minor: units::from_stripe(given_back, &intent.currency)?.minor,
        captures: u32::from(is_captured),
        refunds: u32::try_from(refunds).unwrap_or(u32::MAX),
    })
}
