//! Hooks that do what their userdata says, well or badly.

use std::ffi::{c_char, c_int, c_void};
use std::ptr::null;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::calls;

pub type CredentialsHook = Option<unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int>;
pub type DestroyHook = Option<unsafe extern "C" fn(*mut c_void)>;
pub type SignerHook = Option<
    unsafe extern "C" fn(*const c_char, u32, *const c_char, *mut c_char, usize, *mut c_void) -> i64,
>;
pub type ProgressHook = Option<unsafe extern "C" fn(u64, u64, *mut c_void) -> c_int>;
pub type ReadHook = Option<unsafe extern "C" fn(*mut u8, usize, *mut c_void) -> i64>;
pub type WriteHook = Option<unsafe extern "C" fn(*const u8, usize, *mut c_void) -> c_int>;

pub const CREDENTIALS_HOOK: CredentialsHook = Some(credentials_hook);
pub const DESTROY_HOOK: DestroyHook = Some(destroy_hook);
pub const SIGNER_HOOK: SignerHook = Some(signer_hook);
pub const PROGRESS_HOOK: ProgressHook = Some(progress_hook);
pub const READ_HOOK: ReadHook = Some(read_hook);
pub const WRITE_HOOK: WriteHook = Some(write_hook);

/// How many are waiting for their destroy hook.
static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// What a hook does, call by call: a byte each, and then zeros. Hooks of a client run on any thread.
pub struct Userdata {
    acts: Vec<u8>,
    next: AtomicUsize,
    is_owned: bool,
}

impl Userdata {
    pub fn new(acts: Vec<u8>, is_owned: bool) -> Userdata {
        ALIVE.fetch_add(usize::from(is_owned), Ordering::SeqCst);
        Userdata {
            acts,
            next: AtomicUsize::new(0),
            is_owned,
        }
    }

    pub fn alive() -> usize {
        ALIVE.load(Ordering::SeqCst)
    }
}

impl Drop for Userdata {
    fn drop(&mut self) {
        ALIVE.fetch_sub(usize::from(self.is_owned), Ordering::SeqCst);
    }
}

/// What to do now; `None` when nothing is left to be said.
fn act(userdata: *mut c_void) -> Option<u8> {
    // SAFETY: every hook is given one, which is there until it is destroyed.
    let userdata = unsafe { userdata.cast::<Userdata>().as_ref() }.expect("the userdata");
    let next = userdata.next.fetch_add(1, Ordering::SeqCst);
    userdata.acts.get(next).copied()
}

unsafe extern "C" fn destroy_hook(userdata: *mut c_void) {
    // SAFETY: given away as a box, and back once; AddressSanitizer sees a second time.
    drop(unsafe { Box::from_raw(userdata.cast::<Userdata>()) });
}

unsafe extern "C" fn progress_hook(sent: u64, total: u64, userdata: *mut c_void) -> c_int {
    assert!(sent <= total);
    c_int::from(act(userdata).unwrap_or_default() > 200)
}

unsafe extern "C" fn read_hook(buffer: *mut u8, buffer_len: usize, userdata: *mut c_void) -> i64 {
    assert_ne!(buffer_len, 0);
    match act(userdata) {
        None | Some(0) => 0,
        Some(255) => -1,
        Some(254) => i64::MIN,
        Some(253) => i64::MAX,
        Some(252) => buffer_len as i64 + 1,
        Some(act) => {
            let len = match act {
                251 => buffer_len,
                len => usize::from(len).min(buffer_len),
            };
            // SAFETY: there is room for so many.
            unsafe { buffer.write_bytes(b'x', len) };
            len as i64
        }
    }
}

unsafe extern "C" fn write_hook(
    bytes: *const u8,
    bytes_len: usize,
    userdata: *mut c_void,
) -> c_int {
    assert_ne!(bytes_len, 0);
    // SAFETY: valid during the call.
    let sum: u64 = unsafe { std::slice::from_raw_parts(bytes, bytes_len) }
        .iter()
        .map(|b| u64::from(*b))
        .sum();
    std::hint::black_box(sum);
    c_int::from(act(userdata).unwrap_or_default() > 200)
}

unsafe extern "C" fn credentials_hook(credentials: *mut c_void, userdata: *mut c_void) -> c_int {
    let act = act(userdata).unwrap_or_default();
    let (id, secret) = match act % 8 {
        0..=4 => (c"id".as_ptr(), c"secret".as_ptr()),
        5 => (null(), c"secret".as_ptr()),
        6 => (c"id".as_ptr(), null()),
        _ => (c"\xff".as_ptr(), c"".as_ptr()),
    };
    let token = if act & 8 == 0 {
        null()
    } else {
        c"token".as_ptr()
    };
    // SAFETY: the handle is good during the call, and the texts always.
    unsafe {
        if act & 16 == 0 {
            calls::oss_callback_credentials_set_key_pair(credentials, id, secret, token);
        }
        if act & 32 != 0 {
            let expires = [0, 4_000_000_000, u64::MAX][usize::from(act % 3)];
            calls::oss_callback_credentials_set_expires_at_s(credentials, expires);
        }
    }
    c_int::from(act > 240)
}

unsafe extern "C" fn signer_hook(
    string_to_sign: *const c_char,
    signature_version: u32,
    scope: *const c_char,
    signature: *mut c_char,
    signature_len: usize,
    userdata: *mut c_void,
) -> i64 {
    // SAFETY: NUL-terminated UTF-8.
    let text = unsafe { std::ffi::CStr::from_ptr(string_to_sign) };
    assert!(text.to_str().is_ok());
    assert_eq!(scope.is_null(), signature_version == 1);
    assert!(signature_len >= 256);
    let act = act(userdata).unwrap_or_default();
    // SAFETY: there is room for so many.
    unsafe {
        signature
            .cast::<u8>()
            .write_bytes(if act == 1 { 0xff } else { b'a' }, signature_len)
    };
    match act {
        0 => 64,
        250 => -1,
        251 => i64::MIN,
        252 => i64::MAX,
        253 => signature_len as i64 + 1,
        254 => signature_len as i64,
        len => i64::from(len),
    }
}
