//! One client under many threads at once: connections come and go, tokens expire and are revoked, and every third
//! upload is cancelled at a moment of nobody's choice. Every verdict is held against what the server recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant, SystemTime};

use local_oss::Server;
use oss_callback::{
    Answered, Cancellation, Client, Credentials, CredentialsProvider, ErrorKind, Stored,
};
use support::{BUCKET, agreeing_receiver, server, spec};

const THREADS: usize = 16;
const UPLOADS: usize = 3000;

/// Gives out tokens that last for a second, and never two at once.
struct Tokens {
    server: Arc<Server>,
    given: Arc<AtomicUsize>,
    asked: AtomicBool,
}

impl CredentialsProvider for Tokens {
    fn credentials(&self) -> Result<Credentials, Box<dyn std::error::Error + Send + Sync>> {
        assert!(!self.asked.swap(true, Ordering::SeqCst), "two at once");
        let id = format!("STS.{}", self.given.fetch_add(1, Ordering::SeqCst));
        let expires = SystemTime::now() + Duration::from_secs(1);
        self.server
            .add_sts_credentials(&id, "secret", "token", expires);
        self.asked.store(false, Ordering::SeqCst);
        Ok(Credentials::new(id, "secret")
            .security_token("token")
            .expires_at(expires))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Receipt,
    NotStored,
    Unknown,
}

#[test]
fn the_truth_is_told_while_everything_happens_at_once() {
    let server = Arc::new(server().start().unwrap());
    let receiver = agreeing_receiver();
    let given = Arc::new(AtomicUsize::new(0));
    let client = Client::builder()
        .endpoint(server.endpoint())
        .region("cn-hangzhou")
        .credentials(Credentials::provider(Tokens {
            server: server.clone(),
            given: given.clone(),
            asked: AtomicBool::new(false),
        }))
        // Fewer than threads: some connections are opened and closed for each request.
        .max_idle_connections(THREADS / 2)
        .build()
        .unwrap();
    let callback = spec(&receiver.url("/"));
    let next = AtomicUsize::new(0);
    let verdicts = Mutex::new(BTreeMap::new());
    let (cancel, cancelled) = mpsc::channel::<Cancellation>();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (number, cancellation) in cancelled.into_iter().enumerate() {
                if number % 50 == 0 {
                    // Somebody revokes what is in use.
                    let last = given.load(Ordering::SeqCst).saturating_sub(1);
                    server.expire_credentials(&format!("STS.{last}"));
                }
                cancellation.cancel();
            }
        });
        for _ in 0..THREADS {
            let cancel = cancel.clone();
            let (client, callback, next, verdicts) = (&client, &callback, &next, &verdicts);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= UPLOADS {
                        return;
                    }
                    let cancellation = Cancellation::new();
                    if number.is_multiple_of(3) {
                        cancel.send(cancellation.clone()).unwrap();
                    }
                    let object = format!("{number:05}");
                    let result = client
                        .put_object(BUCKET, &object)
                        .callback(callback)
                        .cancellation(&cancellation)
                        .send_bytes(vec![b'a'; number % 7 * 40_000]);
                    let verdict = match &result {
                        Ok(receipt) => {
                            assert_eq!(receipt.answer(), br#"{"Status":"OK"}"#);
                            Verdict::Receipt
                        }
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Cancelled, "{object}: {error}");
                            assert!(number.is_multiple_of(3), "{object}: {error}");
                            match (error.stored(), error.answered()) {
                                (Stored::No, Answered::No) => Verdict::NotStored,
                                (Stored::Unknown, Answered::Unknown) => Verdict::Unknown,
                                other => panic!("{object}: {other:?}"),
                            }
                        }
                    };
                    verdicts.lock().unwrap().insert(object, verdict);
                }
            });
        }
        drop(cancel);
    });
    assert!(begun.elapsed() < Duration::from_secs(120), "something hung");

    let verdicts = verdicts.into_inner().unwrap();
    let count = |wanted| {
        verdicts
            .values()
            .filter(|verdict| **verdict == wanted)
            .count()
    };
    let unknown = count(Verdict::Unknown);
    // What was cancelled at the last moment, the server still finishes.
    let most = count(Verdict::Receipt) + unknown;
    let stored = server.wait_for_stored(most, Duration::from_secs(2));
    let stored: Vec<&str> = stored.iter().map(|stored| stored.key.as_str()).collect();
    let distinct: BTreeSet<&str> = stored.iter().copied().collect();
    for (object, verdict) in &verdicts {
        match verdict {
            Verdict::Receipt => assert!(distinct.contains(object.as_str()), "{object}: yes"),
            Verdict::NotStored => assert!(!distinct.contains(object.as_str()), "{object}: no"),
            Verdict::Unknown => {}
        }
    }
    assert_eq!(stored.len(), distinct.len(), "an object is stored twice");
    let deliveries = server.deliveries();
    let delivered: BTreeSet<&str> = deliveries.iter().map(|d| d.key.as_str()).collect();
    assert_eq!(delivered.len(), deliveries.len(), "a callback came twice");
    assert_eq!(verdicts.len(), UPLOADS);
    assert!(given.load(Ordering::SeqCst) > 1, "no token was replaced");
    eprintln!(
        "{most} stored or unknown ({unknown}), {} not",
        count(Verdict::NotStored)
    );
}
