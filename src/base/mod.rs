//! What knows nothing of OSS's operations: encodings, checksums, names of hosts, processes that fork.

pub(crate) mod authority;
pub(crate) mod clock;
pub(crate) mod crc64;
pub(crate) mod dates;
pub(crate) mod host_name;
pub(crate) mod percent;
pub(crate) mod process;
pub(crate) mod sorted;
pub(crate) mod xml;
