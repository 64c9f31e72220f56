//! The callback of CompleteMultipartUpload.

use std::io::Write;

use crate::client::{
    Response, base64,
    callback::{answering, callback},
    connect, get,
    multipart::{Upload, begin, crc64, etag_of, initiate, refused, start_for_small_parts},
    request,
};
use local_oss::{Answer, RefusedAddress, Server};
use serde_json::json;

/// An upload with one part of these bytes.
fn upload_of(server: &Server, key: &str, part: &[u8]) -> Upload {
    let upload = begin(server, key);
    upload.send_part(server, 1, part);
    upload
}

#[test]
fn the_answer_of_the_application_server_takes_the_place_of_the_result() {
    let server = start_for_small_parts();
    let receiver = answering(Answer::json(r#"{"Status":"OK"}"#));
    let begun = initiate("a/b").header("Content-Type", "text/x-a");
    let upload = Upload::of("a/b", &begun.send(&server));
    upload.send_part(&server, 1, "hello, ");
    upload.send_part(&server, 2, "world");
    let names = [
        "bucket",
        "object",
        "etag",
        "size",
        "mimeType",
        "crc64",
        "contentMd5",
        "operation",
        "reqId",
        "x:v",
    ];
    let body = names.map(|name| format!("{name}=${{{name}}}")).join("&");
    let callback = json!({ "callbackUrl": receiver.url("/"), "callbackBody": body });
    let answer = upload
        .complete_all()
        .callback(&callback)
        .callback_var(&json!({ "x:v": "1" }))
        .send(&server);
    assert_eq!(
        (answer.status, &answer.text()[..]),
        (200, r#"{"Status":"OK"}"#)
    );
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    let etag = etag_of(&[b"hello, ", b"world"]);
    let crc64 = crc64(b"hello, world");
    assert_eq!(answer.header("ETag"), Some(&etag[..]));
    assert_eq!(answer.header("x-oss-hash-crc64ecma"), Some(&crc64[..]));
    assert_eq!(answer.header("Content-MD5"), None);

    let request_id = answer.header("x-oss-request-id").unwrap();
    let expected = format!(
        "bucket=examplebucket&object=a%2Fb&etag={}&size=12&mimeType=text%2Fx-a&crc64={crc64}&contentMd5=&\
         operation=CompleteMultipartUpload&reqId={request_id}&x:v=1",
        etag.trim_matches('"')
    );
    assert_eq!(receiver.requests()[0].text(), expected);
    assert_eq!(receiver.requests().len(), 1);
    let delivery = &server.deliveries()[0];
    assert!(delivery.accepted && delivery.request_id == request_id && delivery.key == "a/b");
    let complete = server.multipart_requests().pop().unwrap();
    assert_eq!((complete.status, complete.code), (200, None));
}

#[test]
fn a_failed_callback_leaves_the_object_and_ends_the_upload() {
    let server = start_for_small_parts();
    let refusing = RefusedAddress::new().unwrap();
    let failing = answering(Answer::new(404, "application/json", "{}"));
    let lying = answering(Answer::json("not JSON"));
    for (url, message) in [
        (failing.url("/"), "Error status : 404."),
        (lying.url("/"), "Response body is not valid json format."),
        (refusing.url("/"), "Error status : 502."),
    ] {
        let upload = upload_of(&server, "a", b"hello");
        let complete = upload.complete_all().callback(&callback(&url));
        let answer = complete.send(&server);
        assert_eq!(answer.error(), refused(203, "CallbackFailed"));
        assert_eq!(answer.element("Message").as_deref(), Some(message));
        assert_eq!(answer.header("ETag"), Some(&etag_of(&[b"hello"])[..]));
        assert_eq!(
            answer.header("x-oss-hash-crc64ecma"),
            Some(&crc64(b"hello")[..])
        );
        assert!(answer.header("x-oss-ec").is_some() && answer.header("Content-MD5").is_none());
        assert_eq!(get("a").send(&server).text(), "hello");
        let noted = server.multipart_requests().pop().unwrap();
        assert_eq!(
            (noted.status, noted.code.as_deref()),
            (203, Some("CallbackFailed"))
        );
        assert_eq!(noted.size, Some(5));

        let deliveries = server.deliveries().len();
        assert_eq!(complete.send(&server).error(), refused(404, "NoSuchUpload"));
        assert_eq!(
            server.deliveries().len(),
            deliveries,
            "nothing is delivered twice"
        );
        request("DELETE", "/examplebucket/a").send(&server);
    }
}

#[test]
fn a_callback_counts_with_complete_alone() {
    let server = start_for_small_parts();
    let receiver = answering(Answer::json("{}"));
    let callback = callback(&receiver.url("/"));
    let begun = initiate("a").callback(&callback).send(&server);
    let upload = Upload::of("a", &begun);
    let part = upload.part(1, "x").callback(&callback).send(&server);
    assert_eq!((part.status, part.body.len()), (200, 0));
    let noted = server.multipart_requests();
    assert_eq!(
        noted[0].header("x-oss-callback"),
        Some(&base64(&callback)[..])
    );
    // Not even one that OSS would refuse matters before.
    let nonsense = initiate("b").header("x-oss-callback", "not Base64");
    assert_eq!(nonsense.send(&server).status, 200);
    let answer = upload.complete_all().send(&server);
    assert_eq!(answer.element("Key").as_deref(), Some("a"));
    assert!(server.deliveries().is_empty() && receiver.requests().is_empty());
}

#[test]
fn a_callback_that_oss_refuses_leaves_the_upload_open() {
    let server = start_for_small_parts();
    let upload = upload_of(&server, "a", b"x");
    let bad = upload.complete_all().header("x-oss-callback", "not Base64");
    let answer = bad.send(&server);
    assert_eq!(answer.error(), refused(400, "InvalidArgument"));
    assert_eq!(answer.element("ArgumentName").as_deref(), Some("callback"));
    assert!(server.stored().is_empty() && server.open_uploads().len() == 1);
    assert_eq!(upload.complete_all().send(&server).status, 200);
}

#[test]
fn nothing_is_delivered_for_a_complete_that_fails() {
    let server = start_for_small_parts();
    let receiver = answering(Answer::json("{}"));
    let callback = callback(&receiver.url("/"));
    let upload = upload_of(&server, "a", b"x");
    for (complete, code) in [
        (upload.complete(&[(1, "\"0\"")]), "InvalidPart"),
        (upload.complete_with("no XML"), "MalformedXML"),
    ] {
        let answer = complete.callback(&callback).send(&server);
        assert_eq!(answer.error(), refused(400, code));
    }
    upload.abort().send(&server);
    let late = upload.complete_all().callback(&callback).send(&server);
    assert_eq!(late.error(), refused(404, "NoSuchUpload"));
    assert!(server.deliveries().is_empty() && receiver.requests().is_empty());
}

#[test]
fn a_callback_in_the_query_is_delivered() {
    let server = start_for_small_parts();
    let receiver = answering(Answer::json("{}"));
    let upload = upload_of(&server, "a", b"hello");
    let value = base64(&callback(&receiver.url("/")));
    let encoded = value
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let Upload { key, id } = &upload;
    let answer = upload
        .complete_all()
        .target(&format!(
            "/examplebucket/{key}?callback={encoded}&uploadId={id}"
        ))
        .resource(format!(
            "/examplebucket/{key}?callback={value}&uploadId={id}"
        ))
        .send(&server);
    assert_eq!((answer.status, &answer.text()[..]), (200, "{}"));
    assert_eq!(receiver.requests()[0].text(), "object=a&size=5");
}

#[test]
fn of_many_completes_at_once_one_is_delivered() {
    let server = start_for_small_parts();
    let receiver = answering(Answer::json("{}"));
    let upload = upload_of(&server, "a", b"hello");
    let request = upload
        .complete_all()
        .callback(&callback(&receiver.url("/")));
    let mut streams: Vec<_> = (0..16).map(|_| connect(server.address())).collect();
    let head = request.head();
    let (last, first) = head.as_bytes().split_last().unwrap();
    for stream in &mut streams {
        stream.write_all(first).unwrap();
    }
    for stream in &mut streams {
        stream.write_all(&[*last]).unwrap();
    }
    let answers = streams.iter_mut();
    let mut statuses: Vec<u16> = answers
        .map(|stream| Response::read(stream, "POST").status)
        .collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[404; 15][..]));
    assert_eq!(
        (server.deliveries().len(), receiver.requests().len()),
        (1, 1)
    );
}

#[test]
fn an_image_may_be_made_of_parts() {
    let server = start_for_small_parts();
    let receiver = answering(Answer::json("{}"));
    let gif = b"GIF89a\x2c\x01\xc8\x00\x00\x00\x00rest";
    let upload = begin(&server, "a.gif");
    // The last first, so that the file has them the other way round.
    for number in (1..=gif.len()).rev() {
        upload.send_part(&server, number as u32, [gif[number - 1]]);
    }
    let callback = json!({
        "callbackUrl": receiver.url("/"),
        "callbackBody": "${imageInfo.width}x${imageInfo.height} ${imageInfo.format}",
    });
    let answer = upload.complete_all().callback(&callback).send(&server);
    assert_eq!(answer.status, 200);
    assert_eq!(receiver.requests()[0].text(), "300x200 gif");
}
