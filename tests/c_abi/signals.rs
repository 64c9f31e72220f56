//! A C program with signals at their defaults and a timer that interrupts every call: neither ends an upload,
//! in the clear or over TLS.

use std::process::Command;

use support::c;
use support::faults::{Action, Direction, Fault, FaultyNetwork};
use support::{BUCKET, KEY_ID, KEY_SECRET, server};

fn survives(program: &str, tls: bool, action: Action) {
    let server = server().tls(tls).start().unwrap();
    let fault = Fault {
        direction: Direction::Request,
        at: 1_000_000,
        action,
    };
    let network = FaultyNetwork::start(server.address(), fault, usize::MAX);
    let program = c::product(program);
    let mut compiler = c::c_compiler("c99");
    compiler
        .arg(c::source("tests/c/signals.c"))
        .arg("-o")
        .arg(&program);
    c::link(&mut compiler);
    c::succeed(&mut compiler);
    let scheme = if tls { "https" } else { "http" };
    let mut command = Command::new(program);
    command
        .arg(format!("{scheme}://{}", network.address()))
        .arg(server.endpoint())
        .env("OSS_ENDPOINT", server.endpoint())
        .env("OSS_REGION", "cn-hangzhou")
        .env("OSS_BUCKET", BUCKET)
        .env("OSS_ACCESS_KEY_ID", KEY_ID)
        .env("OSS_ACCESS_KEY_SECRET", KEY_SECRET)
        .env_remove("OSS_SESSION_TOKEN")
        .env_remove("LD_LIBRARY_PATH");
    if let Some(pem) = server.certificate_pem() {
        command.env("CA_BUNDLE", pem);
    }
    c::succeed(&mut command);
    let stored: Vec<String> = server
        .stored()
        .into_iter()
        .map(|stored| stored.key)
        .collect();
    assert_eq!(stored, ["whole"]);
}

#[test]
fn no_signal_ends_an_upload_in_the_clear() {
    survives("signals_reset.out", false, Action::Reset);
    survives("signals_cut.out", false, Action::Cut);
}

#[test]
#[cfg(feature = "tls")]
fn no_signal_ends_an_upload_over_tls() {
    survives("signals_tls_reset.out", true, Action::Reset);
    survives("signals_tls_cut.out", true, Action::Cut);
}
