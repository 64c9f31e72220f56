//! The C examples do what their first lines say, on their own and by `make run`.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use local_oss::{Answer, Receiver, RefusedAddress, Server};
use support::c;

const SOURCE: &str = "examples/c/put_object.c";
const UPLOAD_FILE: &str = "examples/c/upload_file.c";

/// Runs put_object against a server and this URL of an application server.
fn put_object(program: &str, server: &Server, url: &str, arguments: &[&Path]) -> Output {
    let mut command = example(SOURCE, program, server.endpoint(), url);
    c::run(command.args(arguments))
}

/// Compiles an example, for a run against this endpoint and this URL of an application server.
fn example(source: &str, program: &str, endpoint: &str, url: &str) -> Command {
    let program = c::product(&format!("examples_{program}.out"));
    let mut compiler = c::c_compiler("c99");
    compiler.arg(c::source(source)).arg("-o").arg(&program);
    c::link(&mut compiler);
    c::succeed(&mut compiler);
    // `VALGRIND=valgrind cargo test --test examples c_programs` runs them under valgrind.
    let mut command = match std::env::var("VALGRIND") {
        Ok(valgrind) => {
            let mut command = Command::new(valgrind);
            command
                .args(["--quiet", "--error-exitcode=99"])
                .arg(program);
            command
        }
        Err(_) => Command::new(program),
    };
    command
        .env("OSS_ENDPOINT", endpoint)
        .env("OSS_REGION", "cn-hangzhou")
        .env("OSS_BUCKET", "examplebucket")
        .env("OSS_ACCESS_KEY_ID", "id")
        .env("OSS_ACCESS_KEY_SECRET", "secret")
        .env_remove("OSS_SESSION_TOKEN")
        .env("OSS_CALLBACK_URL", url)
        .env_remove("LD_LIBRARY_PATH");
    command
}

/// Each file of examples/c, as a careful user compiles it.
#[test]
fn every_c_example_compiles_without_a_warning() {
    let folder = fs::read_dir(c::source("examples/c")).expect("there are examples");
    let files = folder.map(|file| file.expect("readable").path());
    let files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let flags = ["-Wconversion", "-fsyntax-only"];
        c::succeed(c::c_compiler("c99").args(flags).arg(&file));
        // Each warns of what the other one overlooks.
        let clang = || c::compiler("", "clang", "c99");
        if c::is_there(&mut clang()) {
            c::succeed(clang().args(flags).arg(file));
        }
    }
}

fn server(secret: &str) -> Server {
    let server = Server::builder().credentials("id", secret);
    server.start().expect("a free port")
}

#[test]
fn the_c_example_prints_the_answer() {
    let receiver = Receiver::start(|_| Answer::json(r#"{"n":1}"#)).expect("a free port");
    let server = server("secret");
    let file = c::product("examples_file.txt");
    fs::write(&file, "contents").expect("writable");
    for arguments in [&[][..], &[file.as_path()]] {
        let output = put_object("success", &server, &receiver.url("/"), arguments);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(output.stdout, b"{\"n\":1}\n");
    }
    let object = |key| server.object("examplebucket", key);
    assert_eq!(object("hello.txt").as_deref(), Some(&b"hello"[..]));
    assert_eq!(
        object("examples_file.txt").as_deref(),
        Some(&b"contents"[..])
    );
}

#[test]
fn the_c_example_says_whether_the_object_is_stored() {
    let refused = RefusedAddress::new().expect("a free port");
    for (secret, stored) in [
        ("secret", "It is stored: do not upload it again."),
        ("another", "It is not stored."),
    ] {
        let output = put_object("failure", &server(secret), &refused.url("/"), &[]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(stderr.lines().last(), Some(stored), "{stderr}");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
}

#[test]
fn the_c_example_of_large_files_draws_a_bar() {
    let receiver = Receiver::start(|_| Answer::json(r#"{"n":1}"#)).expect("a free port");
    let server = server("secret");
    let contents = vec![7; 9 * 1024 * 1024];
    let file = c::product("examples_large.bin");
    fs::write(&file, &contents).expect("writable");
    let mut command = example(UPLOAD_FILE, "large", server.endpoint(), &receiver.url("/"));
    let output = c::run(command.arg(&file));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"{\"n\":1}\n");
    let last = stderr.split('\r').next_back().unwrap_or_default();
    assert!(
        last.starts_with("[##############################] 100 %"),
        "{stderr}"
    );
    assert!(server.object("examplebucket", "examples_large.bin") == Some(contents));
    assert_eq!(server.multipart_requests().len(), 4);
    assert!(!c::product("examples_large.bin.checkpoint").exists());
}

#[test]
fn the_c_example_of_large_files_ends_with_ctrl_c() {
    let file = c::product("examples_interrupted.bin");
    fs::write(&file, "contents").expect("writable");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", silent.local_addr().expect("it is bound"));
    let mut command = example(
        UPLOAD_FILE,
        "interrupted",
        &endpoint,
        "http://app.example.com/",
    );
    let child = command
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    // Whoever has connected has set its handler before.
    let _connection = silent.accept().expect("it connects");
    c::succeed(Command::new("kill").args(["-s", "INT", &child.id().to_string()]));
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr.contains("cancelled"), "{stderr}");
    let verdicts = ["It is not stored.", "Check whether it is stored."];
    assert!(
        verdicts.contains(&stderr.lines().last().unwrap_or_default()),
        "{stderr}"
    );
}

#[test]
fn make_run_uploads_to_a_local_oss_that_it_starts() {
    if !c::is_there(&mut Command::new("make")) {
        return;
    }
    let mut make = c::make("examples/c", &c::product("examples_make"));
    make.arg(format!("FILE={}", c::source(UPLOAD_FILE).display()))
        .args(["run", "run-upload_file"]);
    let stdout = c::succeed(&mut make);
    let answers = stdout.matches("\n{\"Status\":\"OK\"}\n").count();
    assert_eq!(answers, 2, "{stdout}");
}

/// What the README shows of it.
#[test]
fn the_c_example_is_short() {
    let source = fs::read_to_string(c::source(SOURCE)).expect("it is there");
    assert!(source.lines().count() < 60);
    let (_, rest) = source.split_once("/* README begin */\n").expect("a begin");
    let (region, _) = rest.split_once("/* README end */").expect("an end");
    assert!((10..=25).contains(&region.trim_end().lines().count()));
}
