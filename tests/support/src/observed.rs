//! What went over a connection, read by code of its own: which requests a client has sent, and which answers have been
//! delivered to it.

use std::sync::atomic::{AtomicU64, Ordering};

use super::impostor::{Heard, Impostor, Reach};
use super::network::{Action, Direction, Fault};

/// So much of the answers is kept, more than they have without a flood.
const KEPT: usize = 1 << 20;

/// No head of a request is longer: what is, is no HTTP.
const LONGEST_HEAD: usize = 64 * 1024;

/// What went over one connection.
#[derive(Debug, Clone)]
pub struct Observed {
    /// It was reset before anything went over it.
    pub refused: bool,
    /// The faults that came about.
    pub struck: Vec<Fault>,
    /// Bytes that came from the client.
    pub received: u64,
    /// The last of the answers could not be delivered any more, or not all of it.
    pub lost: bool,
    /// Unless it speaks TLS.
    pub exchanges: Vec<Exchange>,
}

/// A request and what was delivered of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Of all requests anywhere, in the order in which they began.
    pub number: u64,
    pub method: String,
    pub target: String,
    /// The last byte of it came from the client.
    pub sent: bool,
    /// Bytes of it that did not come, if it says how many there are.
    pub missing: u64,
    /// The final one, if its whole head was delivered.
    pub answer: Option<Answered>,
    /// Who has answered it in OSS's place, or after OSS.
    pub by: Option<Impostor>,
}

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    /// It has OSS's request id.
    pub from_oss: bool,
    /// Its body was delivered, too.
    pub whole: bool,
}

impl Observed {
    pub fn new(struck: Vec<Fault>, requests: Recorder, answers: Recorder) -> Observed {
        let (received, lost) = (requests.count, answers.lost);
        let requests = requests.requests();
        let mut rest = &answers.answers[..];
        let exchanges = requests
            .into_iter()
            .map(|request| {
                let (answer, left) = match final_answer(rest, request.method == "HEAD") {
                    Some((answer, left)) => (Some(answer), left),
                    None => (None, &[][..]),
                };
                rest = left;
                Exchange { answer, ..request }
            })
            .collect();
        Observed {
            refused: false,
            struck,
            received,
            lost,
            exchanges,
        }
    }

    pub fn refused(faults: Vec<Fault>) -> Observed {
        Observed {
            refused: true,
            struck: faults,
            received: 0,
            lost: false,
            exchanges: Vec::new(),
        }
    }

    /// Whether a fault of this kind came about.
    pub fn has(&self, matches: impl Fn(Action) -> bool) -> bool {
        self.struck.iter().any(|fault| matches(fault.action))
    }

    /// Whether the client may have sent another request that the network has not read: it was answered, and then, or
    /// before, the network has stopped reading.
    pub fn may_hide_a_request(&self) -> bool {
        let stops = |fault: &Fault| {
            let stops = matches!(
                fault.action,
                Action::Cut | Action::Reset | Action::Stall | Action::HalfClose | Action::Early(_)
            );
            stops && fault.direction == Direction::Request
        };
        let last = self.exchanges.last();
        let answered = last.is_some_and(|exchange| exchange.answer.is_some());
        answered && self.struck.iter().any(stops)
    }

    /// Whether somebody has said something here that was no answer to anything.
    pub fn has_unasked(&self) -> bool {
        let behind = |exchange: &Exchange| exchange.by.is_some_and(|by| by.reach == Reach::Behind);
        self.has(|action| matches!(action, Action::Unasked(_))) || self.exchanges.iter().any(behind)
    }

    /// Whether what the client was told may be other than what the server said.
    pub fn answer_is_changed(&self) -> bool {
        self.struck.iter().any(|fault| {
            let changes = matches!(
                fault.action,
                Action::Corrupt
                    | Action::Lose(_)
                    | Action::HeaderFlood
                    | Action::EndlessBody
                    | Action::Interim(_)
            );
            changes && fault.direction == Direction::Answer
        })
    }

    /// Whether what the server was told may be other than what the client said.
    pub fn request_is_changed(&self) -> bool {
        self.struck.iter().any(|fault| {
            let changes = matches!(fault.action, Action::Corrupt | Action::Lose(_));
            changes && fault.direction == Direction::Request
        })
    }
}

/// Takes the bytes of one direction.
#[derive(Debug, Default)]
pub struct Recorder {
    count: u64,
    lost: bool,
    answers: Vec<u8>,
    /// The last bytes, which end a body in chunks.
    last: Vec<u8>,
    /// Where requests begin, and what is known of them.
    requests: Vec<Request>,
    /// Of the head that is under way.
    head: Vec<u8>,
    body: Option<Body>,
}

#[derive(Debug)]
struct Request {
    number: u64,
    method: String,
    target: String,
    sent: bool,
    by: Option<Impostor>,
}

/// A body under way.
#[derive(Debug)]
enum Body {
    Left(u64),
    Chunks,
}

impl Recorder {
    pub fn add(&mut self, direction: Direction, bytes: &[u8]) {
        self.count += bytes.len() as u64;
        match direction {
            Direction::Request => self.read_requests(bytes),
            Direction::Answer => {
                let room = KEPT.saturating_sub(self.answers.len()).min(bytes.len());
                self.answers.extend_from_slice(&bytes[..room]);
            }
        }
    }

    /// What was added last did not arrive, or not all of it.
    pub fn lose(&mut self) {
        self.lost = true;
    }

    /// The last request whose head has come: its number, what it is, and whether all of it has come. `None` while the head
    /// of another one is under way.
    pub fn request(&self) -> Option<(u64, Heard, bool)> {
        let last = self.requests.last().filter(|_| self.head.is_empty())?;
        let heard = Heard::new(&last.method, &last.target);
        Some((last.number, heard, last.sent))
    }

    /// Somebody other than OSS answers this request, or speaks after OSS.
    pub fn answered_by(&mut self, number: u64, impostor: Impostor) {
        let mut requests = self.requests.iter_mut();
        if let Some(request) = requests.find(|request| request.number == number) {
            request.by = Some(impostor);
        }
    }

    /// Follows requests as they come.
    fn read_requests(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match &mut self.body {
                Some(Body::Left(left)) => {
                    let count = (*left).min(bytes.len() as u64);
                    *left -= count;
                    bytes = &bytes[count as usize..];
                    if *left == 0 {
                        self.finish();
                    }
                }
                Some(Body::Chunks) => {
                    // A body of these tests holds nothing that looks like its end.
                    const END: &[u8] = b"\r\n0\r\n\r\n";
                    self.last.extend_from_slice(bytes);
                    let from = self.last.len().saturating_sub(END.len());
                    self.last.drain(..from);
                    bytes = &[];
                    if self.last == END || self.last.ends_with(b"0\r\n\r\n") {
                        self.finish();
                    }
                }
                None => {
                    let before = self.head.len();
                    if before > LONGEST_HEAD {
                        return;
                    }
                    self.head.extend_from_slice(bytes);
                    let from = before.saturating_sub(3);
                    let end = self.head[from..].windows(4).position(|w| w == b"\r\n\r\n");
                    let end = end.map(|end| from + end);
                    let Some(end) = end else { return };
                    bytes = &bytes[end + 4 - before..];
                    self.head.truncate(end + 4);
                    self.begin();
                }
            }
        }
    }

    /// A head has come in.
    fn begin(&mut self) {
        let head = String::from_utf8_lossy(&self.head).into_owned();
        self.head.clear();
        let mut words = head.split(' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        self.requests.push(Request {
            number: next_number(),
            method: word(),
            target: word(),
            sent: false,
            by: None,
        });
        let header = |name| super::header(&head, name);
        self.body = match header("content-length").map(str::parse) {
            _ if header("transfer-encoding").is_some() => Some(Body::Chunks),
            Some(Ok(len)) if len > 0 => Some(Body::Left(len)),
            _ => None,
        };
        self.last.clear();
        if self.body.is_none() {
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.body = None;
        if let Some(request) = self.requests.last_mut() {
            request.sent = true;
        }
    }

    fn requests(self) -> Vec<Exchange> {
        let left = match self.body {
            Some(Body::Left(left)) => left,
            _ => 0,
        };
        let exchange = |request: Request| Exchange {
            number: request.number,
            missing: if request.sent { 0 } else { left },
            method: request.method,
            target: request.target,
            sent: request.sent,
            answer: None,
            by: request.by,
        };
        let mut exchanges: Vec<Exchange> = self.requests.into_iter().map(exchange).collect();
        if !self.head.is_empty() {
            // The beginning of another one.
            let head = String::from_utf8_lossy(&self.head);
            let mut words = head.split(' ');
            let mut word = || words.next().unwrap_or_default().to_owned();
            exchanges.push(Exchange {
                number: next_number(),
                method: word(),
                target: word(),
                sent: false,
                missing: 0,
                answer: None,
                by: None,
            });
        }
        exchanges
    }
}

fn next_number() -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// How long the first answer that is not an interim one is, with those before it, if all of it is there.
pub fn len_of_answer(bytes: &[u8], to_head: bool) -> Option<usize> {
    let (answer, left) = final_answer(bytes, to_head)?;
    answer.whole.then(|| bytes.len() - left.len())
}

/// The first answer that is not an interim one, and what follows it; `None` if its head is not there or no HTTP.
fn final_answer(mut bytes: &[u8], to_head: bool) -> Option<(Answered, &[u8])> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 128];
        let mut response = httparse::Response::new(&mut headers);
        let Ok(httparse::Status::Complete(len)) = response.parse(bytes) else {
            return None;
        };
        let status = response.code?;
        if (100..200).contains(&status) {
            bytes = &bytes[len..];
            continue;
        }
        let header = |wanted: &str| {
            let mut all = response.headers.iter();
            let found = all.find(|header| header.name.eq_ignore_ascii_case(wanted));
            found.map(|header| String::from_utf8_lossy(header.value).into_owned())
        };
        let from_oss = header("x-oss-request-id").is_some();
        let body = match header("content-length").map(|text| text.trim().parse::<usize>()) {
            _ if to_head || status == 204 => Some(0),
            Some(Ok(len)) => Some(len),
            _ => None,
        };
        let rest = &bytes[len..];
        let whole = body.is_some_and(|body| body <= rest.len());
        let left = rest.get(body.unwrap_or(usize::MAX)..).unwrap_or_default();
        let answer = Answered {
            status,
            from_oss,
            whole,
        };
        return Some((answer, left));
    }
}
