//! The server as a program.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use local_oss::{
    Builder, CallbackKey, DEFAULT_ACCESS_KEY_ID, DEFAULT_ACCESS_KEY_SECRET, DEFAULT_BUCKET,
    DEFAULT_CALLBACK_KEY_BITS, DEFAULT_CALLBACK_TIMEOUT, DEFAULT_MAX_TOTAL_BYTES,
    DEFAULT_MIN_PART_SIZE, DEFAULT_REGION, Delivery, Sending, Server,
};

/// An OSS-compatible server for the laptop: checks signatures, keeps objects, delivers signed upload callbacks.
///
/// The first line on stdout is `listening http://ADDRESS:PORT`, with --tls `https`. Settings and a line for each request and callback go to
/// stderr. Ctrl-C or SIGTERM ends it.
#[derive(Debug, Parser)]
#[command(name = "local-oss", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: String,

    /// Speak TLS, with a certificate made at each start
    #[arg(long)]
    tls: bool,

    /// Write the certificate that clients have to trust to this file: PEM
    #[arg(long, value_name = "FILE", requires = "tls")]
    certificate: Option<PathBuf>,

    /// Serve only clients that show a certificate; write that and its key to this file: PEM
    #[arg(long, value_name = "FILE", requires = "tls")]
    client_certificate: Option<PathBuf>,

    /// A bucket that exists from the start; may be given several times
    #[arg(long, value_name = "NAME", default_value = DEFAULT_BUCKET)]
    bucket: Vec<String>,

    /// A host name that stands for a bucket, as a custom domain at OSS; may be given several times
    #[arg(long, value_name = "NAME=BUCKET", value_parser = domain)]
    domain: Vec<(String, String)>,

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

    /// Refuse callback variables whose names do not begin with x:, as the documentation has it; otherwise the log warns of them
    #[arg(long)]
    strict_variables: bool,

    /// Repeat refused arguments in error documents to their end; otherwise to 1 KiB, since oss2 reads only 4096 bytes
    #[arg(long)]
    whole_errors: bool,

    /// Let the web pages of this origin upload and read answers (CORS): SCHEME://HOST[:PORT] or *; may be given several times
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,

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

    /// No settings and no log on stderr, but what is wrong with the data directory
    #[arg(long)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send one callback to an application server under development, as if an object had been uploaded
    ///
    /// Shows the request and the answer, and whether OSS would accept it. Exits with 0 if it would, with 1 if not.
    Send(SendArguments),
}

#[derive(Debug, Args)]
struct SendArguments {
    /// The callback URL; several are tried in order until one succeeds
    #[arg(value_name = "URL", required = true)]
    urls: Vec<String>,

    /// The body with its placeholders, such as ${object}
    #[arg(
        long,
        default_value = "bucket=${bucket}&object=${object}&etag=${etag}&size=${size}&mimeType=${mimeType}"
    )]
    body: String,

    /// The body is JSON
    #[arg(long)]
    json: bool,

    /// The Host header, if not the URL's host
    #[arg(long, value_name = "NAME")]
    host: Option<String>,

    /// A variable, which the body names as ${x:NAME}; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    variable: Vec<(String, String)>,

    /// The bucket that is said to hold the object
    #[arg(long, value_name = "NAME", default_value = DEFAULT_BUCKET)]
    bucket: String,

    /// The key of the object
    #[arg(long, value_name = "KEY", default_value = "photos/cat.jpg")]
    object: String,

    /// A file with the contents of the object; without it, the word hello
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// The object's Content-Type
    #[arg(long, value_name = "TYPE", default_value = "image/jpeg")]
    content_type: String,

    /// The private key that signs, PEM. If there is no such file it is made, with the public key beside it in FILE.pub
    #[arg(long, value_name = "FILE")]
    callback_key: Option<PathBuf>,

    /// The URL that the callback names for the public key; the application has to trust exactly this one
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:9000/callback_pub_key_v1.pem"
    )]
    key_url: String,

    /// How long each URL may take, in seconds; OSS waits for 5
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = DEFAULT_CALLBACK_TIMEOUT.as_secs_f64())]
    callback_timeout: f64,

    /// Accept every certificate of https URLs; OSS does not
    #[arg(long)]
    callback_insecure: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("has no `=`")?;
    let name = name.strip_prefix("x:").unwrap_or(name);
    Ok((format!("x:{name}"), value.to_owned()))
}

fn domain(text: &str) -> Result<(String, String), String> {
    let (name, bucket) = text.split_once('=').ok_or("has no `=`")?;
    Ok((name.to_owned(), bucket.to_owned()))
}

impl SendArguments {
    fn key(&self) -> io::Result<CallbackKey> {
        let key = match &self.callback_key {
            Some(file) if file.exists() => CallbackKey::from_pem(&fs::read_to_string(file)?, ""),
            _ => CallbackKey::generate(DEFAULT_CALLBACK_KEY_BITS, ""),
        };
        let key = key
            .map_err(io::Error::other)?
            .with_public_url(&self.key_url);
        if let Some(file) = self.callback_key.as_ref().filter(|file| !file.exists()) {
            let mut public = file.clone().into_os_string();
            public.push(".pub");
            fs::write(file, key.private_pem().map_err(io::Error::other)?)?;
            fs::write(public, key.public_pem())?;
        }
        Ok(key)
    }

    /// Sends, and says whether OSS would accept the answer.
    fn run(&self) -> io::Result<bool> {
        let mut sending = Sending::new(self.key()?);
        let callback = &mut sending.callback;
        callback.insert("callbackUrl".to_owned(), self.urls.join(";").into());
        callback.insert("callbackBody".to_owned(), self.body.clone().into());
        if self.json {
            callback.insert("callbackBodyType".to_owned(), "application/json".into());
        }
        if let Some(host) = &self.host {
            callback.insert("callbackHost".to_owned(), host.clone().into());
        }
        for (name, value) in &self.variable {
            sending.variables.insert(name.clone(), value.clone().into());
        }
        sending.bucket.clone_from(&self.bucket);
        sending.object.clone_from(&self.object);
        sending.content_type.clone_from(&self.content_type);
        sending.timeout = Duration::from_secs_f64(self.callback_timeout);
        sending.insecure = self.callback_insecure;
        sending.contents = match &self.file {
            Some(file) => fs::read(file)?,
            None => b"hello".to_vec(),
        };
        let deliveries = sending.send()?;
        let mut stdout = io::stdout();
        for delivery in &deliveries {
            stdout.write_all(report(delivery).as_bytes())?;
        }
        Ok(deliveries.iter().any(|delivery| delivery.accepted))
    }
}

/// The request, the answer, and what OSS would make of it.
fn report(delivery: &Delivery) -> String {
    let lines = |headers: &[(String, String)]| -> String {
        let line = |(name, value): &(String, String)| format!("{name}: {value}\n");
        headers.iter().map(line).collect()
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut report = format!(
        "to {}\n\nPOST {} HTTP/1.1\n{}\n{}\n\n",
        delivery.url,
        delivery.target,
        lines(&delivery.headers),
        text(&delivery.body)
    );
    report += &match &delivery.answer {
        Ok(answer) => format!(
            "answered\n\n{}\n{}\n{}\n\n",
            answer.status,
            lines(&answer.headers),
            text(&answer.body)
        ),
        Err(failure) => format!("no answer: {failure}\n\n"),
    };
    report += &match &delivery.message {
        None => "OSS would accept this and hand it to the uploader.\n".to_owned(),
        Some(message) => format!(
            "OSS would not accept this: the uploader would get 203, \"{message}\" ({}).\n",
            delivery.ec.as_deref().unwrap_or_default()
        ),
    };
    report
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
            .client_certificates(self.client_certificate.is_some())
            .callback_key_bits(self.callback_key_bits)
            .callback_insecure(self.callback_insecure)
            .strict(self.strict)
            .strict_variables(self.strict_variables)
            .whole_errors(self.whole_errors)
            .max_total_bytes(self.max_total_bytes)
            .min_part_size(self.min_part_size)
            // Nobody here asks for it.
            .history_bytes(0)
            .quiet(self.quiet);
        for bucket in &self.bucket {
            builder = builder.bucket(bucket);
        }
        for (name, bucket) in &self.domain {
            builder = builder.domain(name, bucket);
        }
        for origin in &self.allow_origin {
            builder = builder.allow_origin(origin);
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
        for origin in &self.allow_origin {
            text.push_str(&format!("allowed origin     {origin}\n"));
        }
        if let Some(file) = &self.certificate {
            text.push_str(&format!("certificate        {}\n", file.display()));
        }
        if let Some(file) = &self.client_certificate {
            text.push_str(&format!("client certificate {}\n", file.display()));
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
    let result = match &arguments.command {
        Some(Command::Send(send)) => match send.run() {
            Ok(true) => Ok(()),
            Ok(false) => return ExitCode::FAILURE,
            Err(error) => Err(error),
        },
        None => run(&arguments),
    };
    match result {
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
        if let (Some(file), Some(pem)) = (&arguments.client_certificate, server.client_pem()) {
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
