//! The guide: how to upload with a callback, and what everything that comes back means.
//!
//! * [Getting started](getting_started): from nothing to a callback received, on a laptop and then with OSS.
//! * [Callbacks](callbacks): what OSS does, what a callback can say, and where it goes wrong.
//! * [Outcomes](outcomes): what an uploader is told for each answer and each fault, and whether it is true.
//! * [Large files](large_files): parts, checkpoints, many machines, lost answers.
//! * [In the field](in_the_field): slow lines, wrong clocks, proxies and certificates, by symptom.
//! * [Letting others upload](letting_others_upload): URLs and forms for browsers and partners.
//! * [Trusting a callback](trusting_a_callback): the application server's side.
//! * [C](c): the C library in a chapter.
//! * [Other languages](other_languages): how to bind the C library from anything.
//! * [Migrating](migrating): from oss2, alibabacloud-oss-v2 and aliyun-oss-c-sdk.
//!
//! The pages are files in `docs`, which a code host shows as well.

// Each page names the others by labels that it defines for the code host, as files. The first definition of a label
// counts, so the modules define them for rustdoc, after an empty line that ends the summary. `tests/pages/docs.rs` holds the
// two together.

/// From nothing to a callback received.
pub mod getting_started {
    //!
    //! [callbacks]: crate::guide::callbacks
    //! [outcomes]: crate::guide::outcomes
    //! [large files]: crate::guide::large_files
    //! [letting others upload]: crate::guide::letting_others_upload
    //! [trusting]: crate::guide::trusting_a_callback
    //! [C]: crate::guide::c
    //! [field]: crate::guide::in_the_field
    #![doc = include_str!("../docs/GETTING_STARTED.md")]
}

/// What OSS does after an upload, and what it can be told.
pub mod callbacks {
    //!
    //! [outcomes]: crate::guide::outcomes
    //! [trusting]: crate::guide::trusting_a_callback
    //! [letting others upload]: crate::guide::letting_others_upload
    #![doc = include_str!("../docs/CALLBACKS.md")]
}

/// What an uploader is told, and whether it is true.
pub mod outcomes {
    #![doc = include_str!("../docs/OUTCOMES.md")]
}

/// Files of any size.
pub mod large_files {
    //!
    //! [outcomes]: crate::guide::outcomes
    //! [complete]: crate::guide::outcomes#faults-when-a-multipart-upload-is-completed
    //! [letting others upload]: crate::guide::letting_others_upload
    #![doc = include_str!("../docs/LARGE_FILES.md")]
}

/// Slow lines, wrong clocks, proxies and certificates.
pub mod in_the_field {
    //!
    //! [outcomes]: crate::guide::outcomes
    #![doc = include_str!("../docs/IN_THE_FIELD.md")]
}

/// Permissions for browsers, phones and partners.
pub mod letting_others_upload {
    //!
    //! [trusting]: crate::guide::trusting_a_callback
    #![doc = include_str!("../docs/LETTING_OTHERS_UPLOAD.md")]
}

/// The application server's side.
pub mod trusting_a_callback {
    #![doc = include_str!("../docs/TRUSTING_A_CALLBACK.md")]
}

/// The C library in a chapter.
pub mod c {
    //!
    //! [other languages]: crate::guide::other_languages
    #![doc = include_str!("../docs/C.md")]
}

/// How to bind the C library from any language.
pub mod other_languages {
    //!
    //! [C]: crate::guide::c
    //! [trusting]: crate::guide::trusting_a_callback
    #![doc = include_str!("../docs/OTHER_LANGUAGES.md")]
}

/// From the official SDKs.
pub mod migrating {
    //!
    //! [outcomes]: crate::guide::outcomes
    //! [large files]: crate::guide::large_files
    //! [letting others upload]: crate::guide::letting_others_upload
    #![doc = include_str!("../docs/MIGRATING.md")]
}
