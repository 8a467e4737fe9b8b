//! Media types: what a request is in, what its answer may be in.

use async_graphql::parser::types::OperationType;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};

use crate::answer::{RequestError, RequestErrorCode};
use crate::request::weight;

/// The media type of a stream of events.
const EVENT_STREAM: (&str, &str) = ("text", "event-stream");

/// The media type of an answer; it decides the status too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Media {
    /// `application/json`: a well-formed request is answered with 200, whatever became of it.
    Json,
    /// `application/graphql-response+json`: a request that was not executed is a 4xx.
    GraphqlResponse,
}

impl Media {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        }
    }

    /// Its type and subtype.
    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Json => ("application", "json"),
            Self::GraphqlResponse => ("application", "graphql-response+json"),
        }
    }
}

/// What a client accepts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Accepted {
    /// The best for one answer; `None` where it wants a stream of events only.
    pub(super) media: Option<Media>,
    /// Whether it takes a stream of events.
    stream: bool,
    /// Whether it likes that better than one answer.
    prefers_stream: bool,
}

impl Accepted {
    /// The best media types that the client accepts (RFC 9110, section 12.5.1). One that names
    /// neither gets plain JSON, as the older clients expect; of two named alike, the newer wins. A
    /// stream of events is for those only who ask for it by its name.
    pub(super) fn by(headers: &HeaderMap) -> Result<Self, RequestError> {
        let values = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let ranges: Vec<Range<'_>> = values
            .flat_map(|value| value.split(','))
            .filter_map(Range::parse)
            .collect();
        if ranges.is_empty() {
            return Ok(Self {
                media: Some(Media::Json),
                stream: false,
                prefers_stream: false,
            });
        }
        let best = [Media::GraphqlResponse, Media::Json]
            .into_iter()
            .filter_map(|media| rank(media, &ranges).map(|rank| (media, rank)))
            .reduce(|best, next| if next.1 > best.1 { next } else { best });
        let stream = most_specific(EVENT_STREAM, &ranges).filter(|range| range.kind != "*");
        if best.is_none() && stream.is_none() {
            return Err(RequestError::new(
                RequestErrorCode::NotAcceptable,
                "Answers are in application/graphql-response+json or application/json, streams of \
                 events in text/event-stream.",
            ));
        }
        Ok(Self {
            media: best.map(|(media, _)| media),
            stream: stream.is_some(),
            prefers_stream: stream
                .is_some_and(|stream| best.is_none_or(|(_, (weight, _))| stream.weight > weight)),
        })
    }

    /// Whether an operation is answered with a stream of events.
    pub(super) fn streams(self, operation: OperationType) -> bool {
        self.prefers_stream || (self.stream && operation == OperationType::Subscription)
    }

    /// In what it is told that nothing was executed: `None` is a stream.
    pub(super) fn for_refusals(self) -> Option<Media> {
        self.media.filter(|_| !self.prefers_stream)
    }
}

/// Its weight, and then: named by itself, or JSON.
fn rank(media: Media, ranges: &[Range<'_>]) -> Option<(f32, bool)> {
    let range = most_specific(media.name(), ranges)?;
    let preferred = range.subtype != "*" || media == Media::Json;
    Some((range.weight, preferred))
}

/// The most specific range that covers a media type, unless it excludes it.
fn most_specific<'r, 'a>(media: (&str, &str), ranges: &'r [Range<'a>]) -> Option<&'r Range<'a>> {
    let covering = ranges.iter().filter(|range| range.covers(media));
    let range = covering.max_by_key(|range| range.specificity());
    range.filter(|range| range.weight > 0.0)
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

    fn covers(&self, (kind, subtype): (&str, &str)) -> bool {
        let named = self.kind.eq_ignore_ascii_case(kind)
            && (self.subtype == "*" || self.subtype.eq_ignore_ascii_case(subtype));
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
            let accepted = Accepted::by(&headers).ok();
            let media = accepted.and_then(|accepted| accepted.media);
            assert_eq!(media, expected, "{accept}");
            assert!(accepted.is_none_or(|accepted| !accepted.stream), "{accept}");
        }
    }

    #[test]
    fn a_stream_is_for_those_who_ask_for_it() {
        let both = "application/graphql-response+json, application/json, text/event-stream";
        for (accept, media, of_query, of_subscription) in [
            ("text/event-stream", None, true, true),
            ("text/*", None, true, true),
            (both, Some(GraphqlResponse), false, true),
            ("text/event-stream, */*;q=0.1", Some(Json), true, true),
            (
                "application/json;q=0.9, text/event-stream;q=0.1",
                Some(Json),
                false,
                true,
            ),
            (
                "application/json, text/event-stream;q=0",
                Some(Json),
                false,
                false,
            ),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            let accepted = Accepted::by(&headers).unwrap();
            assert_eq!(accepted.media, media, "{accept}");
            let streams = [OperationType::Query, OperationType::Subscription]
                .map(|operation| accepted.streams(operation));
            assert_eq!(streams, [of_query, of_subscription], "{accept}");
            assert_eq!(accepted.for_refusals(), media.filter(|_| !of_query));
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
