//! A server that takes every upload as fast as memory and answers like OSS, so that the clients are what is measured.
//!
//! It checks nothing and stores nothing. It prints its port, serves until its standard input ends, and then prints
//! what it has seen: connections, resumed TLS sessions, requests and bytes of bodies.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use clap::Parser;
use rustls::pki_types::PrivateKeyDer;
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

/// Small, so that it stays in the cache of its core and leaves the rest to the clients.
const BUFFER_LEN: usize = 64 * 1024;

/// Takes every upload and answers like OSS
#[derive(Parser)]
struct Arguments {
    /// Speak TLS, and write the certificate to this file
    #[arg(long)]
    tls: Option<PathBuf>,
    /// The CRC-64 of every object, for the answers
    #[arg(long)]
    crc64: Option<u64>,
    /// Close each connection after its first answer
    #[arg(long)]
    close: bool,
}

#[derive(Default)]
struct Seen {
    connections: AtomicU64,
    resumed: AtomicU64,
    requests: AtomicU64,
    bytes: AtomicU64,
}

struct Sink {
    tls: Option<Arc<ServerConfig>>,
    crc64: Option<u64>,
    close: bool,
    seen: Seen,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let tls = match arguments.tls {
        None => None,
        Some(path) => {
            let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
            std::fs::write(path, certified.cert.pem())?;
            let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der())?;
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let mut config = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(vec![certified.cert.der().clone()], key)?;
            config.ticketer = rustls::crypto::ring::Ticketer::new()?;
            Some(Arc::new(config))
        }
    };
    let sink = Arc::new(Sink {
        tls,
        crc64: arguments.crc64,
        close: arguments.close,
        seen: Seen::default(),
    });
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("{}", listener.local_addr()?.port());
    let accepting = sink.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sink = accepting.clone();
            // A client that goes away in the middle is not the sink's business.
            std::thread::spawn(move || sink.serve(stream));
        }
    });
    io::copy(&mut io::stdin(), &mut io::sink())?;
    let Seen {
        connections,
        resumed,
        requests,
        bytes,
    } = &sink.seen;
    println!(
        "{} {} {} {}",
        connections.load(Relaxed),
        resumed.load(Relaxed),
        requests.load(Relaxed),
        bytes.load(Relaxed)
    );
    Ok(())
}

impl Sink {
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        self.seen.connections.fetch_add(1, Relaxed);
        stream.set_nodelay(true)?;
        let Some(config) = &self.tls else {
            return self.answer(stream);
        };
        let session = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(session, stream);
        stream.conn.complete_io(&mut stream.sock)?;
        if stream.conn.handshake_kind() == Some(HandshakeKind::Resumed) {
            self.seen.resumed.fetch_add(1, Relaxed);
        }
        self.answer(stream)
    }

    /// Answers one request after another until the client closes.
    fn answer(&self, mut stream: impl Read + Write) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER_LEN];
        let mut filled = 0;
        loop {
            let request = loop {
                if let Some(request) = Request::parse(&buffer[..filled])? {
                    break request;
                }
                match stream.read(&mut buffer[filled..])? {
                    0 => return Ok(()),
                    count => filled += count,
                }
            };
            if request.continues {
                stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            let after_head = filled - request.head_len;
            let mut left = (request.body_len).saturating_sub(after_head as u64);
            while left > 0 {
                let most = usize::try_from(left).unwrap_or(BUFFER_LEN).min(BUFFER_LEN);
                match stream.read(&mut buffer[..most])? {
                    0 => return Ok(()),
                    count => left -= count as u64,
                }
            }
            // The clients wait for an answer, so that nothing of another request is there yet.
            filled = 0;
            self.seen.requests.fetch_add(1, Relaxed);
            self.seen.bytes.fetch_add(request.body_len, Relaxed);
            stream.write_all(self.response(&request).as_bytes())?;
            stream.flush()?;
            if self.close {
                return Ok(());
            }
        }
    }

    fn response(&self, request: &Request) -> String {
        let body = match request.kind {
            _ if request.callback => "{\"Status\":\"OK\"}",
            Kind::Initiate => {
                "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key>\
                 <UploadId>0004B9894A22E5B1888A1E29F8236E2D</UploadId></InitiateMultipartUploadResult>"
            }
            Kind::Complete => {
                "<CompleteMultipartUploadResult><ETag>\"B864DB6A936D376F9F8D3ED3BBE540DD-3\"</ETag>\
                 </CompleteMultipartUploadResult>"
            }
            Kind::Object | Kind::Part => "",
        };
        let crc64 = match self.crc64 {
            Some(crc64) if matches!(request.kind, Kind::Object | Kind::Complete) => {
                format!("x-oss-hash-crc64ecma: {crc64}\r\n")
            }
            _ => String::new(),
        };
        let connection = if self.close { "close" } else { "keep-alive" };
        format!(
            "HTTP/1.1 200 OK\r\nServer: AliyunOSS\r\nDate: Fri, 24 Feb 2012 06:07:48 GMT\r\n\
             Content-Type: application/xml\r\nContent-Length: {}\r\nConnection: {connection}\r\n\
             x-oss-request-id: 5C06A3B67B8B5A3DA422299D\r\nETag: \"D41D8CD98F00B204E9800998ECF8427E\"\r\n\
             {crc64}x-oss-server-time: 1\r\n\r\n{body}",
            body.len()
        )
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Object,
    Part,
    Initiate,
    Complete,
}

struct Request {
    kind: Kind,
    callback: bool,
    continues: bool,
    head_len: usize,
    body_len: u64,
}

impl Request {
    /// The request that begins here, once its head is whole.
    fn parse(bytes: &[u8]) -> io::Result<Option<Request>> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(head_len) = head.parse(bytes).map_err(io::Error::other)?
        else {
            return Ok(None);
        };
        let path = head.path.unwrap_or_default();
        let mut request = Request {
            kind: match head.method {
                Some("POST") if path.contains("uploadId=") => Kind::Complete,
                Some("POST") => Kind::Initiate,
                _ if path.contains("partNumber=") => Kind::Part,
                _ => Kind::Object,
            },
            callback: false,
            continues: false,
            head_len,
            body_len: 0,
        };
        for header in head.headers.iter() {
            let text = || std::str::from_utf8(header.value).unwrap_or_default();
            if header.name.eq_ignore_ascii_case("content-length") {
                request.body_len = text().parse().map_err(io::Error::other)?;
            } else if header.name.eq_ignore_ascii_case("x-oss-callback") {
                request.callback = true;
            } else if header.name.eq_ignore_ascii_case("expect") {
                request.continues = true;
            }
        }
        Ok(Some(request))
    }
}
