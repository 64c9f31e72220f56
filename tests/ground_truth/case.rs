//! A case: an upload and everything that goes wrong, all from one number.

use std::fmt;

use fastrand::Rng;

use support::impostor::{Asked, Impostor, Reach, Stay, Stranger};
use support::network::{Action, Direction, Early, Fault};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    PutBytes,
    PutFile,
    PutFileRange,
    PutRewindable,
    PutReader,
    PutChunked,
    PutWithUrl,
    PostObject,
    UploadFile,
    Multipart,
    MultipartAll,
}

impl Operation {
    pub const ALL: [Operation; 11] = [
        Operation::PutBytes,
        Operation::PutFile,
        Operation::PutFileRange,
        Operation::PutRewindable,
        Operation::PutReader,
        Operation::PutChunked,
        Operation::PutWithUrl,
        Operation::PostObject,
        Operation::UploadFile,
        Operation::Multipart,
        Operation::MultipartAll,
    ];

    /// Whether OSS is asked for this in the course of it, as a rule.
    fn asks(self, asked: Asked) -> bool {
        match asked {
            Asked::Put => !self.is_in_parts() && self != Operation::PostObject,
            Asked::Post => self == Operation::PostObject,
            // Who goes step by step leaves the upload open.
            Asked::Abort => self == Operation::UploadFile,
            Asked::Initiate | Asked::Part | Asked::Complete | Asked::ListParts | Asked::Head => {
                self.is_in_parts()
            }
        }
    }

    /// It goes in parts, as a rule.
    pub fn is_in_parts(self) -> bool {
        matches!(
            self,
            Operation::UploadFile | Operation::Multipart | Operation::MultipartAll
        )
    }
}

/// When it is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    None,
    Three,
    /// Three attempts, and the callback may be delivered again.
    Idempotent,
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// So long that they are reached by what hangs only.
    Long,
    /// In milliseconds, for each phase; all together twice as much.
    Short(u64),
    /// In milliseconds, for each phase; no limit for all together.
    Each(u64),
}

/// How the server is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Address,
    Name,
    /// The first address of the name refuses.
    SecondAddress,
    /// Every address refuses.
    Refused,
    /// The name is not found.
    NotFound,
    /// The name is found at the second attempt.
    FoundLater,
    /// The name has no address.
    Empty,
}

/// What the application server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppAnswer {
    Ok,
    Large,
    Xml,
    Status404,
    Status502,
    Silence,
    Close,
    NoLength,
    Chunked,
    NotJson,
    TooLong,
}

impl AppAnswer {
    pub const ALL: [AppAnswer; 11] = [
        AppAnswer::Ok,
        AppAnswer::Large,
        AppAnswer::Xml,
        AppAnswer::Status404,
        AppAnswer::Status502,
        AppAnswer::Silence,
        AppAnswer::Close,
        AppAnswer::NoLength,
        AppAnswer::Chunked,
        AppAnswer::NotJson,
        AppAnswer::TooLong,
    ];
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub seed: u64,
    pub operation: Operation,
    /// Of the object.
    pub len: usize,
    /// Of an upload in parts.
    pub part_len: usize,
    pub parallel: usize,
    /// Faults begin when the parts of an upload have been sent.
    pub late: bool,
    pub tls: bool,
    pub version_1: bool,
    /// What the application server answers at each URL; empty without a callback.
    pub callback: Vec<AppAnswer>,
    pub retry: Retry,
    pub limits: Limits,
    pub way: Way,
    /// The client's key is a wrong one.
    pub wrong_key: bool,
    /// A connection is open already.
    pub warm: bool,
    /// An older object has the name already.
    pub older: bool,
    pub idempotency_id: bool,
    /// How many seconds the server's clock is ahead, from each connection on.
    pub clock: Vec<i64>,
    /// Between the client and the server, for each connection.
    pub faults: Vec<Vec<Fault>>,
    /// Between the server and the application server, for each connection.
    pub callback_faults: Vec<Vec<Fault>>,
    /// Who answers in OSS's place while the upload goes on,
    pub impostors: Vec<Impostor>,
    /// and when it is looked up what became of it.
    pub later_impostors: Vec<Impostor>,
}

/// What an uploader can do.
pub struct Abilities {
    pub operations: &'static [Operation],
    /// It can be told how names are resolved, not only what to.
    pub resolver: bool,
    /// How many times as long as usual it may take.
    pub slowness: u64,
}

impl Abilities {
    /// What OSS is asked for.
    pub fn asks(&self) -> Vec<Asked> {
        let asks = |asked: &Asked| {
            let mut operations = self.operations.iter();
            operations.any(|operation| operation.asks(*asked))
        };
        Asked::ALL.into_iter().filter(asks).collect()
    }

    /// The impostor that this case is about, of every second one: each of them comes to each request in turn.
    fn meeting(&self, turn: u64) -> Option<(Stranger, Asked)> {
        let asks = self.asks();
        let turn = turn.is_multiple_of(2).then_some((turn / 2) as usize)?;
        let stranger = Stranger::ALL[turn % Stranger::ALL.len()];
        Some((stranger, asks[turn / Stranger::ALL.len() % asks.len()]))
    }
}

/// So many low bits of a case's number say which turn it is, and do not come from chance.
pub const TURN_BITS: u32 = 16;

/// More than the buffers of the system hold, so that not all of it can be on its way when little of it was taken.
pub const LARGE: usize = 8 << 20;

/// The least size of a part that is not the last: OSS's.
const PART: usize = 100 << 10;

impl Case {
    /// The case of this number.
    pub fn new(seed: u64, abilities: &Abilities) -> Case {
        let mut rng = Rng::with_seed(seed);
        let rng = &mut rng;
        let meeting = abilities.meeting(seed & ((1 << TURN_BITS) - 1));
        let meets = |operation: &&Operation| meeting.is_none_or(|(_, asked)| operation.asks(asked));
        let operations: Vec<&Operation> = abilities.operations.iter().filter(meets).collect();
        let operation = **pick(rng, &operations);
        let in_parts = operation.is_in_parts();
        // Nobody gets in between there.
        let tls = meeting.is_none() && rng.u8(..100) < 50;
        let len = match rng.u8(..100) {
            _ if in_parts => rng.usize(PART + 1..4 * PART),
            0..10 => 0,
            10..20 => rng.usize(1..10),
            20..80 => rng.usize(10..5000),
            // Through TLS nobody can see what is missing.
            98..100 if !tls => LARGE,
            _ => rng.usize(100_000..400_000),
        };
        let callback = match rng.u8(..100) {
            0..45 => Vec::new(),
            45..90 => vec![app_answer(rng)],
            _ => vec![app_answer(rng), app_answer(rng)],
        };
        let mut case = Case {
            seed,
            operation,
            len,
            part_len: PART + rng.usize(..20_000),
            parallel: rng.usize(1..=4),
            late: matches!(operation, Operation::Multipart | Operation::MultipartAll)
                && !meeting
                    .is_some_and(|(_, asked)| asked == Asked::Initiate || asked == Asked::Part)
                && rng.u8(..100) < 60,
            tls,
            version_1: rng.u8(..100) < 30,
            retry: *pick(rng, &[Retry::None, Retry::Three, Retry::Idempotent]),
            limits: Limits::Long,
            way: match rng.u8(..100) {
                0..80 => Way::Address,
                80..86 => Way::Name,
                86..91 => Way::SecondAddress,
                91..93 => Way::Refused,
                _ if !abilities.resolver => Way::Address,
                93..95 => Way::NotFound,
                95..98 => Way::FoundLater,
                _ => Way::Empty,
            },
            wrong_key: rng.u8(..100) < 2,
            warm: rng.u8(..100) < 20,
            older: rng.u8(..100) < 10,
            idempotency_id: rng.u8(..100) < 50,
            clock: match rng.u8(..100) {
                0..90 => Vec::new(),
                90..93 => vec![clock(rng)],
                _ => vec![clock(rng), clock(rng), clock(rng)],
            },
            faults: Vec::new(),
            callback_faults: Vec::new(),
            impostors: Vec::new(),
            later_impostors: Vec::new(),
            callback,
        };
        if let Some((stranger, asked)) = meeting {
            case.meet(rng, stranger, asked, &abilities.asks());
        }
        let struck = match rng.u8(..100) {
            _ if meeting.is_some() && rng.u8(..100) < 75 => 0,
            0..8 => 0,
            8..60 => 1,
            60..80 => 2,
            _ => rng.usize(3..=6),
        };
        case.faults = (0..struck).map(|_| case.connection(rng)).collect();
        if !case.callback.is_empty() && rng.u8(..100) < 30 {
            let connections = rng.usize(1..=case.callback.len());
            case.callback_faults = (0..connections).map(|_| callback_faults(rng)).collect();
        }
        let waits = case.faults.iter().flatten().any(waits);
        if waits || rng.u8(..100) < 3 {
            let limit = rng.u64(100..300) * abilities.slowness;
            // OSS may take 5 s for each callback, which are added to the limit of a phase.
            case.limits = match case.callback.is_empty() && rng.bool() {
                true => Limits::Each(limit),
                false => Limits::Short(limit),
            };
        }
        case
    }

    /// Has this impostor come to a request for this, and sometimes another one to another.
    fn meet(&mut self, rng: &mut Rng, stranger: Stranger, asked: Asked, all: &[Asked]) {
        self.wrong_key = false;
        let one = |rng: &mut Rng, who, asked| Impostor {
            who,
            asked,
            after: 0,
            reach: match rng.u8(..100) {
                0..20 => Reach::Head,
                20..50 => Reach::Nothing,
                50..85 => Reach::Through,
                85..95 => Reach::Ahead,
                _ => Reach::Behind,
            },
            stay: match rng.u8(..100) {
                0..60 => Stay::Once,
                60..80 => Stay::Connection,
                _ => Stay::Network,
            },
            closes: rng.u8(..100) < 40,
        };
        // Without this it would not come to the request.
        let first = |rng: &mut Rng, who, asked, reach| Impostor {
            reach,
            stay: Stay::Once,
            ..one(rng, who, asked)
        };
        let any = |rng: &mut Rng| *pick(rng, &Stranger::ALL);
        match asked {
            // Parts go one after the other, or as many at once.
            Asked::Part => {
                let after = rng.usize(..self.parts().len());
                let impostor = one(rng, stranger, asked);
                self.impostors.push(Impostor { after, ..impostor });
            }
            Asked::Abort => {
                let who = *pick(rng, &[Stranger::ProxyForbids, Stranger::Created]);
                self.impostors
                    .push(first(rng, who, Asked::Part, Reach::Nothing));
                self.impostors.push(one(rng, stranger, asked));
            }
            // A lost answer is looked up.
            Asked::ListParts | Asked::Head => {
                let who = any(rng);
                if self.operation != Operation::MultipartAll || asked == Asked::Head {
                    self.impostors
                        .push(first(rng, who, Asked::Complete, Reach::Through));
                }
                self.impostors.push(one(rng, stranger, asked));
            }
            _ => self.impostors.push(one(rng, stranger, asked)),
        }
        if rng.u8(..100) < 20 {
            let (who, asked) = (any(rng), *pick(rng, all));
            let after = rng.usize(..2);
            let impostor = one(rng, who, asked);
            self.impostors.push(Impostor { after, ..impostor });
        }
        let later = *pick(rng, &[Asked::ListParts, Asked::Head]);
        let impostor = one(rng, stranger, later);
        self.later_impostors.push(impostor);
    }

    /// The faults of one connection, one or several.
    fn connection(&self, rng: &mut Rng) -> Vec<Fault> {
        let count = match rng.u8(..100) {
            0..65 => 1,
            65..90 => 2,
            _ => 3,
        };
        let mut faults: Vec<Fault> = (0..count).map(|_| self.fault(rng)).collect();
        faults.sort_by_key(|fault| fault.at);
        faults
    }

    fn fault(&self, rng: &mut Rng) -> Fault {
        // About: how long the heads are, and how many requests and answers there are.
        let callback = if self.callback.is_empty() { 0 } else { 700 };
        let head = 500 + callback;
        let (requests, before) = match self.completes() && !self.late {
            true => (
                2 + self.parts().len() as u64,
                350 * (1 + self.parts().len() as u64),
            ),
            false => (1, 0),
        };
        let body = if self.late { 0 } else { self.len as u64 };
        // A handshake comes first.
        let (up, down) = if self.tls { (500, 2000) } else { (0, 0) };
        if rng.u8(..100) < 50 {
            let whole = up + before + body + head;
            let at = match rng.u8(..100) {
                0..20 => up,
                20..45 => rng.u64(..up + head),
                45..70 => rng.u64(..whole + 1),
                _ => whole.saturating_sub(rng.u64(..head)),
            };
            let action = match rng.u8(..if self.tls { 80 } else { 100 }) {
                0..15 => Action::Cut,
                15..30 => Action::Reset,
                30..35 => Action::Stall,
                35..45 => Action::HalfClose,
                45..47 => Action::Drip,
                47..57 => Action::Corrupt,
                57..65 => Action::Pause(rng.u16(1..30)),
                65..72 => Action::Lose(lost(rng)),
                72..80 => Action::Refuse,
                // What is forged must not be taken for the answer to the whole.
                80..90 if self.len == LARGE => {
                    return Fault {
                        direction: Direction::Request,
                        at: rng.u64(2000..1 << 20),
                        action: Action::Early(Early::Success),
                    };
                }
                80..90 => Action::Early(Early::Refusal),
                _ => Action::Early(Early::Unavailable),
            };
            Fault {
                direction: Direction::Request,
                at,
                action,
            }
        } else {
            let at = match rng.u8(..100) {
                0..20 => down,
                20..50 => rng.u64(..down + 400),
                _ => rng.u64(..down + 400 * requests),
            };
            let action = match rng.u8(..100) {
                0..10 => Action::Cut,
                10..14 => Action::Unasked(*pick(rng, &Stranger::ALL)),
                14..26 => Action::Reset,
                26..32 => Action::Stall,
                32..44 => Action::HalfClose,
                44..46 => Action::Drip,
                46..58 => Action::Corrupt,
                58..66 => Action::Pause(rng.u16(1..30)),
                66..74 => Action::Lose(lost(rng)),
                74..82 => Action::HeaderFlood,
                82..90 if self.tls => Action::CutAfterRecord,
                82..90 => Action::EndlessBody,
                _ => Action::Interim(*pick(rng, &[1, 5, 50, 99, 150, 10_000])),
            };
            Fault {
                direction: Direction::Answer,
                at,
                action,
            }
        }
    }

    /// The object's name, which no other case has.
    pub fn key(&self) -> String {
        format!("case-{:016x}", self.seed)
    }

    /// What is uploaded. Nothing in it looks like the end of chunks.
    pub fn contents(&self) -> Vec<u8> {
        let first = self.seed as usize % 26;
        let letters: Vec<u8> = (b'a'..=b'z').cycle().skip(first).take(26).collect();
        let mut contents = letters.repeat(self.len / letters.len() + 1);
        contents.truncate(self.len);
        contents
    }

    /// The object is made by CompleteMultipartUpload, not by the request that carries its contents.
    pub fn completes(&self) -> bool {
        match self.operation {
            Operation::UploadFile => self.len > self.part_len,
            operation => operation.is_in_parts(),
        }
    }

    /// Sizes of the parts.
    pub fn parts(&self) -> Vec<usize> {
        let mut left = self.len;
        let mut parts = Vec::new();
        while left > 0 {
            let len = left.min(self.part_len);
            parts.push(len);
            left -= len;
        }
        parts
    }

    /// The attempts that the caller allows, and one for a clock that is corrected.
    pub fn attempts(&self) -> usize {
        let allowed = if self.retry == Retry::None { 1 } else { 3 };
        allowed + usize::from(!self.clock.is_empty())
    }
}

/// One line, which says everything.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

fn pick<'a, T>(rng: &mut Rng, choices: &'a [T]) -> &'a T {
    &choices[rng.usize(..choices.len())]
}

/// An answer that OSS accepts, as a rule.
fn app_answer(rng: &mut Rng) -> AppAnswer {
    match rng.u8(..100) {
        0..50 => AppAnswer::Ok,
        _ => *pick(rng, &AppAnswer::ALL),
    }
}

/// A few bytes, or many.
fn lost(rng: &mut Rng) -> u16 {
    match rng.bool() {
        true => rng.u16(1..20),
        false => rng.u16(20..2000),
    }
}

/// Within what OSS allows, or a day off.
fn clock(rng: &mut Rng) -> i64 {
    *pick(rng, &[0, 0, 600, -600, 86_400, -86_400])
}

fn callback_faults(rng: &mut Rng) -> Vec<Fault> {
    let direction = *pick(rng, &[Direction::Request, Direction::Answer]);
    let at = match rng.u8(..100) {
        0..30 => 0,
        30..80 => rng.u64(..200),
        _ => rng.u64(..1500),
    };
    let action = match rng.u8(..100) {
        0..20 => Action::Cut,
        20..40 => Action::Reset,
        40..50 => Action::Stall,
        50..60 => Action::HalfClose,
        60..70 => Action::Corrupt,
        70..80 => Action::Pause(rng.u16(1..50)),
        80..90 => Action::Lose(lost(rng)),
        90..95 => Action::Drip,
        _ => Action::Refuse,
    };
    vec![Fault {
        direction,
        at,
        action,
    }]
}

/// Whether somebody has to wait for more than has come, and has nothing but a limit to end it.
fn waits(fault: &Fault) -> bool {
    match fault.action {
        Action::Stall | Action::Drip | Action::Corrupt | Action::Lose(_) => true,
        // Inside a head it hides the length of the answer.
        Action::Interim(_) => fault.at > 0,
        _ => false,
    }
}
