//! What an operator may do beside the running shop, by the right of having its data folder: make
//! buyers for a rehearsal, and ask for an audit.

use std::sync::Arc;

use adapters::clock::SystemClock;
use adapters::config::Config;
use adapters::crypto::JwtTokens;
use adapters::entropy::SystemEntropy;
use chrono::TimeDelta;
use domain::account::{Account, Email, Profile, Role};
use domain::ports::secrets::Claims;
use domain::ports::{AccessTokens, Accounts, Clock, Entropy};
use domain::{AccountId, Fault, Language};
use uuid::Uuid;

use crate::compose;
use crate::rush::Buyer;

/// How long a rehearsal's tokens are good: longer than any rehearsal, waiting for a deal included.
pub const REHEARSAL_HOURS: i64 = 12;
/// How long the token of one audit is good.
const AUDIT_MINUTES: i64 = 5;
/// Accounts made in one transaction.
const CHUNK: usize = 1_000;
/// The namespace of rehearsal accounts (random, fixed for ever: with a changed one a run that is
/// taken up again would have other buyers).
const BUYERS: Uuid = Uuid::from_u128(0x9e27_b1c4_60d5_4f0a_8a3c_d2f1_5b94_07e8);

/// An operator of the shop in a data folder.
pub struct Operator {
    accounts: Arc<dyn Accounts>,
    tokens: Arc<JwtTokens>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Operator {
    /// # Errors
    /// The data folder has no shop that can be opened.
    pub async fn open(config: &Config) -> Result<Self, Fault> {
        let (accounts, keys) = compose::open_ledger(config).await?;
        Ok(Self {
            accounts,
            tokens: keys.tokens,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        })
    }

    /// A random id, to name a run by.
    pub fn random_id(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.entropy.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Buyers by these names, with accounts of their own that can't sign in and are marked as a
    /// rehearsal's. The same run and name are the same buyer.
    ///
    /// # Errors
    /// A fault of the ledger.
    pub async fn buyers(&self, run: &str, names: &[String]) -> Result<Vec<Buyer>, Fault> {
        let id =
            |name: &String| AccountId(Uuid::new_v5(&BUYERS, format!("{run}/{name}").as_bytes()));
        for chunk in names.chunks(CHUNK) {
            let ids: Vec<AccountId> = chunk.iter().map(id).collect();
            let known = self.accounts.accounts(&ids).await?;
            let mut new = Vec::new();
            for (name, id) in chunk.iter().zip(ids) {
                if !known.iter().any(|account| account.id == id) {
                    new.push(self.buyer(run, name, id)?);
                }
            }
            if !new.is_empty() && !self.accounts.create(&new).await? {
                let text = "another rehearsal of this name begins at the same time";
                return Err(Fault::unavailable("making a rehearsal's buyers", text));
            }
        }
        let token = |name: &String| {
            let token = self.token(id(name), Role::Customer, TimeDelta::hours(REHEARSAL_HOURS))?;
            Ok(Buyer { token })
        };
        names.iter().map(token).collect()
    }

    /// Removes every rehearsal's buyers; their orders stay. Returns how many there were.
    ///
    /// # Errors
    /// A fault of the ledger.
    pub async fn remove_buyers(&self) -> Result<u64, Fault> {
        self.accounts.remove_rehearsal_buyers().await
    }

    /// A token with which the running shop can be asked for an audit, and that is soon over.
    ///
    /// # Errors
    /// It can't be signed.
    pub fn audit_token(&self) -> Result<String, Fault> {
        self.token(
            AccountId(Uuid::nil()),
            Role::Admin,
            TimeDelta::minutes(AUDIT_MINUTES),
        )
    }

    fn buyer(&self, run: &str, name: &str, id: AccountId) -> Result<Account, Fault> {
        // The top-level domain is reserved (RFC 2606): no letter can ever reach it.
        let email = Email::parse(&format!("{name}@{run}.rehearsal.invalid"));
        let email = email.map_err(|reason| {
            Fault::corrupt("making a rehearsal's buyers", format!("{reason:?}"))
        })?;
        Ok(Account {
            id,
            role: Role::Customer,
            email,
            profile: Profile {
                name: "Rehearsal".to_owned(),
                phone: None,
                address: None,
            },
            language: Language::default(),
            password_hash: None,
            second_factor: false,
            rehearsal: true,
            created_at: self.clock.now(),
        })
    }

    fn token(&self, account: AccountId, role: Role, life: TimeDelta) -> Result<String, Fault> {
        let now = self.clock.now();
        self.tokens.issue(&Claims {
            account,
            role,
            session: None,
            issued_at: now,
            expires_at: now + life,
        })
    }
}
