/* Options go out with the object, serve any number of uploads, and cannot take what belongs to the library. */

#include "fixture.h"

static oss_callback_client *client;

static oss_callback_code put(const char *object, const oss_callback_put_options *options, oss_callback_error **error) {
    return oss_put_object_with_callback(client, BUCKET, object, (const uint8_t *)"x", 1, oss_callback_spec_none(), options, NULL, error);
}

static void refuses_header(const char *name, const char *message) {
    oss_callback_error *error = NULL;
    oss_callback_put_options *options = new_put_options();
    oss_callback_put_options_set_header(options, name, "value");
    assert(put("refused", options, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(contains(oss_callback_error_message(error), message));
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    oss_callback_error_free(error);
    oss_callback_put_options_free(options);
}

int main(void) {
    oss_callback_error *error = NULL;
    oss_callback_put_options *options = new_put_options();
    client = new_client();

    assert(put("guessed.png", options, NULL) == OSS_CALLBACK_CODE_OK);

    oss_callback_put_options_set_content_type(options, "text/plain");
    oss_callback_put_options_set_content_type(options, "text/x-test; charset=utf-8");
    oss_callback_put_options_set_metadata(options, "author", "Ming");
    oss_callback_put_options_set_metadata(options, "year", "2024");
    oss_callback_put_options_set_header(options, "Cache-Control", "no-cache");
    oss_callback_put_options_set_header(options, "cache-control", "no-store");
    assert(put("first.png", options, NULL) == OSS_CALLBACK_CODE_OK);

    oss_callback_put_options_set_header(options, "x-oss-forbid-overwrite", "true");
    assert(put("second.png", options, NULL) == OSS_CALLBACK_CODE_OK);
    assert(put("first.png", options, &error) == OSS_CALLBACK_CODE_CONFLICT);
    assert(oss_callback_error_status(error) == 409);
    assert(is(oss_callback_error_oss_code(error), "FileAlreadyExists"));
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    oss_callback_error_free(error);
    oss_callback_put_options_free(options);

    refuses_header("Host", "header host cannot be given");
    refuses_header("X-OSS-Callback", "use `callback`");
    refuses_header("content-length", "header content-length cannot be given");
    refuses_header("two words", "two words");
    refuses_header("x-oss-meta-a\r\nb", "header");
    oss_callback_client_free(client);
    return 0;
}
