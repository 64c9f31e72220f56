//! Runs a command next to a local OSS and an application server, and ends with its exit status.
//!
//! ```sh
//! cargo run --example with_local_oss -- examples/c/put_object cat.jpg
//! ```
//!
//! The command finds both in its environment: `OSS_ENDPOINT`, `OSS_REGION`, `OSS_BUCKET`,
//! `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and `OSS_CALLBACK_URL`. What the application server
//! receives is shown on stderr.

use std::env;
use std::process::{Command, ExitCode};

use local_oss::{
    Answer, DEFAULT_ACCESS_KEY_ID, DEFAULT_ACCESS_KEY_SECRET, DEFAULT_BUCKET, DEFAULT_REGION,
    Receiver, Server,
};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("usage: with_local_oss COMMAND [ARGUMENT]...");
        return ExitCode::from(2);
    };
    let servers = Receiver::start(|request| {
        let (target, body) = (&request.target, request.text());
        eprintln!("the application server received {target}: {body}");
        Answer::json(r#"{"Status":"OK"}"#)
    })
    .and_then(|receiver| Ok((receiver, Server::builder().start()?)));
    let (receiver, server) = match servers {
        Ok(servers) => servers,
        Err(e) => {
            eprintln!("the servers cannot be started: {e}");
            return ExitCode::from(125);
        }
    };
    let status = Command::new(&program)
        .args(arguments)
        .env("OSS_ENDPOINT", server.endpoint())
        .env("OSS_REGION", DEFAULT_REGION)
        .env("OSS_BUCKET", DEFAULT_BUCKET)
        .env("OSS_ACCESS_KEY_ID", DEFAULT_ACCESS_KEY_ID)
        .env("OSS_ACCESS_KEY_SECRET", DEFAULT_ACCESS_KEY_SECRET)
        .env_remove("OSS_SESSION_TOKEN")
        .env("OSS_CALLBACK_URL", receiver.url("/callback"))
        .status();
    match status {
        // A command that a signal ended has no code of its own.
        Ok(status) => ExitCode::from(status.code().map_or(126, |code| code as u8)),
        Err(e) => {
            eprintln!("{} cannot be started: {e}", program.display());
            ExitCode::from(127)
        }
    }
}
