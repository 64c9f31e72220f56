//! Texts and numbers for arguments by their names, the good ones first.

use std::ffi::{CString, c_int, c_void};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::answers::SERVER;
use super::{calls, deliver};

/// Files that programs read and write, and nothing else: no path is made up.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("oss-callback-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("folder")).expect("a folder");
    std::fs::write(folder.join("small"), "hello").expect("a file");
    std::fs::write(folder.join("empty"), "").expect("a file");
    std::fs::write(folder.join("large"), vec![b'x'; 250_000]).expect("a file");
    folder
});

static OPEN: LazyLock<File> =
    LazyLock::new(|| File::open(FOLDER.join("small")).expect("a file that is there"));

pub fn descriptor(choice: u8) -> c_int {
    match choice {
        255 => -1,
        254 => c_int::MAX,
        _ => OPEN.as_raw_fd(),
    }
}

/// It has room for a seal.
const BODY: &str = "bucket=${bucket}&object=${object}&size=${size}&seal=${x:seal}";
const CALLBACK: &str =
    r#"{"callbackUrl":"http://a.example.com/","callbackBody":"o=${object}&u=${x:u}"}"#;
const CALLBACK_VAR: &str = r#"{"x:u":"1"}"#;

pub fn text(name: &str, choice: u8) -> Vec<u8> {
    let choice = usize::from(choice);
    let of = |texts: &[&str]| texts[choice % texts.len()].as_bytes().to_vec();
    let port = SERVER.port();
    match name {
        "endpoint" => match choice % 8 {
            0..=2 => format!("http://{}", *SERVER).into_bytes(),
            3 => format!("https://{}", *SERVER).into_bytes(),
            4 => format!("http://a.example.com:{port}").into_bytes(),
            _ => of(&["", "[::1]:1", "oss-cn-hangzhou.aliyuncs.com", "http://127.0.0.1:1", "ftp://a"]),
        },
        "address" => SERVER.to_string().into_bytes(),
        "host" => of(&["a.example.com", "127.0.0.1", "", "a b"]),
        "region" => of(&["cn-hangzhou", "oss-cn-hangzhou", "", "Hangzhou", "cn hangzhou"]),
        "bucket" => of(&["examplebucket", "other-bucket", "", "B", "a/b"]),
        "object" | "key" => of(&["a/b", "\u{e4} ?#%&+", "", "/a", "..", "a\nb", "uploads/1"]),
        "prefix" | "key_prefix" => of(&["uploads/", "/api", "", "a", "/internal/"]),
        "delimiter" => of(&["/", "", "a"]),
        "path" => {
            let files = ["small", "large", "empty", "folder", "missing", "missing/a", "written", "checkpoint"];
            FOLDER.join(files[choice % files.len()]).into_os_string().into_encoded_bytes()
        }
        "url" if choice % 4 == 1 => format!("http://{}/examplebucket/a", *SERVER).into_bytes(),
        "url" if choice % 4 == 2 => format!("http://u:p@{}", *SERVER).into_bytes(),
        "url" => of(&["http://app.example.com/cb", deliver::KEY_URL, "https://b.example.com", "", "a;b", "http://"]),
        "exact_url" => of(&[deliver::KEY_URL, "http://keys.example.com/a.pem", ""]),
        "pem" => of(&[deliver::PUBLIC_KEY, "", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"]),
        "body" => of(&["o=${object}&s=${size}&u=${x:u}", BODY, "{\"o\":${object}}", "$", ""]),
        "callback" => match choice % 3 {
            0 => CALLBACK.as_bytes().to_vec(),
            1 => STANDARD.encode(CALLBACK).into_bytes(),
            _ => of(&["", "{}", "e30=", "\u{e4}", "e30"]),
        },
        "callback_var" => match choice % 3 {
            0 => CALLBACK_VAR.as_bytes().to_vec(),
            1 => STANDARD.encode(CALLBACK_VAR).into_bytes(),
            _ => of(&["", "{}", "{\"u\":1}"]),
        },
        "json" => match choice % 5 {
            0 => br#"{"Status":"OK"}"#.to_vec(),
            1 => format!(r#"{{"method":"PUT","url":"http://{}/b/a?callback=e30","headers":{{"Content-Type":"a/b"}},"expires":"Tue, 24 Nov 2026 05:00:00 GMT"}}"#, *SERVER).into_bytes(),
            2 => format!(r#"{{"url":"http://{}/b","fields":[["key","a/${{filename}}"],["callback","e30="],["x:u","1"]],"expires":"Tue, 24 Nov 2026 05:00:00 GMT"}}"#, *SERVER).into_bytes(),
            3 => br#"{"number":1,"etag":"AB","size":5,"crc64":"7"}"#.to_vec(),
            _ => of(&["", "{}", "\"a\"", "1", "[", "null"]),
        },
        "method" => of(&["POST", "GET", ""]),
        "target" => of(&["/cb?a=1", "/internal/cb", "", "*", "http://a/b", "/%zz"]),
        "header" => of(&["Authorization", "YQ==", "x-oss-pub-key-url", "aHR0cDovL2dvc3NwdWJsaWMuYWxpY2RuLmNvbS9jYWxsYmFja19wdWJfa2V5X3YxLnBlbQ==", "Content-Type", "application/json", ""]),
        "content_type" => of(&["image/jpeg", "application/json", "", "a\r\nb: c"]),
        "etag" => of(&["AB", "\"AB\"", "", "\""]),
        "upload_id" => of(&["u", "", "a&b"]),
        "name" => of(&["seal", "u", "x:u", "Content-Language", "x-oss-meta-a", "bucket", "callback", "", "X:U", "a b", "\u{e4}"]),
        "variable" => of(&["object", "size", "x:u", "", "a}b", "etag"]),
        "object_acl" => of(&["private", "public-read", "default", "", "x"]),
        "storage_class" => of(&["Standard", "IA", "", "x"]),
        "format" => of(&["jpg", "", "\u{e4}"]),
        "expires" | "date" => of(&["Tue, 24 Nov 2026 05:00:00 GMT", ""]),
        "file_name" => of(&["cat.jpg", "", "a\"b", "a\r\nb"]),
        "user_agent" => of(&["agent/1", "", "a\nb"]),
        _ => of(&["a", "1", "", "KMS", "AES256", "a\r\nb", "\u{1f4a9}", "${x:u}", "${filename}"]),
    }
}

pub fn bytes(name: &str, choice: u8) -> Vec<u8> {
    match (name, choice % 4) {
        ("pem", 0) => deliver::PUBLIC_KEY.as_bytes().to_vec(),
        ("secret", _) => vec![choice; 32],
        (_, 0) => b"hello".to_vec(),
        (_, 1) => br#"{"bucket":"b","object":"a"}"#.to_vec(),
        (_, 2) => Vec::new(),
        _ => vec![b'x'; 1000 * usize::from(choice)],
    }
}

/// Whether some of its numbers would make a program wait, or need more threads than there can be.
pub fn is_bounded(name: &str) -> bool {
    matches!(
        name,
        "max_delay_ms"
            | "max_attempts"
            | "bytes_per_second"
            | "timeout_ms"
            | "deadline_ms"
            | "parallel"
    )
}

pub fn number(name: &str, choice: u8) -> u64 {
    let of = |numbers: &[u64]| numbers[usize::from(choice) % numbers.len()];
    match name {
        "max_attempts" => of(&[2, 0, 1, 3]),
        "max_delay_ms" => of(&[0, 1]),
        "bytes_per_second" => of(&[1 << 30, 0, u64::MAX]),
        "timeout_ms" | "deadline_ms" => of(&[2_000, 0, 500, u64::MAX, 1]),
        "parallel" => of(&[2, 0, 1, 3]),
        "index" => of(&[0, 1, 2, u64::MAX]),
        "part_number" => of(&[1, 2, 0, 10_000, 10_001, u64::MAX]),
        "body_type" => of(&[1, 2, 0, 3]),
        "version" => of(&[4, 1, 0]),
        "root_certificates" => of(&[2, 3, 0, 1, 4]),
        "expires_in_s" => of(&[60, 0, 1, 604_800, u64::MAX]),
        "seconds" | "expires" => of(&[4_000_000_000, 0, 1, 600, u64::MAX, i64::MAX as u64]),
        "len" => of(&[5, 0, 1, u64::MAX, 250_000, u64::MAX - 1]),
        "offset" => of(&[0, 1, 5, 6, u64::MAX]),
        _ => of(&[
            5,
            0,
            1,
            2,
            3,
            4,
            100,
            102_400,
            819_200,
            1 << 20,
            1 << 31,
            1 << 32,
            1 << 48,
            i64::MAX as u64,
            u64::MAX,
        ]),
    }
}

/// Says what a new handle needs before it is good for anything; a program may say otherwise afterwards.
pub fn complete(kind: &str, handle: *mut c_void) {
    let text = |text: &str| CString::new(text).expect("no NUL");
    let (endpoint, region) = (text(&format!("http://{}", *SERVER)), text("cn-hangzhou"));
    let (id, secret) = (text("id"), text("secret"));
    let (url, body) = (text("http://app.example.com/cb"), text(BODY));
    let (key_url, pem, key) = (
        text(deliver::KEY_URL),
        text(deliver::PUBLIC_KEY),
        text("a/b"),
    );
    // SAFETY: a live handle of this kind, and texts that are copied.
    unsafe {
        match kind {
            "client_options" => {
                calls::oss_callback_client_options_set_endpoint(handle, endpoint.as_ptr());
                calls::oss_callback_client_options_set_region(handle, region.as_ptr());
                calls::oss_callback_client_options_set_credentials(
                    handle,
                    id.as_ptr(),
                    secret.as_ptr(),
                    std::ptr::null(),
                );
                calls::oss_callback_client_options_set_max_attempts(handle, 2);
                calls::oss_callback_client_options_set_retry_base_delay_ms(handle, 0);
                calls::oss_callback_client_options_set_retry_max_delay_ms(handle, 0);
                calls::oss_callback_client_options_set_timeout_ms(handle, 2_000);
            }
            "spec_options" => {
                calls::oss_callback_spec_options_add_url(handle, url.as_ptr());
                calls::oss_callback_spec_options_set_body(handle, body.as_ptr());
            }
            "post_policy" => calls::oss_callback_post_policy_set_key(handle, key.as_ptr()),
            "permission" => {
                calls::oss_callback_permission_set_max_size(handle, 100);
                calls::oss_callback_permission_set_valid_for_s(handle, 600);
            }
            "verifier_options" => calls::oss_callback_verifier_options_trust_key_url_for_tests(
                handle,
                key_url.as_ptr(),
                pem.as_ptr(),
            ),
            _ => {}
        }
    }
}
