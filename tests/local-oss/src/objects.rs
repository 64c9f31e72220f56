//! Buckets and the objects in them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use hyper::header::{HeaderName, HeaderValue};

use crate::contents::Contents;

/// A stored object. Never changed: an overwrite puts another one in its place.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) contents: Contents,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) content_type: HeaderValue,
    /// `Cache-Control`, `x-oss-meta-*` and the like: what Get and Head give back.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) last_modified: SystemTime,
}

/// An object of this name exists and must not be overwritten.
#[derive(Debug)]
pub(crate) struct Exists;

type Bucket = BTreeMap<String, Arc<Object>>;

#[derive(Debug)]
pub(crate) struct Objects(Mutex<HashMap<String, Bucket>>);

impl Objects {
    pub(crate) fn new(buckets: &[String]) -> Self {
        let buckets = buckets.iter().cloned().map(|name| (name, Bucket::new()));
        Self(Mutex::new(buckets.collect()))
    }

    pub(crate) fn has_bucket(&self, bucket: &str) -> bool {
        self.lock().contains_key(bucket)
    }

    pub(crate) fn get(&self, bucket: &str, key: &str) -> Option<Arc<Object>> {
        self.lock().get(bucket)?.get(key).cloned()
    }

    /// Stores the object and calls `stored` before anybody else can store or see one.
    ///
    /// The bucket must exist; buckets are neither made nor removed while the server runs.
    pub(crate) fn put(
        &self,
        bucket: &str,
        key: &str,
        object: Arc<Object>,
        forbid_overwrite: bool,
        stored: impl FnOnce(),
    ) -> Result<(), Exists> {
        let mut buckets = self.lock();
        let bucket = buckets.entry(bucket.to_owned()).or_default();
        if forbid_overwrite && bucket.contains_key(key) {
            return Err(Exists);
        }
        bucket.insert(key.to_owned(), object);
        stored();
        Ok(())
    }

    pub(crate) fn delete(&self, bucket: &str, key: &str) {
        if let Some(bucket) = self.lock().get_mut(bucket) {
            bucket.remove(key);
        }
    }

    /// The map is whole after every statement above, so a panic elsewhere need not spread.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Bucket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
