//! One GraphQL request, whichever way it came.

use async_graphql::{Context, Variables};
use domain::{Language, Peer, Requester};
use uuid::Uuid;

/// The parameters of a request, by GraphQL over HTTP and by graphql-transport-ws alike.
#[derive(Debug)]
pub struct Params {
    /// The document's text; absent where it is only named.
    pub query: Option<String>,
    /// What names the document, beside its text or instead of it.
    pub document_id: Option<DocumentId>,
    /// Which of the document's operations is meant.
    pub operation_name: Option<String>,
    /// The values of the operation's variables, as sent.
    pub variables: Variables,
}

/// A name of a document: `documentId`, or the hash of an automatic persisted query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DocumentId {
    /// The SHA-256 of its text.
    Sha256(DocumentHash),
    /// A name that nothing here can have.
    Unknown,
    /// A way to name it that is not known here.
    Unsupported,
}

/// The SHA-256 of a document's text, in UTF-8.
pub type DocumentHash = [u8; 32];

impl DocumentId {
    /// Reads an identifier: 64 lower-case hexadecimal digits, `sha256:` before them or not.
    pub fn read(text: &str) -> Self {
        let digits = text.strip_prefix("sha256:").unwrap_or(text).as_bytes();
        let mut hash = DocumentHash::default();
        if digits.len() != 2 * hash.len() {
            return Self::Unknown;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let [Some(high), Some(low)] = [digit(pair[0]), digit(pair[1])] else {
                return Self::Unknown;
            };
            *byte = high << 4 | low;
        }
        Self::Sha256(hash)
    }
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// What every resolver may know of the request it works for.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext {
    /// Who asks.
    pub requester: Requester,
    /// From where, for rates; nothing where that is not counted.
    pub peer: Option<Peer>,
    /// Names this request in answers and in the log.
    pub request_id: Uuid,
    /// The language of messages for people, and of letters to who signs up.
    pub language: Language,
}

impl RequestContext {
    /// The context of the request that `ctx` belongs to.
    pub fn of<'a>(ctx: &Context<'a>) -> &'a Self {
        // The engine is the only way to a resolver, and it puts this into every request.
        ctx.data_unchecked()
    }
}

/// The best of our languages by an `Accept-Language` header (RFC 9110, section 12.5.4).
pub fn accepted_language(header: Option<&str>) -> Language {
    let mut best = (Language::default(), 0.0_f32);
    for range in header.unwrap_or_default().split(',') {
        let (tag, weight) = match range.split_once(';') {
            Some((tag, parameter)) => (tag, weight(parameter)),
            None => (range, 1.0),
        };
        let primary = tag.trim().split('-').next().unwrap_or_default();
        let language = if primary.eq_ignore_ascii_case("ko") {
            Language::Korean
        } else if primary.eq_ignore_ascii_case("en") {
            Language::English
        } else {
            continue;
        };
        if weight > best.1 {
            best = (language, weight);
        }
    }
    best.0
}

/// The value of a `q` parameter, between 0 and 1; anything else weighs nothing.
pub(crate) fn weight(parameter: &str) -> f32 {
    let Some((name, value)) = parameter.split_once('=') else {
        return 0.0;
    };
    if !name.trim().eq_ignore_ascii_case("q") {
        return 0.0;
    }
    value
        .trim()
        .parse()
        .ok()
        .filter(|weight| (0.0..=1.0).contains(weight))
        .unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use domain::Language::{English, Korean};

    use super::{DocumentId, accepted_language};

    #[test]
    fn a_document_is_named_by_its_hash() {
        let digits = "0123456789abcdef".repeat(4);
        let DocumentId::Sha256(hash) = DocumentId::read(&digits) else {
            panic!("{digits} is a hash")
        };
        assert_eq!(hash[..3], [0x01, 0x23, 0x45]);
        let prefixed = DocumentId::read(&format!("sha256:{digits}"));
        assert_eq!(prefixed, DocumentId::Sha256(hash));
        for text in [
            "",
            "sha256:",
            &digits[1..],
            &format!("{digits}0"),
            &digits.to_uppercase(),
            &format!("md5:{digits}"),
            &"가".repeat(64),
        ] {
            assert_eq!(DocumentId::read(text), DocumentId::Unknown, "{text}");
        }
    }

    #[test]
    fn the_best_language_is_the_one_with_the_most_weight() {
        for (header, expected) in [
            (None, English),
            (Some(""), English),
            (Some("ko"), Korean),
            (Some("ko-KR,ko;q=0.9,en;q=0.8"), Korean),
            (Some("en-US,en;q=0.9,ko;q=0.8"), English),
            (Some("fr;q=1, KO ; q=0.2"), Korean),
            (Some("de, *;q=0.5"), English),
            (Some("ko;q=7, en;q=0.1"), English),
            (Some("ko;q=0"), English),
        ] {
            assert_eq!(accepted_language(header), expected, "{header:?}");
        }
    }
}
