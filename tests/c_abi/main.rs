//! One small C program for each promise of the header, compiled as a user would and run against real servers.
//!
//! `VALGRIND=valgrind cargo test --test c_abi` runs them under valgrind, `SANITIZE=address,undefined` compiles
//! them with sanitizers. What a program says is compared with what the server has recorded.

mod credentials;
mod hosts;
mod multipart;
mod network_faults;
mod permissions;
mod receiving;
mod reconcile;
mod scene;
#[cfg(unix)]
mod signals;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;
use std::{env, fs, thread};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use local_oss::{Answer, ReceivedRequest, Receiver, RefusedAddress, Server};
use scene::{Library, Said, Scene, agreeing, build, keys_of, switch, valgrind};
use support::c;
use support::proxy::StrictProxy;
use support::slow_line::{IN_BUFFERS, SlowLine};

/// The programs that try each function with NULL.
const NULL_ARGUMENTS: [&str; 4] = [
    "null_arguments.c",
    "null_arguments_multipart.c",
    "null_arguments_permissions.c",
    "receiving_null_arguments.c",
];
/// The one in which NULL has a meaning.
const NULL_IS_NEVER_SET: &str = "null_is_never_set.c";

#[test]
fn macros_and_functions_tell_the_same_version() {
    let said = Scene::new().run("version.c", &[]);
    assert_eq!(said.value("version"), env!("CARGO_PKG_VERSION"));
}

/// The program in the comment at the top of the header.
#[test]
fn the_program_at_the_top_of_the_header_uploads() {
    let header = c::header();
    let (_, rest) = header.split_once("@code{.c}\n").expect("a program");
    let (program, _) = rest.split_once(" * @endcode").expect("it ends");
    let lines = program.lines().map(|line| line.trim_start_matches(" *"));
    let program: Vec<&str> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let file = c::product("c_abi_top_of_the_header.c");
    fs::write(&file, program.join("\n") + "\n").expect("writable");
    c::succeed(
        c::c_compiler("c99")
            .args(["-Wconversion", "-fsyntax-only"])
            .arg(&file),
    );
    let file = file.to_str().expect("UTF-8");
    let program = build(file, "top_of_the_header", Library::Shared);

    let receiver = agreeing();
    let scene = Scene::new().calling(receiver.url("/"));
    let said = scene.execute(&program, &[]);
    let stored = scene.server.stored();
    assert_eq!(said.value("stored,"), format!("ETag {}", stored[0].etag));
    assert_eq!(keys_of(&stored), ["hello.txt"]);
    assert_eq!(receiver.requests()[0].text(), "object=hello.txt&size=5");
}

#[test]
fn each_code_has_its_name() {
    Scene::new().run("code_names.c", &[]);
}

#[test]
fn freeing_null_does_nothing() {
    Scene::new().run("free_null.c", &[]);
}

#[test]
fn null_arguments_are_refused_by_name() {
    let scene = Scene::new();
    for program in NULL_ARGUMENTS {
        scene.run(program, &[]);
    }
    assert_eq!(keys_of(&scene.server.stored()), ["stored"]);
}

#[test]
fn null_to_a_setter_means_never_set_and_a_null_spec_is_refused() {
    let receiver = agreeing();
    let closing = listen(|mut stream| {
        let mut body = vec![0; read_head(&mut stream)];
        stream.read_exact(&mut body).expect("the whole body");
    });
    let scene = Scene::new().calling(receiver.url("/"));
    scene.run(NULL_IS_NEVER_SET, &[&closing]);
    let stored = scene.server.stored();
    let expected = [
        "one",
        "never set",
        "tagged",
        "posted",
        "by no proxy",
        "called",
        "unlimited",
    ];
    assert_eq!(keys_of(&stored), expected);
    assert_eq!(stored[0].headers, stored[1].headers);
    assert_eq!(stored[0].content_type, stored[1].content_type);
    assert_eq!(stored[2].header("x-oss-request-payer"), None);
    let called = receiver.requests();
    assert_eq!(called.len(), 1);
    // OSS names no port.
    assert_eq!(called[0].header("host"), Some("127.0.0.1"));
}

/// Each upload that takes a spec is in the program above.
#[test]
fn every_upload_refuses_a_null_spec() {
    let program =
        fs::read_to_string(c::source("tests/c").join(NULL_IS_NEVER_SET)).expect("it is there");
    let program = program.split_whitespace().collect::<String>();
    let mut count = 0;
    for prototype in c::prototypes() {
        let name = c::name_of(&prototype);
        let uploads = name.starts_with("oss_callback_client_")
            || !name.starts_with("oss_callback_")
            || name.contains("_presign_");
        if uploads && prototype.contains("const oss_callback_spec *spec") {
            assert!(program.contains(&format!("REFUSES_SPEC({name}(")), "{name}");
            count += 1;
        }
    }
    assert_eq!(count, 9);
}

#[test]
fn every_function_with_a_pointer_is_tried_with_null() {
    let program = NULL_ARGUMENTS.map(|program| {
        fs::read_to_string(c::source("tests/c").join(program)).expect("it is there")
    });
    let program = program.concat();
    let prototypes = c::prototypes();
    let with_pointers = prototypes
        .iter()
        .filter(|p| p[p.find('(').unwrap_or(0)..].contains('*'));
    let mut count = 0;
    for name in with_pointers.map(|prototype| c::name_of(prototype)) {
        let call = format!("{name}(");
        let calls = program.split(&call).skip(1);
        let mut arguments = calls.map(|call| call.split(");").next().unwrap_or_default());
        assert!(
            arguments.any(|arguments| arguments.contains("NULL")),
            "no program for NULL arguments has {name}(NULL)"
        );
        count += 1;
    }
    assert!(
        count > 150,
        "only {count} functions were found in the header"
    );
}

#[test]
fn bad_text_and_unknown_numbers_are_refused_by_name() {
    let scene = Scene::new();
    scene.run("bad_text.c", &[]);
    assert!(scene.server.stored().is_empty());
}

#[test]
fn an_upload_hands_the_answer_back() {
    let receiver =
        Receiver::start(|_| Answer::json(r#"{"Status":"OK","n":1}"#)).expect("a free port");
    let scene = Scene::new().calling(receiver.url("/callback"));
    let said = scene.run("put_object.c", &[]);

    let stored = scene.server.stored();
    assert_eq!(keys_of(&stored), ["folder/a file.txt"]);
    assert_eq!(
        (stored[0].size, stored[0].content_type.as_str()),
        (5, "text/plain")
    );
    said.agrees_with(&stored[0]);
    let deliveries = scene.server.deliveries();
    assert_eq!(deliveries.len(), 1);
    assert!(deliveries[0].accepted);
    assert_eq!(deliveries[0].request_id, said.value("request_id"));
    let requests = receiver.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        requests[0].text(),
        "filename=folder%2Fa%20file.txt&size=5&mimeType=text%2Fplain"
    );
}

#[test]
fn a_file_is_stored_as_it_is() {
    let contents: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    let large = c::product("c_abi_large.bin");
    let empty = c::product("c_abi_empty.bin");
    fs::write(&large, &contents).expect("writable");
    fs::write(&empty, "").expect("writable");
    let missing = c::product("c_abi_missing.bin");
    let folder = c::product("");
    let receiver = agreeing();
    let scene = Scene::new().calling(receiver.url("/"));
    let arguments = [&large, &empty, &missing, &folder].map(|path| path.to_str().expect("UTF-8"));
    scene.run("put_object_from_file.c", &arguments);

    assert_eq!(keys_of(&scene.server.stored()), ["large", "empty"]);
    assert_eq!(
        scene.server.object("examplebucket", "large"),
        Some(contents)
    );
    assert_eq!(
        scene.server.object("examplebucket", "empty"),
        Some(Vec::new())
    );
    assert_eq!(receiver.requests().len(), 2);
}

/// The rows of the outcome table in which OSS answers 203, as the program sees them and as the server does.
#[test]
fn a_failed_callback_is_an_error_of_a_stored_object() {
    let not_found = Receiver::start(|_| Answer::status(404)).expect("a free port");
    let silent = Receiver::start(|_| Answer::silence()).expect("a free port");
    let refused = RefusedAddress::new().expect("a free port");
    for (name, url, advice) in [
        ("404", not_found.url("/callback"), "does not know the path"),
        ("refused", refused.url("/callback"), "was not reached"),
        ("silence", silent.url("/callback"), "within 5 seconds"),
    ] {
        let builder = match name {
            "silence" => Server::builder().callback_timeout(Duration::from_millis(500)),
            _ => Server::builder(),
        };
        let scene = Scene::with(builder).calling(url);
        let said = scene.run("callback_failed_203.c", &[name]);

        let stored = scene.server.stored();
        assert_eq!(keys_of(&stored), [name]);
        said.agrees_with(&stored[0]);
        assert_eq!(
            scene.server.object("examplebucket", name),
            Some(b"hello".into())
        );
        let deliveries = scene.server.deliveries();
        assert_eq!(deliveries.len(), 1, "{name}");
        assert!(!deliveries[0].accepted, "{name}");
        assert_eq!(
            Some(said.value("message")),
            deliveries[0].message.as_deref()
        );
        assert_eq!(Some(said.value("ec")), deliveries[0].ec.as_deref());
        assert!(
            said.value("diagnosis").contains(advice),
            "{name}: {}",
            said.0
        );
    }
    assert_eq!(
        (not_found.requests().len(), silent.requests().len()),
        (1, 1)
    );
}

#[test]
fn a_plain_upload_needs_no_spec() {
    let scene = Scene::new();
    let said = scene.run("plain_upload.c", &[]);
    let stored = scene.server.stored();
    assert_eq!(keys_of(&stored), ["nothing wanted", "empty"]);
    said.agrees_with(&stored[1]);
    assert!(scene.server.deliveries().is_empty());
}

#[test]
fn a_raw_spec_goes_out_byte_for_byte() {
    let receiver = agreeing();
    let callback = format!(
        "{{ \"callbackBody\" : \"u=${{x:u}}\",\n \"callbackUrl\":\"{}\" }}",
        receiver.url("/raw")
    );
    let callback_var = "{\"x:u\" :  \"1\"}";
    let encoded = [&callback, callback_var].map(|json| STANDARD.encode(json));
    let scene = Scene::new();
    scene.run(
        "raw_spec.c",
        &[&callback, &encoded[0], callback_var, &encoded[1]],
    );
    assert_eq!(
        keys_of(&scene.server.stored()),
        ["json", "base64", "without variables"]
    );
    let bodies: Vec<String> = receiver
        .requests()
        .iter()
        .map(ReceivedRequest::text)
        .collect();
    assert_eq!(bodies, ["u=1", "u=1", "u="]);
}

#[test]
fn a_spec_that_breaks_a_rule_of_oss_is_not_made() {
    Scene::new().run("spec_rules.c", &[]);
}

#[test]
fn head_object_tells_what_is_stored() {
    Scene::new().run("head_object.c", &[]);
}

#[test]
fn options_go_out_with_the_object() {
    let scene = Scene::new();
    scene.run("options.c", &[]);
    let stored = scene.server.stored();
    assert_eq!(keys_of(&stored), ["guessed.png", "first.png", "second.png"]);
    assert_eq!(stored[0].content_type, "image/png");
    for object in &stored[1..] {
        assert_eq!(object.content_type, "text/x-test; charset=utf-8");
        assert_eq!(object.header("x-oss-meta-author"), Some("Ming"));
        assert_eq!(object.header("x-oss-meta-year"), Some("2024"));
        assert_eq!(object.header("cache-control"), Some("no-store"));
    }
}

#[test]
fn the_limits_of_a_client_hold() {
    let receiver = agreeing();
    let silent = listen(drain);
    let scene = Scene::new().calling(receiver.url("/"));
    scene.run("limits.c", &[&silent]);
    assert_eq!(scene.server.deliveries().len(), 3);
}

#[test]
fn what_is_refused_is_not_stored() {
    let receiver = agreeing();
    let refused = RefusedAddress::new().expect("a free port");
    let scene = Scene::new().calling(receiver.url("/"));
    scene.run("refused.c", &[&refused.url("")]);
    assert!(scene.server.stored().is_empty());
    assert!(receiver.requests().is_empty());
}

#[test]
fn a_peer_that_closes_midway_does_not_kill_the_program() {
    // An end of the connection makes the next write of the program a broken pipe, a reset does not.
    let closes = listen(|mut stream| {
        read_head(&mut stream);
        let _ = stream.shutdown(Shutdown::Write);
    });
    let resets = listen(|mut stream| {
        read_head(&mut stream);
    });
    for endpoint in [closes, resets] {
        Scene::new()
            .at(&endpoint)
            .run("peer_closes_midway.c", &["midway"]);
    }
}

#[test]
fn a_peer_that_closes_without_an_answer_leaves_the_outcome_unknown() {
    let endpoint = listen(|mut stream| {
        let length = read_head(&mut stream);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).expect("the whole body");
    });
    Scene::new()
        .at(&endpoint)
        .run("peer_closes_midway.c", &["after"]);
}

#[test]
fn a_cancelled_upload_is_back_soon() {
    let scene = Scene::new();
    let times = if valgrind().is_some() { "1" } else { "10" };
    scene.run("cancel.c", &[times]);
    assert_eq!(keys_of(&scene.server.stored()), ["not cancelled"]);
}

#[test]
fn a_slow_line_is_not_a_dead_one_and_its_progress_is_told() {
    let scene = Scene::new();
    let line = SlowLine::start(scene.server.address(), 50_000);
    let told = (IN_BUFFERS + 50_000).to_string();
    let scene = scene.at(&format!("http://{}", line.address()));
    scene.run("slow_line.c", &["50000", &told]);
    assert_eq!(keys_of(&scene.server.stored()), ["slow"]);
}

#[test]
fn a_progress_hook_watches_and_ends_its_upload() {
    let receiver = agreeing();
    let scene = Scene::new().calling(receiver.url("/"));
    scene.run("progress.c", &[]);
    let stored = scene.server.stored();
    let mut keys = keys_of(&stored);
    // It may have been, or not.
    keys.retain(|key| *key != "ended too late");
    assert_eq!(keys, ["watched", "of unknown length", "unwatched"]);
    assert!((3..=4).contains(&receiver.requests().len()));
}

#[test]
fn a_read_hook_gives_the_body() {
    let receiver = agreeing();
    let scene = Scene::new().calling(receiver.url("/"));
    scene.run("read_hook.c", &[]);
    let stored = scene.server.stored();
    assert_eq!(
        keys_of(&stored),
        [
            "known",
            "unknown",
            "in small blocks",
            "in small blocks, unknown",
            "empty",
            "empty, unknown"
        ]
    );
    for object in &stored {
        let contents = scene.server.object("examplebucket", &object.key);
        let len = object.size as usize;
        let expected: Vec<u8> = (0..len)
            .map(|index| b'a' + ((len - index) % 26) as u8)
            .collect();
        assert!(contents == Some(expected), "{}", object.key);
    }
    assert_eq!(receiver.requests().len(), 6);
}

#[test]
fn a_descriptor_is_lent_and_a_range_is_an_object() {
    let file = c::product("c_abi_digits.bin");
    fs::write(&file, "0123456789").expect("writable");
    let scene = Scene::new();
    scene.run("descriptor.c", &[file.to_str().expect("UTF-8")]);
    let stored = scene.server.stored();
    let contents: Vec<(&str, String)> = stored
        .iter()
        .map(|object| {
            let bytes = scene.server.object("examplebucket", &object.key);
            let text = String::from_utf8(bytes.expect("it is stored")).expect("ASCII");
            (object.key.as_str(), text)
        })
        .collect();
    let expected = [
        ("file", "23456"),
        ("rest", "23456789"),
        ("twice", "23456789"),
        ("end", ""),
        ("pipe", "pipe"),
        ("pipe to its end", "ream"),
        ("range", "3456"),
        ("empty range", ""),
    ];
    assert_eq!(contents, expected.map(|(key, text)| (key, text.to_owned())));
}

#[test]
fn a_write_hook_takes_a_download() {
    let endpoint = listen(|mut stream| {
        read_head(&mut stream);
        let answer = b"HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 10\r\n\r\nearly";
        stream.write_all(answer).expect("it is read");
    });
    let scene = Scene::new();
    scene.run("get_object.c", &[&endpoint]);
    assert_eq!(scene.server.object("examplebucket", "object"), None);
}

#[test]
fn the_limits_of_an_upload_hold() {
    let silent = listen(drain);
    let closing = listen(|mut stream| {
        let mut body = vec![0; read_head(&mut stream)];
        stream.read_exact(&mut body).expect("the whole body");
    });
    let mut requests = 0;
    let failing_first = listen(move |mut stream| {
        let mut body = vec![0; read_head(&mut stream)];
        stream.read_exact(&mut body).expect("the whole body");
        requests += 1;
        let status = if requests % 2 == 1 {
            "503 Busy"
        } else {
            "200 OK"
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nx-oss-hash-crc64ecma: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).expect("it is read");
    });
    let refused = RefusedAddress::new().expect("a free port");
    let scene = Scene::new().calling(refused.url("/"));
    let timeout = if valgrind().is_some() { "5000" } else { "1000" };
    scene.run(
        "upload_limits.c",
        &[&silent, &closing, &failing_first, timeout],
    );
    assert_eq!(keys_of(&scene.server.stored()), ["object"]);
}

#[test]
fn the_limits_of_other_operations_hold() {
    let silent = listen(drain);
    let (sender, requests) = mpsc::channel();
    let closing = listen(move |mut stream| {
        read_head(&mut stream);
        sender.send(()).expect("the test counts them");
    });
    let timeout = if valgrind().is_some() { "5000" } else { "1000" };
    Scene::new().run("operation_options.c", &[&silent, &closing, timeout]);
    assert_eq!(requests.try_iter().count(), 3 * (1 + 4));
}

#[test]
fn each_option_of_an_upload_goes_out_in_the_words_of_oss() {
    let (sender, heads) = mpsc::channel();
    let endpoint = listen(move |mut stream| {
        let head = head_lines(&mut stream);
        stream.read_exact(&mut [0]).expect("a body of one byte");
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 0\r\n\r\n")
            .expect("it is read");
        sender.send(head).expect("the test waits for it");
    });
    let scene = Scene::new().at(&endpoint);
    scene.run("put_options.c", &[]);
    let head = heads.recv().expect("one upload was sent");
    for line in [
        "x-oss-object-acl: public-read",
        "x-oss-storage-class: IA",
        "x-oss-tagging: a%20b=1%262&empty=",
        "x-oss-server-side-encryption: KMS",
        "x-oss-server-side-encryption-key-id: key-id",
        "x-oss-server-side-data-encryption: SM4",
        "x-oss-traffic-limit: 838860800",
        "x-oss-forbid-overwrite: true",
        "cache-control: no-cache",
        "content-disposition: inline",
        "content-encoding: gzip",
        "content-language: zh-CN",
        "expires: Sun, 06 Nov 1994 08:49:37 GMT",
        "x-oss-request-payer: requester",
        "content-md5: xMpCOKC5I4INzFCab3WEmw==",
    ] {
        assert!(head.iter().any(|l| l == line), "no {line} in {head:?}");
    }
    // What was refused was not sent.
    assert!(heads.try_recv().is_err());
}

#[test]
fn what_a_client_is_told_of_its_connections_holds() {
    let scene = Scene::new();
    let refused = RefusedAddress::new().expect("a free port");
    let address = scene.server.address();
    let endpoint = format!("http://oss.example.test:{}", address.port());
    let tls = if cfg!(feature = "tls") {
        "tls"
    } else {
        "no tls"
    };
    let arguments = [&address.to_string(), &refused.address().to_string()];
    scene.run(
        "client_options.c",
        &[tls, &endpoint, arguments[0], arguments[1]],
    );
    assert_eq!(scene.server.stored().len(), 10);
}

#[cfg(feature = "tls")]
#[test]
fn a_client_says_who_it_is() {
    // What ring's assembly sends looks uninitialised to valgrind.
    if valgrind().is_some() {
        return;
    }
    let builder = local_oss::Server::builder();
    let scene = Scene::with(builder.tls(true).client_certificates(true));
    let files = [
        ("c_authority.pem", scene.server.certificate_pem()),
        ("c_client.pem", scene.server.client_pem()),
    ];
    let [authority, client] = files.map(|(name, pem)| {
        let path = c::product(name);
        std::fs::write(&path, pem.expect("it asks for one")).expect("writable");
        path.to_str().expect("UTF-8").to_owned()
    });
    scene.run("client_certificate.c", &[&authority, &client]);
    assert_eq!(scene.server.stored().len(), 3);
}

#[test]
fn a_proxy_is_named_by_an_option_or_by_the_environment_when_asked() {
    let scene = Scene::new();
    let address = scene.server.address();
    let proxy = StrictProxy::with_login(address, "Basic bWU6cEBzcw==");
    let endpoint = format!("http://oss.example.test:{}", address.port());
    let arguments = [address.to_string(), proxy.address().to_string()];
    scene.run("proxies.c", &[&endpoint, &arguments[0], &arguments[1]]);
    let object = |line: &String| {
        let (_, key) = line.split_once("/examplebucket/").expect("a bucket");
        key.trim_end_matches(" HTTP/1.1").replace("%20", " ")
    };
    let asked: Vec<String> = proxy.lines().iter().map(object).collect();
    let expected = ["by option", "never", "by environment", "by option again"];
    assert_eq!(asked, expected);
    let expected = [
        "by option",
        "direct",
        "by environment",
        "direct again",
        "by option again",
        "excepted",
    ];
    assert_eq!(keys_of(&scene.server.stored()), expected);
}

#[test]
fn faults_leave_nothing_behind() {
    let not_found = Receiver::start(|_| Answer::status(404)).expect("a free port");
    let refused = RefusedAddress::new().expect("a free port");
    let closes = listen(|mut stream| {
        read_head(&mut stream);
    });
    let scene = Scene::new().calling(not_found.url("/"));
    scene.run("faults_do_not_leak.c", &[&refused.url(""), &closes]);
    assert_eq!(scene.server.stored().len(), 200);
    assert_eq!(not_found.requests().len(), 200);
}

#[test]
fn threads_share_a_client() {
    let receiver = Receiver::start(|request| {
        let text = request.text();
        let object = text
            .strip_prefix("filename=")
            .and_then(|text| text.split('&').next());
        Answer::json(format!("{{\"filename\":\"{}\"}}", object.unwrap_or("?")))
    })
    .expect("a free port");
    let scene = Scene::new().calling(receiver.url("/"));
    scene.run("shared_client.c", &[]);

    let stored = scene.server.stored();
    let mut keys = keys_of(&stored);
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), stored.len()), (320, 320));
    assert!(
        stored
            .iter()
            .all(|object| object.header("x-oss-meta-shared") == Some("yes"))
    );
    assert_eq!(receiver.requests().len(), 320);
    assert!(
        scene
            .server
            .deliveries()
            .iter()
            .all(|delivery| delivery.accepted)
    );
}

#[test]
fn a_cxx_program_links() {
    if !c::is_there(&mut c::cxx_compiler("c++11")) {
        return;
    }
    let scene = Scene::new();
    scene.run("cpp_links.cpp", &[]);
    assert_eq!(keys_of(&scene.server.stored()), ["object"]);
}

#[test]
fn a_program_links_the_static_library() {
    let program = build("put_object.c", "put_object_static", Library::Static);
    let needed = c::succeed(Command::new("readelf").arg("-d").arg(&program));
    assert!(!needed.contains("liboss_callback"), "{needed}");
    let receiver =
        Receiver::start(|_| Answer::json(r#"{"Status":"OK","n":1}"#)).expect("a free port");
    let scene = Scene::new().calling(receiver.url("/"));
    let said = scene.execute(&program, &[]);
    said.agrees_with(&scene.server.stored()[0]);
}

/// A server that does this with each connection, one after the other; gives back its endpoint.
fn listen(mut serve: impl FnMut(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
    thread::spawn(move || listener.incoming().flatten().for_each(&mut serve));
    endpoint
}

/// Reads the head of a request and finds the body's length.
fn read_head(stream: &mut TcpStream) -> usize {
    let head = head_lines(stream);
    let mut lengths = head.iter().filter_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length:")?
            .trim()
            .parse()
            .ok()
    });
    lengths.next().unwrap_or(0)
}

/// Reads the head of a request, byte for byte so that nothing of the body goes with it.
fn head_lines(stream: &mut TcpStream) -> Vec<String> {
    let mut reader = BufReader::with_capacity(1, stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a head is text");
        let line = line.trim_end();
        if line.is_empty() {
            return lines;
        }
        lines.push(line.to_owned());
    }
}

/// Takes everything and says nothing.
fn drain(mut stream: TcpStream) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}
