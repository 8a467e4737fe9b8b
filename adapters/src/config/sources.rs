//! Where settings come from, and what is wrong where they can't be read.

use std::path::Path;

use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Value};
use figment::{Figment, Source};

use super::{Config, FILE};

const PREFIX: &str = "FIRSTCOME_";

/// A variable of the developers' tests, which is no setting: where the real servers are.
const TESTS: &str = "test_services";

/// Settings that are a text whatever a variable of theirs looks like: `0815` is a password too.
const TEXTS: [&str; 13] = [
    "namespace",
    "graphql.origins",
    "graphql.trusted_documents",
    "ledger.url",
    "redis.primary",
    "redis.username",
    "redis.password",
    "redis.cache",
    "mail.smtp",
    "payment.url",
    "payment.secret_key",
    "payment.webhook_secret",
    "payment.simulated.webhook_url",
];

/// Every source, the later ones over the earlier.
pub fn all(file: Option<&Path>) -> Figment {
    let mut sources = Figment::from(Serialized::defaults(Config::default()));
    sources = match file {
        Some(file) => sources.merge(Toml::file_exact(file)),
        None if Path::new(FILE).exists() => sources.merge(Toml::file_exact(FILE)),
        None => sources,
    };
    let variables = Env::prefixed(PREFIX).ignore(&[TESTS]);
    let texts = TEXTS.into_iter().filter_map(|key| {
        let text = Env::var(&variable(key))?;
        Some((key, text))
    });
    texts.fold(sources.merge(variables.split("__")), |sources, text| {
        sources.merge(text)
    })
}

/// The variable of a setting.
fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// Everything that keeps these sources from being read. The reader stops at the first; so each
/// setting is tried by itself.
pub fn everything_wrong(sources: &Figment, first: figment::Error) -> Vec<String> {
    let Ok(written) = sources.extract::<Dict>() else {
        // A file that is not there, or is no TOML.
        return first.into_iter().map(|error| error.to_string()).collect();
    };
    let known = Value::serialize(Config::default()).ok();
    let known = known.and_then(Value::into_dict).unwrap_or_default();
    let mut errors = Vec::new();
    look(sources, &written, &known, "", &mut errors);
    if errors.is_empty() {
        errors.push(first.to_string());
    }
    errors
}

fn look(sources: &Figment, written: &Dict, known: &Dict, within: &str, errors: &mut Vec<String>) {
    for (name, value) in written {
        let key = match within {
            "" => name.clone(),
            _ => format!("{within}.{name}"),
        };
        match (value, known.get(name)) {
            (_, None) => {
                let place = place(sources, &key);
                errors.push(format!("{key}: there is no such setting{place}"));
            }
            (Value::Dict(_, written), Some(Value::Dict(_, known))) => {
                look(sources, written, known, &key, errors);
            }
            (value, Some(_)) => {
                let alone = Figment::from(Serialized::defaults(Config::default()));
                let alone = alone.merge((key.as_str(), value));
                if let Err(error) = alone.extract::<Config>() {
                    let place = place(sources, &key);
                    errors.push(format!("{key}: {}{place}", said(&error.kind)));
                }
            }
        }
    }
}

fn said(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => message.clone(),
        other => other.to_string(),
    }
}

/// Where a setting was made, for people.
fn place(sources: &Figment, key: &str) -> String {
    let Some(metadata) = sources.find_metadata(key) else {
        return String::new();
    };
    match metadata.source.as_ref().and_then(Source::file_path) {
        Some(file) => format!(" (in {})", file.display()),
        None if metadata.name.contains("environment") => format!(" (in {})", variable(key)),
        None => String::new(),
    }
}
