//! The page of `examples/web_upload` in a real browser: what it uploads, and what it says of what goes wrong.
//!
//! Without chromedriver and Chromium each test is a named skip. `SCREENSHOTS=1` leaves pictures of every state in
//! `target/tmp`, and that of the README in `docs`.

mod webdriver;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::time::Duration;

use local_oss::{Answer, Builder, Receiver, RefusedAddress, Server};
use serde_json::Value;
use support::c;
use support::{BUCKET, KEY_ID, KEY_SECRET, TemporaryFile, server};
use webdriver::{Browser, ENTER, RIGHT, SPACE, TAB};

/// Both ways to upload, and what OSS calls them.
const WAYS: [(&str, &str); 2] = [("form", "PostObject"), ("url", "PutObject")];

/// The example; killed when dropped.
struct Example {
    child: Child,
    url: String,
}

impl Example {
    fn start(server: Option<&Server>, callback_url: Option<&str>) -> Example {
        let mut command = Command::new(env!("CARGO_BIN_EXE_web_upload"));
        command.args(["--listen", "127.0.0.1:0"]);
        for name in [
            "OSS_ENDPOINT",
            "OSS_CALLBACK_URL",
            "OSS_SESSION_TOKEN",
            "SEAL_SECRET",
        ] {
            command.env_remove(name);
        }
        if let Some(server) = server {
            command
                .env("OSS_ENDPOINT", server.endpoint())
                .env("OSS_REGION", "cn-hangzhou")
                .env("OSS_BUCKET", BUCKET)
                .env("OSS_ACCESS_KEY_ID", KEY_ID)
                .env("OSS_ACCESS_KEY_SECRET", KEY_SECRET)
                .env("TEST_KEY_URL", server.public_key_url())
                .env("TEST_KEY", server.public_key_pem());
        }
        if let Some(url) = callback_url {
            command.env("OSS_CALLBACK_URL", url);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let url = stdout
            .lines()
            .map(Result::unwrap)
            .find_map(|line| Some(line.strip_prefix("listening ")?.to_owned()))
            .expect("it says where it listens");
        Example { child, url }
    }
}

impl Example {
    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        self.end();
    }
}

/// The page in a browser. One at a time: a browser alone keeps a small machine busy.
struct Page {
    browser: Browser,
    example: Example,
    _turn: MutexGuard<'static, ()>,
}

impl Page {
    /// With its own local-oss if there is no other; `None` without a browser.
    fn open(server: Option<&Server>) -> Option<Page> {
        Page::called_at(server, None)
    }

    /// With another URL for OSS to call.
    fn called_at(server: Option<&Server>, callback_url: Option<&str>) -> Option<Page> {
        static TURN: Mutex<()> = Mutex::new(());
        let there = ["chromium", "chromedriver"].map(|tool| c::is_there(&mut Command::new(tool)));
        if there.contains(&false) {
            return None;
        }
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let example = Example::start(server, callback_url);
        let browser = Browser::start();
        browser.open(&example.url);
        Some(Page {
            browser,
            example,
            _turn: turn,
        })
    }

    fn choose_way(&self, by: &str) {
        self.browser
            .click(&format!("input[name=by][value={by}] + span"));
    }

    fn choose_trouble(&self, trouble: &str) {
        self.browser
            .run("document.querySelector('#troubles').open = true");
        self.browser
            .click(&format!("input[name=trouble][value='{trouble}']"));
    }

    /// Presses the button, and gives what the page says in the end: its title, and all of it.
    fn upload(&self) -> (String, String) {
        self.browser.click("#upload");
        self.outcome()
    }

    fn outcome(&self) -> (String, String) {
        self.browser
            .wait_until("document.querySelector('#outcome h3')");
        (
            self.browser.text("#outcome h3"),
            self.browser.text("#outcome"),
        )
    }

    fn events(&self) -> String {
        self.browser.text("#events")
    }

    /// Keeps what the page looks like, whole, if that is wanted.
    fn picture(&self, width: u32, file: &Path) {
        if std::env::var_os("SCREENSHOTS").is_some() {
            let height = "return document.documentElement.getBoundingClientRect().height";
            self.browser.resize(width, 1);
            let height = self.browser.run(height).as_f64().unwrap().ceil();
            self.browser.resize(width, height as u32);
            std::fs::write(file, self.browser.picture()).unwrap();
        }
    }

    fn picture_of(&self, state: &str) {
        let file = c::product(&format!("web_upload_{state}.png"));
        self.picture(900, &file);
    }
}

/// A local-oss that lets the page in, whatever its port.
fn open_server() -> Builder {
    server().allow_origin("http://127.0.0.1:*")
}

#[test]
fn a_chosen_file_is_uploaded_either_way_and_its_callback_shown() {
    let server = open_server().start().unwrap();
    let Some(page) = Page::open(Some(&server)) else {
        return;
    };
    let contents: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
    let large = TemporaryFile::new("Straße 目 & \"a\".png", &contents);
    let empty = TemporaryFile::new("empty", b"");
    let files = [
        (&large, &contents[..], "image/png"),
        (&empty, b"", "application/octet-stream"),
    ];
    for (file, contents, content_type) in files {
        page.browser.choose("#file", file.path());
        for (by, operation) in WAYS {
            page.choose_way(by);
            let (title, text) = page.upload();
            assert_eq!(
                title, "Stored, and the application server knows",
                "{by}: {text}"
            );
            let stored = server.stored();
            let stored = stored.last().unwrap();
            assert_eq!(stored.operation, operation);
            assert_eq!(stored.content_type, content_type);
            let name = file.path().file_name().unwrap().to_str().unwrap();
            assert!(stored.key.starts_with("uploads/") && stored.key.ends_with(name));
            assert!(server.object(BUCKET, &stored.key).unwrap() == contents);

            // The answer, handed on by OSS, and headers that only CORS lets a page see.
            let delivery = server.deliveries().pop().unwrap();
            let answer = delivery.answer.unwrap();
            let json: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(json["object"], stored.key.as_str());
            for part in [
                std::str::from_utf8(&answer.body).unwrap(),
                &format!("\"{}\"", stored.etag),
                &stored.request_id,
            ] {
                assert!(text.contains(part), "{part} is missing: {text}");
            }
            // What the application server was told by OSS.
            let events = page.events();
            for part in [
                "has permitted one upload until ",
                "was called back and agreed",
                "OSS has sent it\nwe have permitted the upload\nit comes for the first time",
                &stored.key,
            ] {
                assert!(events.contains(part), "{part} is missing: {events}");
            }
            let sent = page
                .browser
                .run("return document.querySelector('#progress').value");
            assert_eq!(sent.as_f64(), Some(1.0));
            page.picture_of(&format!("{by}_{}", contents.len()));
        }
    }
    assert_eq!((server.stored().len(), server.deliveries().len()), (4, 4));
    assert!(server.deliveries().iter().all(|delivery| delivery.accepted));
}

#[test]
fn what_goes_wrong_is_said_in_plain_words() {
    let server = open_server().start().unwrap();
    let Some(page) = Page::open(Some(&server)) else {
        return;
    };
    let file = TemporaryFile::new("cat.jpg", &[7; 100_000]);
    page.browser.choose("#file", file.path());
    let mut stored = 0;
    for (trouble, title, words, is_stored) in [
        (
            "tampered",
            "This was not permitted",
            "somebody or something has changed it. Nothing was stored.",
            false,
        ),
        (
            "expired",
            "The permission has expired",
            "Nothing was stored. Upload again to get a new permission.",
            false,
        ),
        (
            "refused",
            "Stored, but the application server did not agree",
            "The file is in OSS; do not upload it again.",
            true,
        ),
        (
            "",
            "Stored, and the application server knows",
            "This is its answer",
            true,
        ),
    ] {
        page.choose_trouble(trouble);
        for (by, _) in WAYS {
            page.choose_way(by);
            let (said, text) = page.upload();
            assert_eq!(said, title, "{by} {trouble}: {text}");
            assert!(text.contains(words), "{by} {trouble}: {text}");
            stored += usize::from(is_stored);
            let told = (server.stored().len(), server.deliveries().len());
            assert_eq!(told, (stored, stored), "{by} {trouble}");
            let events = page.events();
            let expected = match trouble {
                "refused" => "was called back and refused",
                "" => "was called back and agreed",
                _ => "was not called back",
            };
            assert!(events.contains(expected), "{by} {trouble}: {events}");
            if !trouble.is_empty() {
                assert!(text.contains("OSS said\n"), "{text}");
                page.picture_of(&format!("{by}_{trouble}"));
            }
        }
    }
    assert_eq!(stored, 4);
}

#[test]
fn a_file_can_be_dropped() {
    let server = open_server().start().unwrap();
    let Some(page) = Page::open(Some(&server)) else {
        return;
    };
    let file = TemporaryFile::new("dropped.txt", b"hello");
    page.browser.drop("#drop", file.path());
    let name = file.path().file_name().unwrap().to_str().unwrap();
    page.browser
        .wait_until("document.querySelector('#limit').textContent === '5 bytes'");
    assert_eq!(page.browser.text("#name"), name);
    let (title, text) = page.upload();
    assert_eq!(title, "Stored, and the application server knows", "{text}");
    assert_eq!(
        server.object(BUCKET, &server.stored()[0].key).unwrap(),
        b"hello"
    );
    // Beside the field it does nothing, least of all replace the page.
    page.browser.drop("h1", file.path());
    assert_eq!(page.browser.text("h1"), "Upload to OSS");
}

#[test]
fn the_keyboard_reaches_everything_and_everything_has_a_name() {
    let server = open_server().start().unwrap();
    let Some(page) = Page::open(Some(&server)) else {
        return;
    };
    let browser = &page.browser;
    browser.run("document.querySelector('#troubles').open = true");
    let labels = browser.labels("input, button:not([hidden]), summary, section, form, [role=log]");
    assert_eq!(labels.len(), 12, "{labels:?}");
    assert!(labels.iter().all(|label| !label.is_empty()), "{labels:?}");
    browser.run("document.querySelector('#troubles').open = false");

    let focused = || {
        let outline = "const e = document.activeElement;
            const seen = e.id === 'file' ? document.querySelector('#drop')
                : e.name === 'by' ? e.nextElementSibling : e;
            return [e.id || e.name || e.localName, getComputedStyle(seen).outlineStyle];";
        let value = browser.run(outline);
        (
            value[0].as_str().unwrap().to_owned(),
            value[1].as_str().unwrap().to_owned(),
        )
    };
    let tab_to = |expected: &str| {
        browser.press(TAB);
        let (name, outline) = focused();
        assert_eq!(name, expected);
        assert_ne!(outline, "none", "nobody sees that {name} has the keyboard");
    };
    tab_to("file");
    tab_to("by");
    browser.press(RIGHT);
    tab_to("upload");
    tab_to("summary");
    browser.press(ENTER);
    tab_to("trouble");
    browser.run("document.querySelector('#upload').focus()");

    // Without a file it says so, and leads there.
    browser.press(ENTER);
    assert_eq!(page.outcome().0, "No file is chosen");
    assert_eq!(focused().0, "file");
    let file = TemporaryFile::new("a.txt", b"hello");
    browser.choose("#file", file.path());
    tab_to("by");
    tab_to("upload");
    browser.press(SPACE);
    browser.wait_until("document.querySelector('#outcome.good h3')");
    assert_eq!(server.stored()[0].operation, "PutObject");
    // The keyboard is still there.
    assert_eq!(focused().0, "upload");
    assert_eq!(browser.text("#upload"), "Upload again");
}

#[test]
fn a_page_that_the_bucket_does_not_allow_does_not_claim_to_know() {
    let server = server().start().unwrap();
    let Some(page) = Page::open(Some(&server)) else {
        return;
    };
    let file = TemporaryFile::new("a.txt", b"hello");
    page.browser.choose("#file", file.path());
    for (by, _) in WAYS {
        page.choose_way(by);
        let (title, text) = page.upload();
        assert_eq!(title, "There was no answer");
        assert!(text.contains("does not allow this page (CORS)"), "{text}");
        assert!(
            text.contains("Whether the file is stored is not known."),
            "{text}"
        );
    }
    assert_eq!(server.stored(), []);
}

#[test]
fn why_there_is_no_permission_is_said() {
    let server = open_server().start().unwrap();
    let Some(mut page) = Page::open(Some(&server)) else {
        return;
    };
    let file = TemporaryFile::sparse("large.bin", 20 * 1024 * 1024 + 1);
    page.browser.choose("#file", file.path());
    let (title, text) = page.upload();
    assert_eq!(title, "There is no permission");
    assert!(text.contains("at most 20 MiB are permitted"), "{text}");
    assert!(page.events().contains("has permitted nothing"));
    let file = TemporaryFile::sparse("largest.bin", 20 * 1024 * 1024);
    page.browser.choose("#file", file.path());
    let (title, text) = page.upload();
    assert_eq!(title, "Stored, and the application server knows", "{text}");
    page.example.end();
    let (title, text) = page.upload();
    assert_eq!(title, "There is no permission");
    assert!(
        text.contains("The application server cannot be reached."),
        "{text}"
    );
    assert_eq!(server.stored().len(), 1);
}

#[test]
fn the_example_needs_no_environment() {
    let Some(page) = Page::open(None) else {
        return;
    };
    let folder = c::product("web_upload");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("cat.jpg");
    std::fs::write(&file, vec![7; 1_234_567]).unwrap();
    page.browser.choose("#file", &file);
    for (by, _) in WAYS {
        page.choose_way(by);
        let (title, text) = page.upload();
        assert_eq!(title, "Stored, and the application server knows", "{text}");
    }
    page.picture(900, &c::source("docs/web_upload.png"));
    page.browser.dark(true);
    page.picture_of("dark");
    page.picture(390, &c::product("web_upload_narrow.png"));
}

#[test]
fn a_callback_that_never_arrives_is_not_waited_for() {
    let server = open_server().start().unwrap();
    let nobody = RefusedAddress::new().unwrap();
    let Some(page) = Page::called_at(Some(&server), Some(&nobody.url("/callback"))) else {
        return;
    };
    let file = TemporaryFile::new("a.txt", b"hello");
    page.browser.choose("#file", file.path());
    let (title, text) = page.upload();
    assert_eq!(title, "Stored, but the application server did not agree");
    assert!(text.contains("Error status : 502."), "{text}");
    assert!(page.events().contains("was not called back"));
    assert_eq!(server.stored().len(), 1);
}

#[test]
fn a_lost_answer_is_no_lost_upload() {
    // What stands between OSS and the application server keeps the answer back.
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let application = Arc::new(OnceLock::<String>::new());
    let behind = Arc::clone(&application);
    let proxy = Receiver::start(move |request| {
        let url = format!("{}{}", behind.wait(), request.target);
        let mut forward = ureq::post(&url);
        for (name, value) in &request.headers {
            if !["host", "content-length"].contains(&name.to_ascii_lowercase().as_str()) {
                forward = forward.header(name, value);
            }
        }
        let answer = forward.send(&request.body[..]).unwrap();
        let body = answer.into_body().read_to_vec().unwrap();
        let _ = held.lock().unwrap().recv();
        Answer::new(200, "application/json", body)
    });
    let proxy = proxy.unwrap();
    // Dropped before the proxy, which waits for it.
    let release = release;
    let server = open_server().callback_timeout(Duration::from_secs(600));
    let server = server.start().unwrap();
    let Some(page) = Page::called_at(Some(&server), Some(&proxy.url("/callback"))) else {
        return;
    };
    application.set(page.example.url.clone()).unwrap();
    let file = TemporaryFile::new("a.txt", b"hello");
    page.browser.choose("#file", file.path());
    page.browser.click("#upload");
    page.browser
        .wait_until("document.querySelector('#events .good')");
    assert_eq!(page.browser.text("#outcome"), "");
    page.browser.click("#cancel");
    let (title, text) = page.outcome();
    assert_eq!(title, "There was no answer");
    assert!(text.contains("The file is stored all the same"), "{text}");
    drop(release);
    assert_eq!(server.stored().len(), 1);
}
