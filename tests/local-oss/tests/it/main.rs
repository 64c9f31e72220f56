//! The server over real sockets: a module for each subject, in one program.

mod client;

mod authorization;
mod buckets;
mod callback_failures;
mod callbacks;
mod clock;
mod cors;
mod hostile;
mod multipart;
mod multipart_callbacks;
mod multipart_complete;
mod multipart_listings;
mod multipart_storage;
mod objects;
mod post_hostile;
mod post_object;
mod post_policy;
mod presigned;
mod program;
mod receiver;
mod send;
mod storage;
mod tls;
