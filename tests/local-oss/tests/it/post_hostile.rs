//! Forms that no good client sends: the server answers 4xx or closes, stores nothing, and goes on serving others.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

use crate::client::{
    PATIENCE, Response, builder, connect,
    form::{BOUNDARY, post, signed},
    get,
    presign::Version,
    put, start,
};
use local_oss::Server;
use serde_json::json;

fn still_serves(server: &Server) {
    assert!(server.stored().is_empty());
    assert_eq!(put("still", "serves").send(server).status, 200);
    assert_eq!(get("still").send(server).text(), "serves");
}

fn field(name: &str, value: &str) -> String {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

fn good_form() -> Vec<u8> {
    let conditions = json!([{"bucket": "examplebucket"}]);
    signed(Version::Four, "a", &conditions, "hello").body()
}

/// Posts what may be no form at all.
fn error_of(server: &Server, body: impl Into<Vec<u8>>) -> (u16, String) {
    post("/examplebucket/", body).send(server).error()
}

fn malformed() -> (u16, String) {
    (400, "MalformedPOSTRequest".to_owned())
}

/// A chunked form that goes on until the server has had enough of it: what it answered then.
fn endless(server: &Server, start: &str, more: &str) -> Response {
    let head = post("/examplebucket/", "")
        .without_length()
        .header("Transfer-Encoding", "chunked")
        .head();
    let mut stream = connect(server.address());
    stream.write_all(head.as_bytes()).unwrap();
    // An empty chunk would be the last.
    write_chunk(&mut stream, &format!("{start}{more}")).unwrap();
    let mut reader = stream.try_clone().unwrap();
    // Writes until the connection ends, as nobody reads the answer yet.
    let writer = std::thread::spawn({
        let more = more.to_owned();
        move || while write_chunk(&mut stream, &more).is_ok() {}
    });
    let response = Response::read(&mut reader, "POST");
    reader.shutdown(Shutdown::Both).unwrap();
    writer.join().unwrap();
    response
}

fn write_chunk(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    stream.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())
}

#[test]
fn what_is_not_well_formed_is_refused() {
    let server = start();
    for body in [
        String::new(),
        "hello".to_owned(),
        "a=b&c=d".to_owned(),
        format!("--{BOUNDARY}"),
        format!("--{BOUNDARY}\r\n\r\nno head\r\n--{BOUNDARY}--"),
        format!("--{BOUNDARY}\r\nContent-Type: text/plain\r\n\r\nx\r\n--{BOUNDARY}--"),
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\nx\r\n--{BOUNDARY}--"),
        format!("--{BOUNDARY}\r\nno colon\r\n\r\nx\r\n--{BOUNDARY}--"),
        field("key", "a"),
        field("key", "a") + "--another--",
        // Line ends that are none.
        field("key", "a").replace("\r\n", "\n"),
    ] {
        assert_eq!(error_of(&server, body.as_bytes()), malformed(), "{body}");
    }
    let not_text = [field("key", "").as_bytes(), b"\xff\xfe"].concat();
    assert_eq!(error_of(&server, not_text), malformed());
    let mut not_text = field("key", "a").into_bytes();
    let at = not_text.len() - 3;
    not_text[at] = 0xff;
    let not_text = [not_text, format!("--{BOUNDARY}--").into_bytes()].concat();
    assert_eq!(error_of(&server, not_text), malformed());
    still_serves(&server);
}

#[test]
fn a_form_that_is_cut_anywhere_stores_nothing() {
    let server = start();
    let body = good_form();
    let last = body.windows(5).position(|bytes| bytes == b"hello").unwrap() + 5;
    let delimiter = last + format!("\r\n--{BOUNDARY}--").len();
    for length in (0..last).step_by(7).chain(last..delimiter) {
        // Said to be whole.
        assert_eq!(error_of(&server, &body[..length]), malformed(), "{length}");
    }
    for length in [0, 100, last, delimiter - 1] {
        // Said to be longer.
        let head = post("/examplebucket/", body.clone()).head();
        let mut stream = connect(server.address());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body[..length]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let answer = Response::try_read(&mut stream, "POST");
        let error = answer.map(|answer| answer.error());
        let expected = (400, "IncompleteBody".to_owned());
        assert!(error.is_none() || error == Some(expected), "{length}");
    }
    still_serves(&server);
    assert_eq!(error_of(&server, &body[..delimiter]).0, 204);
}

#[test]
fn a_form_that_comes_in_single_bytes_is_stored() {
    let server = start();
    let body = good_form();
    let request = post("/examplebucket/", body.clone());
    let mut stream = connect(server.address());
    stream.write_all(request.head().as_bytes()).unwrap();
    for byte in body.chunks(1) {
        stream.write_all(byte).unwrap();
    }
    assert_eq!(Response::read(&mut stream, "POST").status, 204);
    assert_eq!(get("a").send(&server).text(), "hello");
}

#[test]
fn fields_have_a_largest_length() {
    let server = start();
    let too_long = (400, "FieldItemTooLong".to_owned());
    let end = format!("--{BOUNDARY}--");
    let with = |name: usize, value: usize| {
        field("key", "a") + &field(&"n".repeat(name), &"x".repeat(value)) + &end
    };
    const MB: usize = 1024 * 1024;
    assert_eq!(error_of(&server, with(1, 2 * MB + 1)), too_long);
    assert_eq!(error_of(&server, with(1, 30_000_000)), too_long);
    assert_eq!(error_of(&server, with(8 * 1024 + 1, 1)), too_long);
    // Longer than any head is.
    assert_eq!(error_of(&server, with(30_000, 1)), too_long);
    assert_eq!(error_of(&server, with(8 * 1024, 2 * MB)), malformed());
    still_serves(&server);
}

#[test]
fn what_stands_before_the_file_has_a_largest_length() {
    let server = start();
    let too_much = (400, "MaxPOSTPreDataLengthExceededError".to_owned());
    let long = field("x:a", &"x".repeat(1_000_000));
    assert_eq!(error_of(&server, long.repeat(9)), too_much);
    assert_eq!(
        error_of(&server, field("x:a", "").repeat(250_000)),
        too_much
    );
    let preamble = "x".repeat(17_000_000);
    assert_eq!(error_of(&server, preamble), too_much);
    still_serves(&server);
}

#[test]
fn endless_forms_end() {
    let server = start();
    let long_head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"");
    let one_field = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n");
    let many_fields: Vec<String> = (0..100).map(|n| field(&format!("x:{n}"), "v")).collect();
    for (start, more, code) in [
        (
            "",
            many_fields.concat(),
            "MaxPOSTPreDataLengthExceededError",
        ),
        ("", "x".repeat(5_000), "MaxPOSTPreDataLengthExceededError"),
        (&one_field, "x".repeat(5_000), "FieldItemTooLong"),
        (&long_head, "x".repeat(5_000), "FieldItemTooLong"),
        (&long_head, "\"\r\nA: b".repeat(500), "FieldItemTooLong"),
    ] {
        let started = Instant::now();
        let answer = endless(&server, start, &more);
        assert_eq!(answer.error(), (400, code.to_owned()));
        assert!(started.elapsed() < PATIENCE);
    }
    still_serves(&server);
}

#[test]
fn forms_take_no_more_memory_than_the_server_has() {
    let server = builder().max_total_bytes(100_000).start().unwrap();
    let quota = (403, "QuotaExceeded".to_owned());
    let fields = field("x:a", &"x".repeat(60_000)).repeat(3);
    assert_eq!(error_of(&server, fields), quota);
    let conditions = json!([{"bucket": "examplebucket"}]);
    let file = signed(Version::Four, "a", &conditions, vec![b'x'; 100_000]);
    assert_eq!(file.send(&server).error(), quota);
    still_serves(&server);
    // All of it was given back.
    let fits = signed(Version::Four, "a", &conditions, vec![b'x'; 50_000]);
    assert_eq!(fits.send(&server).status, 204);
    assert_eq!(fits.send(&server).error(), quota);
}

#[test]
fn a_form_that_stops_is_given_up() {
    let server = builder()
        .idle_timeout(Duration::from_millis(300))
        .start()
        .unwrap();
    let body = good_form();
    for length in [0, 50, body.len() - 20] {
        let request = post("/examplebucket/", body.clone());
        let mut stream = connect(server.address());
        stream.write_all(request.head().as_bytes()).unwrap();
        stream.write_all(&body[..length]).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let text = String::from_utf8_lossy(&answer);
        assert!(text.contains("<Code>RequestTimeout</Code>"), "{text}");
    }
    still_serves(&server);
}

#[test]
fn odd_boundaries_are_taken_or_refused() {
    let server = start();
    let long = "b".repeat(300);
    for (boundary, status) in [
        (&*format!("\"{BOUNDARY}\""), 204),
        (&*format!("{BOUNDARY}; charset=utf-8"), 204),
        ("\"\"", 400),
        ("\"open", 400),
        (&long, 400),
        ("another", 400),
    ] {
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let request = post("/examplebucket/", good_form()).header("Content-Type", &content_type);
        assert_eq!(request.send(&server).status, status, "{boundary}");
    }
}
