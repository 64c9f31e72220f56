//! The speed that a client wants for its request: `x-oss-traffic-limit`.

use std::time::Duration;

use hyper::HeaderMap;
use tokio::time::{Instant, sleep};

use crate::{answer::Answer, answer::insert, error::OssError, query::Query};

const LIMIT: &str = "x-oss-traffic-limit";
/// Bits per second (OSS documentation, "Single-connection bandwidth throttling").
const LIMITS: std::ops::RangeInclusive<u64> = 819_200..=838_860_800;

/// Bytes on their way at a limited speed.
#[derive(Debug)]
pub(crate) struct Pace {
    bits_per_second: u64,
    start: Instant,
    bytes: u64,
    delayed: Duration,
}

impl Pace {
    /// From the header, or from the query of a URL.
    pub(crate) fn read(headers: &HeaderMap, query: &Query) -> Result<Option<Self>, OssError> {
        let header = headers.get(LIMIT).map(|value| value.as_bytes());
        let Some(text) = header.or_else(|| query.get(LIMIT)) else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(text);
        let limit = text.trim().parse().ok();
        let limit = limit.filter(|limit| LIMITS.contains(limit));
        let bits_per_second = limit.ok_or_else(|| {
            OssError::invalid_argument(
                "The x-oss-traffic-limit is invalid, it must be a number from 819200 to 838860800.",
                LIMIT,
                &*text,
            )
        })?;
        Ok(Some(Self {
            bits_per_second,
            start: Instant::now(),
            bytes: 0,
            delayed: Duration::ZERO,
        }))
    }

    /// When as many more bytes may have passed.
    pub(crate) fn pass(&mut self, bytes: usize) -> Instant {
        self.bytes += bytes as u64;
        let bits = u128::from(self.bytes) * 8;
        let micros = bits * 1_000_000 / u128::from(self.bits_per_second);
        self.start + Duration::from_micros(micros as u64)
    }

    pub(crate) async fn wait(&mut self, bytes: usize) {
        let until = self.pass(bytes);
        let delay = until.saturating_duration_since(Instant::now());
        if !delay.is_zero() {
            self.delayed += delay;
            sleep(delay).await;
        }
    }

    /// Says in milliseconds what it has cost.
    pub(crate) fn tell(&self, answer: &mut Answer) {
        let delay = self.delayed.as_millis().to_string();
        insert(answer.headers_mut(), "x-oss-qos-delay-time", &delay);
    }
}
