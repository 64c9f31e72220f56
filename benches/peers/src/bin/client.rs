//! Uploads with the library from Rust, everything switched on, and prints the CPU seconds, the wall seconds and the
//! peak memory in KiB that it took.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use oss_callback::{
    CallbackSpec, Cancellation, Client, Credentials, PutOptions, RootCertificates, SignatureVersion,
};
use rustix::time::{ClockId, clock_gettime};

const HOUR: Duration = Duration::from_secs(3600);

/// Uploads with the library from Rust
#[derive(Parser)]
struct Arguments {
    what: What,
    endpoint: String,
    file: PathBuf,
    count: usize,
    /// Certificates to trust, in PEM
    #[arg(long)]
    ca: Option<PathBuf>,
    #[arg(long)]
    v1: bool,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Each thread has a client of its own
    #[arg(long)]
    separate: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// The file, by PutObject
    File,
    /// The file's bytes from memory, by PutObject
    Bytes,
    /// The file in parts of 8 MiB over 4 connections
    Parts,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let client = client(&arguments)?;
    let bytes = match arguments.what {
        What::Bytes => fs::read(&arguments.file)?,
        _ => Vec::new(),
    };
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let wall = Instant::now();
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..arguments.threads)
            .map(|_| {
                scope.spawn(|| match arguments.separate {
                    true => upload(&self::client(&arguments)?, &arguments, &bytes),
                    false => upload(&client, &arguments, &bytes),
                })
            })
            .collect();
        running.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err("a thread panicked".to_owned()))
        })
    })?;
    let wall = wall.elapsed();
    let cpu =
        Duration::try_from(clock_gettime(ClockId::ProcessCPUTime))? - Duration::try_from(cpu)?;
    println!("{} {} {}", cpu.as_secs_f64(), wall.as_secs_f64(), peak()?);
    Ok(())
}

fn client(arguments: &Arguments) -> Result<Client, String> {
    let mut builder = Client::builder()
        .endpoint(&arguments.endpoint)
        .region("cn-hangzhou")
        .credentials(Credentials::new("id", "secret"))
        .max_idle_connections(64)
        .timeout(HOUR);
    if arguments.v1 {
        builder = builder.signature_version(SignatureVersion::V1);
    }
    if let Some(path) = &arguments.ca {
        builder = builder
            .root_certificates(RootCertificates::None)
            .ca_bundle(fs::read(path).map_err(|e| e.to_string())?);
    }
    builder.build().map_err(|e| e.to_string())
}

fn upload(client: &Client, arguments: &Arguments, bytes: &[u8]) -> Result<(), String> {
    let spec = CallbackSpec::builder()
        .url("http://app.example.com/callback")
        .body("filename=${object}&size=${size}&mimeType=${mimeType}")
        .build()
        .map_err(|e| e.to_string())?;
    let cancellation = Cancellation::new();
    let mut last = 0;
    for _ in 0..arguments.count {
        let options = PutOptions::new()
            .callback(&spec)
            .cancellation(&cancellation);
        let progress = |sent, _| last = sent;
        let (bucket, object) = ("examplebucket", "folder/object.bin");
        let put = || client.put_object(bucket, object).options(&options);
        let result = match arguments.what {
            What::File => put().progress(progress).send_file(&arguments.file),
            What::Bytes => put().progress(progress).send_bytes(bytes),
            What::Parts => client
                .upload_file(bucket, object)
                .options(&options)
                .progress(progress)
                .part_size(8 * 1024 * 1024)
                .parallel(4)
                .send(&arguments.file),
        };
        let receipt = result.map_err(|e| e.to_string())?;
        if receipt.answer() != br#"{"Status":"OK"}"# {
            return Err("not the answer of the application server".to_owned());
        }
    }
    if arguments.count > 0 && last == 0 && !bytes.is_empty() {
        return Err("no progress was told".to_owned());
    }
    Ok(())
}

/// The most memory that this process had, in KiB.
fn peak() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no VmHWM")?.parse()?)
}
