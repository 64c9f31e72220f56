//! Cases in Rust.

use std::io::{self, Cursor};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oss_callback::{
    Answered, CallbackSpec, Client, Credentials, Error, ErrorKind, MultipartUpload, Part,
    PresignOptions, Receipt, Reconciled, Result, RetryPolicy, RootCertificates, SignatureVersion,
    Stored,
};

use super::case::{Case, Limits, Operation, Retry, Way};
use super::checker::{LONG, ReceiptFacts, Verdict};
use super::scene::{self, Looked, Place, Uploader};
use support::{BUCKET, KEY_ID, TemporaryFile, client_builder};

/// Uploads by the crate.
#[derive(Default)]
pub struct InRust {
    client: Option<Client>,
    error: Option<Error>,
}

impl Uploader for InRust {
    fn prepare(&mut self, case: &Case, place: &Place<'_>) {
        let client = client(case, place);
        if case.warm {
            // Whatever comes of it.
            let _ = client.put_object(BUCKET, "warm").send_bytes("warm");
        }
        self.client = Some(client);
    }

    fn upload(&mut self, case: &Case, place: &Place<'_>) -> Verdict {
        let client = self.client.take().expect("it is prepared");
        let mut begun = None;
        let result = upload(&client, case, place, &mut begun);
        let mut verdict = verdict(&result);
        if let Some(begun) = begun {
            verdict.begun = Some(begun.upload_id().to_owned());
            verdict.notes.extend_from_slice(begun.notes());
        }
        self.error = result.err();
        verdict
    }

    fn reconcile(&mut self, _: &Case, place: &Place<'_>) -> Looked {
        let error = self
            .error
            .as_ref()
            .expect("there is something to reconcile");
        let etag = |object: oss_callback::ObjectMetadata| object.etag().map(str::to_owned);
        match scene::client(place).reconcile(error).send() {
            Ok(Reconciled::Stored(object)) => Looked::Stored(etag(object)),
            Ok(Reconciled::ContentPresent(object)) => Looked::ContentPresent(etag(object)),
            Ok(Reconciled::NotThere { .. }) => Looked::NotThere,
            Ok(Reconciled::StillUnknown) => Looked::StillUnknown,
            Ok(other) => Looked::Failed(format!("{other:?}")),
            Err(error) => Looked::Failed(code(error.kind())),
        }
    }
}

fn client(case: &Case, place: &Place<'_>) -> Client {
    let mut builder = client_builder(&place.endpoint)
        .path_style(true)
        .root_certificates(RootCertificates::None)
        .max_answer_len(64 * 1024)
        .retry_policy(match case.retry {
            Retry::None => RetryPolicy::none(),
            _ => RetryPolicy::default().base_delay(Duration::from_millis(2)),
        });
    if let Some(certificate) = &place.certificate {
        builder = builder.ca_bundle(certificate.as_str());
    }
    if case.version_1 {
        builder = builder.signature_version(SignatureVersion::V1);
    }
    if case.wrong_key {
        builder = builder.credentials(Credentials::new(KEY_ID, "wrong"));
    }
    let each = |limit| Duration::from_millis(limit);
    builder = match case.limits {
        Limits::Long => builder.timeout(LONG),
        Limits::Short(limit) => builder
            .connect_timeout(each(limit))
            .progress_timeout(each(limit))
            .answer_timeout(each(limit))
            .timeout(each(2 * limit)),
        Limits::Each(limit) => builder
            .connect_timeout(each(limit))
            .progress_timeout(each(limit))
            .answer_timeout(each(limit)),
    };
    let (network, refused) = (place.network, place.refused);
    let name = |addresses: Vec<_>| builder.clone().resolver(move |_, _| Ok(addresses.clone()));
    let asked = AtomicUsize::new(0);
    let builder = match case.way {
        Way::Address => builder,
        Way::Name => name(vec![network]),
        Way::SecondAddress => name(vec![refused, network]),
        Way::Refused => name(vec![refused, refused]),
        Way::Empty => name(Vec::new()),
        Way::NotFound => builder.resolver(|_, _| Err(io::Error::other("no such name"))),
        Way::FoundLater => {
            builder.resolver(move |_, _| match asked.fetch_add(1, Ordering::SeqCst) {
                0 => Err(io::Error::other("no such name for now")),
                _ => Ok(vec![network]),
            })
        }
    };
    builder.build().unwrap()
}

fn spec(place: &Place<'_>) -> Option<CallbackSpec> {
    if place.callback_urls.is_empty() {
        return None;
    }
    let urls = place.callback_urls.iter();
    let spec = urls.fold(CallbackSpec::builder(), |spec, url| spec.url(url));
    let spec = spec.body("filename=${object}&size=${size}");
    Some(spec.build().unwrap())
}

/// Tells which upload it has begun, if it does so itself.
fn upload(
    client: &Client,
    case: &Case,
    place: &Place<'_>,
    begun: &mut Option<MultipartUpload>,
) -> Result<Receipt> {
    let (key, contents) = (case.key(), case.contents());
    let (len, spec) = (contents.len() as u64, spec(place));
    let idempotent = case.retry == Retry::Idempotent;
    let mut put = client
        .put_object(BUCKET, &key)
        .callback_is_idempotent(idempotent);
    if let Some(spec) = &spec {
        put = put.callback(spec);
    }
    if case.idempotency_id {
        put = put.idempotency_id(&key);
    }
    match case.operation {
        Operation::PutBytes => put.send_bytes(&contents),
        Operation::PutFile => put.send_file(TemporaryFile::new("case", &contents).path()),
        Operation::PutFileRange => {
            let file = TemporaryFile::new("case", &[b"before", &contents[..], b"behind"].concat());
            put.send_file_range(file.path(), 6, len)
        }
        Operation::PutRewindable => {
            let mut reader = Cursor::new([b"before", &contents[..], b"behind"].concat());
            reader.set_position(6);
            put.send_rewindable(reader, len)
        }
        Operation::PutReader => put.send_reader(&contents[..], len),
        Operation::PutChunked => put.send_reader_chunked(&contents[..]),
        Operation::PutWithUrl => {
            let url = put.presign(&PresignOptions::expires_in(Duration::from_secs(3600)))?;
            client
                .put_object_with_url(&url)
                .callback_is_idempotent(idempotent)
                .send_bytes(&contents)
        }
        Operation::PostObject => {
            let mut policy = client.post_policy(BUCKET).key(&key);
            if let Some(spec) = &spec {
                policy = policy.callback(spec);
            }
            client
                .post_object(&policy.sign()?)
                .callback_is_idempotent(idempotent)
                .send_bytes(&contents)
        }
        Operation::UploadFile => {
            let file = TemporaryFile::new("case", &contents);
            let mut upload = client
                .upload_file(BUCKET, &key)
                .part_size(case.part_len as u64)
                .parallel(case.parallel)
                .callback_is_idempotent(idempotent);
            if let Some(spec) = &spec {
                upload = upload.callback(spec);
            }
            if case.idempotency_id {
                upload = upload.idempotency_id(&key);
            }
            upload.send(file.path())
        }
        Operation::Multipart | Operation::MultipartAll => {
            in_parts(client, case, place, spec.as_ref(), begun)
        }
    }
}

/// Step by step; a step that fails is the end.
fn in_parts(
    client: &Client,
    case: &Case,
    place: &Place<'_>,
    spec: Option<&CallbackSpec>,
    begun: &mut Option<MultipartUpload>,
) -> Result<Receipt> {
    let contents = case.contents();
    let mut initiate = client.initiate_multipart_upload(BUCKET, &case.key());
    if case.idempotency_id {
        initiate = initiate.idempotency_id(&case.key());
    }
    let upload = begun.insert(initiate.send()?);
    let (mut parts, mut begin) = (Vec::<Part>::new(), 0);
    for (index, len) in case.parts().into_iter().enumerate() {
        let part = upload.upload_part(index as u32 + 1);
        parts.push(part.send_bytes(&contents[begin..begin + len])?);
        begin += len;
    }
    if case.late {
        (place.begin_faults)();
    }
    let mut complete = upload.complete();
    if let Some(spec) = spec {
        complete = complete.callback(spec);
    }
    match case.operation {
        Operation::MultipartAll => complete.send_all(),
        _ => complete.send(&parts),
    }
}

fn verdict(result: &Result<Receipt>) -> Verdict {
    match result {
        Ok(receipt) => Verdict {
            code: "OK".to_owned(),
            stored: Stored::Yes,
            answered: Answered::Yes,
            attempts: receipt.attempts(),
            history: receipt
                .history()
                .iter()
                .map(|attempt| code(attempt.kind))
                .collect(),
            receipt: Some(facts(receipt)),
            upload_id: None,
            notes: receipt.notes().to_vec(),
            begun: None,
            message: String::new(),
        },
        Err(error) => Verdict {
            code: code(error.kind()),
            stored: error.stored(),
            answered: error.answered(),
            attempts: error.attempts(),
            history: error
                .history()
                .iter()
                .map(|attempt| code(attempt.kind))
                .collect(),
            receipt: error.receipt().map(facts),
            upload_id: error.upload_id().map(str::to_owned),
            notes: error.notes().to_vec(),
            begun: None,
            message: error.to_string(),
        },
    }
}

fn facts(receipt: &Receipt) -> ReceiptFacts {
    ReceiptFacts {
        etag: receipt.etag().map(str::to_owned),
        crc64: receipt.crc64(),
        request_id: receipt.request_id().map(str::to_owned),
        answer: receipt.answer().to_vec(),
    }
}

/// `ConnectionLost` as C has it: `CONNECTION_LOST`.
fn code(kind: ErrorKind) -> String {
    let mut code = String::new();
    for letter in format!("{kind:?}").chars() {
        if letter.is_uppercase() && !code.is_empty() {
            code.push('_');
        }
        code.push(letter.to_ascii_uppercase());
    }
    code
}
