//! Looks over a document's text before the parser does.
//!
//! The parser recurses over brackets, so a long run of them would end its stack, and with it the
//! process. The scan counts tokens and open brackets in one pass, without recursion, and agrees with
//! the parser about what is a comment and what is a string, so that no bracket can hide from it.
//! Where the two could part, at a string without an end, the text is refused.

use async_graphql::Pos;

use crate::answer::{RequestError, RequestErrorCode};
use crate::limits::Limits;

/// How many lexical tokens `text` has, if it stays within the limits.
pub(super) fn count_tokens(text: &str, limits: &Limits) -> Result<usize, RequestError> {
    if text.len() > limits.document_bytes {
        return Err(exceeded(text, 0, limits.document_bytes, "bytes"));
    }
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut open) = (0, 0_usize, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += run(&bytes[at..], |byte| byte != b'\n' && byte != b'\r');
                continue;
            }
            b'"' => {
                let Some(length) = string(&bytes[at..]) else {
                    let problem = "A string has no end.".to_owned();
                    return Err(refused(RequestErrorCode::ParseFailed, problem, text, at));
                };
                at + length
            }
            b'.' if bytes[at..].starts_with(b"...") => at + 3,
            b'{' | b'[' | b'(' => {
                open += 1;
                at + 1
            }
            b'}' | b']' | b')' => {
                open = open.saturating_sub(1);
                at + 1
            }
            byte if is_word(byte) => at + run(&bytes[at..], is_word),
            _ => at + 1,
        };
        tokens += 1;
        if tokens > limits.tokens {
            return Err(exceeded(text, at, limits.tokens, "tokens"));
        }
        if open > limits.brackets {
            return Err(exceeded(text, at, limits.brackets, "open brackets"));
        }
        at = end;
    }
    Ok(tokens)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes
        .iter()
        .position(|byte| !belongs(*byte))
        .unwrap_or(bytes.len())
}

/// The length of the string that `bytes` begin with, if it ends.
fn string(bytes: &[u8]) -> Option<usize> {
    if bytes.starts_with(b"\"\"\"") {
        return block_string(bytes);
    }
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\n' | b'\r' => return None,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn block_string(bytes: &[u8]) -> Option<usize> {
    let mut at = 3;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"\\\"\"\"") {
            at += 4;
        } else if bytes[at..].starts_with(b"\"\"\"") {
            return Some(at + 3);
        } else {
            at += 1;
        }
    }
    None
}

fn exceeded(text: &str, at: usize, limit: usize, of_what: &str) -> RequestError {
    let message = format!("The document has more than {limit} {of_what}.");
    refused(RequestErrorCode::LimitExceeded, message, text, at)
}

fn refused(code: RequestErrorCode, message: String, text: &str, at: usize) -> RequestError {
    let before = &text[..text.floor_char_boundary(at)];
    let line = 1 + before.matches('\n').count();
    let column = 1 + before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count();
    RequestError::at(code, message, Pos { line, column })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            tokens: 12,
            brackets: 3,
            ..Limits::default()
        }
    }

    #[test]
    fn tokens_are_counted_as_the_specification_counts_them() {
        for (text, tokens) in [
            ("", 0),
            ("{a}", 3),
            ("{ a, b ,c }", 5),
            ("query($a:Int=-1){a}", 12),
            ("{a(x:\"{{{{\")}", 8),
            ("{a(x:\"\"\"{{ \\\"\"\" {{\"\"\")}", 8),
            ("{a(x:\"\\\"{{{{\")}", 8),
            ("# {{{{\n{...a}", 4),
            ("{a(x:1.5e3)}", 10),
        ] {
            assert_eq!(count_tokens(text, &limits()).unwrap(), tokens, "{text}");
        }
    }

    #[test]
    fn the_token_just_beyond_the_limit_is_refused() {
        assert_eq!(count_tokens(&"a ".repeat(12), &limits()).unwrap(), 12);
        let error = count_tokens(&"a ".repeat(13), &limits()).unwrap_err();
        assert_eq!(error.code, RequestErrorCode::LimitExceeded);
        assert_eq!(
            error.errors()[0].locations,
            [Pos {
                line: 1,
                column: 25
            }]
        );
    }

    #[test]
    fn the_bracket_just_beyond_the_limit_is_refused_wherever_it_hides() {
        for text in [
            "{([",
            "{}{}{}{}",
            "{([\"{\"",
            "{([\"\\\"{\"",
            "{([\"\"\"{\"{\\\"\"\"{\"\"\"",
            "{([#{",
        ] {
            assert!(count_tokens(text, &limits()).is_ok(), "{text}");
        }
        for text in [
            "{([{",
            "{([\"\"{",
            "{([#(\n{",
            "{([#(\r{",
            "{([\"\"\"\"\"\"{",
            "{([\"\\\\\"{",
            "{([é{",
        ] {
            let error = count_tokens(text, &limits()).unwrap_err();
            assert_eq!(error.code, RequestErrorCode::LimitExceeded, "{text}");
        }
    }

    #[test]
    fn a_string_without_an_end_is_refused() {
        for text in [
            "{a(x:\"",
            "{a(x:\"a\n\"",
            "{a(x:\"\\\"",
            "{a(x:\"\"\"a",
            "{a(x:\"\"\"\\\"\"\"",
        ] {
            let error = count_tokens(text, &limits()).unwrap_err();
            assert_eq!(error.code, RequestErrorCode::ParseFailed, "{text}");
        }
    }
}
