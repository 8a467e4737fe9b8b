//! Distributed traces (W3C Trace Context): what comes in with a caller's `traceparent` goes on into
//! outbox and log. Nothing is sent anywhere from here, and a request without a trace costs nothing.

use domain::trace::TraceContext;
use http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt, TracerProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::{Level, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::{FilterFn, LevelFilter};
use tracing_subscriber::registry::LookupSpan;

/// What makes traces of spans. Only what a caller has sampled is: nobody here begins a trace.
pub(crate) fn layer<S>() -> impl tracing_subscriber::Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    use tracing_subscriber::Layer as _;
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
    let provider = SdkTracerProvider::builder().with_sampler(sampler).build();
    // Whatever the log's filter: a trace must not end where lines do.
    let steps = FilterFn::new(|at| at.is_span() && *at.level() <= Level::INFO);
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("firstcome"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false)
        .with_filter(steps.with_max_level_hint(LevelFilter::INFO))
}

/// The longest `tracestate` that is passed on, in bytes: what the standard asks everybody to.
const MOST_STATE: usize = 512;

/// The place of the current span in its trace, where somebody follows that.
pub(crate) fn current() -> Option<TraceContext> {
    let span = Span::current();
    if span.is_none() {
        return None;
    }
    let context = span.context();
    let span = context.span();
    let found = span.span_context();
    found.is_sampled().then(|| place(found))
}

fn place(found: &SpanContext) -> TraceContext {
    let mut state = found.trace_state().header();
    // It comes from whoever calls, and has to fit wherever a trace is written down.
    if state.len() > MOST_STATE || !state.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        state.clear();
    }
    TraceContext {
        trace: u128::from_be_bytes(found.trace_id().to_bytes()),
        span: u64::from_be_bytes(found.span_id().to_bytes()),
        is_sampled: found.is_sampled(),
        state,
    }
}

/// Reads a trace that something came with.
pub(crate) fn extract(carrier: &dyn Extractor) -> Option<TraceContext> {
    carrier.get("traceparent")?;
    let context =
        TraceContextPropagator::new().extract_with_context(&opentelemetry::Context::new(), carrier);
    let span = context.span();
    let found = span.span_context();
    found.is_valid().then(|| place(found))
}

/// The span of a request: none without a sampled trace, as most are.
pub fn span_of(headers: &HeaderMap) -> Span {
    if !headers.contains_key("traceparent") {
        return Span::none();
    }
    let carrier = HeaderCarrier(headers);
    let parent = TraceContextPropagator::new()
        .extract_with_context(&opentelemetry::Context::new(), &carrier);
    if !parent.span().span_context().is_sampled() {
        return Span::none();
    }
    let span = tracing::info_span!("request");
    // Without the layer nobody makes traces, and the span is one of the log's only.
    let _ = span.set_parent(parent);
    span
}

struct HeaderCarrier<'a>(&'a HeaderMap);

impl Extractor for HeaderCarrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests;
