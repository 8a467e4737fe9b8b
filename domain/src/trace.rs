//! What caused what, across processes.

/// A place in a distributed trace, as W3C Trace Context describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceContext {
    /// The trace all of it belongs to.
    pub trace: u128,
    /// The step of it that caused this.
    pub span: u64,
    /// Whether somebody writes it down.
    pub is_sampled: bool,
    /// What the systems on the way want to be told again; opaque here.
    pub state: String,
}
