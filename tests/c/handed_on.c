/* Every handle is made on one thread and freed on another. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <pthread.h>

static oss_callback_client *client;
static oss_callback_spec *spec;
static oss_callback_put_options *options;
static oss_callback_receipt *receipt;
static oss_callback_error *error;
static oss_callback_object_metadata *metadata;
static oss_callback_multipart_upload *upload;
static oss_callback_parts *parts;

static void *make(void *nothing) {
    client = new_client();
    spec = new_spec(variable("OSS_CALLBACK_URL"));
    options = new_put_options();
    parts = new_parts();
    oss_callback_put_options_set_metadata(options, "author", "Ming");
    return nothing;
}

static void *use(void *nothing) {
    assert(oss_put_object_with_callback(client, BUCKET, "object", (const uint8_t *)"hello", 5, spec, options, &receipt,
                                        NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_put_object_with_callback(client, "nosuchbucket", "object", NULL, 0, spec, options, NULL, &error) ==
           OSS_CALLBACK_CODE_NOT_FOUND);
    assert(oss_callback_client_head_object(client, BUCKET, "object", NULL, &metadata, NULL) == OSS_CALLBACK_CODE_OK);
    upload = begin(client, "parts");
    assert(oss_callback_multipart_upload_upload_part(upload, 1, (const uint8_t *)"hello", 5, NULL, parts, NULL) ==
           OSS_CALLBACK_CODE_OK);
    return nothing;
}

static void *look_and_free(void *nothing) {
    assert(oss_callback_receipt_etag(receipt) != NULL && oss_callback_error_message(error) != NULL);
    assert(is(oss_callback_object_metadata_header(metadata, "x-oss-meta-author"), "Ming"));
    assert(oss_callback_parts_len(parts) == 1);
    oss_callback_client_free(client);
    oss_callback_spec_free(spec);
    oss_callback_put_options_free(options);
    oss_callback_receipt_free(receipt);
    oss_callback_error_free(error);
    oss_callback_object_metadata_free(metadata);
    /* It holds the client as long as it lives. */
    assert(oss_callback_multipart_upload_abort(upload, NULL, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_multipart_upload_free(upload);
    oss_callback_parts_free(parts);
    return nothing;
}

int main(void) {
    void *(*const steps[])(void *) = {make, use, look_and_free};
    size_t step;
    for (step = 0; step < sizeof steps / sizeof *steps; step++) {
        pthread_t thread;
        assert(pthread_create(&thread, NULL, steps[step], NULL) == 0);
        assert(pthread_join(thread, NULL) == 0);
    }
    return 0;
}
