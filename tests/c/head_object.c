/* What is known of an object can be read; an object that is not there is NOT_FOUND. */

#include "fixture.h"
#include <time.h>

int main(void) {
    uint64_t len = 0, crc64 = 0, stored_crc64 = 0, last_modified = 0;
    uint64_t now = (uint64_t)time(NULL);
    oss_callback_client *client = new_client();
    oss_callback_put_options *options = new_put_options();
    oss_callback_object_metadata *metadata = NULL;
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;

    assert(oss_callback_client_head_object(client, BUCKET, "cat.jpg", NULL, &metadata, &error) ==
           OSS_CALLBACK_CODE_NOT_FOUND);
    assert(metadata == NULL);
    assert(oss_callback_error_status(error) == 404);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_NOT_REQUESTED);
    assert(oss_callback_error_request_id(error) != NULL);
    assert(oss_callback_error_receipt(error) == NULL);
    oss_callback_error_free(error);
    error = NULL;

    oss_callback_put_options_set_metadata(options, "author", "Ming");
    assert(oss_put_object_with_callback(client, BUCKET, "cat.jpg", (const uint8_t *)"meow", 4, oss_callback_spec_none(), options, &receipt,
                                        NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_client_head_object(client, BUCKET, "cat.jpg", NULL, &metadata, &error) == OSS_CALLBACK_CODE_OK);
    assert(error == NULL);
    assert(oss_callback_object_metadata_content_length(metadata, &len) && len == 4);
    assert(oss_callback_object_metadata_crc64(metadata, &crc64));
    assert(oss_callback_receipt_crc64(receipt, &stored_crc64) && crc64 == stored_crc64);
    assert(is(oss_callback_object_metadata_etag(metadata), oss_callback_receipt_etag(receipt)));
    /* A header of HTTP has whole seconds, and time() may lag behind the clock that the server reads. */
    assert(oss_callback_object_metadata_last_modified_at_s(metadata, &last_modified));
    assert(last_modified >= now && last_modified <= (uint64_t)time(NULL) + 1);
    assert(is(oss_callback_object_metadata_header(metadata, "Content-Type"), "image/jpeg"));
    assert(is(oss_callback_object_metadata_header(metadata, "X-OSS-Meta-Author"), "Ming"));
    assert(oss_callback_object_metadata_header(metadata, "x-oss-meta-editor") == NULL);

    oss_callback_object_metadata_free(metadata);
    oss_callback_receipt_free(receipt);
    oss_callback_put_options_free(options);
    oss_callback_client_free(client);
    return 0;
}
