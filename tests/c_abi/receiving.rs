//! The application server's side of the C interface; part of `c_abi.rs`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use local_oss::{Answer, ReceivedRequest, Receiver};
use oss_callback::callback::{Permission, Sealer};
use oss_callback::{CallbackSpec, Client, Credentials};

use super::{Said, Scene, agreeing};

/// Uploads with the callback that a C program has sealed.
fn upload(scene: &Scene, sealed: &Said, object: &str, contents: &[u8]) {
    let spec =
        CallbackSpec::from_base64(sealed.value("callback"), Some(sealed.value("callback_var")));
    upload_with(scene, &spec.expect("Base64"), object, contents);
}

fn upload_with(scene: &Scene, spec: &CallbackSpec, object: &str, contents: &[u8]) {
    let client = Client::builder()
        .endpoint(scene.server.endpoint())
        .region("cn-hangzhou")
        .credentials(Credentials::new("id", "secret"))
        .build()
        .expect("it is complete");
    let put = client.put_object("examplebucket", object).callback(spec);
    put.send_bytes(contents).expect("the callback is answered");
}

/// Lets the C program receive a request that came.
fn receive(
    scene: &Scene,
    prefix: &str,
    target: &str,
    body: &str,
    request: &ReceivedRequest,
) -> Said {
    let mut arguments = vec![
        "receive",
        prefix,
        scene.server.public_key_url(),
        scene.server.public_key_pem(),
        request.method.as_str(),
        target,
        body,
    ];
    for (name, value) in &request.headers {
        arguments.extend([name.as_str(), value.as_str()]);
    }
    scene.run("receiving.c", &arguments)
}

fn last(receiver: &Receiver) -> ReceivedRequest {
    receiver.requests().pop().expect("a callback came")
}

#[test]
fn null_arguments_of_the_receiving_side_are_refused_by_name() {
    Scene::new().run("receiving_null_arguments.c", &[]);
}

#[test]
fn a_callback_is_sealed_verified_read_and_confirmed() {
    let receiver = agreeing();
    let scene = Scene::new();
    let url = receiver.url("/api/call%20back?id=1");
    let sealed = scene.run("receiving.c", &["seal", &url]);
    upload(&scene, &sealed, "photos/目 1.jpg", b"hello");
    let request = last(&receiver);
    for (prefix, target) in [
        ("", "/api/call%20back?id=1"),
        ("/api", "/call%20back?id=1"),
        ("/api", "/c%61ll%20back?id=1"),
    ] {
        let said = receive(&scene, prefix, target, &request.text(), &request);
        let stored = &scene.server.stored()[0];
        assert_eq!(said.value("code"), "OK", "{}", said.0);
        assert_eq!(said.value("status"), "200");
        assert_eq!(said.value("bucket"), "examplebucket");
        assert_eq!(said.value("object"), "photos/目 1.jpg");
        assert_eq!((said.value("size"), said.value("sealed_size")), ("5", "5"));
        assert_eq!(said.value("etag"), stored.etag);
        assert_eq!(said.value("confirmed_etag"), stored.etag);
        assert_eq!(said.value("crc64"), stored.crc64.to_string());
        assert_eq!(said.value("mime_type"), stored.content_type);
        assert_eq!(said.value("key_url"), scene.server.public_key_url());
        let signed = target.strip_prefix(prefix).unwrap_or(target);
        assert_eq!(
            said.value("signed_target"),
            format!("/api{}", signed.trim_start_matches("/api"))
        );
        let seen = ["first", "second", "third"].map(|time| said.value(time).to_owned());
        assert_eq!(seen, ["first", "repeated", "first"]);
    }
}

#[test]
fn what_is_forged_or_not_permitted_is_refused_with_its_code() {
    let receiver = Receiver::start(|_| Answer::json("{}")).expect("a free port");
    let scene = Scene::new();
    let sealed = scene.run("receiving.c", &["seal", &receiver.url("/cb")]);
    upload(&scene, &sealed, "photos/1.jpg", b"hello");
    let request = last(&receiver);

    let body = request.text().replace("4711", "4712");
    let said = receive(&scene, "", "/cb", &body, &request);
    assert_eq!(
        (said.value("code"), said.value("status")),
        ("BAD_SIGNATURE", "403")
    );
    assert!(
        said.value("diagnosis").contains("reverse proxy"),
        "{}",
        said.0
    );
    let said = receive(&scene, "/other", "/", &request.text(), &request);
    assert_eq!(said.value("code"), "BAD_SIGNATURE");
    assert!(
        said.value("message").contains("with the prefix `/other`"),
        "{}",
        said.0
    );

    for (object, contents, code) in [
        ("other/1.jpg", &b"hello"[..], "BAD_SEAL"),
        ("photos/1.jpg", b"hello hello", "SEAL_VIOLATED"),
    ] {
        upload(&scene, &sealed, object, contents);
        let request = last(&receiver);
        let said = receive(&scene, "", "/cb", &request.text(), &request);
        assert_eq!((said.value("code"), said.value("status")), (code, "403"));
    }
}

/// OSS has signed all of these.
#[test]
fn what_strangers_can_have_signed_is_told_from_what_was_permitted() {
    let receiver = agreeing();
    let scene = Scene::new();
    let url = receiver.url("/cb?id=1");
    let sealer = Sealer::new("2026-01", b"a secret of thirty-two bytes ...").expect("32 bytes");
    let seal = |seconds| {
        let permission = Permission::prefix("examplebucket", "photos/")
            .max_size(10)
            .valid_for(Duration::from_secs(seconds));
        let spec = CallbackSpec::builder()
            .url(&url)
            .body(
                "bucket=${bucket}&object=${object}&size=${size}&etag=${etag}&user=${x:user}&seal=${x:seal}",
            )
            .variable("user", "4711");
        sealer.seal(spec, &permission).expect("it is complete")
    };
    let in_anothers_template = |body: String| {
        let builder = CallbackSpec::builder().url(&url).body(body);
        builder.build().expect("it is complete")
    };
    let seal_of = |spec: &CallbackSpec| {
        let variables = STANDARD.decode(spec.callback_var().expect("there is a seal"));
        let variables: serde_json::Value =
            serde_json::from_slice(&variables.expect("Base64")).expect("JSON");
        variables["x:seal"].as_str().expect("a text").to_owned()
    };
    let spec = seal(600);
    let facts = "bucket=examplebucket&object=photos%2Fnone.jpg&size=5";
    let changed = format!("{facts}&user=4712&seal={}", seal_of(&spec));
    let copied = format!("{facts}&user=4711&seal={}", seal_of(&seal(600)));
    let twice = format!("{copied}&size=6");
    // In the order of the program.
    for (spec, object, contents) in [
        (&spec, "photos/1.jpg", &b"hello"[..]),
        (&spec, "photos/1.jpg", b"other"),
        (&spec, "other/1.jpg", b"hello"),
        (&spec, "photos/1.jpg", b"hello hello"),
        (&in_anothers_template(changed), "anything", b"x"),
        (&in_anothers_template(copied), "anything", b"x"),
        (&in_anothers_template(twice), "anything", b"x"),
        (&seal(3), "photos/1.jpg", b"hello"),
    ] {
        upload_with(&scene, spec, object, contents);
    }
    let key_url = STANDARD.encode(scene.server.public_key_url());
    let mut arguments = vec![
        scene.server.public_key_url().to_owned(),
        scene.server.public_key_pem().to_owned(),
        key_url,
    ];
    for request in receiver.requests() {
        let authorization = request.header("Authorization").expect("it is signed");
        arguments.extend([
            request.target.clone(),
            request.text(),
            authorization.to_owned(),
        ]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    scene.run("receiving_attacks.c", &arguments);
}

#[test]
fn a_callback_is_previewed_and_explained() {
    Scene::new().run("explain.c", &[]);
}
