//! What people read: one table a language. Codes and types say the same to programs and never
//! change; these sentences may.

mod en;
mod ko;

use domain::{Language, Reason};

/// The sentence for a refusal.
pub fn of_reason(language: Language, reason: &Reason) -> String {
    match language {
        Language::English => en::reason(reason),
        Language::Korean => ko::reason(reason),
    }
}
