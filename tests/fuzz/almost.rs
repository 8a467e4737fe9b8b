//! Inputs that are almost right: good ones, and what was found interesting before, with some bytes
//! changed. A run has 256 cases a property; `PROPTEST_CASES` asks for more.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// What parsers trip over.
const INTERESTING: [&str; 40] = [
    "\0",
    "\u{feff}",
    "\u{202e}",
    "é",
    "한",
    "😀",
    "\u{fffd}",
    "\r\n",
    "\\",
    "\"",
    "'",
    "`",
    "#",
    "{",
    "}",
    "[",
    "]",
    "((((((((",
    "))))",
    "$",
    "@",
    "!",
    "...",
    ":",
    ",",
    ";",
    "=",
    "%00",
    "null",
    "true",
    "-0",
    "-1",
    "1e999",
    "0.1",
    "9223372036854775808",
    "-9223372036854775809",
    "4294967296",
    "\\u0000",
    "\\ud800",
    "__proto__",
];

/// One change.
#[derive(Clone, Debug)]
enum Edit {
    Flip(Index, u8),
    Cut(Index, Index),
    Double(Index, Index),
    Insert(Index, &'static str),
    /// The rest comes from another seed.
    Cross(Index, Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = any::<Index>;
    let interesting = proptest::sample::select(&INTERESTING[..]);
    prop_oneof![
        2 => (place(), any::<u8>()).prop_map(|(at, with)| Edit::Flip(at, with)),
        2 => (place(), place()).prop_map(|(from, to)| Edit::Cut(from, to)),
        2 => (place(), place()).prop_map(|(from, to)| Edit::Double(from, to)),
        4 => (place(), interesting).prop_map(|(at, text)| Edit::Insert(at, text)),
        1 => (place(), place()).prop_map(|(at, seed)| Edit::Cross(at, seed)),
    ]
}

/// One of these, as it is or with up to five changes.
pub fn almost(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    assert!(!seeds.is_empty());
    (any::<Index>(), vec(edit(), 0..6)).prop_map(move |(seed, edits)| {
        let mut bytes = seed.get(&seeds).clone();
        for edit in &edits {
            apply(&mut bytes, edit, &seeds);
        }
        bytes
    })
}

/// The same for texts: what is no UTF-8 any more is replaced.
pub fn almost_text(seeds: Vec<String>) -> impl Strategy<Value = String> {
    let seeds = seeds.into_iter().map(String::into_bytes).collect();
    almost(seeds).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The entries of a corpus: texts with a line of hyphens between them.
pub fn corpus(text: &str) -> Vec<String> {
    let entries = text
        .split("\n----\n")
        .map(|entry| entry.trim_end_matches('\n').to_owned());
    entries.collect()
}

fn apply(bytes: &mut Vec<u8>, edit: &Edit, seeds: &[Vec<u8>]) {
    let place = |index: &Index, bytes: &Vec<u8>| index.index(bytes.len() + 1);
    let range = |from: &Index, to: &Index, bytes: &Vec<u8>| {
        let (from, to) = (place(from, bytes), place(to, bytes));
        from.min(to)..from.max(to)
    };
    match edit {
        Edit::Flip(at, with) => {
            let at = place(at, bytes);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= with;
            }
        }
        Edit::Cut(from, to) => drop(bytes.drain(range(from, to, bytes))),
        Edit::Double(from, to) => {
            let part = bytes[range(from, to, bytes)].to_vec();
            let at = place(to, bytes);
            bytes.splice(at..at, part);
        }
        Edit::Insert(at, text) => {
            let at = place(at, bytes);
            bytes.splice(at..at, text.bytes());
        }
        Edit::Cross(at, seed) => {
            bytes.truncate(place(at, bytes));
            let other = seed.get(seeds);
            bytes.extend(&other[place(at, other)..]);
        }
    }
}
