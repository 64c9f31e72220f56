//! Buckets and the objects in them.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, ErrorKind},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::header::{HeaderName, HeaderValue};

use crate::storage::{Contents, Source};

/// How an object came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectType {
    /// In one piece.
    Normal,
    /// From parts. It has no Content-MD5.
    Multipart,
}

impl ObjectType {
    /// As in `x-oss-object-type`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Multipart => "Multipart",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = [Self::Normal, Self::Multipart].into_iter();
        all.find(|object_type| object_type.name() == name)
    }
}

/// A stored object. Never changed: an overwrite puts another one in its place.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) contents: Contents,
    pub(crate) object_type: ObjectType,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) content_type: HeaderValue,
    /// `Cache-Control`, `x-oss-meta-*` and the like: what Get and Head give back.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) last_modified: SystemTime,
}

impl Object {
    /// One of its headers, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        value.to_str().ok()
    }

    /// The value of its `Content-MD5`, if it has one.
    pub(crate) fn content_md5(&self) -> Option<String> {
        match self.object_type {
            ObjectType::Normal => Some(STANDARD.encode(self.contents.md5)),
            ObjectType::Multipart => None,
        }
    }
}

/// Why an object is not stored.
#[derive(Debug)]
pub(crate) enum NotStored {
    /// One of this name exists and must not be overwritten.
    Exists,
    Failed(io::Error),
}

type Bucket = BTreeMap<String, Arc<Object>>;

/// What a listing has to show.
#[derive(Debug)]
pub(crate) enum Entry {
    Object(String, Arc<Object>),
    /// Stands for all objects whose keys begin so.
    CommonPrefix(String),
}

impl Entry {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Object(name, _) | Self::CommonPrefix(name) => name,
        }
    }
}

/// Which objects a listing is about.
pub(crate) struct Selection<'a> {
    pub(crate) prefix: &'a str,
    /// Keys that have it behind the prefix are shown as one entry up to it. Empty for none.
    pub(crate) delimiter: &'a str,
    /// Only what comes behind this in the order of bytes.
    pub(crate) after: &'a str,
    pub(crate) limit: usize,
}

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

    /// The object, open: it stays readable when another takes its place.
    pub(crate) fn open(
        &self,
        bucket: &str,
        key: &str,
    ) -> io::Result<Option<(Arc<Object>, Source)>> {
        let mut last: Option<Arc<Object>> = None;
        loop {
            let Some(object) = self.get(bucket, key) else {
                return Ok(None);
            };
            match object.contents.open() {
                Ok(source) => return Ok(Some((object, source))),
                // It was replaced since it was looked up, and what has replaced it counts.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    if last.is_some_and(|last| Arc::ptr_eq(&last, &object)) {
                        return Err(error);
                    }
                    last = Some(object);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Adds what a server before has stored.
    pub(crate) fn add(&self, bucket: &str, key: String, object: Object) {
        let mut buckets = self.lock();
        let bucket = buckets.entry(bucket.to_owned()).or_default();
        bucket.insert(key, Arc::new(object));
    }

    /// Stores the object and returns the one that it replaces. Calls `settle` before, and `stored` before anybody else can store or see one.
    ///
    /// The bucket must exist; buckets are neither made nor removed while the server runs.
    pub(crate) fn put(
        &self,
        bucket: &str,
        key: &str,
        object: Arc<Object>,
        forbid_overwrite: bool,
        settle: impl FnOnce() -> io::Result<()>,
        stored: impl FnOnce(),
    ) -> Result<Option<Arc<Object>>, NotStored> {
        let mut buckets = self.lock();
        let bucket = match buckets.get_mut(bucket) {
            Some(bucket) => bucket,
            None => buckets.entry(bucket.to_owned()).or_default(),
        };
        if forbid_overwrite && bucket.contains_key(key) {
            return Err(NotStored::Exists);
        }
        settle().map_err(NotStored::Failed)?;
        let replaced = bucket.insert(key.to_owned(), object);
        stored();
        Ok(replaced)
    }

    pub(crate) fn delete(&self, bucket: &str, key: &str) -> Option<Arc<Object>> {
        self.lock().get_mut(bucket)?.remove(key)
    }

    /// The first entries of the selection, and whether there are more.
    pub(crate) fn list(&self, bucket: &str, selection: &Selection<'_>) -> (Vec<Entry>, bool) {
        let Selection {
            prefix,
            delimiter,
            after,
            limit,
        } = *selection;
        let buckets = self.lock();
        let Some(bucket) = buckets.get(bucket) else {
            return (Vec::new(), false);
        };
        let mut entries = Vec::new();
        let mut from = match after < prefix {
            true => Bound::Included(prefix.to_owned()),
            false => Bound::Excluded(after.to_owned()),
        };
        loop {
            let range = (from.as_ref().map(String::as_str), Bound::Unbounded);
            let Some((key, object)) = bucket.range::<str, _>(range).next() else {
                return (entries, false);
            };
            let Some(rest) = key.strip_prefix(prefix) else {
                return (entries, false);
            };
            let common = match rest.find(delimiter) {
                Some(found) if !delimiter.is_empty() => {
                    Some(&key[..prefix.len() + found + delimiter.len()])
                }
                _ => None,
            };
            // The entry that the page before ended with stands for keys of this page too.
            let is_new = common != Some(after);
            if is_new && entries.len() == limit {
                return (entries, true);
            }
            let next = match common {
                None => Some(Bound::Excluded(key.clone())),
                Some(common) => behind(common).map(Bound::Included),
            };
            if is_new {
                entries.push(match common {
                    None => Entry::Object(key.clone(), Arc::clone(object)),
                    Some(common) => Entry::CommonPrefix(common.to_owned()),
                });
            }
            match next {
                Some(next) => from = next,
                None => return (entries, false),
            }
        }
    }

    /// The map is whole after every statement above, so a panic elsewhere need not spread.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Bucket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The least string that is greater than all which begin with `prefix`; `None` if there is none.
fn behind(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // The next code point, beyond those that are no characters.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::{
        memory::Memory,
        storage::{Collector, Storage},
    };

    async fn bucket(keys: &[&str]) -> Objects {
        let objects = Objects::new(&["b".to_owned()]);
        for key in keys {
            let contents = Collector::new(&Storage::Temporary, &Memory::new(1), None, false);
            let object = Object {
                contents: contents.finish().await.unwrap(),
                object_type: ObjectType::Normal,
                etag: String::new(),
                content_type: HeaderValue::from_static("a/b"),
                headers: Vec::new(),
                last_modified: SystemTime::UNIX_EPOCH,
            };
            let put = objects.put("b", key, Arc::new(object), true, || Ok(()), || {});
            put.unwrap();
        }
        objects
    }

    /// All pages of a listing, their names joined by blanks.
    fn pages(objects: &Objects, prefix: &str, delimiter: &str, limit: usize) -> Vec<String> {
        let (mut pages, mut after) = (Vec::new(), String::new());
        loop {
            let selection = Selection {
                prefix,
                delimiter,
                after: &after,
                limit,
            };
            let (entries, more) = objects.list("b", &selection);
            let names: Vec<&str> = entries.iter().map(Entry::name).collect();
            pages.push(names.join(" "));
            if !more {
                return pages;
            }
            after = names.last().unwrap().to_string();
        }
    }

    #[tokio::test]
    async fn every_page_goes_on_where_the_one_before_ended() {
        let objects = bucket(&["a", "b/", "b/c", "b/d/e", "b0", "c/x", "目/1", "目/2", "盯"]).await;
        for (prefix, delimiter, limit, expected) in [
            ("", "", 100, &["a b/ b/c b/d/e b0 c/x 目/1 目/2 盯"][..]),
            ("", "", 4, &["a b/ b/c b/d/e", "b0 c/x 目/1 目/2", "盯"]),
            ("", "/", 100, &["a b/ b0 c/ 目/ 盯"]),
            ("", "/", 1, &["a", "b/", "b0", "c/", "目/", "盯"]),
            ("b/", "/", 1, &["b/", "b/c", "b/d/"]),
            ("b", "/", 2, &["b/ b0"]),
            ("", "/d/", 100, &["a b/ b/c b/d/ b0 c/x 目/1 目/2 盯"]),
            ("none", "/", 2, &[""]),
        ] {
            let pages = pages(&objects, prefix, delimiter, limit);
            assert_eq!(pages, expected, "{prefix} {delimiter} {limit}");
        }
    }

    #[tokio::test]
    async fn what_is_behind_a_prefix_is_behind_all_of_it() {
        assert_eq!(behind("a/").as_deref(), Some("a0"));
        assert_eq!(behind("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(behind("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(behind("\u{10ffff}"), None);
        let objects = bucket(&["\u{10ffff}", "\u{10ffff}b"]).await;
        assert_eq!(pages(&objects, "", "\u{10ffff}", 1), ["\u{10ffff}"]);
    }
}
