//! The local mailbox as a page: where letters go that no mail server takes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use domain::Fault;
use domain::ports::Mailbox;
use domain::ports::mail::MailedLetter;
use maud::{DOCTYPE, Markup, html};
use uuid::Uuid;

/// Where the page is.
const PATH: &str = "/mailbox";

/// The most letters that are shown.
const LETTERS: usize = 50;

/// Nothing but the page itself, and its style.
const OURS: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
/// The same, as a page of nobody's: no scripts, no forms, no way to the rest of the site.
const THEIRS: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}\
    article{border:1px solid #ccc;border-radius:.5rem;padding:.75rem 1rem;margin:1rem 0}\
    h2{font-size:1rem;margin:0}p{margin:.25rem 0;color:#666}pre{white-space:pre-wrap;font:inherit}";

pub(crate) fn routes<S: Clone + Send + Sync + 'static>(mailbox: Arc<dyn Mailbox>) -> Router<S> {
    Router::new()
        .route(PATH, get(page))
        .route(&format!("{PATH}/{{letter}}"), get(letter))
        .with_state(mailbox)
}

/// `GET /mailbox`: the newest letters first, as text.
async fn page(State(mailbox): State<Arc<dyn Mailbox>>) -> Response {
    match mailbox.letters(LETTERS).await {
        Ok(letters) => show(OURS, render(&letters).into_string()),
        Err(fault) => unreadable(&fault),
    }
}

/// `GET /mailbox/{letter}`: one letter as HTML.
async fn letter(State(mailbox): State<Arc<dyn Mailbox>>, Path(id): Path<Uuid>) -> Response {
    match mailbox.letter(id).await {
        Ok(letter) => match letter.and_then(|letter| letter.html) {
            Some(html) => show(THEIRS, html),
            None => (StatusCode::NOT_FOUND, "There is no such letter in HTML.").into_response(),
        },
        Err(fault) => unreadable(&fault),
    }
}

fn show(policy: &'static str, page: String) -> Response {
    let headers = [
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, Html(page)).into_response()
}

fn unreadable(fault: &Fault) -> Response {
    tracing::error!(detail = fault.detail(), "the mailbox could not be read");
    let text = "The mailbox can't be read right now.";
    (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
}

fn render(letters: &[MailedLetter]) -> Markup {
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
                @for letter in letters {
                    article {
                        h2 { (letter.subject) }
                        p {
                            "to " (letter.to.as_str()) ", "
                            (letter.arrived_at.format("%F %T").to_string()) " UTC"
                            @if letter.html.is_some() {
                                ", " a href=(format!("{PATH}/{}", letter.id)) { "as HTML" }
                            }
                        }
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
    use domain::Timestamp;
    use domain::account::Email;

    #[test]
    fn a_letter_cannot_bring_markup_of_its_own() {
        let letter = MailedLetter {
            id: Uuid::from_u128(1),
            arrived_at: Timestamp::UNIX_EPOCH,
            to: Email::parse("kim@example.com").unwrap(),
            subject: "<script>alert(1)</script>".to_owned(),
            text: "1 < 2 & 3".to_owned(),
            html: Some("<h1>1 &lt; 2</h1>".to_owned()),
        };
        let mut text_alone = letter.clone();
        text_alone.html = None;
        let page = render(&[letter]).into_string();
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("1 &lt; 2 &amp; 3"));
        let link = "/mailbox/00000000-0000-0000-0000-000000000001";
        assert!(page.contains(link));
        assert!(!render(&[text_alone]).into_string().contains(link));
    }
}
