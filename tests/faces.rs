//! The packages for Go and Python in `examples/`, and their examples: each has a test suite of its own, which runs here
//! against a local-oss. A language that is not on the machine is a named skip, which `OSS_CALLBACK_ALL_FACES=1` turns into
//! a failure.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use local_oss::{RefusedAddress, Server};
use support::c;
use support::{BUCKET, KEY_ID, KEY_SECRET, agreeing_receiver, server};

/// What a test suite or an example finds in its environment: the names of `examples/with_local_oss.rs`.
fn with<'a>(command: &'a mut Command, server: &Server, callback_url: &str) -> &'a mut Command {
    command
        .env("OSS_ENDPOINT", server.endpoint())
        .env("OSS_REGION", "cn-hangzhou")
        .env("OSS_BUCKET", BUCKET)
        .env("OSS_ACCESS_KEY_ID", KEY_ID)
        .env("OSS_ACCESS_KEY_SECRET", KEY_SECRET)
        .env("OSS_CALLBACK_URL", callback_url)
        .env_remove("OSS_SESSION_TOKEN")
        .env_remove("LD_LIBRARY_PATH")
}

/// Runs a test suite, which must succeed, and gives back what it said.
fn suite(command: &mut Command) -> String {
    let (plain, receiver) = (server().start().unwrap(), agreeing_receiver());
    with(command, &plain, &receiver.url("/"));
    #[cfg(feature = "tls")]
    {
        // Another one that asks clients who they are, with the files that they need.
        let builder = server().tls(true).client_certificates(true);
        let secure = builder.start().unwrap();
        for (name, pem) in [
            ("OSS_TLS_AUTHORITY", secure.certificate_pem()),
            ("OSS_TLS_CLIENT", secure.client_pem()),
        ] {
            let number = secure.address().port();
            let file = c::product(&format!("faces_{name}_{number}.pem"));
            fs::write(&file, pem.unwrap()).unwrap();
            command.env(name, file);
        }
        command.env("OSS_TLS_ENDPOINT", secure.endpoint());
        c::succeed(command)
    }
    #[cfg(not(feature = "tls"))]
    c::succeed(command)
}

/// An example prints the answer, and says of a failure whether the object is stored.
fn drive_put_object(example: impl Fn() -> Command) {
    let run = |server: &Server, url: &str, argument: Option<&PathBuf>| -> Output {
        let mut command = example();
        c::run(with(command.args(argument), server, url))
    };
    let receiver = agreeing_receiver();
    let oss = server().start().unwrap();
    let file = c::product("faces_file.txt");
    fs::write(&file, "contents").unwrap();
    for argument in [None, Some(&file)] {
        let output = run(&oss, &receiver.url("/"), argument);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(output.stdout, b"{\"Status\":\"OK\"}\n");
    }
    let object = |key| oss.object(BUCKET, key);
    assert_eq!(object("hello.txt").as_deref(), Some(&b"hello"[..]));
    assert_eq!(object("faces_file.txt").as_deref(), Some(&b"contents"[..]));

    let refused = RefusedAddress::new().unwrap();
    let other = Server::builder().bucket(BUCKET);
    let other = other.credentials(KEY_ID, "another").start().unwrap();
    for (server, last) in [
        (&oss, "It is stored: do not upload it again."),
        (&other, "Is it stored? no"),
    ] {
        let output = run(server, &refused.url("/"), None);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(stderr.lines().last(), Some(last), "{stderr}");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
}

/// The README shows what can be read at a glance.
#[test]
fn the_examples_are_short() {
    for file in ["go/put_object/put_object.go", "python/put_object.py"] {
        let source = fs::read_to_string(c::source("examples").join(file)).unwrap();
        assert!(source.lines().count() < 70, "{file}");
        let (_, rest) = source.split_once("README begin\n").unwrap();
        let (region, _) = rest.split_once("README end").unwrap();
        // The last line is what stands before the mark of the end.
        assert!((10..=26).contains(&region.lines().count()), "{file}");
    }
}

mod go {
    use super::*;

    #[test]
    fn go_package_keeps_its_promises() {
        let Some(mut test) = c::go() else { return };
        // With the race detector go looks after pointers to memory of its own, too.
        test.args(["test", "-race", "-count=1", "./..."]);
        suite(test.env("GODEBUG", "cgocheck=1"));
    }

    #[test]
    fn go_package_gives_no_pointers_away() {
        let Some(mut test) = c::go() else { return };
        let version = c::run(Command::new("go").args(["env", "GOVERSION"])).stdout;
        let version = String::from_utf8_lossy(&version).trim().to_owned();
        let minor: u32 = version
            .split('.')
            .nth(1)
            .and_then(|minor| minor.parse().ok())
            .unwrap_or_else(|| panic!("go has the version {version:?}"));
        // Each store of a pointer is looked at; go 1.21 has another switch for it.
        if minor < 21 {
            test.env("GODEBUG", "cgocheck=2");
        } else {
            test.env("GOEXPERIMENT", "cgocheck2");
        }
        suite(test.args(["test", "-count=1", "./..."]));
    }

    #[test]
    fn go_sources_are_formatted_and_vetted() {
        let Some(mut vet) = c::go() else { return };
        c::succeed(vet.args(["vet", "./..."]));
        let unformatted = c::succeed(
            Command::new("gofmt")
                .arg("-l")
                .arg(c::source("examples/go")),
        );
        assert_eq!(unformatted, "");
    }

    /// A library without the application server's side has a header without it.
    #[test]
    fn go_package_does_with_a_small_library() {
        let Some(mut build) = c::go() else { return };
        build.args(["build", "-tags", "oss_callback_small", "./osscallback"]);
        c::succeed(build.env("CGO_CFLAGS", "-DOSS_CALLBACK_SMALL"));
    }

    #[test]
    fn go_example_says_whether_the_object_is_stored() {
        let Some(mut build) = c::go() else { return };
        let program = c::product("put_object_go.out");
        c::succeed(
            build
                .args(["build", "-o"])
                .arg(&program)
                .arg("./put_object"),
        );
        drive_put_object(|| Command::new(&program));
    }
}

mod python {
    use super::*;

    /// Python with the library beside this test; or None, and a skip.
    fn python() -> Option<Command> {
        if !c::is_there(&mut Command::new("python3")) {
            return None;
        }
        let mut command = Command::new("python3");
        command
            .env(
                "OSS_CALLBACK_LIBRARY",
                c::library_folder().join("liboss_callback.so"),
            )
            .env("PYTHONPATH", c::source("examples/python"))
            .env("PYTHONDONTWRITEBYTECODE", "1");
        Some(command)
    }

    fn discover(python: &mut Command) -> &mut Command {
        python
            .args(["-X", "dev", "-m", "unittest", "discover"])
            .arg(c::source("tests/python"))
    }

    #[test]
    fn python_package_keeps_its_promises() {
        let Some(mut python) = python() else { return };
        suite(discover(&mut python));
    }

    #[test]
    fn python_example_says_whether_the_object_is_stored() {
        if python().is_none() {
            return;
        }
        drive_put_object(|| {
            let mut command = python().expect("it is there");
            command.arg(c::source("examples/python/put_object.py"));
            command
        });
    }

    /// What builds the wheel comes from PyPI, so this is for machines that may ask it.
    #[test]
    fn python_wheel_works_in_an_empty_environment() {
        if std::env::var_os("OSS_CALLBACK_ALL_FACES").is_none() {
            support::skip(
                "the wheel needs PyPI, which is asked only where OSS_CALLBACK_ALL_FACES is set",
            );
            return;
        }
        let folder = c::product("wheel");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let environment = |name: &str| {
            let path = folder.join(name);
            c::succeed(Command::new("python3").args(["-m", "venv"]).arg(&path));
            path.join("bin/python")
        };

        // Without what a debugger needs, which is nine tenths of it.
        let library = folder.join("liboss_callback.so");
        let built = c::library_folder().join("liboss_callback.so");
        c::succeed(
            Command::new("strip")
                .arg("--strip-debug")
                .arg(built)
                .arg("-o")
                .arg(&library),
        );
        let mut build = Command::new(environment("builder"));
        build
            .args([
                "-m",
                "pip",
                "wheel",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(["--no-deps", "--wheel-dir"])
            .arg(folder.join("dist"))
            .arg(c::source("examples/python"))
            .env("OSS_CALLBACK_LIBRARY", &library);
        c::succeed(&mut build);
        fs::remove_file(&library).unwrap();

        let wheels: Vec<_> = fs::read_dir(folder.join("dist"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let (version, machine) = (env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
        let name = format!("oss_callback-{version}-py3-none-linux_{machine}.whl");
        assert_eq!(wheels, [name.as_str()]);

        let installed = environment("empty");
        c::succeed(
            Command::new(&installed)
                .args(["-m", "pip", "install", "--quiet", "--no-index", "--no-deps"])
                .arg(folder.join("dist").join(&name)),
        );
        // Nothing of the source tree is in its way.
        let python = || {
            let mut command = Command::new(&installed);
            command
                .current_dir(&folder)
                .env_remove("OSS_CALLBACK_LIBRARY")
                .env_remove("PYTHONPATH")
                .env("PYTHONDONTWRITEBYTECODE", "1");
            command
        };
        let script = "import oss_callback._library as o, os; print(o.library._name, os.path.dirname(o.__file__))";
        let output = c::succeed(python().args(["-c", script]));
        let (loaded, package) = output.trim().split_once(' ').unwrap();
        assert_eq!(loaded, format!("{package}/liboss_callback.so"));
        assert!(package.starts_with(folder.to_str().unwrap()), "{package}");
        let example = folder.join("put_object.py");
        fs::copy(c::source("examples/python/put_object.py"), &example).unwrap();
        drive_put_object(|| {
            let mut command = python();
            command.arg(&example);
            command
        });
        suite(discover(&mut python()));
    }
}
