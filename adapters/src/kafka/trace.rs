//! The trace a record is part of, in its headers (`traceparent`, `tracestate`).

use domain::trace::TraceContext;
use opentelemetry::propagation::{Extractor, Injector};
use rdkafka::message::{Header, Headers, OwnedHeaders};

use crate::telemetry::trace;

/// The headers of what is published now. None where nobody writes a trace down, which costs next to
/// nothing.
pub(super) fn headers() -> Option<OwnedHeaders> {
    let mut carrier = Carrier(None);
    trace::inject_current(&mut carrier);
    carrier.0
}

/// The trace that a record came with.
pub(super) fn of_record(headers: Option<&impl Headers>) -> Option<Box<TraceContext>> {
    let found = trace::extract(&Found(headers?))?;
    Some(Box::new(found))
}

struct Carrier(Option<OwnedHeaders>);

impl Injector for Carrier {
    fn set(&mut self, key: &str, value: String) {
        if value.is_empty() {
            return;
        }
        let headers = self.0.take().unwrap_or_default();
        let value = Some(value.as_bytes());
        self.0 = Some(headers.insert(Header { key, value }));
    }
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
    fn nothing_is_written_where_there_is_no_trace() {
        assert!(headers().is_none());
    }
}
