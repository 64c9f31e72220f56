//! `local-oss send`: a callback without an upload.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use local_oss::{Answer, CallbackKey, Receiver, RefusedAddress};

fn send(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_local-oss"))
        .arg("send")
        .args(arguments)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn the_request_is_signed_and_shown_with_its_answer() {
    let receiver = Receiver::start(|_| Answer::json("{\"n\":1}")).unwrap();
    let (key, public) = (file("send_key.pem"), file("send_key.pem.pub"));
    let _ = fs::remove_file(&key);
    let image = file("send.txt");
    fs::write(&image, "12345678").unwrap();
    let url = receiver.url("/a%20b?c");
    let arguments = [
        url.as_str(),
        "--callback-key",
        key.to_str().unwrap(),
        "--body",
        "o=${object}&s=${size}&u=${x:user}&m=${mimeType}&b=${bucket}",
        "--variable",
        "user=a b",
        "--object",
        "x/y",
        "--file",
        image.to_str().unwrap(),
        "--key-url",
        "http://keys.example.com/k.pem",
    ];
    let output = send(&arguments);
    assert!(output.status.success(), "{output:?}");
    let body = "o=x%2Fy&s=8&u=a%20b&m=image%2Fjpeg&b=examplebucket";
    let said = text(&output);
    for part in [
        body,
        "POST /a%20b?c HTTP/1.1",
        "{\"n\":1}",
        "OSS would accept this",
    ] {
        assert!(said.contains(part), "no {part} in {said}");
    }

    // The key was made, and the next callback is signed with the same one.
    assert!(send(&arguments).status.success());
    let signer = CallbackKey::from_pem(&fs::read_to_string(&key).unwrap(), "").unwrap();
    assert_eq!(fs::read_to_string(public).unwrap(), signer.public_pem());
    let requests = receiver.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(request.text(), body);
        let expected = signer.sign("/a%20b?c", body.as_bytes());
        assert_eq!(request.header("authorization"), Some(expected.as_str()));
        // Base64 of the URL that was given.
        let key_url = "aHR0cDovL2tleXMuZXhhbXBsZS5jb20vay5wZW0=";
        assert_eq!(request.header("x-oss-pub-key-url"), Some(key_url));
    }
}

#[test]
fn what_oss_would_not_accept_fails_with_oss_message() {
    let failing = Receiver::start(|_| Answer::new(200, "text/plain", "OK")).unwrap();
    let output = send(&[&failing.url("/")]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output);
    assert!(
        said.contains("203, \"Response body is not valid json format.\" (0007-00000205)"),
        "{said}"
    );
    let refused = RefusedAddress::new().unwrap();
    let output = send(&[&refused.url("/")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("no answer: "), "{}", text(&output));
    // The second URL is tried after the first.
    let agreeing = Receiver::start(|_| Answer::json("{}")).unwrap();
    let output = send(&[
        "--json",
        "--body",
        "{}",
        &failing.url("/"),
        &agreeing.url("/"),
    ]);
    assert!(output.status.success());
    assert_eq!(failing.requests().len(), 2);
    assert_eq!(
        agreeing.requests()[0].header("content-type"),
        Some("application/json")
    );
}

#[test]
fn what_oss_would_refuse_is_not_sent() {
    let receiver = Receiver::start(|_| Answer::json("{}")).unwrap();
    let url = receiver.url("/");
    for (arguments, word) in [
        (&[url.as_str(), "--body", "$"][..], "Left brace"),
        (&["ftp://a"], "url configuration is invalid"),
        (&[&url, "--variable", "A=1"], "not expecten json"),
    ] {
        let output = send(arguments);
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(word), "{said}");
    }
    assert!(receiver.requests().is_empty());
}
