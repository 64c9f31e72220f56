//! The example `callback`: explain, preview, verify.

use std::process::{Command, Output};

use oss_callback::CallbackSpec;
use support::c;
use support::{BUCKET, TemporaryFile, agreeing_receiver, client, server};

fn run(arguments: &[&str]) -> Output {
    Command::new(c::example("callback"))
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(both).unwrap()
}

fn spec(url: &str) -> CallbackSpec {
    CallbackSpec::builder()
        .url(url)
        .body("object=${object}&size=${size}&user=${x:user}")
        .variable("user", "4711")
        .build()
        .unwrap()
}

#[test]
fn it_explains_and_previews() {
    let spec = spec("http://app.example.com/cb");
    let both = [spec.callback(), spec.callback_var().unwrap()];
    let output = run(&[&["explain"][..], &both].concat());
    assert!(output.status.success());
    assert!(said(&output).contains("POST to http://app.example.com/cb"));
    let output = run(&[&["preview"][..], &both, &["--object", "a/b", "--size", "7"]].concat());
    assert!(output.status.success());
    let said_by_it = said(&output);
    assert!(
        said_by_it.contains("POST /cb HTTP/1.1\nHost: app.example.com\n"),
        "{said_by_it}"
    );
    assert!(
        said_by_it.contains("\n\nobject=a%2Fb&size=7&user=4711\n"),
        "{said_by_it}"
    );
    let output = run(&["explain", "e30="]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("Wrong: "));
}

#[test]
fn it_verifies_a_request_that_came() {
    let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
    let put = client(server.endpoint()).put_object(BUCKET, "a/b");
    put.callback(&spec(&receiver.url("/api/cb?x")))
        .send_bytes(b"hello")
        .unwrap();
    let request = &receiver.requests()[0];
    let mut raw = "POST /cb?x HTTP/1.1\r\n".to_owned();
    for (name, value) in &request.headers {
        raw.push_str(&format!("{name}: {value}\r\n"));
    }
    let file = TemporaryFile::new(
        "callback.txt",
        format!("{raw}\r\n{}", request.text()).as_bytes(),
    );
    let key = TemporaryFile::new("callback.pem", server.public_key_pem().as_bytes());
    let (file, key) = (file.path().to_str().unwrap(), key.path().to_str().unwrap());
    let trusting = [
        "verify",
        file,
        "--key-url",
        server.public_key_url(),
        "--key",
        key,
    ];

    let output = run(&[&trusting[..], &["--prepend-prefix", "/api"]].concat());
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        said(&output).contains("It is OSS's, sent to /api/cb?x.\n  object = a/b\n  size = 5\n"),
        "{}",
        said(&output)
    );
    let output = run(&trusting);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("reverse proxy"), "{}", said(&output));
    let output = run(&["verify", file]);
    assert!(
        said(&output).contains("gosspublic.alicdn.com"),
        "{}",
        said(&output)
    );
}
