//! Requests of every kind, for what holds of all of them, and a refusal in OSS's form.

use std::io::{Cursor, Read};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use oss_callback::{Client, Error, Part, PresignOptions};
use support::{BUCKET, Connection, TemporaryFile, spec};

/// A refusal with these headers and this document. A HEAD has none, but for the header `x-oss-err`.
pub fn refuse(connection: &mut Connection, status: &str, headers: &str, document: &str) {
    connection.read_body();
    let is_head = connection.head.starts_with("HEAD");
    let (body, header) = match is_head {
        true => ("", format!("x-oss-err: {}\r\n", STANDARD.encode(document))),
        false => (document, String::new()),
    };
    let len = document.len();
    connection.write(
        format!(
            "HTTP/1.1 {status}\r\n{headers}{header}Content-Type: application/xml\r\n\
             Content-Length: {len}\r\nConnection: close\r\n\r\n{body}"
        )
        .as_bytes(),
    );
}

/// A request, which is refused.
pub type Request = fn(&Client) -> Option<Error>;

/// Every kind of request, each by its name, of which each is sent once.
pub fn requests() -> Vec<(&'static str, Request)> {
    vec![
        ("put of a reader", |client| {
            let put = client.put_object(BUCKET, "a");
            put.send_reader(Cursor::new(b"x"), 1).err()
        }),
        ("put of a large reader", |client| {
            let put = client.put_object(BUCKET, "a");
            put.send_reader(std::io::repeat(0).take(1 << 20), 1 << 20)
                .err()
        }),
        ("put by a URL", |client| {
            let url = client
                .put_object(BUCKET, "a")
                .presign(&PresignOptions::expires_in(Duration::from_secs(60)))
                .unwrap();
            let put = client.put_object_with_url(&url);
            put.send_reader(Cursor::new(b"x"), 1).err()
        }),
        ("form", |client| {
            let form = client.post_policy(BUCKET).key("a").sign().unwrap();
            let post = client.post_object(&form);
            post.send_reader(Cursor::new(b"x"), 1).err()
        }),
        ("get", |client| {
            client
                .get_object(BUCKET, "a")
                .write_to(&mut Vec::new())
                .err()
        }),
        ("head", |client| {
            client.head_object(BUCKET, "a").send().err()
        }),
        ("delete", |client| {
            client.delete_object(BUCKET, "a").send().err()
        }),
        ("initiate", |client| {
            client.initiate_multipart_upload(BUCKET, "a").send().err()
        }),
        ("part of a reader", |client| {
            let part = client.multipart_upload(BUCKET, "a", "id").upload_part(1);
            part.send_reader(Cursor::new(b"x"), 1).err()
        }),
        ("list of parts", |client| {
            let upload = client.multipart_upload(BUCKET, "a", "id");
            upload.list_parts().send().err()
        }),
        ("list of uploads", |client| {
            client.list_multipart_uploads(BUCKET).send().err()
        }),
        ("complete", |client| {
            let upload = client.multipart_upload(BUCKET, "a", "id");
            let callback = spec("http://app.example.com/");
            let complete = upload.complete().callback(&callback);
            complete.send(&[Part::new(1, "A")]).err()
        }),
        ("abort", |client| {
            let upload = client.multipart_upload(BUCKET, "a", "id");
            upload.abort().send().err()
        }),
        ("upload of a file", |client| {
            let file = TemporaryFile::new("a", b"hello");
            client.upload_file(BUCKET, "a").send(file.path()).err()
        }),
    ]
}
