/* A spec that somebody else issued goes out byte for byte, is checked on request only, and works. */

#include "fixture.h"

static oss_callback_client *client;

static void is_delivered(const char *object, const oss_callback_spec *spec) {
    size_t len = 0;
    oss_callback_receipt *receipt = NULL;
    assert(oss_callback_spec_check(spec, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_put_object_with_callback(client, BUCKET, object, NULL, 0, spec, NULL, &receipt, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(oss_callback_receipt_answer(receipt, &len) != NULL && len > 0);
    oss_callback_receipt_free(receipt);
}

static void unchecked(const char *callback, const char *callback_var, const char *ec) {
    oss_callback_spec *spec = NULL;
    oss_callback_error *error = NULL;
    assert(oss_callback_spec_new_from_base64(callback, callback_var, &spec, NULL) == OSS_CALLBACK_CODE_OK);
    assert(is(oss_callback_spec_callback(spec), callback));
    assert(oss_callback_spec_check(spec, &error) == OSS_CALLBACK_CODE_INVALID_CALLBACK);
    assert(is(oss_callback_error_ec(error), ec));
    oss_callback_error_free(error);

    /* It is sent all the same, and OSS says the same. */
    assert(oss_put_object_with_callback(client, BUCKET, "refused", NULL, 0, spec, NULL, NULL, &error) ==
           OSS_CALLBACK_CODE_REFUSED);
    assert(is(oss_callback_error_oss_code(error), "InvalidArgument"));
    assert(is(oss_callback_error_ec(error), ec));
    assert(oss_callback_error_diagnosis(error) != NULL);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_NO);
    assert(oss_callback_error_receipt(error) == NULL);
    oss_callback_error_free(error);
    oss_callback_spec_free(spec);
}

/* In order: the JSON of a callback with odd blanks, its Base64, the JSON of its variables, their Base64. */
int main(int argc, char **argv) {
    oss_callback_spec *spec = NULL;
    assert(argc == 5);
    client = new_client();

    assert(oss_callback_spec_new_from_json(argv[1], argv[3], &spec, NULL) == OSS_CALLBACK_CODE_OK);
    assert(is(oss_callback_spec_callback(spec), argv[2]));
    assert(is(oss_callback_spec_callback_var(spec), argv[4]));
    is_delivered("json", spec);
    oss_callback_spec_free(spec);

    assert(oss_callback_spec_new_from_base64(argv[2], argv[4], &spec, NULL) == OSS_CALLBACK_CODE_OK);
    assert(is(oss_callback_spec_callback(spec), argv[2]));
    assert(is(oss_callback_spec_callback_var(spec), argv[4]));
    is_delivered("base64", spec);
    oss_callback_spec_free(spec);

    assert(oss_callback_spec_new_from_base64(argv[2], NULL, &spec, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_spec_callback_var(spec) == NULL);
    is_delivered("without variables", spec);
    oss_callback_spec_free(spec);

    unchecked("*", NULL, "0007-00000002");
    unchecked("e30=", NULL, "0007-00000004");
    unchecked(argv[2], "*", "0007-00000102");

    /* What no header can carry as it stands is not taken. */
    spec = NULL;
    assert(oss_callback_spec_new_from_base64("e30=\n", NULL, &spec, NULL) == OSS_CALLBACK_CODE_INVALID_CALLBACK);
    assert(oss_callback_spec_new_from_base64("", NULL, &spec, NULL) == OSS_CALLBACK_CODE_INVALID_CALLBACK);
    assert(oss_callback_spec_new_from_json("", NULL, &spec, NULL) == OSS_CALLBACK_CODE_INVALID_CALLBACK);
    assert(spec == NULL);
    oss_callback_client_free(client);
    return 0;
}
