use std::collections::HashSet;

use super::*;
use crate::mail::samples::contents;

const LANGUAGES: [Language; 2] = [Language::English, Language::Korean];

fn all() -> impl Iterator<Item = (&'static str, Language, Rendered)> {
    contents().into_iter().flat_map(|(name, content)| {
        LANGUAGES.map(|language| {
            let rendered = render(language, &content).map_err(|fault| fault.detail());
            (name, language, rendered.unwrap())
        })
    })
}

#[test]
fn letters_read_as_they_were_reviewed() {
    for language in LANGUAGES {
        let letters = all().filter(|(_, of, _)| *of == language);
        let letters = letters.map(|(name, _, letter)| {
            let Rendered { subject, text, .. } = letter;
            format!("=== {name}\nSubject: {subject}\n\n{text}")
        });
        let letters: Vec<String> = letters.collect();
        insta::assert_snapshot!(format!("{language:?}"), letters.join("\n"));
    }
}

#[test]
fn the_layout_of_html_is_as_it_was_reviewed() {
    let name = |wanted| all().find(|(name, language, _)| (*name, *language) == wanted);
    let (.., paid) = name(("order_paid", Language::English)).unwrap();
    insta::assert_snapshot!("html_of_a_bill", paid.html);
    let (.., code) = name(("code", Language::Korean)).unwrap();
    insta::assert_snapshot!("html_of_a_code", code.html);
}

#[test]
fn every_letter_is_whole_in_its_language_as_text_and_as_html() {
    let mut subjects = HashSet::new();
    for (name, language, letter) in all() {
        let Rendered {
            subject,
            text,
            html,
        } = letter;
        for part in [&subject, &text, &html] {
            assert!(!part.is_empty(), "{name}");
            for left in ["{{", "}}", "{%", "%}", "{#", "#}"] {
                assert!(!part.contains(left), "{name}: {part}");
            }
            // The bill's item is Korean in both.
            let words = part.replace("한정판 머그컵", "");
            let is_korean = words.chars().any(|c| ('가'..='힣').contains(&c));
            assert_eq!(is_korean, language == Language::Korean, "{name}: {part}");
        }
        let kinds = ["_unpaid", "_stray", "_returned", "_by_hand", "_and_gone"];
        let kind = kinds.iter().find_map(|kind| name.strip_suffix(kind));
        let name = kind.unwrap_or(name);
        subjects.insert((name, subject));
        assert!(!text.contains('\r') && !text.contains("\n\n\n"), "{text:?}");
        assert!(text.contains("\n-- \n"), "a signature: {text:?}");
    }
    // One for each kind of letter and language, and nothing said twice.
    let texts: HashSet<&String> = subjects.iter().map(|(_, subject)| subject).collect();
    assert_eq!(texts.len(), subjects.len());
}

#[test]
fn what_people_wrote_is_no_markup() {
    let (.., letter) = all().find(|(name, ..)| *name == "order_paid").unwrap();
    assert!(
        letter
            .text
            .contains("<b>Tea</b> & \"biscuits\" × 1: ₩3,500")
    );
    assert!(!letter.html.contains("<b>Tea"), "{}", letter.html);
    assert!(letter.html.contains("&#60;b&#62;Tea"), "{}", letter.html);
}
