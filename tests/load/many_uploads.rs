//! One client, many threads, many uploads: every callback is delivered once, and every count agrees.

use std::sync::atomic::{AtomicUsize, Ordering};

use support::{BUCKET, agreeing_receiver, client, server, spec};

const THREADS: usize = 32;
const UPLOADS: usize = 20_000;

#[test]
fn twenty_thousand_uploads_of_32_threads_are_each_stored_and_called_back_once() {
    let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
    let client = client(server.endpoint());
    let callback = spec(&receiver.url("/"));
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= UPLOADS {
                        return;
                    }
                    let object = format!("{number:05}");
                    let put = client.put_object(BUCKET, &object).callback(&callback);
                    let receipt = put.send_bytes(object.as_bytes()).unwrap();
                    assert_eq!(receipt.answer(), br#"{"Status":"OK"}"#);
                    assert_eq!(receipt.attempts(), 1);
                }
            });
        }
    });

    let mut stored: Vec<String> = server
        .stored()
        .into_iter()
        .map(|stored| stored.key)
        .collect();
    let deliveries = server.deliveries();
    let mut delivered: Vec<&str> = deliveries
        .iter()
        .map(|delivery| delivery.key.as_str())
        .collect();
    stored.sort_unstable();
    delivered.sort_unstable();
    let expected: Vec<String> = (0..UPLOADS).map(|number| format!("{number:05}")).collect();
    assert!(stored == expected, "{} objects", stored.len());
    assert!(delivered == expected, "{} deliveries", delivered.len());
    assert!(deliveries.iter().all(|delivery| delivery.accepted));
    assert_eq!(receiver.requests().len(), UPLOADS);
}
