//! A place in a trace as text: `traceparent` of W3C Trace Context, and after a blank `tracestate`,
//! where there is one.

use domain::trace::TraceContext;

/// The value of `traceparent`.
pub fn parent(trace: &TraceContext) -> String {
    let flags = u8::from(trace.is_sampled);
    format!("00-{:032x}-{:016x}-{flags:02x}", trace.trace, trace.span)
}

/// Both in one.
pub fn encode(trace: &TraceContext) -> String {
    let mut text = parent(trace);
    if !trace.state.is_empty() {
        text.push(' ');
        text.push_str(&trace.state);
    }
    text
}

/// What [`encode`] wrote; nothing, where it is something else: a trace is never worth a fault.
pub fn decode(text: &str) -> Option<Box<TraceContext>> {
    let (parent, state) = text.split_once(' ').unwrap_or((text, ""));
    let mut parts = parent.strip_prefix("00-")?.split('-');
    let (trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Box::new(TraceContext {
        trace: u128::from_str_radix(trace, 16).ok()?,
        span: u64::from_str_radix(span, 16).ok()?,
        is_sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1,
        state: state.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_reads_as_it_was_written() {
        for (is_sampled, state, text) in [
            (
                true,
                "vendor=7 of 9,other=x",
                "00-0af7651916cd43dd8448eb211c80319c-00ad6b7169203331-01 vendor=7 of 9,other=x",
            ),
            (
                false,
                "",
                "00-0af7651916cd43dd8448eb211c80319c-00ad6b7169203331-00",
            ),
        ] {
            let trace = TraceContext {
                trace: 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c,
                span: 0x00ad_6b71_6920_3331,
                is_sampled,
                state: state.to_owned(),
            };
            assert_eq!(encode(&trace), text);
            assert_eq!(decode(text), Some(Box::new(trace)));
        }
    }

    #[test]
    fn what_is_no_trace_is_none() {
        for text in ["", "00", "00-1-2", "00-x-1-01", "01-1-1-01", "traceparent"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
