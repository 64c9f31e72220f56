//! The program: its flags, its first line, its end, its record.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
    time::SystemTime,
};

use crate::client;
use crate::client::{Response, connect, presign::Version, put};
use local_oss::{Answer, Receiver};
use serde_json::{Value, json};

const README: &str = include_str!("../../README.md");

struct Program {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line
            .strip_prefix("listening http")
            .unwrap()
            .trim_start_matches('s')
            .strip_prefix("://")
            .unwrap()
            .trim_end()
            .parse()
            .unwrap();
        Self {
            child,
            stdout,
            address,
        }
    }

    /// Ends it by a signal: exit code, rest of stdout, stderr.
    fn end(mut self, signal: &str) -> (Option<i32>, String, String) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-s", signal, &process])
            .status()
            .unwrap();
        assert!(sent.success());
        let (mut out, mut log) = (String::new(), String::new());
        self.stdout.read_to_string(&mut out).unwrap();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut log)
            .unwrap();
        (self.child.wait().unwrap().code(), out, log)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-oss"));
    command.args(arguments);
    command
}

#[test]
fn a_signal_ends_it_cleanly() {
    for signal in ["INT", "TERM"] {
        let program = Program::start(&[]);
        let _idle = connect(program.address);
        let (code, out, log) = program.end(signal);
        assert_eq!((code, out.as_str()), (Some(0), ""), "{signal}");
        for default in [
            "http://127.0.0.1:",
            "cn-hangzhou",
            "examplebucket",
            "local-oss-key-id",
            "local-oss-key-secret",
        ] {
            assert!(log.contains(default), "{default}: {log}");
        }
    }
}

#[test]
fn a_server_that_is_started_again_gets_its_port_again() {
    let first = Program::start(&[]);
    let address = first.address.to_string();
    // A connection that the server closes first keeps its port occupied for a while.
    let mut client = connect(first.address);
    assert_eq!(put("a", "x").send_on(&mut client).status, 403);
    assert_eq!(first.end("TERM").0, Some(0));
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    drop(client);
    let second = Program::start(&["--listen", &address]);
    assert_eq!(second.address.to_string(), address);
}

#[test]
fn a_line_is_logged_for_each_request_and_callback() {
    let receiver = Receiver::start(|_| Answer::json("{}")).unwrap();
    let url = receiver.url("/");
    let callback = json!({ "callbackUrl": url, "callbackBody": "a" });
    let request = put("a", "hello").callback(&callback);
    let flags = ["--access-key-id", "AK", "--access-key-secret", "SK"];
    let program = Program::start(&flags);
    assert_eq!(request.send_on(&mut connect(program.address)).status, 200);
    let refused = put("a", "hello")
        .secret("wrong")
        .send_on(&mut connect(program.address));
    assert_eq!(refused.status, 403);
    let (_, _, log) = program.end("TERM");
    assert!(
        log.contains("PUT 127.0.0.1/examplebucket/a -> 200 in "),
        "{log}"
    );
    assert!(log.contains("-> 403 SignatureDoesNotMatch: "), "{log}");
    assert!(
        log.contains(&format!("callback {url} -> 200: accepted")),
        "{log}"
    );

    let quiet = Program::start(&[&flags[..], &["--quiet"]].concat());
    assert_eq!(request.send_on(&mut connect(quiet.address)).status, 200);
    assert_eq!(quiet.end("TERM").2, "");
}

#[test]
fn every_flag_reaches_the_server() {
    let key =
        serde_json::from_str::<Value>(include_str!("../vectors/callback_signature.json")).unwrap();
    let key = &key["test_keys"][1];
    let folder = std::env::temp_dir().join(format!("local-oss-flags-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let key_file = folder.join("key.pem");
    std::fs::write(&key_file, key["private_pkcs8_pem"].as_str().unwrap()).unwrap();

    let program = Program::start(&[
        "--listen",
        "127.0.0.1:0",
        "--bucket",
        "one-bucket",
        "--bucket",
        "examplebucket",
        "--access-key-id",
        "AK",
        "--access-key-secret",
        "SK",
        "--security-token",
        "token",
        "--region",
        "eu-central-1",
        "--callback-timeout",
        "0.2",
        "--callback-key",
        key_file.to_str().unwrap(),
        "--max-total-bytes",
        "10000",
        "--allow-origin",
        "http://one.example.com",
        "--allow-origin",
        "http://two.example.com",
    ]);
    let send = |request: client::Request| {
        request
            .header("x-oss-security-token", "token")
            .send_on(&mut connect(program.address))
    };
    assert_eq!(send(client::request("PUT", "/one-bucket/a")).status, 200);
    assert_eq!(
        send(put("a", vec![0; 10_000])).error(),
        (403, "QuotaExceeded".to_owned())
    );
    assert_eq!(
        put("a", "x").send_on(&mut connect(program.address)).status,
        403
    );
    let region =
        "OSS4-HMAC-SHA256 Credential=AK/20260101/cn-hangzhou/oss/aliyun_v4_request,Signature=00";
    let answer = put("a", "x").header("Authorization", region);
    let answer = send(answer.header("x-oss-date", "20260101T000000Z"));
    let message = answer.element("Message");
    assert_eq!(
        message.as_deref(),
        Some("Invalid signing region in Authorization header.")
    );
    for origin in ["http://one.example.com", "http://two.example.com"] {
        let answer = send(client::get("a").header("Origin", origin));
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
    }
    let silent = Receiver::start(|_| Answer::silence()).unwrap();
    let callback = json!({ "callbackUrl": silent.url("/"), "callbackBody": "a" });
    let answer = send(put("a", "x").callback(&callback));
    assert_eq!(
        answer.element("Message").as_deref(),
        Some("Cost too long time.")
    );
    let mut stream = connect(program.address);
    let request = b"GET /callback_pub_key_v1.pem HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).unwrap();
    assert_eq!(
        Response::read(&mut stream, "GET").text(),
        key["public_pem"].as_str().unwrap()
    );
    drop(program);

    let strict = Program::start(&[
        "--access-key-id",
        "AK",
        "--access-key-secret",
        "SK",
        "--strict",
        "--callback-key-bits",
        "1024",
    ]);
    let answer = put("a", "x")
        .callback(&callback)
        .send_on(&mut connect(strict.address));
    assert_eq!(answer.element("EC").as_deref(), Some("0007-00000008"));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_flags_of_tls_reach_the_server() {
    let folder = std::env::temp_dir().join(format!("local-oss-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let receiver = Receiver::start_tls(&[], |_| Answer::json("{}")).unwrap();
    std::fs::write(path("ca.pem"), receiver.certificate_pem().unwrap()).unwrap();
    let callback = json!({ "callbackUrl": receiver.url("/"), "callbackBody": "a" });
    let keys = ["--access-key-id", "AK", "--access-key-secret", "SK"];
    for (flags, status) in [
        (&["--callback-ca", &path("ca.pem")][..], 200),
        (&["--callback-insecure"], 200),
        (&[], 203),
    ] {
        let certificate = path("certificate.pem");
        let tls = ["--tls", "--certificate", &certificate];
        let program = Program::start(&[&keys[..], &tls, flags].concat());
        let pem = std::fs::read_to_string(&certificate).unwrap();
        let mut stream = client::tls::connect(program.address, "localhost", &pem);
        let answer = put("a", "x").callback(&callback).send_on(&mut stream);
        assert_eq!(answer.status, status, "{flags:?}: {}", answer.text());
        let (_, _, log) = program.end("TERM");
        assert!(log.contains(&certificate) && log.contains("https://127.0.0.1:"));
    }
    let (certificate, client) = (path("certificate.pem"), path("client.pem"));
    let tls = [
        "--tls",
        "--certificate",
        &certificate,
        "--client-certificate",
        &client,
    ];
    let program = Program::start(&[&keys[..], &tls].concat());
    let [pem, client] = [certificate, client].map(|file| std::fs::read_to_string(file).unwrap());
    let stream =
        client::tls::try_connect_as(program.address, "localhost", Some(&pem), Some(&client));
    assert_eq!(put("a", "x").send_on(&mut stream.unwrap()).status, 200);
    drop(program);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_happened_is_recorded_line_by_line() {
    let folder = std::env::temp_dir().join(format!("local-oss-record-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("record.jsonl");
    let program = Program::start(&[
        "--access-key-id",
        "AK",
        "--access-key-secret",
        "SK",
        "--record",
        file.to_str().unwrap(),
    ]);
    let receiver = Receiver::start(|_| Answer::new(200, "application/json", *b"\xff")).unwrap();
    let url = receiver.url("/a?b");
    let callback = json!({ "callbackUrl": url, "callbackBody": "size=${size}" });
    let request = put("目", "hello").resource("/examplebucket/目");
    let request = request.header("x-oss-meta-a", "b").callback(&callback);
    let answer = request.send_on(&mut connect(program.address));
    assert_eq!(answer.status, 203, "{}", answer.text());

    // Written through: everything is there when the uploader has its answer.
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    let request_id = answer.header("x-oss-request-id");
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64;
    for line in &lines {
        assert_eq!(line["request_id"].as_str(), request_id);
        assert_eq!(
            (line["bucket"].as_str(), line["key"].as_str()),
            (Some("examplebucket"), Some("目"))
        );
        assert!(now - line["time_ms"].as_u64().unwrap() < 60_000);
    }
    let stored = &lines[0];
    assert_eq!(
        (stored["event"].as_str(), stored["operation"].as_str()),
        (Some("stored"), Some("PutObject"))
    );
    assert_eq!(
        (stored["size"].as_u64(), stored["crc64"].as_str()),
        (Some(5), Some("11177612005948864433"))
    );
    assert_eq!(stored["etag"], "5D41402ABC4B2A76B9719D911017C592");
    assert_eq!(stored["content_type"], "application/octet-stream");
    assert_eq!(stored["headers"], json!([["x-oss-meta-a", "b"]]));
    let delivery = &lines[1];
    assert_eq!(
        (delivery["event"].as_str(), delivery["url"].as_str()),
        (Some("delivery"), Some(url.as_str()))
    );
    assert_eq!(
        (delivery["target"].as_str(), delivery["body"].as_str()),
        (Some("/a?b"), Some("size=5"))
    );
    assert_eq!(
        (delivery["accepted"].as_bool(), delivery["ec"].as_str()),
        (Some(false), Some("0007-00000205"))
    );
    assert_eq!(
        delivery["message"],
        "Response body is not valid json format."
    );
    assert_eq!(delivery["headers"][0], json!(["Host", "127.0.0.1"]));
    assert_eq!(delivery["answer"]["status"], 200);
    assert_eq!(delivery["answer"]["body_base64"], "/w==");
    assert!(
        delivery["answer"]["headers"]
            .as_array()
            .unwrap()
            .contains(&json!(["Content-Length", "1"]))
    );

    let begun = client::request("POST", "/examplebucket/a?uploads");
    let begun = begun.send_on(&mut connect(program.address));
    let text = std::fs::read_to_string(&file).unwrap();
    let multipart: Value = serde_json::from_str(text.lines().nth(2).unwrap()).unwrap();
    assert_eq!(
        (multipart["event"].as_str(), multipart["operation"].as_str()),
        (Some("multipart"), Some("InitiateMultipartUpload"))
    );
    assert_eq!(
        multipart["upload_id"].as_str(),
        begun.element("UploadId").as_deref()
    );
    assert_eq!(
        (&multipart["status"], &multipart["code"]),
        (&json!(200), &Value::Null)
    );

    // The README shows every member, and no other.
    let documented: Vec<Value> = README
        .split("```json\n")
        .skip(1)
        .map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap())
        .collect();
    let names =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(
        lines
            .iter()
            .chain([&multipart])
            .map(names)
            .collect::<Vec<_>>(),
        documented.iter().map(names).collect::<Vec<_>>()
    );

    // A second server appends.
    drop(program);
    let again = Program::start(&[
        "--access-key-id",
        "AK",
        "--access-key-secret",
        "SK",
        "--record",
        file.to_str().unwrap(),
    ]);
    put("b", "x").send_on(&mut connect(again.address));
    drop(again);
    let longer = std::fs::read_to_string(&file).unwrap();
    let added = longer.strip_prefix(&text).unwrap();
    assert_eq!(serde_json::from_str::<Value>(added).unwrap()["key"], "b");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn objects_survive_even_a_program_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("made/by it");
    let flags = [
        "--access-key-id",
        "AK",
        "--access-key-secret",
        "SK",
        "--data-dir",
    ];
    let flags = [&flags[..], &[data.to_str().unwrap()]].concat();
    let program = Program::start(&flags);
    let stored = put("a", "hello").send_on(&mut connect(program.address));
    assert_eq!(stored.status, 200);
    // Killed, not ended.
    drop(program);
    let program = Program::start(&flags);
    let mut stream = connect(program.address);
    assert_eq!(client::get("a").send_on(&mut stream).text(), "hello");
}

#[test]
fn help_and_readme_explain_every_flag() {
    let help = command(&["--help"]).output().unwrap();
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    let flags: Vec<&str> = help
        .split_whitespace()
        .filter(|word| word.starts_with("--"))
        .collect();
    assert!(flags.len() >= 15, "{flags:?}");
    for flag in flags {
        let (_, rest) = help.split_once(flag).unwrap();
        let explanation = rest.lines().nth(1).unwrap().trim();
        assert!(explanation.len() > 10, "{flag}");
        let everywhere = matches!(flag, "--help" | "--version");
        assert!(
            everywhere || README.contains(&format!("| `{flag}")),
            "{flag}"
        );
    }
}

#[test]
fn what_cannot_be_is_said_and_ends_it() {
    let other = Program::start(&[]);
    let taken = other.address.to_string();
    for (arguments, code, word) in [
        (&["--unknown"][..], 2, "--unknown"),
        (&["--callback-timeout", "0"], 2, "length of time"),
        (&["--callback-timeout", "soon"], 2, "not a number"),
        (&["--bucket", "Bad_Name"], 1, "Bad_Name"),
        (
            &["--allow-origin", "http://a.example.com/"],
            1,
            "is no origin",
        ),
        (&["--callback-key", "/no/such/file"], 1, "No such file"),
        (&["--callback-key-bits", "100"], 1, "512"),
        (&["--callback-ca", "/no/such/file"], 1, "No such file"),
        (&["--callback-ca", "Cargo.toml"], 1, "no certificate"),
        (&["--certificate", "/tmp/unused.pem"], 2, "--tls"),
        (&["--client-certificate", "/tmp/unused.pem"], 2, "--tls"),
        (
            &["--tls", "--certificate", "/no/such/folder/a.pem"],
            1,
            "No such file",
        ),
        (&["--listen", "nowhere"], 1, "local-oss: "),
        (&["--listen", &taken], 1, "in use"),
    ] {
        let output = command(arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(
            error.contains(word) && output.stdout.is_empty(),
            "{arguments:?}: {error}"
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_form_is_not_kept_in_memory() {
    const SIZE: usize = 128 * 1024 * 1024;
    let program = Program::start(&["--access-key-id", "AK", "--access-key-secret", "SK"]);
    let peak = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", program.child.id()));
        let status = status.unwrap();
        let (_, rest) = status.split_once("VmHWM:").unwrap();
        let kib = rest.split_whitespace().next().unwrap();
        kib.parse::<usize>().unwrap() * 1024
    };
    let upload = |size: usize| {
        let form = client::form::signed(Version::Four, "a", &json!([]), "the file").body();
        let at = form.windows(8).position(|bytes| bytes == b"the file");
        let (before, after) = (&form[..at.unwrap()], &form[at.unwrap() + 8..]);
        let length = (before.len() + size + after.len()).to_string();
        let head = client::form::post("/examplebucket/", "").without_length();
        let head = head.header("Content-Length", &length).head();
        let mut stream = connect(program.address);
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(before).unwrap();
        // Line ends, with which a boundary may always begin.
        let piece = b"\r\n-".repeat(64 * 1024);
        let mut left = size;
        while left > 0 {
            let count = left.min(piece.len());
            stream.write_all(&piece[..count]).unwrap();
            left -= count;
        }
        stream.write_all(after).unwrap();
        let answer = Response::read(&mut stream, "POST");
        assert_eq!(answer.status, 204, "{}", answer.text());
    };
    upload(20 * 1024 * 1024);
    let before = peak();
    upload(SIZE);
    // The kernel counts by processor, and roughly: the peak may even fall a little.
    let grown = peak().saturating_sub(before);
    assert!(grown < SIZE / 8, "{grown} bytes more");
}
