//! Points in time as OSS's documents write them.

use std::time::SystemTime;

/// `2012-02-24T08:43:07.000Z`: whole seconds, as OSS has them.
pub(crate) fn timestamp(time: SystemTime) -> String {
    let seconds = seconds(time);
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    while days >= days_in(year) {
        days -= days_in(year);
        year += 1;
    }
    let february = days_in(year) - 337;
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!(
        "{year:04}-{month:02}-{:02}T{:02}:{:02}:{:02}.000Z",
        days + 1,
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

/// Whole seconds since 1970.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

fn days_in(year: u64) -> u64 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    365 + u64::from(is_leap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_kept() {
        for (http, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00.000Z"),
            ("Fri, 24 Feb 2012 08:43:07 GMT", "2012-02-24T08:43:07.000Z"),
            ("Tue, 29 Feb 2000 23:59:59 GMT", "2000-02-29T23:59:59.000Z"),
            ("Wed, 01 Mar 2000 00:00:00 GMT", "2000-03-01T00:00:00.000Z"),
            ("Mon, 01 Mar 2100 00:00:00 GMT", "2100-03-01T00:00:00.000Z"),
            ("Thu, 31 Dec 2026 12:00:01 GMT", "2026-12-31T12:00:01.000Z"),
        ] {
            assert_eq!(
                timestamp(httpdate::parse_http_date(http).unwrap()),
                expected
            );
        }
    }
}
