//! What holds for every checkpoint.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::properties;

fn identity() -> impl Strategy<Value = Value> {
    let text = || any::<String>();
    (
        text(),
        text(),
        text(),
        vec((text(), text()), 0..4),
        any::<[u64; 4]>(),
    )
        .prop_map(
            |(endpoint, bucket, object, headers, [size, modified, sample, part_size])| {
                let mut request = Request::new("POST", &bucket, &object);
                for (name, value) in headers {
                    request.set_header(name, value);
                }
                let file = FileIdentity {
                    size,
                    modified,
                    sample,
                };
                let request = &request;
                Identity {
                    endpoint,
                    file,
                    request,
                    part_size,
                    origin: Origin::default(),
                }
                .to_value()
            },
        )
}

fn state() -> impl Strategy<Value = State> {
    let part = (1..=10_000_u32, "[^\"]{1,40}", any::<[u64; 2]>()).prop_map(
        |(number, etag, [size, crc64])| Part::new(number, etag).with_size(size).with_crc64(crc64),
    );
    let upload_id = any::<String>().prop_filter("OSS gives one", |id| !id.is_empty());
    (upload_id, vec(part, 0..4), any::<bool>()).prop_map(|(upload_id, parts, completing)| State {
        upload_id,
        parts,
        completing,
    })
}

fn parse(bytes: &[u8], identity: &Value) -> Found {
    super::parse(bytes, identity, &Origin::default())
}

/// What somebody does to a file: cuts it, and puts other bytes in place of some.
fn damage() -> impl Strategy<Value = (prop::sample::Index, usize, Vec<u8>, bool)> {
    (
        any::<prop::sample::Index>(),
        0..4_usize,
        vec(any::<u8>(), 0..4),
        any::<bool>(),
    )
}

proptest! {
    #![proptest_config(properties::config(128))]

    #[test]
    fn what_is_written_is_read(identity in identity(), state in state()) {
        let bytes = two_lines(&state.to_value(&identity, &Origin::default()).to_string());
        prop_assert!(crc64_of_first_line(bytes.as_bytes()).is_some());
        let Found::Ours { state: read, .. } = parse(bytes.as_bytes(), &identity) else {
            panic!("not ours: {bytes}");
        };
        prop_assert_eq!(read, state);
    }

    #[test]
    fn a_checkpoint_of_another_upload_is_not_gone_on_with(
        theirs in identity(),
        ours in identity(),
        state in state(),
    ) {
        prop_assume!(theirs != ours);
        let bytes = two_lines(&state.to_value(&theirs, &Origin::default()).to_string());
        let Found::Other { why, upload } = parse(bytes.as_bytes(), &ours) else {
            panic!("not of another: {bytes}");
        };
        prop_assert!(why.starts_with("other "));
        let mut names = ["endpoint", "bucket", "object"].iter();
        prop_assert_eq!(upload.of_the_same, names.all(|name| theirs[name] == ours[name]));
        prop_assert_eq!(&upload.state, &state);
    }

    #[test]
    fn no_damage_is_trusted(
        identity in identity(),
        state in state(),
        (at, cut, other, to_the_end) in damage(),
    ) {
        let bytes = two_lines(&state.to_value(&identity, &Origin::default()).to_string()).into_bytes();
        let at = at.index(bytes.len());
        let end = if to_the_end { bytes.len() } else { bytes.len().min(at + cut) };
        let damaged = [&bytes[..at], &other, &bytes[end..]].concat();
        // Without its last line feed it is whole all the same.
        prop_assume!(damaged != bytes && damaged != bytes[..bytes.len() - 1]);
        prop_assert!(matches!(parse(&damaged, &identity), Found::Damaged(_)));
    }

    /// The CRC-64 keeps accidents out, not somebody who writes what he likes.
    #[test]
    fn anything_under_a_right_crc_is_whole_or_damaged(
        upload_id in option::of(any::<String>()),
        completing in option::of(any::<bool>()),
        number in any::<Option<u32>>(),
        etag in option::of(any::<String>()),
        numbers in any::<[Option<i64>; 2]>(),
        is_text in any::<bool>(),
    ) {
        let crc64 = match is_text {
            true => json!(numbers[1].map(|number| number.to_string())),
            false => json!(numbers[1]),
        };
        let part = json!({ "number": number, "etag": etag, "size": numbers[0], "crc64": crc64 });
        let identity = json!("any");
        let text = json!({
            "identity": identity,
            "path": "",
            "changed": 0,
            "upload_id": upload_id,
            "completing": completing,
            "parts": [part],
        });
        if let Found::Ours { state, .. } = parse(two_lines(&text.to_string()).as_bytes(), &identity) {
            prop_assert_eq!(Some(&state.upload_id), upload_id.as_ref());
            prop_assert_eq!(Some(state.completing), completing);
            let part = &state.parts[0];
            prop_assert!(!part.etag().is_empty());
            prop_assert_eq!(Some(part.number()), number);
            prop_assert!((1..=10_000).contains(&part.number()));
            prop_assert!(part.size().is_some() && part.crc64().is_some());
            prop_assert_eq!(part.size().map(|size| size as i64), numbers[0]);
            prop_assert_eq!(part.crc64().map(|crc64| crc64 as i64), numbers[1]);
        }
    }
}
