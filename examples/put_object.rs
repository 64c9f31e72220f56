//! Uploads a file with a callback and shows what the application server received and answered.
//!
//! Without any environment everything happens on this machine: local-oss and an application server run
//! inside the process. With the variables of `--help` the same program works against Alibaba Cloud OSS.

mod target;

use std::error::Error;
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::{env, fs};

use clap::Parser;
use oss_callback::{CallbackSpec, Cancellation, Client};
use target::Target;

/// Uploads a file to Alibaba Cloud OSS with an upload callback.
#[derive(Parser)]
#[command(after_help = target::HELP)]
struct Arguments {
    /// The file; without one, 1 MiB of the letter a
    file: Option<PathBuf>,
    /// The object's name; by default that of the file
    #[arg(long)]
    object: Option<String>,
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
    target::with_target(|target| upload(arguments, target))
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

    // Ctrl-C ends the upload in good order, and says what became of the object.
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
        .progress(|sent, _| eprint!("\r{sent} bytes sent"))
        .cancellation(&cancellation);
    let result = upload.send_file(file);
    // README end
    eprintln!();

    if file == &sample {
        fs::remove_file(file)?;
    }
    target::show(object, result)
}
