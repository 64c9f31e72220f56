//! The C++ example does what its first lines say, on its own and by `make run`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use local_oss::{Answer, Receiver, RefusedAddress, Server};
use support::c;

use crate::compiler_is_there;

const SOURCE: &str = "examples/cpp/put_object.cpp";

fn put_object(name: &str, server: &Server, url: &str, file: Option<&Path>) -> Output {
    let program = c::product(&format!("cpp_example_{name}.out"));
    let mut compiler = c::cxx_compiler("c++17");
    compiler.arg(c::source(SOURCE)).arg("-o").arg(&program);
    c::link(&mut compiler);
    c::succeed(&mut compiler);
    let mut command = Command::new(program);
    command
        .args(file)
        .env("OSS_ENDPOINT", server.endpoint())
        .env("OSS_REGION", "cn-hangzhou")
        .env("OSS_BUCKET", "examplebucket")
        .env("OSS_ACCESS_KEY_ID", "id")
        .env("OSS_ACCESS_KEY_SECRET", "secret")
        .env_remove("OSS_SESSION_TOKEN")
        .env("OSS_CALLBACK_URL", url)
        .env_remove("LD_LIBRARY_PATH");
    c::run(&mut command)
}

fn server(secret: &str) -> Server {
    let server = Server::builder().credentials("id", secret);
    server.start().expect("a free port")
}

#[test]
fn it_prints_the_answer() {
    if !compiler_is_there() {
        return;
    }
    let receiver = Receiver::start(|_| Answer::json(r#"{"n":1}"#)).expect("a free port");
    let server = server("secret");
    let file = c::product("cpp_example.txt");
    fs::write(&file, "contents").expect("writable");
    for argument in [None, Some(file.as_path())] {
        let output = put_object("success", &server, &receiver.url("/"), argument);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(output.stdout, b"{\"n\":1}\n");
    }
    let object = |key| server.object("examplebucket", key);
    assert_eq!(object("hello.txt").as_deref(), Some(&b"hello"[..]));
    assert_eq!(object("cpp_example.txt").as_deref(), Some(&b"contents"[..]));
}

#[test]
fn it_says_whether_the_object_is_stored() {
    if !compiler_is_there() {
        return;
    }
    let refused = RefusedAddress::new().expect("a free port");
    for (secret, stored) in [
        ("secret", "It is stored: do not upload it again."),
        ("another", "It is not stored."),
    ] {
        let output = put_object("failure", &server(secret), &refused.url("/"), None);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(stderr.lines().last(), Some(stored), "{stderr}");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
}

#[test]
fn make_run_uploads_to_a_local_oss_that_it_starts() {
    if !compiler_is_there() || !c::is_there(&mut Command::new("make")) {
        return;
    }
    let mut make = c::make("examples/cpp", &c::product("cpp_make"));
    let stdout = c::succeed(
        make.arg(format!("FILE={}", c::source(SOURCE).display()))
            .arg("run"),
    );
    assert_eq!(
        stdout.matches("\n{\"Status\":\"OK\"}\n").count(),
        1,
        "{stdout}"
    );
}

/// What the README shows of it.
#[test]
fn it_is_short() {
    let source = fs::read_to_string(c::source(SOURCE)).expect("it is there");
    let (_, rest) = source.split_once("// README begin\n").expect("a begin");
    let (region, _) = rest.split_once("// README end").expect("an end");
    assert!((10..=25).contains(&region.trim_end().lines().count()));
}
