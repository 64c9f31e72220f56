//! A network that fails on purpose: sits between a client and a server and does one thing wrong, at one
//! byte of the request or of the answer. Nothing in it depends on time or chance.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use local_oss::{Answer, Receiver};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{BUCKET, client, server, spec};

/// Small, so that a request is its head and one block; large, so that it is many.
const SMALL: usize = 1000;
pub const LARGE: usize = 32 * 1024 * 1024;

/// Connections that a network keeps, whatever became of them, so that it sends no reset that is not asked for.
/// The client of an older one has gone.
const KEPT: usize = 4;

/// Which way the bytes go that a fault counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Request,
    Answer,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Both sides see the connection closed in good order.
    Cut,
    /// Both sides see a reset.
    Reset,
    /// Nothing more goes this way, and nobody is told.
    Stall,
    /// The receiver of this direction sees its end; the other direction goes on.
    HalfClose,
    /// From here on a byte every 100 ms.
    Drip,
    /// One byte arrives with its lowest bit changed.
    Corrupt,
}

/// One fault: what happens when so many bytes have gone this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub direction: Direction,
    pub at: u64,
    pub action: Action,
}

pub const ACTIONS: [Action; 6] = [
    Action::Cut,
    Action::Reset,
    Action::Stall,
    Action::HalfClose,
    Action::Drip,
    Action::Corrupt,
];

/// Where a fault strikes an upload, in words and in bytes.
#[derive(Clone, Copy)]
pub struct Place {
    pub name: &'static str,
    direction: Direction,
    at: u64,
    /// How large the upload is.
    pub len: usize,
}

/// In the body of an answer. It is counted back from the end, since the length of the head depends on it.
const IN_THE_BODY: u64 = u64::MAX;

pub const PLACES: [Place; 6] = [
    Place {
        name: "before the request",
        direction: Direction::Request,
        at: 0,
        len: SMALL,
    },
    Place {
        name: "in the request's head",
        direction: Direction::Request,
        at: 100,
        len: SMALL,
    },
    // No head is that long, and no socket buffers hold the rest.
    Place {
        name: "in a large body",
        direction: Direction::Request,
        at: 1_000_000,
        len: LARGE,
    },
    Place {
        name: "before the answer",
        direction: Direction::Answer,
        at: 0,
        len: SMALL,
    },
    Place {
        name: "in the answer's head",
        direction: Direction::Answer,
        at: 100,
        len: SMALL,
    },
    Place {
        name: "in the answer's body",
        direction: Direction::Answer,
        at: IN_THE_BODY,
        len: SMALL,
    },
];

/// The application server's answer: large enough for a fault in it to be told from one in the head.
pub const ANSWER: &str = "{\"Status\":\"OK\",\"padding\":\"................................................................................................................................................................................................\"}";

impl Place {
    /// An answer to a plain upload has no body.
    pub fn exists(&self, with_callback: bool) -> bool {
        with_callback || self.at != IN_THE_BODY
    }

    pub fn fault(&self, action: Action) -> Fault {
        Fault {
            direction: self.direction,
            at: match self.at {
                IN_THE_BODY => answer_len() - 20,
                at => at,
            },
            action,
        }
    }
}

/// The length of an undisturbed answer.
fn answer_len() -> u64 {
    static LEN: OnceLock<u64> = OnceLock::new();
    *LEN.get_or_init(|| {
        let receiver = Receiver::start(|_| Answer::json(ANSWER)).unwrap();
        let server = server().start().unwrap();
        let receipt = client(server.endpoint())
            .put_object(BUCKET, "object")
            .callback(&spec(&receiver.url("/")))
            .send_bytes(vec![b'a'; SMALL])
            .unwrap();
        let lines = receipt
            .headers()
            .iter()
            .map(|(name, value)| name.len() + value.len() + 4);
        let head = "HTTP/1.1 200 OK\r\n".len() + lines.sum::<usize>() + "\r\n".len();
        (head + receipt.answer().len()) as u64
    })
}

/// A failing network in front of a server.
pub struct FaultyNetwork {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
    links: Arc<Mutex<Vec<Arc<Link>>>>,
    thread: Option<JoinHandle<()>>,
}

/// One connection through the network: its two ends here.
struct Link {
    client: TcpStream,
    server: TcpStream,
}

impl Link {
    /// Waits until the client has gone, or everything ends, or for so long: then false.
    fn wait(&self, patience: Duration) -> bool {
        let patience = Timespec::try_from(patience).unwrap();
        let mut client = [PollFd::new(&self.client, PollFlags::RDHUP)];
        poll(&mut client, Some(&patience)).unwrap() > 0
    }

    fn close(&self) {
        for stream in [&self.client, &self.server] {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl FaultyNetwork {
    /// The first `times` connections have the fault, later ones none.
    pub fn start(server: SocketAddr, fault: Fault, times: usize) -> FaultyNetwork {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let stopped = Arc::new(AtomicBool::new(false));
        let links: Arc<Mutex<Vec<Arc<Link>>>> = Arc::default();
        let (counter, stopping, kept) = (connections.clone(), stopped.clone(), links.clone());
        let thread = std::thread::spawn(move || {
            let mut pumps: Vec<JoinHandle<()>> = Vec::new();
            for client in listener.incoming() {
                if stopping.load(Ordering::SeqCst) {
                    break;
                }
                let client = client.unwrap();
                let Ok(server) = TcpStream::connect(server) else {
                    continue;
                };
                let number = counter.fetch_add(1, Ordering::SeqCst);
                let fault = (number < times).then_some(fault);
                let link = Arc::new(Link { client, server });
                let mut kept = kept.lock().unwrap();
                kept.push(link.clone());
                if kept.len() > KEPT {
                    kept.remove(0).close();
                }
                for pump in pumps.extract_if(.., |pump| pump.is_finished()) {
                    pump.join().unwrap();
                }
                for direction in [Direction::Request, Direction::Answer] {
                    let pump = Pump {
                        link: link.clone(),
                        direction,
                        fault: fault.filter(|fault| fault.direction == direction),
                        passed: 0,
                    };
                    pumps.push(std::thread::spawn(move || pump.run()));
                }
            }
            pumps.into_iter().for_each(|pump| pump.join().unwrap());
        });
        FaultyNetwork {
            address,
            connections,
            stopped,
            links,
            thread: Some(thread),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that were made through it.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for FaultyNetwork {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        for link in self.links.lock().unwrap().iter() {
            link.close();
        }
        if let Some(thread) = self.thread.take() {
            let result = thread.join();
            if !std::thread::panicking() {
                result.expect("the network does not panic");
            }
        }
    }
}

/// One direction of one connection.
struct Pump {
    link: Arc<Link>,
    direction: Direction,
    fault: Option<Fault>,
    passed: u64,
}

impl Pump {
    fn from(&self) -> &TcpStream {
        match self.direction {
            Direction::Request => &self.link.client,
            Direction::Answer => &self.link.server,
        }
    }

    fn to(&self) -> &TcpStream {
        match self.direction {
            Direction::Request => &self.link.server,
            Direction::Answer => &self.link.client,
        }
    }

    fn run(mut self) {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let Ok(count @ 1..) = self.from().read(&mut buffer) else {
                let _ = self.to().shutdown(Shutdown::Write);
                return;
            };
            let mut bytes = &mut buffer[..count];
            if self.is_due(count as u64) {
                let before = (self.fault.map_or(0, |fault| fault.at) - self.passed) as usize;
                let (first, rest) = bytes.split_at_mut(before);
                if !self.pass(first) || !self.act(rest) {
                    return;
                }
                bytes = rest;
            }
            if !self.pass(bytes) {
                return;
            }
        }
    }

    /// Whether the fault comes within the next bytes. One at byte 0 waits for the first: before that nobody
    /// could say what came first, the fault or the request.
    fn is_due(&self, next: u64) -> bool {
        self.fault
            .is_some_and(|fault| fault.at < self.passed + next)
    }

    fn pass(&mut self, bytes: &[u8]) -> bool {
        self.passed += bytes.len() as u64;
        self.to().write_all(bytes).is_ok()
    }

    /// Does what goes wrong, with the bytes that are at hand; false when nothing more goes this way.
    fn act(&mut self, bytes: &mut [u8]) -> bool {
        let Some(fault) = self.fault.take() else {
            return true;
        };
        match fault.action {
            Action::Cut => {
                self.link.close();
                false
            }
            Action::Reset => {
                for stream in [self.to(), self.from()] {
                    let _ = rustix::net::connect_unspec(stream);
                }
                false
            }
            Action::Stall => {
                self.link.wait(Duration::from_secs(60));
                false
            }
            Action::HalfClose => {
                let _ = self.to().shutdown(Shutdown::Write);
                false
            }
            Action::Drip => {
                let mut at_hand = bytes.to_vec();
                loop {
                    for byte in &at_hand {
                        let gone = self.to().write_all(&[*byte]).is_err();
                        if gone || self.link.wait(Duration::from_millis(100)) {
                            return false;
                        }
                    }
                    at_hand.resize(1024, 0);
                    let Ok(count @ 1..) = self.from().read(&mut at_hand) else {
                        return false;
                    };
                    at_hand.truncate(count);
                }
            }
            Action::Corrupt => {
                if let Some(byte) = bytes.first_mut() {
                    *byte ^= 1;
                }
                true
            }
        }
    }
}
