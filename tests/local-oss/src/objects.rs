//! Buckets and the objects in them.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::header::{HeaderName, HeaderValue};

use crate::{
    settings::{Acl, Settings},
    storage::{Contents, Source},
};

/// How an object came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectType {
    /// In one piece.
    Normal,
    /// From parts.
    Multipart,
    /// In as many pieces as its sender likes, one behind the other.
    Appendable,
    /// Stands for another.
    Symlink,
}

impl ObjectType {
    /// As in `x-oss-object-type`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Multipart => "Multipart",
            Self::Appendable => "Appendable",
            Self::Symlink => "Symlink",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [
            Self::Normal,
            Self::Multipart,
            Self::Appendable,
            Self::Symlink,
        ];
        let mut all = all.into_iter();
        all.find(|object_type| object_type.name() == name)
    }
}

/// Kept with an object, but only shown by operations of their own.
const HIDDEN_HEADERS: [&str; 3] = ["x-oss-object-acl", "x-oss-symlink-target", "x-oss-tagging"];

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

    /// As in `x-oss-storage-class`: its own or that of its bucket.
    pub(crate) fn class<'a>(&'a self, of_bucket: &'a str) -> &'a str {
        self.header("x-oss-storage-class").unwrap_or(of_bucket)
    }

    /// The headers that Get and Head give back; others are asked for by operations of their own.
    pub(crate) fn shown_headers(&self) -> impl Iterator<Item = &(HeaderName, HeaderValue)> {
        let headers = self.headers.iter();
        headers.filter(|(name, _)| !HIDDEN_HEADERS.contains(&name.as_str()))
    }

    /// Who may use it without a signature.
    pub(crate) fn acl(&self) -> Acl {
        let name = self.header("x-oss-object-acl").unwrap_or_default();
        Acl::named(name).unwrap_or_default()
    }

    /// The value of its `Content-MD5`, if it has one.
    pub(crate) fn content_md5(&self) -> Option<String> {
        match self.object_type {
            ObjectType::Normal => Some(STANDARD.encode(self.contents.md5)),
            _ => None,
        }
    }
}

/// Why an object is not stored.
#[derive(Debug)]
pub(crate) enum NotStored {
    /// One of this name exists and must not be overwritten.
    Exists,
    /// The bucket has been deleted meanwhile.
    NoBucket,
    Failed(io::Error),
}

/// Why a bucket is not removed.
#[derive(Debug)]
pub(crate) enum NotRemoved {
    NoBucket,
    NotEmpty,
    Failed(io::Error),
}

#[derive(Debug)]
struct Bucket {
    settings: Arc<Settings>,
    objects: BTreeMap<String, Arc<Object>>,
}

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

/// Buckets by name.
#[derive(Debug, Default)]
pub(crate) struct Objects(Mutex<BTreeMap<String, Bucket>>);

impl Objects {
    /// Makes a bucket, unless there is one. Calls `save` before anybody can see it, and says whether it made one.
    pub(crate) fn add_bucket(
        &self,
        name: &str,
        settings: Settings,
        save: impl FnOnce(&Settings) -> io::Result<()>,
    ) -> io::Result<bool> {
        let mut buckets = self.lock();
        if buckets.contains_key(name) {
            return Ok(false);
        }
        save(&settings)?;
        let bucket = Bucket {
            settings: Arc::new(settings),
            objects: BTreeMap::new(),
        };
        buckets.insert(name.to_owned(), bucket);
        Ok(true)
    }

    /// Removes a bucket without objects, for which `is_unused` must hold as well. Calls `remove` before it is gone.
    pub(crate) fn remove_bucket(
        &self,
        name: &str,
        is_unused: impl FnOnce() -> bool,
        remove: impl FnOnce() -> io::Result<()>,
    ) -> Result<(), NotRemoved> {
        let mut buckets = self.lock();
        let bucket = buckets.get(name).ok_or(NotRemoved::NoBucket)?;
        if !bucket.objects.is_empty() || !is_unused() {
            return Err(NotRemoved::NotEmpty);
        }
        remove().map_err(NotRemoved::Failed)?;
        buckets.remove(name);
        Ok(())
    }

    /// The storage class of objects that have none of their own.
    pub(crate) fn default_class(&self, bucket: &str) -> String {
        let settings = self.settings(bucket);
        settings.map_or("Standard".to_owned(), |settings| {
            settings.storage_class.clone()
        })
    }

    /// `None` if there is no such bucket.
    pub(crate) fn settings(&self, bucket: &str) -> Option<Arc<Settings>> {
        let buckets = self.lock();
        Some(Arc::clone(&buckets.get(bucket)?.settings))
    }

    /// Changes the settings of a bucket as soon as `save` has kept them. `None` if there is no such bucket.
    pub(crate) fn change_settings<E>(
        &self,
        bucket: &str,
        change: impl FnOnce(&mut Settings) -> Result<(), E>,
        save: impl FnOnce(&Settings) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        let mut buckets = self.lock();
        let bucket = buckets.get_mut(bucket)?;
        let mut settings = Settings::clone(&bucket.settings);
        Some(
            change(&mut settings)
                .and_then(|()| save(&settings))
                .map(|()| bucket.settings = Arc::new(settings)),
        )
    }

    /// All of them, by name.
    pub(crate) fn buckets(&self) -> Vec<(String, Arc<Settings>)> {
        let buckets = self.lock();
        let all = buckets.iter();
        all.map(|(name, bucket)| (name.clone(), Arc::clone(&bucket.settings)))
            .collect()
    }

    /// The bucket that a custom domain stands for.
    pub(crate) fn bucket_of_domain(&self, domain: &str) -> Option<String> {
        let buckets = self.lock();
        let mut all = buckets.iter();
        let found = all.find(|(_, bucket)| {
            let mut domains = bucket.settings.domains.iter();
            domains.any(|known| known.name == domain)
        });
        found.map(|(name, _)| name.clone())
    }

    pub(crate) fn has_bucket(&self, bucket: &str) -> bool {
        self.lock().contains_key(bucket)
    }

    /// All objects of a bucket, by key.
    pub(crate) fn of_bucket(&self, bucket: &str) -> Vec<(String, Arc<Object>)> {
        let buckets = self.lock();
        let objects = buckets.get(bucket).map(|bucket| bucket.objects.iter());
        let objects = objects.into_iter().flatten();
        objects
            .map(|(key, object)| (key.clone(), Arc::clone(object)))
            .collect()
    }

    pub(crate) fn get(&self, bucket: &str, key: &str) -> Option<Arc<Object>> {
        self.lock().get(bucket)?.objects.get(key).cloned()
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
        if let Some(bucket) = self.lock().get_mut(bucket) {
            bucket.objects.insert(key, Arc::new(object));
        }
    }

    /// Stores the object and returns the one that it replaces, if `may_replace` agrees to that one, or to none. Calls `settle`
    /// before, and `stored` before anybody else can store or see one.
    pub(crate) fn put(
        &self,
        bucket: &str,
        key: &str,
        object: Arc<Object>,
        may_replace: impl FnOnce(Option<&Arc<Object>>) -> bool,
        settle: impl FnOnce() -> io::Result<()>,
        stored: impl FnOnce(),
    ) -> Result<Option<Arc<Object>>, NotStored> {
        let mut buckets = self.lock();
        let bucket = buckets.get_mut(bucket).ok_or(NotStored::NoBucket)?;
        if !may_replace(bucket.objects.get(key)) {
            return Err(NotStored::Exists);
        }
        settle().map_err(NotStored::Failed)?;
        let replaced = bucket.objects.insert(key.to_owned(), object);
        stored();
        Ok(replaced)
    }

    pub(crate) fn delete(&self, bucket: &str, key: &str) -> Option<Arc<Object>> {
        self.lock().get_mut(bucket)?.objects.remove(key)
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
        let Some(bucket) = buckets.get(bucket).map(|bucket| &bucket.objects) else {
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
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
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
        let objects = Objects::default();
        let settings = Settings::new(SystemTime::UNIX_EPOCH);
        objects.add_bucket("b", settings, |_| Ok(())).unwrap();
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
            let is_new = |old: Option<&Arc<Object>>| old.is_none();
            let put = objects.put("b", key, Arc::new(object), is_new, || Ok(()), || {});
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
