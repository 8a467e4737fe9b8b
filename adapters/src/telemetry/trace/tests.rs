use http::HeaderValue;
use tracing_subscriber::layer::SubscriberExt;

use super::*;

const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const NOT_SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

/// Where in a trace a request with these headers commits and publishes.
fn place_of(traceparent: Option<&str>, tracestate: &str) -> Option<TraceContext> {
    let subscriber = tracing_subscriber::registry().with(layer());
    tracing::subscriber::with_default(subscriber, || {
        let mut headers = HeaderMap::new();
        if let Some(traceparent) = traceparent {
            headers.insert("traceparent", HeaderValue::from_str(traceparent).unwrap());
            headers.insert("tracestate", HeaderValue::from_str(tracestate).unwrap());
        }
        span_of(&headers).in_scope(|| {
            // As libraries and workers open spans of their own on the way.
            tracing::info_span!("worker").in_scope(current)
        })
    })
}

#[test]
fn a_sampled_trace_goes_on() {
    let place = place_of(Some(SAMPLED), "vendor=7").unwrap();
    assert_eq!(place.trace, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
    assert_ne!(place.span, 0xb7ad_6b71_6920_3331, "it is another step");
    assert!(place.is_sampled);
    assert_eq!(place.state, "vendor=7");
}

#[test]
fn nothing_else_does() {
    assert_eq!(place_of(None, ""), None);
    assert_eq!(place_of(Some(NOT_SAMPLED), "vendor=7"), None);
    assert_eq!(place_of(Some("nonsense"), "vendor=7"), None);
}

#[test]
fn what_systems_on_the_way_want_told_again_is_so_long_at_most() {
    let state_of = |tracestate: &str| place_of(Some(SAMPLED), tracestate).unwrap().state;
    let long = |bytes: usize| format!("one={},two={}", "x".repeat(250), "x".repeat(bytes - 259));
    assert_eq!(state_of(&long(512)), long(512));
    assert_eq!(state_of(&long(513)), "", "none rather than half");
}
