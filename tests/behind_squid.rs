//! Squid between the library and OSS, as it comes: CONNECT to ports for TLS only, everything else in absolute form.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use oss_callback::{Client, ClientBuilder, ErrorKind, RetryPolicy, Stored};
use support::c;
use support::{BUCKET, TemporaryFile, agreeing_receiver, client_builder, server, spec};

/// A running Squid; stopped when dropped.
struct Squid {
    folder: PathBuf,
    address: String,
    process: Child,
}

impl Squid {
    /// On a port that is free until somebody else takes it first; then on another.
    fn start(tls_port: u16) -> Squid {
        let mut attempts = (0..5).map(|_| Squid::try_start(tls_port));
        let squid = attempts.find_map(Result::ok);
        squid.unwrap_or_else(|| panic!("{:?}", Squid::try_start(tls_port).err()))
    }

    fn try_start(tls_port: u16) -> Result<Squid, String> {
        // Whom it runs as may not look into the tree of this project.
        let folder =
            std::env::temp_dir().join(format!("oss-callback-squid-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = port.local_addr().unwrap().to_string();
        drop(port);
        let path = folder.display();
        // As root it becomes somebody else, who writes there.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        // What it is asked about logins is written down.
        let helper = format!(
            "while read -r login; do printf '%s\\n' \"$login\" >>{path}/logins\n\
             case $login in 'me p@ss' | 'me p%40ss') echo OK ;; *) echo ERR ;; esac; done\n"
        );
        fs::write(folder.join("helper.sh"), helper).unwrap();
        let configuration = format!(
            "http_port {address}\n\
             pid_filename {path}/squid.pid\n\
             access_log none\n\
             cache_log {path}/cache.log\n\
             coredump_dir {path}\n\
             netdb_filename none\n\
             pinger_enable off\n\
             shutdown_lifetime 0\n\
             auth_param basic program /bin/sh {path}/helper.sh\n\
             auth_param basic children 1 startup=1\n\
             acl TLS_ports port 443 {tls_port}\n\
             acl CONNECT method CONNECT\n\
             acl in_the_office proxy_auth REQUIRED\n\
             acl forbidden urlpath_regex /forbidden\n\
             http_access deny CONNECT !TLS_ports\n\
             http_access deny !in_the_office\n\
             http_access deny forbidden\n\
             http_access allow all\n"
        );
        fs::write(folder.join("squid.conf"), configuration).unwrap();
        let process = Command::new("squid")
            .arg("-N")
            // Its shared memory has this name.
            .args(["-n", &format!("oss{}", std::process::id())])
            .arg("-f")
            .arg(folder.join("squid.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut squid = Squid {
            folder,
            address,
            process,
        };
        let patience = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(&squid.address).is_err() {
            let ended = squid.process.try_wait().unwrap().is_some();
            if ended || Instant::now() > patience {
                return Err(squid.log());
            }
            std::thread::yield_now();
        }
        Ok(squid)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("cache.log")).unwrap_or_default()
    }

    fn logins(&self) -> usize {
        let logins = fs::read_to_string(self.folder.join("logins")).unwrap_or_default();
        logins.lines().count()
    }

    fn url(&self, login: &str) -> String {
        format!("http://{login}@{}", self.address)
    }
}

impl Drop for Squid {
    fn drop(&mut self) {
        // Killed, it would leave its shared memory behind.
        let _ = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn eager(builder: ClientBuilder) -> Client {
    let policy = RetryPolicy::default().base_delay(Duration::ZERO);
    builder.retry_policy(policy).build().unwrap()
}

/// Keys that a proxy might want to write in another way.
const KEYS: [&str; 6] = [
    "a",
    "a b+c%41%2F",
    "目/é~!*'();:@&=$,[]",
    "a//b/",
    "a/../b/./c",
    "?#x=1",
];

fn uploads(client: &Client, server: &local_oss::Server, file: &Path) {
    let receiver = agreeing_receiver();
    for key in KEYS {
        let put = client.put_object(BUCKET, key);
        let receipt = put
            .callback(&spec(&receiver.url("/")))
            .send_bytes(b"x")
            .unwrap();
        assert_eq!(receipt.attempts(), 1, "{key}");
        assert_eq!(server.object(BUCKET, key).unwrap(), b"x", "{key}");
    }
    client.put_object(BUCKET, "empty").send_bytes(b"").unwrap();
    let chunked = client.put_object(BUCKET, "chunked");
    chunked.send_reader_chunked(&b"in chunks"[..]).unwrap();
    assert_eq!(server.object(BUCKET, "chunked").unwrap(), b"in chunks");
    let upload = client.upload_file(BUCKET, "large").part_size(102_400);
    upload.send(file).unwrap();
    assert_eq!(
        server.object(BUCKET, "large").unwrap(),
        fs::read(file).unwrap()
    );
    let mut contents = Vec::new();
    client
        .get_object(BUCKET, "a")
        .write_to(&mut contents)
        .unwrap();
    assert_eq!(contents, b"x");
    let error = client.head_object(BUCKET, "missing").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn through_squid_plain_http_and_tls_go_their_ways_and_a_refusal_is_final() {
    // It knows no `--version`, and would take the word for an option.
    if !c::answers(Command::new("squid").arg("-v")) {
        return;
    }
    let plain = server().start().unwrap();
    let file = TemporaryFile::new("squid", &vec![7; 350_000]);
    #[cfg(feature = "tls")]
    let (tls, port) = {
        let tls = server().tls(true).start().unwrap();
        let port = tls.address().port();
        (tls, port)
    };
    #[cfg(not(feature = "tls"))]
    let port = 444;
    let squid = Squid::start(port);
    let through = |login: &str| eager(client_builder(plain.endpoint()).proxy(squid.url(login)));
    uploads(&through("me:p%40ss"), &plain, file.path());
    #[cfg(feature = "tls")]
    {
        let client = client_builder(tls.endpoint())
            .root_certificates(oss_callback::RootCertificates::None)
            .ca_bundle(tls.certificate_pem().unwrap());
        uploads(
            &eager(client.clone().proxy(squid.url("me:p%40ss"))),
            &tls,
            file.path(),
        );
        let before = squid.logins();
        let error = eager(client.proxy(squid.url("me:wrong-in-a-tunnel")))
            .put_object(BUCKET, "never")
            .send_bytes(b"x")
            .unwrap_err();
        assert_eq!(
            (error.status(), error.stored()),
            (Some(407), Stored::No),
            "{error}"
        );
        assert_eq!(squid.logins(), before + 1);
    }
    let before = squid.logins();
    for (len, login) in [(1, "me:wrong"), (30_000_000, "me:wrong-again")] {
        let put = through(login).put_object(BUCKET, "never");
        let error = put.send_bytes(vec![0; len]).unwrap_err();
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
    }
    assert_eq!(squid.logins(), before + 2);
    // By its rules.
    let put = through("me:p%40ss").put_object(BUCKET, "forbidden");
    let error = put.send_bytes(b"x").unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.attempts()),
        (ErrorKind::UnexpectedAnswer, Some(403), 1),
        "{error}"
    );
    assert!(error.diagnosis().unwrap().starts_with("The proxy refused"));
    assert!(plain.object(BUCKET, "never").is_none());
}
