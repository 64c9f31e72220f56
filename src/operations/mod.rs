//! What a client can be asked to do.

pub(crate) mod multipart;
pub(crate) mod object;
pub(crate) mod post_object;
pub(crate) mod post_policy;
pub(crate) mod presign;
pub(crate) mod put;
pub(crate) mod put_options;
pub(crate) mod reconcile;
pub(crate) mod upload;
