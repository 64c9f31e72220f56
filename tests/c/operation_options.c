/* Head, get and delete have limits, attempts and a cancellation of their own; no options mean the client's. */

#include "fixture.h"

#define OPERATIONS 3

static int never_written(const uint8_t *bytes, size_t bytes_len, void *userdata) {
    (void)bytes, (void)bytes_len, (void)userdata;
    abort();
}

/* Each operation in its turn; all fail here. */
static oss_callback_error *fails(int operation, const oss_callback_client *client,
                                 const oss_callback_operation_options *options, oss_callback_code expected) {
    oss_callback_object_metadata *metadata = NULL;
    oss_callback_error *error = NULL;
    oss_callback_code code;
    switch (operation) {
    case 0: code = oss_callback_client_head_object(client, BUCKET, "object", options, &metadata, &error); break;
    case 1:
        code = oss_callback_client_get_object(client, BUCKET, "object", never_written, NULL, options, &metadata, &error);
        break;
    default: code = oss_callback_client_delete_object(client, BUCKET, "object", options, &error);
    }
    assert(code == expected);
    assert(metadata == NULL);
    return error;
}

static void all_refuse(oss_callback_operation_options *options, const char *message) {
    int operation;
    oss_callback_client *client = new_client();
    for (operation = 0; operation < OPERATIONS; operation++) {
        oss_callback_error *error = fails(operation, client, options, OSS_CALLBACK_CODE_INVALID_ARGUMENT);
        assert(is(oss_callback_error_message(error), message));
        oss_callback_error_free(error);
    }
    oss_callback_operation_options_free(options);
    oss_callback_client_free(client);
}

static void zero_is_refused(void) {
    oss_callback_operation_options *options = new_operation_options();
    oss_callback_operation_options_set_connect_timeout_ms(options, 0);
    all_refuse(options, "`connect_timeout` is zero");
    options = new_operation_options();
    oss_callback_operation_options_set_answer_timeout_ms(options, 0);
    all_refuse(options, "`answer_timeout` is zero");
    options = new_operation_options();
    oss_callback_operation_options_set_progress_timeout_ms(options, 0);
    all_refuse(options, "`progress_timeout` is zero");
    options = new_operation_options();
    oss_callback_operation_options_set_timeout_ms(options, 0);
    all_refuse(options, "`timeout` is zero");
}

/* The server at this address takes everything and never answers. */
static void time_runs_out(const char *silent, uint64_t timeout_ms) {
    int operation, limit;
    oss_callback_client_options *client_options = new_client_options();
    oss_callback_client *client;
    oss_callback_client_options_set_endpoint(client_options, silent);
    client = new_client_of(client_options);
    for (operation = 0; operation < OPERATIONS; operation++) {
        for (limit = 0; limit < 3; limit++) {
            oss_callback_error *error;
            oss_callback_operation_options *options = new_operation_options();
            oss_callback_operation_options_set_max_attempts(options, 1);
            oss_callback_operation_options_set_connect_timeout_ms(options, UINT64_MAX);
            oss_callback_operation_options_set_progress_timeout_ms(options, UINT64_MAX);
            if (limit == 0) {
                oss_callback_operation_options_set_timeout_ms(options, timeout_ms);
            } else if (limit == 1) {
                oss_callback_operation_options_set_timeout_ms(options, UINT64_MAX);
                oss_callback_operation_options_set_deadline_ms(options, timeout_ms);
            } else {
                oss_callback_operation_options_set_answer_timeout_ms(options, timeout_ms);
            }
            error = fails(operation, client, options, OSS_CALLBACK_CODE_TIMEOUT);
            assert(contains(oss_callback_error_message(error),
                            limit < 2 ? "the overall time limit ran out" : "no answer in time"));
            oss_callback_error_free(error);
            oss_callback_operation_options_free(options);
        }
    }
    oss_callback_client_free(client);
}

/* The server at this address takes requests and closes without an answer. */
static void attempts_are_counted(const char *closing) {
    int operation;
    oss_callback_client_options *client_options = new_client_options();
    oss_callback_client *client;
    oss_callback_client_options_set_endpoint(client_options, closing);
    oss_callback_client_options_set_max_attempts(client_options, 1);
    client = new_client_of(client_options);
    for (operation = 0; operation < OPERATIONS; operation++) {
        oss_callback_operation_options *options = new_operation_options();
        oss_callback_error *error = fails(operation, client, NULL, OSS_CALLBACK_CODE_CONNECTION_LOST);
        assert(oss_callback_error_attempts(error) == 1);
        oss_callback_error_free(error);
        oss_callback_operation_options_set_max_attempts(options, 4);
        oss_callback_operation_options_set_retry_base_delay_ms(options, 0);
        oss_callback_operation_options_set_retry_max_delay_ms(options, 0);
        error = fails(operation, client, options, OSS_CALLBACK_CODE_CONNECTION_LOST);
        assert(oss_callback_error_attempts(error) == 4);
        oss_callback_error_free(error);
        oss_callback_operation_options_free(options);
    }
    oss_callback_client_free(client);
}

/* The options keep the cancellation, until they are given another. */
static void is_cancelled(void) {
    int operation;
    oss_callback_client *client = new_client();
    oss_callback_cancellation *cancellation = NULL;
    oss_callback_operation_options *options = new_operation_options();
    assert(oss_callback_cancellation_new(&cancellation) == OSS_CALLBACK_CODE_OK);
    oss_callback_operation_options_set_cancellation(options, cancellation);
    oss_callback_cancellation_cancel(cancellation);
    oss_callback_cancellation_free(cancellation);
    for (operation = 0; operation < OPERATIONS; operation++) {
        oss_callback_error_free(fails(operation, client, options, OSS_CALLBACK_CODE_CANCELLED));
    }
    oss_callback_operation_options_set_cancellation(options, NULL);
    assert(oss_callback_client_delete_object(client, BUCKET, "object", options, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_operation_options_free(options);
    oss_callback_client_free(client);
}

/* argv: a silent server and one that closes, and a time in which a request is sent for certain. */
int main(int argc, char **argv) {
    assert(argc == 4);
    zero_is_refused();
    time_runs_out(argv[1], (uint64_t)atol(argv[3]));
    attempts_are_counted(argv[2]);
    is_cancelled();
    return 0;
}
