//! The Rust files of the workspace, and the crates their paths begin with.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use xtask::Failure;

use crate::cargo::{Workspace, slashed};

/// Folders of a package that hold Rust files.
const FOLDERS: [&str; 4] = ["src", "tests", "benches", "examples"];

/// One Rust file.
pub struct Source {
    /// Relative to the root, with `/`.
    pub path: String,
    pub text: String,
}

/// The first segment of a path in a file: a crate, or a module beside it.
#[derive(Debug, PartialEq, Eq)]
pub struct Name {
    pub word: String,
    /// Counted from 1.
    pub line: usize,
}

/// Every Rust file of every member, in order.
pub fn read(workspace: &Workspace) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    for member in &workspace.members {
        for folder in FOLDERS {
            let folder = workspace.root.join(&member.folder).join(folder);
            if folder.is_dir() {
                collect(&workspace.root, &folder, &mut sources)?;
            }
        }
    }
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(sources)
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            sources.push(Source {
                path: slashed(path.strip_prefix(root)?),
                text,
            });
        }
    }
    Ok(())
}

impl Source {
    /// What the file's paths begin with: `sea_orm` in `use sea_orm::Value`, in `sea_orm::Value::Int`
    /// and in `#[derive(sea_orm::Iden)]`, but not in `crate::sea_orm` nor in a comment or a string.
    /// Code inside macro calls counts as any other.
    pub fn leading_names(&self) -> Result<Vec<Name>, Failure> {
        let tokens = TokenStream::from_str(&self.text)
            .map_err(|error| format!("{}: not Rust: {error}", self.path))?;
        let mut names = Vec::new();
        walk(tokens, &mut names);
        Ok(names)
    }
}

fn walk(tokens: TokenStream, names: &mut Vec<Name>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        let (before, after) = (&tokens[..index], &tokens[index + 1..]);
        match token {
            // The braces of `use crate::{…}` hold the rest of paths, no beginnings.
            TokenTree::Group(group)
                if group.delimiter() == Delimiter::Brace && ends_in_separator(before) => {}
            TokenTree::Group(group) => walk(group.stream(), names),
            TokenTree::Ident(word) if !is_word(token, &KEYWORDS) && begins_path(before, after) => {
                names.push(Name {
                    word: word.to_string(),
                    line: word.span().start().line,
                });
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Keywords that may stand before a path.
const KEYWORDS: [&str; 11] = [
    "use", "as", "dyn", "impl", "in", "mut", "return", "match", "if", "while", "else",
];

/// Whether the word between the two begins a path of more than itself, or is imported whole.
fn begins_path(before: &[TokenTree], after: &[TokenTree]) -> bool {
    let goes_on = matches!(after, [one, two, ..] if is_separator(one, two));
    let imported = before
        .last()
        .is_some_and(|token| is_word(token, &["use", "crate"]))
        && after
            .first()
            .is_none_or(|token| is_punct(token, ';') || is_word(token, &["as"]));
    (goes_on || imported) && !continues_path(before)
}

/// Whether the tokens so far end in a `::` that belongs to a path already begun. `use ::redis` and
/// `dyn ::redis` begin with theirs.
fn continues_path(before: &[TokenTree]) -> bool {
    if !ends_in_separator(before) {
        return false;
    }
    match before.get(before.len().wrapping_sub(3)) {
        Some(token @ TokenTree::Ident(_)) => !is_word(token, &KEYWORDS),
        Some(token @ TokenTree::Punct(_)) => is_punct(token, '>'),
        Some(TokenTree::Group(_) | TokenTree::Literal(_)) | None => false,
    }
}

fn ends_in_separator(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [.., one, two] if is_separator(one, two))
}

fn is_separator(one: &TokenTree, two: &TokenTree) -> bool {
    let joint = matches!(one, TokenTree::Punct(colon) if colon.spacing() == Spacing::Joint);
    joint && is_punct(one, ':') && is_punct(two, ':')
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

fn is_word(token: &TokenTree, words: &[&str]) -> bool {
    matches!(token, TokenTree::Ident(word) if words.iter().any(|expected| word == expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let source = Source {
            path: "some.rs".into(),
            text: text.into(),
        };
        source
            .leading_names()
            .unwrap()
            .into_iter()
            .map(|name| name.word)
            .collect()
    }

    #[test]
    fn paths_begin_with_their_crate() {
        assert_eq!(names("use redis::Client;"), ["redis"]);
        assert_eq!(names("use {redis::Client, std::fmt};"), ["redis", "std"]);
        assert_eq!(names("use redis;"), ["redis"]);
        assert_eq!(names("use redis as r;"), ["redis"]);
        assert_eq!(names("extern crate redis;"), ["redis"]);
        assert_eq!(names("use ::redis::Client;"), ["redis"]);
        assert_eq!(
            names("fn f(c: &dyn ::redis::Cmd) -> Vec<redis::Value> {}"),
            ["redis", "redis"]
        );
        assert_eq!(names("#[derive(redis::FromValue)] struct S;"), ["redis"]);
        assert_eq!(
            names("fn f() { select! { x = redis::get() => y } }"),
            ["redis"]
        );
        assert_eq!(names("fn f(a: usize) { g(a..redis::LEN) }"), ["redis"]);
    }

    #[test]
    fn what_only_looks_like_a_crate_is_left_out() {
        assert_eq!(names("use crate::redis::Keys;"), ["crate"]);
        assert_eq!(names("use crate::{redis::Keys, sql};"), ["crate"]);
        assert_eq!(
            names("use adapters::{sql::{redis::A}, redis::Gate};"),
            ["adapters"]
        );
        assert_eq!(
            names("mod redis; fn f(s: &S) { s.redis.get(redis) }"),
            [""; 0]
        );
        assert_eq!(
            names("/// redis::Client\n// redis::Client\nconst A: &str = \"redis::x\";"),
            [""; 0]
        );
        assert_eq!(names("fn f() { <T as Port>::redis::x(); }"), [""; 0]);
    }

    #[test]
    fn lines_are_counted_from_one() {
        let source = Source {
            path: "some.rs".into(),
            text: "\n\nuse redis::Client;\n".into(),
        };
        assert_eq!(
            source.leading_names().unwrap(),
            [Name {
                word: "redis".into(),
                line: 3
            }]
        );
    }
}
