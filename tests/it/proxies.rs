//! Requests through a proxy: what it is asked, what it may refuse, and who names it.

use std::env;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use oss_callback::{Client, ClientBuilder, ErrorKind, PresignOptions, RetryPolicy, Stored};
use support::proxy::StrictProxy;
use support::{
    BUCKET, KEY_ID, KEY_SECRET, RawServer, TemporaryFile, client_builder, header, server, spec,
};

/// A client of a server that only its proxy finds.
fn through(proxy: impl Into<String>) -> ClientBuilder {
    client_builder("http://oss.example.com")
        .path_style(true)
        .proxy(proxy)
}

/// Would be sent again, and soon, if it were worth it.
fn eager() -> RetryPolicy {
    RetryPolicy::default()
        .max_attempts(5)
        .base_delay(Duration::ZERO)
}

fn put(client: &Client) -> Result<(), oss_callback::Error> {
    client.put_object(BUCKET, "a").send_bytes(b"x").map(drop)
}

#[test]
fn plain_http_is_asked_for_in_absolute_form() {
    const KEY: &str = "a b/../c//d+e%2F?#目.jpg";
    let server = server().start().unwrap();
    let proxy = StrictProxy::start(server.address());
    let client = through(proxy.url()).build().unwrap();
    client.put_object(BUCKET, KEY).send_bytes(b"x").unwrap();
    assert_eq!(server.object(BUCKET, KEY).unwrap(), b"x");
    let (_, head) = proxy.heads().remove(0);
    assert_eq!(
        head.lines().next(),
        Some(
            "PUT http://oss.example.com/examplebucket/a%20b/../c//d%2Be%252F%3F%23%E7%9B%AE.jpg HTTP/1.1"
        )
    );
    assert_eq!(header(&head, "host"), Some("oss.example.com"));
    assert_eq!(header(&head, "proxy-authorization"), None);

    // Without a body, with a query, in parts, and by a URL that is signed already.
    assert_eq!(
        client
            .head_object(BUCKET, KEY)
            .send()
            .unwrap()
            .content_length(),
        Some(1)
    );
    let mut contents = Vec::new();
    let get = client.get_object(BUCKET, KEY);
    get.write_to(&mut contents).unwrap();
    assert_eq!(contents, b"x");
    let file = TemporaryFile::new("proxied", &vec![7; 250_000]);
    let upload = client.upload_file(BUCKET, "large").part_size(102_400);
    upload.parallel(1).send(file.path()).unwrap();
    let minute = PresignOptions::expires_in(Duration::from_secs(60));
    let url = client
        .put_object(BUCKET, "signed")
        .presign(&minute)
        .unwrap();
    client.put_object_with_url(&url).send_bytes(b"y").unwrap();
    assert_eq!(server.object(BUCKET, "signed").unwrap(), b"y");
    let heads = proxy.heads();
    assert!(heads.len() > 8, "{:?}", proxy.lines());
    // All of them on one connection.
    assert!(heads.iter().all(|(connection, _)| *connection == 0));
    for line in proxy.lines() {
        assert!(
            line.contains(" http://oss.example.com/examplebucket/"),
            "{line}"
        );
    }
}

#[test]
fn the_proxy_is_told_the_host_as_the_server_is() {
    let server = server().start().unwrap();
    let proxy = StrictProxy::start(server.address());
    for (endpoint, authority) in [
        ("http://oss.example.com:80", "oss.example.com"),
        ("http://oss.example.com:8080", "oss.example.com:8080"),
        ("http://oss.example.com:443", "oss.example.com:443"),
        ("http://[::80]", "[::80]"),
        ("http://[2001:db8::1]:9000", "[2001:db8::1]:9000"),
        ("http://192.0.2.1:80", "192.0.2.1"),
    ] {
        let client = client_builder(endpoint).path_style(true).proxy(proxy.url());
        put(&client.build().unwrap()).unwrap();
        let line = proxy.lines().pop().unwrap();
        assert_eq!(
            line,
            format!("PUT http://{authority}/examplebucket/a HTTP/1.1")
        );
    }
    // Each bucket is a host of its own; the proxy resolves it.
    let client = client_builder("http://oss-cn-hangzhou.aliyuncs.com").proxy(proxy.url());
    put(&client.build().unwrap()).unwrap();
    let line = proxy.lines().pop().unwrap();
    assert_eq!(
        line,
        "PUT http://examplebucket.oss-cn-hangzhou.aliyuncs.com/a HTTP/1.1"
    );
}

#[test]
fn a_login_goes_with_each_request_to_the_proxy_and_no_further() {
    let server = server().start().unwrap();
    for (login, basic) in [
        ("me:p%40ss", "Basic bWU6cEBzcw=="),
        // Aladdin, of RFC 7617, with a password of colons and blanks; and a user without a password.
        (
            "Aladdin:open%20:sesame",
            "Basic QWxhZGRpbjpvcGVuIDpzZXNhbWU=",
        ),
        ("me", "Basic bWU6"),
        ("%E7%8E%8B:%E7%9B%AE", "Basic 546LOuebrg=="),
    ] {
        let proxy = StrictProxy::with_login(server.address(), basic);
        let builder = through(proxy.url_with(login));
        let client = builder.clone().build().unwrap();
        for _ in 0..3 {
            put(&client).unwrap();
        }
        let heads = proxy.heads();
        assert_eq!(heads.len(), 3);
        assert_eq!(heads[2].0, 0, "the connection is kept");
        for (_, head) in heads {
            assert_eq!(header(&head, "proxy-authorization"), Some(basic));
        }
        for head in proxy.passed_on() {
            assert_eq!(header(&head, "proxy-authorization"), None);
        }
        let shown = format!("{builder:?}{client:?}");
        assert!(!login.contains(':') || !shown.contains(login), "{shown}");
        assert!(
            !shown.contains(basic.trim_start_matches("Basic ")),
            "{shown}"
        );
    }
}

#[test]
fn a_login_that_the_proxy_refuses_is_tried_once() {
    let server = server().start().unwrap();
    let callback = spec("http://app.example.com/");
    for (login, advice) in [
        (None, "http://user:password@127.0.0.1:"),
        (
            Some("me:geheim"),
            "check the user and the password in `proxy`",
        ),
    ] {
        let proxy = StrictProxy::with_login(server.address(), "Basic bWU6cEBzcw==");
        let url = login.map_or(proxy.url(), |login| proxy.url_with(login));
        let client = through(url).retry_policy(eager()).build().unwrap();
        for callback in [None, Some(&callback)] {
            let before = proxy.heads().len();
            let put = client.put_object(BUCKET, "a").callback(callback);
            let error = put.send_bytes([0; 100_000]).unwrap_err();
            assert_eq!(
                (
                    error.kind(),
                    error.stored(),
                    error.status(),
                    error.attempts()
                ),
                (ErrorKind::Connect, Stored::No, Some(407), 1),
                "{error}"
            );
            let text = format!("{error} {error:?}");
            assert!(
                text.contains("proxy 127.0.0.1:") && text.contains(advice),
                "{text}"
            );
            assert!(!text.contains("geheim") && !text.contains("bWU6"), "{text}");
            assert_eq!(proxy.heads().len(), before + 1);
        }
        // Nor is what would follow an upload that failed.
        let before = proxy.heads().len();
        let file = TemporaryFile::new("refused", &vec![7; 250_000]);
        let upload = client.upload_file(BUCKET, "large").part_size(102_400);
        assert_eq!(upload.send(file.path()).unwrap_err().status(), Some(407));
        assert_eq!(proxy.heads().len(), before + 1);
    }
    assert!(server.stored().is_empty());
}

#[test]
fn a_proxy_that_refuses_before_it_has_the_body_is_heard() {
    let proxy = RawServer::start(|connection| {
        let answer = "HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\n\
            Proxy-Authenticate: NTLM\r\nContent-Length: 4\r\nConnection: close\r\n\r\nno!\n";
        connection.write(answer.as_bytes());
        connection.wait_for_close();
    });
    let client = through(proxy.endpoint().replace("http://", "http://me:geheim@"));
    let client = client.retry_policy(eager()).build().unwrap();
    let body = vec![0; 50_000_000];
    let error = client
        .put_object(BUCKET, "a")
        .send_bytes(&body)
        .unwrap_err();
    assert_eq!(
        (error.stored(), error.status()),
        (Stored::No, Some(407)),
        "{error}"
    );
    // The password is not what is wrong.
    assert!(
        error.to_string().contains("it does not offer Basic"),
        "{error}"
    );
    assert_eq!(proxy.requests(), 1);
}

#[test]
fn another_refusal_on_the_way_is_final_and_says_nothing_of_the_object() {
    for status in [
        "400 Bad Request",
        "401 Unauthorized",
        "403 Forbidden",
        "408 T",
        "429 Many",
    ] {
        let answer = |more: &str| {
            format!("HTTP/1.1 {status}\r\n{more}Content-Length: 2\r\nConnection: close\r\n\r\nno")
        };
        let proxy = RawServer::answering(answer(""));
        let client = through(proxy.endpoint())
            .retry_policy(eager())
            .build()
            .unwrap();
        let error = put(&client).unwrap_err();
        assert_eq!(
            (
                error.kind(),
                error.stored(),
                error.attempts(),
                proxy.requests()
            ),
            (ErrorKind::UnexpectedAnswer, Stored::Unknown, 1, 1),
            "{error}"
        );
        let diagnosis = error.diagnosis().unwrap();
        assert!(diagnosis.starts_with("The proxy refused"), "{diagnosis}");
    }
    // What comes from OSS is OSS's, whatever it came through.
    let from_oss = "HTTP/1.1 429 Many\r\nx-oss-request-id: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let proxy = RawServer::answering(from_oss);
    let client = through(proxy.endpoint())
        .retry_policy(eager())
        .build()
        .unwrap();
    let error = put(&client).unwrap_err();
    assert_eq!(
        (error.kind(), error.stored(), error.attempts()),
        (ErrorKind::Refused, Stored::No, 5),
        "{error}"
    );
}

/// A proxy that says this to whoever wants a tunnel, and opens it.
#[cfg(feature = "tls")]
fn tunnel(server: SocketAddr, answer: String) -> RawServer {
    use std::io;
    use std::net::{Shutdown, TcpStream};

    RawServer::start(move |connection| {
        connection.write(answer.as_bytes());
        let server = TcpStream::connect(server).unwrap();
        let (mut from_client, mut to_client) = (
            connection.stream.try_clone().unwrap(),
            connection.stream.try_clone().unwrap(),
        );
        let (mut from_server, mut to_server) = (server.try_clone().unwrap(), server);
        let up = std::thread::spawn(move || {
            let _ = io::copy(&mut from_client, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Both);
        });
        let _ = io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
        up.join().unwrap();
    })
}

/// A client of a server with TLS, through a proxy.
#[cfg(feature = "tls")]
fn secure(server: &local_oss::Server, proxy: impl Into<String>) -> Client {
    client_builder(server.endpoint())
        .root_certificates(oss_callback::RootCertificates::None)
        .ca_bundle(server.certificate_pem().unwrap())
        .retry_policy(eager())
        .proxy(proxy)
        .build()
        .unwrap()
}

#[test]
#[cfg(feature = "tls")]
fn tls_goes_through_a_tunnel_that_has_the_login() {
    let server = server().tls(true).start().unwrap();
    let proxy = StrictProxy::with_login(server.address(), "Basic bWU6cEBzcw==");
    let client = secure(&server, proxy.url_with("me:p%40ss"));
    put(&client).unwrap();
    put(&client).unwrap();
    assert_eq!(server.object(BUCKET, "a").unwrap(), b"x");
    // That is all that the proxy sees of both.
    let heads = proxy.heads();
    assert_eq!(
        proxy.lines(),
        [format!("CONNECT {} HTTP/1.1", server.address())]
    );
    assert_eq!(
        header(&heads[0].1, "host"),
        Some(server.address().to_string().as_str())
    );
    assert_eq!(
        header(&heads[0].1, "proxy-authorization"),
        Some("Basic bWU6cEBzcw==")
    );
}

#[test]
#[cfg(feature = "tls")]
fn a_tunnel_that_is_refused_is_asked_for_once_and_a_failure_again() {
    let server = server().tls(true).start().unwrap();
    let close = "Content-Length: 2\r\nConnection: close\r\n\r\nno";
    for (status, attempts) in [
        ("407 Proxy Authentication Required", 1),
        ("403 Forbidden", 1),
        ("404 Not Found", 1),
        ("408 Request Timeout", 1),
        ("429 Too Many Requests", 1),
        ("302 Found", 1),
        ("502 Bad Gateway", 5),
        ("503 Service Unavailable", 5),
    ] {
        let proxy = RawServer::answering(format!("HTTP/1.1 {status}\r\n{close}"));
        let client = secure(&server, proxy.endpoint().replace("//", "//me:geheim@"));
        let error = put(&client).unwrap_err();
        assert_eq!(
            (error.kind(), error.stored(), error.attempts()),
            (ErrorKind::Connect, Stored::No, attempts),
            "{error}"
        );
        assert_eq!(error.status(), status[..3].parse().ok(), "{error}");
        assert_eq!(proxy.requests(), attempts as usize);
        let text = format!("{error} {error:?}");
        assert!(
            text.contains("proxy 127.0.0.1:") && text.contains(&status[..3]),
            "{text}"
        );
        assert!(!text.contains("geheim") && !text.contains("bWU6"), "{text}");
    }
    assert!(server.stored().is_empty());
}

#[test]
#[cfg(feature = "tls")]
fn what_is_no_tunnel_stores_nothing() {
    let server = server().tls(true).start().unwrap();
    for (answer, problem) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 19\r\n\r\n<html>Log in</html>",
            "a page",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n<html>Log in</html>\r\n0\r\n\r\n",
            "a page",
        ),
        ("HTTP/1.1 100 Continue\r\n\r\n", "100 Continue"),
        ("SSH-2.0 200 OpenSSH\r\n\r\n", "SSH-2.0"),
        ("HTTP/1.1 2000 OK\r\n\r\n", "2000"),
        ("\r\n\r\n", "it answered"),
    ] {
        let proxy = tunnel(server.address(), answer.to_owned());
        let error = put(&secure(&server, proxy.endpoint())).unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::Connect, Stored::No),
            "{answer}: {error}"
        );
        assert!(error.to_string().contains(problem), "{answer}: {error}");
    }
    // However long it goes on.
    let proxy = RawServer::start(|connection| {
        let line = format!("x: {}\r\n", "y".repeat(1000));
        connection.write(b"HTTP/1.1 200 OK\r\n");
        while connection.try_write(line.as_bytes()) {}
    });
    let error = put(&secure(&server, proxy.endpoint())).unwrap_err();
    assert!(error.to_string().contains("has no end"), "{error}");
    assert!(server.stored().is_empty());
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_in_words() {
    for (url, problem) in [
        ("", "does not begin with http://"),
        ("proxy:1", "does not begin with http://"),
        ("socks5://me:geheim@proxy:1080", "is a SOCKS proxy"),
        ("SOCKS5h://me:geheim@proxy:1080", "is a SOCKS proxy"),
        ("https://me:geheim@proxy", "is reached over https"),
        ("http://me%3Ayou:geheim@proxy", "has a ':' in its user name"),
        ("http://me:geheim%0A@proxy", "has a control character"),
        ("http://me:ge#heim@proxy", "has a '#'"),
        ("http://me:ge/heim@proxy", "has a path"),
        ("http://me:ge?heim@proxy", "has a path"),
        ("http://me:geheim@proxy/path", "has a path"),
        ("http://me:geheim@proxy:0", "has a port"),
        ("http://me:geheim@", "is not a URL"),
    ] {
        let error = through(url).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let text = error.to_string();
        assert!(
            text.starts_with("`proxy` ") && text.contains(problem),
            "{url}: {text}"
        );
        let all = format!("{text} {error:?} {:?}", through(url));
        for secret in ["geheim", "heim", "ge/"] {
            assert!(!all.contains(secret), "{all}");
        }
    }
}

const CHILD: &str = "OSS_CALLBACK_TEST_OF_PROXIES";

/// Runs in a process of its own, whose environment names proxies.
#[test]
fn uploads_for_the_tests_of_the_environment() {
    let Ok(arguments) = env::var(CHILD) else {
        return;
    };
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let [endpoint, address, asks] = arguments[..] else {
        panic!("{arguments:?}");
    };
    let client = Client::builder()
        .endpoint(endpoint)
        .region("cn-hangzhou")
        .path_style(true)
        .credentials(oss_callback::Credentials::new(KEY_ID, KEY_SECRET))
        .resolve("oss.example.com", [address.parse::<SocketAddr>().unwrap()])
        .proxy_from_env(asks == "true")
        .retry_policy(RetryPolicy::none());
    match client.build().and_then(|client| put(&client)) {
        Ok(()) => println!("outcome: stored"),
        Err(error) => println!("outcome: {:?} {error}", error.kind()),
    }
}

#[test]
fn the_environment_names_a_proxy_when_it_is_asked() {
    const NAMES: [&str; 9] = [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "no_proxy",
        "NO_PROXY",
        "REQUEST_METHOD",
    ];
    let server = server().start().unwrap();
    let other = StrictProxy::start(server.address());
    let proxy = StrictProxy::with_login(server.address(), "Basic bWU6cEBzcw==");
    let (right, elsewhere) = (proxy.url_with("me:p%40ss"), other.url());
    let bare = elsewhere.trim_start_matches("http://");
    let run = |endpoint: &str, asks: bool, variables: &[(&str, &str)]| {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args([
                "--exact",
                "--nocapture",
                "proxies::uploads_for_the_tests_of_the_environment",
            ])
            .env(CHILD, format!("{endpoint} {} {asks}", server.address()));
        for name in NAMES {
            command.env_remove(name);
        }
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}");
        let outcome = said.lines().find_map(|line| line.split_once("outcome: "));
        outcome.unwrap_or_else(|| panic!("{said}")).1.to_owned()
    };
    let host = format!("http://oss.example.com:{}", server.address().port());
    let here = server.endpoint();
    for (endpoint, asks, variables, through) in [
        // Never by itself.
        (
            host.as_str(),
            false,
            &[("http_proxy", right.as_str()), ("ALL_PROXY", &right)][..],
            [0, 0],
        ),
        (&host, true, &[], [0, 0]),
        (&host, true, &[("http_proxy", &right)], [1, 0]),
        (&host, true, &[("HTTP_PROXY", &right)], [1, 0]),
        (&host, true, &[("all_proxy", &right)], [1, 0]),
        (&host, true, &[("ALL_PROXY", &right)], [1, 0]),
        // The small one first, an empty one is none, and without a scheme it is http.
        (
            &host,
            true,
            &[("http_proxy", &right), ("HTTP_PROXY", &elsewhere)],
            [1, 0],
        ),
        (
            &host,
            true,
            &[("http_proxy", ""), ("HTTP_PROXY", bare)],
            [0, 1],
        ),
        (
            &host,
            true,
            &[("http_proxy", bare), ("all_proxy", &right)],
            [0, 1],
        ),
        // The other scheme's is no matter, even one that is not understood.
        (
            &host,
            true,
            &[("https_proxy", "socks5://proxy:1080")],
            [0, 0],
        ),
        // A CGI program has the header Proxy of its caller there.
        (
            &host,
            true,
            &[("HTTP_PROXY", &elsewhere), ("REQUEST_METHOD", "GET")],
            [0, 0],
        ),
        (
            &host,
            true,
            &[("http_proxy", &right), ("REQUEST_METHOD", "GET")],
            [1, 0],
        ),
        (
            &host,
            true,
            &[("http_proxy", &right), ("no_proxy", "a.b, .Example.COM")],
            [0, 0],
        ),
        (
            &host,
            true,
            &[("http_proxy", &right), ("NO_PROXY", "*")],
            [0, 0],
        ),
        (
            &host,
            true,
            &[("http_proxy", &right), ("NO_PROXY", "xample.com")],
            [1, 0],
        ),
        // This machine is never behind a proxy.
        (here, true, &[("http_proxy", &right)], [0, 0]),
    ] {
        let before = [proxy.heads().len(), other.heads().len()];
        let said = run(endpoint, asks, variables);
        assert_eq!(said, "stored", "{variables:?}");
        let after = [proxy.heads().len(), other.heads().len()];
        assert_eq!(
            after,
            [before[0] + through[0], before[1] + through[1]],
            "{variables:?}"
        );
    }
    for (variables, problem) in [
        (
            ("http_proxy", "socks5://me:geheim@proxy:1080"),
            "environment variable `http_proxy` is a SOCKS proxy",
        ),
        (
            ("HTTP_PROXY", "https://me:geheim@proxy"),
            "environment variable `HTTP_PROXY` is reached over https",
        ),
        (
            ("ALL_PROXY", "http://me:geheim@proxy/path"),
            "environment variable `ALL_PROXY` has a path",
        ),
    ] {
        let said = run(&host, true, &[variables]);
        assert!(
            said.starts_with("InvalidArgument") && said.contains(problem),
            "{said}"
        );
        assert!(!said.contains("geheim"), "{said}");
    }
    // A login that is refused names the variable.
    let wrong = proxy.url_with("me:geheim");
    let said = run(&host, true, &[("ALL_PROXY", &wrong)]);
    assert!(
        said.contains("in the environment variable `ALL_PROXY`"),
        "{said}"
    );
}
