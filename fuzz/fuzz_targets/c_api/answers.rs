//! What the server answers: like OSS, unless the program's script says otherwise.

use std::net::SocketAddr;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::server::{self, Request};

/// What is left of the script, a byte for each answer, the first last.
static SCRIPT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

pub static SERVER: LazyLock<SocketAddr> = LazyLock::new(|| server::start(answer));

/// Begins a script; after its end every answer is good.
pub fn begin(script: &[u8]) {
    let script = script
        .iter()
        .rev()
        .map(|byte| byte.wrapping_sub(b'0'))
        .collect();
    *SCRIPT.lock().unwrap_or_else(PoisonError::into_inner) = script;
}

fn answer(request: &Request) -> Vec<u8> {
    let script = SCRIPT.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let error = "<Error><Code>CallbackFailed</Code><Message>Error status : 502.</Message>\
                 <EC>0007-00000203</EC><ArgumentName>callback</ArgumentName></Error>";
    match script.unwrap_or_default() {
        0..128 => good(request),
        choice => match choice % 16 {
            0 => said(
                "203 Non-Authoritative Information",
                "ETag: \"AB\"\r\n",
                error,
            ),
            1 => said("404 Not Found", "", "<Error><Code>NoSuchKey</Code></Error>"),
            2 => said(
                "403 Forbidden",
                "",
                "<Error><Code>RequestTimeTooSkewed</Code></Error>",
            ),
            3 => said(
                "403 Forbidden",
                "",
                "<Error><Code>SecurityTokenExpired</Code></Error>",
            ),
            4 => said("503 Service Unavailable", "Retry-After: 0\r\n", ""),
            5 => said("500 Internal Server Error", "", "<html>"),
            6 => said("409 Conflict", "x-oss-request-id: 5E1B\r\n", ""),
            7 => said("200 OK", "x-oss-hash-crc64ecma: 1\r\n", "{}"),
            8 => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec(),
            9 => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nz".to_vec(),
            10 => b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n".to_vec(),
            11 => b"SSH-2.0-x\r\n".to_vec(),
            12 => said("302 Found", "Location: http://127.0.0.1/\r\n", ""),
            13 => said("200 OK", "x-odd: \u{e4}\r\nETag: \"\"\r\n", "\0\u{e4}"),
            14 => said("400 Bad Request", "", error),
            _ => Vec::new(),
        },
    }
}

fn said(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let len = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {len}\r\n\r\n{body}").into_bytes()
}

fn good(request: &Request) -> Vec<u8> {
    let has = |name: &str| request.target.contains(name);
    match request.method.as_str() {
        "POST" if has("uploads") => said(
            "200 OK",
            "",
            "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
        ),
        "GET" if has("uploads") => said(
            "200 OK",
            "",
            "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated><Upload><Key>a%2Fb</Key>\
             <UploadId>u</UploadId><Initiated>2026-11-24T05:00:00.000Z</Initiated></Upload>\
             <CommonPrefixes><Prefix>c%2F</Prefix></CommonPrefixes></ListMultipartUploadsResult>",
        ),
        "GET" if has("uploadId") => said(
            "200 OK",
            "",
            "<ListPartsResult><IsTruncated>false</IsTruncated><Part><PartNumber>1</PartNumber>\
             <ETag>\"AB\"</ETag><Size>5</Size><HashCrc64ecma>7</HashCrc64ecma></Part></ListPartsResult>",
        ),
        "HEAD" => {
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"AB\"\r\nx-oss-hash-crc64ecma: 7\r\n\
            Last-Modified: Tue, 24 Nov 2026 05:00:00 GMT\r\nx-oss-object-type: Normal\r\n\r\n"
                .to_vec()
        }
        "GET" => said("200 OK", "ETag: \"AB\"\r\n", "hello"),
        "DELETE" => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        _ => said(
            "200 OK",
            "ETag: \"AB\"\r\nx-oss-request-id: 5E1B\r\nContent-Type: application/json\r\n",
            "{\"Status\":\"OK\"}",
        ),
    }
}
