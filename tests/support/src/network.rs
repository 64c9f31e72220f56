//! A network that fails on purpose: sits between clients and a server, and does on each connection what it is told to, at
//! any number of bytes of what goes either way. Nothing in it depends on chance, and it writes down what went over it.

use std::collections::VecDeque;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::impostor::{Heard, Impostor, Impostors, Stranger};
use super::observed::{Observed, Recorder};
use super::pump::{Pump, Records, Replacement};
use super::socket_reset;

/// Which way the bytes go that a fault counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Request,
    Answer,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Both sides see the connection closed in good order; through TLS, without close_notify and inside a record.
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
    /// So many milliseconds nothing goes this way.
    Pause(u16),
    /// So many bytes never arrive.
    Lose(u16),
    /// The connection is closed in good order at the end of the TLS record that this byte is in, without close_notify.
    CutAfterRecord,
    /// Lines of a header come in place of what follows, without end.
    HeaderFlood,
    /// What follows loses its Content-Length and does not end.
    EndlessBody,
    /// So many interim answers (1xx) come before what follows.
    Interim(u16),
    /// The network answers in the server's place, which hears no more of the connection.
    Early(Early),
    /// The connection is reset before anything goes over it, wherever the fault is placed.
    Refuse,
    /// Somebody speaks before anything has been asked, wherever the fault is placed.
    Unasked(Stranger),
}

/// What the network answers by itself to a request that is still being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Early {
    /// 200, which cannot be true.
    Success,
    /// 403 with an error document of OSS.
    Refusal,
    /// 503 of some gateway.
    Unavailable,
}

impl Early {
    pub fn bytes(self) -> Vec<u8> {
        let (status, headers, body) = match self {
            Early::Success => ("200 OK", "", "{\"forged\":true}"),
            Early::Refusal => (
                "403 Forbidden",
                "x-oss-request-id: 000000000000000000000000\r\n",
                "<Error><Code>AccessDenied</Code><Message>No.</Message></Error>",
            ),
            Early::Unavailable => ("503 Service Unavailable", "", "later"),
        };
        let len = body.len();
        format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {len}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// One fault: what happens when so many bytes have gone this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub direction: Direction,
    pub at: u64,
    pub action: Action,
}

/// Faults of connections, in the order in which they are made; later ones have none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    faults: Vec<Vec<Fault>>,
    /// How many connections begin with the first.
    repeated: usize,
    impostors: Vec<Impostor>,
}

impl Plan {
    /// These faults on each of so many connections.
    pub fn new(times: usize, faults: Vec<Fault>) -> Plan {
        Plan {
            faults: vec![faults],
            repeated: times,
            impostors: Vec::new(),
        }
    }

    /// Its own faults on each connection.
    pub fn each(faults: Vec<Vec<Fault>>) -> Plan {
        Plan {
            faults,
            repeated: 1,
            impostors: Vec::new(),
        }
    }

    /// With these impostors, whom requests in the clear meet on whichever connection.
    pub fn with_impostors(self, impostors: Vec<Impostor>) -> Plan {
        Plan { impostors, ..self }
    }

    fn of(&self, number: usize) -> &[Fault] {
        match number.checked_sub(self.repeated) {
            None => self.faults.first(),
            Some(rest) => self.faults.get(rest + 1),
        }
        .map_or(&[], Vec::as_slice)
    }
}

/// Told the number of a connection before anything goes over it.
pub type Hook = Box<dyn Fn(usize) + Send + Sync>;

/// Both ways of a connection.
const DIRECTIONS: [Direction; 2] = [Direction::Request, Direction::Answer];

/// A failing network in front of a server.
pub struct Network {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    server: SocketAddr,
    /// Connections that the network keeps, whatever became of them, so that it sends no reset that is not asked for. The
    /// client of an older one has gone.
    kept: usize,
    /// To the server, since the start.
    connections: AtomicUsize,
    stopped: AtomicBool,
    state: Mutex<State>,
    /// The sentinel was accepted.
    all_accepted: Condvar,
}

#[derive(Default)]
struct State {
    plan: Plan,
    impostors: Arc<Impostors>,
    hook: Option<Hook>,
    links: VecDeque<Arc<Link>>,
    /// Since the plan began.
    number: usize,
    pumps: Vec<JoinHandle<()>>,
    observed: Vec<Observed>,
    /// The network's own connection to itself, behind all that wait to be accepted.
    sentinel: Option<SocketAddr>,
}

/// One connection through the network: its two ends here.
pub struct Link {
    pub client: TcpStream,
    pub server: TcpStream,
    ways: [Mutex<Way>; 2],
    impostors: Mutex<Arc<Impostors>>,
}

/// One direction of a connection.
#[derive(Default)]
pub struct Way {
    pub faults: VecDeque<Fault>,
    /// Bytes that have come this way.
    pub passed: u64,
    /// Bytes that had come this way when the plan began.
    pub base: u64,
    pub struck: Vec<Fault>,
    pub records: Records,
    pub recorder: Recorder,
    /// Of the answer that comes next.
    pub replacement: Option<Replacement>,
}

impl Link {
    pub fn way(&self, direction: Direction) -> MutexGuard<'_, Way> {
        lock(&self.ways[direction as usize])
    }

    /// Waits until the client has gone, or everything ends, or for so long: then false.
    pub fn wait(&self, patience: Duration) -> bool {
        let patience = Timespec::try_from(patience).unwrap();
        let mut client = [PollFd::new(&self.client, PollFlags::RDHUP)];
        poll(&mut client, Some(&patience)).unwrap() > 0
    }

    pub fn close(&self) {
        for stream in [&self.client, &self.server] {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub fn impostors(&self) -> Arc<Impostors> {
        lock(&self.impostors).clone()
    }

    /// From now on these faults count, from here, and these impostors come.
    fn arm(&self, faults: &[Fault], impostors: &Arc<Impostors>) {
        *lock(&self.impostors) = impostors.clone();
        for direction in DIRECTIONS {
            let of_this_way = |fault: &&Fault| fault.direction == direction;
            let mut way = self.way(direction);
            way.faults = faults.iter().filter(of_this_way).copied().collect();
            way.base = way.passed;
            way.struck.clear();
            way.recorder = Recorder::default();
            way.replacement = None;
        }
        self.speak_unasked();
    }

    /// Lets those speak who do so before anything is asked.
    fn speak_unasked(&self) {
        let mut way = self.way(Direction::Answer);
        let faults = std::mem::take(&mut way.faults);
        for fault in faults {
            match fault.action {
                Action::Unasked(stranger) => {
                    let words = stranger.says(&Heard::nothing(), stranger.always_closes());
                    way.struck.push(fault);
                    way.recorder.add(Direction::Answer, &words);
                    if (&self.client).write_all(&words).is_err() {
                        way.recorder.lose();
                    }
                    if stranger == Stranger::TimedOut {
                        let _ = self.client.shutdown(Shutdown::Write);
                    }
                }
                _ => way.faults.push_back(fault),
            }
        }
    }

    fn observed(&self) -> Observed {
        let [request, answer] = DIRECTIONS.map(|direction| {
            let mut way = self.way(direction);
            (
                std::mem::take(&mut way.struck),
                std::mem::take(&mut way.recorder),
            )
        });
        Observed::new([request.0, answer.0].concat(), request.1, answer.1)
    }
}

impl Network {
    /// Listens on a free port and does nothing wrong yet. An upload of some MiB does not fit into its buffers.
    pub fn start(server: SocketAddr) -> Network {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = socket2::SockRef::from(&listener);
        socket.set_recv_buffer_size(64 * 1024).unwrap();
        Network::new(listener, 64, server)
    }

    /// The same with the buffers of the system, keeping so many connections.
    pub fn keeping(kept: usize, server: SocketAddr) -> Network {
        Network::new(TcpListener::bind("127.0.0.1:0").unwrap(), kept, server)
    }

    fn new(listener: TcpListener, kept: usize, server: SocketAddr) -> Network {
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server,
            kept,
            connections: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            state: Mutex::default(),
            all_accepted: Condvar::new(),
        });
        let serving = shared.clone();
        let thread = std::thread::Builder::new()
            .name("network".to_owned())
            .spawn(move || serving.serve(&listener))
            .unwrap();
        Network {
            address,
            shared,
            thread: Some(thread),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that were made through it to the server, since the start.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// From now on this plan counts. Connections that are open are its first ones.
    pub fn begin(&self, plan: Plan, hook: Option<Hook>) {
        let mut state = lock(&self.shared.state);
        state.observed.clear();
        state.impostors = Arc::new(Impostors::new(plan.impostors.clone()));
        state.links.retain(|link| !link.wait(Duration::ZERO));
        for (number, link) in state.links.iter().enumerate() {
            link.arm(plan.of(number), &state.impostors);
            if let Some(hook) = &hook {
                hook(number);
            }
        }
        state.number = state.links.len();
        state.plan = plan;
        state.hook = hook;
    }

    /// Closes every connection and tells what went over each since the plan began, in the order in which they were made.
    pub fn end(&self) -> Vec<Observed> {
        let mut state = lock(&self.shared.state);
        let sentinel = TcpStream::connect(self.address).unwrap();
        state.sentinel = Some(sentinel.local_addr().unwrap());
        let waiting = |state: &mut State| state.sentinel.is_some();
        let accepted = self.shared.all_accepted.wait_while(state, waiting);
        accepted.unwrap_or_else(PoisonError::into_inner).end()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // First of all nobody gets in any more.
        self.shared.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let result = thread.join();
            if !std::thread::panicking() {
                result.expect("the network does not panic");
                lock(&self.shared.state).end();
            }
        }
    }
}

impl State {
    fn end(&mut self) -> Vec<Observed> {
        self.plan = Plan::default();
        self.impostors = Arc::default();
        self.hook = None;
        // Nothing gets through one of them while others are closed already.
        for link in &self.links {
            let _ = link.server.shutdown(Shutdown::Write);
        }
        self.links.iter().for_each(|link| link.close());
        for pump in self.pumps.drain(..) {
            pump.join().unwrap();
        }
        let mut observed = std::mem::take(&mut self.observed);
        observed.extend(self.links.drain(..).map(|link| link.observed()));
        observed
    }
}

impl Shared {
    fn serve(&self, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.stopped.load(Ordering::SeqCst) {
                return;
            }
            let client = client.unwrap();
            // Held until the connection is one of those that `end` closes.
            let mut state = lock(&self.state);
            if client.peer_addr().ok() == state.sentinel && state.sentinel.is_some() {
                state.sentinel = None;
                self.all_accepted.notify_all();
                continue;
            }
            let number = state.number;
            state.number += 1;
            if let Some(hook) = &state.hook {
                hook(number);
            }
            let faults = state.plan.of(number).to_vec();
            if faults.iter().any(|fault| fault.action == Action::Refuse) {
                socket_reset(&client);
                state.observed.push(Observed::refused(faults));
                continue;
            }
            let Ok(server) = TcpStream::connect(self.server) else {
                continue;
            };
            self.connections.fetch_add(1, Ordering::SeqCst);
            let link = Arc::new(Link {
                client,
                server,
                ways: Default::default(),
                impostors: Mutex::default(),
            });
            link.arm(&faults, &state.impostors);
            state.links.push_back(link.clone());
            if state.links.len() > self.kept
                && let Some(oldest) = state.links.pop_front()
            {
                oldest.close();
                let observed = oldest.observed();
                state.observed.push(observed);
            }
            for pump in state.pumps.extract_if(.., |pump| pump.is_finished()) {
                pump.join().unwrap();
            }
            for direction in DIRECTIONS {
                let link = link.clone();
                let pump = std::thread::Builder::new().name("network".to_owned());
                let pump = pump.spawn(move || Pump::new(link, direction).run());
                state.pumps.push(pump.unwrap());
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
