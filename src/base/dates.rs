//! Dates as signatures, policies and lists have them: ISO 8601, in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// Reads a time as OSS writes it in an error document: `1994-11-06T08:49:37.000Z`, with or without a fraction of a
/// second. `None` for anything else, and for years before 1970.
pub(crate) fn parse_iso8601(text: &str) -> Option<SystemTime> {
    let text = text.trim().strip_suffix('Z')?;
    let (text, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() != "1994-11-06T08:49:37".len() || fraction.is_empty() || !digits(fraction) {
        return None;
    }
    let number = |begin: usize, len: usize| -> Option<u64> {
        let text = text.get(begin..begin + len).filter(|text| digits(text))?;
        text.parse().ok()
    };
    let is = |index: usize, separator: u8| text.as_bytes().get(index) == Some(&separator);
    if ![(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')]
        .into_iter()
        .all(|(index, separator)| is(index, separator))
    {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let fits = year >= 1970
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !fits {
        return None;
    }
    // The reverse of `parts` (Howard Hinnant, days_from_civil).
    let year = year - u64::from(month <= 2);
    let (cycle, of_cycle) = (year / 400, year % 400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days = cycle * 146_097 + of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year;
    let days = days.checked_sub(719_468)?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
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
    #[test]
    fn a_time_is_read_as_it_is_written() {
        for seconds in (0..=47_846).map(|day| day * 86_400 + day % 86_400).chain([
            951_782_399,
            951_782_400,
            951_868_799,
            253_402_300_799,
        ]) {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(parse_iso8601(&iso8601(time)), Some(time));
        }
        let time = UNIX_EPOCH + Duration::from_secs(1_744_279_257);
        for text in [
            "2025-04-10T10:00:57.000Z",
            "2025-04-10T10:00:57Z",
            "\n 2025-04-10T10:00:57.999999999Z ",
        ] {
            assert_eq!(parse_iso8601(text), Some(time), "{text}");
        }
        for text in [
            "",
            "Z",
            "2025-04-10T10:00:57",
            "2025-04-10T10:00:57.Z",
            "2025-04-10T10:00:57.0",
            "2025-04-10 10:00:57Z",
            "2025-04-10T10:00:57+08:00",
            "2025-4-10T10:00:57Z",
            "2025-00-10T10:00:57Z",
            "2025-13-10T10:00:57Z",
            "2025-04-00T10:00:57Z",
            "2025-04-32T10:00:57Z",
            "2025-04-10T24:00:57Z",
            "2025-04-10T10:60:57Z",
            "2025-04-10T10:00:61Z",
            "+025-04-10T10:00:57Z",
            "1969-12-31T23:59:59Z",
            "２025-04-10T10:0:57Z",
            "20251-04-10T10:00:57Z",
        ] {
            assert_eq!(parse_iso8601(text), None, "{text}");
        }
    }
}
