//! One GraphQL request, whichever way it came.

use async_graphql::{Context, Variables};
use domain::{Language, Requester};
use uuid::Uuid;

/// The parameters of a request, by GraphQL over HTTP and by graphql-transport-ws alike.
#[derive(Debug)]
pub struct Params {
    /// The document's text.
    pub query: String,
    /// Which of the document's operations is meant.
    pub operation_name: Option<String>,
    /// The values of the operation's variables, as sent.
    pub variables: Variables,
}

/// What every resolver may know of the request it works for.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext {
    /// Who asks.
    pub requester: Requester,
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

    use super::accepted_language;

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
