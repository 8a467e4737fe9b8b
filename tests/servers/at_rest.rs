//! All that a shop has left at its servers, as the servers' own tools show it.

use std::process::Command;

use xtask::services::kafka_tool;

use crate::engines;
use crate::support::Shop;

/// Every row of its database, every record of its topics, every value of its keys in Redis.
pub fn at_rest(shop: &Shop) -> Vec<u8> {
    let of = |key: &str| shop.setting(key).unwrap();
    let namespace = of("NAMESPACE");
    let rows = said(engines::mariadb("mariadb-dump", of("LEDGER__URL")));
    let records = records(of("KAFKA__BROKERS"), namespace);
    let values = values(of("REDIS__NODES"), namespace);
    for part in [&rows, &records, &values] {
        assert!(!part.is_empty());
    }
    [rows, records, values].concat()
}

fn said(mut command: Command) -> Vec<u8> {
    let output = command.output().unwrap();
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{failed}");
    output.stdout
}

fn records(brokers: &str, namespace: &str) -> Vec<u8> {
    let mut consumer = kafka_tool("org.apache.kafka.tools.consumer.ConsoleConsumer").unwrap();
    consumer
        .args(["--bootstrap-server", brokers])
        .args(["--include", &format!("{namespace}\\..*")])
        .args(["--from-beginning", "--timeout-ms", "10000"])
        .args(["--formatter-property", "print.headers=true"])
        .args(["--formatter-property", "print.key=true"]);
    // It ends by its time being over.
    consumer.output().unwrap().stdout
}

fn values(node: &str, namespace: &str) -> Vec<u8> {
    let ask = |arguments: &[&str]| {
        let mut client = Command::new("redis-cli");
        client
            .args(["-u", &format!("redis://{node}")])
            .args(arguments);
        said(client)
    };
    let keys = ask(&["--scan", "--pattern", &format!("*{namespace}*")]);
    let mut values = Vec::new();
    for key in String::from_utf8(keys).unwrap().lines() {
        values.extend(key.as_bytes());
        let kind = String::from_utf8(ask(&["TYPE", key])).unwrap();
        let read: &[&str] = match kind.trim() {
            "string" => &["GET", key],
            "hash" => &["HGETALL", key],
            "list" => &["LRANGE", key, "0", "-1"],
            "set" => &["SMEMBERS", key],
            "zset" => &["ZRANGE", key, "0", "-1"],
            "stream" => &["XRANGE", key, "-", "+"],
            // Its time was over in between.
            "none" => continue,
            kind => panic!("{key} is a {kind}"),
        };
        values.extend(ask(read));
    }
    values
}
