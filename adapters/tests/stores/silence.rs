//! A server that is gone without a word: what it is sent gets no answer, and no refusal.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use adapters::clock::SystemClock;
use adapters::sql::{Ledger, LedgerSettings};
use domain::FaultKind;
use domain::ports::Catalogue;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::bench::{at, restock_key};
use super::server::{Shop, settings, vault};

/// A way to a server that drops what it is given: a connection that was silent stays so.
struct Way {
    address: String,
    silent: watch::Sender<bool>,
}

impl Way {
    async fn to(server: &str) -> Self {
        let server = server.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (silent, is_silent) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, server.clone(), is_silent.clone()));
            }
        });
        Self { address, silent }
    }
}

async fn carry(mut near: TcpStream, server: String, mut is_silent: watch::Receiver<bool>) {
    let mut far = TcpStream::connect(server).await.unwrap();
    let silence = async { drop(is_silent.wait_for(|silent| *silent).await) };
    let has_ended = tokio::select! {
        biased;
        () = silence => false,
        _ = copy_bidirectional(&mut near, &mut far) => true,
    };
    if !has_ended {
        // Both ends stay open.
        pending::<()>().await;
    }
}

pub async fn a_silent_server_is_not_waited_for(shop: &Shop) {
    const ROUNDS: u64 = 3;
    const ASKED: u128 = 3;
    const PATIENCE: Duration = Duration::from_secs(30);
    let url = shop.url();
    let (user, place) = url.split_once('@').unwrap();
    let (server, database) = place.split_once('/').unwrap();
    let way = Way::to(server).await;
    let settings = LedgerSettings {
        // One that writes and one that reads: neither may be lost.
        connections: 2,
        statement_timeout: Duration::from_millis(500),
        lock_timeout: Duration::from_millis(500),
        acquire_timeout: Duration::from_secs(2),
        ..settings()
    };
    let url = format!("{user}@{}/{database}", way.address);
    let ledger = Ledger::open(&url, &settings, Arc::new(SystemClock), vault()).await;
    let ledger = Arc::new(ledger.map_err(|fault| fault.detail()).unwrap());
    let bench = shop.bench().await;
    let item = bench.general(1, 10).await;

    for round in 0..ROUNDS {
        // First before anything is said, then somewhere in the middle of it.
        way.silent.send_replace(round == 0);
        let keys = (0..ASKED).map(|number| restock_key(u128::from(round) * ASKED + number));
        let keys: Vec<_> = keys.collect();
        let mut asked = Vec::new();
        for key in keys.clone() {
            let ledger = ledger.clone();
            asked.push(tokio::spawn(async move {
                let written = ledger.restock(item, 1, at(7), &key, None).await.map(drop);
                let read = ledger.items(&[item]).await.map(drop);
                [written, read]
            }));
        }
        sleep(Duration::from_millis(2 * round)).await;
        way.silent.send_replace(true);
        for asked in asked {
            let answers = timeout(PATIENCE, asked)
                .await
                .expect("it gives up")
                .unwrap();
            for answer in answers {
                assert!(round > 0 || answer.is_err(), "nobody can have answered");
                if let Err(fault) = answer {
                    assert_eq!(fault.kind, FaultKind::Unavailable, "{}", fault.detail());
                }
            }
        }

        way.silent.send_replace(false);
        for key in keys {
            // Each that is still open may cost a try.
            let mut tries = 0;
            while ledger.restock(item, 1, at(7), &key, None).await.is_err()
                || ledger.items(&[item]).await.is_err()
            {
                tries += 1;
                assert!(tries < 10, "it has no connection left");
            }
        }
    }
    let restocked = i64::try_from(u128::from(ROUNDS) * ASKED).unwrap();
    assert_eq!(bench.stock(item).await.total, 10 + restocked, "each once");
}
