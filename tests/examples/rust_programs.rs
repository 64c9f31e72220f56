//! The Rust examples: against themselves, against a server of its environment, and interrupted.

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use support::c;
use support::{BUCKET, KEY_ID, KEY_SECRET, RawServer, TemporaryFile, agreeing_receiver, server};

/// An example without anything of our environment.
fn example(name: &str) -> Command {
    let mut command = Command::new(c::example(name));
    for name in [
        "ENDPOINT",
        "REGION",
        "BUCKET",
        "CALLBACK_URL",
        "CALLBACK_HOST",
        "SESSION_TOKEN",
    ] {
        command.env_remove(format!("OSS_{name}"));
    }
    command
}

fn with_environment(name: &str, endpoint: &str, callback_url: &str) -> Command {
    let mut command = example(name);
    command
        .env("OSS_ENDPOINT", endpoint)
        .env("OSS_REGION", "cn-hangzhou")
        .env("OSS_BUCKET", BUCKET)
        .env("OSS_CALLBACK_URL", callback_url)
        .env("OSS_ACCESS_KEY_ID", KEY_ID)
        .env("OSS_ACCESS_KEY_SECRET", KEY_SECRET);
    command
}

fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(both).unwrap()
}

/// Ctrl-C.
fn interrupt(child: &Child) {
    let arguments = ["-s", "INT", &child.id().to_string()].map(str::to_owned);
    assert!(
        Command::new("kill")
            .args(arguments)
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn it_needs_no_environment() {
    let output = example("put_object").output().unwrap();
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("The answer came back: {\"Status\":\"OK\"}"),
        "{text}"
    );
    let body = "filename=sample.txt&size=1048576&mimeType=text%2Fplain";
    assert!(
        text.contains(body) && text.contains("POST /callback"),
        "{text}"
    );
}

#[test]
fn it_uploads_to_the_server_of_its_environment() {
    let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
    let file = TemporaryFile::new("photo.jpg", b"contents");
    let output = with_environment("put_object", server.endpoint(), &receiver.url("/"))
        .args(["--object", "photos/1.jpg"])
        .arg(file.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(server.object(BUCKET, "photos/1.jpg").unwrap(), b"contents");
    assert_eq!(
        receiver.requests()[0].text(),
        "filename=photos%2F1.jpg&size=8&mimeType=image%2Fjpeg"
    );
}

#[test]
fn a_missing_variable_is_named() {
    let output = example("put_object")
        .env("OSS_ENDPOINT", "http://127.0.0.1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(
        text(&output).contains("OSS_CALLBACK_URL"),
        "{}",
        text(&output)
    );
}

#[test]
fn ctrl_c_ends_it_and_it_says_what_became_of_the_object() {
    let (sender, arrived) = std::sync::mpsc::channel();
    let raw = RawServer::start(move |connection| {
        connection.read_body();
        sender.send(()).unwrap();
        connection.wait_for_close();
    });
    let child = with_environment("put_object", &raw.endpoint(), "http://app.example.com/")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    arrived.recv().unwrap();
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("was cancelled") && text.contains("look whether"),
        "{text}"
    );
}

#[test]
fn a_large_file_goes_in_parts() {
    let output = example("upload_file").output().unwrap();
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    let body = "filename=sample.bin&size=67108864&mimeType=application%2Foctet-stream";
    assert!(text.contains(body), "{text}");
    assert!(
        text.contains("The answer came back: {\"Status\":\"OK\"}"),
        "{text}"
    );
}

#[test]
fn an_interrupted_large_file_goes_on_the_next_time() {
    let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
    // Larger than what fits on its way before the interruption comes.
    let file = TemporaryFile::sparse("video.mp4", 512 * 1024 * 1024);
    let checkpoint = file.path().with_extension("checkpoint");
    let upload = || {
        let mut command = with_environment("upload_file", server.endpoint(), &receiver.url("/"));
        command
            .args([
                "--object",
                "video.mp4",
                "--part-size",
                "1048576",
                "--checkpoint",
            ])
            .args([&checkpoint, file.path()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    };
    let parts = || {
        let requests = server.multipart_requests();
        requests
            .iter()
            .filter(|r| r.operation == "UploadPart" && r.status == 200)
            .count()
    };
    let child = upload().spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while parts() < 10 {
        assert!(Instant::now() < deadline, "no part comes");
        std::thread::yield_now();
    }
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(
        text(&output).contains("is open: the same command goes on"),
        "{}",
        text(&output)
    );
    // What was on its way when it ended has arrived by then.
    assert!(server.wait_until_idle(Duration::from_secs(30)));
    let output = upload().output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!((parts(), receiver.requests().len()), (512, 1));
}
