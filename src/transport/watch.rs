//! Looks over ureq's shoulder: how far has the request of this thread got?
//!
//! Calls block and stay on one thread, so a thread-local is enough to reach through ureq.

use std::cell::Cell;

use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};

/// What a request is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Looking for an address, or for an open connection.
    Resolving,
    /// Connecting, TLS included.
    Connecting,
    /// The first write of the request was started.
    Writing,
}

thread_local! {
    static PHASE: Cell<Phase> = const { Cell::new(Phase::Resolving) };
    static RESET: Cell<bool> = const { Cell::new(false) };
}

/// A new request begins on this thread.
pub(super) fn begin() {
    PHASE.set(Phase::Resolving);
    RESET.set(false);
}

/// How far the last request of this thread got.
pub(super) fn phase() -> Phase {
    PHASE.get()
}

/// Whether a read of the last request of this thread failed.
pub(super) fn connection_was_reset() -> bool {
    RESET.get()
}

/// ureq's own connections, watched.
#[derive(Debug, Default)]
pub(super) struct WatchedConnector(DefaultConnector);

impl Connector for WatchedConnector {
    type Out = Watched;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<()>,
    ) -> Result<Option<Watched>, ureq::Error> {
        PHASE.set(Phase::Connecting);
        Ok(self.0.connect(details, chained)?.map(Watched))
    }
}

#[derive(Debug)]
pub(super) struct Watched(Box<dyn Transport>);

impl Transport for Watched {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        PHASE.set(Phase::Writing);
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let result = self.0.await_input(timeout);
        if result.is_err() {
            RESET.set(true);
        }
        result
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}
