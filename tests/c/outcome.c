/* Uploads `contents` as bytes, from a reader or from a file, and says what became of it in one line. */

#include "fixture.h"

static int64_t read_contents(uint8_t *buffer, size_t buffer_len, void *userdata) {
    const char **rest = userdata;
    size_t len = strlen(*rest) < buffer_len ? strlen(*rest) : buffer_len;
    memcpy(buffer, *rest, len);
    *rest += len;
    return (int64_t)len;
}

int main(int argc, char **argv) {
    static const char *const STORED[] = {"Unknown", "No", "Yes"};
    static const char *const ANSWERED[] = {"Unknown", "No", "Yes", "NotRequested"};
    const char *contents = "contents";
    oss_callback_client *client = new_client();
    oss_callback_spec *spec = new_spec(variable("OSS_CALLBACK_URL"));
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;
    oss_callback_code code;

    assert(argc == 3);
    if (is(argv[1], "bytes")) {
        code = oss_put_object_with_callback(client, BUCKET, "object", (const uint8_t *)contents, strlen(contents),
                                            spec, NULL, &receipt, &error);
    } else if (is(argv[1], "reader")) {
        code = oss_put_object_from_reader_with_callback(client, BUCKET, "object", read_contents, &contents,
                                                        strlen(contents), spec, NULL, &receipt, &error);
    } else {
        code = oss_put_object_from_file_with_callback(client, BUCKET, "object", argv[2], spec, NULL, &receipt,
                                                      &error);
    }

    if (code) {
        assert(error != NULL && receipt == NULL && oss_callback_error_code(error) == code);
        printf("%s %s %s\n", oss_callback_code_name(code), STORED[oss_callback_error_stored(error)],
               ANSWERED[oss_callback_error_answered(error)]);
    } else {
        size_t len = 0;
        const uint8_t *answer = oss_callback_receipt_answer(receipt, &len);
        assert(error == NULL && receipt != NULL);
        printf("OK Yes Yes %.*s\n", (int)len, (const char *)answer);
    }
    oss_callback_receipt_free(receipt);
    oss_callback_error_free(error);
    oss_callback_spec_free(spec);
    oss_callback_client_free(client);
    return 0;
}
