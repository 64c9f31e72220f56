//! The C header is silent in every compiler mode that it promises. That it is the generated one is for `tests/generated`.

use std::fs;
use std::process::Command;
use support::c;

#[test]
fn it_compiles_silently_as_c_and_cxx() {
    let program =
        "#include <oss_callback.h>\n#include <oss_callback.h>\nint main(void) { return 0; }\n";
    let c = [("c99", "c"), ("c11", "c")].map(|of| (of, ["CC", "cc", "clang"]));
    let cxx = ["c++11", "c++17", "c++20"].map(|standard| (standard, "cpp"));
    let cxx = cxx.map(|of| (of, ["CXX", "c++", "clang++"]));
    for ((standard, extension), [variable, default, other]) in c.into_iter().chain(cxx) {
        let file = c::product(&format!("header_{standard}.{extension}"));
        fs::write(&file, program).expect("the folder for products is writable");
        // No C compiler is a failure.
        let compiler = || c::compiler(variable, default, standard);
        if extension == "c" || c::is_there(&mut compiler()) {
            c::succeed(compiler().arg("-fsyntax-only").arg(&file));
        }
        let compiler = || c::compiler("", other, standard);
        if c::is_there(&mut compiler()) {
            c::succeed(compiler().arg("-fsyntax-only").arg(&file));
        }
    }
}

/// It has every function but those of an application server.
#[test]
fn that_of_a_small_library_compiles_and_declares_less() {
    let lacking = c::of_a_small_library().len();
    assert!((1..c::prototypes().len() / 2).contains(&lacking));
    let file = c::product("header_small.c");
    for (name, declared) in [
        ("oss_callback_verifier_verify", false),
        ("oss_callback_receipt_free", true),
    ] {
        let program =
            format!("#include <oss_callback.h>\nvoid *f(void) {{ return (void *){name}; }}\n");
        fs::write(&file, program).expect("writable");
        let mut compiler = c::c_compiler("gnu99");
        compiler.args(["-Wno-pedantic", "-DOSS_CALLBACK_SMALL", "-fsyntax-only"]);
        let output = c::run(compiler.arg(&file));
        assert_eq!(output.status.success(), declared, "{name}");
    }
}

#[test]
fn clang_tidy_is_silent() {
    if !c::is_there(&mut Command::new("clang-tidy")) {
        return;
    }
    let checks = "-*,bugprone-*,cert-*,clang-analyzer-*,clang-diagnostic-*,misc-*,performance-*,portability-*,\
                  readability-*,-readability-identifier-length";
    for standard in ["c99", "c++11"] {
        let extension = if standard == "c99" { "c" } else { "cpp" };
        let file = c::product(&format!("header_tidy.{extension}"));
        fs::write(&file, "#include <oss_callback.h>\n").expect("writable");
        let mut tidy = Command::new("clang-tidy");
        tidy.args(["--quiet", "--header-filter=.*", "--warnings-as-errors=*"])
            .arg(format!("--checks={checks}"))
            .arg(&file)
            .arg("--")
            .arg(format!("-std={standard}"))
            .arg("-I")
            .arg(c::source("include"));
        c::succeed(&mut tidy);
    }
}

#[test]
fn doxygen_finds_everything_documented() {
    if !c::is_there(&mut Command::new("doxygen")) {
        return;
    }
    let folder = c::product("header_doxygen");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).expect("writable");
    let configuration = folder.join("Doxyfile");
    let settings = format!(
        "INPUT = {}\nOUTPUT_DIRECTORY = {}\nGENERATE_HTML = NO\nGENERATE_LATEX = NO\nGENERATE_XML = YES\nQUIET = YES\n\
         OPTIMIZE_OUTPUT_FOR_C = YES\nWARN_IF_UNDOCUMENTED = YES\nWARN_AS_ERROR = FAIL_ON_WARNINGS\n\
         MACRO_EXPANSION = YES\nEXPAND_ONLY_PREDEF = YES\nPREDEFINED = __GNUC__ OSS_CALLBACK_MUST_USE=\n",
        c::source("include/oss_callback.h").display(),
        folder.display()
    );
    fs::write(&configuration, settings).expect("writable");
    c::succeed(Command::new("doxygen").arg(&configuration));
    // It has looked at them, too.
    let read = fs::read_to_string(folder.join("xml/oss__callback_8h.xml")).expect("XML");
    for prototype in c::prototypes() {
        let name = c::name_of(&prototype);
        assert!(read.contains(&format!("<name>{name}</name>")), "{name}");
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
    c::succeed(&mut Command::new(program));
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

/// A handle of a prototype: the longest name of a type that its own begins with.
fn owner<'h>(name: &str, handles: &'h [String]) -> &'h str {
    let owners = handles
        .iter()
        .filter(|handle| name.starts_with(&format!("{handle}_")));
    owners
        .max_by_key(|handle| handle.len())
        .map_or("", String::as_str)
}

/// A C reader finds all functions of a handle in one place, below a heading.
#[test]
fn the_functions_of_a_handle_stand_together_in_a_section() {
    let header = c::header();
    let handles: Vec<String> = header
        .lines()
        .filter_map(|line| line.strip_prefix("typedef struct "))
        .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert!(handles.len() > 30, "{handles:?}");
    let sections: Vec<&str> = header.split("\n/**\n * @name ").skip(1).collect();
    assert!(sections.len() > 8, "{} sections", sections.len());
    // The first upload comes early, and what it says next.
    let titles: Vec<&str> = sections
        .iter()
        .filter_map(|section| section.lines().next())
        .collect();
    let first = [
        "Return codes",
        "Uploads",
        "Errors and receipts",
        "The client",
    ];
    assert_eq!(titles[..4], first);
    let mut lines = header.lines();
    let upload = lines.position(|line| line.contains(" oss_put_object_with_callback("));
    assert!(upload.is_some_and(|line| line < 400), "{upload:?}");
    let mut finished: Vec<&str> = Vec::new();
    let mut found = 0;
    for section in &sections {
        let (inside, outside) = section.split_once("\n/** @} */").expect("sections end");
        assert!(c::prototypes_in(outside).is_empty(), "{outside}");
        let mut before = "";
        for prototype in c::prototypes_in(inside) {
            let name = c::name_of(&prototype).to_owned();
            let owner = owner(&name, &handles);
            assert!(!finished.contains(&owner) || owner.is_empty(), "{name}");
            if owner != before {
                if !before.is_empty() {
                    finished.push(before);
                }
                // Its description comes first.
                let described = inside.find(&format!(" * @typedef {owner}\n"));
                let declared = inside.find(&format!("{name}(")).expect("it is there");
                assert!(
                    owner.is_empty() || described.is_some_and(|at| at < declared),
                    "{owner}"
                );
            }
            before = owner;
            found += 1;
        }
        if !before.is_empty() {
            finished.push(before);
        }
    }
    assert_eq!(found, c::prototypes().len());
    let described = header.matches(" * @typedef ").count();
    assert_eq!(described, handles.len(), "each handle is described once");
}

#[test]
fn its_lines_are_short() {
    let header = c::header();
    let long = header.lines().find(|line| line.chars().count() >= 110);
    assert_eq!(long, None);
}
