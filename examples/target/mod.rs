//! What the examples share: where to upload to, and how to show what came of it.

use std::env;
use std::error::Error;

use local_oss::{Answer, Receiver, Server};
use oss_callback::{Credentials, Receipt, Stored};

pub const HELP: &str = "\
Without OSS_ENDPOINT the upload goes to an OSS-compatible server inside this
process, and the callback to an application server inside it. To use Alibaba
Cloud OSS set

  OSS_ENDPOINT           such as https://oss-cn-hangzhou.aliyuncs.com
  OSS_REGION             such as cn-hangzhou
  OSS_BUCKET             the bucket
  OSS_CALLBACK_URL       a URL of your application server that OSS can reach
  OSS_CALLBACK_HOST      the Host header of the callback, if not the URL's
  OSS_ACCESS_KEY_ID      the access key
  OSS_ACCESS_KEY_SECRET  its secret
  OSS_SESSION_TOKEN      the security token, if the key is one of STS";

/// Where to upload to, and whom OSS is to call.
pub struct Target {
    pub endpoint: String,
    pub region: String,
    pub bucket: String,
    pub credentials: Credentials,
    pub callback_url: String,
    pub callback_host: String,
}

/// Uploads to the target of the environment, or else to one in this process, and shows what the application
/// server of the latter received.
pub fn with_target(
    upload: impl FnOnce(Target) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    if env::var_os("OSS_ENDPOINT").is_some() {
        return upload(Target::from_env()?);
    }

    let receiver = Receiver::start(|_| Answer::json(r#"{"Status":"OK"}"#))?;
    let server = Server::builder()
        .bucket("examplebucket")
        .credentials("id", "secret")
        .start()?;
    println!("local-oss           {}", server.endpoint());
    println!("application server  {}", receiver.url("/callback"));
    let result = upload(Target {
        endpoint: server.endpoint().to_owned(),
        region: "cn-hangzhou".to_owned(),
        bucket: "examplebucket".to_owned(),
        credentials: Credentials::new("id", "secret"),
        callback_url: receiver.url("/callback"),
        callback_host: "app.example.com".to_owned(),
    });

    for request in receiver.requests() {
        println!(
            "\nThe application server received:\n{} {}",
            request.method, request.target
        );
        for (name, value) in &request.headers {
            println!("{name}: {value}");
        }
        println!("\n{}", request.text());
    }
    result
}

impl Target {
    fn from_env() -> Result<Target, Box<dyn Error>> {
        let required = |name: &str| env::var(name).map_err(|e| format!("{name}: {e}"));
        let callback_url = required("OSS_CALLBACK_URL")?;
        let callback_host = env::var("OSS_CALLBACK_HOST").ok();
        Ok(Target {
            endpoint: required("OSS_ENDPOINT")?,
            region: required("OSS_REGION")?,
            bucket: required("OSS_BUCKET")?,
            credentials: Credentials::from_env()?,
            callback_host: callback_host.unwrap_or_else(|| host(&callback_url).to_owned()),
            callback_url,
        })
    }
}

/// The host of a URL, without its port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', ':']).next().unwrap_or(rest)
}

/// Says what came of an upload.
pub fn show(object: &str, result: oss_callback::Result<Receipt>) -> Result<(), Box<dyn Error>> {
    match result {
        Ok(receipt) => {
            println!(
                "\nStored as {object}, ETag {}",
                receipt.etag().unwrap_or("unknown")
            );
            println!(
                "The answer came back: {}",
                String::from_utf8_lossy(receipt.answer())
            );
            receipt.notes().iter().for_each(|note| println!("{note}"));
            Ok(())
        }
        Err(error) => {
            let advice = match error.stored() {
                Stored::Yes => "The object is stored; do not upload it again.",
                Stored::No => "Nothing was stored.",
                Stored::Unknown => "The answer was lost: look whether the object is there.",
            };
            println!("\n{advice} {}", error.diagnosis().unwrap_or_default());
            error.notes().iter().for_each(|note| println!("{note}"));
            Err(error.into())
        }
    }
}
