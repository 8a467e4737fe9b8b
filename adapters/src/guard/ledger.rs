//! The ledger on a server behind a breaker: while it is away nobody waits for a connection that does
//! not come.
//!
//! One breaker stands before all of it, and no time limit: statements have their own, and what waits
//! for its commit must not be cut off for being one of many.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::account::{Account, Email, ProfileChange, Role};
use domain::act::Act;
use domain::dead_letter::{FiledLetter, KeptLetter, LetterFilter, Settled};
use domain::event::Event;
use domain::gate::{Fingerprint, Receipt, Telling};
use domain::item::Item;
use domain::message::{Offset, Partition};
use domain::movement::Movement;
use domain::order::{KeyUse, Order, Transition};
use domain::page::{ItemFilter, ItemQuery, Page, Window};
use domain::ports::accounts::{Changed, Deleted, PasswordChange};
use domain::ports::back_office::{AccountFilter, ActFilter, OrderFilter};
use domain::ports::catalogue::ItemWritten;
use domain::ports::dead_letters::Standing;
use domain::ports::orders::{BatchWritten, Committed, WriteBatch};
use domain::ports::wishlists::Added;
use domain::ports::{
    Accounts, BackOffice, Catalogue, DeadLetters, Letters, Orders, Sessions, Verifications,
    Wishlists,
};
use domain::session::{Ended, Ending, Session};
use domain::verification::{Purpose, Verification};
use domain::wishlist::WishlistEntry;
use domain::{
    AccountId, DeadLetterId, EventId, Fault, FaultKind, IdempotencyKey, ItemId, OrderId, PaymentId,
    Quantity, RefundId, ReturnId, SessionId, Timestamp, VerificationId, WishlistEntryId,
};
use moka::sync::Cache;
use tokio::time::Instant;
use uuid::Uuid;

use super::GuardSettings;
use super::breaker::Breaker;

/// As good as none.
const UNLIMITED: Duration = Duration::from_hours(24);
/// Pages of the catalogue that are kept for the time when the ledger is away.
const PAGES: u64 = 200;
/// How old such a page may be.
const KEPT: Duration = Duration::from_mins(10);
/// How old it gets before it is kept anew: one that everybody looks at is not copied every time.
const KEEP_AGAIN: Duration = Duration::from_secs(1);

/// The ledger's ports that stand behind one breaker.
#[derive(Clone)]
pub struct LedgerPorts {
    pub orders: Arc<dyn Orders>,
    pub accounts: Arc<dyn Accounts>,
    pub sessions: Arc<dyn Sessions>,
    pub verifications: Arc<dyn Verifications>,
    pub wishlists: Arc<dyn Wishlists>,
    pub back_office: Arc<dyn BackOffice>,
    pub letters: Arc<dyn Letters>,
    pub dead_letters: Arc<dyn DeadLetters>,
    pub catalogue: Arc<dyn Catalogue>,
}

/// The ledger's ports, as one thing that may be away.
pub struct GuardedLedger {
    ports: LedgerPorts,
    breaker: Breaker,
    pages: Cache<ItemQuery, Kept>,
}

/// A page as it was.
#[derive(Clone)]
struct Kept {
    page: Arc<Page<Item>>,
    read_at: Instant,
}

impl GuardedLedger {
    /// # Errors
    /// Settings that make no sense.
    pub fn new(ports: LedgerPorts, settings: &GuardSettings) -> Result<Self, Fault> {
        let doing = "asking the ledger";
        Ok(Self {
            ports,
            breaker: Breaker::new("ledger", doing, settings.failures, settings.pause)?,
            pages: Cache::builder()
                .max_capacity(PAGES)
                .time_to_live(KEPT)
                .build(),
        })
    }

    /// Its breaker.
    #[must_use]
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    fn keep(&self, query: &ItemQuery, page: &Page<Item>) {
        let read_at = Instant::now();
        let before = self.pages.get(query);
        if before.is_none_or(|before| before.read_at + KEEP_AGAIN <= read_at) {
            let page = Arc::new(page.clone());
            self.pages.insert(query.clone(), Kept { page, read_at });
        }
    }
}

/// A port whose calls pass the breaker, and those of its methods that are written by hand.
macro_rules! through_breaker {
    ($port:ident by $of:ident {
        $(fn $method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    } $($own:tt)*) => {
        #[async_trait]
        impl $port for GuardedLedger {
            $(
                async fn $method(&self, $($argument: $type),*) -> Result<$answer, Fault> {
                    let call = self.ports.$of.$method($($argument),*);
                    self.breaker.run(UNLIMITED, call).await
                }
            )*
            $($own)*
        }
    };
}

through_breaker! {
    Orders by orders {
        fn writer_position(partition: Partition) -> Offset;
        fn write_batch(batch: &WriteBatch) -> BatchWritten;
        fn commit(steps: &[Transition]) -> Vec<Committed>;
        fn orders(ids: &[OrderId]) -> Vec<Order>;
        fn orders_of(buyer: AccountId, window: &Window) -> Page<Order>;
        fn order_of_payment(payment: PaymentId) -> Option<OrderId>;
        fn overdue(most: usize) -> Vec<OrderId>;
        fn paying_since(before: Timestamp, most: usize) -> Vec<OrderId>;
        fn refunding_since(before: Timestamp, most: usize) -> Vec<(OrderId, RefundId)>;
        fn shipments_due(now: Timestamp, most: usize) -> Vec<OrderId>;
        fn returns_due(now: Timestamp, most: usize) -> Vec<(OrderId, ReturnId)>;
        fn order_of_return(request: ReturnId) -> Option<OrderId>;
        fn receipts(
            since: Timestamp, after: Option<(Timestamp, OrderId)>, most: usize
        ) -> Vec<(Timestamp, Receipt)>;
        fn key_use(
            requester: AccountId, mutation: &'static str, key: IdempotencyKey
        ) -> Option<(Fingerprint, Uuid)>;
    }
}

through_breaker! {
    Wishlists by wishlists {
        fn add(entry: &WishlistEntry, most: u32) -> Added;
        fn entries_of(account: AccountId, window: &Window) -> Page<WishlistEntry>;
        fn entries(account: AccountId, ids: &[WishlistEntryId]) -> Vec<WishlistEntry>;
        fn set_quantity(
            account: AccountId, entry: WishlistEntryId, quantity: Quantity
        ) -> Option<WishlistEntry>;
        fn remove(account: AccountId, entry: WishlistEntryId) -> bool;
    }
}

through_breaker! {
    BackOffice by back_office {
        fn orders(filter: &OrderFilter, window: &Window) -> Page<Order>;
        fn accounts(filter: &AccountFilter, window: &Window) -> Page<Account>;
        fn movements(item: ItemId, window: &Window) -> Page<Movement>;
        fn acts(filter: &ActFilter, window: &Window) -> Page<Act>;
        fn record(act: &Act) -> ();
    }
}

through_breaker! {
    Letters by letters {
        fn addressed(orders: &[OrderId]) -> Vec<OrderId>;
        fn sent(events: &[EventId]) -> Vec<EventId>;
        fn note_sent(event: EventId, at: Timestamp) -> ();
    }
}

through_breaker! {
    DeadLetters by dead_letters {
        fn standing() -> Standing;
        fn file(from: Offset, letters: &[KeptLetter], next: Offset) -> bool;
        fn list(filter: &LetterFilter, window: &Window) -> Page<FiledLetter>;
        fn get(id: DeadLetterId) -> Option<FiledLetter>;
        fn settle(id: DeadLetterId, settled: Settled, act: &Act, key: &KeyUse) -> bool;
    }
}

through_breaker! {
    Accounts by accounts {
        fn account(id: AccountId) -> Option<Account>;
        fn accounts(ids: &[AccountId]) -> Vec<Account>;
        fn by_email(email: &Email) -> Option<Account>;
        fn create(accounts: &[Account]) -> bool;
        fn sign_up(account: &Account, verification: VerificationId, at: Timestamp) -> Changed;
        fn change_password(change: &PasswordChange) -> Changed;
        fn change_email(
            account: AccountId, to: &Email, proofs: [VerificationId; 2], at: Timestamp
        ) -> Changed;
        fn update_profile(account: AccountId, change: ProfileChange) -> Option<Account>;
        fn set_second_factor(account: AccountId, on: bool, event: &Event) -> bool;
        fn delete_account(account: AccountId, at: Timestamp) -> Deleted;
        fn replace_password_hash(id: AccountId, from: &str, to: &str) -> bool;
        fn change_role(id: AccountId, from: Role, to: Role, act: &Act) -> bool;
        fn rehearsal_buyers(most: usize) -> Vec<AccountId>;
        fn remove_rehearsal_buyers() -> u64;
        fn is_empty() -> bool;
    }
}

through_breaker! {
    Verifications by verifications {
        fn add_verifications(added: &[(Verification, Event)]) -> ();
        fn verification(id: VerificationId) -> Option<Verification>;
        fn newest_verification(email: &Email, purpose: Purpose) -> Option<Verification>;
        fn newest_verification_of(account: AccountId, purpose: Purpose) -> Option<Verification>;
        fn set_code(id: VerificationId, digest: &str) -> ();
        fn count_wrong_code(id: VerificationId) -> ();
        fn use_verification(id: VerificationId, at: Timestamp) -> bool;
    }
}

through_breaker! {
    Sessions by sessions {
        fn open_session(session: &Session, password_hash: &str) -> bool;
        fn session(id: SessionId) -> Option<Session>;
        fn rotate_session(
            id: SessionId, from: &str, to: &str, at: Timestamp, expires_at: Timestamp
        ) -> bool;
        fn sessions_of(account: AccountId, now: Timestamp, most: usize) -> Vec<Session>;
        fn end_sessions(account: AccountId, which: Ending, at: Timestamp) -> usize;
        fn ended_since(since: Timestamp) -> Vec<Ended>;
    }
}

through_breaker! {
    Catalogue by catalogue {
        fn items(ids: &[ItemId]) -> Vec<Item>;
        fn count(filter: &ItemFilter) -> u64;
        fn create(item: &Item, event: &Event, key: Option<&KeyUse>) -> ItemWritten;
        fn create_many(items: &[Item], now: Timestamp) -> ItemWritten;
        fn by_sku(seller: AccountId, skus: &[String]) -> Vec<Item>;
        fn edit(
            item: &Item, expected_version: i64, event: &Event, act: Option<&Act>
        ) -> ItemWritten;
        fn restock(
            item: ItemId, change: i64, at: Timestamp, key: &KeyUse, act: Option<&Act>
        ) -> ItemWritten;
        fn tellings(items: &[ItemId]) -> Vec<Telling>;
        fn tellings_since(
            since: Option<Timestamp>, after: Option<ItemId>, most: usize
        ) -> Vec<Telling>;
    }

    /// The page as it is; while the ledger is away, as it was last seen here.
    async fn list(&self, query: &ItemQuery) -> Result<Page<Item>, Fault> {
        let read = self.breaker.run(UNLIMITED, self.ports.catalogue.list(query)).await;
        match read {
            Ok(page) => {
                self.keep(query, &page);
                Ok(page)
            }
            Err(fault) if fault.kind == FaultKind::Unavailable => match self.pages.get(query) {
                Some(kept) => Ok(Page::clone(&kept.page)),
                None => Err(fault),
            },
            Err(fault) => Err(fault),
        }
    }
}
