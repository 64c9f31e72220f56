//! An HTTP proxy as Squid and tinyproxy come: a tunnel (CONNECT) to port 443 alone, everything else in absolute form. It takes
//! every name for one server's.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::header;

/// Headers that are the proxy's, and go no further (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [&str; 3] = ["proxy-authorization", "proxy-connection", "connection"];

/// A strict proxy in front of a server.
pub struct StrictProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    server: SocketAddr,
    /// The value of `Proxy-Authorization` without which nothing goes through.
    login: Option<String>,
    /// Where tunnels may lead besides port 443.
    tunnels_anywhere: bool,
    stopped: AtomicBool,
    /// Heads of requests as they came, with the number of the connection.
    heads: Mutex<Vec<(usize, String)>>,
    /// What was passed on to the server.
    passed_on: Mutex<Vec<String>>,
}

impl StrictProxy {
    pub fn start(server: SocketAddr) -> StrictProxy {
        StrictProxy::with(server, None, false)
    }

    /// Wants this value of `Proxy-Authorization`.
    pub fn with_login(server: SocketAddr, login: &str) -> StrictProxy {
        StrictProxy::with(server, Some(login.to_owned()), true)
    }

    /// Opens tunnels to any port.
    pub fn with_tunnels(server: SocketAddr) -> StrictProxy {
        StrictProxy::with(server, None, true)
    }

    fn with(server: SocketAddr, login: Option<String>, tunnels_anywhere: bool) -> StrictProxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server,
            login,
            tunnels_anywhere,
            stopped: AtomicBool::new(false),
            heads: Mutex::default(),
            passed_on: Mutex::default(),
        });
        let serving = shared.clone();
        let thread = std::thread::spawn(move || {
            for (number, client) in listener.incoming().enumerate() {
                if serving.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (shared, client) = (serving.clone(), client.unwrap());
                // It ends with its client.
                std::thread::spawn(move || shared.serve(number, client));
            }
        });
        StrictProxy {
            address,
            shared,
            thread: Some(thread),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// With user and password, both percent-encoded.
    pub fn url_with(&self, login: &str) -> String {
        format!("http://{login}@{}", self.address)
    }

    /// Heads of requests in their order, each with the number of its connection.
    pub fn heads(&self) -> Vec<(usize, String)> {
        let heads = self.shared.heads.lock();
        heads.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first lines of requests.
    pub fn lines(&self) -> Vec<String> {
        let first = |head: &str| head.lines().next().unwrap_or_default().to_owned();
        self.heads().iter().map(|(_, head)| first(head)).collect()
    }

    /// Heads as the server gets them.
    pub fn passed_on(&self) -> Vec<String> {
        let heads = self.shared.passed_on.lock();
        heads.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for StrictProxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Shared {
    fn serve(&self, number: usize, client: TcpStream) {
        let mut reader = BufReader::new(client.try_clone().unwrap());
        while let Some(head) = read_head(&mut reader) {
            self.heads
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((number, head.clone()));
            if !matches!(self.answer(&head, &mut reader, &client), Ok(true)) {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
    }

    /// Serves one request; true when another may follow.
    fn answer(
        &self,
        head: &str,
        reader: &mut BufReader<TcpStream>,
        mut client: &TcpStream,
    ) -> io::Result<bool> {
        let line = head.lines().next().unwrap_or_default();
        let mut words = line.split(' ');
        let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let len: u64 = header(head, "content-length").map_or(0, |len| len.parse().unwrap());
        if self.login.is_some() && header(head, "proxy-authorization") != self.login.as_deref() {
            let wanted = "Proxy-Authenticate: Basic realm=\"office\"";
            let answer = format!("407 Proxy Authentication Required\r\n{wanted}");
            return refuse(reader, client, len, &answer);
        }
        if method == "CONNECT" {
            if !self.tunnels_anywhere && !target.ends_with(":443") {
                return refuse(reader, client, len, "403 Forbidden");
            }
            let server = TcpStream::connect(self.server)?;
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            let (mut from_server, mut to_server) = (server.try_clone()?, server);
            let mut to_client = client.try_clone()?;
            let down = std::thread::spawn(move || {
                let _ = io::copy(&mut from_server, &mut to_client);
                let _ = to_client.shutdown(Shutdown::Both);
            });
            let _ = io::copy(reader, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Both);
            down.join().unwrap();
            return Ok(false);
        }
        let Some((authority, path)) = target
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once('/'))
        else {
            return refuse(reader, client, len, "400 Bad Request");
        };
        // RFC 9112, section 3.2.2: both name the same host.
        if header(head, "host") != Some(authority) {
            return refuse(reader, client, len, "400 Bad Request");
        }
        let mut passed = format!("{method} /{path} HTTP/1.1\r\n");
        for line in head.lines().skip(1).filter(|line| !line.is_empty()) {
            let name = line.split(':').next().unwrap_or_default();
            if !HOP_BY_HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop)) {
                passed.extend([line, "\r\n"]);
            }
        }
        passed.push_str("\r\n");
        let mut server = TcpStream::connect(self.server)?;
        server.write_all(passed.as_bytes())?;
        self.passed_on
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(passed);
        io::copy(&mut reader.by_ref().take(len), &mut server)?;
        let mut from_server = BufReader::new(server);
        let Some(answer) = read_head(&mut from_server) else {
            return refuse(reader, client, 0, "502 Bad Gateway");
        };
        client.write_all(answer.as_bytes())?;
        let len = header(&answer, "content-length").map_or(0, |len| len.parse().unwrap());
        if method != "HEAD" {
            io::copy(&mut from_server.take(len), &mut client)?;
        }
        Ok(true)
    }
}

/// Takes the rest of a request, and says no.
fn refuse(
    reader: &mut BufReader<TcpStream>,
    mut client: &TcpStream,
    len: u64,
    answer: &str,
) -> io::Result<bool> {
    io::copy(&mut reader.take(len), &mut io::sink())?;
    let close = "Content-Length: 0\r\nConnection: close\r\n\r\n";
    client.write_all(format!("HTTP/1.1 {answer}\r\n{close}").as_bytes())?;
    Ok(false)
}

/// A head with its empty line; nothing at the end of the connection.
fn read_head(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return None;
        }
    }
    Some(head)
}
