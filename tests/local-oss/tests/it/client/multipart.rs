//! The requests of a multipart upload.

use crc64fast::Digest as Crc64;
use local_oss::Server;
use md5::{Digest, Md5};

use super::{Request, Response, builder, request};

/// A server that takes parts of any size.
pub fn start_for_small_parts() -> Server {
    builder().min_part_size(1).start().unwrap()
}

pub fn bytes(length: usize, seed: u32) -> Vec<u8> {
    (0..length as u32)
        .map(|index| (index.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

pub fn crc64(bytes: &[u8]) -> String {
    let mut crc64 = Crc64::new();
    crc64.write(bytes);
    crc64.sum64().to_string()
}

/// In upper case, as ETags are.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// What OSS makes the ETag of an object from.
pub fn etag_of(parts: &[&[u8]]) -> String {
    let md5s: String = parts.iter().map(|part| hex(&Md5::digest(part))).collect();
    format!("\"{}-{}\"", hex(&Md5::digest(md5s)), parts.len())
}

pub fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// What the client knows of an upload.
#[derive(Clone)]
pub struct Upload {
    pub key: String,
    pub id: String,
}

pub fn initiate(key: &str) -> Request {
    request("POST", &format!("/examplebucket/{key}?uploads"))
}

pub fn begin(server: &Server, key: &str) -> Upload {
    Upload::of(key, &initiate(key).send(server))
}

/// The body of CompleteMultipartUpload. ETags are as in the header of the answer.
pub fn part_list<E: AsRef<str>>(parts: &[(u32, E)]) -> String {
    let part = |(number, etag): &(u32, E)| {
        let etag = etag.as_ref();
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
    };
    let parts: String = parts.iter().map(part).collect();
    format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
}

impl Upload {
    pub fn of(key: &str, answer: &Response) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.text());
        Self {
            key: key.to_owned(),
            id: answer.element("UploadId").unwrap(),
        }
    }

    fn request(&self, method: &str) -> Request {
        let Self { key, id } = self;
        request(method, &format!("/examplebucket/{key}?uploadId={id}"))
    }

    pub fn part(&self, number: impl std::fmt::Display, body: impl Into<Vec<u8>>) -> Request {
        let Self { key, id } = self;
        let target = format!("/examplebucket/{key}?partNumber={number}&uploadId={id}");
        request("PUT", &target).body(body)
    }

    /// Uploads a part and returns its ETag as answered.
    pub fn send_part(&self, server: &Server, number: u32, body: impl Into<Vec<u8>>) -> String {
        let answer = self.part(number, body).send(server);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.header("ETag").unwrap().to_owned()
    }

    /// `parameters` are those that are not signed, such as `max-parts=1`.
    pub fn list_parts(&self, parameters: &str) -> Request {
        let Self { key, id } = self;
        let resource = format!("/examplebucket/{key}?uploadId={id}");
        let target = format!("{resource}&{parameters}");
        let resource = resource.strip_suffix('=').unwrap_or(&resource);
        request("GET", &target).resource(resource)
    }

    pub fn complete<E: AsRef<str>>(&self, parts: &[(u32, E)]) -> Request {
        self.complete_with(part_list(parts))
    }

    pub fn complete_with(&self, body: impl Into<Vec<u8>>) -> Request {
        self.request("POST").body(body)
    }

    pub fn complete_all(&self) -> Request {
        self.complete_with("").header("x-oss-complete-all", "yes")
    }

    pub fn abort(&self) -> Request {
        self.request("DELETE")
    }
}

impl Response {
    /// Every element of this name, in order.
    pub fn elements(&self, name: &str) -> Vec<String> {
        let (text, start, end) = (self.text(), format!("<{name}>"), format!("</{name}>"));
        let values = text.split(&start).skip(1);
        let values = values.map(|rest| rest.split_once(&end).unwrap().0.to_owned());
        values.collect()
    }
}
