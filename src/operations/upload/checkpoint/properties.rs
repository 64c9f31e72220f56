//! What holds for every checkpoint.

use fastrand::Rng;

use super::*;
use crate::any::{self, for_any};

const CASES: u64 = 256;

fn text(random: &mut Rng) -> String {
    any::text(random, 0..=24, |_| true)
}

fn identity(random: &mut Rng) -> Value {
    let endpoint = text(random);
    let mut request = Request::new("POST", &text(random), &text(random));
    for _ in 0..random.u8(0..4) {
        request.set_header(text(random), text(random));
    }
    let file = FileIdentity {
        size: random.u64(..),
        modified: random.u64(..),
        sample: random.u64(..),
    };
    Identity {
        endpoint,
        file,
        request: &request,
        part_size: random.u64(..),
        origin: Origin::default(),
    }
    .to_value()
}

fn part(random: &mut Rng) -> Part {
    let etag = any::text(random, 1..=40, |c| c != '"');
    Part::new(random.u32(1..=10_000), etag)
        .with_size(random.u64(..))
        .with_crc64(random.u64(..))
}

fn state(random: &mut Rng) -> State {
    let parts = random.u8(0..4);
    State {
        upload_id: any::text(random, 1..=24, |_| true),
        parts: (0..parts).map(|_| part(random)).collect(),
        completing: random.bool(),
    }
}

fn written(state: &State, identity: &Value) -> Vec<u8> {
    two_lines(&state.to_value(identity, &Origin::default()).to_string()).into_bytes()
}

fn parse(bytes: &[u8], identity: &Value) -> Found {
    super::parse(bytes, identity, &Origin::default())
}

#[test]
fn what_is_written_is_read() {
    for_any(CASES, |random| {
        let (identity, state) = (identity(random), state(random));
        let bytes = written(&state, &identity);
        assert!(crc64_of_first_line(&bytes).is_some());
        let Found::Ours { state: read, .. } = parse(&bytes, &identity) else {
            panic!("not ours: {}", String::from_utf8_lossy(&bytes));
        };
        assert_eq!(read, state);
    });
}

#[test]
fn a_checkpoint_of_another_upload_is_not_gone_on_with() {
    for_any(CASES, |random| {
        let (theirs, state) = (identity(random), state(random));
        // Sometimes one thing only is different.
        let mut ours = identity(random);
        let same = random.usize(..);
        for (number, (name, value)) in theirs.as_object().unwrap().iter().enumerate() {
            if same >> number & 1 == 1 {
                ours[name] = value.clone();
            }
        }
        if theirs == ours {
            return;
        }
        let bytes = written(&state, &theirs);
        let Found::Other { why, upload } = parse(&bytes, &ours) else {
            panic!("not of another: {}", String::from_utf8_lossy(&bytes));
        };
        assert!(why.starts_with("other "));
        let mut names = ["endpoint", "bucket", "object"].iter();
        assert_eq!(
            upload.of_the_same,
            names.all(|name| theirs[name] == ours[name])
        );
        assert_eq!(upload.state, state);
    });
}

/// Somebody cuts the file, or puts other bytes in place of some.
#[test]
fn no_damage_is_trusted() {
    for_any(CASES, |random| {
        let (identity, state) = (identity(random), state(random));
        let bytes = written(&state, &identity);
        let at = random.usize(..bytes.len());
        let end = match random.bool() {
            true => bytes.len(),
            false => bytes.len().min(at + random.usize(0..4)),
        };
        let damaged = [&bytes[..at], &any::bytes(random, 4), &bytes[end..]].concat();
        // Without its last line feed it is whole all the same.
        if damaged == bytes || damaged == bytes[..bytes.len() - 1] {
            return;
        }
        assert!(matches!(parse(&damaged, &identity), Found::Damaged(_)));
    });
}

/// The CRC-64 keeps accidents out, not somebody who writes what he likes.
#[test]
fn anything_under_a_right_crc_is_whole_or_damaged() {
    for_any(CASES, |random| {
        let sometimes = |random: &mut Rng| random.u8(0..8) > 0;
        let upload_id = sometimes(random).then(|| text(random));
        let completing = sometimes(random).then(|| random.bool());
        let numbers = [0, 1, 10_000, 10_001, random.u32(..)];
        let number = sometimes(random).then(|| random.choice(numbers).unwrap());
        let etag = sometimes(random).then(|| text(random));
        let [size, crc64] =
            [(), ()].map(|()| sometimes(random).then(|| random.i64(..) >> random.u8(0..64)));
        let crc64_value = match random.bool() {
            true => json!(crc64.map(|number| number.to_string())),
            false => json!(crc64),
        };
        let part = json!({ "number": number, "etag": etag, "size": size, "crc64": crc64_value });
        let identity = json!("any");
        let text = json!({
            "identity": identity,
            "path": "",
            "changed": 0,
            "upload_id": upload_id,
            "completing": completing,
            "parts": [part],
        });
        if let Found::Ours { state, .. } = parse(two_lines(&text.to_string()).as_bytes(), &identity)
        {
            assert_eq!(Some(&state.upload_id), upload_id.as_ref());
            assert_eq!(Some(state.completing), completing);
            let part = &state.parts[0];
            assert!(!part.etag().is_empty());
            assert_eq!(Some(part.number()), number);
            assert!((1..=10_000).contains(&part.number()));
            assert!(part.size().is_some() && part.crc64().is_some());
            assert_eq!(part.size().map(|size| size as i64), size);
            assert_eq!(part.crc64().map(|crc64| crc64 as i64), crc64);
        }
    });
}
