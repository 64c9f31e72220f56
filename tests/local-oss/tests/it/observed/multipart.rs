//! Multipart uploads.

use super::Asked;
use crate::client::{
    multipart::{Upload, begin, bytes},
    put, request, start,
};

const PART: usize = 100 * 1024;

pub fn ask(id: &str) -> Option<Asked> {
    let server = start();
    let upload = begin(&server, "a");
    let parts = |sizes: &[usize]| -> Vec<(u32, String)> {
        let sizes = sizes.iter().zip(1..);
        sizes
            .map(|(size, number)| {
                (
                    number,
                    upload.send_part(&server, number, bytes(*size, number)),
                )
            })
            .collect()
    };
    let response = match id {
        "o-mp-01" | "o-mp-02" | "o-mp-03" => {
            assert_eq!(upload.abort().send(&server).status, 204);
            assert_eq!(put("source", "hello").send(&server).status, 200);
            match id {
                "o-mp-01" => upload.part(1, "hello"),
                "o-mp-02" => upload
                    .part(1, "")
                    .header("x-oss-copy-source", "/examplebucket/source"),
                _ => upload.abort(),
            }
        }
        "o-mp-04" => {
            let list = parts(&[PART]);
            upload.complete(&list).header("x-oss-complete-all", "yes")
        }
        "o-mp-05" => {
            parts(&[PART]);
            upload.complete_with("")
        }
        "o-mp-06" => upload.complete(&parts(&[64 * 1024, 64 * 1024, 1])),
        "o-mp-07" => {
            let mut list = parts(&[PART, PART, PART, PART]);
            list[3].1 = "Invalid-ETag".to_owned();
            upload.complete(&list)
        }
        "o-mp-08" => {
            let mut list = parts(&[PART]);
            list.push((2, list[0].1.clone()));
            upload.complete(&list)
        }
        "o-mp-09" => {
            let mut list = parts(&[PART, PART]);
            list.reverse();
            upload.complete(&list)
        }
        "o-mp-10" => upload.part(10_001, "hello"),
        "o-mp-11" => request("PUT", &format!("/examplebucket/a?uploadId={}", upload.id)).body("a"),
        "o-mp-12" => Upload {
            id: "never".to_owned(),
            ..upload.clone()
        }
        .part(2, "hello"),
        "o-mp-13" => upload
            .part(1, "hello")
            .header("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
        "o-mp-14" => upload.abort(),
        _ => return None,
    }
    .send(&server);
    let is_open = !server.open_uploads().is_empty();
    let ends = ["o-mp-01", "o-mp-02", "o-mp-03", "o-mp-14"].contains(&id);
    assert_eq!(is_open, !ends, "{id}: a refused request ends no upload");
    Some(Asked::of(response).stored(&server).word("as sent", "never"))
}
