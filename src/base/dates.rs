//! Dates as signatures, policies and lists have them: ISO 8601, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

/// `19941106T084937Z`, the form of x-oss-date.
pub(crate) fn iso8601_basic(time: SystemTime) -> String {
    let (year, month, day, [hour, minute, second]) = parts(time);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// `1994-11-06T08:49:37.000Z`, the form of policies and lists.
pub(crate) fn iso8601(time: SystemTime) -> String {
    let (year, month, day, [hour, minute, second]) = parts(time);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}

/// Year, month, day and time of day; times before 1970 become its first second.
fn parts(time: SystemTime) -> (u64, u64, u64, [u64; 3]) {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years begin in March here, so that a leap day is the last of one, and come in cycles of 400 (Howard Hinnant,
    // "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
    let days = days + 719_468;
    let (cycle, of_cycle) = (days / 146_097, days % 146_097);
    let year = (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = 400 * cycle + year + u64::from(month <= 2);
    (
        year,
        month,
        day,
        [second / 3_600, second / 60 % 60, second % 60],
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        // Against another implementation: each day of years with and without a leap day, and each second of two.
        let days = (0..=47_846).map(|day| day * 86_400 + day % 86_400);
        for seconds in days.chain(951_782_300..951_868_900) {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            let http = httpdate::fmt_http_date(time);
            let month = 1 + "JanFebMarAprMayJunJulAugSepOctNovDec"
                .find(&http[8..11])
                .unwrap()
                / 3;
            let expected = format!(
                "{}{month:02}{}T{}Z",
                &http[12..16],
                &http[5..7],
                http[17..25].replace(':', "")
            );
            assert_eq!(iso8601_basic(time), expected);
        }
        let time = UNIX_EPOCH + Duration::from_secs(1_704_164_645);
        assert_eq!(iso8601(time), "2024-01-02T03:04:05.000Z");
        assert_eq!(
            iso8601(UNIX_EPOCH - Duration::from_secs(1)),
            "1970-01-01T00:00:00.000Z"
        );
    }
}
