//! What a small upload asks the allocator for, on a connection that is open already.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use crc_fast::{CrcAlgorithm, checksum};
use oss_callback::{
    CallbackSpec, Cancellation, Client, Error, ErrorKind, Receipt, SignatureVersion,
};
use support::{BUCKET, client_builder};

/// Counts what each thread asks for, growth of what it has included.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[allow(unsafe_code, reason = "an allocator cannot be written without it")]
// SAFETY: everything is the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// How many allocations a call takes on this thread, and what it gives.
fn allocations<T>(call: impl FnOnce() -> T) -> (usize, T) {
    let before = COUNT.get();
    let result = call();
    (COUNT.get() - before, result)
}

const CALLBACK_FAILED: &str = "callback-failed.jpg";

/// A server that answers as OSS does, and tells the headers of each request.
fn start() -> (String, Receiver<Vec<(String, String)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, tell) = (stream.unwrap(), tell.clone());
            std::thread::spawn(move || serve(stream, &tell));
        }
    });
    (endpoint, told)
}

fn serve(mut stream: TcpStream, tell: &Sender<Vec<(String, String)>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let failed = line.contains(CALLBACK_FAILED);
        let mut headers = Vec::new();
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.push((name.to_owned(), value.to_owned()));
        }
        let len = headers.iter().find(|(name, _)| name == "content-length");
        let mut body = vec![0; len.unwrap().1.parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        tell.send(headers).unwrap();

        let crc64 = checksum(CrcAlgorithm::Crc64Xz, &body);
        let (status, answer) = if failed {
            let error = "<Error><Code>CallbackFailed</Code><Message>Error status : 502.</Message>\
                         <RequestId>5C3D9175B6FC201293AD4890</RequestId><HostId>examplebucket</HostId>\
                         <EC>0007-00000203</EC></Error>";
            ("203 Non-Authoritative Information", error)
        } else {
            ("200 OK", r#"{"Status":"OK"}"#)
        };
        // In one piece, so that it comes in one piece.
        let answer = format!(
            "HTTP/1.1 {status}\r\n\
             Server: AliyunOSS\r\n\
             Date: Tue, 24 Nov 2026 05:00:00 GMT\r\n\
             Content-Type: application/json\r\n\
             Content-Length: {}\r\n\
             Connection: keep-alive\r\n\
             x-oss-request-id: 5C3D9175B6FC201293AD4890\r\n\
             ETag: \"5B3C1A2E053D763E1B002CC607C5A0FE\"\r\n\
             x-oss-hash-crc64ecma: {}\r\n\
             Content-MD5: WzwaLgU9dj4bACzGB8Wg/g==\r\n\
             x-oss-server-time: 5\r\n\
             \r\n\
             {answer}",
            answer.len(),
            crc64,
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn client(endpoint: &str, version: SignatureVersion) -> Client {
    let client = client_builder(endpoint).signature_version(version);
    client.build().unwrap()
}

/// With everything that a small upload has as a rule.
fn put(client: &Client, key: &str, body: &[u8]) -> (usize, Result<Receipt, Error>) {
    let spec = CallbackSpec::builder()
        .url("https://app.example.com/oss-callback")
        .body("filename=${object}&size=${size}&mimeType=${mimeType}&user=${x:user}")
        .variable("user", "4711")
        .build()
        .unwrap();
    let cancellation = Cancellation::new();
    let mut progress = 0;
    let (count, result) = allocations(|| {
        client
            .put_object(BUCKET, key)
            .callback(&spec)
            .compare_crc64(true)
            .progress(|sent, _| progress = sent)
            .timeout(Duration::from_secs(60))
            .cancellation(&cancellation)
            .send_bytes(body)
    });
    assert_eq!(progress, body.len() as u64);
    (count, result)
}

/// What ureq asks for by itself: the same request, built before, without callback, limits or progress.
fn put_with_ureq(
    agent: &ureq::Agent,
    url: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> usize {
    let mut request = http::Request::put(url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(body).unwrap();
    let (count, answer) = allocations(|| {
        let mut answer = agent.run(request).unwrap();
        let mut bytes = Vec::new();
        let mut body = answer.body_mut().as_reader();
        body.read_to_end(&mut bytes).map(|_| bytes)
    });
    assert_eq!(answer.unwrap(), br#"{"Status":"OK"}"#);
    count
}

#[test]
fn a_small_upload_allocates_little_and_nothing_per_block() {
    let (endpoint, told) = start();
    let (small, large) = (vec![7; 1024], vec![7; 1024 * 1024]);
    let config = ureq::Agent::config_builder();
    let config = config.user_agent("").accept("").accept_encoding("");
    let agent = ureq::Agent::new_with_config(config.build());
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        let client = client(&endpoint, version);
        let mut last_headers = Vec::new();
        let mut put = |key: &str, body: &[u8]| {
            let counted = put(&client, key, body);
            last_headers = told.recv().unwrap();
            counted
        };
        // Opens the connection, and makes what is made once.
        put("cat.jpg", &large).1.unwrap();

        let (of_large, result) = put("cat.jpg", &large);
        result.unwrap();
        let (of_failed, result) = put(CALLBACK_FAILED, &small);
        assert_eq!(result.unwrap_err().kind(), ErrorKind::CallbackFailed);
        let (of_small, result) = put("cat.jpg", &small);
        assert_eq!(result.unwrap().answer(), br#"{"Status":"OK"}"#);

        let url = format!("{endpoint}/{BUCKET}/cat.jpg");
        put_with_ureq(&agent, &url, &last_headers, &small);
        let of_ureq = put_with_ureq(&agent, &url, &last_headers, &small);
        assert_eq!(told.recv().unwrap(), last_headers);
        assert_eq!(told.recv().unwrap(), last_headers);

        println!(
            "{version:?}: {of_small} allocations for 1 KiB, {of_large} for 1 MiB, {of_failed} when \
             the callback fails; ureq alone takes {of_ureq}"
        );
        assert_eq!(of_small, of_large);
        assert!(
            of_small - of_ureq <= 25,
            "{of_small}, of which {of_ureq} are ureq's"
        );
        assert!(of_small <= 61 && of_failed <= 125);
    }
}
