//! The real servers, started, ended in every way, and started again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use xtask::services::{
    Kafka, Keep, MariaDb, Postgres, Redis, RedisCluster, RedisSentinel, Server, kafka_tool,
};

const FAILOVER: Duration = Duration::from_mins(1);

/// What a client prints; its complaint when it fails.
fn said(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn redis(port: u16, words: &[&str]) -> Result<String, String> {
    let port = port.to_string();
    said(
        Command::new("redis-cli")
            .args(["-e", "-c", "-p", &port])
            .args(words),
    )
}

fn answers(server: &Server) -> bool {
    redis(server.port(), &["PING"]) == Ok("PONG".to_owned())
}

#[test]
fn a_redis_is_a_memory_or_keeps_what_it_was_told() {
    for (keep, after) in [(Keep::Nothing, ""), (Keep::AppendOnly, "5")] {
        let mut server = Redis::launch(keep).unwrap();
        let (port, first) = (server.port(), server.pid());
        assert_eq!(server.url(), format!("redis://127.0.0.1:{port}"));
        redis(port, &["SET", "stock", "5"]).unwrap();
        server.stop().unwrap();
        assert_eq!(server.pid(), None);
        assert!(!answers(&server));
        server.start().unwrap();
        assert_ne!(server.pid(), first);
        assert_eq!(server.port(), port);
        assert_eq!(redis(port, &["GET", "stock"]).unwrap(), after);
    }
}

#[test]
fn a_redis_refuses_to_forget_when_it_is_full() {
    let server = Redis::launch(Keep::Nothing).unwrap();
    redis(server.port(), &["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    let refusal = redis(server.port(), &["SET", "stock", "5"]).unwrap_err();
    assert!(refusal.contains("OOM"), "{refusal}");
}

#[test]
fn a_dead_primary_is_replaced_and_comes_back_as_a_replica() {
    let mut set = RedisSentinel::launch().unwrap();
    assert_eq!(set.sentinels().len(), 3);
    let primary = set.primary().unwrap();
    let old = primary.port();
    redis(old, &["SET", "stock", "5"]).unwrap();
    assert_eq!(redis(old, &["WAIT", "2", "5000"]).unwrap(), "2");
    primary.kill().unwrap();
    set.fails_over_from(old, FAILOVER).unwrap();
    let new = set.primary().unwrap().port();
    assert_eq!(redis(new, &["GET", "stock"]).unwrap(), "5");
    let node = set.nodes().iter_mut().find(|node| node.port() == old);
    node.unwrap().start().unwrap();
    set.settled().unwrap();
    assert!(redis(old, &["ROLE"]).unwrap().starts_with("slave"));
    assert_eq!(set.primary().unwrap().port(), new);
}

#[test]
fn a_cluster_serves_every_key_and_a_node_comes_back_with_its_own() {
    let mut cluster = RedisCluster::launch().unwrap();
    let port = cluster.nodes()[0].port();
    let items: Vec<_> = (0..32).map(|index| format!("item:{index}")).collect();
    // A killed node may otherwise forget what it was told within the last second.
    for node in cluster.nodes() {
        redis(node.port(), &["CONFIG", "SET", "appendfsync", "always"]).unwrap();
    }
    for item in &items {
        redis(port, &["SET", item, "5"]).unwrap();
    }
    cluster.nodes()[1].kill().unwrap();
    let silent = items
        .iter()
        .filter(|item| redis(port, &["GET", item]).is_err());
    assert!(
        (1..items.len()).contains(&silent.count()),
        "the others go on"
    );
    cluster.nodes()[1].start().unwrap();
    cluster.agreed().unwrap();
    for item in &items {
        assert_eq!(redis(port, &["GET", item]).unwrap(), "5");
    }
}

#[test]
fn kafka_has_its_topics_and_records_after_a_kill_and_makes_none_unasked() {
    let mut kafka = Kafka::launch().unwrap();
    let brokers = kafka.brokers();
    let tool = |class: &str, words: &[&str]| {
        let mut command = kafka_tool(class).unwrap();
        command.args(["--bootstrap-server", &brokers]).args(words);
        command
    };
    let topics = "org.apache.kafka.tools.TopicCommand";
    said(&mut tool(
        topics,
        &["--create", "--topic", "orders", "--partitions", "2"],
    ))
    .unwrap();
    let mut producer = tool(
        "org.apache.kafka.tools.ConsoleProducer",
        &["--topic", "orders"],
    );
    feed(&mut producer, "one order\n");
    kafka.kill().unwrap();
    kafka.start().unwrap();
    let once = [
        "--topic",
        "orders",
        "--from-beginning",
        "--max-messages",
        "1",
    ];
    let mut consumer = tool("org.apache.kafka.tools.consumer.ConsoleConsumer", &once);
    assert_eq!(said(&mut consumer).unwrap(), "one order");
    kafka.stop().unwrap();
    kafka.start().unwrap();
    let missing = ["--describe", "--topic", "missing"];
    assert!(said(&mut tool(topics, &missing)).is_err());
    let listed = said(&mut tool(topics, &["--list"])).unwrap();
    assert!(listed.lines().any(|topic| topic == "orders"), "{listed}");
}

fn feed(command: &mut Command, text: &str) {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_commit_survives_the_death_of_mariadb() {
    let mut server = MariaDb::launch().unwrap();
    let port = server.port().to_string();
    let sql = |statement: &str| {
        let words = [
            "--no-defaults",
            "-h127.0.0.1",
            "-ufirstcome",
            "-pfirstcome",
            "-BN",
        ];
        said(
            Command::new("mariadb")
                .args(words)
                .args(["-P", &port, "-e", statement]),
        )
    };
    sql("CREATE DATABASE shop; CREATE TABLE shop.stock (total INT) ENGINE=InnoDB").unwrap();
    sql("INSERT INTO shop.stock VALUES (5)").unwrap();
    server.kill().unwrap();
    assert!(sql("SELECT 1").is_err());
    server.start().unwrap();
    assert_eq!(sql("SELECT total FROM shop.stock").unwrap(), "5");
    server.stop().unwrap();
    server.start().unwrap();
    assert_eq!(sql("SELECT total FROM shop.stock").unwrap(), "5");
}

#[test]
fn a_commit_survives_the_death_of_postgresql() {
    let mut server = Postgres::launch().unwrap();
    let url = server.url();
    let sql = |statement: &str| said(Command::new("psql").args([&url, "-qtAc", statement]));
    sql("CREATE DATABASE shop").unwrap();
    sql("CREATE TABLE stock AS SELECT 5 AS total").unwrap();
    server.kill().unwrap();
    assert!(sql("SELECT 1").is_err());
    server.start().unwrap();
    assert_eq!(sql("SELECT total FROM stock").unwrap(), "5");
    // In good order, although somebody is still connected.
    let mut idler = Command::new("psql");
    let mut idler = idler
        .args([&url, "-qtAc", "SELECT pg_sleep(600)"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let connected = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'";
    assert!((0..500).any(|_| sql(connected).unwrap() == "1"));
    server.stop().unwrap();
    assert!(!idler.wait().unwrap().success());
    server.start().unwrap();
    assert_eq!(sql("SELECT total FROM stock").unwrap(), "5");
}

#[test]
fn a_server_outlives_the_thread_that_started_it_but_not_its_value() {
    let started = std::thread::spawn(|| Redis::launch(Keep::Nothing).unwrap());
    let server = started.join().unwrap();
    assert!(answers(&server));
    let (port, folder) = (server.port(), home(&server));
    assert!(folder.is_dir());
    drop(server);
    assert!(redis(port, &["PING"]).is_err());
    assert!(!folder.exists(), "{} is still there", folder.display());
}

#[test]
fn what_a_failed_test_leaves_is_kept() {
    let (told, folder) = std::sync::mpsc::channel();
    let failed = std::thread::spawn(move || {
        let server = Redis::launch(Keep::Nothing).unwrap();
        told.send(home(&server)).unwrap();
        panic!("on purpose");
    });
    assert!(failed.join().is_err());
    let folder = folder.recv().unwrap();
    assert!(folder.join("redis.log").is_file());
    std::fs::remove_dir_all(folder).unwrap();
}

fn home(server: &Server) -> PathBuf {
    server.log().parent().unwrap().to_owned()
}

/// Ends a helper that went on too long because its test failed.
struct Helper(Child);

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn servers_die_with_a_process_that_is_killed() {
    let me = std::env::current_exe().unwrap();
    let mut helper = Command::new(me);
    helper.args([
        "--ignored",
        "--exact",
        "--nocapture",
        "holds_servers_until_it_is_killed",
    ]);
    let mut helper = Helper(helper.stdout(Stdio::piped()).spawn().unwrap());
    let output = BufReader::new(helper.0.stdout.take().unwrap());
    let held = output.lines().map(Result::unwrap).find_map(|line| {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        (words.first()? == "held").then(|| words[1..].to_vec())
    });
    let held = held.expect("the helper says what it holds");
    let (pids, homes) = held.split_at(2);
    assert!(pids.iter().all(|pid| runs(pid)));
    helper.0.kill().unwrap();
    helper.0.wait().unwrap();
    let ended = (0..500).any(|_| {
        said(Command::new("sleep").arg("0.02")).unwrap();
        !pids.iter().any(|pid| runs(pid))
    });
    assert!(ended, "{pids:?} outlived whoever started them");
    // Nobody was left to do it.
    for home in homes {
        std::fs::remove_dir_all(home).unwrap();
    }
}

#[test]
#[ignore = "part of servers_die_with_a_process_that_is_killed"]
fn holds_servers_until_it_is_killed() {
    let redis = Redis::launch(Keep::Nothing).unwrap();
    // As another user, if we are root.
    let postgres = Postgres::launch().unwrap();
    let (redis_home, postgres_home) = (home(&redis), home(&postgres));
    let (redis, postgres) = (redis.pid().unwrap(), postgres.pid().unwrap());
    println!(
        "held {redis} {postgres} {} {}",
        redis_home.display(),
        postgres_home.display()
    );
    std::thread::park();
}

/// Whether the process is there and more than a corpse.
fn runs(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}
