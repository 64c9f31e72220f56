//! The guide in `docs` and the README say nothing that is not there: links lead somewhere, in rustdoc too; C functions,
//! Rust methods and the names of the C SDK exist; C code compiles. Rust code compiles as doctests, through `src/guide.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::c;
use support::{KEY_ID, KEY_SECRET, server};

/// The README and every page of the guide, by its path from the root.
fn pages() -> BTreeMap<String, String> {
    let files = fs::read_dir(c::source("docs")).expect("there is a folder for documents");
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    names.push("README.md".to_owned());
    names
        .into_iter()
        .map(|name| (name.clone(), fs::read_to_string(c::source(&name)).unwrap()))
        .collect()
}

/// The lines outside of code blocks.
fn prose(page: &str) -> String {
    let mut fenced = false;
    let lines = page.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The code blocks whose first line is three backticks and exactly this.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if info == language {
            blocks.push(block.join("\n"));
        }
    }
    blocks
}

/// Where the inline links of a page lead.
fn inline_links(page: &str) -> Vec<String> {
    let prose = prose(page);
    let links = prose.split("](").skip(1);
    links
        .filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .collect()
}

/// The definitions of a page's other links: label and target.
fn defined_links(page: &str) -> BTreeMap<String, String> {
    let definition = |line: &str| {
        let (label, target) = line.strip_prefix('[')?.split_once("]: ")?;
        Some((label.to_owned(), target.trim().to_owned()))
    };
    prose(page).lines().filter_map(definition).collect()
}

/// The anchors that a code host makes of a page's headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = prose(page);
    let headings = headings.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let title = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

fn is_relative(target: &str) -> bool {
    !target.contains("://") && !target.starts_with("mailto:")
}

#[test]
fn every_relative_link_leads_to_a_file_and_its_heading() {
    let mut links = 0;
    for (name, page) in pages() {
        let folder = c::source(&name).parent().unwrap().to_owned();
        let targets = inline_links(&page)
            .into_iter()
            .chain(defined_links(&page).into_values());
        for target in targets.filter(|target| is_relative(target)) {
            links += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if file.is_empty() {
                c::source(&name)
            } else {
                folder.join(file)
            };
            assert!(
                file.exists(),
                "{name} links to {target}, which is not there"
            );
            if !anchor.is_empty() {
                let there = anchors(&fs::read_to_string(&file).unwrap());
                assert!(
                    there.contains(anchor),
                    "{name} links to {target}: {there:?}"
                );
            }
        }
    }
    assert!(links > 30, "only {links} links were found");
}

/// The modules of `src/guide.rs`: the page that each includes, its name, and the labels that it defines.
fn guide() -> Vec<(String, String, BTreeMap<String, String>)> {
    let source = fs::read_to_string(c::source("src/guide.rs")).unwrap();
    let mut modules = Vec::new();
    for module in source.split("pub mod ").skip(1) {
        let (name, body) = module.split_once(" {").expect("a module has a body");
        let page = body
            .split_once("include_str!(\"../")
            .expect("a module includes a page")
            .1;
        let page = page.split_once('"').unwrap().0;
        let before = body.split_once("include_str!").unwrap().0;
        let labels = before.lines().skip_while(|line| line.trim() != "//!");
        let labels: String = labels
            .filter_map(|line| line.trim().strip_prefix("//! "))
            .map(|line| format!("{line}\n"))
            .collect();
        modules.push((page.to_owned(), name.to_owned(), defined_links(&labels)));
    }
    modules
}

/// A relative link leads to a Markdown file on a code host and to a module in rustdoc: a page names its target by a
/// label, and the module that includes the page defines that label first.
#[test]
fn links_between_pages_lead_to_modules_in_rustdoc() {
    let pages = pages();
    let guide = guide();
    let module_of: BTreeMap<&str, &str> = guide
        .iter()
        .map(|(page, name, _)| (page.as_str(), name.as_str()))
        .collect();
    assert!(guide.len() >= 9, "the guide has only {} pages", guide.len());
    for (name, _, labels) in &guide {
        let page = pages
            .get(name)
            .unwrap_or_else(|| panic!("{name} is no page"));
        let inline = inline_links(page);
        let inline = inline
            .iter()
            .find(|target| is_relative(target) && !target.starts_with('#'));
        assert_eq!(
            inline, None,
            "{name}: a relative link needs a label, see src/guide.rs"
        );
        let defined = defined_links(page);
        let relative = defined.iter().filter(|(_, target)| is_relative(target));
        let mut expected = BTreeMap::new();
        for (label, target) in relative {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let linked = format!("docs/{file}");
            let module = module_of.get(linked.as_str());
            let module = module.unwrap_or_else(|| panic!("{name}: {target} is not in the guide"));
            let separator = if anchor.is_empty() { "" } else { "#" };
            expected.insert(
                label.clone(),
                format!("crate::guide::{module}{separator}{anchor}"),
            );
        }
        assert_eq!(*labels, expected, "what src/guide.rs defines for {name}");
    }
}

#[test]
fn the_package_ships_the_pages_of_the_guide() {
    let mut list = Command::new(env!("CARGO"));
    list.args([
        "package",
        "--list",
        "--allow-dirty",
        "--offline",
        "-p",
        "oss-callback",
    ]);
    let shipped = c::succeed(list.current_dir(env!("CARGO_MANIFEST_DIR")));
    let shipped: BTreeSet<&str> = shipped.lines().collect();
    for (page, _, _) in guide() {
        assert!(shipped.contains(page.as_str()), "{page} is not shipped");
    }
}

/// The names in a text that begin so.
fn names(text: &str, prefix: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names = words.filter(|word| word.starts_with(prefix) && !word.ends_with('_'));
    names.map(str::to_owned).collect()
}

#[test]
fn every_name_of_a_c_library_exists() {
    let header = c::header();
    let ours: BTreeSet<String> = names(&header, "oss_")
        .union(&names(&header, "OSS_CALLBACK_"))
        .cloned()
        .collect();
    let sdk = include_str!("../symbols_of_aliyun_oss_c_sdk.txt");
    let sdk: BTreeSet<&str> = sdk.lines().collect();
    // Not names of C: the crate and two methods of its errors.
    let others = ["oss_callback", "oss_code", "oss_message"];
    let mut found = 0;
    for (name, page) in pages() {
        let spelled = names(&page, "oss_")
            .into_iter()
            .chain(names(&page, "OSS_CALLBACK_"));
        for word in spelled.filter(|word| !others.contains(&word.as_str())) {
            found += 1;
            let environment = [
                "OSS_CALLBACK_URL",
                "OSS_CALLBACK_HOST",
                "OSS_CALLBACK_ALL_FACES",
                "OSS_CALLBACK_LIBRARY",
            ];
            let old = name == "docs/MIGRATING.md"
                && (sdk.contains(word.as_str())
                    || word.starts_with("oss_") && word.ends_with("_t"));
            assert!(
                ours.contains(&word) || old || environment.contains(&word.as_str()),
                "{name} names {word}, which does not exist"
            );
        }
    }
    assert!(found > 150, "only {found} names were found");
}

/// Every Rust source below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        })
        .collect()
}

/// Methods are spelled `.name(..)` or `Type::name` in backquotes. That they are methods of the right type is up to the
/// code that is compiled.
#[test]
fn every_method_that_is_named_exists() {
    let folders = ["src", "tests/local-oss/src"].map(|folder| sources(&c::source(folder)));
    let mut defined = BTreeSet::new();
    for file in folders.concat() {
        let source = fs::read_to_string(file).unwrap();
        defined.extend(
            source
                .split("fn ")
                .skip(1)
                .map(|after| identifier(after).to_owned()),
        );
    }
    let mut found = 0;
    for (name, _, _) in guide() {
        let prose = prose(&fs::read_to_string(c::source(&name)).unwrap());
        for span in prose.split('`').skip(1).step_by(2) {
            // What other libraries have is not ours.
            if span.contains("oss2.") || span.starts_with("bucket.") || span.starts_with("oss.") {
                continue;
            }
            let called = span.split('.').skip(1);
            let called = called.filter(|after| after[identifier(after).len()..].starts_with('('));
            for after in called.chain(span.split("::").skip(1)) {
                let method = identifier(after);
                if method.starts_with(|c: char| c.is_ascii_lowercase()) {
                    found += 1;
                    assert!(
                        defined.contains(method),
                        "{name} names {method} in `{span}`, which does not exist"
                    );
                }
            }
        }
    }
    assert!(found > 100, "only {found} methods were found");
}

/// The name that a text begins with.
fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

#[test]
fn the_c_code_of_the_guide_compiles() {
    let mut compiled = 0;
    for (name, _, _) in guide() {
        let page = fs::read_to_string(c::source(&name)).unwrap();
        for (number, block) in blocks(&page, "c").into_iter().enumerate() {
            let stem = name.replace(['/', '.'], "_");
            let file = c::product(&format!("{stem}_{number}.c"));
            let includes = "#include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n";
            let code =
                format!("{includes}#include <oss_callback.h>\n#line 1 \"{name}\"\n{block}\n");
            fs::write(&file, code).expect("the folder for products is writable");
            c::succeed(
                c::c_compiler("c99")
                    .args(["-fsyntax-only", "-Wno-unused-function"])
                    .arg(&file),
            );
            compiled += 1;
        }
    }
    assert!(compiled >= 4, "only {compiled} blocks of C were found");
}

#[test]
fn the_python_code_of_the_guide_runs() {
    if !c::is_there(&mut Command::new("python3")) {
        return;
    }
    let page = fs::read_to_string(c::source("docs/OTHER_LANGUAGES.md")).unwrap();
    let [program] = &blocks(&page, "python")[..] else {
        panic!("the smallest binding is one block");
    };
    let server = server().start().unwrap();
    let written = c::succeed(
        Command::new("python3")
            .args(["-c", program])
            .env("LIBRARY", c::library_folder().join("liboss_callback.so"))
            .env("OSS_ENDPOINT", server.endpoint())
            .env("OSS_ACCESS_KEY_ID", KEY_ID)
            .env("OSS_ACCESS_KEY_SECRET", KEY_SECRET)
            .env_remove("OSS_SESSION_TOKEN"),
    );
    let [etag, refused, raised] = written.lines().collect::<Vec<_>>()[..] else {
        panic!("{written}");
    };
    assert_eq!(etag, "5D41402ABC4B2A76B9719D911017C592");
    assert!(
        refused.starts_with("`bucket`") && refused.ends_with(" 1"),
        "{refused}"
    );
    assert_eq!(raised, "the hook's own exception");
    // The hook was told when all of its body had left: what becomes of that upload is unknown.
    let stored = server.stored();
    let keys: Vec<_> = stored.iter().map(|stored| stored.key.as_str()).collect();
    assert_eq!(keys[0], "hello.txt");
    assert!(
        keys[1..].iter().all(|key| *key == "stopped.txt"),
        "{keys:?}"
    );
}

/// Every `file: test` that SECURITY.md names, and every dependency that is trusted.
#[test]
fn what_is_said_of_security_is_held_by_tests_that_exist() {
    let page = fs::read_to_string(c::source("SECURITY.md")).unwrap();
    let spans: Vec<&str> = page.split('`').skip(1).step_by(2).collect();
    let named: Vec<(&str, &str)> = spans
        .iter()
        .filter_map(|span| span.split_once(".rs: "))
        .collect();
    assert!(named.len() > 20, "{} tests", named.len());
    for (file, test) in named {
        let source = fs::read_to_string(c::source(&format!("{file}.rs"))).unwrap();
        let mut lines = source.lines();
        let named = lines.any(|line| line.trim() == format!("fn {test}() {{"));
        assert!(named, "{file}.rs has no {test}");
    }
    let (_, dependencies) = page.split_once("\n## Dependencies\n").unwrap();
    let deny = fs::read_to_string(c::source("deny.toml")).unwrap();
    let advisories = "cargo deny check advisories";
    assert!(deny.contains("\"Dependencies\" in SECURITY.md") && deny.contains(advisories));
    assert!(dependencies.contains(advisories), "deny.toml refers to it");
    let (_, table) = dependencies.split_once("| crate |").unwrap();
    let crates = table.lines().filter_map(|line| line.strip_prefix("| "));
    let trusted: BTreeSet<&str> = crates
        .flat_map(|line| line.split(" |").next().unwrap().split(", "))
        .collect();
    let manifest = fs::read_to_string(c::source("Cargo.toml")).unwrap();
    let mut section = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let depends = ["[dependencies]", "[build-dependencies]"].contains(&section);
        if let Some((name, _)) = line.split_once(" = ").filter(|_| depends) {
            assert!(trusted.contains(name), "SECURITY.md does not know {name}");
        }
    }
}
