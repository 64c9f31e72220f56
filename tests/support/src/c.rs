//! What the tests of the C face share: compilers, the library beside the test, commands that must succeed.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::skip;

/// Warnings are errors: a header that draws one in a user's build is a fault.
const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-pedantic", "-Werror"];

/// The C compiler, `CC` or `cc`, with the header's folder.
pub fn c_compiler(standard: &str) -> Command {
    compiler("CC", "cc", standard)
}

/// The C++ compiler, `CXX` or `c++`, with the header's folder.
pub fn cxx_compiler(standard: &str) -> Command {
    compiler("CXX", "c++", standard)
}

/// Whether a tool that a machine may lack is there. A test without its tool is skipped, and says so.
pub fn is_there(tool: &mut Command) -> bool {
    answers(tool.arg("--version"))
}

/// The same of a tool that is asked for its version in another way.
pub fn answers(question: &mut Command) -> bool {
    let there = question
        .output()
        .is_ok_and(|output| output.status.success());
    if !there {
        let tool = question.get_program().to_string_lossy();
        skip(&format!("{tool} is missing"));
    }
    there
}

/// The compiler that a variable of the environment names, else the default.
pub fn compiler(variable: &str, default: &str, standard: &str) -> Command {
    let chosen = env::var(variable).unwrap_or_default();
    // As make has it, the variable may hold arguments: `ccache gcc`.
    let mut words = chosen.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or(default));
    command
        .args(words)
        .arg(format!("-std={standard}"))
        .args(STRICT)
        .arg("-I")
        .arg(source("include"));
    command
}

/// A path below the root of the sources.
pub fn source(path: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).expect("this is tests/support");
    root.join(path)
}

/// A path for a product of a test.
pub fn product(name: &str) -> PathBuf {
    let library = library_folder();
    let target = library.ancestors().nth(2).expect("target/debug/deps");
    target.join("tmp").join(name)
}

/// Where cargo leaves the shared and the static library that belong to this test: beside the test.
pub fn library_folder() -> PathBuf {
    let test = env::current_exe().expect("a test has a path");
    test.parent().expect("a test is in a folder").to_owned()
}

/// Links the shared library beside this test; the program finds it without an environment.
pub fn link(compiler: &mut Command) {
    let folder = library_folder();
    let rpath = format!("-Wl,-rpath,{}", folder.display());
    compiler
        .arg("-L")
        .arg(folder)
        .args(["-loss_callback", &rpath]);
}

/// `make` in a folder of examples, with the library and the examples of this test, and with a folder for products. No cargo runs
/// in there: with other features than this test's it would build the library anew under the other tests.
pub fn make(folder: &str, build: &Path) -> Command {
    let library = library_folder();
    example("with_local_oss");
    let target = library.ancestors().nth(2).expect("target/debug/deps");
    let _ = std::fs::remove_dir_all(build);
    std::fs::create_dir(build).expect("writable");
    let mut make = Command::new("make");
    make.arg("-C")
        .arg(source(folder))
        .arg(format!("LIB={}", library.display()))
        .arg(format!("BUILD={}", build.display()))
        .arg("CARGO=true")
        .env("CARGO_TARGET_DIR", target)
        .env_remove("LD_LIBRARY_PATH");
    make
}

/// An example in Rust. Cargo builds those for a test only if it is asked to.
pub fn example(name: &str) -> PathBuf {
    let program = library_folder().with_file_name("examples").join(name);
    assert!(
        program.exists(),
        "no example {name}: run the test with `cargo test --examples --test ...`"
    );
    program
}

/// The go command in `examples/go`, which finds the library beside this test by pkg-config, and nothing on the network; or
/// nothing, where either tool is missing.
pub fn go() -> Option<Command> {
    if !answers(Command::new("go").arg("version")) || !is_there(&mut Command::new("pkg-config")) {
        return None;
    }
    let mut command = Command::new("go");
    command
        .current_dir(source("examples/go"))
        .env("PKG_CONFIG_PATH", pkg_config_folder())
        .env("GOPROXY", "off");
    Some(command)
}

/// A folder with an oss_callback.pc that names the library beside this test.
fn pkg_config_folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let (folder, library) = (product("pkgconfig"), library_folder());
        let text = format!(
            "Name: oss_callback\nDescription: beside the tests\nVersion: {}\n\
             Cflags: -I{}\nLibs: -L{library} -Wl,-rpath,{library} -loss_callback\n",
            version(),
            source("include").display(),
            library = library.display(),
        );
        std::fs::create_dir_all(&folder).expect("writable");
        // Other tests may be reading it, so it is replaced as a whole.
        let new = folder.join(format!("{}.new", std::process::id()));
        std::fs::write(&new, text).expect("writable");
        std::fs::rename(new, folder.join("oss_callback.pc")).expect("writable");
        folder
    })
}

/// The version of the library.
fn version() -> String {
    let header = header();
    let (_, rest) = header
        .split_once("#define OSS_CALLBACK_VERSION \"")
        .expect("the header has a version");
    rest.split('"').next().expect("it ends").to_owned()
}

/// The header as it is committed.
pub fn header() -> String {
    let path = source("include/oss_callback.h");
    std::fs::read_to_string(path).expect("the header is committed")
}

/// The names of the functions that a library built with the feature `small` lacks.
pub fn of_a_small_library() -> BTreeSet<String> {
    let header = header();
    let blocks = header.split("#if !defined(OSS_CALLBACK_SMALL)\n").skip(1);
    let lacking = blocks.flat_map(|block| {
        let (lacking, _) = block
            .split_once("#endif /* OSS_CALLBACK_SMALL */\n")
            .expect("an end");
        prototypes_in(lacking)
    });
    lacking.map(|p| name_of(&p).to_owned()).collect()
}

/// The prototypes of the header, each on one line.
pub fn prototypes() -> Vec<String> {
    let header = header();
    let (_, functions) = header
        .split_once("extern \"C\" {")
        .expect("the functions follow the types");
    prototypes_in(functions)
}

/// Those of a piece of a header.
pub fn prototypes_in(functions: &str) -> Vec<String> {
    let mut code = String::new();
    for piece in functions.split("/**") {
        let (_, declaration) = piece.split_once("*/").unwrap_or_default();
        let lines = declaration.lines().filter(|line| !line.starts_with('#'));
        code.extend(lines.flat_map(|line| [line, "\n"]));
    }
    code.split_inclusive(';')
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .map(|text| text.replace("( ", "("))
        .filter(|text| text.ends_with(");") && !text.starts_with("typedef "))
        .collect()
}

/// The name of the function that a prototype declares.
pub fn name_of(prototype: &str) -> &str {
    let (head, _) = prototype.split_once('(').expect("a prototype");
    let start = head.rfind([' ', '*']).expect("a result before the name");
    &head[start + 1..]
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    command
        .output()
        .unwrap_or_else(|e| panic!("{command:?} cannot be started: {e}"))
}

/// Runs a command that must succeed, and gives back what it wrote.
pub fn succeed(command: &mut Command) -> String {
    let output = run(command);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{stdout}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    stdout
}
