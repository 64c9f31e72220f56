//! The preview of a callback is what is really sent, as far as anybody but OSS can know it.

use local_oss::{Answer, Receiver};
use oss_callback::{BodyType, CallbackSpec, ObjectFacts};
use support::{BUCKET, client, server};

const FORM: &str = "b=${bucket}&o=${object}&e=${etag}&s=${size}&m=${mimeType}&h=${imageInfo.height}&c=${crc64}\
    &d=${contentMd5}&v=${vpcId}&ip=${clientIp}&r=${reqId}&op=${operation}&u=${x:user}&n=${x:none}";

#[test]
fn what_is_delivered_is_what_was_previewed() {
    let server = server().start().unwrap();
    let failing = Receiver::start(|_| Answer::status(500)).unwrap();
    let agreeing = support::agreeing_receiver();
    let json = FORM
        .split('&')
        .map(|member| {
            let (name, value) = member.split_once('=').unwrap();
            format!("\"{name}\":{value}")
        })
        .collect::<Vec<_>>()
        .join(",");
    for (body_type, body) in [
        (BodyType::Form, FORM.to_owned()),
        (BodyType::Json, format!("{{{json}}}")),
    ] {
        for host in [None, Some("app.example.com")] {
            let mut builder = CallbackSpec::builder()
                .url(failing.url("/a%20b?x=%41#part"))
                .url(agreeing.url(""))
                .body(body.as_str())
                .body_type(body_type)
                .variable("user", "ä \"&\n")
                .variable("empty", "");
            if let Some(host) = host {
                builder = builder.host(host);
            }
            let spec = builder.build().unwrap();
            let put = client(server.endpoint()).put_object(BUCKET, "目/a b.txt");
            let receipt = put.callback(&spec).send_bytes(b"hello").unwrap();

            let facts = ObjectFacts::new(BUCKET, "目/a b.txt")
                .etag(receipt.etag().unwrap())
                .size(5)
                .mime_type("text/plain")
                .crc64(receipt.crc64().unwrap())
                .content_md5(receipt.header("content-md5").unwrap())
                .client_ip("127.0.0.1")
                .request_id(receipt.request_id().unwrap());
            let previews = spec.preview(&facts).unwrap();
            assert_eq!(previews.len(), 2);
            let delivered =
                [&failing, &agreeing].map(|receiver| receiver.requests().pop().unwrap());
            for (preview, request) in previews.iter().zip(delivered) {
                assert_eq!(preview.target(), request.target);
                assert_eq!(preview.body(), request.text());
                let names: Vec<&str> = preview.headers().map(|(name, _)| name).collect();
                let sent: Vec<&str> = request
                    .headers
                    .iter()
                    .map(|(name, _)| name.as_str())
                    .collect();
                assert_eq!(names, sent);
                for (name, value) in preview.headers() {
                    // local-oss signs with a key of its own.
                    if !value.starts_with('(') && name != "x-oss-pub-key-url" {
                        assert_eq!(Some(value), request.header(name), "{name}");
                    }
                }
            }
        }
    }
}
