//! `oss_callback.hpp` as text for compilers, and held against `oss_callback.h`.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use support::c;

use crate::compiler_is_there;

/// C functions for which C++ has something of its own.
const REPLACED: [&str; 1] = [
    // A failure keeps the code that the function returned.
    "oss_callback_error_code",
];

/// `oss_callback.hpp` and its parts.
fn headers() -> Vec<PathBuf> {
    let folder = fs::read_dir(c::source("include/oss_callback")).expect("it is there");
    let mut headers: Vec<PathBuf> = folder
        .map(|entry| entry.expect("readable").path())
        .collect();
    headers.push(c::source("include/oss_callback.hpp"));
    headers.sort();
    assert!(
        headers.len() > 5
            && headers
                .iter()
                .all(|path| path.extension() == Some("hpp".as_ref()))
    );
    headers
}

fn text_of_headers() -> String {
    let texts = headers()
        .into_iter()
        .map(|path| fs::read_to_string(path).expect("text"));
    texts.collect::<Vec<_>>().concat()
}

/// The names in a text that begin so.
fn names<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(move |word| word.starts_with(prefix))
}

#[test]
fn everything_of_the_c_header_is_there() {
    let text = text_of_headers();
    let used: BTreeSet<&str> = names(&text, "oss_").collect();
    for prototype in c::prototypes() {
        let name = c::name_of(&prototype);
        assert!(
            used.contains(name) != REPLACED.contains(&name),
            "{name} is not used, or no longer replaced"
        );
    }
    let header = c::header();
    let enumerators = header
        .lines()
        .filter_map(|line| line.trim().strip_prefix("OSS_CALLBACK_"))
        .filter_map(|line| line.split_once(" = "));
    let used: BTreeSet<&str> = names(&text, "OSS_CALLBACK_").collect();
    let mut count = 0;
    for (name, _) in enumerators {
        assert!(
            used.contains(format!("OSS_CALLBACK_{name}").as_str()),
            "{name} is missing"
        );
        count += 1;
    }
    assert!(count > 50, "only {count} enumerators were found");
}

/// A setter that sets something else would be noticed by nobody else.
#[test]
fn setters_and_getters_call_the_function_of_their_name() {
    let mut count = 0;
    for path in headers() {
        let text = fs::read_to_string(&path).expect("text");
        let mut class = "";
        let mut method = "";
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("class ") {
                class = rest.split_whitespace().next().unwrap_or_default();
            }
            if line.starts_with("  ") && !line.starts_with("   ") && line.contains('(') {
                let (head, _) = line.split_once('(').expect("just seen");
                method = head.rsplit([' ', '&', '*']).next().unwrap_or_default();
                method = method.strip_prefix("try_").unwrap_or(method);
            }
            let class = if class == "failure" { "error" } else { class };
            let prefix = format!("oss_callback_{class}_");
            for function in names(line, &prefix) {
                let does = function.strip_prefix(&prefix).expect("it begins so");
                let accessor = ["set_", "add_"]
                    .iter()
                    .find_map(|verb| does.strip_prefix(verb));
                let is_call = line.contains(&format!("{function}("));
                let Some(name) = accessor.or_else(|| method_names_value(line, does)) else {
                    continue;
                };
                // C says units in names, C++ in types.
                let units = [
                    "_ms",
                    "_in_s",
                    "_at_s",
                    "_s",
                    "_bits_per_s",
                    "_bytes_per_s",
                    "",
                ];
                let bare = units.iter().filter_map(|unit| name.strip_suffix(unit));
                let renamed = [
                    ("body", "body_template"),
                    ("body", "body_type"),
                    ("fixed", "text"),
                    ("prepend_prefix", "prepended_prefix"),
                    ("strip_prefix", "stripped_prefix"),
                    ("trust_target_header", "target_header"),
                    ("retry", "max_attempts"),
                    ("retry", "retry_base_delay"),
                    ("retry", "retry_max_delay"),
                    ("progress", "progress_hook"),
                    (
                        "server_side_encryption_key_id",
                        "server_side_encryption_key_id",
                    ),
                    ("credentials_provider", "credentials_hook"),
                    ("signer", "signer_hook"),
                    ("image", "image"),
                    ("what", "message"),
                ];
                let mut expected = bare.chain([does]);
                assert!(
                    expected.any(|expected| method == expected || renamed.contains(&(method, expected))),
                    "{class}::{method} calls {function}"
                );
                count += usize::from(is_call);
            }
        }
    }
    assert!(count > 60, "only {count} setters and getters were found");
}

/// What a getter of one line gives.
fn method_names_value<'a>(line: &str, does: &'a str) -> Option<&'a str> {
    let is_getter =
        line.trim_start().starts_with("return internal::") && line.contains("c_handle()");
    (is_getter && !line.contains("index")).then_some(does)
}

/// The compilers of this machine: the one of the other tests, and clang.
fn compilers() -> Vec<String> {
    let mut compilers = vec![std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned())];
    if c::is_there(&mut Command::new("clang++")) {
        compilers.push("clang++".to_owned());
    }
    compilers
}

/// Compiles a text and links nothing.
fn compile(compiler: &str, flags: &[&str], name: &str, text: &str) -> Command {
    let source = c::product(&format!("cpp_header_{name}.cpp"));
    fs::write(&source, text).expect("writable");
    let mut words = compiler.split_whitespace();
    let mut command = Command::new(words.next().expect("a compiler has a name"));
    command
        .args(words)
        .args([
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-fsyntax-only",
            "-I",
        ])
        .arg(c::source("include"))
        .args(flags)
        .arg(source);
    command
}

#[test]
fn each_header_compiles_alone_and_silently() {
    if !compiler_is_there() {
        return;
    }
    for path in headers() {
        let name = path.strip_prefix(c::source("include")).expect("in there");
        let name = name.display().to_string();
        let text = format!("#include <{name}>\n#include <{name}>\n");
        let name = name.replace('/', "_");
        c::succeed(&mut compile(&compilers()[0], &["-std=c++17"], &name, &text));
    }
    let text = "#include <oss_callback.hpp>\nint main() {}\n";
    // What is not asked of others is asked of a header that stands in their files.
    let strict = [
        "-Wshadow",
        "-Wconversion",
        "-Wold-style-cast",
        "-Wnon-virtual-dtor",
    ];
    for compiler in compilers() {
        for standard in ["-std=c++17", "-std=c++20"] {
            for form in ["-fexceptions", "-fno-exceptions"] {
                let mut command = compile(&compiler, &[standard, form], "all", text);
                c::succeed(command.args(strict));
            }
        }
    }
}

/// Pairs of what compiles, and of what must not, beside it.
const PAIRS: [(&str, &str); 8] = [
    // A result is looked at.
    (
        "(void)client.try_put_object(\"b\", \"o\", body, spec);",
        "client.try_put_object(\"b\", \"o\", body, spec);",
    ),
    (
        "(void)client.try_delete_object(\"b\", \"o\");",
        "client.try_delete_object(\"b\", \"o\");",
    ),
    // All three outcomes are.
    (
        "result.visit([](const receipt&) {}, [](const callback_failed&) {}, [](const error&) {});",
        "result.visit([](const receipt&) {}, [](const error&) {});",
    ),
    ("if (result.stored() == stored::yes) {}", "if (result) {}"),
    // An upload without a callback says so.
    (
        "(void)client.try_put_object(\"b\", \"o\", body, no_callback);",
        "(void)client.try_put_object(\"b\", \"o\", body);",
    ),
    // Nobody uploads the NUL of a literal.
    (
        "(void)client.try_put_object(\"b\", \"o\", std::string_view(\"hello\"), spec);",
        "(void)client.try_put_object(\"b\", \"o\", \"hello\", spec);",
    ),
    // 0 means "go on" in C, and would mean the opposite.
    (
        "options.progress([](std::uint64_t, std::optional<std::uint64_t>) { return true; });",
        "options.progress([](std::uint64_t, std::optional<std::uint64_t>) { return 0; });",
    ),
    (
        "options.timeout(std::chrono::seconds(1));",
        "options.timeout(1);",
    ),
];

#[test]
fn what_would_overlook_something_does_not_compile() {
    if !compiler_is_there() {
        return;
    }
    let program = |code: &str| {
        format!(
            "#include <oss_callback.hpp>\n#include <string>\nusing namespace oss_callback;\n\
             inline void f(const client& client, const spec& spec, const upload_result& result, put_options& options) {{\n\
             std::string body; (void)client; (void)spec; (void)result; (void)options;\n{code}\n}}\n"
        )
    };
    let right = PAIRS.map(|(right, _)| right).join("\n");
    for compiler in compilers() {
        let mut command = compile(&compiler, &["-std=c++17"], "right", &program(&right));
        c::succeed(&mut command);
    }
    for (_, wrong) in PAIRS {
        let mut command = compile(&compilers()[0], &["-std=c++17"], "wrong", &program(wrong));
        let output = c::run(&mut command);
        assert!(!output.status.success(), "{wrong} compiles");
    }
}

#[test]
fn clang_tidy_is_silent() {
    if !compiler_is_there() || !c::is_there(&mut Command::new("clang-tidy")) {
        return;
    }
    let mut tidy = Command::new("clang-tidy");
    tidy.arg("--quiet")
        .arg(format!(
            "--config-file={}",
            c::source(".clang-tidy").display()
        ))
        .arg(c::source("examples/cpp/put_object.cpp"))
        .args(["--", "-std=c++17", "-I"])
        .arg(c::source("include"));
    c::succeed(&mut tidy);
}
