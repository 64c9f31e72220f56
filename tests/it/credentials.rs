//! Credentials that expire, and signatures that are made elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use local_oss::Server;
use oss_callback::{
    Client, Credentials, CredentialsProvider, ErrorKind, SignatureVersion, Signer, Stored,
    StringToSign,
};
use sha1::Sha1;
use sha2::Sha256;
use support::{
    BUCKET, KEY_ID, KEY_SECRET, RawServer, TemporaryFile, agreeing_receiver, client_builder,
    header, server, spec,
};

const PART: u64 = 102_400;

fn client_of(endpoint: &str, credentials: Credentials) -> Client {
    client_builder(endpoint)
        .credentials(credentials)
        .build()
        .unwrap()
}

/// An application server that gives out tokens, each for so long.
struct Tokens {
    server: Arc<Server>,
    life: Duration,
    given: Arc<AtomicUsize>,
}

impl CredentialsProvider for Tokens {
    fn credentials(&self) -> Result<Credentials, Box<dyn std::error::Error + Send + Sync>> {
        let number = self.given.fetch_add(1, Ordering::SeqCst);
        let (id, expires) = (format!("STS.{number}"), SystemTime::now() + self.life);
        self.server
            .add_sts_credentials(&id, "secret", "token", expires);
        Ok(Credentials::new(id, "secret")
            .security_token("token")
            .expires_at(expires))
    }
}

#[test]
fn an_upload_outlives_its_tokens() {
    let server = Arc::new(server().start().unwrap());
    let receiver = agreeing_receiver();
    let given = Arc::new(AtomicUsize::new(0));
    let tokens = Tokens {
        server: server.clone(),
        life: Duration::from_secs(2),
        given: given.clone(),
    };
    let len = 30 * PART;
    let file = TemporaryFile::sparse("a", len);
    let client = client_of(server.endpoint(), Credentials::provider(tokens));
    // Five seconds, with tokens of two.
    client
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .bandwidth(len / 5)
        .callback(&spec(&receiver.url("/")))
        .send(file.path())
        .unwrap();
    assert_eq!(server.stored()[0].size, len);
    let given = given.load(Ordering::SeqCst);
    // One about every 1.6 s, not one for each of 32 requests.
    assert!((3..=8).contains(&given), "{given}");
    assert!(
        server
            .multipart_requests()
            .iter()
            .all(|request| request.status == 200)
    );
}

#[test]
fn a_token_that_oss_refuses_as_expired_is_replaced() {
    let server = Arc::new(server().start().unwrap());
    let given = Arc::new(AtomicUsize::new(0));
    let tokens = Tokens {
        server: server.clone(),
        // Whatever it says: somebody revokes it.
        life: Duration::from_secs(3600),
        given: given.clone(),
    };
    let client = client_of(server.endpoint(), Credentials::provider(tokens));
    client.put_object(BUCKET, "a").send_bytes(b"1").unwrap();
    server.expire_credentials("STS.0");
    let receipt = client.put_object(BUCKET, "b").send_bytes(b"2").unwrap();
    assert_eq!((receipt.attempts(), given.load(Ordering::SeqCst)), (2, 2));
    assert_eq!(receipt.history()[0].kind, ErrorKind::AccessDenied);

    // Fixed ones are what they are.
    let expires = SystemTime::now() + Duration::from_secs(60);
    server.add_sts_credentials("STS.fixed", "secret", "token", expires);
    let fixed = Credentials::new("STS.fixed", "secret").security_token("token");
    let client = client_of(server.endpoint(), fixed);
    server.expire_credentials("STS.fixed");
    let error = client.put_object(BUCKET, "c").send_bytes(b"3").unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::AccessDenied, 1)
    );
    assert_eq!(error.oss_code(), Some("SecurityTokenExpired"));
}

#[test]
fn a_provider_that_fails_ends_the_request_before_it_is_sent() {
    let raw = RawServer::answering("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n");
    let client = client_of(
        &raw.endpoint(),
        Credentials::provider(|| Err("no network".into())),
    );
    let error = client.put_object(BUCKET, "a").send_bytes(b"1").unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::CredentialsFailed, Stored::No)
    );
    assert_eq!(
        error.to_string(),
        "the credentials provider failed: no network"
    );
    assert_eq!(raw.requests(), 0);
}

fn hmac<M: Mac + KeyInit>(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Has the secret, and nothing of the library's.
struct Elsewhere;

impl Signer for Elsewhere {
    fn sign(
        &self,
        to_sign: &StringToSign<'_>,
    ) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let Some(scope) = to_sign.scope else {
            return Ok(STANDARD.encode(hmac::<Hmac<Sha1>>(KEY_SECRET.as_bytes(), to_sign.text)));
        };
        let key = scope.split('/').fold(
            format!("aliyun_v4{KEY_SECRET}").into_bytes(),
            |key, step| hmac::<Hmac<Sha256>>(&key, step),
        );
        let signature = hmac::<Hmac<Sha256>>(&key, to_sign.text);
        Ok(signature.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

#[test]
fn what_is_signed_elsewhere_is_the_same_on_the_wire() {
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        let head = |credentials: Credentials| {
            let raw = RawServer::answering(
                "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\ncontent-length: 0\r\n\r\n",
            );
            let endpoint = raw.endpoint();
            // The port is the only thing that may differ.
            let port = endpoint.rsplit(':').next().unwrap().to_owned();
            let client = client_builder(&endpoint)
                .signature_version(version)
                .credentials(credentials.security_token("token"))
                .build()
                .unwrap();
            client
                .put_object(BUCKET, "a b/目")
                .metadata("k", "v")
                .send_bytes(b"1")
                .unwrap();
            raw.head(0).replace(&port, "port")
        };
        // Made in the same second sooner or later.
        let same = (0..5).find_map(|_| {
            let here = head(Credentials::new(KEY_ID, KEY_SECRET));
            let there = head(Credentials::remote(KEY_ID, Elsewhere));
            let date = |head: &str| {
                header(head, "x-oss-date")
                    .or(header(head, "date"))
                    .unwrap()
                    .to_owned()
            };
            (date(&here) == date(&there)).then_some((here, there))
        });
        let (here, there) = same.unwrap();
        assert_eq!(here, there);
        assert!(header(&here, "authorization").is_some());
    }
}

#[test]
fn every_operation_can_be_signed_elsewhere() {
    let server = server().start().unwrap();
    let receiver = agreeing_receiver();
    let client = client_of(server.endpoint(), Credentials::remote(KEY_ID, Elsewhere));
    let file = TemporaryFile::sparse("a", 3 * PART);
    client
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .callback(&spec(&receiver.url("/")))
        .send(file.path())
        .unwrap();
    client.head_object(BUCKET, "o").send().unwrap();
    client.list_multipart_uploads(BUCKET).send().unwrap();
    client.delete_object(BUCKET, "o").send().unwrap();
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn a_signer_that_fails_or_lies_is_named() {
    let raw = RawServer::answering("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n");
    let signer = |signature: &'static str| {
        move |_: &StringToSign<'_>| -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
            match signature {
                "" => Err("the key is locked".into()),
                signature => Ok(signature.to_owned()),
            }
        }
    };
    for (signature, said) in [
        ("", "the signer failed: the key is locked"),
        (
            "abc",
            "the signer gave something other than 64 hexadecimal digits",
        ),
        (
            "\r\nX: y",
            "the signer gave something other than 64 hexadecimal digits",
        ),
    ] {
        let client = client_of(
            &raw.endpoint(),
            Credentials::remote(KEY_ID, signer(signature)),
        );
        let error = client.put_object(BUCKET, "a").send_bytes(b"1").unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::CredentialsFailed, Stored::No)
        );
        assert_eq!(error.to_string(), said);
    }
    assert_eq!(raw.requests(), 0);
}
