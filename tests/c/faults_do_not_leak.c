/* Failures of every kind, 200 times each, leave no descriptor behind, and no memory: the test may run under valgrind. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <dirent.h>
#include <unistd.h>

#define TIMES 200
#define LARGE (4u << 20)

static uint8_t body[LARGE];

static int open_descriptors(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert(folder != NULL);
    while (readdir(folder) != NULL) {
        count++;
    }
    assert(closedir(folder) == 0);
    return count;
}

static oss_callback_client *new_client_at(const char *endpoint) {
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_endpoint(options, endpoint);
    return new_client_of(options);
}

static int end_at_once(uint64_t sent, uint64_t total, void *userdata) {
    (void)sent, (void)total, (void)userdata;
    return 1;
}

static int64_t fail(uint8_t *buffer, size_t buffer_len, void *userdata) {
    (void)buffer, (void)buffer_len, (void)userdata;
    return -1;
}

static int refuse(const uint8_t *bytes, size_t bytes_len, void *userdata) {
    (void)bytes, (void)bytes_len, (void)userdata;
    return 1;
}

/* It failed in this way, and says so in a handle that is freed here. */
static void failed(oss_callback_code code, oss_callback_code expected, oss_callback_error **error) {
    assert(code == expected);
    assert(oss_callback_error_code(*error) == expected);
    oss_callback_error_free(*error);
    *error = NULL;
}

/* argv: an endpoint that refuses connections, one that closes them after the head of a request. The callback is
 * answered with 404. */
int main(int argc, char **argv) {
    int times, pipe_ends[2], before = open_descriptors();
    oss_callback_error *error = NULL;
    oss_callback_receipt *receipt = NULL;
    oss_callback_client *client, *refused, *closed, *made = NULL;
    oss_callback_client_options *bad_options = new_client_options();
    oss_callback_put_options *once = new_put_options(), *cancelled = new_put_options(), *ended = new_put_options();
    oss_callback_spec *spec = new_spec(variable("OSS_CALLBACK_URL"));
    oss_callback_cancellation *cancellation = NULL;
    assert(argc == 3);
    client = new_client();
    refused = new_client_at(argv[1]);
    closed = new_client_at(argv[2]);
    oss_callback_client_options_set_proxy(bad_options, "no proxy");
    oss_callback_put_options_set_max_attempts(once, 2);
    oss_callback_put_options_set_retry_base_delay_ms(once, 0);
    oss_callback_put_options_set_retry_max_delay_ms(once, 0);
    assert(oss_callback_cancellation_new(&cancellation) == OSS_CALLBACK_CODE_OK);
    oss_callback_cancellation_cancel(cancellation);
    oss_callback_put_options_set_cancellation(cancelled, cancellation);
    oss_callback_put_options_set_progress_hook(ended, end_at_once, NULL);
    /* Not all of it has left when the hook is told of the first of it. */
    oss_callback_put_options_set_bandwidth_bytes_per_s(ended, 4 * LARGE);

    for (times = 0; times < TIMES; times++) {
        failed(oss_put_object_with_callback(refused, BUCKET, "o", body, 1, spec, once, &receipt, &error),
               OSS_CALLBACK_CODE_CONNECT, &error);
        failed(oss_put_object_with_callback(closed, BUCKET, "o", body, LARGE, spec, once, &receipt, &error),
               OSS_CALLBACK_CODE_CONNECTION_LOST, &error);
        failed(oss_put_object_with_callback(client, BUCKET, "o", body, 1, spec, once, &receipt, &error),
               OSS_CALLBACK_CODE_CALLBACK_FAILED, &error);
        failed(oss_put_object_with_callback(client, BUCKET, "o", body, 1, spec, cancelled, &receipt, &error),
               OSS_CALLBACK_CODE_CANCELLED, &error);
        failed(oss_put_object_with_callback(client, BUCKET, "o", body, LARGE, spec, ended, &receipt, &error),
               OSS_CALLBACK_CODE_CANCELLED, &error);
        failed(oss_put_object_with_callback(client, NULL, "o", body, 1, spec, NULL, &receipt, &error),
               OSS_CALLBACK_CODE_INVALID_ARGUMENT, &error);
        failed(oss_put_object_with_callback(client, BUCKET, "/o", body, 1, spec, NULL, &receipt, &error),
               OSS_CALLBACK_CODE_INVALID_ARGUMENT, &error);
        failed(oss_put_object_from_file_with_callback(client, BUCKET, "o", "/no such file", spec, NULL, &receipt, &error),
               OSS_CALLBACK_CODE_BODY_UNREADABLE, &error);
        failed(oss_put_object_from_file_range_with_callback(client, BUCKET, "o", argv[0], 0, UINT64_MAX, spec, NULL,
                                                            &receipt, &error),
               OSS_CALLBACK_CODE_INVALID_ARGUMENT, &error);
        failed(oss_put_object_from_reader_with_callback(client, BUCKET, "o", fail, NULL, 5, spec, NULL, &receipt, &error),
               OSS_CALLBACK_CODE_BODY_UNREADABLE, &error);
        assert(pipe(pipe_ends) == 0 && close(pipe_ends[1]) == 0);
        failed(oss_put_object_from_fd_with_callback(client, BUCKET, "o", pipe_ends[0], 5, spec, NULL, &receipt, &error),
               OSS_CALLBACK_CODE_BODY_CHANGED, &error);
        assert(close(pipe_ends[0]) == 0);
        failed(oss_callback_client_get_object(client, BUCKET, "o", refuse, NULL, NULL, NULL, &error),
               OSS_CALLBACK_CODE_WRITE_FAILED, &error);
        failed(oss_callback_client_delete_object(client, "otherbucket", "o", NULL, &error), OSS_CALLBACK_CODE_NOT_FOUND,
               &error);
        failed(oss_callback_client_new(bad_options, &made, &error), OSS_CALLBACK_CODE_INVALID_ARGUMENT, &error);
        /* A few connections may be kept, but not one more each time. */
        assert(open_descriptors() < before + 10);
    }
    assert(receipt == NULL && made == NULL);

    oss_callback_client_free(client);
    oss_callback_client_free(refused);
    oss_callback_client_free(closed);
    oss_callback_client_options_free(bad_options);
    oss_callback_put_options_free(once);
    oss_callback_put_options_free(cancelled);
    oss_callback_put_options_free(ended);
    oss_callback_spec_free(spec);
    oss_callback_cancellation_free(cancellation);
    assert(open_descriptors() == before);
    return 0;
}
