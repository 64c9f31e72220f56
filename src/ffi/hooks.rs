//! C functions that the library calls.

use std::io::{self, Read, Write};

use libc::{c_int, c_void, size_t};

use crate::{Error, Result};

/// An unknown number of bytes.
pub const OSS_CALLBACK_LEN_UNKNOWN: u64 = u64::MAX;

/// Receives the progress of an upload: `sent` bytes of the body, out of `total`, have left this machine. On
/// Linux and Android that means that the next machine has acknowledged them: the server, or a proxy. Other
/// systems do not tell, so there it means that the system has taken them. `total` may be
/// OSS_CALLBACK_LEN_UNKNOWN. Returns zero to continue. Any other number ends the upload with
/// OSS_CALLBACK_CODE_CANCELLED. If its last bytes were on their way by then, oss_callback_error_stored
/// returns OSS_CALLBACK_STORED_UNKNOWN.
pub type oss_callback_progress_hook =
    Option<unsafe extern "C" fn(sent: u64, total: u64, userdata: *mut c_void) -> c_int>;

/// Gives the next bytes of a body: writes at most `buffer_len` bytes to `buffer` and returns how many, or 0
/// at the end of the body. `buffer_len` is never 0. A negative number is a failure and appears in the
/// error's message. It ends the upload with OSS_CALLBACK_CODE_BODY_UNREADABLE, as does a number larger than
/// `buffer_len`. The hook is not called again after the end or a failure.
pub type oss_callback_read_hook =
    Option<unsafe extern "C" fn(buffer: *mut u8, buffer_len: size_t, userdata: *mut c_void) -> i64>;

/// Takes the next `bytes_len` bytes of a download, at least 1. Returns zero to continue. Any other number
/// ends the download with OSS_CALLBACK_CODE_WRITE_FAILED.
pub type oss_callback_write_hook = Option<
    unsafe extern "C" fn(bytes: *const u8, bytes_len: size_t, userdata: *mut c_void) -> c_int,
>;

/// A progress hook that was given, with its userdata.
#[derive(Clone, Copy)]
pub(super) struct ProgressHook {
    hook: unsafe extern "C" fn(u64, u64, *mut c_void) -> c_int,
    userdata: *mut c_void,
}

// SAFETY: the pointer is only handed back to the hook, and the header says on which threads.
unsafe impl Send for ProgressHook {}
// SAFETY: as above.
unsafe impl Sync for ProgressHook {}

impl ProgressHook {
    /// Nothing for a hook that is NULL.
    ///
    /// # Safety
    ///
    /// The hook can be called with this userdata as long as this value is used.
    pub(super) unsafe fn new(
        hook: oss_callback_progress_hook,
        userdata: *mut c_void,
    ) -> Option<ProgressHook> {
        hook.map(|hook| ProgressHook { hook, userdata })
    }

    /// Whether the upload goes on.
    pub(super) fn report(self, sent: u64, total: Option<u64>) -> bool {
        let total = total.unwrap_or(OSS_CALLBACK_LEN_UNKNOWN);
        // SAFETY: as the maker of this value promised.
        unsafe { (self.hook)(sent, total, self.userdata) == 0 }
    }
}

/// A read hook that was given, with its userdata.
pub(super) struct ReadHook {
    hook: unsafe extern "C" fn(*mut u8, size_t, *mut c_void) -> i64,
    userdata: *mut c_void,
    ended: bool,
}

impl ReadHook {
    /// # Safety
    ///
    /// The hook, if it is not NULL, can be called with this userdata as long as this value is used.
    pub(super) unsafe fn new(
        hook: oss_callback_read_hook,
        userdata: *mut c_void,
    ) -> Result<ReadHook> {
        let hook = hook.ok_or_else(|| Error::argument("`read_hook` is NULL"))?;
        Ok(ReadHook {
            hook,
            userdata,
            ended: false,
        })
    }
}

impl Read for ReadHook {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        // SAFETY: as the maker of this value promised; the buffer is writable as far as it is long.
        let count = unsafe { (self.hook)(buffer.as_mut_ptr(), buffer.len(), self.userdata) };
        let known = usize::try_from(count).ok();
        self.ended = known.is_none_or(|count| count == 0 || count > buffer.len());
        match known {
            Some(count) if count <= buffer.len() => Ok(count),
            Some(count) => Err(io::Error::other(format!(
                "the hook says that it gave {count} bytes where {} had room",
                buffer.len()
            ))),
            None => Err(io::Error::other(format!("the hook returned {count}"))),
        }
    }
}

/// A write hook that was given, with its userdata.
pub(super) struct WriteHook {
    hook: unsafe extern "C" fn(*const u8, size_t, *mut c_void) -> c_int,
    userdata: *mut c_void,
}

impl WriteHook {
    /// # Safety
    ///
    /// The hook, if it is not NULL, can be called with this userdata as long as this value is used.
    pub(super) unsafe fn new(
        hook: oss_callback_write_hook,
        userdata: *mut c_void,
    ) -> Result<WriteHook> {
        let hook = hook.ok_or_else(|| Error::argument("`write_hook` is NULL"))?;
        Ok(WriteHook { hook, userdata })
    }
}

impl Write for WriteHook {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        // SAFETY: as the maker of this value promised; the bytes are readable as far as they are long.
        match unsafe { (self.hook)(bytes.as_ptr(), bytes.len(), self.userdata) } {
            0 => Ok(bytes.len()),
            code => Err(io::Error::other(format!("the hook returned {code}"))),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
