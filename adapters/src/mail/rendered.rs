//! What a letter reads like: what it tells, put into words by the template of its language, and those
//! into the layouts of text and HTML that all letters share.

use askama::Template;
use chrono::NaiveDate;
use domain::payment::RefundReason;
use domain::ports::mail::{Bill, Content};
use domain::verification::Purpose;
use domain::{Fault, Language, Money};

use super::figures;

/// A letter as people read it.
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Writes a letter.
///
/// # Errors
/// A template that makes no sense.
pub fn render(language: Language, content: &Content) -> Result<Rendered, Fault> {
    let rendered = match language {
        Language::English => English { content }.render(),
        Language::Korean => Korean { content }.render(),
    };
    let words = Words::of(&rendered.map_err(broken)?);
    let (words, shown, bill) = (&words, shown(content), bill(content));
    let text = Text {
        language,
        words,
        shown,
        bill,
    };
    let html = Html {
        language,
        words,
        shown,
        bill,
    };
    Ok(Rendered {
        subject: words.subject.clone(),
        text: text.render().map_err(broken)?,
        html: html.render().map_err(broken)?,
    })
}

fn broken(error: askama::Error) -> Fault {
    Fault::corrupt("writing a letter", error)
}

/// What the letter shows apart from its sentences.
fn shown(content: &Content) -> Option<&str> {
    match content {
        Content::Code { code, .. } => Some(code),
        Content::Dispatched {
            tracking_number, ..
        } => Some(tracking_number),
        Content::KnownAddress
        | Content::PasswordChanged
        | Content::SecondFactorSet { .. }
        | Content::OrderPaid { .. }
        | Content::OrderCancelled { .. }
        | Content::PartCancelled { .. }
        | Content::Refunded { .. }
        | Content::Delivered { .. }
        | Content::ReturnCompleted { .. } => None,
    }
}

fn bill(content: &Content) -> Option<&Bill> {
    match content {
        Content::OrderPaid { bill, .. } | Content::OrderCancelled { bill, .. } => Some(bill),
        Content::Code { .. }
        | Content::KnownAddress
        | Content::PasswordChanged
        | Content::SecondFactorSet { .. }
        | Content::PartCancelled { .. }
        | Content::Refunded { .. }
        | Content::Dispatched { .. }
        | Content::Delivered { .. }
        | Content::ReturnCompleted { .. } => None,
    }
}

/// The sentences of a letter.
struct Words {
    subject: String,
    opening: String,
    paragraphs: Vec<String>,
}

impl Words {
    /// Of a text whose paragraphs stand apart by empty lines.
    fn of(text: &str) -> Self {
        let one_line = |paragraph: &str| {
            let words: Vec<&str> = paragraph.split_whitespace().collect();
            words.join(" ")
        };
        let paragraphs = text.split("\n\n").map(one_line);
        let mut paragraphs = paragraphs.filter(|paragraph| !paragraph.is_empty());
        Self {
            subject: paragraphs.next().unwrap_or_default(),
            opening: paragraphs.next().unwrap_or_default(),
            paragraphs: paragraphs.collect(),
        }
    }
}

macro_rules! words {
    ($($language:ident in $path:literal;)*) => {$(
        #[derive(Template)]
        #[template(path = $path, escape = "none")]
        struct $language<'a> {
            content: &'a Content,
        }

        impl $language<'_> {
            fn money(&self, amount: &Money) -> String {
                figures::money(Language::$language, *amount)
            }

            fn date(&self, date: &NaiveDate) -> String {
                figures::date(Language::$language, *date)
            }
        }
    )*};
}

words! {
    English in "en.txt";
    Korean in "ko.txt";
}

macro_rules! layouts {
    ($($layout:ident in $path:literal;)*) => {$(
        #[derive(Template)]
        #[template(path = $path)]
        struct $layout<'a> {
            language: Language,
            words: &'a Words,
            shown: Option<&'a str>,
            bill: Option<&'a Bill>,
        }

        impl $layout<'_> {
            fn money(&self, amount: &Money) -> String {
                figures::money(self.language, *amount)
            }

            fn total(&self) -> &'static str {
                match self.language {
                    Language::English => "Total",
                    Language::Korean => "합계",
                }
            }

            fn footer(&self) -> &'static str {
                match self.language {
                    Language::English => "This letter was sent by a machine. Nobody reads answers to it.",
                    Language::Korean => "발신 전용 메일입니다. 회신하셔도 답변해 드릴 수 없습니다.",
                }
            }
        }
    )*};
}

layouts! {
    Text in "layout.txt";
    Html in "layout.html";
}

impl Html<'_> {
    /// By BCP 47.
    fn language_tag(&self) -> &'static str {
        match self.language {
            Language::English => "en",
            Language::Korean => "ko",
        }
    }
}

#[cfg(test)]
mod tests;
