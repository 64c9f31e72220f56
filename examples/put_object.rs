//! Uploads a file with a callback and shows what the application server received and answered.
//!
//! Without any environment everything happens on this machine: local-oss and an application server run
//! inside the process. With the variables of `--help` the same program works against Alibaba Cloud OSS.

use std::error::Error;
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::{env, fs};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use local_oss::{Answer, Receiver, Server};
use oss_callback::{CallbackSpec, Cancellation, Client, Credentials, Stored};

/// Uploads a file to Alibaba Cloud OSS with an upload callback.
#[derive(Parser)]
#[command(after_help = "\
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
  OSS_SESSION_TOKEN      the security token, if the key is one of STS")]
struct Arguments {
    /// The file; without one, 1 MiB of the letter a
    file: Option<PathBuf>,
    /// The object's name; by default that of the file
    #[arg(long)]
    object: Option<String>,
}

/// Where to upload to, and whom OSS is to call.
struct Target {
    endpoint: String,
    region: String,
    bucket: String,
    credentials: Credentials,
    callback_url: String,
    callback_host: String,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    if env::var_os("OSS_ENDPOINT").is_some() {
        return upload(arguments, Target::from_env()?);
    }

    let receiver = Receiver::start(|_| Answer::json(r#"{"Status":"OK"}"#))?;
    let server = Server::builder()
        .bucket("examplebucket")
        .credentials("id", "secret")
        .start()?;
    println!("local-oss           {}", server.endpoint());
    println!("application server  {}", receiver.url("/callback"));
    let target = Target {
        endpoint: server.endpoint().to_owned(),
        region: "cn-hangzhou".to_owned(),
        bucket: "examplebucket".to_owned(),
        credentials: Credentials::new("id", "secret"),
        callback_url: receiver.url("/callback"),
        callback_host: "app.example.com".to_owned(),
    };
    let result = upload(arguments, target);

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

fn bar_style() -> Result<ProgressStyle, Box<dyn Error>> {
    let template = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    Ok(ProgressStyle::with_template(template)?)
}

fn upload(arguments: &Arguments, target: Target) -> Result<(), Box<dyn Error>> {
    let sample = env::temp_dir().join(format!("oss-callback-sample-{}.txt", process::id()));
    let file = arguments.file.as_ref().unwrap_or(&sample);
    if file == &sample {
        fs::write(file, "a".repeat(1024 * 1024))?;
    }
    let file_name = arguments.file.as_ref().and_then(|file| file.file_name());
    let file_name = file_name.map_or("sample.txt".into(), |name| name.to_string_lossy());
    let object = arguments.object.as_deref().unwrap_or(&file_name);

    // Drawn on terminals only; Ctrl-C ends the upload in good order, and says what became of the object.
    let bar = ProgressBar::new(fs::metadata(file)?.len()).with_style(bar_style()?);
    let cancellation = Cancellation::new();
    let on_ctrl_c = cancellation.clone();
    ctrlc::set_handler(move || on_ctrl_c.cancel())?;

    // README begin
    let client = Client::builder()
        .endpoint(target.endpoint)
        .region(target.region)
        .credentials(target.credentials)
        .build()?;
    let spec = CallbackSpec::builder()
        .url(target.callback_url)
        .host(target.callback_host)
        .body("filename=${object}&size=${size}&mimeType=${mimeType}")
        .build()?;
    let upload = client.put_object(&target.bucket, object).callback(&spec);
    let upload = upload
        .progress(|sent, _| bar.set_position(sent))
        .cancellation(&cancellation);
    let result = upload.send_file(file);
    // README end
    bar.finish_and_clear();

    if file == &sample {
        fs::remove_file(file)?;
    }
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
            Ok(())
        }
        Err(error) => {
            let advice = match error.stored() {
                Stored::Yes => "The object is stored; do not upload it again.",
                Stored::No => "Nothing was stored.",
                Stored::Unknown => "The answer was lost: look whether the object is there.",
            };
            println!("\n{advice} {}", error.diagnosis().unwrap_or_default());
            Err(error.into())
        }
    }
}
