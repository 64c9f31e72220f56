//! Names to addresses: asked for once, on a helper thread so that limits hold, and kept for a minute.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::current::{Current, Phase};
use crate::outcome::error::Error;
use crate::outcome::verdict::ErrorKind;

/// How long an answer of the system's resolver is used.
const FRESH: Duration = Duration::from_secs(60);

/// Names beyond which old answers are forgotten; a client rarely asks for more than a few.
const MAX_NAMES: usize = 256;

/// A name in lower case, and a port.
type Key = (String, u16);

/// Finds the addresses of a name, and may block while it does.
#[derive(Clone)]
pub(crate) struct Lookup(pub(crate) Arc<LookupFn>);

type LookupFn = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

impl Default for Lookup {
    /// The system's.
    fn default() -> Lookup {
        Lookup(Arc::new(|host, port| {
            // Nobody is asked for what a fuzzer comes up with.
            if cfg!(fuzzing) {
                return Err(io::ErrorKind::NotFound.into());
            }
            (host, port).to_socket_addrs().map(Iterator::collect)
        }))
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookup")
    }
}

/// Finds addresses, and remembers them.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    /// Addresses that the caller has given for names, in lower case.
    fixed: HashMap<String, Vec<SocketAddr>>,
    lookup: Lookup,
    names: Arc<Mutex<Names>>,
}

/// What the resolver was asked.
#[derive(Debug, Default)]
struct Names {
    /// With the time of the answer.
    known: HashMap<Key, (Instant, Vec<SocketAddr>)>,
    /// Those that it has not answered yet.
    asked: HashMap<Key, Arc<Question>>,
}

/// A question to the resolver, which any number of requests wait for.
#[derive(Debug, Default)]
struct Question {
    answer: Mutex<Option<Answer>>,
    answered: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
}

type Answer = Result<Vec<SocketAddr>, Arc<io::Error>>;

impl Resolver {
    pub(super) fn new(fixed: HashMap<String, Vec<SocketAddr>>, lookup: Lookup) -> Resolver {
        Resolver {
            fixed,
            lookup,
            names: Arc::default(),
        }
    }

    /// The addresses of a name, and whether they were remembered rather than asked for now.
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
        if let Some(addresses) = self.fixed.get(&key.0) {
            return Ok((addresses.clone(), false));
        }
        let failed = |e: Arc<io::Error>| {
            let message = format!("resolve {host}: {}", e.to_string().to_lowercase());
            Error::new(ErrorKind::Resolve, message).with_source(e)
        };
        let question = {
            let mut names = lock(&self.names);
            if let Some((since, addresses)) = names.known.get(&key)
                && since.elapsed() < FRESH
            {
                return Ok((addresses.clone(), true));
            }
            match names.asked.get(&key) {
                Some(question) => question.clone(),
                None => {
                    let question = self.ask(key.clone()).map_err(|e| failed(Arc::new(e)))?;
                    names.asked.insert(key, question.clone());
                    question
                }
            }
        };
        current.enter(Phase::Resolving);
        let answer = question.wait(current)?;
        Ok((answer.map_err(failed)?, false))
    }

    /// Forgets a name of which no address could be reached.
    pub(super) fn forget(&self, host: &str, port: u16) {
        let key = (host.to_ascii_lowercase(), port);
        lock(&self.names).known.remove(&key);
    }

    /// Asks a resolver that knows no limits, on a thread that goes on when they are reached: whoever asks for
    /// the same name meanwhile waits for the same answer.
    fn ask(&self, key: Key) -> io::Result<Arc<Question>> {
        let question = Arc::new(Question::default());
        let (asked, names, lookup) = (question.clone(), self.names.clone(), self.lookup.clone());
        let thread = std::thread::Builder::new()
            .name("oss-callback-resolver".to_owned())
            .spawn(move || {
                let found = catch_unwind(AssertUnwindSafe(|| lookup.0(&key.0, key.1)));
                let answer = found.unwrap_or_else(|_| {
                    Err(io::Error::other("the resolver ended without an answer"))
                });
                let mut names = lock(&names);
                names.asked.remove(&key);
                if let Ok(addresses) = &answer {
                    if names.known.len() >= MAX_NAMES {
                        names.known.clear();
                    }
                    names.known.insert(key, (Instant::now(), addresses.clone()));
                }
                drop(names);
                *lock(&asked.answer) = Some(answer.map_err(Arc::new));
                asked.answered.notify_all();
            })?;
        *lock(&question.thread) = Some(thread);
        Ok(question)
    }
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
    use crate::transport::Limits;

    /// A resolver that counts how often it is asked, and answers once for each message.
    fn slow() -> (Resolver, Sender<()>, Arc<AtomicUsize>) {
        let (sender, messages) = channel();
        let (messages, count) = (Mutex::new(messages), Arc::new(AtomicUsize::new(0)));
        let counter = count.clone();
        let lookup = Lookup(Arc::new(move |_, port| {
            counter.fetch_add(1, Ordering::Relaxed);
            lock(&messages).recv().map_err(io::Error::other)?;
            Ok(vec![([127, 0, 0, 1], port).into()])
        }));
        (Resolver::new(HashMap::new(), lookup), sender, count)
    }

    fn resolve(resolver: &Resolver, limits: Limits) -> Result<(Vec<SocketAddr>, bool), Error> {
        let current = Current::new(limits, Authority::from_static("oss.example.test"), None);
        resolver.resolve("oss.example.test", 80, &current)
    }

    #[test]
    fn requests_that_ask_at_once_share_a_look_up() {
        const THREADS: usize = 8;
        let (resolver, answers, count) = slow();
        thread::scope(|scope| {
            let asking =
                [(); THREADS].map(|()| scope.spawn(|| resolve(&resolver, Limits::default())));
            // One more holds the question: the resolver's thread. The last one is the table's.
            let waiting = || {
                let names = lock(&resolver.names);
                let question = names.asked.values().next();
                question.is_some_and(|question| Arc::strong_count(question) == THREADS + 2)
            };
            while !waiting() {
                thread::yield_now();
            }
            answers.send(()).unwrap();
            for asking in asking {
                let (addresses, remembered) = asking.join().unwrap().unwrap();
                assert_eq!(addresses, [([127, 0, 0, 1], 80).into()]);
                assert!(!remembered);
            }
        });
        assert_eq!(count.load(Ordering::Relaxed), 1);
        assert!(resolve(&resolver, Limits::default()).unwrap().1);
    }

    #[test]
    fn an_answer_is_used_for_a_minute() {
        let (resolver, answers, count) = slow();
        let known = |age| {
            let since = Instant::now().checked_sub(age).unwrap();
            let key = ("oss.example.test".to_owned(), 80);
            lock(&resolver.names).known.insert(key, (since, Vec::new()));
            resolve(&resolver, Limits::default()).unwrap().1
        };
        assert!(known(Duration::from_secs(50)));
        assert_eq!(count.load(Ordering::Relaxed), 0);
        answers.send(()).unwrap();
        assert!(!known(Duration::from_secs(61)));
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_resolver_that_hangs_has_one_thread_and_its_late_answer_counts() {
        let (resolver, answers, count) = slow();
        for _ in 0..3 {
            let limits = Limits {
                connect: Duration::from_millis(1),
                ..Limits::default()
            };
            let error = resolve(&resolver, limits).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        }
        answers.send(()).unwrap();
        resolve(&resolver, Limits::default()).unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 1);
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
        let lookup = Lookup(Arc::new(|_, _| panic!("on purpose")));
        let error = resolve(&Resolver::new(HashMap::new(), lookup), Limits::default());
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Resolve);
    }
}
