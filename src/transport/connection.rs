//! What ureq sees of our connections: it speaks HTTP, we carry the bytes.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver as UreqResolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector as UreqConnector, LazyBuffers, NextTimeout, Transport,
};

use super::current::{Current, Output, Phase, current};
use super::given::Given;
use super::origin::Origin;
use super::proxies::Proxies;
use super::proxy::Proxy;
use super::race;
use super::resolve::{Lookup, Resolver};
use super::socket::Socket;
use super::wire::{ReceiveError, Wire};
use super::{INPUT_BUFFER_LEN, OUTPUT_BUFFER_LEN};
use crate::outcome::error::Error;
use crate::outcome::verdict::ErrorKind;

/// ureq asks for addresses before every request, also for one on an open connection. So this answers
/// nothing, and [`Connector`] looks when it connects.
#[derive(Debug)]
pub(super) struct NoResolver;

impl UreqResolver for NoResolver {
    fn resolve(
        &self,
        _: &ureq::http::Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

/// How connections are opened. It does not change, so that every process can read it.
pub(super) struct Means {
    pub(super) addresses: Given,
    pub(super) lookup: Lookup,
    pub(super) proxies: Proxies,
    pub(super) origin: Origin,
    /// For connections it is copied: it holds sessions to resume, with a lock.
    #[cfg(feature = "tls")]
    pub(super) tls: Option<rustls::ClientConfig>,
}

/// Opens connections for one process.
pub(super) struct Connector {
    means: Arc<Means>,
    resolver: Resolver,
    #[cfg(feature = "tls")]
    tls: Option<Arc<rustls::ClientConfig>>,
}

impl UreqConnector for Connector {
    type Out = Connection;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<Connection>, ureq::Error> {
        let Some(current) = current() else {
            return Err(ureq::Error::ConnectionFailed);
        };
        match self.open(details.uri, &current) {
            Ok((wire, relay)) => Ok(Some(Connection::new(wire, relay))),
            Err(e) => Err(current.fail(e)),
        }
    }
}

impl Connector {
    pub(super) fn new(means: Arc<Means>) -> Connector {
        Connector {
            resolver: Resolver::new(means.addresses.clone(), means.lookup.clone()),
            #[cfg(feature = "tls")]
            tls: means.tls.as_ref().map(super::tls::without_sessions),
            means,
        }
    }

    /// A connection to the server, or to a proxy that passes on single requests to it.
    fn open(
        &self,
        uri: &ureq::http::Uri,
        current: &Current,
    ) -> Result<(Wire, Option<Arc<Proxy>>), Error> {
        let https = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let proxy = self.means.proxies.find(https, host, port)?;
        let mut wire = Wire::new(match proxy {
            Some(proxy) => self
                .connect(proxy.host(), proxy.port(), current)
                .map_err(|e| proxy.on_the_way(e))?,
            None => self.connect(host, port, current)?,
        });
        match proxy {
            Some(proxy) if https => proxy.open_tunnel(&mut wire, host, port, current)?,
            _ => {}
        }
        #[cfg(feature = "tls")]
        if https {
            let config = self.tls.clone().ok_or_else(|| {
                Error::new(
                    ErrorKind::Internal,
                    "an https endpoint without a TLS configuration",
                )
            })?;
            wire.secure(super::tls::TlsSession::new(config, host)?, current)?;
        }
        Ok((wire, proxy.filter(|_| !https).cloned()))
    }

    /// Tries every address of a name; addresses that were remembered are asked for again when none of
    /// them can be reached.
    fn connect(&self, host: &str, port: u16, current: &Current) -> Result<Socket, Error> {
        let mut again = true;
        loop {
            let (mut addresses, remembered) = self.resolver.resolve(host, port, current)?;
            let origin = &self.means.origin;
            origin.keep_reachable(host, &mut addresses)?;
            current.enter(Phase::Connecting);
            match race::connect(host, &addresses, origin, current) {
                Ok((stream, address)) => {
                    self.resolver.worked(host, port, &addresses, address);
                    return Ok(Socket::new(stream));
                }
                Err(e) => {
                    self.resolver.forget(host, port, current);
                    // Out of time, or not: the next attempt is to ask anew.
                    let in_time = e.kind() == ErrorKind::Connect;
                    if !(in_time && remembered && std::mem::take(&mut again)) {
                        return Err(e);
                    }
                }
            }
        }
    }
}

/// One connection, as long as it lives in ureq's pool.
pub(super) struct Connection {
    wire: Wire,
    buffers: LazyBuffers,
    /// Passes requests on to an http server.
    relay: Option<Arc<Proxy>>,
    /// The head of the request, until the first block of its body can go with it; or the rest of a chunk.
    rest: Vec<u8>,
    /// What is to be sent of the output buffer after that.
    block: Range<usize>,
}

// ureq demands `Debug` of both, and shows them to nobody: what is in them would be 8 KB of code that never runs.
impl fmt::Debug for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Means")
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl Connection {
    fn new(wire: Wire, relay: Option<Arc<Proxy>>) -> Connection {
        Connection {
            wire,
            relay,
            buffers: LazyBuffers::new(INPUT_BUFFER_LEN, OUTPUT_BUFFER_LEN),
            rest: Vec::new(),
            block: 0..0,
        }
    }

    /// ureq asks the body's reader and then calls this, by turns, until the body is sent. Of what it hands over, counts what
    /// the reader has said: so a turn may send nothing and wait, and the reader, which alone can call the caller's hook,
    /// gets the next one.
    fn transmit(&mut self, amount: usize, current: &Current) -> Result<(), Error> {
        let begins = !matches!(current.phase(), Phase::Sending | Phase::Waiting);
        let mut is_chunk = false;
        if begins {
            current.enter(Phase::Sending);
            self.wire.begin();
            self.rest.clear();
            self.block = 0..amount;
            if let Some(proxy) = &self.relay {
                let _ = current.proxy.set(proxy.clone());
                let head = &self.buffers.output()[std::mem::take(&mut self.block)];
                proxy.put_in_absolute_form(head, current.host(), &mut self.rest);
            }
            if current.has_body {
                self.keep_block();
                return Ok(());
            }
            self.wire.expect_silence(current)?;
        } else {
            let is_first = !self.rest.is_empty();
            match current.output.take() {
                Output::Nothing => return self.wait(current),
                Output::Bytes(count) => self.block = 0..count,
                Output::Chunk => (self.block, is_chunk) = (0..amount, true),
                Output::End => self.rest.extend_from_slice(b"0\r\n\r\n"),
            }
            if is_first {
                self.wire.expect_silence(current)?;
            } else {
                // Before each further block: an answer that is already there must not be overlooked when
                // the socket would take everything without waiting.
                self.wire.look_for_answer(current);
            }
        }
        if current.early.get() {
            return Ok(());
        }
        if current.last_block_ready.get() {
            current.last_write_started.set(true);
        }
        self.wire.hand_over(self.rest.len() + self.block.len());
        self.send(current)?;
        if is_chunk {
            // The buffer is used for what ureq makes of the next turn.
            self.keep_block();
        }
        // Nobody's hook is told of a head alone.
        while !current.has_body && current.unsent.get() && !current.early.get() {
            self.wait(current)?;
        }
        Ok(())
    }

    /// Waits a little, for the line to take what is left, for the answer, or for the bandwidth.
    fn wait(&mut self, current: &Current) -> Result<(), Error> {
        if current.all_sent.get() {
            current.answered.set(self.wire.answer_begins(current)?);
        } else if current.unsent.get() {
            self.send(current)?;
        } else if !current.early.get() {
            // Until the first block has gone with the head, nothing is expected.
            self.wire.pause(self.rest.is_empty(), current)?;
        }
        Ok(())
    }

    /// Sends what the line takes for now.
    fn send(&mut self, current: &Current) -> Result<(), Error> {
        let parts = [&self.rest, &self.buffers.output()[self.block.clone()]];
        let mut accepted = 0;
        let all = self.wire.send_some(parts, &mut accepted, current)?;
        let of_rest = accepted.min(self.rest.len());
        self.rest.drain(..of_rest);
        self.block.start += accepted - of_rest;
        current.unsent.set(!all);
        if all && current.last_block_ready.get() {
            current.all_sent.set(true);
            current.enter(Phase::Waiting);
        }
        Ok(())
    }

    /// Makes room in the output buffer.
    fn keep_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        self.rest.extend_from_slice(&self.buffers.output()[block]);
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let Some(current) = current() else {
            return Err(ureq::Error::ConnectionFailed);
        };
        self.transmit(amount, &current).map_err(|e| current.fail(e))
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let Some(current) = current() else {
            return Err(ureq::Error::ConnectionFailed);
        };
        if current.phase() == Phase::Sending {
            current.enter(Phase::Waiting);
        }
        let buffer = self.buffers.input_append_buf();
        if buffer.is_empty() {
            // Of a body it can only be the framing of its chunks.
            let what = match current.phase() {
                Phase::Receiving => "a line of its answer's chunks",
                _ => "the head of its answer",
            };
            let message = format!(
                "{} does not answer in proper HTTP: {what} is longer than {INPUT_BUFFER_LEN} bytes",
                current.host()
            );
            return Err(current.fail(Error::new(ErrorKind::Protocol, message)));
        }
        match self.wire.receive(buffer, &current) {
            Ok(count) => {
                self.buffers.input_appended(count);
                Ok(count > 0)
            }
            Err(ReceiveError::Lost(e)) => {
                current.reset.set(true);
                Err(ureq::Error::Io(e))
            }
            Err(ReceiveError::Stopped(e)) => Err(current.fail(e)),
        }
    }

    fn is_open(&mut self) -> bool {
        // ureq asks when it puts a connection aside, too. What matters is how it is when it is taken up again.
        let ends = current()
            .is_some_and(|current| matches!(current.phase(), Phase::Waiting | Phase::Receiving));
        if ends {
            self.wire.is_reusable()
        } else {
            self.wire.is_open()
        }
    }

    fn is_tls(&self) -> bool {
        self.wire.is_secure()
    }
}
