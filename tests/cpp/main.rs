//! The C++ face: small programs for what `oss_callback.hpp` promises, compiled as a user would and run against real
//! servers, and the header itself, held against `oss_callback.h`.
//!
//! `VALGRIND=valgrind cargo test --test cpp` runs the programs under valgrind, `SANITIZE=address,undefined` compiles
//! them with sanitizers, `CXX=clang++` with another compiler. Without a compiler for C++ they are skipped by name.

mod example;
mod header;
mod outcomes;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::time::Duration;
use std::{env, fs, thread};

use local_oss::{Answer, ReceivedRequest, Receiver, RefusedAddress, Server};
use oss_callback::{CallbackSpec, Client, Credentials};
use support::c;
use support::proxy::StrictProxy;

const PART: usize = 102_400;

/// Whether there is a compiler for C++.
fn compiler_is_there() -> bool {
    c::is_there(&mut c::cxx_compiler("c++17"))
}

/// A variable of the environment that is set and not empty.
fn switch(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A server, and the environment of a program that uploads to it.
struct Scene {
    server: Server,
    endpoint: String,
    callback_url: String,
    secret: &'static str,
    /// Where nobody answers, unless a test names another URL.
    _refused: RefusedAddress,
}

impl Scene {
    fn new() -> Scene {
        // Long enough for an application server in this process, short for one that stays silent.
        let timeout = if switch("VALGRIND").is_some() {
            5000
        } else {
            1000
        };
        let server = Server::builder()
            .bucket("examplebucket")
            .credentials("id", "secret")
            .region("cn-hangzhou")
            .callback_timeout(Duration::from_millis(timeout))
            .start()
            .expect("a free port");
        let refused = RefusedAddress::new().expect("a free port");
        Scene {
            endpoint: server.endpoint().to_owned(),
            callback_url: refused.url("/"),
            secret: "secret",
            server,
            _refused: refused,
        }
    }

    fn calling(mut self, url: String) -> Scene {
        self.callback_url = url;
        self
    }

    /// Requests go to another server than the scene's.
    fn at(mut self, endpoint: String) -> Scene {
        self.endpoint = endpoint;
        self
    }

    /// Compiles a program of `tests/cpp`, runs it, and gives back what it said.
    fn run(&self, source: &str, arguments: &[&str]) -> Said {
        self.execute(&build(&[source], &[]), arguments)
    }

    fn execute(&self, program: &Path, arguments: &[&str]) -> Said {
        let mut command = match switch("VALGRIND") {
            Some(valgrind) => {
                let mut command = Command::new(valgrind);
                command
                    .args(["--quiet", "--error-exitcode=99", "--leak-check=full"])
                    .arg("--errors-for-leak-kinds=definite")
                    .arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .args(arguments)
            .env("OSS_ENDPOINT", &self.endpoint)
            .env("OSS_REGION", "cn-hangzhou")
            .env("OSS_BUCKET", "examplebucket")
            .env("OSS_ACCESS_KEY_ID", "id")
            .env("OSS_ACCESS_KEY_SECRET", self.secret)
            .env("OSS_CALLBACK_URL", &self.callback_url)
            .env_remove("OSS_SESSION_TOKEN")
            // Cargo's, which would hide a missing rpath.
            .env_remove("LD_LIBRARY_PATH");
        Said(c::succeed(&mut command))
    }

    /// An object as text.
    fn text(&self, key: &str) -> String {
        let object = self.server.object("examplebucket", key);
        String::from_utf8(object.unwrap_or_else(|| panic!("{key} is not stored"))).expect("text")
    }
}

/// The lines of a program's output: a name, a blank, a value.
struct Said(String);

impl Said {
    fn value(&self, name: &str) -> &str {
        let mut lines = self.0.lines().filter_map(|line| line.split_once(' '));
        let found = lines.find(|(n, _)| *n == name);
        found
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.0))
            .1
    }
}

/// Compiles a program of `tests/cpp` from these sources and links it with the library beside this test, once for all tests.
/// Flags count for the last source only.
fn build(sources: &[&str], flags: &[&str]) -> PathBuf {
    type Built = Arc<OnceLock<PathBuf>>;
    static PROGRAMS: Mutex<BTreeMap<String, Built>> = Mutex::new(BTreeMap::new());
    let name = format!("cpp_{}{}", sources[0], flags.concat());
    let mut programs = PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner);
    let built = programs.entry(name.clone()).or_default().clone();
    drop(programs);
    let program = built.get_or_init(|| compile_and_link(&name, sources, flags));
    program.clone()
}

fn compile_and_link(name: &str, sources: &[&str], flags: &[&str]) -> PathBuf {
    let compile = |index: usize, source: &str| {
        let object = c::product(&format!("{name}_{index}.o"));
        let mut compiler = c::cxx_compiler("c++17");
        compiler.args(["-g", "-pthread", "-c", "-o"]).arg(&object);
        sanitize(&mut compiler);
        if index + 1 == sources.len() {
            compiler.args(flags);
        }
        c::succeed(compiler.arg(c::source("tests/cpp").join(source)));
        object
    };
    let objects: Vec<PathBuf> = sources
        .iter()
        .enumerate()
        .map(|(index, source)| compile(index, source))
        .collect();
    let program = c::product(&format!("{name}.out"));
    let mut linker = c::cxx_compiler("c++17");
    linker.args(&objects).args(["-pthread", "-o"]).arg(&program);
    c::link(&mut linker);
    sanitize(&mut linker);
    c::succeed(&mut linker);
    if let Some(sanitizers) = switch("SANITIZE") {
        is_sanitized(&program, &sanitizers);
    }
    program
}

fn sanitize(compiler: &mut Command) {
    if let Some(sanitizers) = switch("SANITIZE") {
        compiler.args([
            &format!("-fsanitize={sanitizers}"),
            "-fno-sanitize-recover=all",
        ]);
    }
}

/// The sanitizers are really in the program.
fn is_sanitized(program: &Path, sanitizers: &str) {
    let mut readelf = Command::new("readelf");
    let inside = c::succeed(readelf.args(["-d", "-s", "-W"]).arg(program));
    for sanitizer in sanitizers.split(',') {
        let name = match sanitizer {
            "address" => "asan",
            "undefined" => "ubsan",
            other => panic!("SANITIZE has {other:?}, which is not known here"),
        };
        assert!(inside.contains(name), "no {sanitizer} in the program");
    }
}

/// An application server that agrees.
fn agreeing() -> Receiver {
    Receiver::start(|_| Answer::json(r#"{"Status":"OK"}"#)).expect("a free port")
}

/// A server that does this with each connection, one after the other; gives back its endpoint.
fn listen(mut serve: impl FnMut(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
    thread::spawn(move || listener.incoming().flatten().for_each(&mut serve));
    endpoint
}

/// Reads the head of a request, byte for byte so that nothing of the body goes with it.
fn head_lines(stream: &mut TcpStream) -> Vec<String> {
    let mut reader = BufReader::with_capacity(1, stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a head is text");
        match line.trim_end() {
            "" => return lines,
            line => lines.push(line.to_ascii_lowercase()),
        }
    }
}

/// A file of three parts.
fn file_of_parts(name: &str) -> (String, Vec<u8>) {
    let contents: Vec<u8> = (0..3 * PART)
        .map(|index| (index * index % 251) as u8)
        .collect();
    let path = c::product(name);
    fs::write(&path, &contents).expect("writable");
    (path.to_str().expect("UTF-8").to_owned(), contents)
}

#[test]
fn bodies_of_each_kind_are_stored_as_they_are() {
    if !compiler_is_there() {
        return;
    }
    let file = c::product("cpp_digits.txt");
    fs::write(&file, "0123456789").expect("writable");
    for standard in ["c++17", "c++20"] {
        let scene = Scene::new();
        let program = build(&["bodies.cpp"], &[&format!("-std={standard}")]);
        let folder = c::product("");
        let arguments = [&file, &folder].map(|path| path.to_str().expect("UTF-8"));
        scene.execute(&program, &arguments);
        for (key, contents) in [
            ("vector", "vector"),
            ("plain", "plain"),
            ("string", "a\0b"),
            ("view", "view"),
            ("empty", ""),
            ("nothing", ""),
            ("span", "vec"),
            ("span of bytes", "vector"),
            ("file", "0123456789"),
            ("range", "3456"),
            ("descriptor", "0123456789"),
            ("5 of descriptor", "01234"),
            ("uploaded", "0123456789"),
            ("stream", "0123456789"),
            ("4 of stream", "2345"),
            ("empty stream", ""),
            ("throwing stream", "0123456789"),
        ] {
            assert_eq!(scene.text(key), contents, "{key}");
        }
        let array = scene.server.object("examplebucket", "array");
        assert_eq!(array.as_deref(), Some(&[0, 255][..]));
        let stored = scene.server.stored();
        let texts = stored.iter().filter(|object| object.key == "text");
        assert_eq!(texts.count(), 2);
        assert!(stored.iter().all(|object| object.key != "wrong"));
        assert_eq!(stored.len(), 18 + 2);
    }
}

#[test]
fn exceptions_of_hooks_come_out_of_the_call() {
    if !compiler_is_there() {
        return;
    }
    let (file, _) = file_of_parts("cpp_hooks.bin");
    let closing = listen(|mut stream| {
        head_lines(&mut stream);
        stream.read_exact(&mut [0]).expect("a body of one byte");
    });
    let scene = Scene::new();
    scene.run("hooks_throw.cpp", &[&file, &closing]);
    let stored = scene.server.stored();
    // What everything of had left when its hook threw may have been stored, or not.
    let keys = stored.iter().map(|object| object.key.as_str());
    let keys: Vec<&str> = keys.filter(|key| *key != "perhaps").collect();
    assert_eq!(
        keys,
        [
            "outer",
            "downloaded",
            "small",
            "provided",
            "valid",
            "still valid"
        ]
    );
    assert!(scene.server.deliveries().is_empty());
    assert!(scene.server.open_uploads().is_empty());
}

#[test]
fn another_thread_ends_an_operation() {
    if !compiler_is_there() {
        return;
    }
    let silent = listen(|mut stream| {
        // Everything is taken, on a thread of its own since a cancelled operation may leave its connection.
        thread::spawn(move || drop(std::io::copy(&mut stream, &mut std::io::sink())));
    });
    let room = if switch("VALGRIND").is_some() {
        "10000"
    } else {
        "2000"
    };
    Scene::new().run("cancel.cpp", &[&silent, room]);
}

#[test]
fn handles_move_and_outcomes_are_shared() {
    if !compiler_is_there() {
        return;
    }
    let receiver = Receiver::start(|_| Answer::status(404)).expect("a free port");
    let scene = Scene::new().calling(receiver.url("/"));
    scene.run("handles.cpp", &[]);
    let stored = scene.server.stored();
    assert_eq!(stored.len(), 1 + 1 + 2 + 1);
    assert_eq!(stored[0].content_type, "text/x-moved");
}

#[cfg(feature = "tls")]
#[test]
fn a_client_says_who_it_is() {
    // What ring's assembly sends looks uninitialised to valgrind.
    if switch("VALGRIND").is_some() {
        return;
    }
    if !compiler_is_there() {
        return;
    }
    let server = Server::builder()
        .bucket("examplebucket")
        .credentials("id", "secret")
        .tls(true)
        .client_certificates(true)
        .start()
        .expect("a free port");
    let files = [
        ("cpp_authority.pem", server.certificate_pem()),
        ("cpp_client.pem", server.client_pem()),
    ];
    let [authority, client] = files.map(|(name, pem)| {
        let path = c::product(name);
        fs::write(&path, pem.expect("it asks for one")).expect("writable");
        path.to_str().expect("UTF-8").to_owned()
    });
    let scene = Scene::new().at(server.endpoint().to_owned());
    scene.run("client_certificate.cpp", &[&authority, &client]);
    assert_eq!(server.stored().len(), 2);
}

#[test]
fn each_option_goes_out_in_the_words_of_oss() {
    if !compiler_is_there() {
        return;
    }
    let (sender, heads) = mpsc::channel();
    let endpoint = listen(move |mut stream| {
        let head = head_lines(&mut stream);
        stream.read_exact(&mut [0]).expect("a body of one byte");
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 0\r\n\r\n")
            .expect("it is read");
        sender.send(head).expect("the test waits for it");
    });
    Scene::new().run("options.cpp", &[&endpoint]);
    let head = heads.recv().expect("one upload was sent");
    for line in [
        "content-type: text/x-test",
        "user-agent: agent/1",
        "x-oss-meta-author: ming",
        "x-oss-object-acl: public-read",
        "x-oss-storage-class: ia",
        "x-oss-tagging: a%20b=1%262&empty=",
        "x-oss-server-side-encryption: kms",
        "x-oss-server-side-encryption-key-id: key-id",
        "x-oss-server-side-data-encryption: sm4",
        "x-oss-traffic-limit: 838860800",
        "x-oss-forbid-overwrite: true",
        "cache-control: no-cache",
        "content-disposition: inline",
        "content-encoding: gzip",
        "content-language: zh-cn",
        "expires: sun, 06 nov 1994 08:49:37 gmt",
        "x-oss-request-payer: requester",
        "content-md5: xmpcokc5i4inzfcab3wemw==",
        "x-oss-other: other",
    ] {
        assert!(head.iter().any(|l| l == line), "no {line} in {head:?}");
    }
}

#[test]
fn the_environment_names_a_proxy_when_it_is_asked() {
    if !compiler_is_there() {
        return;
    }
    let scene = Scene::new();
    let proxy = StrictProxy::start(scene.server.address());
    scene.run("proxies.cpp", &["http://oss.example.test", &proxy.url()]);
    let stored = scene.server.stored();
    let keys: Vec<&str> = stored.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["by environment", "by option"]);
    assert_eq!(proxy.lines().len(), 2);
}

#[test]
fn an_object_comes_of_its_parts() {
    if !compiler_is_there() {
        return;
    }
    let (file, contents) = file_of_parts("cpp_parts.bin");
    let checkpoint = format!("{file}.checkpoint");
    let receiver = agreeing();
    let scene = Scene::new().calling(receiver.url("/"));
    scene.run("multipart.cpp", &[&file, &checkpoint]);
    let by_hand = [&[b'a'; PART], &contents[7..7 + PART], &[b's'; PART], b"321"].concat();
    assert!(scene.server.object("examplebucket", "by hand") == Some(by_hand));
    assert!(scene.server.object("examplebucket", "file") == Some(contents));
    let stored = scene.server.stored();
    assert_eq!((stored.len(), receiver.requests().len()), (2, 2));
    assert_eq!(stored[0].content_type, "text/x-parts");
    assert!(scene.server.open_uploads().is_empty());
    assert!(!Path::new(&checkpoint).exists());
}

#[test]
fn permissions_allow_what_they_say() {
    if !compiler_is_there() {
        return;
    }
    let path = c::product("cpp_permission.png");
    fs::write(&path, b"12345").expect("writable");
    let path = path.to_str().expect("UTF-8");
    for (agrees, status) in [("agrees", 200), ("fails", 500)] {
        let receiver = Receiver::start(move |_| match status {
            200 => Answer::json(r#"{"Status":"OK"}"#),
            status => Answer::status(status),
        })
        .expect("a free port");
        let scene = Scene::new().calling(receiver.url("/"));
        scene.run("permissions.cpp", &[agrees, path]);
        let stored = scene.server.stored();
        // A URL in two ways and a form; bytes and a file each.
        assert_eq!((stored.len(), receiver.requests().len()), (6, 6));
        let posted: Vec<(&str, &str)> = stored[4..]
            .iter()
            .map(|object| (object.key.as_str(), object.content_type.as_str()))
            .collect();
        assert_eq!(
            posted,
            [
                ("from-cpp/a.png", "image/png"),
                ("from-cpp/cpp_permission.png", "image/jpeg")
            ]
        );
    }
}

/// Uploads with the callback that a C++ program has sealed, and gives back what the application server received.
fn upload_sealed(
    scene: &Scene,
    sealed: &Said,
    receiver: &Receiver,
    contents: &[u8],
) -> ReceivedRequest {
    let spec =
        CallbackSpec::from_base64(sealed.value("callback"), Some(sealed.value("callback_var")));
    let client = Client::builder()
        .endpoint(scene.server.endpoint())
        .region("cn-hangzhou")
        .credentials(Credentials::new("id", "secret"))
        .build()
        .expect("it is complete");
    let put = client.put_object("examplebucket", "photos/目 1.jpg");
    put.callback(&spec.expect("Base64"))
        .send_bytes(contents)
        .expect("the callback is answered");
    receiver.requests().pop().expect("a callback came")
}

#[test]
fn a_callback_is_sealed_verified_and_confirmed() {
    if !compiler_is_there() {
        return;
    }
    let receiver = agreeing();
    let scene = Scene::new();
    let program = build(&["receiving.cpp"], &[]);
    let sealed = scene.execute(&program, &["seal", &receiver.url("/api/callback?id=1")]);
    let request = upload_sealed(&scene, &sealed, &receiver, b"hello");
    let receive = |prefix, target, body: &str, request: &ReceivedRequest| {
        let mut arguments = vec![
            "receive",
            prefix,
            scene.server.public_key_url(),
            scene.server.public_key_pem(),
            request.method.as_str(),
            target,
            body,
        ];
        for (name, value) in &request.headers {
            arguments.extend([name.as_str(), value.as_str()]);
        }
        scene.execute(&program, &arguments)
    };

    for (prefix, target) in [("", "/api/callback?id=1"), ("/api", "/callback?id=1")] {
        let said = receive(prefix, target, &request.text(), &request);
        let stored = &scene.server.stored()[0];
        assert_eq!(said.value("code"), "OK", "{}", said.0);
        assert_eq!(said.value("signed_target"), "/api/callback?id=1");
        assert_eq!(said.value("object"), "photos/目 1.jpg");
        assert_eq!(said.value("size"), "5");
        assert_eq!(said.value("crc64"), stored.crc64.to_string());
        assert_eq!(said.value("confirmed_etag"), stored.etag);
        let seen = ["first", "second", "third"].map(|time| said.value(time).to_owned());
        assert_eq!(seen, ["first", "repeated", "first"]);
        assert_eq!(said.value("status"), "200");
    }
    let forged = request.text().replace("4711", "4712");
    let said = receive("", "/api/callback?id=1", &forged, &request);
    assert_eq!(
        (said.value("code"), said.value("status")),
        ("BAD_SIGNATURE", "403")
    );
    assert!(said.value("diagnosis").contains("reverse proxy"));
    let larger = upload_sealed(&scene, &sealed, &receiver, b"hello hello");
    let said = receive("", "/api/callback?id=1", &larger.text(), &larger);
    assert_eq!(
        (said.value("code"), said.value("status")),
        ("SEAL_VIOLATED", "403")
    );
}

#[test]
fn specs_are_checked_previewed_and_explained() {
    if !compiler_is_there() {
        return;
    }
    Scene::new().run("specs.cpp", &["http://127.0.0.1:8080/callback"]);
}

#[test]
fn files_with_and_without_exceptions_meet_in_one_program() {
    if !compiler_is_there() {
        return;
    }
    let sources = [
        "two_units.cpp",
        "two_units_other.cpp",
        "two_units_without_exceptions.cpp",
    ];
    Scene::new().execute(&build(&sources, &["-fno-exceptions"]), &[]);
}
