use std::collections::HashMap;

use http::HeaderValue;
use tracing_subscriber::layer::SubscriberExt;

use super::*;

const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const NOT_SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

/// The headers of what a request with this `traceparent` publishes.
fn published_by(traceparent: Option<&str>) -> HashMap<String, String> {
    let subscriber = tracing_subscriber::registry().with(layer());
    tracing::subscriber::with_default(subscriber, || {
        let mut headers = HeaderMap::new();
        if let Some(traceparent) = traceparent {
            headers.insert("traceparent", HeaderValue::from_str(traceparent).unwrap());
            headers.insert("tracestate", HeaderValue::from_static("vendor=7"));
        }
        let mut carrier = HashMap::new();
        span_of(&headers).in_scope(|| {
            // As libraries and workers open spans of their own on the way.
            tracing::info_span!("worker").in_scope(|| inject_current(&mut carrier));
        });
        carrier
    })
}

#[test]
fn a_sampled_trace_goes_on() {
    let carrier = published_by(Some(SAMPLED));
    let (first, second) = (&carrier["traceparent"], &carrier["tracestate"]);
    assert!(first.starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
    assert!(first.ends_with("-01"));
    assert!(!first.contains("b7ad6b7169203331"), "it is another step");
    assert_eq!(second, "vendor=7");
}

#[test]
fn nothing_else_does() {
    assert_eq!(published_by(None), HashMap::new());
    assert_eq!(published_by(Some(NOT_SAMPLED)), HashMap::new());
    assert_eq!(published_by(Some("nonsense")), HashMap::new());
}
