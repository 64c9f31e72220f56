//! Uploads a large file in parallel parts, with a progress bar and one callback; interrupted, it goes on where
//! it was the next time.
//!
//! Without any environment everything happens on this machine: local-oss and an application server run
//! inside the process. With the variables of `--help` the same program works against Alibaba Cloud OSS.

mod target;

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{self, ExitCode};

use clap::Parser;
use oss_callback::{CallbackSpec, Cancellation, Client};
use target::Target;

/// Uploads a large file to Alibaba Cloud OSS, in parts, with an upload callback.
#[derive(Parser)]
#[command(after_help = target::HELP)]
struct Arguments {
    /// The file; without one, 64 MiB of zeros
    file: Option<PathBuf>,
    /// The object's name; by default that of the file
    #[arg(long)]
    object: Option<String>,
    /// The size of the parts in bytes; by default 8 MiB, or more for files over 80 GiB
    #[arg(long)]
    part_size: Option<u64>,
    /// Parts that are sent at once
    #[arg(long, default_value_t = 4)]
    parallel: usize,
    /// Where to remember what was sent; by default beside the file
    #[arg(long)]
    checkpoint: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match target::with_target(|target| upload(&arguments, target)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn upload(arguments: &Arguments, target: Target) -> Result<(), Box<dyn Error>> {
    let sample = env::temp_dir().join(format!("oss-callback-sample-{}.bin", process::id()));
    let file = arguments.file.as_ref().unwrap_or(&sample);
    if file == &sample {
        File::create(file)?.set_len(64 * 1024 * 1024)?;
    }
    let file_name = arguments.file.as_ref().and_then(|file| file.file_name());
    let file_name = file_name.map_or("sample.bin".into(), |name| name.to_string_lossy());
    let object = arguments.object.as_deref().unwrap_or(&file_name);
    let checkpoint = arguments.checkpoint.clone().unwrap_or_else(|| {
        let mut name = file.clone().into_os_string();
        name.push(".checkpoint");
        name.into()
    });

    // Ctrl-C ends the upload in good order, and the next one goes on from there.
    let cancellation = Cancellation::new();
    let on_ctrl_c = cancellation.clone();
    ctrlc::set_handler(move || on_ctrl_c.cancel())?;

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
    // README begin
    let mut upload = client
        .upload_file(&target.bucket, object)
        .parallel(arguments.parallel)
        .checkpoint(&checkpoint)
        .progress(|sent, _| eprint!("\r{sent} bytes sent"))
        .cancellation(&cancellation)
        .callback(&spec);
    // README end
    if let Some(part_size) = arguments.part_size {
        upload = upload.part_size(part_size);
    }
    let result = upload.send(file);
    eprintln!();

    if file == &sample {
        fs::remove_file(file)?;
        let _ = fs::remove_file(checkpoint);
    }
    if let Err(error) = &result
        && let Some(id) = error.upload_id()
    {
        println!("Upload {id} is open: the same command goes on with it.");
    }
    target::show(object, result)
}
