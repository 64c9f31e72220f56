//! How many small objects a running local-oss takes in a second.
//!
//! ```console
//! $ cargo build --release -p local-oss --bins --examples
//! $ target/release/local-oss --quiet --listen 127.0.0.1:9000 &
//! $ target/release/examples/load 127.0.0.1:9000
//! ```
//!
//! Requests are signed before the clock starts, each for a key of its own and with the server's default access key. Every
//! answer is read and must be a 200. Idle connections are open all the time, and used once at the end.

use std::{
    io,
    net::SocketAddr,
    time::{Instant, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Parser;
use hmac::{Hmac, KeyInit, Mac};
use local_oss::{DEFAULT_ACCESS_KEY_ID, DEFAULT_ACCESS_KEY_SECRET, DEFAULT_BUCKET};
use sha1::Sha1;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// Puts small objects as fast as a server takes them.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where the server listens
    address: SocketAddr,
    /// How many objects to put, of all connections together
    #[arg(long, default_value_t = 200_000)]
    puts: usize,
    /// Connections that put, each one object after the other
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Connections that do nothing meanwhile
    #[arg(long, default_value_t = 1_000)]
    idle: usize,
    /// Bytes of each object
    #[arg(long, default_value_t = 100)]
    size: usize,
}

/// The bytes of a signed PUT.
fn request(key: &str, size: usize) -> Vec<u8> {
    let date = httpdate::fmt_http_date(SystemTime::now());
    let resource = format!("/{DEFAULT_BUCKET}/{key}");
    let mut mac = Hmac::<Sha1>::new_from_slice(DEFAULT_ACCESS_KEY_SECRET.as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(format!("PUT\n\n\n{date}\n{resource}").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let mut request = format!(
        "PUT {resource} HTTP/1.1\r\nHost: 127.0.0.1\r\nDate: {date}\r\n\
         Authorization: OSS {DEFAULT_ACCESS_KEY_ID}:{signature}\r\nContent-Length: {size}\r\n\r\n"
    )
    .into_bytes();
    request.resize(request.len() + size, b'a');
    request
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// One exchange; the answer to a PUT has no body.
async fn put(stream: &mut TcpStream, request: &[u8]) -> io::Result<()> {
    stream.write_all(request).await?;
    let (mut answer, mut length) = ([0; 4096], 0);
    while !answer[..length].ends_with(b"\r\n\r\n") {
        match stream.read(&mut answer[length..]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => length += read,
        }
    }
    match answer.starts_with(b"HTTP/1.1 200 ") {
        true => Ok(()),
        false => Err(io::Error::other(
            String::from_utf8_lossy(&answer[..length]).into_owned(),
        )),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let mut idle = Vec::new();
    for _ in 0..arguments.idle {
        idle.push(connect(arguments.address).await?);
    }
    let each = arguments.puts / arguments.connections.max(1);
    let mut ready = Vec::new();
    for connection in 0..arguments.connections {
        let requests: Vec<Vec<u8>> = (0..each)
            .map(|number| request(&format!("load/{connection}/{number}"), arguments.size))
            .collect();
        ready.push((connect(arguments.address).await?, requests));
    }
    let start = Instant::now();
    let mut connections = JoinSet::new();
    for (mut stream, requests) in ready {
        connections.spawn(async move {
            for request in &requests {
                put(&mut stream, request).await?;
            }
            Ok::<_, io::Error>(())
        });
    }
    while let Some(done) = connections.join_next().await {
        done??;
    }
    let took = start.elapsed().as_secs_f64();
    let puts = each * arguments.connections;
    println!(
        "{puts} PUT of {} bytes in {took:.2} s: {:.0} a second, with {} idle connections",
        arguments.size,
        puts as f64 / took,
        idle.len(),
    );
    for (number, stream) in idle.iter_mut().enumerate() {
        put(stream, &request(&format!("idle/{number}"), arguments.size)).await?;
    }
    Ok(())
}
