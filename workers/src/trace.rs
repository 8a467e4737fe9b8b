//! The trace that records are handled in: the one they were published in goes on.

use domain::ports::log::Delivery;
use domain::trace::TraceContext;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Other traces that are named with a batch that belongs to several.
const LINKS: usize = 32;

/// The span in which these records are handled together: the next step of the first one's trace,
/// linked to those of the others. None where nobody follows any, as mostly.
pub(crate) fn span_of<'a>(records: impl Iterator<Item = &'a Delivery>) -> Span {
    span_in(records.filter_map(|record| record.trace.as_deref()))
}

/// The same, of traces.
pub(crate) fn span_in<'a>(traces: impl Iterator<Item = &'a TraceContext>) -> Span {
    let mut traces = traces.filter(|trace| trace.is_sampled);
    let Some(first) = traces.next() else {
        return Span::none();
    };
    let span = tracing::info_span!("records");
    let parent = opentelemetry::Context::new().with_remote_span_context(remote(first));
    // Where nobody makes traces of spans, it is one of the log's only.
    let _ = span.set_parent(parent);
    let mut last = first;
    for trace in traces.take(LINKS) {
        if trace.trace != last.trace {
            span.add_link(remote(trace));
        }
        last = trace;
    }
    span
}

fn remote(trace: &TraceContext) -> SpanContext {
    SpanContext::new(
        TraceId::from_bytes(trace.trace.to_be_bytes()),
        SpanId::from_bytes(trace.span.to_be_bytes()),
        if trace.is_sampled {
            TraceFlags::SAMPLED
        } else {
            TraceFlags::default()
        },
        true,
        trace.state.parse::<TraceState>().unwrap_or_default(),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// What makes traces of spans, as the adapters' telemetry does.
    pub(crate) fn subscriber() -> impl tracing::Subscriber + Send + Sync {
        let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
        let provider = SdkTracerProvider::builder().with_sampler(sampler).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing_subscriber::registry().with(layer)
    }

    /// The trace that the current span is part of, if somebody follows it.
    pub(crate) fn current() -> Option<u128> {
        let context = Span::current().context();
        let span = context.span();
        let found = span.span_context();
        found
            .is_sampled()
            .then(|| u128::from_be_bytes(found.trace_id().to_bytes()))
    }

    pub(crate) fn trace(number: u128, is_sampled: bool) -> TraceContext {
        TraceContext {
            trace: number,
            span: 7,
            is_sampled,
            state: "vendor=1".to_owned(),
        }
    }

    fn current_in(traces: &[TraceContext]) -> Option<u128> {
        tracing::subscriber::with_default(subscriber(), || span_in(traces.iter()).in_scope(current))
    }

    #[test]
    fn a_trace_that_is_followed_goes_on() {
        assert_eq!(current_in(&[trace(5, true)]), Some(5));
        let several = [trace(4, false), trace(5, true), trace(6, true)];
        assert_eq!(current_in(&several), Some(5));
    }

    #[test]
    fn there_is_no_span_where_nobody_follows() {
        assert_eq!(current_in(&[]), None);
        assert_eq!(current_in(&[trace(5, false)]), None);
        assert!(span_in([].iter()).is_none());
    }
}
