//! The headers that an object is created with: their values, and OSS's limits on them. Pure.
//!
//! OSS documentation, "PutObject" and "InitiateMultipartUpload".

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::base::percent;
use crate::outcome::error::{Error, Result};
use crate::request::{Header, Request};

/// Bits per second that a traffic limit can be.
const TRAFFIC_LIMITS: std::ops::RangeInclusive<u64> = 819_200..=838_860_800;

/// The user metadata, without `x-oss-meta-`, that carries an idempotency id.
pub(crate) const IDEMPOTENCY_ID: &str = "idempotency-id";
const MAX_IDEMPOTENCY_ID_LEN: usize = 128;

const MAX_TAGS: usize = 10;
const MAX_TAG_KEY_LEN: usize = 128;
const MAX_TAG_VALUE_LEN: usize = 256;

/// Headers that belong to the library, and what to use instead.
const OWN_HEADERS: [(&str, &str); 13] = [
    ("authorization", "the client signs its requests"),
    ("connection", "connections belong to the client"),
    ("content-length", "the length is that of the body"),
    ("date", "the client dates its requests"),
    ("expect", "it is never sent"),
    ("host", "the host is that of the endpoint"),
    ("transfer-encoding", "the body decides how it is sent"),
    ("user-agent", "use `user_agent` of the client"),
    ("x-oss-callback", "use `callback`"),
    ("x-oss-callback-var", "use `callback`"),
    ("x-oss-content-sha256", "the client signs its requests"),
    ("x-oss-date", "the client dates its requests"),
    (
        "x-oss-security-token",
        "use `security_token` of the credentials",
    ),
];

/// Refuses a header that the library sets itself.
pub(crate) fn refuse_own(name: &str) -> Result<()> {
    let own = OWN_HEADERS
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name));
    own.map_or(Ok(()), |(own, advice)| {
        Err(Error::argument(format!(
            "header {own} cannot be given: {advice}"
        )))
    })
}

/// An enumeration with the words that OSS has for its values.
macro_rules! words {
    (
        $(#[$about:meta])*
        $name:ident as $argument:literal { $($(#[$meta:meta])* $variant:ident = $word:literal,)* }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$meta])* $variant,)*
        }

        impl $name {
            /// OSS's word for it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        /// From OSS's word, in its case.
        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<$name> {
                const ALL: &[$name] = &[$($name::$variant),*];
                let found = ALL.iter().find(|value| value.as_str() == text);
                found.copied().ok_or_else(|| {
                    let words: Vec<&str> = ALL.iter().map(|value| value.as_str()).collect();
                    let words = words.join(", ");
                    Error::argument(format!("`{}` {text:?} is not one of {words}", $argument))
                })
            }
        }
    };
}

words! {
    /// Who may read and write an object.
    ObjectAcl as "object_acl" {
        /// Whoever may do so with the bucket.
        Default = "default",
        /// The owner and those whom the owner allows.
        Private = "private",
        /// Everybody may read it.
        PublicRead = "public-read",
        /// Everybody may read and replace it.
        PublicReadWrite = "public-read-write",
    }
}

words! {
    /// How an object is kept: the less often it is read, the cheaper.
    StorageClass as "storage_class" {
        /// Read often.
        Standard = "Standard",
        /// Infrequent access.
        IA = "IA",
        /// Read hardly ever.
        Archive = "Archive",
        /// Restored for hours before it can be read.
        ColdArchive = "ColdArchive",
        /// Restored for up to days before it can be read.
        DeepColdArchive = "DeepColdArchive",
    }
}

words! {
    /// How OSS encrypts what it stores.
    ServerSideEncryption as "server_side_encryption" {
        /// With keys of OSS.
        AES256 = "AES256",
        /// With a key of the Key Management Service.
        KMS = "KMS",
        /// With keys of OSS, by the algorithm SM4.
        SM4 = "SM4",
    }
}

words! {
    /// How OSS encrypts the data itself when [`ServerSideEncryption::KMS`] holds the key.
    ServerSideDataEncryption as "server_side_data_encryption" {
        /// By the algorithm SM4; by AES-256 when nothing is said.
        SM4 = "SM4",
    }
}

/// The tags of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tags(Vec<(String, String)>);

impl Tags {
    pub(crate) fn add(&mut self, key: &str, value: &str) -> Result<()> {
        let problem = if key.is_empty() {
            "has an empty key".to_owned()
        } else if key.len() > MAX_TAG_KEY_LEN {
            let len = key.len();
            format!("has a key of {len} bytes: OSS takes at most {MAX_TAG_KEY_LEN}")
        } else if value.len() > MAX_TAG_VALUE_LEN {
            let len = value.len();
            format!("{key:?} has a value of {len} bytes: OSS takes at most {MAX_TAG_VALUE_LEN}")
        } else if self.0.iter().any(|(k, _)| k == key) {
            format!("{key:?} is given twice")
        } else if self.0.len() == MAX_TAGS {
            format!("{key:?} is one too many: OSS takes at most {MAX_TAGS}")
        } else {
            self.0.push((key.to_owned(), value.to_owned()));
            return Ok(());
        };
        Err(Error::argument(format!("`tag` {problem}")))
    }

    /// The value of x-oss-tagging.
    pub(crate) fn encoded(&self) -> String {
        let pairs = self.0.iter().map(|(key, value)| {
            let (key, value) = (percent::encode(key), percent::encode(value));
            format!("{key}={value}")
        });
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// The value of x-oss-traffic-limit.
pub(crate) fn traffic_limit(bits_per_second: u64) -> Result<String> {
    if TRAFFIC_LIMITS.contains(&bits_per_second) {
        return Ok(bits_per_second.to_string());
    }
    let (least, most) = (TRAFFIC_LIMITS.start(), TRAFFIC_LIMITS.end());
    Err(Error::argument(format!(
        "`traffic_limit` {bits_per_second} is not in {least} to {most} bit/s"
    )))
}

/// The value of Expires.
pub(crate) fn expires(time: SystemTime) -> Result<String> {
    /// The first second of the year 10000, which an HTTP date cannot say.
    const END: Duration = Duration::from_secs(253_402_300_800);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) if since < END => Ok(httpdate::fmt_http_date(time)),
        _ => Err(Error::argument(
            "`expires` is not in the years 1970 to 9999",
        )),
    }
}

/// The value of the header that carries an idempotency id: one that comes back as it is.
pub(crate) fn check_idempotency_id(id: &str) -> Result<String> {
    let problem = if id.is_empty() {
        "is empty".to_owned()
    } else if id.len() > MAX_IDEMPOTENCY_ID_LEN {
        format!(
            "has {} bytes: at most {MAX_IDEMPOTENCY_ID_LEN} are taken",
            id.len()
        )
    } else if !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        "has something other than letters, digits and punctuation of ASCII".to_owned()
    } else {
        return Ok(id.to_owned());
    };
    Err(Error::argument(format!("`idempotency_id` {problem}")))
}

/// The idempotency id that a request gives its object.
pub(crate) fn idempotency_id(request: &Request) -> Option<String> {
    let id = request.header(&format!("x-oss-meta-{IDEMPOTENCY_ID}"));
    id.map(str::to_owned)
}

/// Refuses headers that do not go together.
pub(crate) fn check(headers: &[Header<'_>]) -> Result<()> {
    let value = |wanted: &str| {
        let mut headers = headers.iter();
        let found = headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_ref())
    };
    let kms = ServerSideEncryption::KMS.as_str();
    if value("x-oss-server-side-encryption") == Some(kms) {
        return Ok(());
    }
    for (header, argument) in [
        (
            "x-oss-server-side-encryption-key-id",
            "server_side_encryption_key_id",
        ),
        (
            "x-oss-server-side-data-encryption",
            "server_side_data_encryption",
        ),
    ] {
        if value(header).is_some() {
            return Err(Error::argument(format!(
                "`{argument}` is given, but `server_side_encryption` is not {kms}"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_oss() {
        for acl in ["default", "private", "public-read", "public-read-write"] {
            assert_eq!(acl.parse::<ObjectAcl>().unwrap().to_string(), acl);
        }
        for class in [
            "Standard",
            "IA",
            "Archive",
            "ColdArchive",
            "DeepColdArchive",
        ] {
            assert_eq!(class.parse::<StorageClass>().unwrap().to_string(), class);
        }
        for method in ["AES256", "KMS", "SM4"] {
            let parsed = method.parse::<ServerSideEncryption>().unwrap();
            assert_eq!(parsed.to_string(), method);
        }
        assert_eq!(
            "Public-Read".parse::<ObjectAcl>().unwrap_err().to_string(),
            "`object_acl` \"Public-Read\" is not one of default, private, public-read, public-read-write"
        );
        let wrong = "AES256".parse::<ServerSideDataEncryption>().unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "`server_side_data_encryption` \"AES256\" is not one of SM4"
        );
    }

    #[test]
    fn tags_are_encoded_and_limited() {
        let mut tags = Tags::default();
        tags.add("a b", "1+1=2&c/目").unwrap();
        tags.add("empty", "").unwrap();
        assert_eq!(tags.encoded(), "a%20b=1%2B1%3D2%26c%2F%E7%9B%AE&empty=");
        tags.add(&"k".repeat(128), &"v".repeat(256)).unwrap();

        for (key, value, said) in [
            ("", "v", "empty key"),
            (&*"k".repeat(129), "v", "129 bytes"),
            ("key", &*"v".repeat(257), "257 bytes"),
            ("empty", "v", "twice"),
        ] {
            let error = tags.add(key, value).unwrap_err().to_string();
            assert!(
                error.starts_with("`tag` ") && error.contains(said),
                "{error}"
            );
        }
        for number in 3..10 {
            tags.add(&number.to_string(), "v").unwrap();
        }
        let error = tags.add("eleventh", "v").unwrap_err().to_string();
        assert_eq!(
            error,
            "`tag` \"eleventh\" is one too many: OSS takes at most 10"
        );
    }

    #[test]
    fn a_traffic_limit_is_within_those_of_oss() {
        for (limit, expected) in [
            (819_199, false),
            (819_200, true),
            (838_860_800, true),
            (838_860_801, false),
        ] {
            assert_eq!(traffic_limit(limit).is_ok(), expected, "{limit}");
        }
    }

    #[test]
    fn expires_is_a_date_of_http() {
        let at = |seconds| expires(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(784_111_777).unwrap(), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(
            at(253_402_300_799).unwrap(),
            "Fri, 31 Dec 9999 23:59:59 GMT"
        );
        assert!(at(253_402_300_800).is_err());
        assert!(expires(UNIX_EPOCH - Duration::from_secs(1)).is_err());
    }

    #[test]
    fn the_companions_of_kms_need_it() {
        let key = ("x-oss-server-side-encryption-key-id", "id");
        let data = ("x-oss-server-side-data-encryption", "SM4");
        for (companion, named) in [
            (key, "`server_side_encryption_key_id`"),
            (data, "`server_side_data_encryption`"),
        ] {
            let mut request = Request::new("PUT", "photos", "a");
            request.set_header(companion.0, companion.1);
            assert!(
                check(&request.headers)
                    .unwrap_err()
                    .to_string()
                    .starts_with(named)
            );
            request.set_header("x-oss-server-side-encryption", "AES256");
            assert!(check(&request.headers).is_err());
            request.set_header("x-oss-server-side-encryption", "KMS");
            assert!(check(&request.headers).is_ok());
        }
    }
}
