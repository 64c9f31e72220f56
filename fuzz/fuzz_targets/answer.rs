//! Whatever a server says, the verdict is true: it comes over a real socket, head and body and all.
//!
//! The input's first line says what is asked for, by its first character, and how, by its second. The rest are
//! the answers, one for each request, with a line `~~~` between them; the last one is said again for as long
//! as requests come.
#![no_main]

use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use oss_callback::{
    Answered, CallbackSpec, Client, Credentials, Error, ErrorKind, Part, PostForm, Receipt,
    Reconciled, RetryPolicy, Stored,
};

/// What is said, and to whom.
#[derive(Default)]
struct Script {
    /// The next one last.
    answers: Vec<Vec<u8>>,
    /// Kept open until the run is over: an early close would reset what is on its way.
    connections: Vec<TcpStream>,
}

static SCRIPT: Mutex<Script> = Mutex::new(Script {
    answers: Vec::new(),
    connections: Vec::new(),
});

fn script() -> MutexGuard<'static, Script> {
    SCRIPT.lock().unwrap_or_else(PoisonError::into_inner)
}

static LISTENER: LazyLock<TcpListener> =
    LazyLock::new(|| TcpListener::bind("127.0.0.1:0").expect("a port"));

/// A server without a thread, which would cost most of the time: it answers the moment that the first bytes have left, and
/// reads none of them. A request here leaves in one piece, so the client cannot tell.
fn accept() {
    let (mut connection, _) = LISTENER.accept().expect("a client");
    let mut script = script();
    let answer = match script.answers.len() {
        0 | 1 => script.answers.first().cloned().unwrap_or_default(),
        _ => script.answers.pop().unwrap_or_default(),
    };
    connection.write_all(&answer).expect("room for an answer");
    connection.shutdown(Shutdown::Write).expect("an end");
    script.connections.push(connection);
}

static SERVER: LazyLock<SocketAddr> = LazyLock::new(|| {
    oss_callback::fuzzing::on_first_bytes(accept);
    LISTENER.local_addr().expect("its port")
});

const MAX_ANSWER_LEN: usize = 4096;

fn client(retries: bool) -> Client {
    let attempts = if retries { 2 } else { 1 };
    Client::builder()
        .endpoint(format!("http://{}", *SERVER))
        .region("cn-hangzhou")
        .credentials(Credentials::new("id", "secret"))
        .retry_policy(
            RetryPolicy::default()
                .max_attempts(attempts)
                .max_delay(Duration::ZERO),
        )
        .max_answer_len(MAX_ANSWER_LEN)
        .max_idle_connections(0)
        .timeout(Duration::from_secs(5))
        .build()
        .expect("a client")
}

static ONCE: LazyLock<Client> = LazyLock::new(|| client(false));
static TWICE: LazyLock<Client> = LazyLock::new(|| client(true));
static SPEC: LazyLock<CallbackSpec> = LazyLock::new(|| {
    let spec = CallbackSpec::builder()
        .url("http://app.example.com/")
        .body("o=${object}");
    spec.build().expect("a spec")
});

fuzz_target!(|data: &[u8]| {
    run(data);
    // What is left would pass for a leak.
    *script() = Script::default();
});

fn run(data: &[u8]) {
    let (asked, said) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &[][..]),
    };
    let what = asked.first().copied().unwrap_or_default();
    let how = asked.get(1).copied().unwrap_or_default();
    let mut answers = split(said, b"\n~~~\n");
    answers.reverse();
    *script() = Script {
        answers,
        connections: Vec::new(),
    };

    let client = if how & 1 == 0 { &*ONCE } else { &*TWICE };
    let callback = how & 2 != 0;
    let upload = client.multipart_upload("examplebucket", "a/b", "upload-id");
    match what {
        b'p' | b'P' => {
            let mut put = client.put_object("examplebucket", "a/b");
            if callback {
                put = put.callback(&*SPEC);
            }
            let result = sound(put.send_bytes(if what == b'p' { "abc" } else { "" }));
            hold(&result, callback, said);
            if let Err(error) = result
                && error.stored() == Stored::Unknown
                && let Ok(reconciled) = sound(client.reconcile(&error).send())
            {
                // It had no idempotency id.
                assert!(!matches!(reconciled, Reconciled::Stored(_)));
                let present = matches!(reconciled, Reconciled::ContentPresent(_));
                assert!(!present || has(said, b"x-oss-hash-crc64ecma"));
            }
        }
        b'f' => {
            let fields = [("key".to_owned(), "a/b".to_owned())];
            let form = PostForm::new(format!("http://{}/examplebucket", *SERVER), fields);
            let result = sound(client.post_object(&form).send_bytes("abc"));
            hold_stored(&result, said);
            // It goes out in pieces, so that the answer may come before the last of them: then it is not stored.
        }
        b'c' => {
            let parts = [Part::new(1, "etag").with_size(3).with_crc64(7)];
            let mut complete = upload.complete();
            if callback {
                complete = complete.callback(&*SPEC);
            }
            let result = sound(complete.send(&parts));
            hold_answered(&result, callback);
            if let Err(error) = result
                && error.stored() == Stored::Unknown
            {
                let _ = sound(client.reconcile(&error).send());
            }
        }
        b'i' => {
            let initiate = client.initiate_multipart_upload("examplebucket", "a/b");
            if let Ok(upload) = sound(initiate.send()) {
                assert!(!upload.upload_id().is_empty());
            }
        }
        b'u' => {
            if let Ok(part) = sound(upload.upload_part(1).send_bytes("abc")) {
                assert!(part.number() == 1 && part.size() == Some(3) && !part.etag().is_empty());
            }
        }
        b'l' => {
            if let Ok(parts) = sound(upload.list_parts().send()) {
                let numbers: Vec<u32> = parts.iter().map(Part::number).collect();
                assert!(numbers.is_sorted_by(|one, next| one < next));
            }
        }
        b'L' => drop(sound(client.list_multipart_uploads("examplebucket").send())),
        b'h' => drop(sound(client.head_object("examplebucket", "a/b").send())),
        b'd' => drop(sound(client.delete_object("examplebucket", "a/b").send())),
        b'a' => drop(sound(upload.abort().send())),
        _ => {
            let mut got = Vec::new();
            let result = sound(client.get_object("examplebucket", "a/b").write_to(&mut got));
            assert!(got.len() <= said.len());
            if let Ok(metadata) = result {
                assert!(
                    metadata
                        .content_length()
                        .is_none_or(|len| len == got.len() as u64)
                );
            }
        }
    }
}

/// Nothing that a server says is a fault of the library, and an error stays short.
fn sound<T>(result: Result<T, Error>) -> Result<T, Error> {
    if let Err(error) = &result {
        assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
        assert!(error.to_string().len() < 16 * 1024);
    }
    result
}

fn split(mut text: &[u8], separator: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    while let Some(at) = text
        .windows(separator.len())
        .position(|window| window == separator)
    {
        pieces.push(text[..at].to_vec());
        text = &text[at + separator.len()..];
    }
    pieces.push(text.to_vec());
    pieces
}

fn has(said: &[u8], what: &[u8]) -> bool {
    said.windows(what.len())
        .any(|window| window.eq_ignore_ascii_case(what))
}

/// Whether a status line was said with one of these statuses: only then can a verdict rest on it.
fn has_status(said: &[u8], wanted: impl Fn(u16) -> bool) -> bool {
    said.windows(12).any(|line| {
        let status = line[9..].iter().try_fold(0, |number, byte| {
            byte.is_ascii_digit()
                .then(|| number * 10 + u16::from(byte - b'0'))
        });
        line.starts_with(b"HTTP/1.") && status.is_some_and(&wanted)
    })
}

fn hold(result: &Result<Receipt, Error>, callback: bool, said: &[u8]) {
    hold_answered(result, callback);
    hold_stored(result, said);
    // It was sent whole before its answer was read, so it may be stored unless the answer says that it is not.
    if let Err(error) = result
        && error.stored() == Stored::No
    {
        let refused = has_status(said, |status| (400..500).contains(&status));
        assert!(refused || error.kind() == ErrorKind::Connect, "{error:?}");
    }
}

fn hold_answered(result: &Result<Receipt, Error>, callback: bool) {
    if let Err(error) = result {
        assert_eq!(error.answered() == Answered::NotRequested, !callback);
    }
}

/// What is said to be stored rests on an answer that says so.
fn hold_stored(result: &Result<Receipt, Error>, said: &[u8]) {
    let error = match result {
        Ok(receipt) => {
            assert!(has_status(said, |status| (200..300).contains(&status)));
            assert!(receipt.answer().len() <= MAX_ANSWER_LEN);
            return;
        }
        Err(error) => error,
    };
    let is_stored = error.stored() == Stored::Yes;
    assert!(!is_stored || has_status(said, |status| (200..300).contains(&status)));
    assert_eq!(error.receipt().is_some(), is_stored);
}
