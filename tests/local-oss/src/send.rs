//! A callback without an upload: for an application server under development.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, ToSocketAddrs},
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::header::HeaderValue;
use rand_core::{OsRng, RngCore};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use crate::{
    builder::DEFAULT_CALLBACK_TIMEOUT,
    callback::{self, CallbackKey, Deliverer, Placed, Rules, Upload},
    encoding::hex,
    log::Log,
    memory::Memory,
    objects::{Object, ObjectType},
    record::{Delivery, Record},
    service::RequestIds,
    storage::{Collector, Storage},
    tls::Trust,
};

/// A callback to be sent as if an object had been uploaded. It is checked, rendered, signed and judged as those of
/// [`Server`](crate::Server) are.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use local_oss::{Answer, CallbackKey, Receiver, Sending};
///
/// let receiver = Receiver::start(|_| Answer::status(204))?;
/// let key = CallbackKey::generate(512, "http://127.0.0.1:9000").map_err(std::io::Error::other)?;
/// let mut sending = Sending::new(key);
/// sending.callback.insert("callbackUrl".to_owned(), receiver.url("/callback").into());
/// sending.callback.insert("callbackBody".to_owned(), "object=${object}&size=${size}".into());
/// let deliveries = sending.send()?;
/// assert_eq!(deliveries[0].message.as_deref(), Some("Error status : 204."));
/// # Ok(())
/// # }
/// ```
pub struct Sending {
    /// The members of the callback: `callbackUrl`, `callbackBody` and so on.
    pub callback: Map<String, Value>,
    /// Variables, whose names begin with `x:`.
    pub variables: Map<String, Value>,
    /// The bucket of the object.
    pub bucket: String,
    /// Its key.
    pub object: String,
    /// Its contents.
    pub contents: Vec<u8>,
    /// Its Content-Type.
    pub content_type: String,
    /// How long each URL may take.
    pub timeout: Duration,
    /// Accept every certificate of https URLs.
    pub insecure: bool,
    key: CallbackKey,
}

impl Sending {
    /// A callback of an empty object, without URL and body.
    pub fn new(key: CallbackKey) -> Self {
        Self {
            callback: Map::new(),
            variables: Map::new(),
            bucket: crate::DEFAULT_BUCKET.to_owned(),
            object: "object".to_owned(),
            contents: Vec::new(),
            content_type: "application/octet-stream".to_owned(),
            timeout: DEFAULT_CALLBACK_TIMEOUT,
            insecure: false,
            key,
        }
    }

    /// Sends it to its URLs in order until one answers as OSS wants it, and says what became of each attempt.
    ///
    /// # Errors
    ///
    /// OSS would refuse the callback: the message is OSS's, with its number.
    pub fn send(self) -> io::Result<Vec<Delivery>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(self.deliver())
    }

    async fn deliver(self) -> io::Result<Vec<Delivery>> {
        let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidInput, message);
        let encode = |members: &Map<String, Value>| {
            STANDARD.encode(Value::Object(members.clone()).to_string())
        };
        let (callback, variables) = (encode(&self.callback), encode(&self.variables));
        let header = |text| Placed {
            header: Some(text),
            query: None,
        };
        let rules = Rules {
            strict: false,
            strict_variables: false,
            resolver: Arc::new(|host, port| Ok((host, port).to_socket_addrs()?.collect())),
        };
        let checked = callback::check(
            header(callback.as_bytes()),
            header(variables.as_bytes()),
            &rules,
        );
        let callback = match checked.await {
            Ok(Some(callback)) => callback,
            Ok(None) => return Err(invalid("there is no callback".to_owned())),
            Err(error) => {
                let ec = error.ec.map(|ec| format!(" ({ec})")).unwrap_or_default();
                return Err(invalid(format!(
                    "OSS would refuse this with {}: {}{ec}",
                    error.code, error.message
                )));
            }
        };

        let size = self.contents.len() as u64;
        let (storage, memory) = (Storage::Temporary, Memory::new(u64::MAX));
        let look = callback.asks_for_image();
        let mut collector = Collector::new(&storage, &memory, Some(size), look);
        let trouble = |trouble| io::Error::other(format!("{trouble:?}"));
        collector.push(&self.contents).await.map_err(trouble)?;
        let contents = collector.finish().await.map_err(trouble)?;
        let content_type = HeaderValue::from_str(&self.content_type)
            .map_err(|error| invalid(format!("the Content-Type: {error}")))?;
        let upload = Upload {
            request_id: RequestIds::new(OsRng.next_u64()).next(),
            operation: "PutObject",
            bucket: self.bucket,
            key: self.object,
            client_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            image: contents.image.clone(),
            object: Arc::new(Object {
                etag: hex(&contents.md5).to_ascii_uppercase(),
                object_type: ObjectType::Normal,
                contents,
                content_type,
                headers: Vec::new(),
                last_modified: SystemTime::now(),
            }),
        };
        let record = Arc::new(Record::new(usize::MAX, None)?);
        let deliverer = Deliverer {
            clock: Arc::default(),
            key: self.key,
            trust: Arc::new(Trust::new(None, self.insecure)?),
            timeout: self.timeout,
            places: Semaphore::new(1),
            record: Arc::clone(&record),
            log: Log { quiet: true },
        };
        // What became of it is in the record.
        let _ = deliverer.deliver(&callback, &upload).await;
        Ok(record.deliveries().all())
    }
}
