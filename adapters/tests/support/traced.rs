//! Something done in the course of a trace, as the product's telemetry has it.

use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider,
};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Instrument;
use tracing::instrument::WithSubscriber;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

/// Does `work` as the next step of this trace, which somebody follows.
pub async fn traced<T>(trace: u128, work: impl Future<Output = T>) -> T {
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    let stepping = async {
        let trace = TraceId::from_bytes(trace.to_be_bytes());
        let (span, flags) = (SpanId::from_bytes([7; 8]), TraceFlags::SAMPLED);
        let before = SpanContext::new(trace, span, flags, true, TraceState::NONE);
        let step = tracing::info_span!("step");
        let parent = Context::new().with_remote_span_context(before);
        step.set_parent(parent).unwrap();
        work.instrument(step).await
    };
    let subscriber = tracing_subscriber::registry().with(layer);
    stepping.with_subscriber(subscriber).await
}
