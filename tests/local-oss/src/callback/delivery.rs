//! Delivers a callback to its URLs.

use std::{net::IpAddr, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use tokio::{sync::Semaphore, task::spawn_blocking, time::Instant};
use tokio_rustls::rustls::pki_types::ServerName;

use super::{
    Callback, CallbackKey,
    exchange::{Failure, Refused, Security, exchange},
    template::Value,
    url::CallbackUrl,
};
use crate::{
    clock::Clock,
    image::Image,
    log::Log,
    message::Headers,
    objects::Object,
    record::{CallbackAnswer, Delivery, Record},
    service::ACCOUNT,
    tls::Trust,
};

/// The upload that a callback reports.
pub(crate) struct Upload {
    pub(crate) request_id: String,
    pub(crate) operation: &'static str,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) object: Arc<Object>,
    pub(crate) client_ip: IpAddr,
    pub(crate) image: Option<Image>,
}

impl Upload {
    fn variable(&self, name: &str) -> Option<Value> {
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        let contents = &self.object.contents;
        match name {
            "bucket" => text(&self.bucket),
            "object" => text(&self.key),
            "etag" => text(&self.object.etag),
            "size" => Some(Value::Number(contents.size())),
            "mimeType" => text(&String::from_utf8_lossy(
                self.object.content_type.as_bytes(),
            )),
            // Whether OSS writes it with quotes in JSON is not known; a number of this size would lose digits there.
            "crc64" => text(&contents.crc64.to_string()),
            "contentMd5" => text(&self.object.content_md5()?),
            "clientIp" => text(&self.client_ip.to_string()),
            "reqId" => text(&self.request_id),
            "operation" => text(self.operation),
            "imageInfo.height" => Some(Value::Number(self.image.as_ref()?.height)),
            "imageInfo.width" => Some(Value::Number(self.image.as_ref()?.width)),
            "imageInfo.format" => text(self.image.as_ref()?.format),
            _ => None,
        }
    }
}

/// Delivers callbacks.
pub(crate) struct Deliverer {
    pub(crate) key: CallbackKey,
    pub(crate) clock: Arc<Clock>,
    /// Whose certificates https URLs may have.
    pub(crate) trust: Arc<Trust>,
    /// For each URL, from connecting to the last byte of the answer.
    pub(crate) timeout: Duration,
    /// One for each callback that may be under way.
    pub(crate) places: Semaphore,
    pub(crate) record: Arc<Record>,
    pub(crate) log: Log,
}

impl Deliverer {
    /// Tries the URLs in order until one answers well; otherwise the last failure counts.
    pub(crate) async fn deliver(
        &self,
        callback: &Callback,
        upload: &Upload,
    ) -> Result<CallbackAnswer, Failure> {
        // Not waited for: whoever waits here would wait for the slowest application server.
        let _place = self.places.try_acquire().map_err(|_| Failure::TooMany)?;
        let body = callback.body.render(callback.body_type, |name| {
            let custom = || {
                let mut variables = callback.variables.iter();
                let (_, value) = variables.find(|(known, _)| known == name)?;
                Some(Value::Text(value.clone()))
            };
            upload.variable(name).or_else(custom)
        });
        let mut last = Failure::Unreachable;
        for (url, addresses) in &callback.targets {
            let headers = self.headers(callback, url, upload, body.as_bytes());
            let request = request(url, &headers, body.as_bytes());
            let deadline = Instant::now() + self.timeout;
            let result = match self.security(url, callback.sni).await {
                Ok(security) => exchange(addresses, security, &request, deadline).await,
                Err(reason) => Err(Refused::without_answer(Failure::BadGateway, reason)),
            };
            self.write_down(url, upload, headers, body.as_bytes(), &result);
            match result {
                Ok(answer) => return Ok(answer),
                Err(refused) => last = refused.failure,
            }
        }
        Err(last)
    }

    /// `None` for http.
    async fn security(&self, url: &CallbackUrl, sni: bool) -> Result<Option<Security>, String> {
        if !url.https {
            return Ok(None);
        }
        let trust = Arc::clone(&self.trust);
        let connector = spawn_blocking(move || trust.connector(sni)).await;
        let connector = connector.map_err(|error| error.to_string())??;
        // Certificates have names without the dot of the root.
        let host = url.host.strip_suffix('.').unwrap_or(&url.host).to_owned();
        let name = ServerName::try_from(host).map_err(|error| error.to_string())?;
        Ok(Some(Security { connector, name }))
    }

    /// The headers of a real callback, in its order and spelling (seen in callbacks that OSS sent).
    fn headers(
        &self,
        callback: &Callback,
        url: &CallbackUrl,
        upload: &Upload,
        body: &[u8],
    ) -> Headers {
        // OSS's own samples have no port here, even where the URL does.
        let host = callback.host.as_ref().unwrap_or(&url.host);
        let mut headers: Headers = [
            ("Host", host.clone()),
            ("Connection", "close".to_owned()),
            ("Content-Length", body.len().to_string()),
            ("Authorization", self.key.sign(&url.target, body)),
            ("Content-MD5", STANDARD.encode(Md5::digest(body))),
            ("Content-Type", callback.body_type.content_type().to_owned()),
            ("Date", httpdate::fmt_http_date(self.clock.now())),
            ("User-Agent", "aliyun-oss-callback".to_owned()),
            ("x-oss-additional-headers", String::new()),
            ("x-oss-bucket", upload.bucket.clone()),
            ("x-oss-owner", ACCOUNT.to_owned()),
            ("x-oss-pub-key-url", STANDARD.encode(self.key.public_url())),
            ("x-oss-request-id", upload.request_id.clone()),
            ("x-oss-requester", ACCOUNT.to_owned()),
            ("x-oss-signature-version", "1.0".to_owned()),
            ("x-oss-tag", "CALLBACK".to_owned()),
            ("eagleeye-rpcid", "0.1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        // OSS's own cannot be replaced, nor can the length be said in another way (inferred).
        let is_own = |headers: &Headers, name: &str| {
            let mut own = headers.iter().map(|(own, _)| own.as_str());
            own.any(|own| own.eq_ignore_ascii_case(name))
                || name.eq_ignore_ascii_case("transfer-encoding")
        };
        for (name, value) in &callback.additional_headers {
            if !is_own(&headers, name) {
                headers.push((name.clone(), value.clone()));
            }
        }
        headers
    }

    fn write_down(
        &self,
        url: &CallbackUrl,
        upload: &Upload,
        headers: Headers,
        body: &[u8],
        result: &Result<CallbackAnswer, Refused>,
    ) {
        let (answer, failure) = match result {
            Ok(answer) => (Ok(answer.clone()), None),
            Err(refused) => (refused.answer.clone(), Some(&refused.failure)),
        };
        let came = match &answer {
            Ok(answer) => answer.status.to_string(),
            Err(reason) => reason.clone(),
        };
        let message = failure.map(Failure::message);
        let told = message.as_deref().unwrap_or("accepted");
        let id = &upload.request_id;
        let url_text = &url.text;
        self.log
            .line(format_args!("callback {url_text} -> {came}: {told} [{id}]"));
        self.record.add_delivery(Delivery {
            request_id: id.clone(),
            bucket: upload.bucket.clone(),
            key: upload.key.clone(),
            url: url_text.clone(),
            target: url.target.clone(),
            headers,
            body: body.to_vec(),
            answer,
            accepted: failure.is_none(),
            message,
            ec: failure.map(|failure| failure.ec().to_owned()),
        });
    }
}

/// The request as it goes out.
fn request(url: &CallbackUrl, headers: &Headers, body: &[u8]) -> Vec<u8> {
    let mut request = format!("POST {} HTTP/1.1\r\n", url.target).into_bytes();
    for (name, value) in headers {
        request.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body);
    request
}
