//! The C ABI, and the only place with `unsafe`.
//!
//! The doc comments in this folder become `include/oss_callback.h`, so they speak to a C reader. The sections of the header
//! are in build.rs. The rules of the boundary:
//!
//! * A handle is a `Box` that C owns between `_new` (or an output parameter) and `_free`. It is opaque, so
//!   it can grow. It comes in as `Option<&T>` or `Option<&mut T>`, and back as `Option<Box<T>>`: C's pointers have the same
//!   layout, NULL is `None`. Outputs are `Option<&mut MaybeUninit<T>>`, since a variable of C's may be uninitialised. Where
//!   several threads may change a handle at once, or a hook may come back with it, it is never `&mut`.
//! * Every function runs its body in a [`guard`]: a panic becomes `OSS_CALLBACK_CODE_INTERNAL`, never
//!   an unwinding into C.
//! * Every pointer may be NULL. Arguments are read during the call only and copied when they are kept.
//! * Outputs are written on success only, `*error` on failure only.
//! * Setters return nothing. The first error that one finds stays in the options and is reported by
//!   the function that uses them, so that a C program checks one code and not ten. NULL takes an optional setting back, unless
//!   less would be checked without it.
//! * Enumerations come in as `uint32_t`, or in OSS's own words where they are OSS's: an unknown number in a
//!   Rust enum is undefined behaviour.
//! * A hook is called on the thread and during the call that it was given to; only those for credentials are
//!   called on any thread, one call at a time. What a hook returns is checked before it is believed.
//! * What an application server calls is left out by the feature `small`, and marked in the header by build.rs.
//! * Nothing here reaches below the crate's public interface, except to make an [`Error`](crate::Error), and to ask options
//!   who pays and what their retry policy is so far.

// C's names, so that the header, the Rust source and the symbols agree to the letter.
#![allow(non_camel_case_types, reason = "C's names")]

mod attempt;
mod body_template;
mod cancellation;
mod client;
mod client_addresses;
mod code;
mod credentials;
#[allow(dead_code, reason = "they are for C")]
mod defaults;
#[cfg(unix)]
mod descriptor;
mod error;
#[cfg(not(feature = "small"))]
mod explain;
mod file_options;
mod guard;
mod hooks;
mod limits;
mod multipart;
mod multipart_uploads;
mod object;
mod operation_options;
mod options;
mod parts;
mod pointers;
mod post_form;
mod post_object;
#[cfg(not(feature = "small"))]
mod post_policy;
#[cfg(not(feature = "small"))]
mod presign;
mod presigned_url;
mod proxy;
mod put;
mod put_headers;
mod put_options;
mod put_values;
mod receipt;
mod reconcile;
#[cfg(not(feature = "small"))]
mod reply;
#[cfg(not(feature = "small"))]
mod sealer;
mod spec;
mod text;
mod tls;
mod unwind;
mod upload_file;
mod upload_part;
mod verdict;
#[cfg(not(feature = "small"))]
mod verified;
#[cfg(not(feature = "small"))]
mod verifier;
mod version;

#[cfg(test)]
mod tests {
    fn may_be_shared<T: Send + Sync>() {}

    #[test]
    fn handles_may_be_used_from_the_threads_that_the_header_allows() {
        may_be_shared::<super::attempt::oss_callback_attempt>();
        may_be_shared::<super::body_template::oss_callback_body_template>();
        may_be_shared::<super::cancellation::oss_callback_cancellation>();
        may_be_shared::<super::client::oss_callback_client>();
        may_be_shared::<super::client::oss_callback_client_options>();
        may_be_shared::<super::error::oss_callback_error>();
        may_be_shared::<super::multipart::oss_callback_multipart_upload>();
        may_be_shared::<super::multipart_uploads::oss_callback_multipart_uploads>();
        may_be_shared::<super::post_form::oss_callback_post_form>();
        may_be_shared::<super::presigned_url::oss_callback_presigned_url>();
        may_be_shared::<super::object::oss_callback_object_metadata>();
        may_be_shared::<super::operation_options::oss_callback_operation_options>();
        may_be_shared::<super::parts::oss_callback_parts>();
        may_be_shared::<super::put_options::oss_callback_put_options>();
        may_be_shared::<super::receipt::oss_callback_receipt>();
        may_be_shared::<super::reconcile::oss_callback_reconciled>();
        may_be_shared::<super::spec::oss_callback_spec>();
        may_be_shared::<super::spec::oss_callback_spec_options>();
    }

    #[cfg(not(feature = "small"))]
    #[test]
    fn so_may_those_that_a_small_library_lacks() {
        may_be_shared::<super::explain::oss_callback_explanation>();
        may_be_shared::<super::explain::oss_callback_object_facts>();
        may_be_shared::<super::explain::oss_callback_preview>();
        may_be_shared::<super::post_policy::oss_callback_post_policy>();
        may_be_shared::<super::reply::oss_callback_reply>();
        may_be_shared::<super::sealer::oss_callback_permission>();
        may_be_shared::<super::sealer::oss_callback_replay_guard>();
        may_be_shared::<super::sealer::oss_callback_sealed>();
        may_be_shared::<super::sealer::oss_callback_sealer>();
        may_be_shared::<super::verified::oss_callback_verified>();
        may_be_shared::<super::verifier::oss_callback_verifier>();
        may_be_shared::<super::verifier::oss_callback_verifier_options>();
    }
}
