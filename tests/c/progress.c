/* A progress hook is told on the thread that uploads what has left, and can end its own upload, and no other. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <pthread.h>

#define LEN 8000000u

typedef struct {
    pthread_t thread;
    uint64_t sent, total, ends_at;
    int calls;
    bool ended;
} witness;

static int watch(uint64_t sent, uint64_t total, void *userdata) {
    witness *it = userdata;
    assert(pthread_equal(it->thread, pthread_self()));
    assert(!it->ended);
    assert(sent > it->sent && sent <= LEN);
    assert(total == it->total);
    it->sent = sent;
    it->calls++;
    it->ended = sent >= it->ends_at;
    return it->ended;
}

static witness new_witness(uint64_t total, uint64_t ends_at) {
    witness it;
    memset(&it, 0, sizeof it);
    it.thread = pthread_self();
    it.total = total;
    it.ends_at = ends_at;
    return it;
}

/* Gives zeros: as many as are left. */
static int64_t give(uint8_t *buffer, size_t buffer_len, void *userdata) {
    size_t *left = userdata;
    size_t count = *left < buffer_len ? *left : buffer_len;
    memset(buffer, 0, count);
    *left -= count;
    return (int64_t)count;
}

int main(void) {
    size_t left = LEN;
    uint8_t *body = calloc(LEN, 1);
    oss_callback_client *client = new_client();
    oss_callback_spec *spec = new_spec(variable("OSS_CALLBACK_URL"));
    oss_callback_put_options *options = new_put_options();
    oss_callback_cancellation *cancellation = NULL;
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;
    witness it = new_witness(LEN, UINT64_MAX);
    assert(body != NULL);

    oss_callback_put_options_set_progress_hook(options, watch, &it);
    assert(oss_put_object_with_callback(client, BUCKET, "watched", body, LEN, spec, options, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(it.sent == LEN && it.calls > 1);

    it = new_witness(OSS_CALLBACK_LEN_UNKNOWN, UINT64_MAX);
    assert(oss_put_object_from_reader_with_callback(client, BUCKET, "of unknown length", give, &left, OSS_CALLBACK_LEN_UNKNOWN,
                                                    spec, options, NULL, NULL) == OSS_CALLBACK_CODE_OK);
    assert(it.sent == LEN);

    /* It ends its upload, and leaves the cancellation alone that others may carry. */
    assert(oss_callback_cancellation_new(&cancellation) == OSS_CALLBACK_CODE_OK);
    oss_callback_put_options_set_cancellation(options, cancellation);
    /* Most of it is here still when the hook is told of an eighth. */
    oss_callback_put_options_set_bandwidth_bytes_per_s(options, 4 * LEN);
    it = new_witness(LEN, LEN / 8);
    assert(oss_put_object_with_callback(client, BUCKET, "ended", body, LEN, spec, options, &receipt, &error) ==
           OSS_CALLBACK_CODE_CANCELLED);
    assert(receipt == NULL);
    assert(it.ended && it.sent < LEN);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_NO);
    assert(oss_callback_error_attempts(error) == 1);
    oss_callback_error_free(error);
    assert(!oss_callback_cancellation_is_cancelled(cancellation));

    /* Also when everything has left: but then the server has it, and nobody knows what it does. */
    it = new_witness(LEN, LEN);
    assert(oss_put_object_with_callback(client, BUCKET, "ended too late", body, LEN, spec, options, NULL, &error) ==
           OSS_CALLBACK_CODE_CANCELLED);
    assert(it.sent == LEN);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_UNKNOWN);
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_UNKNOWN);
    oss_callback_error_free(error);

    oss_callback_put_options_set_progress_hook(options, NULL, NULL);
    it = new_witness(LEN, 0);
    assert(oss_put_object_with_callback(client, BUCKET, "unwatched", body, LEN, spec, options, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(it.calls == 0);

    free(body);
    oss_callback_cancellation_free(cancellation);
    oss_callback_put_options_free(options);
    oss_callback_spec_free(spec);
    oss_callback_client_free(client);
    return 0;
}
