//! Whether the object is stored and the callback answered.

use crate::{Answered, Stored};

/// Whether an operation stored the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum oss_callback_stored {
    /// Unknown: the answer was lost. Find out with oss_callback_client_reconcile before you upload again.
    Unknown = 0,
    /// No. Uploading again cannot store it twice.
    No = 1,
    /// Yes.
    Yes = 2,
}

/// Whether OSS accepted the application server's answer to the callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum oss_callback_answered {
    /// Unknown: OSS's answer was lost.
    Unknown = 0,
    /// No. With OSS_CALLBACK_CODE_CALLBACK_FAILED the application server may still have received the
    /// callback: it may have answered too late, or with something that OSS does not accept.
    No = 1,
    /// Yes: the application server answered, and OSS passed its answer on.
    Yes = 2,
    /// The request carried no callback.
    NotRequested = 3,
}

impl From<Stored> for oss_callback_stored {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Unknown => Self::Unknown,
            Stored::No => Self::No,
            Stored::Yes => Self::Yes,
        }
    }
}

impl From<Answered> for oss_callback_answered {
    fn from(answered: Answered) -> Self {
        match answered {
            Answered::Unknown => Self::Unknown,
            Answered::No => Self::No,
            Answered::Yes => Self::Yes,
            Answered::NotRequested => Self::NotRequested,
        }
    }
}
