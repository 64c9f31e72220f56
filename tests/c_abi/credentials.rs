//! Credentials and signatures that hooks give.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use crate::multipart::{PART, file};
use crate::{Scene, agreeing, keys_of};

#[test]
fn a_hook_gives_credentials() {
    let scene = Scene::new();
    let hour = SystemTime::now() + Duration::from_secs(3600);
    for id in ["STS.id", "STS.expired"] {
        scene
            .server
            .add_sts_credentials(id, "hidden", "token", hour);
    }
    scene.server.expire_credentials("STS.expired");
    scene.run("credentials_hook.c", &[]);
    let stored = scene.server.stored();
    assert_eq!(stored.len(), 3 + 3 + 1 + 40);
    assert!(stored.iter().all(|object| object.key == "object"));
}

#[test]
fn a_wrong_clock_is_corrected_before_1970_too() {
    let scene = Scene::new();
    let hour = SystemTime::now() + Duration::from_secs(3600);
    scene
        .server
        .add_sts_credentials("STS.id", "hidden", "token", hour);
    scene.run("wrong_clock.c", &[]);
    // With each wrong clock two from a hook, one of bytes and 21 for each way to say when credentials expire; before 1970
    // there is but one.
    assert_eq!(scene.server.stored().len(), 4 * (2 + 1 + 42) + (2 + 1 + 21));
}

#[test]
fn a_hook_signs_where_the_secret_is_not() {
    let (path, contents) = file("c_abi_signed.bin", 3 * PART);
    let receiver = agreeing();
    let scene = Scene::new().calling(receiver.url("/"));
    let hour = SystemTime::now() + Duration::from_secs(3600);
    scene
        .server
        .add_sts_credentials("STS.signed", "elsewhere", "token", hour);
    let port = sign_with("elsewhere").to_string();
    scene.run("signer_hook.c", &[&port, &path]);
    assert_eq!(keys_of(&scene.server.stored()), ["version 4", "version 1"]);
    for key in ["version 4", "version 1"] {
        assert!(scene.server.object("examplebucket", key).as_ref() == Some(&contents));
    }
    assert_eq!(receiver.requests().len(), 2);
}

#[test]
fn a_destroy_hook_is_called_once() {
    let scene = Scene::new();
    scene.run("destroy_hook.c", &[]);
    assert_eq!(keys_of(&scene.server.stored()), ["object"]);
}

/// A server that signs with this secret: it is sent version, scope and text, and answers with the signature.
fn sign_with(secret: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut asked = String::new();
            stream.read_to_string(&mut asked).expect("text");
            let mut fields = asked.splitn(3, '\n');
            let [version, scope, text] = [(); 3].map(|()| fields.next().expect("three fields"));
            let signature = match version {
                "1" => STANDARD.encode(hmac::<Hmac<Sha1>>(secret.as_bytes(), text)),
                "4" => {
                    let first = format!("aliyun_v4{secret}").into_bytes();
                    let key = scope
                        .split('/')
                        .fold(first, |key, step| hmac::<Hmac<Sha256>>(&key, step));
                    let signature = hmac::<Hmac<Sha256>>(&key, text);
                    signature.iter().map(|byte| format!("{byte:02x}")).collect()
                }
                other => panic!("version {other}"),
            };
            stream.write_all(signature.as_bytes()).expect("it is read");
        }
    });
    port
}

fn hmac<M: Mac + KeyInit>(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
