/* Over a line that is slower than the limits allow for the whole body, an upload succeeds as long as bytes leave, and its hook
   is told of no more than that. argv: bytes per second, and what may be told beyond it. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <time.h>

#define LEN 200000u

typedef struct {
    struct timespec begun;
    uint64_t sent, bytes_per_second, beyond;
    int calls;
} witness;

static uint64_t milliseconds_since(const struct timespec *begun) {
    struct timespec now;
    assert(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)((now.tv_sec - begun->tv_sec) * 1000 + (now.tv_nsec - begun->tv_nsec) / 1000000);
}

static int watch(uint64_t sent, uint64_t total, void *userdata) {
    witness *it = userdata;
    assert(total == LEN && sent > it->sent);
    assert(sent <= milliseconds_since(&it->begun) * it->bytes_per_second / 1000 + it->beyond);
    it->sent = sent;
    it->calls++;
    return 0;
}

int main(int argc, char **argv) {
    witness it;
    uint8_t *body = calloc(LEN, 1);
    oss_callback_receipt *receipt = NULL;
    oss_callback_put_options *options = new_put_options();
    oss_callback_client *client = new_client();
    assert(argc == 3 && body != NULL);
    memset(&it, 0, sizeof it);
    it.bytes_per_second = (uint64_t)atol(argv[1]);
    it.beyond = (uint64_t)atol(argv[2]);
    oss_callback_put_options_set_answer_timeout_ms(options, 2000);
    oss_callback_put_options_set_progress_timeout_ms(options, 2000);
    oss_callback_put_options_set_max_attempts(options, 1);
    oss_callback_put_options_set_progress_hook(options, watch, &it);
    assert(clock_gettime(CLOCK_MONOTONIC, &it.begun) == 0);
    assert(oss_put_object_with_callback(client, BUCKET, "slow", body, LEN, oss_callback_spec_none(), options, &receipt,
                                        NULL) == OSS_CALLBACK_CODE_OK);
    assert(milliseconds_since(&it.begun) > 2000);
    assert(it.sent == LEN && it.calls >= 10);
    /* What was sent before is no waiting. */
    assert(oss_callback_receipt_waited_ms(receipt) < 2000);
    oss_callback_receipt_free(receipt);
    oss_callback_put_options_free(options);
    oss_callback_client_free(client);
    free(body);
    return 0;
}
