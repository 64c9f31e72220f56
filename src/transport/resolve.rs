//! Names to addresses: asked for on a helper thread, so that limits hold, and kept for a minute.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::current::{Current, Phase};
use crate::error::Error;
use crate::verdict::ErrorKind;

/// How long an answer of the system's resolver is used.
const FRESH: Duration = Duration::from_secs(60);

/// Names beyond which old answers are forgotten; a client rarely asks for more than a few.
const MAX_NAMES: usize = 256;

/// Names in lower case, with the time of the answer.
type Known = HashMap<(String, u16), (Instant, Vec<SocketAddr>)>;

/// Finds the addresses of a name, and may block while it does.
#[derive(Clone)]
pub(crate) struct Lookup(pub(crate) Arc<LookupFn>);

type LookupFn = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

impl Default for Lookup {
    /// The system's.
    fn default() -> Lookup {
        Lookup(Arc::new(|host, port| {
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
    known: Mutex<Known>,
}

impl Resolver {
    pub(super) fn new(fixed: HashMap<String, Vec<SocketAddr>>, lookup: Lookup) -> Resolver {
        Resolver {
            fixed,
            lookup,
            known: Mutex::default(),
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
        if let Some((since, addresses)) = self.known().get(&key)
            && since.elapsed() < FRESH
        {
            return Ok((addresses.clone(), true));
        }
        current.enter(Phase::Resolving);
        let addresses = ask(&self.lookup, host, port, current)?;
        let mut known = self.known();
        if known.len() >= MAX_NAMES {
            known.clear();
        }
        known.insert(key, (Instant::now(), addresses.clone()));
        Ok((addresses, false))
    }

    /// Forgets a name of which no address could be reached.
    pub(super) fn forget(&self, host: &str, port: u16) {
        self.known().remove(&(host.to_ascii_lowercase(), port));
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks a resolver that knows no limits, on a thread that is left to itself when they are reached.
fn ask(
    lookup: &Lookup,
    host: &str,
    port: u16,
    current: &Current,
) -> Result<Vec<SocketAddr>, Error> {
    let failed = |e: io::Error| {
        let message = format!("resolve {host}: {}", e.to_string().to_lowercase());
        Error::new(ErrorKind::Resolve, message).with_source(e)
    };
    let (sender, answer) = channel();
    let (name, lookup) = (host.to_owned(), lookup.clone());
    let thread = std::thread::Builder::new()
        .name("oss-callback-resolver".to_owned())
        .spawn(move || {
            // Nobody listens any more when the limit was reached first.
            let _ = sender.send(lookup.0(&name, port));
        })
        .map_err(failed)?;
    loop {
        match answer.recv_timeout(current.patience()?) {
            Ok(found) => {
                // It has nothing left to do, and is not to be at it when the host ends.
                let _ = thread.join();
                return found.map_err(failed);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let message = format!("resolve {host}: the resolver ended without an answer");
                return Err(Error::new(ErrorKind::Resolve, message));
            }
        }
    }
}
