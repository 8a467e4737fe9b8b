//! What a person sees when a shop starts.

use adapters::config::Config;
use domain::deal::Phase;
use domain::page::{End, ItemFilter, ItemKindFilter, ItemOrder, ItemQuery, Window};
use domain::ports::Ports;
use domain::{Fault, Timestamp};

use crate::demo::Credentials;

/// The most deals that are listed.
const DEALS: usize = 10;

/// Prints where everything is, which deal opens when, and what to try.
///
/// # Errors
/// A fault of the ledger.
pub async fn print(
    ports: &Ports,
    config: &Config,
    url: &str,
    has_mailbox: bool,
) -> Result<(), Fault> {
    print_places(config, url, has_mailbox);
    let deals = deals(ports).await?;
    if !deals.is_empty() {
        println!("\n  Deals");
        for (name, when) in deals {
            println!("    {name:<28} {when}");
        }
    }
    let credentials = Credentials::read(&config.data_dir.0);
    if let Some(credentials) = credentials.filter(|_| config.demo.0) {
        println!(
            "\n  Accounts (made for this folder; the passwords are in {}/{})",
            config.data_dir.0.display(),
            crate::demo::FILE
        );
        for account in credentials.accounts {
            println!(
                "    {:<10} {:<24} {}",
                account.role, account.email, account.password
            );
        }
    }
    if config.playground.0 {
        println!("\n  Three things to try in the playground, whose tabs are filled in");
        println!("    1. Read the deals, and watch the stock of one.");
        println!(
            "    2. Sign in (all tabs use the token then), place an order, see the stock move."
        );
        println!("    3. Pay it with `tok_approve` and watch the order; leave another one unpaid.");
        println!("  Or send a crowd, from another terminal:  cargo run -- rush --buyers 2000");
    }
    println!("\n  Ctrl-C stops it; the next start goes on from there.\n");
    Ok(())
}

/// Prints where everything is.
pub fn print_places(config: &Config, url: &str, has_mailbox: bool) {
    println!("\n  firstcome: selling what runs out\n");
    println!("  Endpoint    {url}/graphql");
    if config.playground.0 {
        println!("  Playground  {url}/");
        if has_mailbox {
            println!("  Mailbox     {url}/mailbox");
        }
    }
}

async fn deals(ports: &Ports) -> Result<Vec<(String, String)>, Fault> {
    let query = ItemQuery {
        filter: ItemFilter {
            kind: Some(ItemKindFilter::TimeDeal),
            ..ItemFilter::default()
        },
        order: ItemOrder::OpensFirst,
        window: Window {
            count: DEALS,
            from: End::First,
            after: None,
            before: None,
        },
    };
    let now = ports.clock.now();
    let page = ports.catalogue.list(&query).await?;
    let lines = page.rows.into_iter().filter_map(|(_, item)| {
        let deal = item.deal()?;
        let when = match deal.phase(now) {
            Phase::Upcoming => opens_in(deal.opens_at, now),
            Phase::Open => format!("open, {} left", item.stock.available()),
            Phase::Paused => "paused".to_owned(),
            Phase::Closed => "closed".to_owned(),
        };
        Some((item.details.name, when))
    });
    Ok(lines.collect())
}

fn opens_in(opens_at: Timestamp, now: Timestamp) -> String {
    let left = (opens_at - now).num_seconds();
    format!(
        "opens in {} min {:02} s, at {} UTC",
        left / 60,
        left % 60,
        opens_at.format("%H:%M:%S")
    )
}
