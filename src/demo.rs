//! What a newcomer finds in an empty shop: three accounts, a few items, and deals that open while
//! they look. Put in once, into an empty database, and never again.

use std::path::Path;

use chrono::TimeDelta;
use domain::account::{Account, Email, Password, Profile, Role};
use domain::item::{Category, Details};
use domain::ports::Ports;
use domain::use_cases::create_item::{CreateItem, DealWindow, create_item};
use domain::{
    AccountId, Currency, Failure, Fault, IdempotencyKey, Language, Money, Reason, Refusal,
};
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
        for item in &ITEMS {
            put_on_sale(ports, seller, item).await?;
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
        language: Language::default(),
        password_hash: Some(ports.passwords.hash(&typed).await?),
        second_factor: false,
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

/// Something of the demo.
struct DemoItem {
    name: &'static str,
    description: &'static str,
    category: Category,
    won: i64,
    total: i64,
    /// Minutes from the first start to the opening, and units one buyer may have; no deal without.
    deal: Option<(i64, u32)>,
}

const ITEMS: [DemoItem; 6] = [
    DemoItem {
        name: "Hand cream",
        description: "Unscented, 50 ml.",
        category: Category::Beauty,
        won: 8_900,
        total: 500,
        deal: None,
    },
    DemoItem {
        name: "Canvas tote bag",
        description: "Holds a week's shopping.",
        category: Category::Fashion,
        won: 19_000,
        total: 300,
        deal: None,
    },
    DemoItem {
        name: "Desk lamp",
        description: "Warm light, three steps.",
        category: Category::Etc,
        won: 45_000,
        total: 120,
        deal: None,
    },
    DemoItem {
        name: "Wireless earbuds",
        description: "On sale now, until they are gone.",
        category: Category::Etc,
        won: 39_000,
        total: 100,
        deal: Some((0, 2)),
    },
    DemoItem {
        name: "Running shoes",
        description: "Opens a minute after the first start.",
        category: Category::Fashion,
        won: 69_000,
        total: 50,
        deal: Some((1, 1)),
    },
    DemoItem {
        name: "Festival ticket",
        description: "Opens five minutes after the first start.",
        category: Category::Etc,
        won: 99_000,
        total: 200,
        deal: Some((5, 4)),
    },
];

async fn put_on_sale(ports: &Ports, seller: AccountId, item: &DemoItem) -> Result<(), Fault> {
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
        window: item.deal.map(|(minutes, limit)| DealWindow {
            opens_at: ports.clock.now() + TimeDelta::minutes(minutes),
            closes_at: None,
            limit_per_buyer: Some(limit),
        }),
        total: item.total,
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
