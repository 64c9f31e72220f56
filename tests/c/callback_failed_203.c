/* The application server does not agree: the code says so, the object is stored, and the error knows all about it. */

#include "fixture.h"

int main(int argc, char **argv) {
    const char *object = argc > 1 ? argv[1] : "";
    size_t len = 0;
    oss_callback_client *client = new_client();
    oss_callback_spec *spec = new_spec(variable("OSS_CALLBACK_URL"));
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;
    const oss_callback_receipt *stored;

    assert(oss_put_object_with_callback(client, BUCKET, object, (const uint8_t *)"hello", 5, spec, NULL, &receipt,
                                        &error) == OSS_CALLBACK_CODE_CALLBACK_FAILED);
    assert(receipt == NULL);
    assert(oss_callback_error_code(error) == OSS_CALLBACK_CODE_CALLBACK_FAILED);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_YES);
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_NO);
    assert(oss_callback_error_status(error) == 203);
    assert(is(oss_callback_error_oss_code(error), "CallbackFailed"));
    assert(contains(oss_callback_error_message(error), "stored, but the callback failed"));
    assert(contains(oss_callback_error_message(error), oss_callback_error_oss_message(error)));
    assert(contains(oss_callback_error_message(error), oss_callback_error_request_id(error)));
    assert(oss_callback_error_host_id(error) != NULL);
    assert(oss_callback_error_diagnosis(error) != NULL);
    assert(oss_callback_error_body(error, &len) != NULL && len > 0);

    /* Borrowed: it goes with the error. */
    stored = oss_callback_error_receipt(error);
    assert(stored != NULL);
    assert(oss_callback_receipt_status(stored) == 203);
    assert(is(oss_callback_receipt_request_id(stored), oss_callback_error_request_id(error)));
    assert(is(oss_callback_receipt_header(stored, "etag"), oss_callback_error_header(error, "ETag")));
    assert(oss_callback_receipt_answer(stored, &len) != NULL && len == 0);
    assert(oss_callback_receipt_answer_content_type(stored) == NULL);

    tell(stored);
    printf("message %s\n", oss_callback_error_oss_message(error));
    printf("ec %s\n", oss_callback_error_ec(error));
    printf("diagnosis %s\n", oss_callback_error_diagnosis(error));
    oss_callback_error_free(error);
    oss_callback_spec_free(spec);
    oss_callback_client_free(client);
    return 0;
}
