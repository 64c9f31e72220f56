/* A download goes to a write hook, block after block, until it is whole or the hook does not want more; a delete deletes. */

#include "fixture.h"

#define LEN 300000u

typedef struct {
    uint8_t bytes[LEN];
    size_t len, wanted;
    int calls;
} sink;

static int take(const uint8_t *bytes, size_t bytes_len, void *userdata) {
    sink *it = userdata;
    assert(bytes != NULL && bytes_len > 0);
    it->calls++;
    if (it->len + bytes_len > it->wanted) {
        return 42;
    }
    memcpy(it->bytes + it->len, bytes, bytes_len);
    it->len += bytes_len;
    return 0;
}

static sink *new_sink(size_t wanted) {
    sink *it = calloc(1, sizeof *it);
    assert(it != NULL);
    it->wanted = wanted;
    return it;
}

/* The server in argv says that it has 10 bytes, sends 5 and closes. */
int main(int argc, char **argv) {
    uint64_t number = 0;
    size_t index;
    uint8_t *body = malloc(LEN);
    sink *whole = new_sink(LEN), *part = new_sink(100000), *early = new_sink(LEN);
    oss_callback_client *client = new_client();
    oss_callback_object_metadata *metadata = NULL;
    oss_callback_error *error = NULL;
    oss_callback_client_options *options = new_client_options();
    assert(argc == 2 && body != NULL);
    for (index = 0; index < LEN; index++) {
        body[index] = (uint8_t)(index % 251);
    }
    assert(oss_put_object_with_callback(client, BUCKET, "object", body, LEN, oss_callback_spec_none(), NULL, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);

    assert(oss_callback_client_get_object(client, BUCKET, "object", take, whole, NULL, &metadata, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(whole->len == LEN && memcmp(whole->bytes, body, LEN) == 0);
    assert(oss_callback_object_metadata_content_length(metadata, &number) && number == LEN);
    assert(oss_callback_object_metadata_etag(metadata) != NULL);
    oss_callback_object_metadata_free(metadata);
    metadata = NULL;

    /* The hook does not want more, and is not asked again. */
    assert(oss_callback_client_get_object(client, BUCKET, "object", take, part, NULL, &metadata, &error) ==
           OSS_CALLBACK_CODE_WRITE_FAILED);
    assert(metadata == NULL);
    assert(contains(oss_callback_error_message(error), "the hook returned 42"));
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(part->len <= part->wanted && memcmp(part->bytes, body, part->len) == 0);
    index = (size_t)part->calls;
    oss_callback_error_free(error);

    /* The connection that it left behind does no harm. */
    assert(oss_callback_client_delete_object(client, BUCKET, "object", NULL, NULL) == OSS_CALLBACK_CODE_OK);
    assert((size_t)part->calls == index);
    assert(oss_callback_client_get_object(client, BUCKET, "object", take, part, NULL, &metadata, &error) ==
           OSS_CALLBACK_CODE_NOT_FOUND);
    assert(is(oss_callback_error_oss_code(error), "NoSuchKey"));
    oss_callback_error_free(error);
    assert((size_t)part->calls == index);
    /* What is not there counts as deleted, but not where there is no bucket. */
    assert(oss_callback_client_delete_object(client, BUCKET, "object", NULL, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_client_delete_object(client, "otherbucket", "object", NULL, &error) ==
           OSS_CALLBACK_CODE_NOT_FOUND);
    assert(is(oss_callback_error_oss_code(error), "NoSuchBucket"));
    oss_callback_error_free(error);
    oss_callback_client_free(client);

    oss_callback_client_options_set_endpoint(options, argv[1]);
    client = new_client_of(options);
    assert(oss_callback_client_get_object(client, BUCKET, "object", take, early, NULL, &metadata, &error) ==
           OSS_CALLBACK_CODE_CONNECTION_LOST);
    assert(metadata == NULL);
    assert(early->len == 5 && memcmp(early->bytes, "early", 5) == 0);
    oss_callback_error_free(error);

    oss_callback_client_free(client);
    free(body);
    free(whole);
    free(part);
    free(early);
    return 0;
}
