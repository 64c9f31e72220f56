//! A server, a program of `tests/c` compiled and linked with the library, and what it says.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, thread};

use local_oss::{Answer, Receiver, Server};
use support::c;

/// What a program that links the static library needs besides.
const SYSTEM_LIBRARIES: [&str; 7] = [
    "-lgcc_s",
    "-lutil",
    "-lrt",
    "-lpthread",
    "-lm",
    "-ldl",
    "-lc",
];

/// A server, and the environment of a program that uploads to it.
pub(crate) struct Scene {
    pub(crate) server: Server,
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Scene {
    pub(crate) fn new() -> Scene {
        Scene::with(Server::builder())
    }

    pub(crate) fn with(builder: local_oss::Builder) -> Scene {
        let server = builder
            .bucket("examplebucket")
            .credentials("id", "secret")
            .region("cn-hangzhou")
            .start()
            .expect("a free port");
        let variables = [
            ("OSS_ENDPOINT", server.endpoint()),
            ("OSS_REGION", "cn-hangzhou"),
            ("OSS_BUCKET", "examplebucket"),
            ("OSS_ACCESS_KEY_ID", "id"),
            ("OSS_ACCESS_KEY_SECRET", "secret"),
        ];
        Scene {
            variables: variables
                .map(|(name, value)| (name, value.to_owned()))
                .into(),
            server,
        }
    }

    /// The callback goes to this URL.
    pub(crate) fn calling(mut self, url: String) -> Scene {
        self.variables.push(("OSS_CALLBACK_URL", url));
        self
    }

    /// Requests go to another server than the scene's.
    pub(crate) fn at(mut self, endpoint: &str) -> Scene {
        self.variables.retain(|(name, _)| *name != "OSS_ENDPOINT");
        self.variables.push(("OSS_ENDPOINT", endpoint.to_owned()));
        self
    }

    /// Compiles a program of `tests/c`, links it with the shared library, runs it, and gives back what it said.
    pub(crate) fn run(&self, source: &str, arguments: &[&str]) -> Said {
        self.execute(&build(source, source, Library::Shared), arguments)
    }

    pub(crate) fn execute(&self, program: &Path, arguments: &[&str]) -> Said {
        let mut command = match valgrind() {
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
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env_remove("OSS_SESSION_TOKEN")
            // Cargo's, which would hide a missing rpath.
            .env_remove("LD_LIBRARY_PATH");
        Said(c::succeed(&mut command))
    }
}

pub(crate) fn valgrind() -> Option<String> {
    switch("VALGRIND")
}

/// A variable of the environment that is set and not empty.
pub(crate) fn switch(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The lines of a program's output: a name, a blank, a value.
pub(crate) struct Said(pub(crate) String);

impl Said {
    pub(crate) fn value(&self, name: &str) -> &str {
        let mut lines = self.0.lines().filter_map(|line| line.split_once(' '));
        let found = lines.find(|(n, _)| *n == name);
        found
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.0))
            .1
    }

    /// What the program knows of the object is what the server has stored.
    pub(crate) fn agrees_with(&self, stored: &local_oss::Stored) {
        assert_eq!(self.value("etag"), stored.etag);
        assert_eq!(self.value("crc64"), stored.crc64.to_string());
        assert_eq!(self.value("request_id"), stored.request_id);
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Library {
    Shared,
    Static,
}

/// Compiles a program of `tests/c` and links it with one of the libraries beside this test.
pub(crate) fn build(source: &str, program: &str, library: Library) -> PathBuf {
    let mut compiler = match source.ends_with(".cpp") {
        true => c::cxx_compiler("c++11"),
        false => c::c_compiler("c99"),
    };
    // Tests run at the same time, and two may build the same program.
    let test = thread::current().name().unwrap_or("main").to_owned();
    let program = c::product(&format!("c_abi_{test}_{program}.out"));
    compiler
        .args(["-g", "-pthread", "-o"])
        .arg(&program)
        .arg(c::source("tests/c").join(source));
    match library {
        Library::Shared => c::link(&mut compiler),
        Library::Static => {
            let library = c::library_folder().join("liboss_callback.a");
            compiler.arg(library).args(SYSTEM_LIBRARIES);
        }
    }
    let sanitizers = switch("SANITIZE");
    if let Some(sanitizers) = &sanitizers {
        compiler.args([
            &format!("-fsanitize={sanitizers}"),
            "-fno-sanitize-recover=all",
        ]);
    }
    c::succeed(&mut compiler);
    if let Some(sanitizers) = sanitizers {
        // GCC links their libraries, clang puts them into the program.
        let inside = c::succeed(
            Command::new("readelf")
                .args(["-d", "-s", "-W"])
                .arg(&program),
        );
        for sanitizer in sanitizers.split(',') {
            let names = match sanitizer {
                "address" => ["libasan", "__asan_"],
                "undefined" => ["libubsan", "__ubsan_"],
                other => panic!("SANITIZE has {other:?}, which is not known here"),
            };
            assert!(
                names.iter().any(|name| inside.contains(name)),
                "the {sanitizer} sanitizer is not in the program"
            );
        }
    }
    program
}

/// An application server that agrees.
pub(crate) fn agreeing() -> Receiver {
    Receiver::start(|_| Answer::json(r#"{"Status":"OK"}"#)).expect("a free port")
}

pub(crate) fn keys_of(stored: &[local_oss::Stored]) -> Vec<&str> {
    stored.iter().map(|object| object.key.as_str()).collect()
}
