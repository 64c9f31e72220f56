//! TLS on both sides: what the server shows, and whom it believes.

mod identity;
mod trust;

use std::sync::Arc;

pub(crate) use identity::Identity;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
pub(crate) use trust::Trust;

/// Named everywhere: the process may have another default, or none.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
