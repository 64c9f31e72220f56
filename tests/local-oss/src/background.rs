//! Blocking handles on asynchronous work: a runtime on a thread of its own.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket},
    runtime, select,
    sync::oneshot,
};

/// Calls into the user's code, and pieces of objects that are hashed, written or read, which may be under way at once. So many
/// that functions which do not return, or names that are not resolved, do not hold up uploads.
const BLOCKING_THREADS: usize = 256;

/// Connections that wait to be accepted. The usual 128 makes some of a thousand at once wait for a second.
const BACKLOG: u32 = 1024;

/// A user's function that does not return may hold up the end for so long, and no longer.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// Work that goes on until it is stopped or dropped.
#[derive(Debug)]
pub(crate) struct Background {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Listens, and gives the listener to `serve`, which runs on two threads.
    ///
    /// The address is known before `serve` is made, since it may need to tell it.
    pub(crate) fn start<Serve, Served>(
        name: &str,
        listen: impl ToSocketAddrs,
        serve: impl FnOnce(SocketAddr) -> io::Result<Serve>,
    ) -> io::Result<Self>
    where
        Serve: FnOnce(TcpListener) -> Served + Send + 'static,
        Served: Future<Output = ()>,
    {
        let socket = bind(listen)?;
        let address = socket.local_addr()?;
        let serve = serve(address)?;
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name(name)
            .enable_all()
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            socket.listen(BACKLOG)
        };
        let listener = match listener {
            Ok(listener) => listener,
            Err(error) => {
                // Its drop would wait, which is forbidden where the caller is asynchronous.
                runtime.shutdown_background();
                return Err(error);
            }
        };
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    select! {
                        _ = stopped => {}
                        () = serve(listener) => {}
                    }
                });
                // Drops all tasks, and with them all connections.
                runtime.shutdown_timeout(END_TIMEOUT);
            })?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns when all connections are closed.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Takes the first of the addresses that can be had.
fn bind(addresses: impl ToSocketAddrs) -> io::Result<TcpSocket> {
    let mut result = Err(io::ErrorKind::AddrNotAvailable.into());
    for address in addresses.to_socket_addrs()? {
        result = bind_one(address);
        if result.is_ok() {
            break;
        }
    }
    result
}

fn bind_one(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // A server that is started again gets the port of the one before: both must have said that it may be used again. One
    // that looks for a free port says so only when it has found it, else two could find the same before either listens.
    #[cfg(unix)]
    socket.set_reuseaddr(address.port() != 0)?;
    socket.bind(address)?;
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    Ok(socket)
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop();
    }
}
