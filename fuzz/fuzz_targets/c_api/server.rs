//! A server on a real socket that reads each request to its end, says what it is told, and closes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// A request, as far as an answer may depend on it.
pub struct Request {
    pub method: String,
    /// Path and query.
    pub target: String,
}

/// Starts the server, which asks `answer` for the bytes of each answer and closes the connection after it.
pub fn start(answer: impl Fn(&Request) -> Vec<u8> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its number");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            // A client that stalls must not stall the next one.
            let patience = Some(Duration::from_secs(2));
            let _ = stream.set_read_timeout(patience);
            let _ = stream.set_write_timeout(patience);
            if let Some(request) = read(&mut stream) {
                let _ = stream.write_all(&answer(&request));
            }
        }
    });
    address
}

/// Reads a request with its body; `None` for a connection that ends before.
fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 64 * 1024];
    let mut more = |bytes: &mut Vec<u8>| {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        Some(())
    };
    let head_len = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        more(&mut bytes)?;
        // Whoever begins with TLS waits for an answer, not for the end of a head.
        if !bytes[0].is_ascii_alphabetic() {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_len]).into_owned();
    let header = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    };
    if header("transfer-encoding").is_some() {
        while !bytes.ends_with(b"0\r\n\r\n") {
            more(&mut bytes)?;
        }
    } else {
        let len: usize = header("content-length").map_or(Some(0), |text| text.parse().ok())?;
        while bytes.len() - head_len < len {
            more(&mut bytes)?;
        }
    }
    let mut words = head.split(' ');
    Some(Request {
        method: words.next()?.to_owned(),
        target: words.next()?.to_owned(),
    })
}
