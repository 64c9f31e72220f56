//! No endpoint, region or proxy makes a client that talks to another host than it says, and what is read of
//! presigned URLs and forms is what they say.
//!
//! The input's lines are endpoint, region, bucket, object and proxy; the rest is the JSON of a presigned URL or
//! of a form. The first character of the endpoint's line says which options go with it.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use oss_callback::{
    Client, Credentials, PostForm, PresignOptions, PresignedUrl, RootCertificates, SignatureVersion,
};
use url::{Host, Url};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.splitn(6, '\n');
    let mut next = || lines.next().unwrap_or_default();
    let (endpoint, region, bucket, object, proxy, json) =
        (next(), next(), next(), next(), next(), next());
    read_again(json);
    hide_password(proxy);

    let mut characters = endpoint.chars();
    let options = characters.next().map_or(0, u32::from);
    let endpoint = characters.as_str();
    let cname = options & 1 != 0;
    let builder = Client::builder()
        .endpoint(endpoint)
        .credentials(Credentials::new("id", "secret"))
        .cname(cname)
        .path_style(options & 2 != 0)
        .signature_version(match options & 4 {
            0 => SignatureVersion::V4,
            _ => SignatureVersion::V1,
        })
        // Those of the system take time to be read.
        .root_certificates(RootCertificates::Bundled);
    let builder = match region {
        "" => builder,
        region => builder.region(region),
    };
    let Ok(client) = builder.build() else {
        return;
    };
    let presigned = client
        .put_object(bucket, object)
        .presign(&PresignOptions::expires_in(Duration::from_secs(60)));
    let Ok(presigned) = presigned else { return };

    // Other code than the library's reads the endpoint and the URL: it must see the same host in both.
    let endpoint = match endpoint.contains("://") {
        true => endpoint.to_owned(),
        false => format!("https://{endpoint}"),
    };
    if format!("{bucket}.{endpoint}")
        .to_ascii_lowercase()
        .contains("xn--")
    {
        // It would be decoded, which is nobody's business here.
        return;
    }
    let endpoint = Url::parse(&endpoint).expect("an endpoint that was taken is a URL");
    let url = Url::parse(presigned.url()).expect("a presigned URL is a URL");
    let place = |url: &Url| (url.scheme().to_owned(), url.port_or_known_default());
    assert_eq!(place(&url), place(&endpoint));
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    let is_address = !matches!(endpoint.host(), Some(Host::Domain(_)));
    let in_path = is_address || options & 2 != 0;
    let host = endpoint.host_str().expect("a host");
    match in_path || cname {
        true => assert_eq!(url.host_str(), Some(host)),
        false => assert_eq!(url.host_str(), Some(&*format!("{bucket}.{host}"))),
    }
    // The names, the whole names, and nothing but the names.
    let (_, rest) = presigned.url().split_once("://").expect("a scheme");
    let (path, query) = rest[rest.find('/').expect("a path")..]
        .split_once('?')
        .expect("a query");
    let names = match in_path {
        true => format!("/{bucket}/{object}"),
        false => format!("/{object}"),
    };
    assert_eq!(percent_decoded(path), names.as_bytes());
    let signatures = query
        .split('&')
        .filter(|pair| pair.starts_with("x-oss-signature=") || pair.starts_with("Signature="));
    assert_eq!(signatures.count(), 1);
    let again = PresignedUrl::from_json(&presigned.to_json()).expect("the JSON of a presigned URL");
    // The time is kept in whole seconds.
    assert_eq!(
        (again.url(), again.headers()),
        (presigned.url(), presigned.headers())
    );
});

fn percent_decoded(path: &str) -> Vec<u8> {
    let mut bytes = path.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let mut digit = || {
            let digit = bytes.next().and_then(|byte| char::from(byte).to_digit(16));
            digit.expect("a digit") as u8
        };
        decoded.push(match byte {
            b'%' => digit() * 16 + digit(),
            other => other,
        });
    }
    decoded
}

/// What was read once is read the same way again.
fn read_again(json: &str) {
    if let Ok(url) = PresignedUrl::from_json(json) {
        assert_eq!(
            PresignedUrl::from_json(&url.to_json()).ok().as_ref(),
            Some(&url)
        );
    }
    if let Ok(form) = PostForm::from_json(json) {
        assert_eq!(
            PostForm::from_json(&form.to_json()).ok().as_ref(),
            Some(&form)
        );
    }
}

/// A proxy is refused or taken, and nothing that is shown has its password.
fn hide_password(proxy: &str) {
    let client = Client::builder()
        .endpoint("http://127.0.0.1")
        .credentials(Credentials::anonymous())
        .proxy(proxy)
        .build();
    if proxy.contains(":geheim@") {
        let shown = match client {
            Ok(client) => format!("{client:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!shown.contains("geheim"), "{shown}");
    }
}
