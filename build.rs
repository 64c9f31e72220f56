//! Writes the C header into `OUT_DIR` when the `header` feature is on. The committed copy in `include/` is compared with the
//! same text by a test, and never written from here: a build must not change the source tree.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "header")]
    header::write();
}

#[cfg(feature = "header")]
pub mod header {
    use std::path::{Path, PathBuf};
    use std::{env, fs};

    /// In the order of use, which becomes the order of the header.
    const FILES: [&str; 31] = [
        "defaults",
        "version",
        "code",
        "client",
        "credentials",
        "body_template",
        "spec",
        "hooks",
        "cancellation",
        "put_options",
        "put",
        "upload_file",
        "operation_options",
        "multipart",
        "upload_part",
        "parts",
        "multipart_uploads",
        "object",
        "reconcile",
        "presign",
        "post_policy",
        "post_object",
        "explain",
        "verifier",
        "verified",
        "reply",
        "sealer",
        "receipt",
        "attempt",
        "verdict",
        "error",
    ];

    /// The application server's side, which the feature `small` leaves out. One piece of the header.
    const RECEIVING: [&str; 4] = ["verifier", "verified", "reply", "sealer"];

    pub fn write() {
        let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
        let header = generate(&root, &variable("CARGO_PKG_VERSION"));
        let path = PathBuf::from(variable("OUT_DIR")).join("oss_callback.h");
        fs::write(path, header).expect("OUT_DIR is writable");
        for source in ["cbindgen.toml", "src/ffi"] {
            println!("cargo::rerun-if-changed={}", root.join(source).display());
        }
    }

    /// The header of the sources below a folder, for a version of three numbers.
    pub fn generate(root: &Path, version: &str) -> String {
        let configuration = root.join("cbindgen.toml");
        let mut config =
            cbindgen::Config::from_file(&configuration).expect("cbindgen.toml is valid");
        config.after_includes = Some(after_includes(version));
        let mut builder = cbindgen::Builder::new().with_config(config);
        for file in FILES {
            builder = builder.with_src(root.join(format!("src/ffi/{file}.rs")));
        }
        let bindings = builder.generate().expect("src/ffi can be read by cbindgen");
        let mut header = Vec::new();
        bindings.write(&mut header);
        let header = String::from_utf8(header).expect("cbindgen writes UTF-8");
        receiving_side_marked(&header, root)
    }

    /// cbindgen would put each function between an `#if` and an `#endif` of its own.
    fn receiving_side_marked(header: &str, root: &Path) -> String {
        let mut names = Vec::new();
        for file in RECEIVING {
            let path = root.join(format!("src/ffi/{file}.rs"));
            let source = fs::read_to_string(path).expect("src/ffi is readable");
            let functions = source.split("extern \"C\" fn ").skip(1);
            names.extend(functions.map(|text| text.split('(').next().unwrap_or("").to_owned()));
        }
        let functions = header.find("extern \"C\" {").expect("functions");
        let place = |name: &String| {
            let found = header[functions..].find(&format!("{name}("));
            functions + found.expect("each function is in the header")
        };
        let (first, last) = (place(&names[0]), place(&names[names.len() - 1]));
        let begin = header[..first].rfind("\n/**").expect("a comment") + 1;
        let end = last + header[last..].find(";\n").expect("an end") + 2;
        let [before, inside, after] = [&header[..begin], &header[begin..end], &header[end..]];
        for name in &names {
            assert!((begin..end).contains(&place(name)), "{name} is elsewhere");
        }
        format!(
            "{before}#if !defined(OSS_CALLBACK_SMALL)\n\n{inside}\n#endif /* OSS_CALLBACK_SMALL */\n{after}"
        )
    }

    fn after_includes(version: &str) -> String {
        let mut numbers = version
            .split('.')
            .map(|part| part.parse().expect("a number"));
        let [major, minor, patch]: [u32; 3] =
            std::array::from_fn(|_| numbers.next().expect("three numbers"));
        let number = major * 1_000_000 + minor * 1_000 + patch;
        format!(
            "
/** The version of this header; oss_callback_version() is that of the library. */
#define OSS_CALLBACK_VERSION \"{major}.{minor}.{patch}\"
/** The first number of it. */
#define OSS_CALLBACK_VERSION_MAJOR {major}
/** The second. */
#define OSS_CALLBACK_VERSION_MINOR {minor}
/** The third. */
#define OSS_CALLBACK_VERSION_PATCH {patch}
/** major * 1000000 + minor * 1000 + patch */
#define OSS_CALLBACK_VERSION_NUMBER {number}

/*
 * Defined in the header that is installed with a library built with the feature `small`. That library lacks
 * what application servers call: verifiers, verified callbacks, replies, permissions, sealers, sealed
 * callbacks and replay guards.
 */
/* #undef OSS_CALLBACK_SMALL */

#if defined(__GNUC__) || defined(__clang__)
/** A code that nobody looks at draws a warning. */
#define OSS_CALLBACK_MUST_USE __attribute__((warn_unused_result))
#else
#define OSS_CALLBACK_MUST_USE
#endif
"
        )
    }

    fn variable(name: &str) -> String {
        env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
    }
}
