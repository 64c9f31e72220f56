//! Looks at callbacks without an account: explains one, previews its requests, verifies one that came.
//!
//! ```sh
//! cargo run --example callback -- explain eyJjYWxsYmFja1VybCI6…
//! cargo run --example callback -- preview eyJjYWxsYmFja1VybCI6… --object photos/cat.jpg --size 108904
//! cargo run --example callback -- verify request.txt
//! ```
//!
//! `verify` reads a request as it came over the wire, head and body, from a file or with `-` from standard
//! input.

use std::error::Error;
use std::io::Read;
use std::process::ExitCode;
use std::{fs, io};

use clap::{Args, Parser, Subcommand};
use oss_callback::callback::{CallbackRequest, Verifier, explain};
use oss_callback::{CallbackSpec, ObjectFacts};

/// Explains, previews and verifies upload callbacks of Alibaba Cloud OSS.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Says what a callback will do, and what is wrong with it
    Explain(Base64),
    /// Shows the requests that OSS would send
    Preview(Preview),
    /// Says whether a request that came is OSS's
    Verify(Verify),
}

#[derive(Args)]
struct Base64 {
    /// The value of x-oss-callback, or of the parameter callback
    callback: String,
    /// That of x-oss-callback-var
    callback_var: Option<String>,
}

#[derive(Args)]
struct Preview {
    #[command(flatten)]
    spec: Base64,
    /// The object's bucket
    #[arg(long, default_value = "examplebucket")]
    bucket: String,
    /// The object's key
    #[arg(long, default_value = "photos/cat.jpg")]
    object: String,
    /// The object's size in bytes
    #[arg(long, default_value_t = 108_904)]
    size: u64,
    /// The object's ETag
    #[arg(long, default_value = "5D41402ABC4B2A76B9719D911017C592")]
    etag: String,
    /// The object's Content-Type
    #[arg(long, default_value = "image/jpeg")]
    mime_type: String,
}

#[derive(Args)]
struct Verify {
    /// The request as it came, head and body; - is standard input
    file: String,
    /// A key URL to trust that is not OSS's, for tests
    #[arg(long, requires = "key")]
    key_url: Option<String>,
    /// A file with its key, PEM
    #[arg(long, requires = "key_url")]
    key: Option<String>,
    /// What a reverse proxy has stripped from the path
    #[arg(long)]
    prepend_prefix: Option<String>,
    /// What a reverse proxy has added to the path
    #[arg(long)]
    strip_prefix: Option<String>,
    /// A header in which a reverse proxy keeps the target
    #[arg(long)]
    target_header: Option<String>,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Explain(spec) => show_explanation(&spec),
        Command::Preview(preview) => show_preview(&preview),
        Command::Verify(verify) => show_verdict(&verify),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn show_explanation(spec: &Base64) -> Result<bool, Box<dyn Error>> {
    let explanation = explain(&spec.callback, spec.callback_var.as_deref());
    print!("{explanation}");
    Ok(explanation.problems().is_empty())
}

fn show_preview(preview: &Preview) -> Result<bool, Box<dyn Error>> {
    let spec = &preview.spec;
    let spec = CallbackSpec::from_base64(&spec.callback, spec.callback_var.as_deref())?;
    let facts = ObjectFacts::new(&preview.bucket, &preview.object)
        .size(preview.size)
        .etag(&preview.etag)
        .mime_type(&preview.mime_type);
    for request in spec.preview(&facts)? {
        println!("to {}\n\n{request}\n", request.url());
    }
    for warning in spec.check()? {
        println!("Warning: {warning}");
    }
    Ok(true)
}

fn show_verdict(verify: &Verify) -> Result<bool, Box<dyn Error>> {
    let mut raw = Vec::new();
    match verify.file.as_str() {
        "-" => io::stdin().read_to_end(&mut raw)?,
        file => fs::File::open(file)?.read_to_end(&mut raw)?,
    };
    let mut verifier = Verifier::new();
    if let (Some(url), Some(key)) = (&verify.key_url, &verify.key) {
        verifier = verifier.trust_key_url_for_tests(url, &fs::read_to_string(key)?)?;
    }
    if let Some(prefix) = &verify.prepend_prefix {
        verifier = verifier.prepend_prefix(prefix);
    }
    if let Some(prefix) = &verify.strip_prefix {
        verifier = verifier.strip_prefix(prefix);
    }
    if let Some(name) = &verify.target_header {
        verifier = verifier.trust_target_header(name);
    }
    match verifier.verify(&parse(&raw)?) {
        Ok(verified) => {
            println!("It is OSS's, sent to {}.", verified.signed_target());
            for (name, value) in verified.parse()?.members() {
                println!("  {name} = {}", value.unwrap_or("(null)"));
            }
            Ok(true)
        }
        Err(error) => {
            println!("It is not verified: {error}.");
            println!("{}", error.diagnosis().unwrap_or_default());
            Ok(false)
        }
    }
}

/// Cuts a request into its parts. Lines may end with LF alone, as editors leave them.
fn parse(raw: &[u8]) -> Result<CallbackRequest<'_>, Box<dyn Error>> {
    let cut = |end: &[u8]| raw.windows(end.len()).position(|window| window == end);
    let (head, body) = match (cut(b"\r\n\r\n"), cut(b"\n\n")) {
        (Some(end), _) => (&raw[..end], &raw[end + 4..]),
        (None, Some(end)) => (&raw[..end], &raw[end + 2..]),
        (None, None) => {
            return Err("the head of the request does not end with an empty line".into());
        }
    };
    let mut lines = std::str::from_utf8(head)?.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err("the first line is not that of a request".into());
    };
    let mut request = CallbackRequest::new(method, target, body);
    for line in lines {
        let (name, value) = line
            .split_once(':')
            .ok_or("a line of the head has no colon")?;
        request = request.header(name, value.trim());
    }
    Ok(request)
}
