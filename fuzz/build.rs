//! Reads the C header and writes a call for each of its functions, so that a new one is driven without anybody
//! thinking of it. A parameter of a form that is not known here ends the build.

use std::fmt::Write;
use std::path::Path;

fn main() {
    let header = "../include/oss_callback.h";
    println!("cargo::rerun-if-changed={header}");
    let text = std::fs::read_to_string(header).expect("the header");
    let functions = functions(&without_comments(&text));
    assert!(functions.len() > 300, "only {} functions", functions.len());
    let mut declared = String::new();
    let mut calls = String::new();
    for function in &functions {
        writeln!(declared, "{}", function.declaration()).expect("memory");
        writeln!(calls, "{}", function.call()).expect("memory");
    }
    let source = format!(
        "unsafe extern \"C\" {{\n{declared}}}\n\npub const CALLS: &[Call] = &[\n{calls}];\n"
    );
    let out = std::env::var_os("OUT_DIR").expect("cargo says it");
    std::fs::write(Path::new(&out).join("calls.rs"), source).expect("written");
}

fn without_comments(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        code.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    code.push_str(rest);
    code.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect()
}

struct Function {
    result: String,
    name: String,
    /// Type and name.
    parameters: Vec<(String, String)>,
}

fn functions(code: &str) -> Vec<Function> {
    let mut functions = Vec::new();
    for statement in code.split(';') {
        let statement = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        let statement = statement.trim_start_matches("extern \"C\" { ");
        let statement = statement.trim_start_matches("OSS_CALLBACK_MUST_USE ");
        let Some((front, parameters)) = statement.split_once('(') else {
            continue;
        };
        if statement.starts_with("typedef") || statement.starts_with('}') {
            continue;
        }
        let (result, name) = typed(front);
        let parameters = parameters.trim_end_matches(')');
        functions.push(Function {
            result,
            name,
            parameters: match parameters {
                "void" => Vec::new(),
                _ => parameters.split(", ").map(typed).collect(),
            },
        });
    }
    functions
}

/// `const char *name` and the like.
fn typed(text: &str) -> (String, String) {
    let name_at = text.rfind([' ', '*']).expect("a type and a name") + 1;
    (
        text[..name_at].trim().to_owned(),
        text[name_at..].to_owned(),
    )
}

/// `client` of `const oss_callback_client *` and `oss_callback_client **`.
fn handle<'a>(kind: &'a str, end: &str) -> Option<&'a str> {
    kind.trim_start_matches("const ")
        .strip_suffix(end)?
        .strip_prefix("oss_callback_")
}

impl Function {
    fn declaration(&self) -> String {
        let parameters: Vec<String> = self
            .parameters
            .iter()
            .map(|(kind, name)| format!("{name}: {}", rust_type(kind)))
            .collect();
        let result = match self.result.as_str() {
            "void" => String::new(),
            other => format!(" -> {}", rust_type(other)),
        };
        format!(
            "    pub fn {}({}){result};",
            self.name,
            parameters.join(", ")
        )
    }

    /// A function that takes its arguments from the program, calls, and hands the results back to it.
    fn call(&self) -> String {
        let (mut before, mut arguments, mut after) = (String::new(), Vec::new(), String::new());
        let mut parameters = self.parameters.iter().peekable();
        let is_free = self.name.ends_with("_free");
        let mut made = "None".to_owned();
        let mut first_handle = None;
        let mut said_len = false;
        while let Some((kind, name)) = parameters.next() {
            let next = parameters
                .peek()
                .map(|(kind, name)| (kind.as_str(), name.as_str()));
            let mut let_be =
                |value: &str| writeln!(before, "let {name}_ = {value};").expect("memory");
            match kind.as_str() {
                "oss_callback_error **" => {
                    let_be("p.output(\"error\")");
                    arguments.push(format!("{name}_.pointer()"));
                    writeln!(after, "let failed = p.take_output(&{name}_);").expect("memory");
                }
                "const char *" => {
                    let_be(&format!("p.text({name:?})"));
                    arguments.push(format!("{name}_.pointer()"));
                }
                "const char *const *" => {
                    let_be("p.headers()");
                    arguments.push(format!("{name}_.pointer()"));
                    arguments.push(format!("{name}_.len()"));
                    parameters.next();
                }
                "const uint8_t *" => {
                    assert_eq!(
                        next,
                        Some(("size_t", &*format!("{name}_len"))),
                        "{}",
                        self.name
                    );
                    let_be(&format!("p.bytes({name:?})"));
                    arguments.push(format!("{name}_.pointer()"));
                    arguments.push(format!("{name}_.len()"));
                    parameters.next();
                }
                "const uint64_t *" => {
                    let_be(&format!("p.optional_number({name:?})"));
                    arguments.push(format!("{name}_.as_ref().map_or(std::ptr::null(), |n| n)"));
                }
                "uint64_t *" | "size_t *" | "oss_callback_seen *" => {
                    said_len |= kind == "size_t *";
                    writeln!(before, "let mut {name}_ = p.number_output();").expect("memory");
                    arguments.push(format!("{name}_.pointer()"));
                    if kind == "size_t *" {
                        writeln!(after, "let len = {name}_.said();").expect("memory");
                    }
                }
                "uint64_t" | "size_t" | "uint32_t" | "int" | "bool" => {
                    let value = match kind.as_str() {
                        "bool" => "p.byte() & 1 == 1".to_owned(),
                        "int" => "p.descriptor()".to_owned(),
                        _ => format!("p.number({name:?}) as {}", rust_type(kind)),
                    };
                    let_be(&value);
                    arguments.push(format!("{name}_"));
                }
                "void *" => {
                    // With a hook that outlives the call comes another that ends it.
                    let owned = next.is_some_and(|(kind, _)| kind == "oss_callback_destroy_hook");
                    let_be(&format!("p.userdata({owned})"));
                    arguments.push(format!("{name}_.pointer()"));
                    if owned {
                        arguments.push(format!("{name}_.destroy_hook()"));
                        parameters.next();
                    }
                }
                kind if kind.ends_with("_hook") => {
                    let_be(&format!(
                        "p.hook(hooks::{})",
                        kind["oss_callback_".len()..].to_uppercase()
                    ));
                    arguments.push(format!("{name}_"));
                }
                kind => {
                    if let Some(of) = handle(kind, " **") {
                        let_be(&format!("p.output({of:?})"));
                        arguments.push(format!("{name}_.pointer()"));
                        writeln!(after, "let made = p.take_output(&{name}_);").expect("memory");
                        made = "made".to_owned();
                    } else if let Some(of) = handle(kind, " *") {
                        let constant = kind.starts_with("const ");
                        match is_free {
                            true => let_be(&format!("p.free({of:?})")),
                            false => let_be(&format!("p.handle({of:?}, {constant})")),
                        }
                        arguments.push(format!("{name}_.pointer"));
                        first_handle.get_or_insert_with(|| format!("Some({name}_)"));
                    } else {
                        panic!("{}: a parameter of type {kind}", self.name);
                    }
                }
            }
        }
        let owner = first_handle.unwrap_or("None".to_owned());
        match self.result.as_str() {
            "void" | "bool" | "size_t" | "uint32_t" | "uint64_t" => {}
            "oss_callback_stored" | "oss_callback_answered" | "oss_callback_outcome" => {}
            "oss_callback_code"
                if self
                    .parameters
                    .iter()
                    .any(|(kind, _)| kind == "oss_callback_error **") =>
            {
                writeln!(
                    after,
                    "p.check_code({:?}, result, {made}, Some((failed, error_.wanted)));",
                    self.name
                )
                .expect("memory");
            }
            "oss_callback_code" => {
                let is_maker = made != "None";
                if is_maker {
                    writeln!(
                        after,
                        "p.check_code({:?}, result, {made}, None);",
                        self.name
                    )
                    .expect("memory");
                }
            }
            "const char *" => {
                writeln!(after, "p.borrow_text({:?}, {owner}, result);", self.name).expect("memory")
            }
            "const uint8_t *" => {
                let len = match self.name.as_str() {
                    _ if said_len => "len",
                    "oss_callback_sealed_nonce" => "Some(16)",
                    "oss_callback_sealed_body_digest" => "Some(32)",
                    other => panic!("{other}: bytes of an unknown length"),
                };
                writeln!(after, "p.borrow_bytes({owner}, result, {len});").expect("memory");
            }
            other => match handle(other, " *") {
                Some(of) if other.starts_with("const ") => {
                    writeln!(after, "p.borrow_handle({of:?}, {owner}, result);").expect("memory");
                }
                _ => panic!("{}: a result of type {other}", self.name),
            },
        }
        let makes = match self
            .parameters
            .iter()
            .find_map(|(kind, _)| handle(kind, " **").filter(|of| *of != "error"))
        {
            Some(of) => format!("Some({of:?})"),
            None => "None".to_owned(),
        };
        let frees = match is_free {
            true => format!(
                "Some({:?})",
                handle(&self.parameters[0].0, " *").expect("a handle")
            ),
            false => "None".to_owned(),
        };
        format!(
            "Call {{ name: {:?}, makes: {makes}, frees: {frees}, run: |p| {{\n{before}\
             // SAFETY: the program keeps the header's promises.\n\
             let result = unsafe {{ {}({}) }};\n{after}let _ = result;\n}} }},",
            self.name,
            self.name,
            arguments.join(", ")
        )
    }
}

fn rust_type(kind: &str) -> &'static str {
    match kind {
        "uint64_t" => "u64",
        "int64_t" => "i64",
        "uint32_t" => "u32",
        "size_t" => "usize",
        "bool" => "bool",
        "int" => "c_int",
        "const char *" => "*const c_char",
        "const char *const *" => "*const *const c_char",
        "const uint8_t *" => "*const u8",
        "const uint64_t *" => "*const u64",
        "uint64_t *" => "*mut u64",
        "size_t *" => "*mut usize",
        "void *" => "*mut c_void",
        // Enumerations.
        "oss_callback_code"
        | "oss_callback_stored"
        | "oss_callback_answered"
        | "oss_callback_outcome" => "u32",
        "oss_callback_seen *" => "*mut u32",
        "oss_callback_credentials_hook" => "hooks::CredentialsHook",
        "oss_callback_signer_hook" => "hooks::SignerHook",
        "oss_callback_destroy_hook" => "hooks::DestroyHook",
        "oss_callback_progress_hook" => "hooks::ProgressHook",
        "oss_callback_read_hook" => "hooks::ReadHook",
        "oss_callback_write_hook" => "hooks::WriteHook",
        kind if handle(kind, " **").is_some() => "*mut *mut c_void",
        kind if handle(kind, " *").is_some() => "*mut c_void",
        other => panic!("the type {other}"),
    }
}
