use figment::providers::{Format, Serialized, Toml};

use super::*;

fn read(toml: &str) -> Result<Config, Vec<String>> {
    let defaults = Figment::from(Serialized::defaults(Config::default()));
    Config::from_sources(&defaults.merge(Toml::string(toml)))
}

#[test]
fn the_example_says_what_the_defaults_are() {
    let example = read(include_str!("../../../firstcome.example.toml")).unwrap();
    let json = |config: &Config| serde_json::to_value(config).unwrap();
    assert_eq!(json(&example), json(&Config::default()));
}

#[test]
fn the_example_names_every_key() {
    let example = include_str!("../../../firstcome.example.toml");
    let defaults = serde_json::to_value(Config::default()).unwrap();
    for (name, value) in defaults.as_object().unwrap() {
        let keys: Vec<&String> = match value.as_object() {
            Some(section) => section.keys().collect(),
            None => vec![name],
        };
        for key in keys {
            let named = |line: &str| {
                let line = line.trim_start_matches("# ");
                line.starts_with(&format!("{key} =")) || line.ends_with(&format!(".{key}]"))
            };
            assert!(example.lines().any(named), "{name}.{key}");
        }
    }
}

/// Every key of these settings, with its sections.
fn keys(value: &serde_json::Value, prefix: &str) -> Vec<String> {
    let Some(section) = value.as_object() else {
        return vec![prefix.to_owned()];
    };
    let below = section.iter().map(|(name, value)| match prefix {
        "" => keys(value, name),
        _ => keys(value, &format!("{prefix}.{name}")),
    });
    below.flatten().collect()
}

#[test]
fn the_document_explains_every_key_and_no_other() {
    let document = include_str!("../../../docs/configuration.md");
    let rows = document.lines().filter_map(|line| {
        let (key, rest) = line.strip_prefix("| `")?.split_once("` |")?;
        let default = rest.split('|').next()?.trim().trim_matches('`');
        Some((key.to_owned(), default.to_owned()))
    });
    let explained: std::collections::BTreeMap<String, String> = rows.collect();
    let defaults = serde_json::to_value(Config::default()).unwrap();
    let mut keys = keys(&defaults, "");
    keys.sort_unstable();
    assert_eq!(explained.keys().cloned().collect::<Vec<_>>(), keys);
    for (key, default) in explained {
        let pointer = format!("/{}", key.replace('.', "/"));
        let expected = match defaults.pointer(&pointer).unwrap() {
            serde_json::Value::Null => "–".to_owned(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(default, expected, "{key}");
    }
}

#[test]
fn what_is_wrong_names_its_key() {
    for (toml, key) in [
        ("colour = 1", "colour"),
        ("[orders]\nhold = \"soon\"", "orders.hold"),
        ("[orders]\nhold = \"0s\"", "orders.hold"),
        ("[orders]\nmax_lines = 0", "orders.max_lines"),
        ("[delivery]\nzone = \"Mars/Olympus\"", "delivery.zone"),
        ("[delivery]\nhour = 24", "delivery.hour"),
        ("[gate]\nshards = 0", "gate.shards"),
        (
            "[payment.simulated]\nabandon_on_screen = 1.5",
            "payment.simulated.abandon_on_screen",
        ),
        ("[payment]\nkey_life = \"1s\"", "payment.key_life"),
        ("[mail]\nfrom = \"nobody\"", "mail.from"),
        ("[graphql]\norigins = [\"*\"]", "graphql.origins"),
        (
            "[graphql]\norigins = \"https://a.example,https://a.example\"",
            "graphql.origins",
        ),
        (
            "[graphql]\ntrusted_documents = \"list.json\"",
            "graphql.trusted_documents",
        ),
        ("[limits]\ntokens = 1", "limits.tokens"),
        ("[limits]\njson_depth = 128", "limits.json_depth"),
        ("[limits]\nhead = \"1ms\"", "limits.head"),
        ("[limits]\nbody = 4096", "limits.document"),
        ("[limits]\nbodies = 1000", "limits.bodies"),
        ("[limits]\nlist_items = 1000", "limits.list_items"),
        ("[limits]\ndepth = 14", "limits.depth"),
        (
            "[limits]\nconnections_per_node = 100",
            "limits.sockets_per_node",
        ),
        ("[limits]\nspared = [\"10.0.0.300\"]", "limits.spared"),
        (
            "[rates]\nsign_in_per_peer = \"10\"",
            "rates.sign_in_per_peer",
        ),
        (
            "[rates]\nsign_in_per_peer = \"0/1m\"",
            "rates.sign_in_per_peer",
        ),
        (
            "[rates]\nsign_in_per_peer = \"9/1ms\"",
            "rates.sign_in_per_peer",
        ),
    ] {
        let Err(errors) = read(toml) else {
            panic!("{toml} was accepted")
        };
        assert!(
            errors.iter().any(|error| error.contains(key)),
            "{toml}: {errors:?}"
        );
    }
}

const SERVERS: &str = "[ledger]\nurl = \"mysql://shop@db.example.test/shop\"\n\
     [redis]\nnodes = [\"redis.example.test:6379\"]\n[kafka]\nbrokers = \"a.example.test:9092\"\n\
     [payment]\nurl = \"https://pay.example.test\"\nsecret_key = \"sk\"\nwebhook_secret = \"wh\"\n";

fn errors(toml: &str) -> Vec<String> {
    read(toml).err().unwrap_or_default()
}

#[test]
fn servers_are_all_there_or_none() {
    assert!(read("").unwrap().servers().is_none());
    let config = read(SERVERS).unwrap();
    let servers = config.servers().unwrap();
    assert_eq!(servers.redis.nodes.joined(), "redis.example.test:6379");
    assert_eq!(servers.kafka.brokers.joined(), "a.example.test:9092");
    assert_eq!(
        errors("[redis]\nnodes = [\"redis.example.test:6379\"]"),
        [
            "ledger.url: must be set too, as redis.nodes is",
            "kafka.brokers: must be set too, as redis.nodes is",
        ]
    );
    let ledger = "[ledger]\nurl = \"postgres://db.example.test/shop\"\n[kafka]\nbrokers = \"a:1\"";
    assert_eq!(
        errors(ledger)[0],
        "redis.nodes: must be set too, as ledger.url and kafka.brokers is"
    );
}

#[test]
fn a_shop_over_servers_has_one_provider_for_all_of_its_processes() {
    let without = |key: &str| {
        let (servers, payment) = SERVERS.split_once("[payment]\n").unwrap();
        let kept = payment.lines().filter(|line| !line.starts_with(key));
        let kept: Vec<&str> = kept.collect();
        errors(&format!("{servers}[payment]\n{}", kept.join("\n")))
    };
    assert_eq!(without("none"), [""; 0]);
    assert_eq!(
        without("url"),
        [
            "payment.url: must be set where servers are: https://api.stripe.com, or where \
             `firstcome provider` listens"
        ]
    );
    assert_eq!(
        without("secret_key"),
        ["payment.secret_key: must be set too, as payment.url is"]
    );
    assert_eq!(
        without("webhook_secret"),
        ["payment.webhook_secret: must be set too, as payment.url and servers are"]
    );
    // In one process it may be there, and may tell nothing.
    let alone = "[payment]\nurl = \"http://127.0.0.1:8200\"\nsecret_key = \"sk\"";
    assert_eq!(errors(alone), [""; 0]);
    assert_eq!(
        errors("[payment]\nwebhook_secret = \"\""),
        ["payment.webhook_secret: must not be empty"]
    );
}

#[test]
fn a_ledger_may_be_called_by_every_name_that_it_opens_by() {
    for scheme in ["mysql", "mariadb", "postgres", "postgresql"] {
        let read = read(&SERVERS.replace("mysql://", &format!("{scheme}://")));
        assert!(read.is_ok(), "{scheme}: {:?}", read.err());
    }
    assert_eq!(
        errors(&SERVERS.replace("mysql://", "oracle://")),
        ["ledger.url: must begin with mysql://, mariadb:// or postgres://"]
    );
}

#[test]
fn what_is_wrong_with_servers_names_its_key() {
    for (toml, key) in [
        ("namespace = \"a b\"", "namespace"),
        ("[ledger]\nurl = \"sqlite://file\"", "ledger.url"),
        ("[ledger]\nconnections = 1", "ledger.connections"),
        (
            "[ledger]\nstatement_timeout = \"0s\"",
            "ledger.statement_timeout",
        ),
        ("[redis]\nmode = \"magic\"", "redis.mode"),
        ("[redis]\nnodes = \"redis://a\"", "redis.nodes"),
        ("[redis]\nnodes = \"a:1,b:2\"", "redis.nodes"),
        (
            "[redis]\nmode = \"sentinel\"\nprimary = \"\"",
            "redis.primary",
        ),
        ("[redis]\nusername = \"shop\"", "redis.password"),
        ("[redis]\ncache = \"a:1\"", "redis.cache"),
        ("[kafka]\nbrokers = [\"a\"]", "kafka.brokers"),
        ("[kafka]\npartitions = 0", "kafka.partitions"),
        ("[kafka]\nreplication = 0", "kafka.replication"),
        ("[kafka]\nretention = \"1s\"", "kafka.retention"),
        ("[kafka]\nsession = \"500ms\"", "kafka.session"),
        ("[guards]\nlog = \"0s\"", "guards.log"),
        ("[guards]\nlog = \"4s\"", "guards.log"),
        ("[guards]\nfailures = 0", "guards.failures"),
        ("[process]\ndrain = \"0s\"", "process.drain"),
        ("[work]\nlisten = \"8100\"", "work.listen"),
        ("[work]\nlinger = \"2s\"", "work.linger"),
    ] {
        let errors = errors(toml);
        let named = |error: &String| error.starts_with(&format!("{key}:"));
        assert!(errors.iter().any(named), "{toml}: {errors:?}");
    }
}

#[test]
fn a_mailbox_that_others_reach_is_refused() {
    let open = format!("listen = \"0.0.0.0:8000\"\n{SERVERS}");
    assert!(errors(&open)[0].starts_with("mail.smtp:"));
    assert!(read(&format!("playground = false\n{open}")).is_ok());
    assert!(
        read(&format!(
            "{open}[mail]\nsmtp = \"smtp://mail.example.test\""
        ))
        .is_ok()
    );
    // In one process it may be in a container, behind a port that is not open.
    assert!(read("listen = \"0.0.0.0:8000\"").is_ok());
}

#[test]
fn everything_wrong_is_told_at_once() {
    let errors = errors(
        "colour = 1\n[orders]\nhold = \"soon\"\nmax_lines = \"many\"\nsize = 3\n\
         [ledger]\nurl = 12345\n[redis]\npassword = 98765",
    );
    let keys: Vec<&str> = errors
        .iter()
        .filter_map(|error| Some(error.split_once(':')?.0))
        .collect();
    assert_eq!(
        keys,
        [
            "colour",
            "ledger.url",
            "orders.hold",
            "orders.max_lines",
            "orders.size",
            "redis.password",
        ],
        "{errors:?}"
    );
    let secrets = ["12345", "98765"];
    assert!(
        !errors
            .iter()
            .any(|error| secrets.iter().any(|secret| error.contains(secret)))
    );
}
