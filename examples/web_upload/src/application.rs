//! What the application server decides and remembers.

use std::collections::VecDeque;
use std::env;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use oss_callback::callback::{
    CallbackRequest, Permission, ReplayGuard, Reply, Sealer, Seen, Verifier, reply_ok,
};
use oss_callback::{CallbackSpec, CallbackSpecBuilder, Client, PresignOptions, Result};
use serde_json::{Value, json};
use tokio::sync::watch;

/// The largest file in bytes.
const MAX_SIZE: u64 = 20 * 1024 * 1024;
/// How many uploads are remembered for their pages.
const REMEMBERED: usize = 1000;

/// What a page wants to upload.
pub struct Wish {
    /// A form, or else a presigned URL.
    form: bool,
    name: String,
    size: u64,
    content_type: String,
    /// For the demonstration: a permission that has expired at once.
    expired: bool,
    /// For the demonstration: the callback of this upload is refused.
    refused: bool,
}

impl Wish {
    /// Reads what the page sends; the error is for its user.
    pub fn parse(json: &[u8]) -> std::result::Result<Wish, String> {
        let value: Value = serde_json::from_slice(json).unwrap_or_default();
        let text = |name: &str| value[name].as_str().unwrap_or_default();
        let size = value["size"]
            .as_u64()
            .ok_or("The page did not say how large the file is.")?;
        if size > MAX_SIZE {
            let most = MAX_SIZE / 1024 / 1024;
            return Err(format!(
                "The file is too large: at most {most} MiB are permitted."
            ));
        }
        // The last part of a path, without what is no text.
        let name = text("name").rsplit(['/', '\\']).next().unwrap_or_default();
        let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
        let is_type =
            |text: &&str| text.contains('/') && text.bytes().all(|b| b.is_ascii_graphic());
        let content_type = Some(text("type")).filter(is_type);
        Ok(Wish {
            form: text("by") == "form",
            name: if name.is_empty() {
                "file".to_owned()
            } else {
                name
            },
            size,
            content_type: content_type
                .unwrap_or("application/octet-stream")
                .to_owned(),
            expired: text("trouble") == "expired",
            refused: text("trouble") == "refused",
        })
    }
}

/// An upload that was permitted, and what its callback said.
struct Upload {
    id: String,
    refused: bool,
    told: watch::Sender<Option<String>>,
}

pub struct Application {
    client: Client,
    bucket: String,
    callback_url: String,
    verifier: Verifier,
    sealer: Sealer,
    guard: ReplayGuard,
    uploads: Mutex<VecDeque<Arc<Upload>>>,
}

impl Application {
    pub fn new(
        client: Client,
        bucket: &str,
        callback_url: &str,
        verifier: Verifier,
    ) -> std::result::Result<Application, Box<dyn Error>> {
        let secret = env::var("SEAL_SECRET").or_else(|_| random())?;
        Ok(Application {
            client,
            bucket: bucket.to_owned(),
            callback_url: callback_url.to_owned(),
            verifier,
            sealer: Sealer::new("web-upload", secret.as_bytes())?,
            guard: ReplayGuard::in_memory(100_000),
            uploads: Mutex::default(),
        })
    }

    /// The permission to upload one file once, as JSON for the page.
    pub fn permit(&self, wish: &Wish) -> std::result::Result<String, Box<dyn Error>> {
        let id = random()?;
        // Nobody else has this name.
        let object = format!("uploads/{}/{}", &id[..12], wish.name);
        let (client, bucket, size) = (&self.client, &self.bucket, wish.size);
        let content_type = &wish.content_type;
        let life = Duration::from_secs(if wish.expired { 1 } else { 600 });
        // README begin
        let seal = Permission::object(bucket, &object).exact_size(size);
        let callback = self.callback(&id);
        let callback = self.sealer.seal(callback, &seal.valid_for(life))?;
        let permission = if wish.form {
            let policy = client.post_policy(bucket).key(&object).callback(&callback);
            let policy = policy.content_type(content_type).forbid_overwrite(true);
            let policy = policy.content_length_range(size..=size).expires_in(life);
            policy.sign()?.to_json()
        } else {
            let put = client.put_object(bucket, &object).callback(&callback);
            let put = put.content_type(content_type).forbid_overwrite(true);
            let options = PresignOptions::expires_in(life).content_length(size);
            put.presign(&options)?.to_json()
        };
        // README end
        self.remember(Upload {
            id: id.clone(),
            refused: wish.refused,
            told: watch::Sender::new(None),
        });
        let permission: Value = serde_json::from_str(&permission)?;
        let answer = json!({ "upload": id, "object": object, "permission": permission });
        Ok(answer.to_string())
    }

    /// What OSS is to say here once the object is stored.
    fn callback(&self, id: &str) -> CallbackSpecBuilder {
        let body =
            "bucket=${bucket}&object=${object}&size=${size}&upload=${x:upload}&seal=${x:seal}";
        CallbackSpec::builder()
            .url(&self.callback_url)
            .body(body)
            .variable("upload", id)
    }

    /// `None` for a callback that is not to be agreed with.
    pub fn called_back(&self, request: &CallbackRequest<'_>) -> Result<Option<Reply>> {
        let verified = self.verifier.verify(request)?; // OSS has sent it
        let sealed = self.sealer.check(&verified)?; // we have permitted the upload
        let seen = self.guard.check(&sealed)?; // is it new?
        if seen == Seen::Replayed {
            return Ok(None);
        }
        let upload = self.find(sealed.variable("upload").unwrap_or_default());
        let refused = upload.as_ref().is_some_and(|upload| upload.refused);
        if let Some(upload) = upload {
            let report = json!({
                "bucket": sealed.bucket(),
                "object": sealed.object(),
                "size": sealed.size(),
                "agreed": !refused,
            });
            upload.told.send_replace(Some(report.to_string()));
        }
        if refused {
            return Ok(None);
        }
        reply_ok(json!({ "Status": "OK", "object": sealed.object() }).to_string()).map(Some)
    }

    /// Where the callback of an upload is told.
    pub fn told(&self, id: &str) -> Option<watch::Receiver<Option<String>>> {
        self.find(id).map(|upload| upload.told.subscribe())
    }

    fn find(&self, id: &str) -> Option<Arc<Upload>> {
        let uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.iter().find(|upload| upload.id == id).cloned()
    }

    fn remember(&self, upload: Upload) {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.push_front(Arc::new(upload));
        uploads.truncate(REMEMBERED);
    }
}

/// 128 random bits.
fn random() -> std::result::Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
