//! An upload whose process is killed, at thirty moments, and the process that goes on with it.

use std::env;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use local_oss::{Answer, MultipartRequest, Receiver, Server};
use oss_callback::{Answered, CallbackSpec, Stored, UploadFile};
use support::{BUCKET, TemporaryFile, client, server, spec};

const PART: u64 = 102_400;
const PARTS: u64 = 12;
const ROUNDS: u64 = 30;

/// What the process that is to be killed finds in its environment.
const ENDPOINT: &str = "OSS_CALLBACK_TEST_ENDPOINT";
const FILE: &str = "OSS_CALLBACK_TEST_FILE";
const OBJECT: &str = "OSS_CALLBACK_TEST_OBJECT";
const CALLBACK: &str = "OSS_CALLBACK_TEST_CALLBACK";

fn upload<'a>(endpoint: &str, object: &str, file: &str, spec: &CallbackSpec) -> UploadFile<'a> {
    client(endpoint)
        .upload_file(BUCKET, object)
        .part_size(PART)
        .parallel(3)
        .checkpoint(format!("{file}.checkpoint"))
        .callback(spec)
}

/// Not a test of its own: the process that is killed.
#[test]
fn uploads_for_the_test_that_kills_it() {
    let Ok(endpoint) = env::var(ENDPOINT) else {
        return;
    };
    let variable = |name| env::var(name).unwrap();
    let spec = spec(&variable(CALLBACK));
    let file = variable(FILE);
    let upload = upload(&endpoint, &variable(OBJECT), &file, &spec);
    // Slow enough that a busy machine does not miss the moment.
    let _ = upload.bandwidth(3 * PARTS * PART).send(&file);
}

/// Dead and buried, whatever happens.
struct Process(Child);

impl Process {
    fn start(endpoint: &str, object: &str, file: &str, callback: &str) -> Process {
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "uploads_for_the_test_that_kills_it"])
            .envs([
                (ENDPOINT, endpoint),
                (OBJECT, object),
                (FILE, file),
                (CALLBACK, callback),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Process(child.unwrap())
    }

    /// SIGKILL, at once.
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The requests for one object.
fn of(server: &Server, object: &str) -> Vec<MultipartRequest> {
    let mut requests = server.multipart_requests();
    requests.retain(|request| request.key == object);
    requests
}

/// A sequence that looks random and is the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end
    }
}

#[test]
fn a_killed_upload_goes_on_without_sending_parts_or_the_callback_again() {
    let server = server().start().unwrap();
    // In some rounds the process is killed while the application server is being called.
    let (hold, held) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let (holds, is_held) = (hold.clone(), held.clone());
    let receiver = Receiver::start(move |_| {
        while holds.load(Ordering::SeqCst) {
            is_held.store(true, Ordering::SeqCst);
            thread::yield_now();
        }
        Answer::json(r#"{"Status":"OK"}"#)
    });
    let receiver = receiver.unwrap();
    let url = receiver.url("/");
    let spec = spec(&url);
    let mut random = Random(2026);
    let (mut resumed, mut lost) = (0, 0);
    for round in 0..ROUNDS {
        let contents: Vec<u8> = (0..PARTS * PART)
            .map(|i| ((i + round) * i % 251) as u8)
            .collect();
        let file = TemporaryFile::new("killed", &contents);
        let path = file.path().to_str().unwrap();
        let object = format!("object-{round}");
        let delivered = receiver.requests().len();

        // Each moment counts: the first requests, the parts, the last request, and a little after any of them.
        let moment = random.below(PARTS + 3) as usize;
        let in_the_callback = round % 6 == 5;
        hold.store(in_the_callback, Ordering::SeqCst);
        held.store(false, Ordering::SeqCst);
        let has_come = || match in_the_callback {
            true => held.load(Ordering::SeqCst),
            false => of(&server, &object).len() >= moment,
        };
        let pause = Duration::from_micros(random.below(30_000));
        let mut process = Process::start(server.endpoint(), &object, path, &url);
        let deadline = Instant::now() + Duration::from_secs(30);
        while !has_come() && process.0.try_wait().unwrap().is_none() {
            assert!(
                Instant::now() < deadline,
                "round {round}: moment {moment} does not come"
            );
            thread::yield_now();
        }
        let then = Instant::now();
        while then.elapsed() < pause {}
        process.kill();
        hold.store(false, Ordering::SeqCst);
        assert!(server.wait_until_idle(Duration::from_secs(30)));
        let ended = !fs::exists(format!("{path}.checkpoint")).unwrap();

        let result = upload(server.endpoint(), &object, path, &spec).send(path);
        let told = format!(
            "round {round}, killed after {moment} requests ({in_the_callback}): {result:?}"
        );
        match &result {
            Ok(receipt) => {
                assert_eq!(receipt.answer(), br#"{"Status":"OK"}"#, "{told}");
                assert_eq!(receipt.notes(), [""; 0], "{told}");
            }
            // The answer went to the process that was killed.
            Err(error) => {
                assert_eq!(
                    (error.stored(), error.answered()),
                    (Stored::Yes, Answered::Unknown),
                    "{told}"
                );
                lost += 1;
            }
        }
        assert!(
            server.object(BUCKET, &object).unwrap() == contents,
            "{told}"
        );
        let requests = of(&server, &object);
        let completed = |request: &&MultipartRequest| {
            request.operation == "CompleteMultipartUpload" && request.status == 200
        };
        let finished = requests.iter().filter(completed).count();
        let deliveries = receiver.requests().len() - delivered;
        // Killed before it had begun, as far as anybody could remember, or after it had ended in good order: then
        // this was a new upload.
        let uploads = requests
            .iter()
            .filter(|r| r.operation == "InitiateMultipartUpload")
            .count();
        if ended {
            assert_eq!(
                (finished, deliveries),
                if finished == 2 { (2, 2) } else { (1, 1) },
                "{told}"
            );
            continue;
        }
        assert_eq!(uploads, 1, "{told}");
        assert_eq!((finished, deliveries), (1, 1), "{told}");
        let listed = requests
            .iter()
            .position(|request| request.operation == "ListParts");
        let listed = listed.unwrap_or_else(|| panic!("nothing was listed, {told}"));
        resumed += 1;
        // What had arrived when the second process asked was not sent again.
        let (before, after) = requests.split_at(listed);
        for part in 1..=PARTS as u32 {
            let arrived = |requests: &[MultipartRequest]| {
                requests
                    .iter()
                    .filter(|r| r.is_part(part) && r.status == 200)
                    .count()
            };
            assert!(
                arrived(before) == 0 || arrived(after) == 0,
                "part {part}, {told}"
            );
        }
        assert!(!fs::exists(format!("{path}.checkpoint")).unwrap(), "{told}");
    }
    println!("{resumed} of {ROUNDS} went on, {lost} answers were lost");
    assert!(resumed > ROUNDS / 2, "{resumed} of {ROUNDS}");
    assert!(lost >= ROUNDS / 6, "{lost} of {ROUNDS}");
}
