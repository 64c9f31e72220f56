//! Holds what a client says against what happened: what local-oss stored and delivered, what the application server got, and
//! what went over the network.

use std::time::Duration;

use local_oss::{Delivery, ReceivedRequest, Stored as StoredObject};
use oss_callback::{Answered, Stored};

use super::case::{Case, Limits, Operation, Retry, Way};
use super::scene::Looked;
use support::BUCKET;
use support::impostor::Reach;
use support::network::{Action, Fault};
use support::observed::{Exchange, Observed};

/// What the client says.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// `OK`, or the kind of the error as C names it.
    pub code: String,
    pub stored: Stored,
    pub answered: Answered,
    pub attempts: u32,
    /// The codes of the attempts before the last, where the language tells them.
    pub history: Vec<String>,
    /// Of a stored object.
    pub receipt: Option<ReceiptFacts>,
    /// An upload in parts that is left open.
    pub upload_id: Option<String>,
    pub notes: Vec<String>,
    /// The upload in parts that the caller has begun and knows.
    pub begun: Option<String>,
    pub message: String,
}

impl Verdict {
    pub fn is_ok(&self) -> bool {
        self.code == "OK"
    }

    fn says_timeout(&self) -> bool {
        self.code == "TIMEOUT" || self.history.iter().any(|code| code == "TIMEOUT")
    }
}

/// What a receipt says.
#[derive(Debug, Clone)]
pub struct ReceiptFacts {
    pub etag: Option<String>,
    pub crc64: Option<u64>,
    pub request_id: Option<String>,
    pub answer: Vec<u8>,
}

/// What happened, once nothing happens any more.
#[derive(Debug)]
pub struct Truth {
    /// Under this object's name.
    pub stored: Vec<StoredObject>,
    /// The object as it is now has the contents that were uploaded.
    pub has_contents: bool,
    pub deliveries: Vec<Delivery>,
    /// What reached the application server.
    pub callbacks: Vec<ReceivedRequest>,
    /// Uploads in parts of this object that are open.
    pub open_uploads: Vec<String>,
    pub connections: Vec<Observed>,
    /// Between the server and the application server.
    pub callback_connections: Vec<Observed>,
    pub took: Duration,
    /// What was said of it by way of impostors, and what went over the network then.
    pub looked_through: Option<Looked>,
    pub later_connections: Vec<Observed>,
}

/// Beyond its limit on a busy machine.
const MARGIN: Duration = Duration::from_secs(5);

/// More than the buffers between the client and the network hold.
const BUFFERS: u64 = 5 << 20;

/// The time that everything may take.
pub fn time_limit(case: &Case) -> Duration {
    // Step by step, each step has its own.
    let steps = match case.operation {
        Operation::Multipart | Operation::MultipartAll => 2 + case.parts().len() as u64,
        _ => 1,
    };
    match case.limits {
        Limits::Long => LONG,
        Limits::Short(limit) => Duration::from_millis(2 * limit * steps),
        // Each attempt of each request connects, sends, waits, receives.
        Limits::Each(limit) => Duration::from_millis(limit * 4 * 3 * 9),
    }
}

/// For everything together, where nothing is to be waited for.
pub const LONG: Duration = Duration::from_secs(40);

/// Which verdicts on the storing can be accepted of what went over the network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accepted {
    pub yes: bool,
    pub no: bool,
    pub unknown: bool,
}

impl Accepted {
    const YES: Accepted = Accepted {
        yes: true,
        no: false,
        unknown: false,
    };
    const NO: Accepted = Accepted {
        yes: false,
        no: true,
        unknown: false,
    };
    const UNKNOWN: Accepted = Accepted {
        yes: false,
        no: false,
        unknown: true,
    };
    const ANY: Accepted = Accepted {
        yes: true,
        no: true,
        unknown: true,
    };

    fn or(self, other: Accepted) -> Accepted {
        Accepted {
            yes: self.yes || other.yes,
            no: self.no || other.no,
            unknown: self.unknown || other.unknown,
        }
    }

    pub fn takes(self, stored: Stored) -> bool {
        match stored {
            Stored::Yes => self.yes,
            Stored::No => self.no,
            Stored::Unknown => self.unknown,
        }
    }

    /// It leaves no choice.
    pub fn is_strict(self) -> bool {
        u8::from(self.yes) + u8::from(self.no) + u8::from(self.unknown) == 1
    }
}

/// What the network allows the client to say of the storing.
///
/// In the clear the network reads along. A request of which every byte came from the client, and to which no whole head of a
/// final answer was delivered, is *lost*: unknown, and nothing else. One to which the head of a final answer was delivered
/// is decided by it: 200 and 203 of OSS are yes, a 4xx of OSS is no, a 5xx and everything else unknown, and so is whatever
/// has no request id of OSS. One of which more is missing than buffers hold was not sent: no. In between, it may have been sent for all that can be seen from here: no or
/// unknown. A reset may take away what was delivered, and so may a time limit; a fault that changes the answer's
/// bytes may leave a head that only one of two readers takes for one.
///
/// Through TLS it cannot read, so that unknown is allowed where a fault came about that does more than wait.
pub fn accepted(case: &Case, verdict: &Verdict, connections: &[Observed]) -> Accepted {
    if case.tls {
        let harmless = |action| matches!(action, Action::Pause(_));
        let lost = connections
            .iter()
            .any(|c| c.refused || c.has(|a| !harmless(a)));
        return Accepted {
            unknown: lost || (verdict.says_timeout() && case.limits != Limits::Long),
            ..Accepted::ANY
        };
    }
    if case.completes() {
        return accepted_of_parts(case, verdict, connections);
    }
    let mut attempts: Vec<Accepted> = Vec::new();
    for connection in connections {
        if connection.exchanges.is_empty() {
            // It was made, and that is all that is seen.
            attempts.push(Accepted::NO.or(Accepted::UNKNOWN));
        }
        for exchange in &connection.exchanges {
            attempts.push(of_exchange(case, verdict, connection, exchange));
        }
    }
    let accepted = add_up(&attempts);
    if attempts.len() >= verdict.attempts as usize {
        return accepted;
    }
    // One made no connection, or went over one that is not read any more; whichever it was.
    let hidden = match connections.iter().any(Observed::may_hide_a_request) {
        true => Accepted::NO.or(Accepted::UNKNOWN),
        false => Accepted::NO,
    };
    let first = [&[hidden], &attempts[..]].concat();
    let last = [&attempts[..], &[hidden]].concat();
    let both = [&first[..], &[hidden]].concat();
    let orders = [first, last, both];
    orders
        .iter()
        .fold(accepted, |accepted, order| accepted.or(add_up(order)))
}

/// What several attempts come to: what one leaves open, a later one that stores nothing does not settle.
fn add_up(attempts: &[Accepted]) -> Accepted {
    let Some((last, earlier)) = attempts.split_last() else {
        return Accepted::default();
    };
    Accepted {
        yes: last.yes,
        no: last.no && earlier.iter().all(|earlier| earlier.no),
        unknown: last.unknown || (last.no && earlier.iter().any(|earlier| earlier.unknown)),
    }
}

fn is_complete(exchange: &Exchange) -> bool {
    exchange.method == "POST" && exchange.target.contains("uploadId=")
}

fn of_exchange(
    case: &Case,
    verdict: &Verdict,
    connection: &Observed,
    exchange: &Exchange,
) -> Accepted {
    let unsent = if exchange.missing > BUFFERS {
        Accepted::NO
    } else if exchange.sent {
        Accepted::UNKNOWN
    } else {
        Accepted::NO.or(Accepted::UNKNOWN)
    };
    let Some(answer) = &exchange.answer else {
        return unsent;
    };
    let decided = match answer.status {
        // It came too early to be true, or so it seems from here.
        200..=299 if !exchange.sent => unsent,
        // Whoever that was.
        _ if !answer.from_oss => unsent,
        // A completed upload without a callback is described in the body, and nothing else counts.
        200 if is_complete(exchange) && case.callback.is_empty() && !answer.whole => {
            Accepted::YES.or(unsent)
        }
        200 | 203 => Accepted::YES,
        // A form is answered so.
        204 if exchange.method == "POST" => Accepted::YES,
        400..=499 => Accepted::NO,
        _ => unsent,
    };
    let in_doubt = connection.answer_is_changed()
        || connection.has_unasked()
        || connection.lost
        || connection.has(|action| action == Action::Reset)
        || (verdict.says_timeout() && case.limits != Limits::Long);
    match in_doubt {
        true => decided.or(unsent),
        false => decided,
    }
}

/// Of a request that completes an upload a lost answer is looked up: if ListParts says that the upload is gone and HeadObject
/// that the object is there, it is yes.
fn accepted_of_parts(case: &Case, verdict: &Verdict, connections: &[Observed]) -> Accepted {
    let mut exchanges: Vec<(&Observed, &Exchange)> = connections
        .iter()
        .flat_map(|connection| connection.exchanges.iter().map(move |e| (connection, e)))
        .collect();
    exchanges.sort_by_key(|(_, exchange)| exchange.number);
    let completes = |(_, exchange): &&(&Observed, &Exchange)| is_complete(exchange);
    let unseen = |c: &Observed| c.exchanges.is_empty() || c.may_hide_a_request();
    let unseen = connections.iter().any(unseen);
    let Some(last) = exchanges.iter().rposition(|e| completes(&e)) else {
        // The request was not seen: it was not sent, or the connection for it was refused.
        return Accepted {
            unknown: unseen,
            ..Accepted::NO
        };
    };
    let attempts: Vec<Accepted> = exchanges
        .iter()
        .filter(completes)
        .map(|(connection, exchange)| of_exchange(case, verdict, connection, exchange))
        .collect();
    let of_last = attempts.last().expect("there is one");
    if *of_last == Accepted::YES {
        return Accepted::YES;
    }
    if attempts.iter().all(|attempt| *attempt == Accepted::NO) && !unseen {
        // Even then another attempt may not have been seen.
        return Accepted {
            unknown: verdict.says_timeout(),
            ..Accepted::NO
        };
    }
    // Some answer is lost. The look-ups after it may show what has become of the upload, and so may a later attempt: OSS knows
    // no upload that is completed.
    // Whoever is answered without having asked may look before the network has noted what was asked.
    let from = if exchanges[last].0.has_unasked() {
        0
    } else {
        last
    };
    let later = &exchanges[from..];
    let of_upload = |e: &Exchange| e.method == "GET" || is_complete(e);
    let told = |(connection, exchange): &(&Observed, &Exchange), wanted: u16| {
        let intact = !connection.answer_is_changed()
            && !connection.lost
            && !connection.has(|action| action == Action::Reset)
            && exchange.sent;
        let answer = exchange.answer.as_ref();
        intact && answer.is_some_and(|answer| answer.status == wanted && answer.from_oss)
    };
    let gone = later.iter().any(|e| of_upload(e.1) && told(e, 404));
    let there = later.iter().any(|e| e.1.method == "HEAD" && told(e, 200));
    let changed = connections.iter().any(Observed::request_is_changed);
    // Nobody but OSS knows.
    let said = |wanted: u16| {
        let answers = later.iter().filter_map(|e| e.1.answer.as_ref());
        answers.clone().any(|a| a.from_oss && a.status == wanted)
    };
    let may_be_seen =
        connections.iter().any(Observed::answer_is_changed) || (said(404) && said(200));
    // The answers to look-ups may come too late, and only the message says so.
    if gone && there && !changed && case.limits == Limits::Long {
        return Accepted::YES;
    }
    Accepted {
        no: attempts.iter().all(|attempt| attempt.no),
        yes: may_be_seen || attempts.iter().any(|attempt| attempt.yes),
        unknown: true,
    }
}

/// How often the callback may be delivered, at all its URLs.
pub fn most_callbacks(case: &Case) -> usize {
    let allowed = match case.retry {
        Retry::Idempotent if !case.completes() => case.attempts(),
        _ => 1,
    };
    allowed * case.callback.len()
}

/// Whether nothing has come about that an upload does not get through.
fn is_undisturbed(case: &Case, connections: &[Observed]) -> bool {
    // OSS allows 15 minutes.
    let right_clock = case.clock.iter().all(|ahead| ahead.abs() <= 600);
    let harmless = |fault: &Fault| match fault.action {
        Action::Pause(_) => true,
        Action::Interim(count) => !case.tls && !case.warm && fault.at == 0 && count < 100,
        _ => false,
    };
    let mut faults = connections.iter().flat_map(|c| &c.struck);
    right_clock
        && !case.wrong_key
        && case.limits == Limits::Long
        && matches!(case.way, Way::Address | Way::Name | Way::SecondAddress)
        && connections.iter().all(|connection| !connection.refused)
        && connections
            .iter()
            .flat_map(|c| &c.exchanges)
            .all(|exchange| exchange.by.is_none())
        && faults.all(harmless)
}

/// The status of an answer that ends the upload and is plainly not OSS's.
fn said_by_a_stranger(case: &Case, connections: &[Observed]) -> Option<u16> {
    let disturbed = |c: &Observed| c.refused || c.lost || !c.struck.is_empty() || c.has_unasked();
    let way = matches!(case.way, Way::Address | Way::Name);
    if case.tls || case.completes() || case.limits != Limits::Long || !way {
        return None;
    }
    if connections.iter().any(disturbed) {
        return None;
    }
    let exchanges = connections.iter().flat_map(|c| &c.exchanges);
    let last = exchanges.max_by_key(|exchange| exchange.number)?;
    let reach = last.by.map(|by| by.reach)?;
    // What comes before the end of the request may be too early.
    let in_time = matches!(reach, Reach::Nothing | Reach::Through | Reach::Ahead);
    let answer = last.answer.as_ref().filter(|_| in_time)?;
    (answer.whole && !answer.from_oss).then_some(answer.status)
}

/// Everything that is not as it should be.
pub fn disagreements(case: &Case, verdict: &Verdict, truth: &Truth) -> Vec<String> {
    let mut found = Vec::new();
    let mut hold = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    let is_stored = !truth.stored.is_empty();
    let accepted = accepted(case, verdict, &truth.connections);
    let changed_answer = truth.connections.iter().any(Observed::answer_is_changed);
    let changed_request = truth.connections.iter().any(Observed::request_is_changed);
    let idempotent = case.retry == Retry::Idempotent || case.completes();
    let is_lost = verdict.stored == Stored::Unknown;

    hold(
        verdict.stored != Stored::No || !is_stored,
        "said no, but it is stored",
    );
    hold(
        verdict.stored != Stored::Yes || is_stored,
        "said yes, but it is not stored",
    );
    hold(
        accepted.takes(verdict.stored),
        &format!("what the network saw allows {accepted:?}"),
    );
    hold(
        !verdict.is_ok() || truth.has_contents || changed_answer,
        "a receipt of an object with other contents",
    );
    hold(
        verdict.code != "CHECKSUM_MISMATCH" || changed_answer || changed_request,
        "a checksum that differs by itself",
    );
    hold(
        verdict.code != "TIMEOUT" || case.limits != Limits::Long,
        "a limit was reached, and nothing was to be waited for",
    );
    hold(
        verdict.code != "INTERNAL" && verdict.code != "INVALID_ARGUMENT",
        "a fault of the library or of the test",
    );
    // Nobody but OSS says this.
    if !case.tls && !changed_answer {
        let of_oss = |statuses: std::ops::RangeInclusive<u16>| {
            let exchanges = truth.connections.iter().flat_map(|c| &c.exchanges);
            let mut answers = exchanges.filter_map(|exchange| exchange.answer.as_ref());
            answers.any(|answer| answer.from_oss && statuses.contains(&answer.status))
        };
        let said = match &*verdict.code {
            "CALLBACK_FAILED" => of_oss(203..=203),
            "ACCESS_DENIED" | "REFUSED" | "CONFLICT" | "NOT_FOUND" => of_oss(400..=499),
            "ANSWER_DAMAGED" | "CHECKSUM_MISMATCH" => of_oss(200..=299),
            _ => true,
        };
        hold(said, "OSS has not said this");
    }
    // OSS's own answer may still come after somebody else's.
    let goes_on = |connection: &Observed| {
        let mut answers = connection.exchanges.iter().map(|e| e.answer.as_ref());
        let stranger = answers.any(|answer| answer.is_some_and(|answer| !answer.from_oss));
        stranger && answers.next().is_some() && !connection.answer_is_changed()
    };
    let during = truth.connections.iter();
    hold(
        !during.chain(&truth.later_connections).any(goes_on),
        "a connection over which somebody else has answered is used again",
    );
    if let Some(status) = said_by_a_stranger(case, &truth.connections) {
        let kind = match status {
            500..=599 => "SERVER_ERROR",
            _ => "UNEXPECTED_ANSWER",
        };
        hold(
            verdict.code == kind && verdict.message.contains(&status.to_string()),
            "it does not say who has answered what",
        );
    }
    hold(
        verdict.receipt.is_some() == (verdict.stored == Stored::Yes),
        "a receipt if and only if it is stored",
    );
    hold(truth.took < time_limit(case) + MARGIN, "it hung");
    hold(
        verdict.attempts as usize <= case.attempts(),
        "more attempts than allowed",
    );

    // The callback.
    let asked = !case.callback.is_empty();
    let accepted_deliveries: Vec<&Delivery> = truth
        .deliveries
        .iter()
        .filter(|delivery| delivery.accepted)
        .collect();
    hold(
        asked || verdict.is_ok() || verdict.answered == Answered::NotRequested,
        "a callback that nobody asked for",
    );
    if asked {
        // A step before the last carries none.
        let is_step = case.completes() && verdict.stored == Stored::No;
        hold(
            verdict.answered != Answered::NotRequested || is_step,
            "a callback that was asked for is forgotten",
        );
        hold(
            verdict.answered != Answered::Yes || !accepted_deliveries.is_empty(),
            "answered yes, but no answer was accepted",
        );
        hold(
            verdict.answered != Answered::No || accepted_deliveries.is_empty(),
            "answered no, but the answer was accepted",
        );
        let open_before = verdict.attempts > 1 || case.completes();
        hold(
            verdict.answered != Answered::Unknown || is_lost || open_before,
            "answered unknown, though the answer came",
        );
    }
    let most = most_callbacks(case);
    hold(
        truth.callbacks.len() <= most && truth.deliveries.len() <= most,
        "the callback was delivered more often than the caller allows",
    );
    let most = if asked && !idempotent || case.completes() {
        1
    } else {
        case.attempts()
    };
    hold(
        truth.stored.len() <= most,
        "stored more often than the caller allows",
    );

    // What arrived is what was sent.
    let size = format!("filename={}&size={}", case.key(), case.len);
    let own = |callback: &ReceivedRequest| callback.text().starts_with(&size);
    hold(
        truth.callbacks.iter().all(own)
            || changed_request
            || truth
                .callback_connections
                .iter()
                .any(Observed::request_is_changed),
        "a callback says something else of the object",
    );
    let id = |stored: &StoredObject| stored.header("x-oss-meta-idempotency-id").is_some();
    let with_id = case.idempotency_id && case.operation != Operation::PostObject;
    hold(
        truth.stored.iter().all(|stored| id(stored) == with_id) || changed_request,
        "an idempotency id that nobody has set, or one that is lost",
    );

    // Nothing is lost where nothing goes wrong.
    if is_undisturbed(case, &truth.connections) {
        hold(
            verdict.notes.is_empty(),
            "something is to be noted, and nothing went wrong",
        );
        let failed = verdict.code == "CALLBACK_FAILED" && asked && accepted_deliveries.is_empty();
        hold(
            verdict.is_ok() || failed,
            "it failed, and nothing went wrong",
        );
    }

    // The receipt.
    if let Some(receipt) = &verdict.receipt
        && !changed_answer
    {
        let same = |stored: &&StoredObject| {
            receipt.etag.as_deref() == Some(stored.etag.as_str())
                && receipt.crc64 == Some(stored.crc64)
        };
        let own = truth.stored.iter().filter(same);
        // One that was looked up has the id of the request that did so.
        let by_id =
            |stored: &&StoredObject| receipt.request_id.as_deref() == Some(&stored.request_id);
        let looked_up = case.completes() && truth.stored.iter().filter(by_id).count() == 0;
        hold(
            own.clone().any(|stored| looked_up || by_id(&stored)),
            "the receipt is not that of the object",
        );
        if asked && verdict.is_ok() {
            let id = receipt.request_id.as_deref();
            let mut answers = accepted_deliveries
                .iter()
                .filter(|delivery| id == Some(delivery.request_id.as_str()))
                .filter_map(|delivery| delivery.answer.as_ref().ok());
            hold(
                answers.any(|answer| answer.body == receipt.answer),
                "the answer is not that of the application server",
            );
        }
    }

    if let Some(looked) = &truth.looked_through {
        match looked {
            // Nothing is known then.
            Looked::Failed(code) if code != "INTERNAL" => {}
            _ => false_look_ups(case, truth, looked)
                .iter()
                .for_each(|wrong| hold(false, wrong)),
        }
    }

    // An upload that is left open costs money: it is named, or, when its own answer was lost or somebody else's, it is said of
    // which object there may be one, or so many. Only of an answer that was changed on its way nobody can know.
    let named =
        |id: &&String| verdict.upload_id.as_ref() == Some(id) || verdict.begun.as_ref() == Some(id);
    let unnamed = truth.open_uploads.iter().filter(|id| !named(id)).count();
    let said: usize = verdict
        .notes
        .iter()
        .map(|note| may_be_left(case, note))
        .sum();
    hold(
        unnamed <= said || changed_answer,
        "an upload is left open, and neither named nor said to be possible",
    );
    found
}

/// How many uploads of this object may be left open, as a note says.
fn may_be_left(case: &Case, note: &str) -> usize {
    if !note.contains("whose answer was lost")
        || !note.contains(&format!("{BUCKET}/{}", case.key()))
    {
        return 0;
    }
    let most = note
        .split_once("up to ")
        .and_then(|(_, rest)| rest.split(' ').next());
    most.map_or(1, |most| most.parse().expect("a number"))
}

/// Everything that is not as it should be in what was said of an upload whose outcome was unknown, once the server is quiet.
pub fn false_look_ups(case: &Case, truth: &Truth, looked: &Looked) -> Vec<String> {
    let is_stored = !truth.stored.is_empty();
    let is_of = |etag: &Option<String>| {
        let last = truth.stored.last();
        last.is_some_and(|stored| etag.as_deref() == Some(stored.etag.as_str()))
    };
    // Other contents than those that were sent prove nothing.
    let changed = truth.connections.iter().any(Observed::request_is_changed);
    let cannot_be_asked = matches!(
        case.operation,
        Operation::PutWithUrl | Operation::PostObject
    );
    let wrong = match looked {
        Looked::Failed(code) if cannot_be_asked && code == "INVALID_ARGUMENT" => None,
        Looked::Failed(_) => Some("nothing hindered it"),
        _ if cannot_be_asked => Some("the error does not name the object"),
        Looked::Stored(etag) if is_of(etag) => None,
        Looked::Stored(_) => Some("it is not stored"),
        Looked::ContentPresent(etag) if is_of(etag) && truth.has_contents => {
            (case.idempotency_id && !changed).then_some("the id tells that it is stored")
        }
        Looked::ContentPresent(_) => Some("there is no such object"),
        Looked::NotThere if is_stored => Some("it is stored"),
        Looked::NotThere => None,
        Looked::StillUnknown if changed => None,
        // By a clock that was put back the other object is not older.
        Looked::StillUnknown if case.older && case.clock.iter().any(|ahead| *ahead < 0) => None,
        Looked::StillUnknown if case.idempotency_id => Some("the id resolves it"),
        Looked::StillUnknown if is_stored => Some("the contents are there"),
        Looked::StillUnknown => None,
    };
    let wrong = wrong.map(|why| format!("reconcile said {looked:?}: {why}"));
    wrong.into_iter().collect()
}
