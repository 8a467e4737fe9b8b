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
