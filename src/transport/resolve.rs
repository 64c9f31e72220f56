//! Names to addresses: asked for once, on a helper thread so that limits hold, and kept for a minute.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use once_cell::race::OnceBox;

use super::current::{Current, Phase};
use super::given::Given;
use crate::base::process::PerProcess;
use crate::outcome::error::Error;
use crate::outcome::verdict::ErrorKind;

/// How long an answer of the system's resolver is used.
const FRESH: Duration = Duration::from_secs(60);

/// How long the address that could be reached is tried before those that come first.
const PREFERRED: Duration = Duration::from_secs(600);

/// Names beyond which old answers are forgotten; a client rarely asks for more than a few.
const MAX_NAMES: usize = 256;

/// Questions beyond which a resolver is asked no further ones until it has answered some: each takes a thread.
const MAX_QUESTIONS: usize = 64;

/// A name in lower case, and a port.
type Key = (String, u16);

/// Finds the addresses of a name, and may block while it does. Whoever has a clone shares the questions under way
/// and the answers: all clients do that have the system's.
#[derive(Clone)]
pub(crate) struct Lookup(Arc<Shared>);

type LookupFn = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

struct Shared {
    find: Box<LookupFn>,
    /// The answer is the same for every port, which is asked for as 0.
    any_port: bool,
    /// Each process has its own: its threads alone will answer.
    names: PerProcess<Names>,
}

impl Lookup {
    pub(crate) fn new(
        find: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Lookup {
        Lookup::of(Box::new(find), false)
    }

    fn of(find: Box<LookupFn>, any_port: bool) -> Lookup {
        Lookup(Arc::new(Shared {
            find,
            any_port,
            names: PerProcess::default(),
        }))
    }
}

impl Default for Lookup {
    /// The system's.
    fn default() -> Lookup {
        static SYSTEM: OnceBox<Lookup> = OnceBox::new();
        let find = |host: &str, port| {
            // Nobody is asked for what a fuzzer comes up with.
            if cfg!(fuzzing) {
                return Err(io::ErrorKind::NotFound.into());
            }
            (host, port).to_socket_addrs().map(Iterator::collect)
        };
        let system = SYSTEM.get_or_init(|| Box::new(Lookup::of(Box::new(find), true)));
        system.clone()
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookup")
    }
}

/// What a resolver was asked.
#[derive(Debug, Default)]
struct Names {
    asked: Mutex<Asked>,
    /// A question was answered.
    fewer: Condvar,
}

#[derive(Debug, Default)]
struct Asked {
    known: Memory<Vec<SocketAddr>>,
    /// What it has not answered yet.
    open: Vec<(Key, Arc<Question>)>,
}

/// A question to the resolver, which any number of requests wait for.
#[derive(Debug, Default)]
struct Question {
    answer: Mutex<Option<Answer>>,
    answered: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
}

type Answer = Result<Vec<SocketAddr>, Arc<io::Error>>;

/// What is known of a few names, and since when: a list costs less code than a table, and a connection takes longer than to go
/// through it.
#[derive(Debug)]
struct Memory<T>(Vec<(Key, Instant, T)>);

impl<T> Memory<T> {
    fn get(&self, key: &Key, fresh: Duration) -> Option<&T> {
        let mut known = self.0.iter();
        let (_, since, value) = known.find(|(other, ..)| other == key)?;
        (since.elapsed() < fresh).then_some(value)
    }

    fn put(&mut self, key: Key, value: T) {
        self.remove(&key);
        if self.0.len() >= MAX_NAMES {
            self.0.clear();
        }
        self.0.push((key, Instant::now(), value));
    }

    fn remove(&mut self, key: &Key) {
        self.0.retain(|(other, ..)| other != key);
    }
}

impl<T> Default for Memory<T> {
    fn default() -> Memory<T> {
        Memory(Vec::new())
    }
}

/// Finds addresses, for one client in one process.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    given: Given,
    lookup: Lookup,
    /// The address of a name that could be reached when those before it could not.
    preferred: Mutex<Memory<SocketAddr>>,
}

impl Resolver {
    pub(super) fn new(given: Given, lookup: Lookup) -> Resolver {
        Resolver {
            given,
            lookup,
            preferred: Mutex::default(),
        }
    }

    /// The addresses of a name in the order in which to try them, and whether they were remembered rather than
    /// asked for now.
    pub(super) fn resolve(
        &self,
        host: &str,
        port: u16,
        current: &Current,
    ) -> Result<(Vec<SocketAddr>, bool), Error> {
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = literal.parse::<IpAddr>() {
            return Ok((vec![(address, port).into()], false));
        }
        let key = (host.to_ascii_lowercase(), port);
        let (mut addresses, remembered) = match self.given.of(&key.0) {
            Some(addresses) => (addresses.clone(), false),
            None => self.lookup.find(&key, current)?,
        };
        let unsaid = addresses.iter_mut().filter(|address| address.port() == 0);
        unsaid.for_each(|address| address.set_port(port));
        if let Some(address) = lock(&self.preferred).get(&key, PREFERRED)
            && let Some(index) = addresses.iter().position(|other| other == address)
        {
            addresses[..=index].rotate_right(1);
        }
        Ok((addresses, remembered))
    }

    /// Notes which of the addresses, in the order in which they were tried, could be reached.
    pub(super) fn worked(&self, host: &str, port: u16, tried: &[SocketAddr], address: SocketAddr) {
        if tried.first() == Some(&address) {
            return;
        }
        let key = (host.to_ascii_lowercase(), port);
        lock(&self.preferred).put(key, address);
    }

    /// Forgets a name of which no address could be reached.
    pub(super) fn forget(&self, host: &str, port: u16, current: &Current) {
        let key = self.lookup.key(host.to_ascii_lowercase(), port);
        lock(&self.lookup.names(current).asked).known.remove(&key);
    }
}

impl Lookup {
    fn key(&self, host: String, port: u16) -> Key {
        (host, if self.0.any_port { 0 } else { port })
    }

    fn names(&self, current: &Current) -> &Names {
        (self.0.names).get_in(current.process, |_| Names::default())
    }

    /// The addresses of a name, and whether they were remembered. Their port is 0 if all ports have the same.
    fn find(
        &self,
        (host, port): &Key,
        current: &Current,
    ) -> Result<(Vec<SocketAddr>, bool), Error> {
        let key = self.key(host.clone(), *port);
        let failed = |e: Arc<io::Error>| {
            let message = format!("resolve {host}: {}", e.to_string().to_lowercase());
            Error::new(ErrorKind::Resolve, message).with_source(e)
        };
        current.enter(Phase::Resolving);
        let names = self.names(current);
        let mut asked = lock(&names.asked);
        let question = loop {
            if let Some(addresses) = asked.known.get(&key, FRESH) {
                return Ok((addresses.clone(), true));
            }
            let mut open = asked.open.iter();
            if let Some((_, question)) = open.find(|(other, _)| *other == key) {
                break question.clone();
            }
            if asked.open.len() < MAX_QUESTIONS {
                let question = self.ask(key.clone(), current.process);
                let question = question.map_err(|e| failed(Arc::new(e)))?;
                asked.open.push((key, question.clone()));
                break question;
            }
            let waited = names.fewer.wait_timeout(asked, current.patience()?);
            asked = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        drop(asked);
        let answer = question.wait(current)?;
        Ok((answer.map_err(failed)?, false))
    }

    /// Asks a resolver that knows no limits, on a thread that goes on when they are reached: whoever asks for
    /// the same name meanwhile waits for the same answer.
    fn ask(&self, key: Key, process: u32) -> io::Result<Arc<Question>> {
        let question = Arc::new(Question::default());
        let (open, lookup) = (question.clone(), self.clone());
        let thread = std::thread::Builder::new()
            .name("oss-callback-resolver".to_owned())
            .spawn(move || {
                let found = catch_unwind(AssertUnwindSafe(|| (lookup.0.find)(&key.0, key.1)));
                let answer = found.unwrap_or_else(|_| {
                    Err(io::Error::other("the resolver ended without an answer"))
                });
                let answer = answer.map(alternating);
                let names = (lookup.0.names).get_in(process, |_| Names::default());
                let mut asked = lock(&names.asked);
                asked.open.retain(|(other, _)| *other != key);
                if let Ok(addresses) = &answer {
                    asked.known.put(key, addresses.clone());
                }
                drop(asked);
                names.fewer.notify_all();
                *lock(&open.answer) = Some(answer.map_err(Arc::new));
                open.answered.notify_all();
            })?;
        *lock(&question.thread) = Some(thread);
        Ok(question)
    }
}

/// The same addresses with one of each family in turn (RFC 8305, section 4), each family in its order: a family without a
/// route costs one attempt.
fn alternating(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv4) else {
        return addresses;
    };
    let len = addresses.len();
    let (these, those): (Vec<_>, Vec<_>) =
        (addresses.into_iter()).partition(|a| a.is_ipv4() == first);
    let (mut these, mut those) = (these.into_iter(), those.into_iter());
    let mut all = Vec::with_capacity(len);
    while all.len() < len {
        all.extend(these.next().into_iter().chain(those.next()));
    }
    all
}

impl Question {
    /// The answer, if it comes within the limits of the request.
    fn wait(&self, current: &Current) -> Result<Answer, Error> {
        let mut answer = lock(&self.answer);
        let found = loop {
            if let Some(found) = &*answer {
                break found.clone();
            }
            let patience = current.patience()?;
            let waited = self.answered.wait_timeout(answer, patience);
            answer = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        drop(answer);
        // The thread has nothing left to do, and is not to be at it when the host ends.
        let mut thread = lock(&self.thread);
        if let Some(thread) = thread.take() {
            let _ = thread.join();
        }
        Ok(found)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{Sender, channel};
    use std::thread;

    use http::uri::Authority;

    use super::*;
    use crate::base::process::tests::as_child;
    use crate::transport::Limits;

    /// A resolver that counts how often it is asked, and answers once for each message.
    fn slow() -> (Resolver, Sender<()>, Arc<AtomicUsize>) {
        let (sender, messages) = channel();
        let (messages, count) = (Mutex::new(messages), Arc::new(AtomicUsize::new(0)));
        let counter = count.clone();
        let lookup = Lookup::new(move |_, port| {
            counter.fetch_add(1, Ordering::Relaxed);
            lock(&messages).recv().map_err(io::Error::other)?;
            Ok(vec![([127, 0, 0, 1], port).into()])
        });
        (Resolver::new(Given::default(), lookup), sender, count)
    }

    fn resolve_name(
        resolver: &Resolver,
        name: &str,
        limits: Limits,
    ) -> Result<(Vec<SocketAddr>, bool), Error> {
        let current = Current::new(limits, Authority::from_static("oss.example.test"), None);
        resolver.resolve(name, 80, &current)
    }

    fn resolve(resolver: &Resolver, limits: Limits) -> Result<(Vec<SocketAddr>, bool), Error> {
        resolve_name(resolver, "oss.example.test", limits)
    }

    fn no_time() -> Limits {
        Limits {
            connect: Duration::from_millis(1),
            ..Limits::default()
        }
    }

    fn asked(resolver: &Resolver) -> MutexGuard<'_, Asked> {
        lock(&resolver.lookup.0.names.get(|_| unreachable!()).asked)
    }

    fn addresses<const N: usize>(texts: [&str; N]) -> Vec<SocketAddr> {
        texts.map(|text| text.parse().unwrap()).into()
    }

    #[test]
    fn requests_that_ask_at_once_share_a_look_up_whichever_client_they_are_of() {
        const THREADS: usize = 8;
        let (resolver, answers, count) = slow();
        thread::scope(|scope| {
            let asking = [(); THREADS].map(|()| {
                let of_a_client = Resolver::new(Given::default(), resolver.lookup.clone());
                scope.spawn(move || resolve(&of_a_client, Limits::default()))
            });
            // One more holds the question: the resolver's thread. The last one is the table's.
            let waiting = || {
                let asked = asked(&resolver);
                let question = asked.open.first();
                question.is_some_and(|(_, question)| Arc::strong_count(question) == THREADS + 2)
            };
            while !waiting() {
                thread::yield_now();
            }
            answers.send(()).unwrap();
            for asking in asking {
                let (found, remembered) = asking.join().unwrap().unwrap();
                assert_eq!(found, addresses(["127.0.0.1:80"]));
                assert!(!remembered);
            }
        });
        assert_eq!(count.load(Ordering::Relaxed), 1);
        assert!(resolve(&resolver, Limits::default()).unwrap().1);
    }

    #[test]
    fn clients_with_the_systems_resolver_share_its_answers_for_all_ports() {
        let (first, second) = (Lookup::default(), Lookup::default());
        assert!(Arc::ptr_eq(&first.0, &second.0));
        let resolver = Resolver::new(Given::default(), first);
        let port_of = |port| {
            let localhost = Authority::from_static("localhost");
            let current = Current::new(Limits::default(), localhost, None);
            let (found, _) = resolver.resolve("LocalHost", port, &current).unwrap();
            found[0].port()
        };
        assert_eq!((port_of(1), port_of(443)), (1, 443));
        let asked = asked(&resolver);
        assert_eq!(
            asked
                .known
                .0
                .iter()
                .filter(|(key, ..)| key.0 == "localhost")
                .count(),
            1
        );
    }

    #[test]
    fn an_answer_is_used_for_a_minute() {
        let (resolver, answers, count) = slow();
        let known = |age| {
            let since = Instant::now().checked_sub(age).unwrap();
            let key = ("oss.example.test".to_owned(), 80);
            asked(&resolver).known = Memory(vec![(key, since, Vec::new())]);
            resolve(&resolver, Limits::default()).unwrap().1
        };
        assert!(known(Duration::from_secs(50)));
        assert_eq!(count.load(Ordering::Relaxed), 0);
        answers.send(()).unwrap();
        assert!(!known(Duration::from_secs(61)));
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_resolver_that_hangs_has_one_thread_for_a_name_and_its_late_answer_counts() {
        let (resolver, answers, count) = slow();
        for _ in 0..3 {
            // Of clients that come and go.
            let resolver = Resolver::new(Given::default(), resolver.lookup.clone());
            let error = resolve(&resolver, no_time()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        }
        answers.send(()).unwrap();
        resolve(&resolver, Limits::default()).unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_resolver_that_hangs_for_many_names_has_a_bounded_number_of_threads() {
        let (resolver, answers, count) = slow();
        for number in 0..MAX_QUESTIONS + 3 {
            let error = resolve_name(&resolver, &format!("{number}.test"), no_time());
            assert_eq!(error.unwrap_err().kind(), ErrorKind::Timeout);
        }
        assert_eq!(asked(&resolver).open.len(), MAX_QUESTIONS);
        // Whoever finds no room has one when a question is answered.
        thread::scope(|scope| {
            let late = scope.spawn(|| resolve_name(&resolver, "late.test", Limits::default()));
            for _ in 0..=MAX_QUESTIONS {
                answers.send(()).unwrap();
            }
            late.join().unwrap().unwrap();
        });
        while !asked(&resolver).open.is_empty() {
            thread::yield_now();
        }
        assert_eq!(count.load(Ordering::Relaxed), MAX_QUESTIONS + 1);
    }

    #[test]
    fn a_child_waits_for_no_question_of_its_parent() {
        let (resolver, answers, count) = slow();
        resolve(&resolver, no_time()).unwrap_err();
        as_child(1, || {
            let error = resolve(&resolver, no_time()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout);
        });
        for _ in 0..2 {
            answers.send(()).unwrap();
        }
        resolve(&resolver, Limits::default()).unwrap();
        as_child(1, || resolve(&resolver, Limits::default()).unwrap());
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_failure_is_told_and_not_remembered() {
        let (resolver, answers, count) = slow();
        drop(answers);
        for asked in 1..3 {
            let error = resolve(&resolver, Limits::default()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Resolve);
            assert!(error.to_string().starts_with("resolve oss.example.test: "));
            assert_eq!(count.load(Ordering::Relaxed), asked);
        }
        let lookup = Lookup::new(|_, _| panic!("on purpose"));
        let error = resolve(&Resolver::new(Given::default(), lookup), Limits::default());
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Resolve);
    }

    #[test]
    fn families_take_turns_and_the_first_stays_first() {
        let four = ["127.0.0.1:80", "127.0.0.2:80", "127.0.0.3:80"];
        let six = ["[::1]:80", "[::2]:80"];
        for (found, tried) in [
            (vec![], vec![]),
            (vec![six[0], six[1]], vec![six[0], six[1]]),
            (
                vec![six[0], six[1], four[0], four[1]],
                vec![six[0], four[0], six[1], four[1]],
            ),
            (
                vec![four[0], four[1], four[2], six[0]],
                vec![four[0], six[0], four[1], four[2]],
            ),
            (vec![four[0], six[1], six[0]], vec![four[0], six[1], six[0]]),
        ] {
            let parsed = |texts: Vec<&str>| -> Vec<SocketAddr> {
                texts.iter().map(|text| text.parse().unwrap()).collect()
            };
            assert_eq!(alternating(parsed(found)), parsed(tried));
        }
    }

    #[test]
    fn the_address_that_could_be_reached_comes_first_for_ten_minutes() {
        let all = addresses(["127.0.0.1:80", "127.0.0.2:80", "127.0.0.3:80"]);
        let mut given = Given::default();
        given.set("oss.example.test", all.clone());
        let resolver = Resolver::new(given, Lookup::default());
        let tried = || resolve(&resolver, Limits::default()).unwrap().0;
        assert_eq!(tried(), all);
        resolver.worked("OSS.example.test", 80, &all, all[2]);
        assert_eq!(tried(), [all[2], all[0], all[1]]);
        // That it works again does not make it last longer.
        resolver.worked("oss.example.test", 80, &tried(), all[2]);
        let age = |age| {
            let since = Instant::now().checked_sub(age).unwrap();
            for entry in &mut lock(&resolver.preferred).0 {
                entry.1 = since;
            }
        };
        age(Duration::from_secs(590));
        assert_eq!(tried(), [all[2], all[0], all[1]]);
        // The next one takes its place.
        resolver.worked("oss.example.test", 80, &tried(), all[1]);
        assert_eq!(tried(), [all[1], all[0], all[2]]);
        age(Duration::from_secs(601));
        assert_eq!(tried(), all);
        for number in 0..=MAX_NAMES {
            resolver.worked(&format!("{number}.test"), 80, &all, all[1]);
        }
        assert!(lock(&resolver.preferred).0.len() <= MAX_NAMES);
    }
}
