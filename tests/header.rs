//! The C header: committed as it is generated, and silent in every compiler mode that it promises.
//!
//! `BLESS=1 cargo test --test header` writes the generated one over the committed one.

mod c;

use std::fs;

#[test]
fn the_committed_header_is_the_generated_one() {
    let generated = include_str!(concat!(env!("OUT_DIR"), "/oss_callback.h"));
    if std::env::var_os("BLESS").is_some() {
        fs::write(c::source("include/oss_callback.h"), generated).expect("the header is writable");
    }
    let committed = c::header();
    let mut lines = committed.lines().zip(generated.lines()).enumerate();
    if let Some((index, (committed, generated))) = lines.find(|(_, (a, b))| a != b) {
        panic!(
            "line {} of include/oss_callback.h\n  is        {committed}\n  should be {generated}\n\
             run `BLESS=1 cargo test --test header` and read the difference",
            index + 1
        );
    }
    assert_eq!(committed.len(), generated.len(), "one of the two goes on");
}

#[test]
fn it_compiles_silently_as_c_and_cxx() {
    let cxx = c::is_there(&mut c::cxx_compiler("c++11"));
    let program =
        "#include <oss_callback.h>\n#include <oss_callback.h>\nint main(void) { return 0; }\n";
    for (standard, extension) in [
        ("c99", "c"),
        ("c11", "c"),
        ("c++11", "cpp"),
        ("c++17", "cpp"),
    ] {
        let file = c::product(&format!("header_{standard}.{extension}"));
        fs::write(&file, program).expect("the folder for products is writable");
        let mut compiler = match extension {
            "c" => c::c_compiler(standard),
            _ if !cxx => continue,
            _ => c::cxx_compiler(standard),
        };
        c::succeed(compiler.arg("-fsyntax-only").arg(&file));
    }
}

/// It needs no header before it and defines nothing that two translation units could both have.
#[test]
fn two_cxx_files_that_include_it_twice_link_into_one_program() {
    if !c::is_there(&mut c::cxx_compiler("c++11")) {
        return;
    }
    let files = [
        ("header_one", "int other(); int main() { return other(); }"),
        (
            "header_two",
            "int other(); int other() { return OSS_CALLBACK_CODE_OK; }",
        ),
    ]
    .map(|(name, code)| {
        let file = c::product(&format!("{name}.cpp"));
        let include = "#include \"oss_callback.h\"\n";
        fs::write(&file, format!("{include}{include}{code}\n")).expect("writable");
        file
    });
    let program = c::product("header_two_files");
    c::succeed(
        c::cxx_compiler("c++11")
            .args(&files)
            .arg("-o")
            .arg(&program),
    );
    c::succeed(&mut std::process::Command::new(program));
}

/// The comments of `src/ffi` are the manual of the C interface.
#[test]
fn it_speaks_to_a_c_reader() {
    for word in [
        "# Safety", "# Errors", "# Panics", "Option<", "[`", "`]", "&str", "::",
    ] {
        let found = c::header()
            .lines()
            .find(|line| line.contains(word))
            .map(str::to_owned);
        assert_eq!(found, None, "`{word}` means nothing in C");
    }
}
