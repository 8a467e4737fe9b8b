//! Documents that a request names instead of sending them: automatic persisted queries, or a list of
//! trusted documents beside which nothing is executed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::answer::{RequestError, RequestErrorCode};
use crate::request::{DocumentHash, DocumentId};

/// What the cache itself needs for a document, in bytes, about.
const OVERHEAD: usize = 200;

/// Which documents are executed.
#[derive(Clone, Debug)]
pub enum Documents {
    /// Whatever is sent. What was sent together with its hash may be named by that later, as long
    /// as it is among so many bytes of documents; none may, when 0.
    Sent {
        /// Bytes of all documents that are remembered.
        remembered: u32,
    },
    /// Those of a list, by their names, and nothing else.
    Trusted(TrustedDocuments),
}

impl Default for Documents {
    fn default() -> Self {
        Self::Sent {
            remembered: 8 * 1024 * 1024,
        }
    }
}

/// The list of documents that are executed, by their SHA-256.
#[derive(Clone, Debug)]
pub struct TrustedDocuments(Arc<HashMap<DocumentHash, Arc<str>>>);

impl TrustedDocuments {
    /// Reads the list as build tools write it: a JSON object of documents by their SHA-256.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn read(json: &str) -> Result<Self, String> {
        let listed: BTreeMap<String, Arc<str>> = serde_json::from_str(json)
            .map_err(|error| format!("it is no JSON object of documents: {error}"))?;
        let mut documents = HashMap::with_capacity(listed.len());
        for (id, text) in listed {
            let hash = hash(&text);
            if DocumentId::read(&id) != DocumentId::Sha256(hash) {
                return Err(format!("\"{id}\" is not the SHA-256 of its document"));
            }
            documents.insert(hash, text);
        }
        Ok(Self(Arc::new(documents)))
    }
}

/// A document's text, and the hash to remember it by.
pub(super) struct Found {
    text: Arc<str>,
    fresh: Option<DocumentHash>,
}

impl Found {
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// What is known of documents by their names.
pub(super) enum Persisted {
    Remembered(Cache<DocumentHash, Arc<str>>),
    Off,
    Trusted(TrustedDocuments),
}

impl Persisted {
    pub(super) fn new(accepted: &Documents) -> Self {
        match accepted {
            Documents::Sent { remembered: 0 } => Self::Off,
            Documents::Sent { remembered } => Self::Remembered(
                Cache::builder()
                    .max_capacity(u64::from(*remembered))
                    .weigher(|hash: &DocumentHash, text: &Arc<str>| {
                        u32::try_from(hash.len() + text.len() + OVERHEAD).unwrap_or(u32::MAX)
                    })
                    .build(),
            ),
            Documents::Trusted(documents) => Self::Trusted(documents.clone()),
        }
    }

    /// The document that a request means by its text, its name, or both.
    pub(super) fn find(
        &self,
        query: Option<String>,
        name: Option<DocumentId>,
    ) -> Result<Found, RequestError> {
        match self {
            Self::Trusted(documents) => documents.find(query, name),
            Self::Off | Self::Remembered(_) => match (query, name) {
                (Some(query), None) => Ok(Found {
                    text: query.into(),
                    fresh: None,
                }),
                (query, Some(name)) => self.named(query, name),
                (None, None) => Err(not_found()),
            },
        }
    }

    fn named(&self, query: Option<String>, name: DocumentId) -> Result<Found, RequestError> {
        let Self::Remembered(cache) = self else {
            return Err(not_supported());
        };
        let wanted = match name {
            DocumentId::Unsupported => return Err(not_supported()),
            DocumentId::Unknown => None,
            DocumentId::Sha256(hash) => Some(hash),
        };
        match query {
            None => {
                let text = wanted.and_then(|wanted| cache.get(&wanted));
                let text = text.ok_or_else(not_found)?;
                Ok(Found { text, fresh: None })
            }
            Some(query) if wanted == Some(hash(&query)) => Ok(Found {
                text: query.into(),
                fresh: wanted,
            }),
            Some(_) => Err(RequestError::new(
                RequestErrorCode::BadRequest,
                "The document's name is not the SHA-256 of its text.",
            )),
        }
    }

    /// Remembers a document that is fit to be executed.
    pub(super) fn remember(&self, found: &Found) {
        if let (Self::Remembered(cache), Some(hash)) = (self, found.fresh)
            && !cache.contains_key(&hash)
        {
            cache.insert(hash, Arc::clone(&found.text));
        }
    }
}

impl TrustedDocuments {
    fn find(&self, query: Option<String>, name: Option<DocumentId>) -> Result<Found, RequestError> {
        let text = match name {
            Some(DocumentId::Sha256(hash)) => self.0.get(&hash),
            Some(DocumentId::Unknown | DocumentId::Unsupported) | None => None,
        };
        text.filter(|text| query.is_none_or(|query| *query == ***text))
            .map(|text| Found {
                text: Arc::clone(text),
                fresh: None,
            })
            .ok_or_else(|| {
                RequestError::new(
                    RequestErrorCode::DocumentNotTrusted,
                    "Only known documents are executed here, by their names.",
                )
            })
    }
}

/// In the words that the public clients know.
fn not_found() -> RequestError {
    RequestError::new(
        RequestErrorCode::PersistedQueryNotFound,
        "PersistedQueryNotFound",
    )
}

/// In the words that the public clients know.
fn not_supported() -> RequestError {
    RequestError::new(
        RequestErrorCode::PersistedQueryNotSupported,
        "PersistedQueryNotSupported",
    )
}

fn hash(text: &str) -> DocumentHash {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_with_a_wrong_hash_is_refused() {
        let right = hex(&hash("{ hello }"));
        let list = |id: &str| format!(r#"{{"{id}":"{{ hello }}"}}"#);
        assert!(TrustedDocuments::read(&list(&right)).is_ok());
        assert!(TrustedDocuments::read(&list(&format!("sha256:{right}"))).is_ok());
        for wrong in ["hello", "", &right.to_uppercase(), &hex(&[0; 32])] {
            let error = TrustedDocuments::read(&list(wrong)).unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
        for no_list in ["", "[]", "{\"a\":1}"] {
            assert!(TrustedDocuments::read(no_list).is_err(), "{no_list}");
        }
    }

    fn hex(hash: &DocumentHash) -> String {
        hash.iter()
            .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let persisted = Persisted::new(&Documents::Sent { remembered: 1_000 });
        let Persisted::Remembered(cache) = &persisted else {
            panic!("it remembers")
        };
        for n in 0..100 {
            let query = format!("{{ hello{n} }}");
            let name = DocumentId::Sha256(hash(&query));
            let found = persisted.find(Some(query), Some(name)).unwrap();
            persisted.remember(&found);
        }
        cache.run_pending_tasks();
        assert!(cache.weighted_size() <= 1_000);
        assert!(cache.entry_count() > 0);
    }
}
