//! What is said, shown and logged never holds a secret.

use std::sync::{Mutex, PoisonError};

use oss_callback::{CallbackSpec, Credentials, SignatureVersion};
use support::{BUCKET, RawServer, client_builder, server};

static LOGGED: Mutex<String> = Mutex::new(String::new());

struct Listener;

impl log::Log for Listener {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        // At this level ureq's protocol crate dumps every byte that goes over the wire; the README says so.
        // What never goes over the wire must not be there either.
        if record.level() == log::Level::Trace {
            assert!(!record.args().to_string().contains("THE-SECRET"));
            return;
        }
        let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
        logged.push_str(&format!("{}: {}\n", record.target(), record.args()));
    }

    fn flush(&self) {}
}

#[test]
fn neither_errors_nor_debug_output_nor_logs_hold_a_secret() {
    log::set_logger(&Listener).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    let refused = local_oss::RefusedAddress::new().unwrap();
    let secrets = ["THE-SECRET", "THE-TOKEN", "THE-VARIABLE"];
    let spec = CallbackSpec::builder()
        .url(refused.url("/"))
        .body("a=${x:a}")
        .variable("a", "THE-VARIABLE")
        .build()
        .unwrap();
    let encoded = spec.callback_var().unwrap().to_owned();
    let server = server()
        .sts_credentials("sts-id", "another", "another")
        .start()
        .unwrap();
    let lost = RawServer::answering("");
    let mut said = String::new();
    for endpoint in [
        server.endpoint().to_owned(),
        lost.endpoint(),
        refused.url(""),
    ] {
        for version in [SignatureVersion::V1, SignatureVersion::V4] {
            let credentials = Credentials::new("sts-id", "THE-SECRET").security_token("THE-TOKEN");
            let builder = client_builder(&endpoint)
                .credentials(credentials)
                .signature_version(version);
            said.push_str(&format!("{builder:?}"));
            let client = builder.build().unwrap();
            let put = client.put_object(BUCKET, "a").callback(&spec);
            said.push_str(&format!("{client:?} {put:?} {spec:?}"));
            let error = put.send_bytes(b"x").unwrap_err();
            said.push_str(&format!(
                "{error} {error:?} {:?}",
                std::error::Error::source(&error)
            ));
        }
    }
    let logged = LOGGED.lock().unwrap().clone();
    assert!(
        logged.contains("ureq"),
        "nothing was logged, so nothing was tried"
    );
    for secret in secrets.iter().copied().chain([encoded.as_str()]) {
        assert!(!said.contains(secret), "{secret} is said: {said}");
        assert!(!logged.contains(secret), "{secret} is logged: {logged}");
    }
}
