/* A read hook gives the body, of a known length or not; one that fails, lies, or gives too little or too much ends its
 * upload, and nothing is stored. */

#include "fixture.h"

typedef struct {
    size_t left;
    int64_t at_the_end;
    size_t block;
    int calls;
    bool ended;
} source;

/* Gives letters, a block at a time, and says this at the end. */
static int64_t give(uint8_t *buffer, size_t buffer_len, void *userdata) {
    source *it = userdata;
    size_t index, count = it->left < it->block ? it->left : it->block;
    assert(buffer != NULL && buffer_len > 0);
    assert(!it->ended);
    it->calls++;
    if (count == 0) {
        it->ended = true;
        return it->at_the_end;
    }
    count = count < buffer_len ? count : buffer_len;
    for (index = 0; index < count; index++) {
        buffer[index] = (uint8_t)('a' + (it->left - index) % 26);
    }
    it->left -= count;
    return (int64_t)count;
}

/* Says that it gave one byte more than there was room for. */
static int64_t lie(uint8_t *buffer, size_t buffer_len, void *userdata) {
    (void)buffer, (void)userdata;
    return (int64_t)buffer_len + 1;
}

static int64_t lie_a_lot(uint8_t *buffer, size_t buffer_len, void *userdata) {
    (void)buffer, (void)buffer_len, (void)userdata;
    return INT64_MAX;
}

static int64_t fail_with_the_least(uint8_t *buffer, size_t buffer_len, void *userdata) {
    (void)buffer, (void)buffer_len, (void)userdata;
    return INT64_MIN;
}

static source new_source(size_t len, size_t block, int64_t at_the_end) {
    source it;
    memset(&it, 0, sizeof it);
    it.left = len;
    it.block = block;
    it.at_the_end = at_the_end;
    return it;
}

static oss_callback_client *client;
static oss_callback_spec *spec;

static void is_stored(const char *object, size_t len, size_t block, uint64_t announced) {
    oss_callback_receipt *receipt = NULL;
    source it = new_source(len, block, 0);
    assert(oss_put_object_from_reader_with_callback(client, BUCKET, object, give, &it, announced, spec, NULL, &receipt,
                                                    NULL) == OSS_CALLBACK_CODE_OK);
    assert(it.left == 0);
    assert(oss_callback_receipt_answer(receipt, NULL) != NULL);
    assert(oss_callback_receipt_attempts(receipt) == 1);
    assert(oss_callback_receipt_earlier_attempts_len(receipt) == 0);
    oss_callback_receipt_free(receipt);
}

static void is_refused(oss_callback_read_hook hook, source it, uint64_t announced, oss_callback_code code,
                       const char *message) {
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;
    assert(oss_put_object_from_reader_with_callback(client, BUCKET, "never", hook, &it, announced, spec, NULL, &receipt,
                                                    &error) == code);
    assert(receipt == NULL);
    assert(contains(oss_callback_error_message(error), message));
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_NO);
    assert(oss_callback_error_attempts(error) == 1);
    oss_callback_error_free(error);
}

int main(void) {
    oss_callback_error *error = NULL;
    source untouched = new_source(5, 5, 0);
    client = new_client();
    spec = new_spec(variable("OSS_CALLBACK_URL"));

    is_stored("known", 1000000, SIZE_MAX, 1000000);
    is_stored("unknown", 1000000, SIZE_MAX, OSS_CALLBACK_LEN_UNKNOWN);
    is_stored("in small blocks", 1000, 7, 1000);
    is_stored("in small blocks, unknown", 1000, 7, OSS_CALLBACK_LEN_UNKNOWN);
    is_stored("empty", 0, 1, 0);
    is_stored("empty, unknown", 0, 1, OSS_CALLBACK_LEN_UNKNOWN);

    /* Short and long. */
    is_refused(give, new_source(999, 100, 0), 1000, OSS_CALLBACK_CODE_BODY_CHANGED, "ended after 999 of 1000 bytes");
    is_refused(give, new_source(0, 100, 0), 1000, OSS_CALLBACK_CODE_BODY_CHANGED, "ended after 0 of 1000 bytes");
    is_refused(give, new_source(1001, 100, 0), 1000, OSS_CALLBACK_CODE_BODY_CHANGED, "has more than 1000 bytes");
    /* Failing: at once, midway, and where the end was expected. */
    is_refused(give, new_source(0, 100, -1), 1000, OSS_CALLBACK_CODE_BODY_UNREADABLE, "returned -1");
    is_refused(give, new_source(500, 100, -7), 1000, OSS_CALLBACK_CODE_BODY_UNREADABLE, "returned -7");
    is_refused(give, new_source(1000, 100, -1), 1000, OSS_CALLBACK_CODE_BODY_UNREADABLE, "returned -1");
    is_refused(give, new_source(300000, 1000, -1), OSS_CALLBACK_LEN_UNKNOWN, OSS_CALLBACK_CODE_BODY_UNREADABLE,
               "returned -1");
    is_refused(fail_with_the_least, untouched, 5, OSS_CALLBACK_CODE_BODY_UNREADABLE, "returned -9223372036854775808");
    /* Lying. */
    is_refused(lie, untouched, 1000, OSS_CALLBACK_CODE_BODY_UNREADABLE, "1001 bytes where 1000 had room");
    is_refused(lie, untouched, OSS_CALLBACK_LEN_UNKNOWN, OSS_CALLBACK_CODE_BODY_UNREADABLE, "had room");
    is_refused(lie_a_lot, untouched, 1000, OSS_CALLBACK_CODE_BODY_UNREADABLE, "9223372036854775807 bytes");

    /* More than OSS takes is not read at all. */
    assert(oss_put_object_from_reader_with_callback(client, BUCKET, "never", give, &untouched, UINT64_MAX - 1, spec, NULL,
                                                    NULL, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(untouched.calls == 0);
    oss_callback_error_free(error);

    oss_callback_spec_free(spec);
    oss_callback_client_free(client);
    return 0;
}
