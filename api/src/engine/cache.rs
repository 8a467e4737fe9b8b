//! Documents of which an operation has passed validation, by their text.

use std::sync::Arc;

use moka::future::Cache;

use super::document::Document;

/// How much the cache may keep. What is asked for often stays.
#[derive(Clone, Copy, Debug)]
pub struct DocumentCacheSize {
    /// Documents.
    pub entries: u32,
    /// Bytes of memory, about.
    pub bytes: u32,
}

impl Default for DocumentCacheSize {
    fn default() -> Self {
        Self {
            entries: 2_000,
            bytes: 32 * 1024 * 1024,
        }
    }
}

pub(super) struct DocumentCache(Cache<Arc<str>, Arc<Document>>);

impl DocumentCache {
    pub(super) fn new(size: DocumentCacheSize) -> Self {
        // One bound for both: no document weighs less than its share of the bytes.
        let share = size.bytes.div_ceil(size.entries.max(1));
        let cache = Cache::builder()
            .max_capacity(u64::from(size.bytes))
            .weigher(move |text: &Arc<str>, document: &Arc<Document>| {
                u32::try_from(text.len() + document.bytes())
                    .unwrap_or(u32::MAX)
                    .max(share)
            })
            .build();
        Self(cache)
    }

    pub(super) async fn get(&self, text: &str) -> Option<Arc<Document>> {
        self.0.get(text).await
    }

    pub(super) async fn insert(&self, text: &str, document: Arc<Document>) {
        self.0.insert(Arc::from(text), document).await;
    }
}
