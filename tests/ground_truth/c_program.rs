//! Cases in C: a program that is told them on its standard input.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use oss_callback::{Answered, Stored};

use super::case::{Case, Limits, Operation, Retry, Way};
use super::checker::{LONG, ReceiptFacts, Verdict};
use super::scene::{Looked, Place, Uploader};
use support::{BUCKET, KEY_ID, KEY_SECRET, TemporaryFile};

/// What `tests/c/random_faults.c` does.
pub const OPERATIONS: [Operation; 6] = [
    Operation::PutBytes,
    Operation::PutFile,
    Operation::PutReader,
    Operation::PutChunked,
    Operation::UploadFile,
    Operation::Multipart,
];

/// Uploads by the C ABI.
pub struct InC {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// Kept as long as the program may read it.
    certificate: Option<TemporaryFile>,
}

impl InC {
    /// Starts the program, with these words before it.
    pub fn start(before: &[String], program: &Path) -> InC {
        let mut words = before
            .iter()
            .map(AsRef::as_ref)
            .chain([program.as_os_str()]);
        let mut command = Command::new(words.next().expect("the program"));
        let mut child = command
            .args(words)
            .env("OSS_REGION", "cn-hangzhou")
            .env("OSS_BUCKET", BUCKET)
            .env("OSS_ENDPOINT", "http://127.0.0.1")
            .env("OSS_ACCESS_KEY_ID", KEY_ID)
            .env("OSS_ACCESS_KEY_SECRET", KEY_SECRET)
            .env_remove("OSS_SESSION_TOKEN")
            // Cargo's, which would hide a missing rpath.
            .env_remove("LD_LIBRARY_PATH")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{command:?}: {e}"));
        InC {
            commands: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().expect("a pipe")),
            child,
            certificate: None,
        }
    }

    fn say(&mut self, line: &str) {
        let commands = self.commands.as_mut().expect("it is open");
        // A program that has ended is noticed when it is listened to.
        let _ = commands.write_all(format!("{line}\n").as_bytes());
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        let count = self.answers.read_line(&mut line).expect("a line");
        assert!(count > 0, "the program has ended: {:?}", self.child.wait());
        line.truncate(line.trim_end().len());
        line
    }

    fn certificate(&mut self, place: &Place<'_>) -> String {
        self.certificate = place
            .certificate
            .as_ref()
            .map(|pem| TemporaryFile::new("certificate.pem", pem.as_bytes()));
        let path = self.certificate.as_ref().map(|file| file.path().display());
        path.map_or("-".to_owned(), |path| path.to_string())
    }
}

impl Uploader for InC {
    fn prepare(&mut self, case: &Case, place: &Place<'_>) {
        let (each, total) = match case.limits {
            Limits::Long => (0, LONG.as_millis() as u64),
            Limits::Short(limit) => (limit, 2 * limit),
            Limits::Each(limit) => (limit, 0),
        };
        let (network, refused) = (place.network.to_string(), place.refused.to_string());
        let addresses = match case.way {
            Way::Name => network,
            Way::SecondAddress => format!("{refused} {network}"),
            Way::Refused => format!("{refused} {refused}"),
            _ => String::new(),
        };
        let line = format!(
            "prepare {} {} {} {} {} {each} {total} {} {addresses} -",
            place.endpoint,
            self.certificate(place),
            if case.wrong_key { "wrong" } else { "-" },
            if case.version_1 { 1 } else { 4 },
            if case.retry == Retry::None { 1 } else { 3 },
            u8::from(case.warm),
        );
        self.say(&line);
        assert_eq!(self.hear(), "ready");
    }

    fn upload(&mut self, case: &Case, place: &Place<'_>) -> Verdict {
        let file = TemporaryFile::new("case", &case.contents());
        let url = |index| place.callback_urls.get(index).map_or("-", String::as_str);
        let line = format!(
            "upload {:?} {} {} {} {} {} {} {} {} {}",
            case.operation,
            case.key(),
            file.path().display(),
            case.part_len,
            case.parallel,
            u8::from(case.retry == Retry::Idempotent),
            u8::from(case.idempotency_id),
            u8::from(case.late),
            url(0),
            url(1),
        );
        self.say(&line);
        let mut verdict = Verdict {
            code: String::new(),
            stored: Stored::Unknown,
            answered: Answered::Unknown,
            attempts: 0,
            history: Vec::new(),
            receipt: None,
            upload_id: None,
            notes: Vec::new(),
            begun: None,
            message: String::new(),
        };
        loop {
            let line = self.hear();
            let (name, value) = line.split_once(' ').unwrap_or((&line, ""));
            let text = (value != "-").then(|| value.to_owned());
            let receipt = || ReceiptFacts {
                etag: None,
                crc64: None,
                request_id: None,
                answer: Vec::new(),
            };
            match name {
                "parts" => {
                    (place.begin_faults)();
                    self.say("go");
                }
                "code" => verdict.code = value.to_owned(),
                "stored" => verdict.stored = stored(value),
                "answered" => verdict.answered = answered(value),
                "attempts" => verdict.attempts = value.parse().expect("a number"),
                "failed" => verdict.history.push(value.to_owned()),
                "upload_id" => verdict.upload_id = text,
                "begun" => verdict.begun = text,
                "note" => verdict.notes.push(value.to_owned()),
                "message" => verdict.message = value.to_owned(),
                "etag" => verdict.receipt.get_or_insert_with(receipt).etag = text,
                "crc64" => {
                    verdict.receipt.get_or_insert_with(receipt).crc64 = value.parse().ok();
                }
                "request_id" => verdict.receipt.get_or_insert_with(receipt).request_id = text,
                "answer" => verdict.receipt.get_or_insert_with(receipt).answer = bytes(value),
                "end" => return verdict,
                _ => panic!("the program says {line:?}"),
            }
        }
    }

    fn reconcile(&mut self, _: &Case, place: &Place<'_>) -> Looked {
        let scheme = if place.certificate.is_some() {
            "https"
        } else {
            "http"
        };
        let line = format!(
            "reconcile {scheme}://{} {}",
            place.network,
            self.certificate(place)
        );
        self.say(&line);
        let line = self.hear();
        let (outcome, value) = line.split_once(' ').expect("two words");
        let text = (value != "-").then(|| value.to_owned());
        match outcome {
            "Stored" => Looked::Stored(text),
            "ContentPresent" => Looked::ContentPresent(text),
            "NotThere" => Looked::NotThere,
            "StillUnknown" => Looked::StillUnknown,
            _ => Looked::Failed(value.to_owned()),
        }
    }
}

impl Drop for InC {
    /// The program has left nothing behind, or it fails.
    fn drop(&mut self) {
        drop(self.commands.take());
        let status = self.child.wait().expect("it was started");
        if !std::thread::panicking() {
            assert!(status.success(), "{status}");
        }
    }
}

fn stored(value: &str) -> Stored {
    match value {
        "0" => Stored::Unknown,
        "1" => Stored::No,
        "2" => Stored::Yes,
        _ => panic!("{value:?} is no oss_callback_stored"),
    }
}

fn answered(value: &str) -> Answered {
    match value {
        "0" => Answered::Unknown,
        "1" => Answered::No,
        "2" => Answered::Yes,
        "3" => Answered::NotRequested,
        _ => panic!("{value:?} is no oss_callback_answered"),
    }
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    hexadecimal.as_bytes().chunks(2).map(digits).collect()
}
