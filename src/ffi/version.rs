//! The version, for programs that cannot see macros or that link dynamically.

use libc::c_char;

/// The version of the linked library, such as "0.1.0"; OSS_CALLBACK_VERSION is that of this header. The
/// text is static. Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The version of the linked library as a number, like OSS_CALLBACK_VERSION_NUMBER of this header: major *
/// 1000000 + minor * 1000 + patch. Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_version_number() -> u32 {
    const fn number(text: &str) -> u32 {
        let mut number = 0;
        let mut index = 0;
        while index < text.len() {
            number = number * 10 + (text.as_bytes()[index] - b'0') as u32;
            index += 1;
        }
        number
    }
    number(env!("CARGO_PKG_VERSION_MAJOR")) * 1_000_000
        + number(env!("CARGO_PKG_VERSION_MINOR")) * 1_000
        + number(env!("CARGO_PKG_VERSION_PATCH"))
}
