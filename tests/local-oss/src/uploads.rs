//! Multipart uploads that are open, and their parts.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use hyper::header::{HeaderName, HeaderValue};

use crate::{
    memory::Claim,
    storage::{Contents, Spool},
};

pub(crate) const PART_NUMBERS: std::ops::RangeInclusive<u32> = 1..=10_000;

/// A part that has come in whole. Another one of the same number takes its place.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) contents: Contents,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) last_modified: SystemTime,
}

/// An upload between Initiate and Complete or Abort.
#[derive(Debug)]
pub(crate) struct MultipartUpload {
    pub(crate) id: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) initiated: SystemTime,
    /// What Initiate said of the object.
    pub(crate) forbid_overwrite: bool,
    /// The parts come in order, and the object has the MD5 of its bytes.
    pub(crate) sequential: bool,
    pub(crate) content_type: HeaderValue,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) spool: Arc<Spool>,
    /// Whoever ends the upload holds it from the first look at the parts until the upload is gone, or stays.
    pub(crate) ending: tokio::sync::Mutex<()>,
    pub(crate) parts: Parts,
    /// Memory for all this.
    #[expect(dead_code, reason = "held, not used")]
    pub(crate) claim: Claim,
}

impl MultipartUpload {
    pub(crate) fn storage_class(&self) -> &str {
        self.header("x-oss-storage-class").unwrap_or("Standard")
    }

    /// One of its headers, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        value.to_str().ok()
    }
}

/// The parts of an upload by number.
#[derive(Debug, Default)]
pub(crate) struct Parts(Mutex<BTreeMap<u32, Arc<Part>>>);

impl Parts {
    pub(crate) fn add(&self, number: u32, part: Part) {
        self.lock().insert(number, Arc::new(part));
    }

    /// As they are now.
    pub(crate) fn all(&self) -> BTreeMap<u32, Arc<Part>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<Part>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By bucket, then by key and id.
type Buckets = HashMap<String, BTreeMap<(String, String), Arc<MultipartUpload>>>;

/// All uploads that are open.
#[derive(Debug, Default)]
pub(crate) struct Uploads(Mutex<Buckets>);

impl Uploads {
    pub(crate) fn add(&self, upload: MultipartUpload) {
        let mut buckets = self.lock();
        let bucket = buckets.entry(upload.bucket.clone()).or_default();
        let name = (upload.key.clone(), upload.id.clone());
        bucket.insert(name, Arc::new(upload));
    }

    pub(crate) fn get(&self, bucket: &str, key: &str, id: &str) -> Option<Arc<MultipartUpload>> {
        let name = (key.to_owned(), id.to_owned());
        self.lock().get(bucket)?.get(&name).cloned()
    }

    /// Returns whether it was open.
    pub(crate) fn remove(&self, upload: &MultipartUpload) -> bool {
        let name = (upload.key.clone(), upload.id.clone());
        let mut buckets = self.lock();
        let bucket = buckets.get_mut(&upload.bucket);
        bucket.is_some_and(|bucket| bucket.remove(&name).is_some())
    }

    /// Those of a bucket, by key and id.
    pub(crate) fn of_bucket(&self, bucket: &str) -> Vec<Arc<MultipartUpload>> {
        let buckets = self.lock();
        let uploads = buckets.get(bucket).map(BTreeMap::values);
        uploads.into_iter().flatten().cloned().collect()
    }

    /// Those of all buckets, by bucket, key and id.
    pub(crate) fn all(&self) -> Vec<Arc<MultipartUpload>> {
        let mut buckets: Vec<String> = self.lock().keys().cloned().collect();
        buckets.sort();
        let uploads = buckets.iter().flat_map(|bucket| self.of_bucket(bucket));
        uploads.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Buckets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
