//! The application servers of `examples/`, each called back through local-oss: with a valid, a forged, a replayed and a
//! proxied callback. A language that is not on the machine is a named skip.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use local_oss::{Answer, Receiver, Server};
use oss_callback::callback::{Permission, Sealer};
use oss_callback::{CallbackSpec, ErrorKind};
use support::c;
use support::{BUCKET, client, server};

const SECRET: &str = "a secret of thirty-two bytes ...";

/// A server under test; killed when dropped.
struct Example {
    child: Child,
    address: String,
}

impl Example {
    fn start(mut command: Command, server: &Server) -> Example {
        let mut child = command
            .env("LISTEN", "127.0.0.1:0")
            .env("PORT", "0")
            .env("SEAL_SECRET", SECRET)
            .env("STRIPPED_PREFIX", "/api")
            .env("TEST_KEY_URL", server.public_key_url())
            .env("TEST_KEY", server.public_key_pem())
            .env_remove("LD_LIBRARY_PATH")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening http://");
        let address = address.unwrap_or_else(|| panic!("{command:?} says {line:?}"));
        Example {
            address: address.to_owned(),
            child,
        }
    }

    /// Sends a request, and gives back status and body.
    fn post(&self, target: &str, headers: &[(String, String)], body: &[u8]) -> (u16, Vec<u8>) {
        post(&self.address, target, headers, body)
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn post(address: &str, target: &str, headers: &[(String, String)], body: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut request = format!("POST {target} HTTP/1.1\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    stream
        .write_all(&[request.as_bytes(), b"\r\n", body].concat())
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer);
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let head = text
        .find("\r\n\r\n")
        .unwrap_or_else(|| panic!("{target}: {text:?}"));
    (status.unwrap(), answer[head + 4..].to_vec())
}

fn sealed(url: &str, object: &str) -> CallbackSpec {
    let permission = Permission::object(BUCKET, object)
        .max_size(10)
        .valid_for(Duration::from_secs(600));
    let builder = CallbackSpec::builder()
        .url(url)
        .body("bucket=${bucket}&object=${object}&size=${size}&etag=${etag}&seal=${x:seal}");
    let sealer = Sealer::new("2026-01", SECRET.as_bytes()).unwrap();
    sealer.seal(builder, &permission).unwrap()
}

fn drive(command: Command) {
    let oss = server().start().unwrap();
    let example = Example::start(command, &oss);
    let upload = |object: &str, contents: &[u8], spec: &CallbackSpec| {
        let put = client(oss.endpoint()).put_object(BUCKET, object);
        put.callback(spec).send_bytes(contents)
    };
    let refused = |result: Result<oss_callback::Receipt, oss_callback::Error>| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CallbackFailed, "{error}");
        assert_eq!(error.oss_message(), Some("Error status : 403."));
    };

    // Valid: OSS hands the answer to the uploader.
    let spec = sealed(
        &format!("http://{}/call%20back/%E7%9B%AE?id=%41", example.address),
        "a/目.txt",
    );
    let receipt = upload("a/目.txt", b"hello", &spec).unwrap();
    assert_eq!(receipt.answer(), br#"{"Status":"OK"}"#);

    // Once more, byte for byte: answered as before.
    let delivery = &oss.deliveries()[0];
    let (status, body) = example.post(&delivery.target, &delivery.headers, &delivery.body);
    assert_eq!((status, body.as_slice()), (200, &br#"{"Status":"OK"}"#[..]));

    // Forged: one byte of the body.
    let text = String::from_utf8(delivery.body.clone()).unwrap();
    let forged = text.replace("size=5", "size=6");
    assert_ne!(forged, text);
    assert_eq!(
        example
            .post(&delivery.target, &delivery.headers, forged.as_bytes())
            .0,
        403
    );
    let unsigned: Vec<_> = delivery
        .headers
        .iter()
        .filter(|(name, _)| name != "Authorization")
        .cloned()
        .collect();
    assert_eq!(
        example.post(&delivery.target, &unsigned, &delivery.body).0,
        403
    );

    // Replayed: the permission used a second time, and for another object.
    refused(upload("a/目.txt", b"other", &spec));
    refused(upload("b", b"hello", &spec));
    // Not permitted at all.
    let plain = support::spec(&format!("http://{}/", example.address));
    refused(upload("c", b"hello", &plain));

    // Proxied: something in front strips /api and encodes the path anew.
    let address = example.address.clone();
    let proxy = Receiver::start(move |request| {
        let target = request.target.strip_prefix("/api").unwrap();
        let target = target.replace("back", "b%61ck");
        let (status, body) = post(&address, &target, &request.headers, &request.body);
        Answer::new(status, "application/json", body)
    });
    let proxy = proxy.unwrap();
    let spec = sealed(&proxy.url("/api/call%20back?x=1"), "proxied");
    let receipt = upload("proxied", b"hello", &spec).unwrap();
    assert_eq!(receipt.answer(), br#"{"Status":"OK"}"#);
}

#[test]
fn the_rust_server_takes_what_was_permitted_once() {
    drive(Command::new(env!("CARGO_BIN_EXE_callback_server")));
}

#[test]
fn the_c_server_takes_what_was_permitted_once() {
    let program = c::product("callback_server.out");
    let mut compiler = c::c_compiler("gnu99");
    compiler
        .arg(c::source("examples/c/callback_server.c"))
        .arg("-o")
        .arg(&program);
    c::link(&mut compiler);
    c::succeed(&mut compiler);
    drive(Command::new(program));
}

#[test]
fn the_python_server_takes_what_was_permitted_once() {
    if !c::is_there(&mut Command::new("python3")) {
        return;
    }
    let mut command = Command::new("python3");
    command
        .arg(c::source("examples/python/callback_server.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env(
            "OSS_CALLBACK_LIBRARY",
            c::library_folder().join("liboss_callback.so"),
        );
    drive(command);
}

#[test]
fn the_go_server_takes_what_was_permitted_once() {
    let program = c::product("callback_server_go.out");
    let Some(mut build) = c::go() else { return };
    build.args(["build", "-o"]).arg(&program);
    c::succeed(build.arg("./callback_server"));
    drive(Command::new(program));
}

#[test]
fn each_server_is_short() {
    for file in [
        "callback_server/src/main.rs",
        "c/callback_server.c",
        "python/callback_server.py",
        "go/callback_server/callback_server.go",
    ] {
        let source = std::fs::read_to_string(c::source("examples").join(file)).unwrap();
        assert!(source.lines().count() < 100, "{file}");
    }
}
