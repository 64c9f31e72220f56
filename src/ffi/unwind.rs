//! Where a panic ends, and a thread cannot be cancelled.

use std::panic::{AssertUnwindSafe, catch_unwind};

#[cfg(all(unix, not(target_os = "android")))]
use libc::c_int;

/// Runs the body of a function that only looks something up; a panic gives `otherwise`.
pub(super) fn look<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch(body).unwrap_or(otherwise)
}

/// The one place where a panic ends, and where every call begins: a thread that is cancelled meanwhile finishes its call
/// first. A build with `--cfg panic_injection` has one in every body that comes here, so
/// that `tests/panics.rs` sees which functions do not.
pub(super) fn catch<T>(body: impl FnOnce() -> T) -> std::thread::Result<T> {
    let _uncancelled = Uncancelled::begin();
    catch_unwind(AssertUnwindSafe(|| {
        #[cfg(panic_injection)]
        injection::strike();
        body()
    }))
}

/// As long as it lives, `pthread_cancel` does not end this thread: that would unwind frames of Rust, which aborts the
/// process.
pub(super) struct Uncancelled {
    /// What was there before; `None` if the system could not say.
    #[cfg(all(unix, not(target_os = "android")))]
    before: Option<c_int>,
}

#[cfg(all(unix, not(target_os = "android")))]
mod cancel_state {
    use libc::c_int;

    /// `PTHREAD_CANCEL_DISABLE`, which the crate libc lacks.
    pub(super) const DISABLE: c_int = if cfg!(any(
        target_vendor = "apple",
        target_os = "aix",
        target_os = "hurd"
    )) {
        0
    } else {
        1
    };

    unsafe extern "C" {
        pub(super) fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }
}

impl Uncancelled {
    pub(super) fn begin() -> Uncancelled {
        Uncancelled {
            #[cfg(all(unix, not(target_os = "android")))]
            before: {
                let mut before = 0;
                // SAFETY: a state that exists, and a place for the one before.
                let failed = unsafe {
                    cancel_state::pthread_setcancelstate(cancel_state::DISABLE, &mut before)
                };
                (failed == 0).then_some(before)
            },
        }
    }
}

#[cfg(all(unix, not(target_os = "android")))]
impl Drop for Uncancelled {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            let mut ours = 0;
            // SAFETY: the state that was there before, and a place for ours. It ends no thread by itself: that happens
            // at the next cancellation point of the caller's.
            unsafe { cancel_state::pthread_setcancelstate(before, &mut ours) };
        }
    }
}

#[cfg(panic_injection)]
mod injection {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    static ON: AtomicBool = AtomicBool::new(false);
    static PANICS: AtomicU32 = AtomicU32::new(0);

    pub(super) fn strike() {
        if ON.load(Ordering::SeqCst) {
            PANICS.fetch_add(1, Ordering::SeqCst);
            panic!("injected");
        }
    }

    /// From now on there are panics, or none; says how many there were.
    #[unsafe(no_mangle)]
    extern "C" fn oss_callback_inject_panics(on: bool) -> u32 {
        ON.store(on, Ordering::SeqCst);
        PANICS.load(Ordering::SeqCst)
    }
}
