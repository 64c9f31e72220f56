//! What the tests share: a client for a server, a callback, servers that lie, compilers, and skips that are seen.

pub mod any;
pub mod c;
pub mod door;
pub mod faults;
pub mod impostor;
pub mod network;
pub mod observed;
pub mod proxy;
mod pump;
mod skips;
pub mod slow_line;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use local_oss::{ReceivedRequest, Receiver, Server};
use oss_callback::callback::CallbackRequest;
use oss_callback::{CallbackSpec, Client, ClientBuilder, Credentials};

pub use skips::skip;

pub const BUCKET: &str = "examplebucket";
pub const KEY_ID: &str = "test-key-id";
pub const KEY_SECRET: &str = "test-key-secret";

/// A local-oss with the key pair and the bucket of these tests.
pub fn server() -> local_oss::Builder {
    Server::builder()
        .bucket(BUCKET)
        .credentials(KEY_ID, KEY_SECRET)
}

/// A client for an endpoint, not built yet.
pub fn client_builder(endpoint: &str) -> ClientBuilder {
    Client::builder()
        .endpoint(endpoint)
        .region("cn-hangzhou")
        .credentials(Credentials::new(KEY_ID, KEY_SECRET))
}

pub fn client(endpoint: &str) -> Client {
    client_builder(endpoint).build().unwrap()
}

/// The callback of OSS's samples, to one URL.
pub fn spec(url: &str) -> CallbackSpec {
    CallbackSpec::builder()
        .url(url)
        .body("filename=${object}&size=${size}&mimeType=${mimeType}")
        .build()
        .unwrap()
}

/// A request that an application server got, for the verifier.
pub fn request_of(received: &ReceivedRequest) -> CallbackRequest<'_> {
    let headers = received.headers.iter();
    CallbackRequest::new(&received.method, &received.target, &received.body)
        .headers(headers.map(|(name, value)| (name.as_str(), value.as_str())))
}

/// An application server that agrees.
pub fn agreeing_receiver() -> Receiver {
    Receiver::start(|_| local_oss::Answer::json(r#"{"Status":"OK"}"#)).unwrap()
}

/// A server that does with each connection what a test tells it, right or wrong.
pub struct RawServer {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
    /// Connections that are served and closed.
    served: Arc<(Mutex<usize>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl RawServer {
    /// Reads a request head, keeps it, and gives the connection to `serve`, one after the other.
    pub fn start(serve: impl Fn(&mut Connection) + Send + 'static) -> RawServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let heads = Arc::new(Mutex::new(Vec::new()));
        let served = Arc::new((Mutex::new(0), Condvar::new()));
        let (counter, kept, closed) = (connections.clone(), heads.clone(), served.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Some(mut connection) = Connection::accept(stream.unwrap()) else {
                    return;
                };
                counter.fetch_add(1, Ordering::SeqCst);
                kept.lock().unwrap().push(connection.head.clone());
                serve(&mut connection);
                // Closing waits until the peer's side knows of it, unless a test has other plans.
                let socket = socket2::SockRef::from(&connection.stream);
                if socket.linger().unwrap().is_none() {
                    socket.set_linger(Some(Duration::from_secs(10))).unwrap();
                }
                drop(connection);
                *closed.0.lock().unwrap() += 1;
                closed.1.notify_all();
            }
        });
        RawServer {
            address,
            connections,
            heads,
            served,
            thread: Some(thread),
        }
    }

    /// Takes the whole request, then says this and closes.
    pub fn answering(answer: impl Into<Vec<u8>>) -> RawServer {
        let answer = answer.into();
        RawServer::start(move |connection| {
            connection.read_body();
            connection.write(&answer);
        })
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Waits until the server has closed every connection that it has served.
    pub fn wait_for_closed_connections(&self) {
        let (served, condition) = &*self.served;
        let some_open = |served: &mut usize| *served < self.requests();
        drop(
            condition
                .wait_while(served.lock().unwrap(), some_open)
                .unwrap(),
        );
    }

    pub fn head(&self, index: usize) -> String {
        self.heads.lock().unwrap()[index].clone()
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        // A connection without a request ends the loop.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let result = thread.join();
            if !std::thread::panicking() {
                result.expect("the server's thread does not panic");
            }
        }
    }
}

pub struct Connection {
    pub stream: TcpStream,
    pub head: String,
    /// What came together with the head.
    early: Vec<u8>,
    /// What was read of the body since.
    taken: u64,
}

impl Connection {
    fn accept(mut stream: TcpStream) -> Option<Connection> {
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let count = stream.read(&mut buffer).unwrap_or(0);
            if count == 0 {
                return None;
            }
            bytes.extend_from_slice(&buffer[..count]);
            if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
                let early = bytes.split_off(end + 4);
                return Some(Connection {
                    stream,
                    head: String::from_utf8(bytes).unwrap(),
                    early,
                    taken: 0,
                });
            }
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub fn content_length(&self) -> u64 {
        self.header("content-length")
            .unwrap_or("0")
            .parse()
            .unwrap()
    }

    /// Reads the whole body and forgets it.
    pub fn read_body(&mut self) {
        let rest = self.content_length() - self.early.len() as u64 - self.taken;
        let mut body = (&self.stream).take(rest);
        let _ = std::io::copy(&mut body, &mut std::io::sink());
    }

    /// Reads at least so much of the body, unless it ends.
    pub fn read_some(&mut self, len: usize) {
        let mut read = self.early.len();
        let mut buffer = vec![0; 64 * 1024];
        while read < len {
            match self.stream.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    read += count;
                    self.taken += count as u64;
                }
            }
        }
    }

    /// Reads a little; false at the end.
    pub fn read_at_most(&mut self, len: usize) -> bool {
        let count = self.stream.read(&mut vec![0; len]).unwrap_or(0);
        self.taken += count as u64;
        count > 0
    }

    /// Leaves everything in the socket until the peer gives up or the time is over.
    pub fn wait_without_reading(&mut self, patience: Duration) {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let patience = Timespec::try_from(patience).unwrap();
        poll(
            &mut [PollFd::new(&self.stream, PollFlags::RDHUP)],
            Some(&patience),
        )
        .unwrap();
    }

    /// Says something; false when the peer does not take it any more.
    pub fn try_write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Says something; the peer may have gone.
    pub fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Waits until the peer closes.
    pub fn wait_for_close(&mut self) {
        let _ = std::io::copy(&mut self.stream, &mut std::io::sink());
    }
}

/// Holds a part of a document, between `<!-- begin name -->` and `<!-- end name -->`, against what a test
/// has found; `BLESS=1` writes it.
pub fn hold_document(document: &Path, name: &str, found: &str) {
    let path = c::source(&document.to_string_lossy());
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{document:?}: {e}"));
    let (begin, end) = (
        format!("<!-- begin {name} -->\n"),
        format!("<!-- end {name} -->"),
    );
    let from = text
        .find(&begin)
        .unwrap_or_else(|| panic!("{document:?} has no {begin}"))
        + begin.len();
    let to = text
        .find(&end)
        .unwrap_or_else(|| panic!("{document:?} has no {end}"));
    if std::env::var_os("BLESS").is_some() {
        let current = format!("{}{found}{}", &text[..from], &text[to..]);
        std::fs::write(&path, current).unwrap();
        return;
    }
    for (line, (is, should_be)) in text[from..to].lines().zip(found.lines()).enumerate() {
        assert_eq!(is, should_be, "line {} of {name} in {document:?}", line + 1);
    }
    assert_eq!(
        text[from..to].lines().count(),
        found.lines().count(),
        "{name} in {document:?}"
    );
}

/// Makes the end of this connection a reset.
pub fn socket_reset(stream: &TcpStream) {
    socket2::SockRef::from(stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
}

/// A header of a request head.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// A file of its own that goes away with the test.
pub struct TemporaryFile(PathBuf);

impl TemporaryFile {
    pub fn new(name: &str, contents: &[u8]) -> TemporaryFile {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("oss-callback-{}-{number}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, contents).unwrap();
        TemporaryFile(path)
    }

    /// A file of any size that takes no room on the disk.
    pub fn sparse(name: &str, len: u64) -> TemporaryFile {
        let file = TemporaryFile::new(name, b"");
        file.set_len(len);
        file
    }

    pub fn set_len(&self, len: u64) {
        std::fs::File::options()
            .write(true)
            .open(&self.0)
            .unwrap()
            .set_len(len)
            .unwrap();
    }

    pub fn path(&self) -> &std::path::Path {
        &self.0
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
