//! A client, and what an application server keeps, in the children of a process that is busy. A program of its own, since
//! it forks.
#![cfg(unix)]

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::{Duration, SystemTime};
use std::{io, thread};

use local_oss::{Answer, Receiver};
use oss_callback::{Client, Credentials, ErrorKind, Stored};
use support::{BUCKET, KEY_ID, KEY_SECRET, client, client_builder, server, spec};

/// More than anything takes here.
const PATIENCE_S: u32 = 60;

/// A process that was forked.
struct Child(libc::pid_t);

impl Child {
    /// Runs this in a child, which ends well if it gives true.
    #[allow(unsafe_code, reason = "there is no safe fork")]
    fn run(body: impl FnOnce() -> bool) -> Child {
        // SAFETY: the child uses this library, whose business it is that this works, and the allocator, which glibc keeps
        // usable; it ends without running anything of the parent's.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0);
        if pid > 0 {
            return Child(pid);
        }
        // SAFETY: no more than a number goes in. Whoever waits for a lock of the parent waits for ever.
        unsafe { libc::alarm(PATIENCE_S) };
        let ends_well = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
        Child::leave(matches!(ends_well, Ok(true)))
    }

    /// Ends this process, which is a child.
    #[allow(unsafe_code, reason = "what else runs at the end is the parent's")]
    fn leave(well: bool) -> ! {
        // SAFETY: it ends.
        unsafe { libc::_exit(if well { 0 } else { 1 }) }
    }

    #[allow(unsafe_code, reason = "there is no safe waitpid")]
    fn ended_well(self) -> bool {
        let mut status = -1;
        // SAFETY: a child of this process that nobody else waits for, and a place for its status.
        let waited = unsafe { libc::waitpid(self.0, &mut status, 0) };
        waited == self.0 && status == 0
    }
}

/// An application server that says which object it was told about.
fn echoing() -> Receiver {
    Receiver::start(|request| {
        let body = String::from_utf8_lossy(&request.body);
        let name = body
            .split('&')
            .find_map(|pair| pair.strip_prefix("filename="));
        Answer::json(format!(r#"{{"filename":"{}"}}"#, name.unwrap_or_default()))
    })
    .unwrap()
}

/// Uploads the same contents under so many names, and whether each receipt was that of its request.
fn own_receipts(client: &Client, url: &str, who: &str, uploads: usize) -> bool {
    (0..uploads).all(|count| {
        let name = format!("{who}-{count}");
        let put = client.put_object(BUCKET, &name).callback(&spec(url));
        let expected = format!(r#"{{"filename":"{name}"}}"#);
        put.send_bytes(b"alike")
            .is_ok_and(|receipt| receipt.answer() == expected.as_bytes() && receipt.attempts() == 1)
    })
}

/// A byte that comes when as many others are asked for theirs.
struct Waiting<'a>(Option<&'a Barrier>);

impl Read for Waiting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(barrier) = self.0.take() else {
            return Ok(0);
        };
        barrier.wait();
        buffer[0] = b'x';
        Ok(1)
    }
}

#[test]
fn children_of_a_busy_process_get_their_own_receipts() {
    const CHILDREN: usize = 8;
    const BUSY: usize = 2;
    const CONNECTIONS: usize = BUSY + 4;
    let (server, receiver) = (server().start().unwrap(), echoing());
    let hour = SystemTime::now() + Duration::from_secs(3600);
    let provided = move || Ok(Credentials::new(KEY_ID, KEY_SECRET).expires_at(hour));
    let client = client_builder(server.endpoint())
        .credentials(Credentials::provider(provided))
        .build()
        .unwrap();
    // So many at once, so that some always wait for the next request.
    let all_open = Barrier::new(CONNECTIONS);
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let reader = Waiting(Some(&all_open));
                let put = client.put_object(BUCKET, "before");
                put.send_reader(reader, 1).unwrap();
            });
        }
    });
    let (end, begun) = (AtomicBool::new(false), Barrier::new(BUSY + 1));
    thread::scope(|scope| {
        let busy = [(); BUSY].map(|()| {
            scope.spawn(|| {
                begun.wait();
                let url = receiver.url("/");
                while !end.load(Ordering::Relaxed) {
                    assert!(own_receipts(&client, &url, "parent", 1));
                }
            })
        });
        begun.wait();
        let url = receiver.url("/");
        let children: Vec<Child> = (0..CHILDREN)
            .map(|number| Child::run(|| own_receipts(&client, &url, &format!("child{number}"), 50)))
            .collect();
        for child in children {
            assert!(child.ended_well());
        }
        end.store(true, Ordering::Relaxed);
        for thread in busy {
            thread.join().unwrap();
        }
    });
    let stored = server.stored();
    let of_children = stored
        .iter()
        .filter(|object| object.key.starts_with("child"));
    assert_eq!(of_children.count(), CHILDREN * 50);
}

/// The thread that looks a name up is not there in a child.
#[test]
fn a_child_looks_names_up_for_itself() {
    let server = server().start().unwrap();
    let address = server.address();
    let (asked, is_asked) = mpsc::sync_channel(1);
    let (answer, answered) = mpsc::sync_channel::<()>(1);
    let (first, answered) = (AtomicBool::new(true), std::sync::Mutex::new(answered));
    let client = client_builder("http://oss.example.test")
        .path_style(true)
        .resolver(move |_, _| {
            if first.swap(false, Ordering::Relaxed) {
                asked.send(()).map_err(io::Error::other)?;
                let answered = answered.lock().map_err(|_| io::ErrorKind::Other)?;
                answered.recv().map_err(io::Error::other)?;
            }
            Ok(vec![address])
        })
        .build()
        .unwrap();
    thread::scope(|scope| {
        let asking = scope.spawn(|| client.put_object(BUCKET, "parent").send_bytes(b"x"));
        is_asked.recv().unwrap();
        let put = client.put_object(BUCKET, "child");
        assert!(Child::run(|| put.send_bytes(b"x").is_ok()).ended_well());
        answer.send(()).unwrap();
        asking.join().unwrap().unwrap();
    });
}

/// The connection is the parent's: what a child sends on it would be taken for the parent's.
#[test]
fn a_child_that_returns_from_a_reader_sends_nothing() {
    struct Forking {
        left: u64,
        child: Arc<AtomicBool>,
        children: mpsc::Sender<libc::pid_t>,
    }
    impl Read for Forking {
        #[allow(unsafe_code, reason = "there is no safe fork")]
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.left == 2 {
                // SAFETY: as in `Child::run`.
                match unsafe { libc::fork() } {
                    0 => self.child.store(true, Ordering::Relaxed),
                    pid => self.children.send(pid).map_err(io::Error::other)?,
                }
            }
            if self.left == 0 {
                return Ok(0);
            }
            self.left -= 1;
            buffer[0] = b'x';
            Ok(1)
        }
    }
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let child = Arc::new(AtomicBool::new(false));
    let (children, forked) = mpsc::channel();
    let reader = Forking {
        left: 3,
        child: child.clone(),
        children,
    };
    let result = client.put_object(BUCKET, "a").send_reader(reader, 3);
    if child.load(Ordering::Relaxed) {
        // Whether it is stored is up to the parent.
        let unknown = result.is_err_and(|error| {
            (error.kind(), error.stored()) == (ErrorKind::Cancelled, Stored::Unknown)
        });
        Child::leave(unknown);
    }
    assert!(Child(forked.recv().unwrap()).ended_well());
    result.unwrap();
    assert_eq!(server.object(BUCKET, "a").as_deref(), Some(&b"xxx"[..]));
}
