//! What hardly any test asks for.

use async_trait::async_trait;
use domain::account::{Account, Email, Password, ProfileChange, Role};
use domain::act::Act;
use domain::event::Event;
use domain::order::OrderStatus;
use domain::payment::{CaptureAnswer, Payment, Refund, RefundAnswer};
use domain::ports::accounts::{Changed, Deleted, PasswordChange};
use domain::ports::audit::{BuyerFigures, MoneyFigures, StockFigures};
use domain::ports::housekeeping::Forgettable;
use domain::ports::limiter;
use domain::ports::mail::Letter;
use domain::ports::outbox::Taken;
use domain::ports::provider::{
    Heard, Notice, NoticeRefused, ProviderReference, Statement, StatementCursor,
};
use domain::ports::secrets::{Claims, TokenRefused};
use domain::ports::{
    AccessTokens, Accounts, Digests, Housekeeping, LedgerAudit, Letters, Limiter, Mailer, Outbox,
    Passwords, Provider, Sessions, Verifications,
};
use domain::rate::{Bucket, Rate};
use domain::session::{Ended, Ending, Session};
use domain::verification::{Purpose, Verification};
use domain::{AccountId, EventId, Fault, ItemId, OrderId, SessionId, Timestamp, VerificationId};

use super::{World, port};

port! { Outbox {
    take(usize) -> Taken;
    length() -> u64;
}
    async fn wait(&self, _: u64) {}
}

port! { Accounts {
    create(&[Account]) -> bool;
    sign_up(&Account, VerificationId, Timestamp) -> Changed;
    change_password(&PasswordChange) -> Changed;
    change_email(AccountId, &Email, [VerificationId; 2], Timestamp) -> Changed;
    update_profile(AccountId, ProfileChange) -> Option<Account>;
    set_second_factor(AccountId, bool, &Event) -> bool;
    delete_account(AccountId, Timestamp) -> Deleted;
    replace_password_hash(AccountId, &str, &str) -> bool;
    change_role(AccountId, Role, Role, &Act) -> bool;
    rehearsal_buyers(usize) -> Vec<AccountId>;
    remove_rehearsal_buyers() -> u64;
    is_empty() -> bool;
}
    async fn account(&self, id: AccountId) -> Result<Option<Account>, Fault> {
        self.ask("account")?;
        Ok(self.accounts.lock().unwrap().get(&id).cloned())
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, Fault> {
        self.ask("accounts")?;
        let accounts = self.accounts.lock().unwrap();
        Ok(ids.iter().filter_map(|id| accounts.get(id)).cloned().collect())
    }

    async fn by_email(&self, _: &Email) -> Result<Option<Account>, Fault> {
        Ok(None)
    }
}

port! { Verifications {
    set_code(VerificationId, &str) -> ();
    count_wrong_code(VerificationId) -> ();
    use_verification(VerificationId, Timestamp) -> bool;
}
    async fn add_verifications(&self, _: &[(Verification, Event)]) -> Result<(), Fault> {
        self.ask("add_verifications")
    }

    async fn verification(&self, _: VerificationId) -> Result<Option<Verification>, Fault> {
        Ok(None)
    }

    async fn newest_verification(
        &self,
        _: &Email,
        _: Purpose,
    ) -> Result<Option<Verification>, Fault> {
        Ok(None)
    }

    async fn newest_verification_of(
        &self,
        _: AccountId,
        _: Purpose,
    ) -> Result<Option<Verification>, Fault> {
        Ok(None)
    }
}

port! { Sessions {
    open_session(&Session, &str) -> bool;
    session(SessionId) -> Option<Session>;
    rotate_session(SessionId, &str, &str, Timestamp, Timestamp) -> bool;
    sessions_of(AccountId, Timestamp, usize) -> Vec<Session>;
    ended_since(Timestamp) -> Vec<Ended>;
}
    async fn end_sessions(&self, _: AccountId, _: Ending, _: Timestamp) -> Result<usize, Fault> {
        Ok(0)
    }
}

port! { Housekeeping {
    forget(Forgettable, Timestamp, usize) -> usize;
} }

port! { Letters {
    addressed(&[OrderId]) -> Vec<OrderId>;
    sent(&[EventId]) -> Vec<EventId>;
    note_sent(EventId, Timestamp) -> ();
} }

port! { LedgerAudit {
    stock(Option<ItemId>, usize) -> Vec<StockFigures>;
    buyers_off(usize) -> Vec<BuyerFigures>;
    money(Option<OrderId>, usize) -> Vec<MoneyFigures>;
    overdue_by(i64) -> u64;
    orders_by_status() -> Vec<(OrderStatus, u64)>;
} }

port! { Provider {
    statement(Option<&StatementCursor>, usize) -> Statement;
}
    async fn capture(&self, _: OrderId, _: &Payment) -> CaptureAnswer {
        CaptureAnswer::Unknown
    }

    async fn hear(&self, _: &Notice<'_>) -> Result<Heard, NoticeRefused> {
        Err(NoticeRefused::NotTaken)
    }

    async fn look_up(&self, _: &Payment, _: Option<&ProviderReference>) -> CaptureAnswer {
        CaptureAnswer::Unknown
    }

    async fn refund(&self, _: &Refund) -> RefundAnswer {
        RefundAnswer::Unknown
    }
}

port! { Mailer {
    send(&Letter) -> ();
} }

port! { Passwords {
    hash(&Password) -> String;
}
    async fn verify(&self, _: &str, _: Option<&str>) -> Result<bool, Fault> {
        Ok(false)
    }

    fn is_outdated(&self, _: &str) -> bool {
        false
    }

    fn is_common(&self, _: &str) -> bool {
        false
    }
}

impl Digests for World {
    fn digest(&self, purpose: &'static str, secret: &str) -> String {
        format!("{purpose}:{secret}")
    }
}

impl AccessTokens for World {
    fn issue(&self, _: &Claims) -> Result<String, Fault> {
        Ok("token".to_owned())
    }

    fn verify(&self, _: &str, _: Timestamp) -> Result<Claims, TokenRefused> {
        Err(TokenRefused::Invalid)
    }

    fn jwks(&self) -> String {
        String::new()
    }
}

port! { Limiter {
    take(&Bucket, Rate) -> limiter::Taken;
}}
