//! What a newcomer finds in an empty shop: three accounts, a few items, and deals that open while
//! they look. Put in once, into an empty database, and never again.

use std::path::Path;

use chrono::TimeDelta;
use domain::account::{Account, Email, Password, Profile, Role};
use domain::item::{Category, Details};
use domain::ports::Ports;
use domain::use_cases::create_item::{CreateItem, DealWindow, create_item};
use domain::{AccountId, Currency, Failure, Fault, IdempotencyKey, Money, Reason, Refusal};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The accounts of the demo, with passwords made at random for this data folder. Kept in a file
/// beside the database, readable by its owner alone, so that every start can print them.
#[derive(Serialize, Deserialize)]
pub struct Credentials {
    pub accounts: Vec<Credential>,
    /// Whether the items are all there: a first start may have been cut short.
    stocked: bool,
}

#[derive(Serialize, Deserialize)]
pub struct Credential {
    pub role: String,
    pub email: String,
    pub password: String,
}

/// Where they are kept, in the data folder.
pub const FILE: &str = "demo-accounts.json";

const ROLES: [(&str, Role); 3] = [
    ("customer", Role::Customer),
    ("seller", Role::Seller),
    ("admin", Role::Admin),
];

impl Credentials {
    /// Those of a folder that a demo was put into.
    pub fn read(folder: &Path) -> Option<Self> {
        let text = std::fs::read(folder.join(FILE)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    fn write(&self, folder: &Path) -> Result<(), Fault> {
        const DOING: &str = "writing the demo's accounts";
        let json = serde_json::to_vec_pretty(self).map_err(|error| Fault::corrupt(DOING, error))?;
        adapters::secret_file::write(&folder.join(FILE), &json)
            .map_err(|error| Fault::unavailable(DOING, error))
    }
}

/// Fills an empty shop, or goes on where a start before this one was cut short in it.
///
/// # Errors
/// A fault of the ledger or the disk.
pub async fn fill(ports: &Ports, folder: &Path) -> Result<(), Fault> {
    let mut credentials = if ports.accounts.is_empty().await? {
        open_accounts(ports, folder).await?
    } else {
        match Credentials::read(folder) {
            Some(credentials) if !credentials.stocked => credentials,
            _ => return Ok(()),
        }
    };
    if let Some(seller) = seller(ports, &credentials).await? {
        for (item, total) in items(ports) {
            put_on_sale(ports, seller, item, total).await?;
        }
    }
    credentials.stocked = true;
    credentials.write(folder)
}

async fn open_accounts(ports: &Ports, folder: &Path) -> Result<Credentials, Fault> {
    let mut credentials = Credentials {
        accounts: Vec::new(),
        stocked: false,
    };
    let mut accounts = Vec::new();
    for (name, role) in ROLES {
        let (account, credential) = account(ports, name, role).await?;
        accounts.push(account);
        credentials.accounts.push(credential);
    }
    // The passwords first: an account whose password nobody knows would be there for ever.
    credentials.write(folder)?;
    ports.accounts.create(&accounts).await?;
    Ok(credentials)
}

/// Who sells the demo's items.
async fn seller(ports: &Ports, credentials: &Credentials) -> Result<Option<AccountId>, Fault> {
    let sellers = credentials
        .accounts
        .iter()
        .filter(|account| account.role == "seller");
    for credential in sellers {
        if let Ok(email) = Email::parse(&credential.email) {
            let account = ports.accounts.by_email(&email).await?;
            return Ok(account.map(|account| account.id));
        }
    }
    Ok(None)
}

async fn account(ports: &Ports, name: &str, role: Role) -> Result<(Account, Credential), Fault> {
    let sound =
        |reason: Reason| Fault::corrupt("making the demo's accounts", format!("{reason:?}"));
    let email = Email::parse(&format!("{name}@shop.example")).map_err(sound)?;
    let password = format!("{:x}", ports.random_id().as_u128() >> 64);
    let typed = Password::new(password.clone(), &|_| false).map_err(sound)?;
    let account = Account {
        id: AccountId(ports.sortable_id()),
        role,
        email: email.clone(),
        profile: Profile {
            name: format!("Demo {name}"),
            phone: None,
            address: None,
        },
        password_hash: Some(ports.passwords.hash(&typed).await?),
        rehearsal: false,
        created_at: ports.clock.now(),
    };
    let role = name.to_owned();
    Ok((
        account,
        Credential {
            role,
            email: email.as_str().to_owned(),
            password,
        },
    ))
}

/// What is on sale, and how much of it. Prices in won.
fn items(ports: &Ports) -> Vec<(DemoItem, i64)> {
    let opens = |minutes| Some(ports.clock.now() + TimeDelta::minutes(minutes));
    let item = |name, description, category, won, opens_at, limit| DemoItem {
        name,
        description,
        category,
        won,
        opens_at,
        limit,
    };
    use Category::{Beauty, Etc, Fashion};
    vec![
        (
            item("Hand cream", "Unscented, 50 ml.", Beauty, 8_900, None, None),
            500,
        ),
        (
            item(
                "Canvas tote bag",
                "Holds a week's shopping.",
                Fashion,
                19_000,
                None,
                None,
            ),
            300,
        ),
        (
            item(
                "Desk lamp",
                "Warm light, three steps.",
                Etc,
                45_000,
                None,
                None,
            ),
            120,
        ),
        (
            item(
                "Wireless earbuds",
                "On sale now, until they are gone.",
                Etc,
                39_000,
                opens(0),
                Some(2),
            ),
            100,
        ),
        (
            item(
                "Running shoes",
                "Opens a minute after the first start.",
                Fashion,
                69_000,
                opens(1),
                Some(1),
            ),
            50,
        ),
        (
            item(
                "Festival ticket",
                "Opens five minutes after the first start.",
                Etc,
                99_000,
                opens(5),
                Some(4),
            ),
            200,
        ),
    ]
}

struct DemoItem {
    name: &'static str,
    description: &'static str,
    category: Category,
    won: i64,
    opens_at: Option<domain::Timestamp>,
    limit: Option<u32>,
}

async fn put_on_sale(
    ports: &Ports,
    seller: AccountId,
    item: DemoItem,
    total: i64,
) -> Result<(), Fault> {
    let currency = Currency::from_code("KRW")
        .ok_or_else(|| Fault::corrupt("making the demo's items", "there is no won"))?;
    let command = CreateItem {
        seller,
        // The same in every start, so that none is put in twice.
        key: IdempotencyKey(Uuid::new_v5(&seller.0, item.name.as_bytes())),
        sku: None,
        details: Details {
            name: item.name.to_owned(),
            description: item.description.to_owned(),
            category: item.category,
            price: Money {
                minor: item.won,
                currency,
            },
        },
        window: item.opens_at.map(|opens_at| DealWindow {
            opens_at,
            closes_at: None,
            limit_per_buyer: item.limit,
        }),
        total,
    };
    let is_there = |refusal: &Refusal| refusal.reason == Reason::IdempotencyKeyReused;
    match create_item(ports, command).await {
        Ok(_) => Ok(()),
        // It was put in by a start that was cut short; its window is of that time.
        Err(Failure::Refused(refusals)) if refusals.iter().all(is_there) => Ok(()),
        Err(Failure::Fault(fault)) => Err(fault),
        Err(Failure::Refused(refusals)) => Err(Fault::corrupt(
            "making the demo's items",
            format!("{refusals:?}"),
        )),
    }
}
