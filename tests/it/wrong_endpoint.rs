//! A bucket that is at another endpoint than the client's: OSS refuses the request and names the right one.

use oss_callback::{ErrorKind, Stored};
use support::{BUCKET, RawServer, client_builder, spec};

use crate::every_request::{refuse, requests};

const RIGHT: &str = "oss-cn-beijing.aliyuncs.com";
const STATUSES: [&str; 4] = [
    "403 Forbidden",
    "301 Moved Permanently",
    "302 Found",
    "307 Temporary Redirect",
];

/// A server that names the right endpoint so, with these headers.
fn elsewhere(status: &'static str, headers: &'static str) -> RawServer {
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>AccessDenied</Code>\n  <Message>The bucket \
         you are attempting to access must be addressed using the specified endpoint.</Message>\n  \
         <RequestId>5C1B</RequestId>\n  <HostId>examplebucket.oss-cn-hangzhou.aliyuncs.com</HostId>\n  \
         <Bucket>examplebucket</Bucket>\n  <Endpoint>{RIGHT}</Endpoint>\n</Error>\n"
    );
    RawServer::start(move |connection| refuse(connection, status, headers, &document))
}

#[test]
fn the_right_endpoint_is_in_the_message_and_in_the_advice_of_every_request() {
    for status in STATUSES {
        for (name, request) in requests() {
            let server = elsewhere(status, "x-oss-request-id: 5C1B\r\n");
            // With the attempts that are usual: it is final.
            let client = client_builder(&server.endpoint()).build().unwrap();
            let error = request(&client).unwrap_or_else(|| panic!("{name} is refused"));
            let facts = (error.stored(), error.attempts(), server.requests());
            assert_eq!(facts, (Stored::No, 1, 1), "{name}, {status}: {error}");
            let kind = match status {
                "403 Forbidden" => ErrorKind::AccessDenied,
                _ => ErrorKind::Refused,
            };
            assert_eq!(error.kind(), kind, "{name}, {status}: {error}");
            let named = format!("; the bucket's endpoint is {RIGHT} (request 5C1B)");
            assert!(
                error.to_string().ends_with(&named),
                "{name}, {status}: {error}"
            );
            let advice = format!("Give the client the endpoint {RIGHT}");
            let diagnosis = error.diagnosis().unwrap_or_default();
            assert!(diagnosis.contains(&advice), "{name}, {status}: {diagnosis}");
            assert_eq!(error.detail("Endpoint"), Some(RIGHT), "{name}, {status}");
        }
    }
}

#[test]
fn whoever_is_not_oss_names_no_endpoint() {
    for status in STATUSES {
        for headers in ["", "x-oss-request-id: \r\n", "Server: AliyunOSS\r\n"] {
            let server = elsewhere(status, headers);
            let client = client_builder(&server.endpoint()).build().unwrap();
            let put = client.put_object(BUCKET, "a");
            let put = put.callback(&spec("http://app.example.com/"));
            let error = put.send_bytes(b"hello").unwrap_err();
            assert_eq!(
                (error.kind(), error.stored()),
                (ErrorKind::UnexpectedAnswer, Stored::Unknown),
                "{status}: {error}"
            );
            let diagnosis = error.diagnosis().unwrap();
            assert!(!diagnosis.contains(RIGHT), "{diagnosis}");
            assert!(!error.to_string().contains("; the bucket"), "{error}");
        }
    }
}
