/* A file is stored as it is, whatever its size; what cannot be read as a file is not, and OSS hears nothing of it. */

#include "fixture.h"

static const oss_callback_client *client;
static const oss_callback_spec *spec;

static void is_stored(const char *object, const char *path) {
    oss_callback_receipt *receipt = NULL;
    assert(oss_put_object_from_file_with_callback(client, BUCKET, object, path, spec, NULL, &receipt, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(memcmp(oss_callback_receipt_answer(receipt, NULL), "{\"Status\":\"OK\"", 14) == 0);
    oss_callback_receipt_free(receipt);
}

static void is_unreadable(const char *path, const char *message) {
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;
    assert(oss_put_object_from_file_with_callback(client, BUCKET, "unreadable", path, spec, NULL, &receipt, &error) ==
           OSS_CALLBACK_CODE_BODY_UNREADABLE);
    assert(receipt == NULL);
    assert(contains(oss_callback_error_message(error), path));
    assert(contains(oss_callback_error_message(error), message));
    assert(oss_callback_error_status(error) == 0);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_NO);
    assert(oss_callback_error_receipt(error) == NULL);
    oss_callback_error_free(error);
}

/* In order: a file with contents, an empty one, one that does not exist, a directory. */
int main(int argc, char **argv) {
    oss_callback_client *new_one = new_client();
    oss_callback_spec *new_other = new_spec(variable("OSS_CALLBACK_URL"));
    assert(argc == 5);
    client = new_one;
    spec = new_other;

    is_stored("large", argv[1]);
    is_stored("empty", argv[2]);
    is_unreadable(argv[3], "no such file");
    is_unreadable(argv[4], "is not a regular file");

    oss_callback_spec_free(new_other);
    oss_callback_client_free(new_one);
    return 0;
}
