//! nginx in front of an application server: what it does to the path is restored as configured, and named otherwise.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use local_oss::{ReceivedRequest, Server};
use oss_callback::callback::{VerifiedCallback, Verifier};
use oss_callback::{Error, ErrorKind};
use support::c;
use support::{BUCKET, agreeing_receiver, client, request_of, server, spec};

/// A running nginx; stopped when dropped.
struct Nginx {
    folder: PathBuf,
    address: String,
}

impl Nginx {
    /// On a port that is free until somebody else takes it first; then on another.
    fn start(application: &str) -> Nginx {
        let mut attempts = (0..5).map(|_| Nginx::try_start(application));
        let nginx = attempts.find_map(Result::ok);
        nginx.unwrap_or_else(|| panic!("{:?}", Nginx::try_start(application).err()))
    }

    fn try_start(application: &str) -> Result<Nginx, String> {
        let folder = c::product("nginx");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("logs")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = port.local_addr().unwrap().to_string();
        drop(port);
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {kind};"))
            .concat();
        let configuration = format!(
            "pid nginx.pid; error_log error.log; worker_processes 1; events {{}}\n\
             http {{ access_log off; {temporary}\n\
             server {{ listen {address};\n\
             location /api/ {{ proxy_pass http://{application}/; }}\n\
             location /named/ {{ proxy_set_header X-Original-URI $request_uri;\n\
             proxy_pass http://{application}/inner/; }} }} }}\n"
        );
        fs::write(folder.join("nginx.conf"), configuration).unwrap();
        let mut command = command(&folder);
        // As a daemon it comes back once it listens.
        let output = command.output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(Nginx { folder, address })
    }

    fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new("nginx");
    command
        .arg("-p")
        .arg(folder)
        .args(["-c", "nginx.conf", "-e", "error.log"]);
    command
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = command(&self.folder).args(["-s", "stop"]).status();
    }
}

fn verify(
    verifier: Verifier,
    server: &Server,
    received: &ReceivedRequest,
) -> Result<VerifiedCallback, Error> {
    verifier
        .trust_key_url_for_tests(server.public_key_url(), server.public_key_pem())
        .unwrap()
        .verify(&request_of(received))
}

#[test]
fn behind_nginx_a_callback_verifies_when_told_and_the_cause_is_named_otherwise() {
    // It knows no `--version`, and would take the word for an option.
    if !c::answers(Command::new("nginx").arg("-v")) {
        return;
    }
    let (oss, application) = (server().start().unwrap(), agreeing_receiver());
    let nginx = Nginx::start(&application.address().to_string());
    let upload = |target: &str| {
        let put = client(oss.endpoint()).put_object(BUCKET, "a");
        put.callback(&spec(&nginx.url(target)))
            .send_bytes(b"hello")
            .unwrap();
        application.requests().pop().unwrap()
    };

    // The prefix is stripped, and the path encoded anew.
    let target = "/api/c%61ll%20back/%E7%9B%AE?x=%41&y=%2f";
    let received = upload(target);
    assert!(
        !received.target.contains("api") && !received.target.contains("%61"),
        "{}",
        received.target
    );
    let verified = verify(Verifier::new().prepend_prefix("/api"), &oss, &received).unwrap();
    assert_eq!(verified.parse().unwrap().object(), Some("a"));
    let error = verify(Verifier::new(), &oss, &received).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadSignature);
    assert!(
        error
            .diagnosis()
            .unwrap()
            .contains("a reverse proxy that strips"),
        "{error:?}"
    );

    // Another path altogether, with the original in a header.
    let target = "/named/%E7%9B%AE?x=%41";
    let received = upload(target);
    assert!(
        received.target.starts_with("/inner/"),
        "{}",
        received.target
    );
    let trusting = Verifier::new().trust_target_header("X-Original-URI");
    assert_eq!(
        verify(trusting, &oss, &received).unwrap().signed_target(),
        target
    );
    let error = verify(Verifier::new(), &oss, &received).unwrap_err();
    assert!(
        error.diagnosis().unwrap().contains("X-Original-URI"),
        "{error:?}"
    );
}
