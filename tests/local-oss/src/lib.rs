//! An OSS-compatible server for tests and for the laptop.
//!
//! It checks the signatures of requests, keeps objects in memory, and delivers upload callbacks as Alibaba Cloud OSS does:
//! validated, substituted, signed, and answered with 200 or 203. It says exactly what it stored and delivered.
//!
//! [`Server`] is the server, [`Receiver`] an application server to be called back. Both run on threads of their own and are
//! used without `async`.
//!
//! ```
//! use local_oss::{Answer, Receiver, Server};
//!
//! # fn main() -> std::io::Result<()> {
//! let receiver = Receiver::start(|_| Answer::json(r#"{"Status":"OK"}"#))?;
//! let server = Server::builder().credentials("AK", "SK").start()?;
//! // Upload to `server.endpoint()` with the callback URL `receiver.url("/callback")`; then look:
//! println!("{:?} {:?} {:?}", server.stored(), server.deliveries(), receiver.requests());
//! # Ok(())
//! # }
//! ```

mod addressing;
mod answer;
mod authorization;
mod background;
mod builder;
mod callback;
mod clock;
mod connection;
mod cors;
mod cors_rules;
mod crc64;
mod element;
mod encoding;
mod error;
mod form;
mod gzip;
mod history;
mod image;
mod log;
mod memory;
mod message;
mod multipart_request;
mod objects;
mod operations;
mod pace;
mod query;
mod receiver;
mod record;
mod send;
mod server;
mod service;
mod settings;
mod storage;
mod timestamp;
mod tls;
mod uploads;
mod xml;

pub use builder::{
    Builder, DEFAULT_ACCESS_KEY_ID, DEFAULT_ACCESS_KEY_SECRET, DEFAULT_BUCKET,
    DEFAULT_CALLBACK_KEY_BITS, DEFAULT_CALLBACK_TIMEOUT, DEFAULT_HISTORY_BYTES,
    DEFAULT_IDLE_TIMEOUT, DEFAULT_MAX_CALLBACKS, DEFAULT_MAX_TOTAL_BYTES, DEFAULT_MIN_PART_SIZE,
    DEFAULT_REGION,
};
pub use callback::CallbackKey;
pub use multipart_request::{MultipartRequest, OpenUpload};
pub use receiver::{Answer, ReceivedRequest, Receiver, RefusedAddress};
pub use record::{CallbackAnswer, Delivery, Stored};
pub use send::Sending;
pub use server::Server;
