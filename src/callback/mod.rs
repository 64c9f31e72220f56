//! The receiving side: an application server asks whether a request is OSS's, reads it, and answers.
//!
//! ```no_run
//! use oss_callback::callback::{CallbackRequest, Verifier, reply_ok, reply_refused};
//!
//! # fn handle(verifier: &Verifier, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) {
//! let request = CallbackRequest::new(method, target, body).headers(headers.iter().copied());
//! let reply = match verifier.verify(&request).and_then(|verified| verified.parse()) {
//!     Ok(upload) => {
//!         println!("{:?} has {:?} bytes", upload.object(), upload.size());
//!         reply_ok(r#"{"Status":"OK"}"#).expect("it is JSON")
//!     }
//!     Err(error) => {
//!         eprintln!("{error}: {}", error.diagnosis().unwrap_or_default());
//!         reply_refused(&error)
//!     }
//! };
//! # }
//! ```
//!
//! A signature proves that OSS has sent the request, and no more: any customer of OSS can have such a
//! request sent to any URL, with any body. `docs/TRUSTING_A_CALLBACK.md` says what to do about it.

mod body;
#[cfg(feature = "tls")]
mod fetching_keys;
mod keys;
mod permission;
mod public_key;
mod replay;
mod reply;
mod request;
mod seal;
mod target;
mod verify;

pub use crate::spec::{Explanation, explain};
pub use body::CallbackBody;
#[cfg(feature = "tls")]
pub use fetching_keys::{FetchingKeys, FetchingKeysBuilder};
pub use keys::{KeySource, KnownKeys, key_unavailable};
pub use permission::Permission;
pub use public_key::PublicKey;
pub use replay::{NonceStore, ReplayGuard, Seen, replay_unknown};
pub use reply::{Reply, reply_ok, reply_refused};
pub use request::CallbackRequest;
pub use seal::{SealedCallback, Sealer};
pub use verify::{VerifiedCallback, Verifier, verify};
