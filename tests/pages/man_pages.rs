//! The manual pages in man/ say what the header says: they are made from it.
//!
//! `BLESS=1 cargo test --test pages man_pages` rewrites them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::process::Command;
use support::c;

/// A page for each section of the header: the section, the page's name, and what it is about.
const PAGES: [(&str, &str, &str); 13] = [
    (
        "Return codes",
        "oss_callback_code",
        "what functions of oss_callback return",
    ),
    (
        "Uploads",
        "oss_put_object_with_callback",
        "upload an object, and get the application server's answer",
    ),
    (
        "Errors and receipts",
        "oss_callback_error",
        "what happened, and whether the object is stored",
    ),
    (
        "The client",
        "oss_callback_client",
        "an endpoint of OSS, credentials and limits",
    ),
    (
        "The callback",
        "oss_callback_spec",
        "what OSS is asked to call",
    ),
    (
        "Options of uploads and other operations",
        "oss_callback_put_options",
        "headers, limits, hooks",
    ),
    (
        "Multipart uploads",
        "oss_callback_multipart_upload",
        "upload an object part by part",
    ),
    (
        "Objects, and uploads whose outcome is unknown",
        "oss_callback_object_metadata",
        "what OSS says about an object",
    ),
    (
        "Permissions for others",
        "oss_callback_presigned_url",
        "let others upload by a URL or a form",
    ),
    (
        "Signing forms",
        "oss_callback_post_policy",
        "sign a form for a browser",
    ),
    (
        "Trying a callback without sending it",
        "oss_callback_preview",
        "see what a callback will be",
    ),
    (
        "The application server",
        "oss_callback_verifier",
        "is this request from OSS, and did we permit this upload?",
    ),
    (
        "Version",
        "oss_callback_version",
        "the library that is linked",
    ),
];
const OVERVIEW: &str = "oss_callback";
const OVERVIEW_TITLE: &str = "upload to Alibaba Cloud OSS with an upload callback";
/// When the family of pages last changed; pages must have a date.
const DATE: &str = "November 24, 2026";

/// A piece of the header with its comment.
struct Item {
    section: String,
    name: String,
    comment: String,
    declaration: String,
    /// Of an enumeration: `NAME = value`, and its comment.
    enumerators: Vec<(String, String)>,
}

impl Item {
    fn is_function(&self) -> bool {
        self.declaration.ends_with(");") && !self.declaration.starts_with("typedef")
    }
}

/// Everything in the header that has a comment, in its order.
fn items() -> Vec<Item> {
    let header = c::header();
    let mut pieces = header.split("/**").skip(1).map(|piece| {
        let (comment, code) = piece.split_once("*/").expect("comments end");
        let code = code.lines().filter(|line| !line.starts_with('#'));
        (
            plain(comment),
            code.collect::<Vec<_>>().join("\n").trim().to_owned(),
        )
    });
    let mut items = Vec::new();
    let mut section = String::new();
    while let Some((mut comment, code)) = pieces.next() {
        if let Some(title) = comment.strip_prefix("@name ") {
            section = title.lines().next().unwrap_or_default().to_owned();
            continue;
        }
        let mut enumerators = Vec::new();
        let (mut name, mut declaration) = (String::new(), function(&code));
        if let Some(rest) = comment.strip_prefix("@typedef ") {
            let (handle, text) = rest.split_once("\n\n").expect("a description");
            declaration = format!("typedef struct {handle} {handle};");
            (name, comment) = (handle.to_owned(), text.to_owned());
        } else if code == "typedef enum {" {
            while name.is_empty() {
                let (comment, code) = pieces.next().expect("an enumeration ends");
                let (enumerator, end) = code.split_once(',').expect("a comma");
                enumerators.push((enumerator.to_owned(), comment));
                if let Some(end) = end.trim().strip_prefix("} ") {
                    name = end.trim_end_matches(';').to_owned();
                }
            }
            declaration = format!("typedef enum {{ ... }} {name};");
        } else if let Some((_, rest)) = code.split_once("(*") {
            name = rest.split(')').next().unwrap_or_default().to_owned();
        } else if declaration.ends_with(");") {
            name = c::name_of(&declaration).to_owned();
        }
        items.push(Item {
            section: section.clone(),
            name,
            comment,
            declaration,
            enumerators,
        });
    }
    items
}

/// A declaration without the attribute before it, and without what follows the last one of the header.
fn function(code: &str) -> String {
    let code = code.split_once("\n\n}").map_or(code, |(code, _)| code);
    let words = code.strip_prefix("OSS_CALLBACK_MUST_USE");
    words.unwrap_or(code).trim_start().to_owned()
}

/// A comment without its stars.
fn plain(comment: &str) -> String {
    let lines = comment.lines().map(|line| {
        let line = line.trim_start().trim_start_matches('*');
        line.strip_prefix(' ').unwrap_or(line).trim_end()
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// A line of text for mdoc(7).
fn escaped(line: &str) -> String {
    let mut quoted = String::new();
    for (index, piece) in line.replace('\\', "\\e").split('`').enumerate() {
        if index > 0 {
            quoted += if index % 2 == 1 { "\\(oq" } else { "\\(cq" };
        }
        quoted += piece;
    }
    let control = quoted.starts_with(['.', '\'']);
    if control {
        format!("\\&{quoted}")
    } else {
        quoted
    }
}

/// Where the first of several sentences of a line ends.
fn end_of_sentence(line: &str) -> Option<usize> {
    let spaces = line.match_indices(' ').map(|(index, _)| index);
    spaces.into_iter().find(|end| {
        let word = line[..*end].trim_end_matches([')', '`']);
        word.ends_with(['.', '?', '!'])
    })
}

/// The paragraphs of a comment. A line that begins with a dash is an item of a list.
fn text(page: &mut String, comment: &str) {
    if let Some((before, rest)) = comment.split_once("@code{.c}\n") {
        let (code, after) = rest.split_once("@endcode").expect("code ends");
        text(page, before.trim_end());
        page.push_str(".Bd -literal -offset indent\n");
        for line in code.lines() {
            writeln!(page, "{}", line.replace('\\', "\\e")).unwrap();
        }
        page.push_str(".Ed\n.Pp\n");
        return text(page, after.trim_start());
    }
    let mut list = false;
    for (index, paragraph) in comment.split("\n\n").enumerate() {
        if index > 0 {
            page.push_str(".Pp\n");
        }
        for line in paragraph.lines().filter(|line| *line != "@file") {
            let item = line.trim_start().strip_prefix("- ");
            if item.is_some() && !list {
                page.push_str(".Bl -dash\n");
                list = true;
            }
            if item.is_some() {
                page.push_str(".It\n");
            }
            let line = item.unwrap_or(line).trim_start();
            // mdoc(7) wants each sentence on a line of its own.
            let mut rest = line;
            while let Some(end) = end_of_sentence(rest) {
                writeln!(page, "{}", escaped(&rest[..end])).unwrap();
                rest = rest[end..].trim_start();
            }
            writeln!(page, "{}", escaped(rest)).unwrap();
        }
        if list {
            page.push_str(".El\n");
            list = false;
        }
    }
}

fn head(page: &str, names: &[&str], title: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| format!(".Nm {name}")).collect();
    format!(
        ".\\\" Made from include/oss_callback.h by tests/pages/man_pages.rs.\n\
         .Dd {DATE}\n.Dt {} 3\n.Os oss-callback {}\n.Sh NAME\n{}\n.Nd {title}\n\
         .Sh SYNOPSIS\n.In oss_callback.h\n.Pp\n",
        page.to_uppercase(),
        env!("CARGO_PKG_VERSION"),
        names.join(" ,\n"),
    )
}

fn page(name: &str, title: &str, items: &[&Item]) -> String {
    let functions: Vec<&Item> = items
        .iter()
        .copied()
        .filter(|item| item.is_function())
        .collect();
    let mut names = vec![name];
    // Types first, so that `man -k` and `apropos` find them.
    let types = items.iter().filter(|item| !item.is_function());
    let all = types.chain(&functions).map(|item| item.name.as_str());
    names.extend(all.filter(|n| *n != name));
    let mut page = head(name, &names, title);
    page.push_str(".Bd -literal -compact\n");
    for item in items {
        writeln!(page, "{}", item.declaration.replace('\\', "\\e")).unwrap();
    }
    page.push_str(".Ed\n.Sh DESCRIPTION\n.Bl -tag -width Ds\n");
    for item in items {
        writeln!(
            page,
            ".It {} {}",
            if item.is_function() { "Fn" } else { "Vt" },
            item.name
        )
        .unwrap();
        text(&mut page, &item.comment);
        if !item.enumerators.is_empty() {
            page.push_str(".Bl -tag -width Ds\n");
            for (enumerator, comment) in &item.enumerators {
                writeln!(page, ".It Dv {enumerator}").unwrap();
                text(&mut page, comment);
            }
            page.push_str(".El\n");
        }
    }
    writeln!(page, ".El\n.Sh SEE ALSO\n.Xr {OVERVIEW} 3").unwrap();
    page
}

fn overview(comment: &str) -> String {
    let mut page = head(OVERVIEW, &[OVERVIEW], OVERVIEW_TITLE);
    page.push_str(
        "Link with\n.Li \"pkg-config --cflags --libs oss_callback\" .\n.Sh DESCRIPTION\n",
    );
    text(&mut page, comment);
    page.push_str(".Ss Pages\n.Bl -tag -width Ds\n");
    for (_, name, title) in PAGES {
        writeln!(page, ".It Xr {name} 3\n{title}").unwrap();
    }
    page.push_str(".El\n.Sh SEE ALSO\n");
    let mut names: Vec<&str> = PAGES.iter().map(|(_, name, _)| *name).collect();
    names.sort();
    let names: Vec<String> = names.iter().map(|name| format!(".Xr {name} 3")).collect();
    writeln!(page, "{}", names.join(" ,\n")).unwrap();
    page
}

/// All pages: file name and contents.
fn pages() -> Vec<(String, String)> {
    let items = items();
    let file = items.iter().find(|item| item.comment.starts_with("@file"));
    let file = file.expect("the header begins with a comment on the file");
    let mut pages = vec![(format!("{OVERVIEW}.3"), overview(&file.comment))];
    for (section, name, title) in PAGES {
        let family: Vec<&Item> = items
            .iter()
            .filter(|item| item.section == section && !item.name.is_empty())
            .collect();
        pages.push((format!("{name}.3"), page(name, title, &family)));
    }
    pages
}

#[test]
fn the_committed_pages_are_those_of_the_header() {
    let folder = c::source("man");
    let pages = pages();
    if std::env::var_os("BLESS").is_some() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("writable");
        for (name, page) in &pages {
            fs::write(folder.join(name), page).expect("writable");
        }
    }
    let committed: BTreeSet<String> = fs::read_dir(&folder)
        .expect("they are committed")
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    assert_eq!(
        committed,
        pages.iter().map(|(name, _)| name.clone()).collect()
    );
    for (name, page) in pages {
        let committed = fs::read_to_string(folder.join(&name)).expect("readable");
        let different = committed.lines().zip(page.lines()).find(|(a, b)| a != b);
        assert_eq!(
            different, None,
            "{name}: run `BLESS=1 cargo test --test pages man_pages`"
        );
        assert_eq!(committed.len(), page.len(), "{name}");
    }
}

#[test]
fn every_name_of_the_header_has_its_page() {
    let all: String = pages().into_iter().map(|(_, page)| page).collect();
    for item in items() {
        if item.name.is_empty() {
            continue;
        }
        let tag = if item.is_function() { "Fn" } else { "Vt" };
        let described = all.matches(&format!(".It {tag} {}\n", item.name)).count();
        assert_eq!(described, 1, "{}", item.name);
    }
    let functions = items().iter().filter(|item| item.is_function()).count();
    assert_eq!(functions, c::prototypes().len());
}

#[test]
fn mandoc_finds_no_fault() {
    if !c::answers(
        Command::new("mandoc")
            .args(["-T", "utf8"])
            .arg(c::source("man/oss_callback.3")),
    ) {
        return;
    }
    for (name, _) in pages() {
        let page = c::source("man").join(&name);
        let output = c::run(
            Command::new("mandoc")
                .args(["-T", "lint", "-W", "warning"])
                .arg(&page),
        );
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{found}");
        let shown = c::succeed(Command::new("mandoc").args(["-T", "utf8"]).arg(&page));
        assert!(
            unstruck(&shown).contains("#include <oss_callback.h>"),
            "{name}"
        );
    }
}

/// What a terminal shows: a bold letter is one that is struck twice.
fn unstruck(struck: &str) -> String {
    let mut plain = String::new();
    for letter in struck.chars() {
        match letter {
            '\u{8}' => drop(plain.pop()),
            letter => plain.push(letter),
        }
    }
    plain
}
