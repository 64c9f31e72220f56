//! Objects: what PutObject refuses, and objects that are not there.

use serde_json::Value;

use super::Asked;
use crate::client::{put, request, start};

/// The head of a picture, which is all that `imageInfo` looks at.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let head = [width.to_be_bytes(), height.to_be_bytes()].concat();
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(),
        &head,
        b"\x08\x02\0\0\0",
    ]
    .concat()
}

pub fn ask(id: &str, row: &Value) -> Option<Asked> {
    let server = start();
    let headers = &row["request"]["headers"];
    let sent = match id {
        // Hexadecimal digits, and those of the very content.
        "o-put-02" => put("a", "hello").header("Content-MD5", "5d41402abc4b2a76b9719d911017c592"),
        "o-put-01" | "o-put-04" => {
            let (name, value) = super::members(headers).next().unwrap();
            put("a", "hello").header(name, value.as_str().unwrap())
        }
        "o-put-03" => request("PUT", "/nosuchbucket/a").body("hello"),
        "o-put-05" => {
            assert_eq!(put("a", "hello").send(&server).status, 200);
            request("PUT", "/examplebucket/a?acl").header("x-oss-object-acl", "public")
        }
        "o-put-06" => request("DELETE", "/examplebucket/a"),
        "o-head-01" => request("HEAD", "/examplebucket/a"),
        "o-head-02" => request("HEAD", "/examplebucket/a?objectMeta"),
        "o-head-03" => request("GET", "/examplebucket/a"),
        _ => return None,
    };
    let answer = Asked::of(sent.send(&server)).stored(&server);
    Some(answer.word("as sent", "5d41402abc4b2a76b9719d911017c592"))
}
