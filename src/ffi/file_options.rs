//! The options that only the upload of a file has.

use std::path::PathBuf;

use crate::{Error, Result, UploadFile};

/// What counts for oss_upload_file_with_callback only.
#[derive(Default)]
pub(super) struct FileOptions {
    pub(super) part_size: Option<u64>,
    pub(super) parallel: Option<u32>,
    pub(super) checkpoint: Option<PathBuf>,
    pub(super) verify_parts: bool,
}

impl FileOptions {
    /// An upload in one request would ignore them.
    pub(super) fn refuse(&self) -> Result<()> {
        for (name, given) in [
            ("part_size", self.part_size.is_some()),
            ("parallel", self.parallel.is_some()),
            ("checkpoint", self.checkpoint.is_some()),
            ("verify_parts", self.verify_parts),
        ] {
            if given {
                return Err(Error::argument(format!(
                    "`{name}` is an option of oss_upload_file_with_callback only"
                )));
            }
        }
        Ok(())
    }

    pub(super) fn apply(&self, mut upload: UploadFile<'static>) -> UploadFile<'static> {
        if let Some(part_size) = self.part_size {
            upload = upload.part_size(part_size);
        }
        if let Some(parallel) = self.parallel {
            upload = upload.parallel(usize::try_from(parallel).unwrap_or(usize::MAX));
        }
        if let Some(checkpoint) = &self.checkpoint {
            upload = upload.checkpoint(checkpoint);
        }
        upload.verify_parts(self.verify_parts)
    }
}
