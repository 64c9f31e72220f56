/* The limits of one upload: its time, its attempts and what came of them, its bandwidth, and whether its checksum is
 * compared. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <time.h>

static oss_callback_client *new_client_at(const char *endpoint) {
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_endpoint(options, endpoint);
    return new_client_of(options);
}

static oss_callback_code put(const oss_callback_client *client, size_t len, const oss_callback_spec *spec,
                             const oss_callback_put_options *options, oss_callback_receipt **receipt,
                             oss_callback_error **error) {
    uint8_t *body = calloc(len, 1);
    oss_callback_code code;
    assert(body != NULL);
    code = oss_put_object_with_callback(client, BUCKET, "object", body, len, spec, options, receipt, error);
    free(body);
    return code;
}

static void refuses(oss_callback_put_options *options, const char *message) {
    oss_callback_client *client = new_client();
    oss_callback_error *error = NULL;
    assert(put(client, 1, oss_callback_spec_none(), options, NULL, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(is(oss_callback_error_message(error), message));
    oss_callback_error_free(error);
    oss_callback_put_options_free(options);
    oss_callback_client_free(client);
}

static void zero_is_refused(void) {
    oss_callback_put_options *options = new_put_options();
    oss_callback_put_options_set_connect_timeout_ms(options, 0);
    refuses(options, "`connect_timeout` is zero");
    options = new_put_options();
    oss_callback_put_options_set_answer_timeout_ms(options, 0);
    refuses(options, "`answer_timeout` is zero");
    options = new_put_options();
    oss_callback_put_options_set_progress_timeout_ms(options, 0);
    refuses(options, "`progress_timeout` is zero");
    options = new_put_options();
    oss_callback_put_options_set_timeout_ms(options, 0);
    refuses(options, "`timeout` is zero");
    options = new_put_options();
    oss_callback_put_options_set_bandwidth_bytes_per_s(options, 0);
    refuses(options, "`bandwidth` is zero");
}

/* The server at this address takes everything and never answers. */
static void time_runs_out(const char *silent, uint64_t timeout_ms) {
    oss_callback_error *error = NULL;
    oss_callback_client *client = new_client_at(silent);
    oss_callback_put_options *options = new_put_options();
    oss_callback_put_options_set_timeout_ms(options, 1);
    oss_callback_put_options_set_timeout_ms(options, timeout_ms);
    assert(put(client, 1, oss_callback_spec_none(), options, NULL, &error) == OSS_CALLBACK_CODE_TIMEOUT);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_UNKNOWN);
    assert(oss_callback_error_attempts(error) == 1);
    /* All but connecting and sending was waiting. */
    assert(oss_callback_error_waited_ms(error) > 0 && oss_callback_error_waited_ms(error) < timeout_ms + 3000);
    oss_callback_error_free(error);
    oss_callback_put_options_free(options);
    oss_callback_client_free(client);
}

/* The server at this address takes requests and closes without an answer. */
static void attempts_are_counted(const char *closing, const oss_callback_spec *spec) {
    oss_callback_error *error = NULL;
    const oss_callback_attempt *attempt;
    size_t index;
    oss_callback_client *client = new_client_at(closing);
    oss_callback_put_options *options = new_put_options();
    oss_callback_put_options_set_max_attempts(options, 4);
    oss_callback_put_options_set_retry_base_delay_ms(options, 1);
    oss_callback_put_options_set_retry_max_delay_ms(options, 2);

    /* A lost answer may mean a delivered callback: never again, unless that does no harm. */
    assert(put(client, 1, spec, options, NULL, &error) == OSS_CALLBACK_CODE_CONNECTION_LOST);
    assert(oss_callback_error_attempts(error) == 1);
    assert(oss_callback_error_earlier_attempts_len(error) == 0);
    assert(oss_callback_error_earlier_attempt(error, 0) == NULL);
    oss_callback_error_free(error);

    oss_callback_put_options_set_callback_is_idempotent(options, true);
    assert(put(client, 1, spec, options, NULL, &error) == OSS_CALLBACK_CODE_CONNECTION_LOST);
    assert(oss_callback_error_attempts(error) == 4);
    assert(oss_callback_error_earlier_attempts_len(error) == 3);
    for (index = 0; index < 3; index++) {
        attempt = oss_callback_error_earlier_attempt(error, index);
        assert(oss_callback_attempt_code(attempt) == OSS_CALLBACK_CODE_CONNECTION_LOST);
        assert(oss_callback_attempt_stored(attempt) == OSS_CALLBACK_STORED_UNKNOWN);
        assert(oss_callback_attempt_answered(attempt) == OSS_CALLBACK_ANSWERED_UNKNOWN);
        assert(oss_callback_attempt_status(attempt) == 0);
        assert(oss_callback_attempt_waited_ms(attempt) < 3000);
    }
    assert(oss_callback_error_earlier_attempt(error, 3) == NULL);
    oss_callback_error_free(error);
    oss_callback_put_options_free(options);
    oss_callback_client_free(client);
}

/* The server at this address answers 503 and then 200, each with a CRC-64 of 1. */
static void success_has_a_history(const char *wrong_crc64) {
    oss_callback_error *error = NULL;
    oss_callback_receipt *receipt = NULL;
    const oss_callback_attempt *attempt;
    oss_callback_client *client = new_client_at(wrong_crc64);
    oss_callback_put_options *options = new_put_options();
    oss_callback_put_options_set_max_attempts(options, 2);
    oss_callback_put_options_set_retry_base_delay_ms(options, 0);
    oss_callback_put_options_set_retry_max_delay_ms(options, 0);
    oss_callback_put_options_set_compare_crc64(options, false);
    assert(put(client, 1, oss_callback_spec_none(), options, &receipt, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_receipt_attempts(receipt) == 2);
    assert(oss_callback_receipt_earlier_attempts_len(receipt) == 1);
    attempt = oss_callback_receipt_earlier_attempt(receipt, 0);
    assert(oss_callback_attempt_code(attempt) == OSS_CALLBACK_CODE_SERVER_ERROR);
    assert(oss_callback_attempt_status(attempt) == 503);
    assert(oss_callback_attempt_answered(attempt) == OSS_CALLBACK_ANSWERED_NOT_REQUESTED);
    assert(oss_callback_receipt_earlier_attempt(receipt, 1) == NULL);
    assert(oss_callback_receipt_waited_ms(receipt) < 3000);
    oss_callback_receipt_free(receipt);

    oss_callback_put_options_set_compare_crc64(options, true);
    assert(put(client, 1, oss_callback_spec_none(), options, NULL, &error) == OSS_CALLBACK_CODE_CHECKSUM_MISMATCH);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_YES);
    assert(oss_callback_error_attempts(error) == 2);
    /* What is known of the stored object knows how it came about. */
    assert(oss_callback_receipt_attempts(oss_callback_error_receipt(error)) == 2);
    assert(oss_callback_receipt_earlier_attempt(oss_callback_error_receipt(error), 0) != NULL);
    oss_callback_error_free(error);
    oss_callback_put_options_free(options);
    oss_callback_client_free(client);
}

static void bandwidth_is_kept(void) {
    struct timespec begin, end;
    double seconds;
    oss_callback_client *client = new_client();
    oss_callback_put_options *options = new_put_options();
    oss_callback_put_options_set_bandwidth_bytes_per_s(options, 1000000);
    assert(clock_gettime(CLOCK_MONOTONIC, &begin) == 0);
    assert(put(client, 500000, oss_callback_spec_none(), options, NULL, NULL) == OSS_CALLBACK_CODE_OK);
    assert(clock_gettime(CLOCK_MONOTONIC, &end) == 0);
    seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    /* The last tenth of a second's worth is not waited for. */
    assert(seconds > 0.35);
    oss_callback_put_options_free(options);
    oss_callback_client_free(client);
}

/* argv: a silent server, one that closes, one that fails first; and a time in which a request is sent for certain. */
int main(int argc, char **argv) {
    oss_callback_spec *spec = new_spec(variable("OSS_CALLBACK_URL"));
    assert(argc == 5);
    zero_is_refused();
    time_runs_out(argv[1], (uint64_t)atol(argv[4]));
    attempts_are_counted(argv[2], spec);
    success_has_a_history(argv[3]);
    bandwidth_is_kept();
    oss_callback_spec_free(spec);
    return 0;
}
