//! How much of what was sent has not left: the send queue of a socket.
//!
//! A system takes megabytes at once, which a slow line carries away in minutes. Whoever counts what the system took knows
//! nothing of the line.

use std::net::TcpStream;

/// Unsent bytes for which the system makes room on a slow line, beside those that are on their way. So the last of a body is
/// still here when an upload is cancelled half way, and nothing of it is stored.
#[cfg(any(target_os = "linux", target_os = "android"))]
const MOST_UNSENT: u32 = 128 * 1024;

/// Keeps the part of the queue short that has not been sent. For a slow line only: a fast one would lose a tenth of its speed.
pub(super) fn keep_short(socket: &socket2::Socket) {
    // Where the system cannot do it, the queue is longer, and that is all.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_notsent_lowat(MOST_UNSENT);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = socket;
}

/// Bytes that the system took, and that the next machine has not acknowledged. 0 where the system does not tell: there they
/// have left once they were taken.
#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    any(
        target_arch = "x86_64",
        target_arch = "x86",
        target_arch = "aarch64",
        target_arch = "arm",
        target_arch = "riscv64",
        target_arch = "loongarch64",
        target_arch = "s390x"
    )
))]
#[allow(
    unsafe_code,
    reason = "no safe call tells the length of a send queue: rustix leaves it to its callers to name such a call"
)]
pub(super) fn waiting(stream: &TcpStream) -> u64 {
    use rustix::ioctl::{Getter, Opcode, ioctl};
    /// The number on these processors; others have their own.
    const SIOCOUTQ: Opcode = 0x5411;
    // SAFETY: Linux answers this request about a TCP socket by writing one `int`, and takes nothing (tcp(7)).
    let queue = unsafe { ioctl(stream, Getter::<SIOCOUTQ, std::ffi::c_int>::new()) };
    queue.map_or(0, |bytes| u64::try_from(bytes).unwrap_or(0))
}

#[cfg(not(all(
    any(target_os = "linux", target_os = "android"),
    any(
        target_arch = "x86_64",
        target_arch = "x86",
        target_arch = "aarch64",
        target_arch = "arm",
        target_arch = "riscv64",
        target_arch = "loongarch64",
        target_arch = "s390x"
    )
)))]
pub(super) fn waiting(_: &TcpStream) -> u64 {
    0
}
