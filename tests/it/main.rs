//! The library over real sockets: a module for each subject, in one program. What needs a process of its own, or compiles
//! programs in other languages, stands beside this folder.

mod addresses;
mod callback_hostile;
mod callback_outcomes;
mod callback_preview;
mod callback_seal;
mod callback_verify;
mod cancel;
mod changing_files;
mod checkpoint_files;
mod clock;
mod credentials;
mod early_answers;
mod every_request;
mod failing_network;
mod faults;
#[cfg(feature = "tls")]
mod fetching_keys;
mod hostile_answers;
mod lost_answers;
mod lost_uploads;
mod multipart;
mod multipart_faults;
mod multipart_lost_answers;
mod network;
mod not_oss;
mod object;
mod post_object;
mod presigned;
mod properties;
mod proxies;
mod put_object;
mod put_options;
mod reconcile;
mod resumed_upload;
mod retries;
mod shared_options;
mod slow_lines;
#[cfg(feature = "tls")]
mod tls;
mod upload_file;
mod wrong_endpoint;
