//! Media types: what a request is in, what its answer may be in.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};

use crate::answer::{RequestError, RequestErrorCode};
use crate::request::weight;

/// The media type of an answer; it decides the status too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Media {
    /// `application/json`: a well-formed request is answered with 200, whatever became of it.
    Json,
    /// `application/graphql-response+json`: a request that was not executed is a 4xx.
    GraphqlResponse,
}

impl Media {
    const ALL: [Self; 2] = [Self::GraphqlResponse, Self::Json];

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        }
    }

    fn subtype(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::GraphqlResponse => "graphql-response+json",
        }
    }

    /// The best media type that the client accepts (RFC 9110, section 12.5.1). One that names
    /// neither gets plain JSON, as the older clients expect; of two named alike, the newer wins.
    pub(super) fn accepted(headers: &HeaderMap) -> Result<Self, RequestError> {
        let values = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let ranges: Vec<Range<'_>> = values
            .flat_map(|value| value.split(','))
            .filter_map(Range::parse)
            .collect();
        if ranges.is_empty() {
            return Ok(Self::Json);
        }
        let best = Self::ALL
            .into_iter()
            .filter_map(|media| media.rank(&ranges).map(|rank| (media, rank)))
            .reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map(|(media, _)| media).ok_or_else(|| {
            RequestError::new(
                RequestErrorCode::NotAcceptable,
                "Answers are in application/graphql-response+json or application/json.",
            )
        })
    }

    /// Its weight by the most specific range that covers it, and then: named by itself, or JSON.
    fn rank(self, ranges: &[Range<'_>]) -> Option<(f32, bool)> {
        let covering = ranges.iter().filter(|range| range.covers(self));
        let range = covering.max_by_key(|range| range.specificity())?;
        let preferred = range.subtype != "*" || self == Self::Json;
        (range.weight > 0.0).then_some((range.weight, preferred))
    }
}

struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    weight: f32,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';');
        let (kind, subtype) = parts.next()?.trim().split_once('/')?;
        let mut range = Self {
            kind,
            subtype,
            weight: 1.0,
        };
        for parameter in parts {
            let parameter = parameter.trim();
            if parameter.starts_with(['q', 'Q']) {
                range.weight = weight(parameter);
            } else if !is_utf8_charset(parameter) {
                return None;
            }
        }
        Some(range)
    }

    fn covers(&self, media: Media) -> bool {
        let named = self.kind.eq_ignore_ascii_case("application")
            && (self.subtype == "*" || self.subtype.eq_ignore_ascii_case(media.subtype()));
        named || (self.kind == "*" && self.subtype == "*")
    }

    fn specificity(&self) -> u8 {
        u8::from(self.kind != "*") + u8::from(self.subtype != "*")
    }
}

/// Refuses a body that is not announced as JSON in UTF-8. A browser sends such a body to another
/// site only after asking, so a page elsewhere can't use a visitor's browser to run a mutation.
pub(super) fn require_json(headers: &HeaderMap) -> Result<(), RequestError> {
    let announced = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let mut parts = announced.unwrap_or_default().split(';');
    let is_json = parts
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if is_json && parts.all(is_utf8_charset) {
        return Ok(());
    }
    Err(RequestError::new(
        RequestErrorCode::UnsupportedMediaType,
        "The body has to be announced as application/json, in UTF-8.",
    ))
}

/// Whether a parameter leaves the encoding at UTF-8; parameters other than `charset` say nothing.
fn is_utf8_charset(parameter: &str) -> bool {
    match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::Media::{GraphqlResponse, Json};
    use super::*;

    #[test]
    fn the_answer_is_in_what_the_client_likes_best() {
        for (accept, expected) in [
            ("", Some(Json)),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("application/json", Some(Json)),
            ("application/json; charset=utf-8", Some(Json)),
            ("application/graphql-response+json", Some(GraphqlResponse)),
            (
                "application/json, application/graphql-response+json",
                Some(GraphqlResponse),
            ),
            (
                "application/graphql-response+json, application/json;q=0.9",
                Some(GraphqlResponse),
            ),
            (
                "application/graphql-response+json;q=0.1, application/json;q=0.9",
                Some(Json),
            ),
            (
                "application/graphql-response+json, */*;q=0.1",
                Some(GraphqlResponse),
            ),
            (
                "application/graphql-response+json, */*",
                Some(GraphqlResponse),
            ),
            ("APPLICATION/JSON", Some(Json)),
            ("application/json;q=0, */*", Some(GraphqlResponse)),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Some(Json)),
            ("text/html", None),
            ("application/json;q=0", None),
            ("application/json;charset=latin1", Some(Json)),
        ] {
            let mut headers = HeaderMap::new();
            if !accept.is_empty() {
                headers.insert(ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!(Media::accepted(&headers).ok(), expected, "{accept}");
        }
    }

    #[test]
    fn only_json_in_utf8_is_read() {
        for (kind, accepted) in [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("Application/JSON;charset=\"UTF-8\"", true),
            ("application/json; profile=x", true),
            ("application/json; charset=utf-16", false),
            ("application/graphql", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("multipart/form-data; boundary=x", false),
            ("application/jsonp", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
            assert_eq!(require_json(&headers).is_ok(), accepted, "{kind}");
        }
        assert!(require_json(&HeaderMap::new()).is_err());
    }
}
