//! The C ABI from other languages. A language that is not on the machine is a named skip, which
//! `OSS_CALLBACK_ALL_FACES=1` turns into a failure.

mod c;
mod support;

use std::path::Path;
use std::process::Command;

use support::{KEY_ID, KEY_SECRET, agreeing_receiver, server};

#[test]
fn python_uploads_through_ctypes() {
    if !c::is_there(&mut Command::new("python3")) {
        return;
    }
    let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
    let library = std::env::current_exe()
        .unwrap()
        .with_file_name("liboss_callback.so");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/ctypes_smoke.py");
    let output = Command::new("python3")
        .arg(script)
        .env("LIBRARY", library)
        .env("OSS_ENDPOINT", server.endpoint())
        .env("OSS_CALLBACK_URL", receiver.url("/"))
        .env("OSS_ACCESS_KEY_ID", KEY_ID)
        .env("OSS_ACCESS_KEY_SECRET", KEY_SECRET)
        .env_remove("OSS_SESSION_TOKEN")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.stdout, b"{\"Status\":\"OK\"}\n");
    assert_eq!(receiver.requests()[0].text(), "size=5");
}
