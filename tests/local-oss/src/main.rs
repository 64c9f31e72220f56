//! The server as a program.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use local_oss::{
    Builder, DEFAULT_ACCESS_KEY_ID, DEFAULT_ACCESS_KEY_SECRET, DEFAULT_BUCKET,
    DEFAULT_CALLBACK_KEY_BITS, DEFAULT_CALLBACK_TIMEOUT, DEFAULT_MAX_TOTAL_BYTES,
    DEFAULT_MIN_PART_SIZE, DEFAULT_REGION, Server,
};

/// An OSS-compatible server for the laptop: checks signatures, keeps objects, delivers signed upload callbacks.
///
/// The first line on stdout is `listening http://ADDRESS:PORT`, with --tls `https`. Settings and a line for each request and callback go to
/// stderr. Ctrl-C or SIGTERM ends it.
#[derive(Debug, Parser)]
#[command(name = "local-oss", version)]
struct Arguments {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: String,

    /// Speak TLS, with a certificate made at each start
    #[arg(long)]
    tls: bool,

    /// Write the certificate that clients have to trust to this file: PEM
    #[arg(long, value_name = "FILE", requires = "tls")]
    certificate: Option<PathBuf>,

    /// A bucket that exists from the start; may be given several times
    #[arg(long, value_name = "NAME", default_value = DEFAULT_BUCKET)]
    bucket: Vec<String>,

    /// The access key id that requests must be signed with
    #[arg(long, value_name = "ID", default_value = DEFAULT_ACCESS_KEY_ID)]
    access_key_id: String,

    /// The secret of that access key
    #[arg(long, value_name = "SECRET", default_value = DEFAULT_ACCESS_KEY_SECRET)]
    access_key_secret: String,

    /// Makes the access key a temporary one (STS): requests must carry this token
    #[arg(long, value_name = "TOKEN")]
    security_token: Option<String>,

    /// The region that version 4 signatures must name
    #[arg(long, value_name = "REGION", default_value = DEFAULT_REGION)]
    region: String,

    /// How long each callback URL may take, in seconds; OSS waits for 5
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = DEFAULT_CALLBACK_TIMEOUT.as_secs_f64())]
    callback_timeout: f64,

    /// A file with the private key that signs callbacks: RSA, PEM. Without it a key is made at each start
    #[arg(long, value_name = "FILE", conflicts_with = "callback_key_bits")]
    callback_key: Option<PathBuf>,

    /// The size of the key that is made; OSS's own has 512 bits
    #[arg(long, value_name = "BITS", default_value_t = DEFAULT_CALLBACK_KEY_BITS)]
    callback_key_bits: usize,

    /// A file with certificates (PEM): https callbacks go to servers that these signed too, besides those the system trusts
    #[arg(long, value_name = "FILE")]
    callback_ca: Option<PathBuf>,

    /// Accept every certificate of https callbacks; OSS does not
    #[arg(long)]
    callback_insecure: bool,

    /// Refuse callback addresses that OSS could not reach: loopback and private ones
    #[arg(long)]
    strict: bool,

    /// A folder that keeps objects when the program ends, made if there is none
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Memory for objects, in bytes; uploads that do not fit are refused. What is in files does not count
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_MAX_TOTAL_BYTES)]
    max_total_bytes: u64,

    /// The least size of all parts of an object but the last, in bytes; OSS's is 102400
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_MIN_PART_SIZE)]
    min_part_size: u64,

    /// Append what is stored, every multipart request and every callback with its answer to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// No settings and no log on stderr
    #[arg(long)]
    quiet: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(seconds),
        _ => Err("not a length of time".to_owned()),
    }
}

impl Arguments {
    fn builder(&self) -> io::Result<Builder> {
        let mut builder = Server::builder()
            .listen(&self.listen)
            .region(&self.region)
            .callback_timeout(Duration::from_secs_f64(self.callback_timeout))
            .tls(self.tls)
            .callback_key_bits(self.callback_key_bits)
            .callback_insecure(self.callback_insecure)
            .strict(self.strict)
            .max_total_bytes(self.max_total_bytes)
            .min_part_size(self.min_part_size)
            // Nobody here asks for it.
            .history_bytes(0)
            .quiet(self.quiet);
        for bucket in &self.bucket {
            builder = builder.bucket(bucket);
        }
        builder = match &self.security_token {
            Some(token) => {
                builder.sts_credentials(&self.access_key_id, &self.access_key_secret, token)
            }
            None => builder.credentials(&self.access_key_id, &self.access_key_secret),
        };
        if let Some(file) = &self.callback_key {
            builder = builder.callback_key(file);
        }
        if let Some(file) = &self.record {
            builder = builder.record_file(file);
        }
        if let Some(folder) = &self.data_dir {
            builder = builder.data_dir(folder);
        }
        if let Some(file) = &self.callback_ca {
            builder = builder.callback_ca(fs::read_to_string(file)?);
        }
        Ok(builder)
    }

    /// What a developer needs to point a client here.
    fn settings(&self, server: &Server) -> String {
        let mut text = format!(
            "endpoint           {}\nregion             {}\nbucket             {}\naccess key id      {}\n\
             access key secret  {}\ncallback key       {}\n",
            server.endpoint(),
            self.region,
            self.bucket.join(", "),
            self.access_key_id,
            self.access_key_secret,
            server.public_key_url(),
        );
        if let Some(token) = &self.security_token {
            text.push_str(&format!("security token     {token}\n"));
        }
        if let Some(file) = &self.certificate {
            text.push_str(&format!("certificate        {}\n", file.display()));
        }
        if let Some(folder) = &self.data_dir {
            text.push_str(&format!("data directory     {}\n", folder.display()));
        }
        if let Some(file) = &self.record {
            text.push_str(&format!("record             {}\n", file.display()));
        }
        text
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "local-oss: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Before the address is printed: whoever reads it may send a signal at once.
        let end = end_signal()?;
        let server = arguments.builder()?.start()?;
        if let (Some(file), Some(pem)) = (&arguments.certificate, server.certificate_pem()) {
            fs::write(file, pem)?;
        }
        if !arguments.quiet {
            let _ = io::stderr().write_all(arguments.settings(&server).as_bytes());
        }
        let mut stdout = io::stdout();
        writeln!(stdout, "listening {}", server.endpoint())?;
        stdout.flush()?;
        end.await;
        server.shutdown();
        Ok(())
    })
}

/// Ends with SIGINT or SIGTERM, both caught from now on.
#[cfg(unix)]
fn end_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends with Ctrl-C.
#[cfg(not(unix))]
fn end_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
