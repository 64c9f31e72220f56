//! The record of multipart uploads.

use serde_json::{Value, json};

use crate::record::{bytes_of, header};

/// A request of a multipart upload, and what became of it. Requests whose signature was refused are not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MultipartRequest {
    /// The value of `x-oss-request-id`.
    pub request_id: String,
    /// `InitiateMultipartUpload`, `UploadPart`, `ListParts`, `CompleteMultipartUpload` or `AbortMultipartUpload`.
    pub operation: String,
    /// The bucket.
    pub bucket: String,
    /// The whole key.
    pub key: String,
    /// As the request names it; of an Initiate, as it was answered. Empty if there is none.
    pub upload_id: String,
    /// Of an UploadPart, if it is a number.
    pub part_number: Option<u32>,
    /// Of a part that came in whole, or of the object that was completed, in bytes.
    pub size: Option<u64>,
    /// As sent, without those that hold a secret (`Authorization`, `x-oss-security-token`). Names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The status code of the answer.
    pub status: u16,
    /// OSS's code, if the answer is an error or 203.
    pub code: Option<String>,
}

impl MultipartRequest {
    /// The value of one of [`headers`](Self::headers), its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Is it the upload of this part?
    pub fn is_part(&self, number: u32) -> bool {
        self.operation == "UploadPart" && self.part_number == Some(number)
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "event": "multipart",
            "request_id": self.request_id,
            "operation": self.operation,
            "bucket": self.bucket,
            "key": self.key,
            "upload_id": self.upload_id,
            "part_number": self.part_number,
            "size": self.size,
            "headers": self.headers,
            "status": self.status,
            "code": self.code,
        })
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.key.len() + 256 + bytes_of(&self.headers)
    }
}

/// A multipart upload that was neither completed nor aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenUpload {
    /// The bucket.
    pub bucket: String,
    /// The whole key.
    pub key: String,
    /// What Initiate answered.
    pub upload_id: String,
    /// The numbers of the parts that are there, in order.
    pub parts: Vec<u32>,
}
