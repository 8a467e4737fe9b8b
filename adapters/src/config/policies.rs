//! From settings to the domain's rules.

use chrono_tz::Tz;
use domain::delivery::{DayLength, DeliveryCalendar};
use domain::policy::{AccountPolicy, LiveRates, Policies, ReturnPolicy};

use super::Config;
use super::check::Check;

/// The most lines an order may ever have: what one transaction of the ledger takes well.
const MOST_LINES: usize = 10_000;

impl Config {
    /// The rules that the settings make.
    ///
    /// # Errors
    /// Everything that is wrong, a line each, with the key it is about.
    pub fn policies(&self) -> Result<Policies, Vec<String>> {
        let mut check = Check::default();
        let policies = Policies {
            hold_ms: check.span(self.orders.hold, "orders.hold"),
            max_lines: self.orders.max_lines,
            calendar: self.calendar(&mut check),
            returns: ReturnPolicy {
                days_to_request: self.returns.days_to_request,
                days_to_complete: self.returns.days_to_complete,
            },
            receipt_ms: check.span(self.gate.receipts, "gate.receipts"),
            ask_again_after_ms: check.span(self.payment.ask_again_after, "payment.ask_again_after"),
            provider_key_ms: check.span(self.payment.key_life, "payment.key_life"),
            accounts: self.account_policy(&mut check),
            rates: LiveRates::new(self.rates.policy()),
        };
        self.check_bounds(&mut check);
        if check.errors.is_empty() {
            Ok(policies)
        } else {
            Err(check.errors)
        }
    }

    fn check_bounds(&self, check: &mut Check) {
        let lines = self.orders.max_lines;
        check.that(
            (1..=MOST_LINES).contains(&lines),
            "orders.max_lines",
            "must be 1 to 10000",
        );
        check.that(self.gate.shards >= 1, "gate.shards", "must be at least 1");
        check.that(
            self.gate.edge_queue >= 1,
            "gate.edge_queue",
            "must be at least 1",
        );
        check.that(
            self.gate.receipts >= self.orders.hold,
            "gate.receipts",
            "must last at least as long as orders.hold",
        );
        let from = crate::mail::sender(&self.mail.from);
        check.that(from.is_ok(), "mail.from", "must be a mail address");
    }

    fn calendar(&self, check: &mut Check) -> DeliveryCalendar {
        let zone = self.delivery.zone.parse::<Tz>();
        check.that(
            zone.is_ok(),
            "delivery.zone",
            "must be a zone by its IANA name",
        );
        check.that(self.delivery.hour < 24, "delivery.hour", "must be 0 to 23");
        let days = [
            (self.delivery.days_to_dispatch, "delivery.days_to_dispatch"),
            (self.delivery.days_to_deliver, "delivery.days_to_deliver"),
            (self.returns.days_to_request, "returns.days_to_request"),
            (self.returns.days_to_complete, "returns.days_to_complete"),
        ];
        for (days, key) in days {
            check.that(days <= 3_650, key, "must be at most 3650 days");
        }
        let day = match self.delivery.day {
            None => DayLength::Calendar(zone.unwrap_or(Tz::UTC)),
            Some(day) => DayLength::Scaled {
                day_ms: check.span(day, "delivery.day"),
            },
        };
        DeliveryCalendar {
            day,
            hour: self.delivery.hour,
            days_to_dispatch: self.delivery.days_to_dispatch,
            days_to_deliver: self.delivery.days_to_deliver,
        }
    }

    fn account_policy(&self, check: &mut Check) -> AccountPolicy {
        let accounts = &self.accounts;
        let attempts = accounts.verification_attempts;
        check.that(
            (1..=100).contains(&attempts),
            "accounts.verification_attempts",
            "must be 1 to 100",
        );
        AccountPolicy {
            verification_ms: check.span(accounts.verification, "accounts.verification"),
            verification_attempts: attempts,
            verification_resend_ms: check
                .span(accounts.verification_resend, "accounts.verification_resend"),
            access_ms: check.span(accounts.access, "accounts.access"),
            refresh_ms: check.span(accounts.refresh, "accounts.refresh"),
        }
    }
}
