//! The trace a record is part of, in its headers (`traceparent`, `tracestate`).

use domain::trace::TraceContext;
use opentelemetry::propagation::Extractor;
use rdkafka::message::{Header, Headers, OwnedHeaders};

use crate::telemetry::trace;
use crate::wire;

/// The headers of what is published in this trace.
pub(super) fn headers(trace: &TraceContext) -> OwnedHeaders {
    let parent = wire::trace::parent(trace);
    let headers = OwnedHeaders::new().insert(Header {
        key: "traceparent",
        value: Some(&parent),
    });
    if trace.state.is_empty() {
        return headers;
    }
    headers.insert(Header {
        key: "tracestate",
        value: Some(&trace.state),
    })
}

/// The trace that a record came with.
pub(super) fn of_record(headers: Option<&impl Headers>) -> Option<Box<TraceContext>> {
    let found = trace::extract(&Found(headers?))?;
    Some(Box::new(found))
}

struct Found<'a, H>(&'a H);

impl<H: Headers> Extractor for Found<'_, H> {
    fn get(&self, key: &str) -> Option<&str> {
        let mut headers = self.0.iter();
        let header = headers.find(|header| header.key == key)?;
        std::str::from_utf8(header.value?).ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|header| header.key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers_of(pairs: &[(&str, &str)]) -> OwnedHeaders {
        pairs
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| {
                let value = Some(*value);
                headers.insert(Header { key, value })
            })
    }

    #[test]
    fn a_records_trace_is_read_from_its_headers() {
        let headers = headers_of(&[
            ("other", "x"),
            (
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ),
            ("tracestate", "vendor=7"),
        ]);
        let trace = of_record(Some(&headers)).unwrap();
        assert_eq!(trace.trace, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        assert_eq!(trace.span, 0xb7ad_6b71_6920_3331);
        assert_eq!((trace.is_sampled, trace.state.as_str()), (true, "vendor=7"));
    }

    #[test]
    fn what_is_no_trace_is_none() {
        assert_eq!(of_record(None::<&OwnedHeaders>), None);
        assert_eq!(of_record(Some(&headers_of(&[("traceparent", "x")]))), None);
        assert_eq!(of_record(Some(&headers_of(&[("other", "x")]))), None);
    }

    #[test]
    fn headers_say_what_was_written() {
        for state in ["", "vendor=7"] {
            let trace = TraceContext {
                trace: 5,
                span: 7,
                is_sampled: true,
                state: state.to_owned(),
            };
            let headers = headers(&trace);
            assert_eq!(headers.count(), if state.is_empty() { 1 } else { 2 });
            assert_eq!(of_record(Some(&headers)), Some(Box::new(trace)));
        }
    }
}
