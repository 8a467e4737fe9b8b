//! The local mailbox as a page: where letters go that no mail server takes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName};
use axum::response::{Html, IntoResponse, Response};
use domain::Timestamp;
use domain::ports::Mailbox;
use domain::ports::mail::Letter;
use maud::{DOCTYPE, Markup, html};

/// Where the page is.
pub const PATH: &str = "/mailbox";

/// The most letters that are shown.
const LETTERS: usize = 50;

/// Nothing but the page itself, and its style.
const HEADERS: [(HeaderName, &str); 2] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ),
    (CACHE_CONTROL, "no-store"),
];

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}\
    article{border:1px solid #ccc;border-radius:.5rem;padding:.75rem 1rem;margin:1rem 0}\
    h2{font-size:1rem;margin:0}p{margin:.25rem 0;color:#666}pre{white-space:pre-wrap;font:inherit}";

/// `GET /mailbox`: the newest letters first.
pub(crate) async fn page(State(mailbox): State<Arc<dyn Mailbox>>) -> Response {
    match mailbox.letters(LETTERS).await {
        Ok(letters) => (HEADERS, Html(render(&letters).into_string())).into_response(),
        Err(fault) => {
            tracing::error!(detail = fault.detail(), "the mailbox could not be read");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The mailbox can't be read right now.",
            )
                .into_response()
        }
    }
}

fn render(letters: &[(Timestamp, Letter)]) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                meta http-equiv="refresh" content="5";
                title { "Mailbox" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                h1 { "Mailbox" }
                p { "What the shop mailed, newest first. No letter leaves this machine." }
                @if letters.is_empty() { p { "Nothing yet." } }
                @for (at, letter) in letters {
                    article {
                        h2 { (letter.subject) }
                        p { "to " (letter.to.as_str()) ", " (at.format("%F %T").to_string()) " UTC" }
                        pre { (letter.text) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::account::Email;

    #[test]
    fn a_letter_cannot_bring_markup_of_its_own() {
        let letter = Letter {
            to: Email::parse("kim@example.com").unwrap(),
            subject: "<script>alert(1)</script>".to_owned(),
            text: "1 < 2 & 3".to_owned(),
        };
        let page = render(&[(Timestamp::UNIX_EPOCH, letter)]).into_string();
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("1 &lt; 2 &amp; 3"));
    }
}
