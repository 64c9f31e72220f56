//! The C ABI against the one that is committed: what a program was compiled against goes on working, unless the ABI number
//! moves (docs/COMPATIBILITY.md).
//!
//! The ABI is taken from the header, as a program takes it: a library is compiled that has its functions, and abidw writes
//! down what they look like. That the real library has these functions and no others is for `tests/pages/symbols.rs`.
//!
//! `BLESS=1 cargo test --test pages abi` writes `tests/abi/baseline.xml`, unless that would break programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::c;

const BASELINE: &str = "tests/abi/baseline.xml";
/// What abidiff says by its exit status.
const WRONG_USE: i32 = 1 | 2;

/// The first number of the library's version in Cargo.toml, which is in the SONAME.
fn abi_number() -> u32 {
    let manifest = fs::read_to_string(c::source("Cargo.toml")).expect("it is there");
    let (_, table) = manifest
        .split_once("\n[package.metadata.capi.library]\n")
        .expect("cargo-c's table");
    let (_, version) = table.split_once("\nversion = \"").expect("a version");
    let (number, _) = version.split_once('.').expect("three numbers");
    number.parse().expect("a number")
}

/// What a header promises, written down by abidw.
fn written_down(header: &str, abi: u32, name: &str) -> PathBuf {
    let folder = c::product(&format!("abi_{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).expect("writable");
    fs::write(folder.join("oss_callback.h"), header).expect("writable");
    // Types that functions take as numbers would not be seen otherwise.
    let mut source = "#include \"oss_callback.h\"\n#include <stdlib.h>\n".to_owned();
    for line in header.lines() {
        if let Some(name) = line.strip_prefix("} ").and_then(|l| l.strip_suffix(';')) {
            source += &format!("{name} type_{name};\n");
        }
    }
    let (_, functions) = header.split_once("extern \"C\" {").expect("functions");
    for prototype in c::prototypes_in(functions) {
        let prototype = prototype.replace("OSS_CALLBACK_MUST_USE ", "");
        let head = prototype.strip_suffix(';').expect("a prototype");
        source += &format!("{head} {{ abort(); }}\n");
    }
    let (file, library) = (folder.join("abi.c"), folder.join("liboss_callback.so"));
    fs::write(&file, source).expect("writable");
    let mut compiler = Command::new("cc");
    compiler
        .args([
            "-std=c99",
            "-g",
            "-shared",
            "-fPIC",
            "-Wno-unused-parameter",
        ])
        .arg(format!("-Wl,-soname,liboss_callback.so.{abi}"))
        .arg(file)
        .arg("-o");
    c::succeed(compiler.arg(&library));
    let written = folder.join("abi.xml");
    let mut abidw = Command::new("abidw");
    abidw
        .args(["--no-corpus-path", "--no-comp-dir-path", "--no-show-locs"])
        .args([
            "--no-elf-needed",
            "--no-architecture",
            "--type-id-style",
            "hash",
        ])
        .arg("--out-file")
        .arg(&written);
    c::succeed(abidw.arg(library));
    written
}

/// Programs that were linked against `old` go on working with `new`. What is wrong, otherwise.
fn breaks(old: &Path, new: &Path) -> Option<String> {
    let mut abidiff = Command::new("abidiff");
    abidiff.args(["--no-architecture", "--no-added-syms"]);
    let output = c::run(abidiff.args([old, new]));
    let code = output.status.code().expect("it ends by itself");
    assert_eq!(code & WRONG_USE, 0, "{output:?}");
    (code != 0).then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The ABI number of what abidw has written down.
fn number_of(written: &Path) -> u32 {
    let text = fs::read_to_string(written).expect("it is there");
    let (_, rest) = text
        .split_once("soname='liboss_callback.so.")
        .expect("a SONAME");
    let (number, _) = rest.split_once('\'').expect("an end");
    number.parse().expect("a number")
}

/// Why a header may not follow the baseline, if it may not.
fn objection(baseline: &Path, new: &Path) -> Option<String> {
    if number_of(new) > number_of(baseline) {
        return None;
    }
    breaks(baseline, new)
}

fn tools_are_there() -> bool {
    c::is_there(&mut Command::new("abidw")) && c::is_there(&mut Command::new("abidiff"))
}

#[test]
fn programs_of_the_baseline_go_on_working() {
    if !tools_are_there() {
        return;
    }
    let baseline = c::source(BASELINE);
    let now = written_down(&c::header(), abi_number(), "now");
    if baseline.exists() {
        let objection = objection(&baseline, &now);
        assert_eq!(
            objection, None,
            "this breaks programs; move the ABI number in Cargo.toml if it is meant (docs/COMPATIBILITY.md)"
        );
    }
    if std::env::var_os("BLESS").is_some() {
        fs::copy(&now, &baseline).expect("the baseline is writable");
    }
    let [committed, now] = [baseline, now].map(|path| fs::read_to_string(path).expect("written"));
    // Another abidw words the same thing differently, but knows the same functions.
    let names = |text: &str| -> Vec<String> {
        let symbols = text.split("<elf-symbol name='").skip(1);
        symbols
            .map(|rest| rest.split('\'').next().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(
        names(&committed),
        names(&now),
        "run `BLESS=1 cargo test --test pages abi`, so that what is new is guarded, too"
    );
}

/// Each row: a change of the header, and whether programs bear it.
#[test]
fn a_change_that_breaks_programs_is_noticed_unless_the_number_moves() {
    if !tools_are_there() {
        return;
    }
    let header = c::header();
    let before = written_down(&header, 1, "before");
    let removed = "void oss_callback_receipt_free(oss_callback_receipt *receipt);\n";
    for (name, from, to, harmless) in [
        ("nothing", "", "", true),
        (
            "function_added",
            removed,
            &format!("{removed}/** New. */\nvoid oss_callback_new(void);\n"),
            true,
        ),
        (
            "enumerator_added",
            "    OSS_CALLBACK_CODE_INTERNAL = 99,\n",
            "    OSS_CALLBACK_CODE_INTERNAL = 99,\n    OSS_CALLBACK_CODE_NEW = 100,\n",
            true,
        ),
        ("function_removed", removed, "", false),
        (
            "argument_widened",
            "uint32_t oss_callback_receipt_status(const oss_callback_receipt",
            "uint64_t oss_callback_receipt_status(const oss_callback_receipt",
            false,
        ),
        (
            "argument_added",
            "oss_callback_receipt_free(oss_callback_receipt *receipt)",
            "oss_callback_receipt_free(oss_callback_receipt *receipt, int how)",
            false,
        ),
        (
            "enumerator_changed",
            "OSS_CALLBACK_CODE_TIMEOUT = 23",
            "OSS_CALLBACK_CODE_TIMEOUT = 27",
            false,
        ),
        (
            "enumerator_of_a_number_changed",
            "OSS_CALLBACK_BODY_TYPE_JSON = 1",
            "OSS_CALLBACK_BODY_TYPE_JSON = 2",
            false,
        ),
        (
            "hook_changed",
            "typedef int (*oss_callback_progress_hook)(",
            "typedef int (*oss_callback_progress_hook)(int, ",
            false,
        ),
    ] {
        assert!(
            header.contains(from),
            "{name}: the header is another one now"
        );
        let changed = header.replacen(from, to, 1);
        let after = written_down(&changed, 1, name);
        let found = objection(&before, &after);
        assert_eq!(found.is_none(), harmless, "{name}: {found:?}");
        let moved = written_down(&changed, 2, name);
        assert_eq!(objection(&before, &moved), None, "{name}");
    }
}
