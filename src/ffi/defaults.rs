//! Numbers that options default to, for C programs that want to name them.

/// No limit: a value for every limit in milliseconds or bytes per second. Not for the traffic limit.
pub const OSS_CALLBACK_UNLIMITED: u64 = u64::MAX;

/// The default of oss_callback_client_options_set_connect_timeout_ms.
pub const OSS_CALLBACK_DEFAULT_CONNECT_TIMEOUT_MS: u64 = 10_000;
/// The default of oss_callback_client_options_set_answer_timeout_ms.
pub const OSS_CALLBACK_DEFAULT_ANSWER_TIMEOUT_MS: u64 = 30_000;
/// The default of oss_callback_client_options_set_progress_timeout_ms.
pub const OSS_CALLBACK_DEFAULT_PROGRESS_TIMEOUT_MS: u64 = 30_000;
/// The default of oss_callback_client_options_set_timeout_ms.
pub const OSS_CALLBACK_DEFAULT_TIMEOUT_MS: u64 = OSS_CALLBACK_UNLIMITED;
/// The default of oss_callback_client_options_set_max_answer_len.
pub const OSS_CALLBACK_DEFAULT_MAX_ANSWER_LEN: usize = 4_194_304;
/// The default of oss_callback_client_options_set_max_attempts.
pub const OSS_CALLBACK_DEFAULT_MAX_ATTEMPTS: u32 = 3;
/// The default of oss_callback_client_options_set_retry_base_delay_ms.
pub const OSS_CALLBACK_DEFAULT_RETRY_BASE_DELAY_MS: u64 = 200;
/// The default of oss_callback_client_options_set_retry_max_delay_ms.
pub const OSS_CALLBACK_DEFAULT_RETRY_MAX_DELAY_MS: u64 = 20_000;
/// The default of oss_callback_client_options_set_max_idle_connections.
pub const OSS_CALLBACK_DEFAULT_MAX_IDLE_CONNECTIONS: usize = 64;
/// The default of oss_callback_client_options_set_max_idle_time_ms.
pub const OSS_CALLBACK_DEFAULT_MAX_IDLE_TIME_MS: u64 = 15_000;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::outcome::retry::{BASE_DELAY, MAX_ATTEMPTS, MAX_DELAY};
    use crate::{Client, ClientBuilder};

    #[test]
    fn they_are_what_the_library_does() {
        let ms = Duration::from_millis;
        let written_out = Client::builder()
            .connect_timeout(ms(OSS_CALLBACK_DEFAULT_CONNECT_TIMEOUT_MS))
            .answer_timeout(ms(OSS_CALLBACK_DEFAULT_ANSWER_TIMEOUT_MS))
            .progress_timeout(ms(OSS_CALLBACK_DEFAULT_PROGRESS_TIMEOUT_MS))
            .max_answer_len(OSS_CALLBACK_DEFAULT_MAX_ANSWER_LEN)
            .max_idle_connections(OSS_CALLBACK_DEFAULT_MAX_IDLE_CONNECTIONS)
            .max_idle_time(ms(OSS_CALLBACK_DEFAULT_MAX_IDLE_TIME_MS));
        let shown = |builder: ClientBuilder| format!("{builder:?}");
        assert_eq!(shown(written_out), shown(Client::builder()));
        let other = Client::builder().connect_timeout(ms(1));
        assert_ne!(shown(other), shown(Client::builder()));
        assert!(shown(Client::builder()).contains(" timeout: None"));

        assert_eq!(OSS_CALLBACK_DEFAULT_MAX_ATTEMPTS, MAX_ATTEMPTS);
        assert_eq!(ms(OSS_CALLBACK_DEFAULT_RETRY_BASE_DELAY_MS), BASE_DELAY);
        assert_eq!(ms(OSS_CALLBACK_DEFAULT_RETRY_MAX_DELAY_MS), MAX_DELAY);
    }
}
