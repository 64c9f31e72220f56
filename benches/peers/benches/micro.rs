//! How long the parts of an upload and of a callback take that are none of the network's.
//!
//! ```sh
//! cargo bench --manifest-path benches/peers/Cargo.toml --bench micro    # or with a part of a name
//! ```

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use oss_callback::callback::{CallbackBody, CallbackRequest, Permission, Sealer, Verifier};
use oss_callback::{
    BodyTemplate, CallbackSpec, Client, Credentials, Error, ObjectFacts, PresignOptions,
    PresignedUrl, SignatureVersion,
};

fn main() {
    // Long enough that a row comes out alike from run to run.
    let rows = divan::Divan::default().min_time(Duration::from_millis(500));
    rows.config_with_args().main();
}

/// The callback of OSS's samples, with a variable.
fn spec() -> CallbackSpec {
    CallbackSpec::builder()
        .url("https://app.example.com/oss-callback")
        .body("filename=${object}&size=${size}&mimeType=${mimeType}&user=${x:user}")
        .variable("user", "4711")
        .build()
        .unwrap()
}

fn client(version: SignatureVersion) -> Client {
    Client::builder()
        .endpoint("http://oss-cn-hangzhou.aliyuncs.com")
        .credentials(Credentials::new("access-key-id", "access-key-secret"))
        .signature_version(version)
        .build()
        .unwrap()
}

/// A signature is made of the request, and the request put together around it: here as a URL.
mod sign {
    use super::*;

    fn presign(client: &Client, spec: &CallbackSpec) -> Result<PresignedUrl, Error> {
        let options = PresignOptions::expires_in(Duration::from_secs(600));
        let put = client.put_object("examplebucket", black_box("photos/cat.jpg"));
        put.content_type("image/jpeg")
            .callback(spec)
            .presign(&options)
    }

    #[divan::bench(args = [SignatureVersion::V1, SignatureVersion::V4])]
    fn url(bencher: Bencher, version: &SignatureVersion) {
        let (client, spec) = (client(*version), spec());
        bencher.bench(|| presign(&client, &spec).unwrap());
    }

    /// As on the first request of a day: with the key that the others of that day use again.
    #[divan::bench(args = [SignatureVersion::V1, SignatureVersion::V4])]
    fn url_with_new_credentials(bencher: Bencher, version: &SignatureVersion) {
        let spec = spec();
        bencher
            .with_inputs(|| client(*version))
            .bench_refs(|client| presign(client, &spec).unwrap());
    }

    #[divan::bench(args = [SignatureVersion::V1, SignatureVersion::V4])]
    fn form(bencher: Bencher, version: &SignatureVersion) {
        let (client, spec) = (client(*version), spec());
        bencher.bench(|| {
            let policy = client.post_policy("examplebucket").callback(&spec);
            policy.key(black_box("photos/cat.jpg")).sign().unwrap()
        });
    }
}

/// What an uploader does with a callback.
mod callback {
    use super::*;

    #[divan::bench]
    fn encode() -> CallbackSpec {
        spec()
    }

    #[divan::bench]
    fn check(bencher: Bencher) {
        let spec = spec();
        bencher.bench(|| spec.check().unwrap());
    }

    fn preview(bencher: Bencher, body: impl Into<BodyTemplate>) {
        let spec = CallbackSpec::builder()
            .url("https://app.example.com/oss-callback")
            .body(body)
            .variable("user", "4711")
            .build()
            .unwrap();
        let facts = ObjectFacts::new("examplebucket", "photos/cat.jpg")
            .size(1024)
            .mime_type("image/jpeg");
        bencher.bench(|| spec.preview(&facts).unwrap());
    }

    #[divan::bench]
    fn preview_form(bencher: Bencher) {
        preview(
            bencher,
            "filename=${object}&size=${size}&mimeType=${mimeType}&user=${x:user}",
        );
    }

    #[divan::bench]
    fn preview_json(bencher: Bencher) {
        preview(
            bencher,
            BodyTemplate::from(r#"{"filename":${object},"size":${size},"user":${x:user}}"#),
        );
    }

    #[divan::bench]
    fn seal(bencher: Bencher) {
        let sealer = Sealer::new("key-1", b"a secret of 32 bytes or even more").unwrap();
        let spec = CallbackSpec::builder()
            .url("https://app.example.com/oss-callback")
            .body("bucket=${bucket}&object=${object}&size=${size}&x:seal=${x:seal}");
        bencher.with_inputs(|| spec.clone()).bench_values(|spec| {
            let permission = Permission::object("examplebucket", "photos/cat.jpg");
            let permission = permission.exact_size(1024);
            let permission = permission.valid_for(Duration::from_secs(600));
            sealer.seal(spec, &permission).unwrap()
        });
    }
}

/// What an application server does with a callback: one that OSS signed, from its documentation.
mod application_server {
    use super::*;

    const BODY: &[u8] =
        b"filename=headSculpture%2Fjikang2.jpg&size=108904&mimeType=image%2Fjpeg&height=278&width=200";
    const AUTHORIZATION: &[u8] =
        b"HHtQ8zgAo4WUCg7Iy/njrsluS+ZDmgMwIHag+vmRvIC4Ph5rxNQ3+WOfJZvzwIKQsNftEDC0PCU03hpjId3vIQ==";

    #[divan::bench]
    fn verify(bencher: Bencher) {
        let verifier = Verifier::new();
        let key_url = STANDARD.encode("https://gosspublic.alicdn.com/callback_pub_key_v1.pem");
        let request = CallbackRequest::new("POST", "/api/AliYunOssCallback", BODY)
            .header("Authorization", AUTHORIZATION)
            .header("x-oss-pub-key-url", &key_url);
        bencher.bench(|| verifier.verify(black_box(&request)).unwrap());
    }

    #[divan::bench]
    fn parse_form(bencher: Bencher) {
        let content_type = Some("application/x-www-form-urlencoded");
        bencher.bench(|| CallbackBody::parse(content_type, black_box(BODY)).unwrap());
    }

    #[divan::bench]
    fn parse_json(bencher: Bencher) {
        let body = br#"{"bucket":"examplebucket","object":"photos/cat.jpg","size":108904,"mimeType":"image/jpeg"}"#;
        bencher.bench(|| CallbackBody::parse(Some("application/json"), black_box(body)).unwrap());
    }
}

/// The CRC-64 of every body, by the crate that the library has it from.
mod crc_fast {
    use super::*;
    use ::crc_fast::{CrcAlgorithm, checksum};

    #[divan::bench(args = [1024, 128 * 1024, 1024 * 1024])]
    fn crc64(bencher: Bencher, len: usize) {
        let bytes = vec![7; len];
        let bencher = bencher.counter(BytesCount::new(len));
        bencher.bench(|| checksum(CrcAlgorithm::Crc64Xz, black_box(&bytes)));
    }
}
