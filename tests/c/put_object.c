/* Bytes are stored, the application server is called, and the receipt tells all of it. */

#include "fixture.h"

int main(void) {
    const char *answer = "{\"Status\":\"OK\",\"n\":1}";
    size_t len = 0;
    oss_callback_client *client = new_client();
    oss_callback_spec *spec = new_spec(variable("OSS_CALLBACK_URL"));
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;

    assert(oss_put_object_with_callback(client, BUCKET, "folder/a file.txt", (const uint8_t *)"hello", 5, spec, NULL,
                                        &receipt, &error) == OSS_CALLBACK_CODE_OK);
    assert(error == NULL);
    assert(oss_callback_receipt_status(receipt) == 200);
    assert(oss_callback_receipt_attempts(receipt) == 1);
    assert(oss_callback_receipt_version_id(receipt) == NULL);

    assert(memcmp(oss_callback_receipt_answer(receipt, &len), answer, strlen(answer)) == 0);
    assert(len == strlen(answer));
    assert(is(oss_callback_receipt_answer_content_type(receipt), "application/json"));

    assert(is(oss_callback_receipt_header(receipt, "content-type"), "application/json"));
    assert(is(oss_callback_receipt_header(receipt, "X-OSS-Request-ID"), oss_callback_receipt_request_id(receipt)));
    assert(oss_callback_receipt_header(receipt, "x-oss-no-such-header") == NULL);
    assert(oss_callback_receipt_header(receipt, "") == NULL);

    tell(receipt);
    oss_callback_receipt_free(receipt);
    oss_callback_spec_free(spec);
    oss_callback_client_free(client);
    return 0;
}
