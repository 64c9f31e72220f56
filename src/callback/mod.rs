//! What OSS is asked to call.

mod check;
pub(crate) mod diagnosis;
mod spec;
mod template;

pub use spec::{CallbackSpec, CallbackSpecBuilder};
pub use template::{BodyTemplate, BodyType, TemplateValue};
