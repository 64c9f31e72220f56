//! Which part of an object a `Range` header means.

use std::ops::Range;

/// What to answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// 200 with the whole object.
    Whole,
    /// 206
    Of(Range<u64>),
    /// 416
    None,
}

/// OSS ignores a range that does not lie within the object, unless the request has `x-oss-range-behavior: standard`: then a
/// range that overlaps the object is cut, and any other is an error (OSS documentation, GetObject).
pub(crate) fn part(header: &str, size: u64, standard: bool) -> Part {
    match parse(header, size) {
        Some((first, last)) if first < size && last < size => Part::Of(first..last + 1),
        Some((first, _)) if first < size && standard => Part::Of(first..size),
        _ if standard => Part::None,
        _ => Part::Whole,
    }
}

/// First and last byte. `None` for several ranges too: OSS does not know them.
fn parse(header: &str, size: u64) -> Option<(u64, u64)> {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
    match (first, last) {
        ("", length) => {
            let length = number(length)?;
            // The last `length` bytes; more than there are is all.
            (length > 0 && size > 0).then(|| (size.saturating_sub(length), size - 1))
        }
        (first, "") => Some((number(first)?, size.checked_sub(1)?)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some((first, last))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_within_the_object_are_taken() {
        for standard in [false, true] {
            for (header, range) in [
                ("bytes=0-0", 0..1),
                ("bytes=0-9", 0..10),
                ("bytes=3-5", 3..6),
                ("bytes=9-", 9..10),
                ("bytes=0-", 0..10),
                ("bytes=-1", 9..10),
                ("bytes=-10", 0..10),
                ("bytes=-11", 0..10),
            ] {
                assert_eq!(part(header, 10, standard), Part::Of(range), "{header}");
            }
        }
    }

    #[test]
    fn a_range_that_reaches_beyond_is_cut_only_by_the_standard() {
        for header in ["bytes=5-10", "bytes=5-99999999999999999999"] {
            assert_eq!(part(header, 10, false), Part::Whole, "{header}");
            assert_eq!(part(header, 10, true), Part::Of(5..10), "{header}");
        }
    }

    #[test]
    fn what_is_no_range_is_ignored_or_refused() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=-0",
            "bytes=10-",
            "bytes=10-11",
            "bytes=5-4",
            "bytes=a-b",
            "bytes=0-1,3-4",
            "bytes=+1-2",
            "items=0-1",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(part(header, 10, false), Part::Whole, "{header}");
            assert_eq!(part(header, 10, true), Part::None, "{header}");
        }
        for header in ["bytes=0-0", "bytes=0-", "bytes=-1"] {
            assert_eq!(part(header, 0, false), Part::Whole, "{header}");
            assert_eq!(part(header, 0, true), Part::None, "{header}");
        }
    }
}
