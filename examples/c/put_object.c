/* Uploads the named file, or a few bytes if none is named, and prints the application server's answer.
 *
 * Set OSS_ENDPOINT, OSS_REGION, OSS_BUCKET, OSS_CALLBACK_URL, OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, with
 * temporary credentials, OSS_SESSION_TOKEN; or let `make run` do it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <oss_callback.h>

int main(int argc, char **argv) {
    const uint8_t hello[] = {'h', 'e', 'l', 'l', 'o'};
    const char *bucket = getenv("OSS_BUCKET");
    const char *file = argc > 1 ? argv[1] : NULL;
    const char *slash = file ? strrchr(file, '/') : NULL;
    const char *object = slash ? slash + 1 : file ? file : "hello.txt";

    oss_callback_client_options *client_options = NULL;
    oss_callback_client *client = NULL;
    oss_callback_spec_options *spec_options = NULL;
    oss_callback_spec *spec = NULL;
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;

    /* README begin */
    if (oss_callback_client_options_new(&client_options) || oss_callback_spec_options_new(&spec_options)) abort();
    oss_callback_client_options_set_endpoint(client_options, getenv("OSS_ENDPOINT"));
    oss_callback_client_options_set_region(client_options, getenv("OSS_REGION"));
    oss_callback_client_options_set_credentials_from_env(client_options);
    oss_callback_spec_options_add_url(spec_options, getenv("OSS_CALLBACK_URL"));
    oss_callback_spec_options_set_body(spec_options, "filename=${object}&size=${size}&mimeType=${mimeType}");

    int failed = oss_callback_client_new(client_options, &client, &error) ||
        oss_callback_spec_new(spec_options, &spec, &error) || (file
        ? oss_put_object_from_file_with_callback(client, bucket, object, file, spec, NULL, &receipt, &error)
        : oss_put_object_with_callback(client, bucket, object, hello, sizeof hello, spec, NULL, &receipt, &error));
    if (failed) {
        oss_callback_stored stored = oss_callback_error_stored(error);
        fprintf(stderr, "%s\n%s\n", oss_callback_error_message(error),
                stored == OSS_CALLBACK_STORED_YES ? "It is stored: do not upload it again."
                : stored == OSS_CALLBACK_STORED_NO ? "It is not stored." : "Check whether it is stored.");
    } else {
        size_t len = 0;
        const uint8_t *answer = oss_callback_receipt_answer(receipt, &len);
        printf("%.*s\n", (int)len, (const char *)answer);
    }
    oss_callback_error_free(error);
    oss_callback_receipt_free(receipt);
    /* README end */

    oss_callback_spec_free(spec);
    oss_callback_spec_options_free(spec_options);
    oss_callback_client_free(client);
    oss_callback_client_options_free(client_options);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
