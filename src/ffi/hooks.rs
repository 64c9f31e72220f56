//! C functions that the library calls.

use libc::{c_int, c_void};

/// A number of bytes that is not known.
pub const OSS_CALLBACK_LEN_UNKNOWN: u64 = u64::MAX;

/// Told by an upload how many bytes of the body were handed over for sending, and of how many: `total` is
/// OSS_CALLBACK_LEN_UNKNOWN when that is not known. Returns zero to go on; anything else ends the upload with
/// OSS_CALLBACK_CODE_CANCELLED.
pub type oss_callback_progress_hook =
    Option<unsafe extern "C" fn(sent: u64, total: u64, userdata: *mut c_void) -> c_int>;

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
