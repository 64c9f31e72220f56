//! What an uploader says of the callback that it wants.

pub(crate) mod callback_spec;
mod check;
pub(crate) mod decoded;
mod explain;
mod preview;
pub(crate) mod template;
mod warnings;

pub use callback_spec::{CallbackSpec, CallbackSpecBuilder};
pub(crate) use check::MAX_URLS;
pub use explain::{Explanation, explain};
pub use preview::{CallbackPreview, ObjectFacts};
pub use template::{BodyTemplate, BodyType, TemplateValue};
pub use warnings::CallbackWarning;
