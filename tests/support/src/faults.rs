//! The faults of a network that tables are made of: one thing goes wrong, at one telling byte of the request or of the
//! answer.

use std::net::SocketAddr;
use std::sync::OnceLock;

use local_oss::{Answer, Receiver};

pub use super::network::{Action, Direction, Fault};
use super::network::{Network, Plan};
use super::{BUCKET, client, server, spec};

/// Small, so that a request is its head and one block; large, so that it is many.
const SMALL: usize = 1000;
pub const LARGE: usize = 32 * 1024 * 1024;

/// Connections that are kept; the client of an older one has gone.
const KEPT: usize = 4;

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

/// A network in front of a server that does one thing wrong.
pub struct FaultyNetwork(Network);

impl FaultyNetwork {
    /// The first `times` connections have the fault, later ones none.
    pub fn start(server: SocketAddr, fault: Fault, times: usize) -> FaultyNetwork {
        let network = Network::keeping(KEPT, server);
        network.begin(Plan::new(times, vec![fault]), None);
        FaultyNetwork(network)
    }

    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Connections that were made through it.
    pub fn connections(&self) -> usize {
        self.0.connections()
    }
}
