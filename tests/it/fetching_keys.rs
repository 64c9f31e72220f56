//! Keys are fetched from OSS's key host and nowhere else, once, and within limits.

use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;

use local_oss::{Answer, Receiver};
use oss_callback::callback::{FetchingKeys, FetchingKeysBuilder, KeySource, KnownKeys, PublicKey};
use oss_callback::{ErrorKind, RootCertificates};

const HOST: &str = "gosspublic.alicdn.com";

fn pem() -> String {
    let file = include_str!("../vectors/callback_signature.json");
    let file: serde_json::Value = serde_json::from_str(file).unwrap();
    file["test_keys"][2]["public_pem"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// A key host on this machine.
fn host(
    answer: impl Fn(&local_oss::ReceivedRequest) -> Answer + Send + Sync + 'static,
) -> Receiver {
    Receiver::start_tls(&[HOST], answer).unwrap()
}

fn from(host: &Receiver) -> FetchingKeysBuilder {
    FetchingKeys::builder()
        // A busy machine takes long for a handshake.
        .timeout(Duration::from_secs(30))
        .root_certificates(RootCertificates::None)
        .ca_bundle(host.certificate_pem().unwrap())
        .resolve(HOST, [host.address()])
}

fn url(version: &str) -> String {
    // Not even a callback that says http is answered by http.
    format!("http://{HOST}/callback_pub_key_v{version}.pem")
}

#[test]
fn an_unknown_key_is_fetched_by_https_and_kept() {
    let host = host(|_| Answer::new(200, "application/x-x509-ca-cert", pem()));
    let keys = from(&host).build().unwrap();
    let expected = PublicKey::from_pem(&pem()).unwrap();
    for _ in 0..3 {
        assert_eq!(keys.key(&url("2")).unwrap(), expected);
    }
    assert_eq!(
        keys.key(&url("2").replace("http", "https")).unwrap(),
        expected
    );
    let requests = host.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].target, "/callback_pub_key_v2.pem");
    assert_eq!(requests[0].server_name.as_deref(), Some(HOST));
    assert_eq!(requests[0].header("host"), Some(HOST));
}

#[test]
fn what_is_known_or_not_a_key_is_not_fetched() {
    let host = host(|_| Answer::new(200, "text/plain", pem()));
    let known = KnownKeys::new().add(&url("7"), &pem()).unwrap();
    let keys = from(&host).known_keys(known).build().unwrap();
    let production = KnownKeys::new().key(&url("1")).unwrap();
    assert_eq!(keys.key(&url("1")).unwrap(), production);
    assert_eq!(
        keys.key(&url("7")).unwrap(),
        PublicKey::from_pem(&pem()).unwrap()
    );
    for path in [
        "",
        "callback_pub_key_v2.pem?a",
        "callback_pub_key_v2.pem#",
        "x/../callback_pub_key_v2.pem",
    ] {
        let error = keys.key(&format!("https://{HOST}/{path}")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::KeyUnavailable, "{path}");
    }
    let error = keys
        .key("https://evil.example/callback_pub_key_v2.pem")
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyUnavailable);
    assert!(host.requests().is_empty());
}

#[test]
fn an_answer_that_is_no_key_is_a_failure_that_is_not_repeated() {
    let elsewhere = Receiver::start(|_| Answer::new(200, "text/plain", pem())).unwrap();
    let redirect = elsewhere.url("/callback_pub_key_v2.pem");
    let large = format!("{}{}", " ".repeat(16 * 1024), pem());
    for (answer, named) in [
        (
            Answer::new(302, "text/plain", "").header("Location", &redirect),
            "status 302",
        ),
        (Answer::status(404), "status 404"),
        (Answer::new(200, "text/plain", "no key"), "BEGIN PUBLIC KEY"),
        (Answer::new(200, "text/plain", large), "over 16384 bytes"),
        (Answer::close(), "closed the connection"),
    ] {
        let host = host(move |_| answer.clone());
        let keys = from(&host).build().unwrap();
        for _ in 0..3 {
            let error = keys.key(&url("2")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::KeyUnavailable);
            assert!(error.to_string().contains(named), "{named}: {error}");
        }
        assert_eq!(host.requests().len(), 1, "{named}");
    }
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn a_host_that_is_silent_is_given_up() {
    let default = format!("{:?}", FetchingKeys::builder());
    assert!(default.contains("timeout: 3s"), "{default}");
    let host = host(|_| Answer::silence());
    let keys = from(&host)
        .timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let error = keys.key(&url("2")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyUnavailable);
    assert!(error.to_string().contains("time limit"), "{error}");
}

#[test]
fn a_host_with_another_certificate_gives_no_key() {
    let host =
        Receiver::start_tls(&["evil.example"], |_| Answer::new(200, "text/plain", pem())).unwrap();
    let error = from(&host).build().unwrap().key(&url("2")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyUnavailable);
    assert!(host.requests().is_empty());
}

#[test]
fn many_threads_wait_for_one_fetch() {
    let (sender, gate) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let host = host(move |_| {
        // Until the test lets it go.
        gate.lock().unwrap().recv().unwrap();
        Answer::new(200, "text/plain", pem())
    });
    let keys = from(&host).build().unwrap();
    let barrier = Barrier::new(9);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    keys.key(&url("2"))
                })
            })
            .collect();
        barrier.wait();
        assert_eq!(host.wait_for_requests(1, Duration::from_secs(10)).len(), 1);
        sender.send(()).unwrap();
        for thread in threads {
            let key = thread.join().unwrap().unwrap();
            assert_eq!(key, PublicKey::from_pem(&pem()).unwrap());
        }
    });
    assert_eq!(host.requests().len(), 1);
}
