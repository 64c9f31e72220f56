//! What the options of an upload hold, and how an upload of Rust gets it.

use super::file_options::FileOptions;
use super::hooks::ProgressHook;
use crate::{Cancellation, PostObject, PutObject, PutOptions, UploadFile, UploadPart};

#[derive(Default)]
pub(super) struct Values {
    pub(super) put: PutOptions,
    pub(super) cancellation: Option<Cancellation>,
    pub(super) progress: Option<ProgressHook>,
    pub(super) of_file: FileOptions,
}

/// The progress hook of one upload.
type Report = Box<dyn FnMut(u64, Option<u64>)>;

/// An upload, or a step of one, that takes these options.
pub(super) trait TakesOptions: Sized {
    fn with(self, options: &PutOptions, progress: Option<Report>) -> Self;
}

macro_rules! takes_options {
    ($($upload:ty),*) => {$(
        impl TakesOptions for $upload {
            fn with(self,
                options: &PutOptions,
                progress: Option<Report>,
            ) -> Self {
                let upload = self.options(options);
                match progress {
                    Some(progress) => upload.progress(progress),
                    None => upload,
                }
            }
        }
    )*};
}

takes_options!(
    PutObject<'static>,
    PostObject<'static>,
    UploadPart<'static>,
    UploadFile<'static>
);

impl Values {
    pub(super) fn apply<U: TakesOptions>(&self, upload: U) -> U {
        let Some(hook) = self.progress else {
            return upload.with(&self.put, None);
        };
        // A child, so that a hook ends its own upload only.
        let cancellation = match &self.cancellation {
            Some(cancellation) => cancellation.child(),
            None => Cancellation::new(),
        };
        let options = self.put.clone().cancellation(&cancellation);
        let progress = move |sent, total| {
            if !hook.report(sent, total) {
                cancellation.cancel();
            }
        };
        upload.with(&options, Some(Box::new(progress)))
    }
}
