/* A server that goes away does not take the program with it, although SIGPIPE is at its default; the error says what
 * can be known. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <signal.h>

/* Far more than the buffers of a connection hold. */
#define LARGE (64u << 20)

static void sigpipe_is_at_its_default(void) {
    struct sigaction action;
    assert(sigaction(SIGPIPE, NULL, &action) == 0);
    assert(action.sa_handler == SIG_DFL);
}

static void is_lost(oss_callback_client *client, const uint8_t *body, size_t body_len, const oss_callback_spec *spec,
                    oss_callback_stored stored, oss_callback_answered answered) {
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;
    assert(oss_put_object_with_callback(client, BUCKET, "object", body, body_len, spec, NULL, &receipt, &error) ==
           OSS_CALLBACK_CODE_CONNECTION_LOST);
    assert(receipt == NULL);
    assert(oss_callback_error_stored(error) == stored);
    assert(oss_callback_error_answered(error) == answered);
    assert(oss_callback_error_status(error) == 0);
    assert(oss_callback_error_receipt(error) == NULL);
    oss_callback_error_free(error);
}

/* "midway": the server leaves after the head of each request. "after": it leaves after the whole of it. */
int main(int argc, char **argv) {
    uint8_t *body = calloc(LARGE, 1);
    oss_callback_client *client = new_client();
    oss_callback_spec *spec = new_spec("http://app.example.com/");
    assert(argc == 2);
    assert(body != NULL);
    sigpipe_is_at_its_default();

    if (is(argv[1], "midway")) {
        is_lost(client, body, LARGE, spec, OSS_CALLBACK_STORED_NO, OSS_CALLBACK_ANSWERED_NO);
        is_lost(client, body, LARGE, oss_callback_spec_none(), OSS_CALLBACK_STORED_NO, OSS_CALLBACK_ANSWERED_NOT_REQUESTED);
    } else {
        is_lost(client, body, 100, spec, OSS_CALLBACK_STORED_UNKNOWN, OSS_CALLBACK_ANSWERED_UNKNOWN);
        is_lost(client, body, 0, oss_callback_spec_none(), OSS_CALLBACK_STORED_UNKNOWN, OSS_CALLBACK_ANSWERED_NOT_REQUESTED);
    }

    sigpipe_is_at_its_default();
    free(body);
    oss_callback_spec_free(spec);
    oss_callback_client_free(client);
    return 0;
}
