//! The pages that a user reads have no phrase at which a native reader of English stops.

use std::fs;

use support::c;

/// Phrases of whole words, in lower case. `^`: only at the beginning of a sentence, or after a colon, and in no question.
const PHRASES: &str = "
    ^who has, ^who holds, ^who checks, ^who leaves, ^who wants, ^who spends, for who works, for who wants,
    whether who, ^sent again is, ^sent again are, only then the, only then a, only then it, ^he passes,
    ^nobody: requests, which nobody overlooks, overlooks by chance, are its bytes, and its kin, and their kin,
    as you like, by so much, the same on paper, not get past, gets past a limit, gets past the limit,
    gets past the limits, no drip past, a drip of, is none, is no bool, file of somebody else's,
    bucket of somebody else's, somebody else than, something else than, anything else than, give each his own,
    gives each his own, the word of the application server, context that ends ends, so many bytes, more than so many,
    belong into, belongs into, goes on where, go on where, went on where, going on where, goes on with, go on with,
    went on with, going on with, mend, mends, mended, mending, fault of the library, fault of the library's,
    fault of the library itself, fault of its own, are none of";

fn phrases() -> impl Iterator<Item = &'static str> {
    PHRASES.split(',').map(str::trim)
}

/// Sentences that were once in the pages, and good ones of the same kind.
const BAD: &[&str] = &[
    "limits for each phase, which a drip of a byte a second does not get past",
    "Keys do not belong\n/// into a program",
    "the upload goes on\n * where it was",
    "Only then the object is there, whole",
    "* **Who has it can use it**: from anywhere",
    "* Who has lost the lines asks OSS",
    "less than 1 KiB in that time is\n// none. 0 is refused",
    "One of more than 16 KiB is none of OSS's. `body` are\n# its bytes",
    "| success before the object was sent | is none | test |",
    "| a fault is mended | patch |",
    "put_options_set_checkpoint` and its kin",
    "outlives the call by so much",
    "Sent again is only what may end differently",
];
const GOOD: &[&str] = &[
    "NULL if there\n * is none. Anyone who has it can use it",
    "return None if value is None",
    "Only then does the object exist",
    "the hook returns true to go on; a recommended fix, amended a.mend() what_is_mended",
    "He asks who has it, and who checks. Who has it?\n\n* Who frees what",
];

/// A page as one line, without the marks of comments; `¶` stands between paragraphs, items and cells.
fn collapsed(page: &str, is_prose: bool) -> String {
    let page = page
        .replace(" is None", " is_None")
        .replace("\"\"\"", " ¶ ");
    let page = page.to_lowercase();
    let mut text = String::new();
    for line in page.lines() {
        let mut line = line.trim();
        let mark = line.split(' ').next().unwrap_or("");
        let begins = line.starts_with(['|', '#', '.']) || ["*", "-"].contains(&mark);
        let numbered = mark.starts_with(|c: char| c.is_ascii_digit()) && mark.ends_with('.');
        if line.is_empty() || is_prose && (begins || numbered) {
            text.push_str(" ¶ ");
        }
        line = line.trim_start_matches(['/', '*', '!', '#', '"', '<', '>', '-', ' ']);
        if line.is_empty() || line.starts_with('@') {
            text.push_str(" ¶ ");
        }
        text.push_str(&line.replace("**", "").replace(['|', '{', '}'], " ¶ "));
        text.push_str(if line.ends_with(';') { " ¶ " } else { " " });
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The phrases in a text, each with its sentence.
fn found(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for phrase in phrases() {
        let words = phrase.trim_start_matches('^');
        for (at, _) in text.match_indices(words) {
            let (before, after) = (&text[..at], &text[at + words.len()..]);
            let whole = before.is_empty() || before.ends_with([' ', '(', '"', '*']);
            let whole = whole && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            let first = before.trim_end();
            let first = first.is_empty() || first.ends_with(['¶', '.', ':', ';', '?', '!']);
            let until = after.find(['.', '?', '¶']).unwrap_or(after.len());
            let asked = after[until..].starts_with('?');
            let wrong = whole && !before.ends_with("there ");
            if wrong && (!phrase.starts_with('^') || first && !asked) {
                let from = before.rfind('¶').max(before.rfind(". "));
                let from = from.map_or(0, |from| before[from..].find(' ').unwrap_or(0) + from);
                let sentence = text[from..at + words.len() + until].trim();
                found.push(format!("`{words}` in \"{sentence}\""));
            }
        }
    }
    found
}

#[test]
fn each_phrase_is_found_also_over_two_lines() {
    for bad in BAD {
        let text = collapsed(bad, bad.starts_with(['*', '|']));
        assert!(!found(&text).is_empty(), "{text}");
    }
    for good in GOOD {
        let stops = found(&collapsed(good, good.contains("\n* ")));
        assert!(stops.is_empty(), "{stops:#?}");
    }
}

#[test]
fn no_page_has_a_phrase_at_which_a_reader_stops() {
    let single = "README.md SECURITY.md CHANGELOG.md CONTRIBUTING.md tests/local-oss/README.md \
        include/oss_callback.h include/oss_callback.hpp";
    let mut pages: Vec<_> = single.split(' ').map(c::source).collect();
    let folders = [
        ("docs", "md"),
        ("include/oss_callback", "hpp"),
        ("man", "3"),
        ("examples/python/oss_callback", "py"),
        ("examples/go/osscallback", "go"),
    ];
    for (folder, kind) in folders {
        let files = fs::read_dir(c::source(folder)).expect("readable");
        let files = files.map(|file| file.expect("readable").path());
        pages.extend(files.filter(|file| file.extension().is_some_and(|of| of == kind)));
    }
    assert!(pages.len() > 80, "{} pages", pages.len());
    let mut stops = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).expect("readable");
        let prose = page.extension().is_some_and(|of| of == "md" || of == "3");
        for stop in found(&collapsed(&text, prose)) {
            stops.push(format!("{}: {stop}", page.display()));
        }
    }
    assert!(stops.is_empty(), "{stops:#?}");
}
