//! A network that fails on purpose: sits between a client and a server and does one thing wrong, at one
//! byte of the request or of the answer. Nothing in it depends on time or chance.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

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

/// A failing network in front of a server.
pub struct FaultyNetwork {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

/// Ends everything that waits, and everything that is open.
#[derive(Default)]
struct Stop {
    stopped: Mutex<bool>,
    condition: Condvar,
    open: Mutex<Vec<TcpStream>>,
}

impl Stop {
    /// Waits until everything ends, or for so long: then false.
    fn wait(&self, patience: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap();
        let waited = self
            .condition
            .wait_timeout_while(stopped, patience, |stopped| !*stopped);
        *waited.unwrap().0
    }
}

impl FaultyNetwork {
    /// The first `times` connections have the fault, later ones none.
    pub fn start(server: SocketAddr, fault: Fault, times: usize) -> FaultyNetwork {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let stop = Arc::new(Stop::default());
        let (counter, stopping) = (connections.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let mut pumps = Vec::new();
            for client in listener.incoming() {
                if *stopping.stopped.lock().unwrap() {
                    break;
                }
                let client = client.unwrap();
                let Ok(server) = TcpStream::connect(server) else {
                    continue;
                };
                let number = counter.fetch_add(1, Ordering::SeqCst);
                let fault = (number < times).then_some(fault);
                for stream in [&client, &server] {
                    stopping
                        .open
                        .lock()
                        .unwrap()
                        .push(stream.try_clone().unwrap());
                }
                for direction in [Direction::Request, Direction::Answer] {
                    let (from, to) = match direction {
                        Direction::Request => (&client, &server),
                        Direction::Answer => (&server, &client),
                    };
                    let pump = Pump {
                        from: from.try_clone().unwrap(),
                        to: to.try_clone().unwrap(),
                        fault: fault.filter(|fault| fault.direction == direction),
                        passed: 0,
                        stop: stopping.clone(),
                    };
                    pumps.push(std::thread::spawn(move || pump.run()));
                }
            }
            pumps.into_iter().for_each(|pump| pump.join().unwrap());
        });
        FaultyNetwork {
            address,
            connections,
            stop,
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
        *self.stop.stopped.lock().unwrap() = true;
        self.stop.condition.notify_all();
        drop(TcpStream::connect(self.address));
        for stream in self.stop.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
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
    from: TcpStream,
    to: TcpStream,
    fault: Option<Fault>,
    passed: u64,
    stop: Arc<Stop>,
}

impl Pump {
    fn run(mut self) {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let Ok(count @ 1..) = self.from.read(&mut buffer) else {
                let _ = self.to.shutdown(Shutdown::Write);
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
        self.to.write_all(bytes).is_ok()
    }

    /// Does what goes wrong, with the bytes that are at hand; false when nothing more goes this way.
    fn act(&mut self, bytes: &mut [u8]) -> bool {
        let Some(fault) = self.fault.take() else {
            return true;
        };
        match fault.action {
            Action::Cut => {
                let _ = self.to.shutdown(Shutdown::Both);
                let _ = self.from.shutdown(Shutdown::Both);
                false
            }
            Action::Reset => {
                for stream in [&self.to, &self.from] {
                    let _ = rustix::net::connect_unspec(stream);
                }
                false
            }
            Action::Stall => {
                self.stop.wait(Duration::from_secs(60));
                false
            }
            Action::HalfClose => {
                let _ = self.to.shutdown(Shutdown::Write);
                false
            }
            Action::Drip => {
                let mut at_hand = bytes.to_vec();
                loop {
                    for byte in &at_hand {
                        let gone = self.to.write_all(&[*byte]).is_err();
                        if gone || self.stop.wait(Duration::from_millis(100)) {
                            return false;
                        }
                    }
                    at_hand.resize(1024, 0);
                    let Ok(count @ 1..) = self.from.read(&mut at_hand) else {
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
