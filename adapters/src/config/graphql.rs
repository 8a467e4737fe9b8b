//! Who may use the API from a browser, and which documents it executes.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use url::{Position, Url};

use super::check::Check;
use super::{Config, Switch};

/// The GraphQL endpoint.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Graphql {
    /// Origins whose pages may use the API from a browser.
    pub origins: Origins,
    /// Whether a client may name a document by its hash once it has sent it (automatic persisted
    /// queries).
    pub persisted_queries: Switch<true>,
    /// A JSON file of documents by their SHA-256: they are executed, by their names, and nothing
    /// else is. Whatever is sent, when absent.
    pub trusted_documents: Option<PathBuf>,
}

/// Some origins, each as `https://host` or `https://host:port`: a list, or one text with commas
/// between them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Each as a browser writes it.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The first that a browser would write in another way, or never.
    fn unsound(&self) -> Option<&str> {
        self.iter().find(|origin| !is_sound(origin))
    }
}

fn is_sound(origin: &str) -> bool {
    let Ok(url) = Url::parse(origin) else {
        return false;
    };
    let is_web = matches!(url.scheme(), "http" | "https");
    let is_bare = url.username().is_empty() && url.password().is_none();
    // A pattern would be compared as it is written, and never be equal.
    let is_one = !origin.contains('*');
    is_web && is_bare && is_one && &url[..Position::BeforePath] == origin
}

impl<'de> Deserialize<'de> for Origins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = Origins;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("origins like `https://shop.example`")
    }

    fn visit_str<E>(self, text: &str) -> Result<Origins, E> {
        let origins = text.split(',').map(str::trim);
        let origins = origins.filter(|origin| !origin.is_empty());
        Ok(Origins(origins.map(str::to_owned).collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Origins, A::Error> {
        let mut origins = Vec::new();
        while let Some(origin) = list.next_element()? {
            origins.push(origin);
        }
        Ok(Origins(origins))
    }
}

impl Config {
    pub(super) fn check_graphql(&self, check: &mut Check) {
        let graphql = &self.graphql;
        if let Some(origin) = graphql.origins.unsound() {
            let rule = format!(
                "each must be an origin like https://shop.example, without a path: \"{origin}\" is none"
            );
            check.that(false, "graphql.origins", &rule);
        }
        let distinct: BTreeSet<&str> = graphql.origins.iter().collect();
        check.that(
            distinct.len() == graphql.origins.0.len(),
            "graphql.origins",
            "one of them is there twice",
        );
        // Everything that the playground sends would be refused.
        check.that(
            graphql.trusted_documents.is_none() || !self.playground.0,
            "graphql.trusted_documents",
            "needs playground = false",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_and_a_text_are_the_same() {
        let parsed = |json: &str| serde_json::from_str::<Origins>(json).unwrap();
        let list = parsed(r#"["https://shop.example", "http://localhost:3000"]"#);
        assert_eq!(
            list,
            parsed(r#""https://shop.example, http://localhost:3000,""#)
        );
        assert_eq!(list.unsound(), None);
    }

    #[test]
    fn what_no_browser_writes_is_found() {
        for unsound in [
            "*",
            "null",
            "",
            "shop.example",
            "https://shop.example/",
            "https://shop.example/path",
            "https://SHOP.example",
            "https://shop.example:443",
            "https://kim@shop.example",
            "https://*.shop.example",
            "ftp://shop.example",
            "file:///",
        ] {
            assert!(!is_sound(unsound), "{unsound}");
        }
        for sound in [
            "https://shop.example",
            "http://127.0.0.1:8000",
            "https://shop.example:8443",
            "http://[::1]:3000",
        ] {
            assert!(is_sound(sound), "{sound}");
        }
    }
}
