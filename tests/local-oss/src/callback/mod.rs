//! Upload callbacks: checked before the object is stored, delivered after.

mod check;
mod delivery;
mod exchange;
mod key;
mod template;
mod url;

use std::{io, net::SocketAddr, sync::Arc};

pub(crate) use check::{Placed, Rules, check};
pub(crate) use delivery::{Deliverer, Upload};
pub use key::CallbackKey;
pub(crate) use key::KEY_PATH;
use template::{BodyType, Template};
use url::CallbackUrl;

/// Turns the host and port of a callback URL into addresses.
pub(crate) type Resolver = Arc<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// A callback that OSS accepts.
#[derive(Debug)]
pub(crate) struct Callback {
    /// One to five, each with the addresses found when it was checked.
    targets: Vec<(CallbackUrl, Vec<SocketAddr>)>,
    host: Option<String>,
    body: Template,
    body_type: BodyType,
    variables: Vec<(String, String)>,
    /// Tell https servers which name is meant.
    sni: bool,
    /// Sent besides OSS's own.
    additional_headers: Vec<(String, String)>,
}

impl Callback {
    /// With variables that came apart from it, and outweigh those that it has.
    pub(crate) fn with_variables(mut self, variables: Vec<(String, String)>) -> Self {
        self.variables.splice(0..0, variables);
        self
    }

    /// The names of variables that the documentation forbids, since they do not begin with `x:`.
    pub(crate) fn odd_variables(&self) -> Vec<&str> {
        let names = self.variables.iter().map(|(name, _)| name.as_str());
        names.filter(|name| !name.starts_with("x:")).collect()
    }

    /// Does its body tell of the object as an image?
    pub(crate) fn asks_for_image(&self) -> bool {
        self.body.asks_for("imageInfo.")
    }
}
