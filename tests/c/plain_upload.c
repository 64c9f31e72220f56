/* Without a spec nothing is called; options, receipt, error and even the body may be NULL. */

#include "fixture.h"

int main(void) {
    size_t len = 7;
    oss_callback_client *client = new_client();
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;

    assert(oss_put_object_with_callback(client, BUCKET, "nothing wanted", (const uint8_t *)"hello", 5, oss_callback_spec_none(), NULL, NULL,
                                        NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_put_object_with_callback(client, BUCKET, "empty", NULL, 0, oss_callback_spec_none(), NULL, &receipt, &error) ==
           OSS_CALLBACK_CODE_OK);
    assert(error == NULL);
    assert(oss_callback_receipt_status(receipt) == 200);
    assert(oss_callback_receipt_answer(receipt, &len) != NULL && len == 0);
    assert(oss_callback_receipt_answer_content_type(receipt) == NULL);
    tell(receipt);
    oss_callback_receipt_free(receipt);

    /* A failure says that there was no callback to be answered. */
    assert(oss_put_object_with_callback(client, "no-such-bucket", "object", NULL, 0, oss_callback_spec_none(), NULL, NULL, &error) ==
           OSS_CALLBACK_CODE_NOT_FOUND);
    assert(is(oss_callback_error_oss_code(error), "NoSuchBucket"));
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_NOT_REQUESTED);
    assert(oss_callback_error_diagnosis(error) == NULL);
    oss_callback_error_free(error);
    assert(oss_put_object_with_callback(client, BUCKET, "", NULL, 0, oss_callback_spec_none(), NULL, NULL, &error) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(contains(oss_callback_error_message(error), "`object`"));
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_NOT_REQUESTED);
    oss_callback_error_free(error);

    oss_callback_client_free(client);
    return 0;
}
