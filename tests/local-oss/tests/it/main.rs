//! The server over real sockets: a module for each subject, in one program.

mod client;

mod access;
mod append;
mod authorization;
mod bucket_cors;
mod bucket_life;
mod buckets;
mod callback_failures;
mod callback_policies;
mod callbacks;
mod clock;
mod copies;
mod cors;
mod deletes;
mod domains;
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
mod symlinks;
mod tags;
mod tls;
mod unsupported;
mod versions;
