//! A panic behind every function of the C library ends in a code, or in nothing: never in the caller.
//!
//! It needs a library that panics in every body:
//!
//! ```sh
//! cargo rustc --lib --features capi --crate-type cdylib --target-dir target/panics -- --cfg panic_injection
//! PANIC_INJECTION=target/panics/debug cargo test --test panics
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};
use support::c;

/// Functions that have nothing to guard: they return a constant, or do not live outside of a hook.
const UNGUARDED: [&str; 6] = [
    "oss_callback_code_name",
    "oss_callback_credentials_set_expires_at_s",
    "oss_callback_credentials_set_key_pair",
    "oss_callback_spec_none",
    "oss_callback_version",
    "oss_callback_version_number",
];

/// How the handles are made that setters change: nothing is run for one that is NULL.
const HANDLES: [(&str, &str); 10] = [
    (
        "oss_callback_client_options",
        "oss_callback_client_options_new(&h)",
    ),
    (
        "oss_callback_put_options",
        "oss_callback_put_options_new(&h)",
    ),
    (
        "oss_callback_operation_options",
        "oss_callback_operation_options_new(&h)",
    ),
    (
        "oss_callback_spec_options",
        "oss_callback_spec_options_new(&h)",
    ),
    (
        "oss_callback_verifier_options",
        "oss_callback_verifier_options_new(&h)",
    ),
    (
        "oss_callback_post_policy",
        "oss_callback_post_policy_new(&h)",
    ),
    (
        "oss_callback_body_template",
        "oss_callback_body_template_new(OSS_CALLBACK_BODY_TYPE_FORM, &h)",
    ),
    (
        "oss_callback_object_facts",
        "oss_callback_object_facts_new(\"b\", \"o\", &h, 0)",
    ),
    (
        "oss_callback_permission",
        "oss_callback_permission_new_object(\"b\", \"o\", &h, 0)",
    ),
    (
        "oss_callback_multipart_upload",
        "oss_callback_client_resume_multipart_upload(client, \"b\", \"o\", \"id\", &h, 0)",
    ),
];

const BEGINNING: &str = r#"
#include <assert.h>
#include <stdio.h>
#include "oss_callback.h"

extern uint32_t oss_callback_inject_panics(bool on);

static uint32_t before;

static void on(void) {
    before = oss_callback_inject_panics(true);
}

static void tell(const char *name, const char *result) {
    printf("%s %s\n", name, oss_callback_inject_panics(false) == before ? "none" : result);
}

static oss_callback_client *new_client(void) {
    oss_callback_client *client = 0;
    oss_callback_client_options *options = 0;
    assert(oss_callback_client_options_new(&options) == 0);
    oss_callback_client_options_set_endpoint(options, "http://127.0.0.1");
    oss_callback_client_options_set_region(options, "cn-hangzhou");
    oss_callback_client_options_set_credentials_anonymous(options);
    assert(oss_callback_client_new(options, &client, 0) == 0);
    return client;
}

int main(void) {
    char text[32];
    oss_callback_client *client = new_client();
"#;

#[test]
#[ignore = "needs a library that was built to panic, in the folder PANIC_INJECTION: `.ci/run` makes one"]
fn a_panic_behind_every_function_stays_in_the_library() {
    let folder = env::var_os("PANIC_INJECTION").expect("PANIC_INJECTION names a folder");
    let folder = fs::canonicalize(folder).expect("PANIC_INJECTION is a folder");
    // Cargo's path would lead to the other library.
    let said = c::succeed(Command::new(build(&folder)).env_remove("LD_LIBRARY_PATH"));
    let mut calls = 0;
    let mut unguarded = BTreeSet::new();
    for line in said.lines() {
        let (name, outcome) = line.split_once(' ').expect("a name and an outcome");
        calls += 1;
        match outcome {
            "none" => drop(unguarded.insert(name)),
            // Setters and frees have no code, and what is looked up is not found.
            "void" | "0" => {}
            // OSS_CALLBACK_CODE_INTERNAL
            "99" => {}
            // Never NULL: an empty text.
            _ if name == "oss_callback_error_message" => {}
            other => panic!("{name} returned {other} after a panic"),
        }
    }
    assert_eq!(calls, c::prototypes().len());
    assert_eq!(unguarded, BTreeSet::from(UNGUARDED));
}

/// A program that calls every function of the header and tells what came of it.
fn build(folder: &Path) -> PathBuf {
    let mut source = BEGINNING.to_owned();
    for prototype in c::prototypes() {
        source += &call(&prototype);
    }
    source += "    return 0;\n}\n";
    let file = c::product("panics.c");
    fs::write(&file, source).expect("writable");
    let program = c::product("panics.out");
    let mut compiler = c::c_compiler("c99");
    // It calls functions in ways that draw warnings.
    compiler.arg("-w").arg("-o").arg(&program).arg(&file);
    compiler.arg("-L").arg(folder).args([
        "-loss_callback",
        &format!("-Wl,-rpath,{}", folder.display()),
    ]);
    c::succeed(&mut compiler);
    program
}

/// The call of one function: with a handle if it changes one, and otherwise with nothing.
fn call(prototype: &str) -> String {
    let name = c::name_of(prototype);
    let (head, parameters) = prototype.split_once('(').expect("a prototype");
    let mut arguments: Vec<&str> = match parameters.trim_end_matches(");") {
        "void" => Vec::new(),
        parameters => parameters.split(',').map(|_| "0").collect(),
    };
    let handle = HANDLES.iter().find(|(handle, _)| {
        parameters.starts_with(&format!("{handle} *")) && !name.ends_with("_free")
    });
    let mut code = String::from("    {\n");
    if let Some((handle, new)) = handle {
        code += &format!("        {handle} *h = 0;\n        assert({new} == 0);\n");
        arguments[0] = "h";
    }
    let call = format!("{name}({})", arguments.join(", "));
    let result = head.trim_end_matches(name).trim();
    code += "        on();\n";
    code += &if result.ends_with("void") {
        format!("        {call};\n        tell(\"{name}\", \"void\");\n")
    } else {
        format!(
            "        snprintf(text, sizeof text, \"%lu\", (unsigned long){call});\n        \
             tell(\"{name}\", text);\n"
        )
    };
    if let Some((handle, _)) = handle {
        code += &format!("        {handle}_free(h);\n");
    }
    code + "    }\n"
}
