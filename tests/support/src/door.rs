//! An address at which nobody answers until somebody does: a listener whose queue is full takes no further connection, as
//! a route that swallows packets does.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

/// Longer than a connection to this machine takes.
const PATIENCE: Duration = Duration::from_millis(500);

/// An answer of OSS's to a small upload.
const STORED: &[u8] = b"HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// A listener that takes connections, or lets them hang.
pub struct Door {
    listener: TcpListener,
    /// What its queue is full of.
    filling: Vec<TcpStream>,
}

impl Door {
    /// At a free port of 127.0.0.1.
    pub fn open() -> Door {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket
            .bind(&SockAddr::from(SocketAddr::from(([127, 0, 0, 1], 0))))
            .unwrap();
        socket.listen(0).unwrap();
        Door {
            listener: socket.into(),
            filling: Vec::new(),
        }
    }

    /// `None` where a full queue takes further connections all the same, as on macOS.
    pub fn shut() -> Option<Door> {
        let mut door = Door::open();
        door.close().then_some(door)
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Lets further connections hang; false if that cannot be done here.
    pub fn close(&mut self) -> bool {
        for _ in 0..16 {
            match TcpStream::connect_timeout(&self.address(), PATIENCE) {
                Ok(stream) => self.filling.push(stream),
                Err(e) => return e.kind() == std::io::ErrorKind::TimedOut,
            }
        }
        false
    }

    /// Takes what its queue is full of, so that there is room again.
    pub fn reopen(&mut self) {
        for stream in self.filling.drain(..) {
            let (accepted, _) = self.listener.accept().unwrap();
            drop((accepted, stream));
        }
    }

    /// Whether somebody came whom nobody has let in.
    pub fn somebody_waits(&self) -> bool {
        self.listener.set_nonblocking(true).unwrap();
        let came = self.listener.accept().is_ok();
        self.listener.set_nonblocking(false).unwrap();
        came
    }

    /// Takes a connection and closes it; gives the address that it came from.
    pub fn meet(&self) -> SocketAddr {
        self.listener.accept().unwrap().1
    }

    /// Takes one small upload and says that it is stored; gives the address that it came from.
    pub fn serve(&self) -> SocketAddr {
        let (mut stream, from) = self.listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\nx") {
            let mut block = [0; 4096];
            let count = stream.read(&mut block).unwrap();
            assert!(count > 0, "{:?}", String::from_utf8_lossy(&request));
            request.extend(&block[..count]);
        }
        stream.write_all(STORED).unwrap();
        from
    }
}
