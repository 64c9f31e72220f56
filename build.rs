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

    /// What C sees. Within a handle, functions keep the order that they have here.
    const FILES: [&str; 37] = [
        "defaults",
        "version",
        "code",
        "client",
        "client_addresses",
        "tls",
        "proxy",
        "credentials",
        "body_template",
        "spec",
        "hooks",
        "cancellation",
        "put_headers",
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
        "presigned_url",
        "post_policy",
        "post_form",
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

    /// A part of the header.
    struct Section {
        title: &'static str,
        about: &'static str,
        /// What stands in it: handles, enumerations and hooks by name, with all functions that begin with that name; or the
        /// beginning of other names.
        owners: &'static [&'static str],
    }

    /// In the order of use. The codes come first only because C wants an enumeration before its use.
    const SECTIONS: [Section; 13] = [
        Section {
            title: "Return codes",
            about: "Zero is success; any other code names the cause of a failure.",
            owners: &["oss_callback_code"],
        },
        Section {
            title: "Uploads",
            about: "Each function blocks until OSS has answered, and gives a receipt or an error.",
            owners: &["oss_callback_len_unknown", "oss_callback_read_hook", "oss_"],
        },
        Section {
            title: "Errors and receipts",
            about: "What is known about an upload that failed, and about one that succeeded.",
            owners: &[
                "oss_callback_stored",
                "oss_callback_answered",
                "oss_callback_error",
                "oss_callback_receipt",
                "oss_callback_attempt",
            ],
        },
        Section {
            title: "The client",
            about: "Set options, then make a client from them. Any number of uploads and threads may share it.",
            owners: &[
                "oss_callback_root_certificates",
                "oss_callback_unlimited",
                "oss_callback_default_",
                "oss_callback_credentials_hook",
                "oss_callback_signer_hook",
                "oss_callback_destroy_hook",
                "oss_callback_client_options",
                "oss_callback_credentials",
                "oss_callback_write_hook",
                "oss_callback_client",
            ],
        },
        Section {
            title: "The callback",
            about: "What OSS sends to the application server once it has stored the object.",
            owners: &[
                "oss_callback_body_type",
                "oss_callback_body_template",
                "oss_callback_spec_options",
                "oss_callback_spec",
            ],
        },
        Section {
            title: "Options of uploads and other operations",
            about: "All of them are optional; NULL options mean the defaults.",
            owners: &[
                "oss_callback_cancellation",
                "oss_callback_progress_hook",
                "oss_callback_put_options",
                "oss_callback_operation_options",
            ],
        },
        Section {
            title: "Multipart uploads",
            about: "One object from many requests, programs or machines. For a single file, use\noss_upload_file_with_callback instead.",
            owners: &[
                "oss_callback_multipart_uploads",
                "oss_callback_multipart_upload",
                "oss_callback_parts",
            ],
        },
        Section {
            title: "Objects, and uploads whose outcome is unknown",
            about: "What OSS says about an object, and what became of an upload whose answer was lost.",
            owners: &[
                "oss_callback_object_metadata",
                "oss_callback_outcome",
                "oss_callback_reconciled",
            ],
        },
        Section {
            title: "Permissions for others",
            about: "URLs and forms that let somebody without a key upload one object.",
            owners: &["oss_callback_presigned_url", "oss_callback_post_form"],
        },
        Section {
            title: "Signing forms",
            about: "What a browser may upload with a form that this program signs.",
            owners: &["oss_callback_post_policy"],
        },
        Section {
            title: "Trying a callback without sending it",
            about: "What OSS would send, and what it would refuse.",
            owners: &[
                "oss_callback_object_facts",
                "oss_callback_preview",
                "oss_callback_explanation",
            ],
        },
        Section {
            title: "The application server",
            about: "Is this request from OSS? Did we permit this upload? Has it been handled before?",
            owners: &[
                "oss_callback_verifier_options",
                "oss_callback_verifier",
                "oss_callback_verified",
                "oss_callback_reply",
                "oss_callback_permission",
                "oss_callback_sealer",
                "oss_callback_sealed",
                "oss_callback_seen",
                "oss_callback_replay_guard",
            ],
        },
        Section {
            title: "Version",
            about: "The version of the linked library, to compare with that of this header.",
            owners: &["oss_callback_version"],
        },
    ];

    /// The sections, and functions of other ones, that the feature `small` leaves out.
    const NOT_IN_SMALL: [&str; 10] = [
        "Signing forms",
        "Trying a callback without sending it",
        "The application server",
        "oss_callback_client_presign_put_object",
        "oss_callback_client_presign_get_object",
        "oss_callback_client_presign_head_object",
        "oss_callback_multipart_upload_presign_part",
        "oss_callback_multipart_upload_presign_complete",
        "oss_callback_client_sign_post_form",
        "oss_callback_spec_preview",
    ];

    /// A piece of the header with its comment.
    struct Item {
        comment: String,
        code: String,
    }

    impl Item {
        fn is_handle(&self) -> bool {
            self.code.starts_with("typedef struct ")
        }

        fn is_function(&self) -> bool {
            self.code.ends_with(");") && !self.code.starts_with("typedef ")
        }

        fn name(&self) -> &str {
            let last_word = |text: &str| text.rfind([' ', '*']).map_or(0, |space| space + 1);
            if let Some((head, rest)) = self.code.split_once("(*") {
                assert!(head.starts_with("typedef "), "{head}");
                return rest.split(')').next().unwrap_or_default();
            }
            if let Some(rest) = self.code.strip_prefix("#define ") {
                return rest.split(' ').next().unwrap_or_default();
            }
            let head = match self.is_function() {
                true => self.code.split('(').next().unwrap_or_default(),
                false => self.code.trim_end_matches(';'),
            };
            &head[last_word(head)..]
        }

        /// What makes a handle comes first, and what frees it last.
        fn place(&self) -> u8 {
            match self.name() {
                name if name.ends_with("_free") => 2,
                name if name.ends_with("_new") || name.contains("_new_") => 0,
                _ => 1,
            }
        }

        /// The owner with the longest name that this one begins with.
        fn section(&self) -> (usize, usize) {
            let name = self.name().to_lowercase();
            let sections = SECTIONS.iter().enumerate();
            let owners = sections.flat_map(|(section, of)| {
                let owners = of.owners.iter().enumerate();
                owners.map(move |(owner, prefix)| (prefix, (section, owner)))
            });
            let fitting = owners.filter(|(prefix, _)| {
                let rest = name.strip_prefix(**prefix);
                rest.is_some_and(|rest| {
                    rest.is_empty() || prefix.ends_with('_') || rest.starts_with('_')
                })
            });
            let owner = fitting.max_by_key(|(prefix, _)| prefix.len());
            owner.unwrap_or_else(|| panic!("{name} is in no section")).1
        }

        /// A declaration in short lines.
        fn declaration(&self) -> String {
            if !self.code.ends_with(");") {
                return self.code.clone();
            }
            let code = self.code.split_whitespace().collect::<Vec<_>>().join(" ");
            let code = code.replace("OSS_CALLBACK_MUST_USE ", "OSS_CALLBACK_MUST_USE\n");
            let longest = code.lines().map(str::len).max().unwrap_or(0);
            let (head, arguments) = code.rsplit_once('(').expect("a list of arguments");
            if longest <= 100 {
                return code;
            }
            let mut lines = vec![String::new()];
            for argument in arguments.split_inclusive(", ") {
                match lines.last_mut() {
                    Some(line) if line.len() + argument.trim_end().len() <= 96 => *line += argument,
                    _ => lines.push(argument.to_owned()),
                }
            }
            let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
            format!("{head}(\n    {}", lines.join("\n    "))
        }
    }

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
        let top = config
            .header
            .take()
            .expect("cbindgen.toml has the comment at the top");
        let mut builder = cbindgen::Builder::new().with_config(config);
        for file in FILES {
            builder = builder.with_src(root.join(format!("src/ffi/{file}.rs")));
        }
        let bindings = builder.generate().expect("src/ffi can be read by cbindgen");
        let mut code = Vec::new();
        bindings.write(&mut code);
        let code = String::from_utf8(code).expect("cbindgen writes UTF-8");
        let items = items(&format!("\n{code}"));
        let mut header = format!("{}\n\n{}", top.trim(), before_sections(version));
        header += "\n/* The handles. Each is described in its section. */\n";
        for handle in items.iter().filter(|item| item.is_handle()) {
            header += &format!("{}\n", handle.code);
        }
        header += "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n";
        for (number, section) in SECTIONS.iter().enumerate() {
            let written = written(number, section, &items);
            header += &unless_small(section.title, written);
        }
        header
            + "\n#ifdef __cplusplus\n} /* extern \"C\" */\n#endif\n\n#endif /* OSS_CALLBACK_H */\n"
    }

    /// Everything that cbindgen wrote, in its order.
    fn items(code: &str) -> Vec<Item> {
        let pieces = code.split("\n/**").skip(1);
        pieces
            .map(|piece| {
                let (comment, code) = piece.split_once("\n */\n").expect("comments end");
                Item {
                    comment: comment.trim_start().to_owned(),
                    code: code.trim().to_owned(),
                }
            })
            .collect()
    }

    fn written(number: usize, section: &Section, items: &[Item]) -> String {
        let mut text = format!("\n/**\n * @name {}\n *\n", section.title);
        for line in section.about.lines() {
            text += &format!(" * {line}\n");
        }
        text += " * @{\n */\n";
        for owner in 0..section.owners.len() {
            let of_owner = items
                .iter()
                .filter(|item| item.section() == (number, owner));
            let (mut functions, types): (Vec<&Item>, Vec<&Item>) =
                of_owner.partition(|item| item.is_function());
            functions.sort_by_key(|function| function.place());
            assert!(
                types.len() + functions.len() > 0,
                "{} is empty",
                section.owners[owner]
            );
            for item in types.into_iter().chain(functions) {
                let described = match item.is_handle() {
                    true => format!(
                        "\n/**\n * @typedef {}\n *\n {}\n */\n",
                        item.name(),
                        item.comment
                    ),
                    false => format!("\n/**\n {}\n */\n{}\n", item.comment, item.declaration()),
                };
                text += &unless_small(item.name(), described);
            }
        }
        text + "\n/** @} */\n"
    }

    /// What the feature `small` leaves out stands behind a guard.
    fn unless_small(name: &str, written: String) -> String {
        if !NOT_IN_SMALL.contains(&name) {
            return written;
        }
        format!("\n#if !defined(OSS_CALLBACK_SMALL)\n{written}\n#endif /* OSS_CALLBACK_SMALL */\n")
    }

    /// The guard, what the header includes, and its macros.
    fn before_sections(version: &str) -> String {
        let mut numbers = version
            .split('.')
            .map(|part| part.parse().expect("a number"));
        let [major, minor, patch]: [u32; 3] =
            std::array::from_fn(|_| numbers.next().expect("three numbers"));
        let number = major * 1_000_000 + minor * 1_000 + patch;
        format!(
            "#ifndef OSS_CALLBACK_H
#define OSS_CALLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The version of this header; oss_callback_version() is that of the library. */
#define OSS_CALLBACK_VERSION \"{major}.{minor}.{patch}\"
/** Its major number. */
#define OSS_CALLBACK_VERSION_MAJOR {major}
/** Its minor number. */
#define OSS_CALLBACK_VERSION_MINOR {minor}
/** Its patch number. */
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
/** Makes the compiler warn about a code that is ignored. */
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
