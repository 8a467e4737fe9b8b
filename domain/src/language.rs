//! The languages that people are written to in.

/// A language of messages and letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Language {
    /// For everybody who asks for none of ours.
    #[default]
    English,
    Korean,
}
