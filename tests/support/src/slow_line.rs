//! A slow line to a server: what arrives is taken so many bytes a second, and the rest waits where it was sent. And a network
//! of its own for a test, whose line the system itself slows down.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How much is taken at once, and what the line's own system may hold beside it.
const BLOCK: usize = 2048;

/// Bytes that may have arrived without having been taken: the smallest buffer that Linux gives, with room to spare.
pub const IN_BUFFERS: u64 = 16 * 1024;

/// A slow line in front of a server. Answers come back as fast as they can.
pub struct SlowLine {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    server: SocketAddr,
    bytes_per_second: u64,
    /// After so many bytes of a connection nothing is taken any more.
    stops_after: u64,
    taken: AtomicU64,
    over: AtomicBool,
}

impl SlowLine {
    pub fn start(server: SocketAddr, bytes_per_second: u64) -> SlowLine {
        SlowLine::stopping(server, bytes_per_second, u64::MAX)
    }

    /// A line that goes dead after so many bytes of each connection, without a word.
    pub fn stopping(server: SocketAddr, bytes_per_second: u64, stops_after: u64) -> SlowLine {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        // Connections inherit it, if it is set before there are any.
        socket.set_recv_buffer_size(BLOCK).unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        socket.bind(&any.into()).unwrap();
        socket.listen(64).unwrap();
        let listener = TcpListener::from(socket);
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server,
            bytes_per_second,
            stops_after,
            taken: AtomicU64::new(0),
            over: AtomicBool::new(false),
        });
        let serving = shared.clone();
        let thread = thread::spawn(move || {
            thread::scope(|scope| {
                for client in listener.incoming() {
                    if serving.over.load(Ordering::SeqCst) {
                        return;
                    }
                    let (client, serving) = (client.unwrap(), &serving);
                    scope.spawn(move || serving.carry(&client));
                }
            });
        });
        SlowLine {
            address,
            shared,
            thread: Some(thread),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was taken so far, of all connections together: heads, too.
    pub fn taken(&self) -> u64 {
        self.shared.taken.load(Ordering::SeqCst)
    }
}

impl Drop for SlowLine {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let result = thread.join();
            if !thread::panicking() {
                result.expect("the line does not panic");
            }
        }
    }
}

impl Shared {
    fn carry(&self, client: &TcpStream) {
        let server = TcpStream::connect(self.server).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                let _ = std::io::copy(&mut &server, &mut &*client);
                let _ = client.shutdown(Shutdown::Write);
            });
            self.take(client, &server);
            let _ = server.shutdown(Shutdown::Write);
        });
    }

    /// Carries the client's bytes to the server, each when it is due.
    fn take(&self, mut client: &TcpStream, mut server: &TcpStream) {
        let patience = Some(Duration::from_millis(100));
        client.set_read_timeout(patience).unwrap();
        let (mut due, mut taken) = (Instant::now(), 0);
        let mut buffer = [0; BLOCK];
        while !self.over.load(Ordering::SeqCst) {
            if taken >= self.stops_after {
                thread::park_timeout(Duration::from_millis(100));
                continue;
            }
            match client.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => {
                    taken += count as u64;
                    self.taken.fetch_add(count as u64, Ordering::SeqCst);
                    if server.write_all(&buffer[..count]).is_err() {
                        return;
                    }
                    let time = Duration::from_secs_f64(count as f64 / self.bytes_per_second as f64);
                    due = due.max(Instant::now() - time) + time;
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                }
                Err(e) if matches!(e.kind(), std::io::ErrorKind::WouldBlock) => {}
                Err(_) => return,
            }
        }
    }
}

/// Runs the test of this name, of this very program, in a network of its own whose line carries `rate` (as `tc` wants it),
/// and says whether this is that run, which is to do what the test does. Where no such network can be made, that is skipped.
pub fn in_network_of_its_own(test: &str, rate: &str) -> bool {
    const INSIDE: &str = "OSS_CALLBACK_IN_NETWORK_OF_ITS_OWN";
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    // Segments one by one, as a real line has them. Short packets pass by, which are acknowledgements: on a real line they
    // have a way back of their own.
    let prepare = format!(
        "ip link set lo up mtu 1500 gso_max_segs 1 \
         && tc qdisc add dev lo root handle 1: htb default 20 \
         && tc class add dev lo parent 1: classid 1:10 htb rate 1gbit quantum 60000 \
         && tc class add dev lo parent 1: classid 1:20 htb {} \
         && tc filter add dev lo parent 1: protocol ip u32 match u16 0x0000 0xff80 at 2 flowid 1:10",
        of(rate)
    );
    // A user who is not root is root in a namespace of his own, if the system allows that.
    let found = ["-n", "-rn"].into_iter().find(|namespaces| {
        let mut trial = Command::new("unshare");
        let trial = trial.args([namespaces, "sh", "-c", &prepare]);
        trial.output().is_ok_and(|output| output.status.success())
    });
    let Some(namespaces) = found else {
        super::skip("no network namespace with a line shaped by `tc` can be made here");
        return false;
    };
    let mut run = Command::new("unshare");
    let run = run
        .args([namespaces, "sh", "-c"])
        .arg(format!("{prepare} && exec \"$0\" \"$@\""))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1");
    let output = run.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    // A name that is not a test's runs nothing, and that well.
    assert!(text.contains("1 passed"), "{text}{errors}");
    false
}

/// Changes what the line of this network carries from now on.
pub fn change_line(rate: &str) {
    let change = "tc class change dev lo parent 1: classid 1:20 htb";
    super::c::succeed(Command::new("sh").args(["-c", &format!("{change} {}", of(rate))]));
}

fn of(rate: &str) -> String {
    format!("rate {rate} burst 1600 quantum 1600")
}
