//! What a bucket is besides its objects.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::cors_rules::CorsRules;

/// Who may do what without a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Acl {
    /// Of an object: as its bucket.
    #[default]
    Default,
    Private,
    PublicRead,
    PublicReadWrite,
}

impl Acl {
    const ALL: [Self; 4] = [
        Self::Default,
        Self::Private,
        Self::PublicRead,
        Self::PublicReadWrite,
    ];

    /// As in `x-oss-acl` and `x-oss-object-acl`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Private => "private",
            Self::PublicRead => "public-read",
            Self::PublicReadWrite => "public-read-write",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|acl| acl.name() == name)
    }

    /// The access control of a bucket, which has no other to refer to.
    pub(crate) fn of_bucket(name: &str) -> Option<Self> {
        Self::named(name).filter(|acl| *acl != Self::Default)
    }

    pub(crate) fn lets_read(self) -> bool {
        matches!(self, Self::PublicRead | Self::PublicReadWrite)
    }

    pub(crate) fn lets_write(self) -> bool {
        self == Self::PublicReadWrite
    }
}

/// The settings of a bucket.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) created: SystemTime,
    pub(crate) acl: Acl,
    pub(crate) storage_class: String,
    pub(crate) redundancy: String,
    pub(crate) cors: Option<CorsRules>,
    pub(crate) callback_policies: Vec<CallbackPolicy>,
    pub(crate) domains: Vec<Domain>,
}

/// A callback that uploads may name; both values are Base64, the second may be empty.
#[derive(Clone, Debug)]
pub(crate) struct CallbackPolicy {
    pub(crate) name: String,
    pub(crate) callback: String,
    pub(crate) variables: String,
}

/// A host name that stands for the bucket.
#[derive(Clone, Debug)]
pub(crate) struct Domain {
    /// In lower case.
    pub(crate) name: String,
    pub(crate) since: SystemTime,
}

fn milliseconds(time: SystemTime) -> u64 {
    let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH);
    since_1970.unwrap_or(Duration::ZERO).as_millis() as u64
}

fn time(milliseconds: &Value) -> Option<SystemTime> {
    let since_1970 = Duration::from_millis(milliseconds.as_u64()?);
    SystemTime::UNIX_EPOCH.checked_add(since_1970)
}

impl Settings {
    /// Those of a new bucket.
    pub(crate) fn new(created: SystemTime) -> Self {
        Self {
            created,
            acl: Acl::Private,
            storage_class: "Standard".to_owned(),
            redundancy: "LRS".to_owned(),
            cors: None,
            callback_policies: Vec::new(),
            domains: Vec::new(),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let cors = self.cors.as_ref();
        let policies = self.callback_policies.iter();
        let policies: Vec<[&str; 3]> = policies
            .map(|policy| [&*policy.name, &*policy.callback, &*policy.variables])
            .collect();
        let domains = self.domains.iter();
        let domains: Vec<(&str, u64)> = domains
            .map(|domain| (&*domain.name, milliseconds(domain.since)))
            .collect();
        json!({
            "created_ms": milliseconds(self.created),
            "acl": self.acl.name(),
            "storage_class": self.storage_class,
            "redundancy": self.redundancy,
            // As PutBucketCors has it.
            "cors": cors.map(|rules| rules.document().finish()),
            "callback_policies": policies,
            "domains": domains,
        })
    }

    pub(crate) fn from_json(json: &Value) -> Option<Self> {
        let text = |name: &str| Some(json[name].as_str()?.to_owned());
        let list = |name: &str| json[name].as_array().map(|list| list.iter());
        let policy = |policy: &Value| {
            let text = |index: usize| Some(policy[index].as_str()?.to_owned());
            Some(CallbackPolicy {
                name: text(0)?,
                callback: text(1)?,
                variables: text(2)?,
            })
        };
        let domain = |domain: &Value| {
            Some(Domain {
                name: domain[0].as_str()?.to_owned(),
                since: time(&domain[1])?,
            })
        };
        Some(Self {
            created: time(&json["created_ms"])?,
            acl: Acl::of_bucket(json["acl"].as_str()?)?,
            storage_class: text("storage_class")?,
            redundancy: text("redundancy")?,
            cors: match json["cors"].as_str() {
                Some(rules) => Some(CorsRules::parse(rules.as_bytes()).ok()?),
                None => None,
            },
            callback_policies: list("callback_policies")?
                .map(policy)
                .collect::<Option<_>>()?,
            domains: list("domains")?.map(domain).collect::<Option<_>>()?,
        })
    }
}
