//! Uploads to Alibaba Cloud OSS with an upload callback.
