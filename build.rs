//! Writes the C header into `OUT_DIR` when the `capi` feature is on. The committed copy in `include/` is
//! compared with it by a test, and never written from here: a build must not change the source tree.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "capi")]
    header::write();
}

#[cfg(feature = "capi")]
mod header {
    use std::env;
    use std::path::PathBuf;

    /// In the order of use, which becomes the order of the header.
    const FILES: [&str; 29] = [
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
        "error",
    ];

    pub fn write() {
        let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
        let configuration = root.join("cbindgen.toml");
        let mut config =
            cbindgen::Config::from_file(&configuration).expect("cbindgen.toml is valid");
        config.after_includes = Some(after_includes());
        let mut builder = cbindgen::Builder::new().with_config(config);
        for file in FILES {
            builder = builder.with_src(root.join(format!("src/ffi/{file}.rs")));
        }
        let header = builder.generate().expect("src/ffi can be read by cbindgen");
        header.write_to_file(PathBuf::from(variable("OUT_DIR")).join("oss_callback.h"));
        println!("cargo::rerun-if-changed={}", configuration.display());
        println!("cargo::rerun-if-changed={}", root.join("src/ffi").display());
    }

    fn after_includes() -> String {
        let [major, minor, patch] = ["MAJOR", "MINOR", "PATCH"].map(|part| {
            variable(&format!("CARGO_PKG_VERSION_{part}"))
                .parse::<u32>()
                .expect("a number")
        });
        let number = major * 1_000_000 + minor * 1_000 + patch;
        format!(
            "
/** The version of this header; oss_callback_version() is that of the library. */
#define OSS_CALLBACK_VERSION \"{major}.{minor}.{patch}\"
#define OSS_CALLBACK_VERSION_MAJOR {major}
#define OSS_CALLBACK_VERSION_MINOR {minor}
#define OSS_CALLBACK_VERSION_PATCH {patch}
/** major * 1000000 + minor * 1000 + patch */
#define OSS_CALLBACK_VERSION_NUMBER {number}

#if defined(__GNUC__) || defined(__clang__)
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
