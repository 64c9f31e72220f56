/* Uploads with the library from C, everything switched on:
 *
 *   oss_callback file|bytes|parts ENDPOINT FILE COUNT [v1|v4] [CA] */

#include <oss_callback.h>
#include <string.h>

#include "measure.h"

static int progress(uint64_t sent, uint64_t total, void *last) {
    (void)total;
    *(uint64_t *)last = sent;
    return 0;
}

static oss_callback_error *error;

static void check(oss_callback_code code) {
    if (code != OSS_CALLBACK_CODE_OK) fail(error ? oss_callback_error_message(error) : "no memory");
}

int main(int argc, char **argv) {
    if (argc < 5) fail("see the source");
    const char *what = argv[1], *file = argv[3];
    int count = atoi(argv[4]), is_file = !strcmp(what, "file"), is_parts = !strcmp(what, "parts");

    uint8_t *bytes = NULL;
    size_t len = 0;
    if (!is_file && !is_parts) {
        FILE *stream = fopen(file, "rb");
        if (!stream) fail("no such file");
        fseek(stream, 0, SEEK_END);
        len = (size_t)ftell(stream);
        rewind(stream);
        bytes = malloc(len);
        if (fread(bytes, 1, len, stream) != len) fail("the file cannot be read");
        fclose(stream);
    }

    oss_callback_client_options *client_options = NULL;
    oss_callback_client *client = NULL;
    check(oss_callback_client_options_new(&client_options));
    oss_callback_client_options_set_endpoint(client_options, argv[2]);
    oss_callback_client_options_set_region(client_options, "cn-hangzhou");
    oss_callback_client_options_set_credentials(client_options, "id", "secret", NULL);
    oss_callback_client_options_set_timeout_ms(client_options, 3600 * 1000);
    if (argc > 5 && !strcmp(argv[5], "v1"))
        oss_callback_client_options_set_signature_version(client_options, 1);
    char ca[16384];
    if (argc > 6) {
        FILE *stream = fopen(argv[6], "rb");
        size_t ca_len = stream ? fread(ca, 1, sizeof ca, stream) : 0;
        oss_callback_client_options_set_root_certificates(client_options, OSS_CALLBACK_ROOT_CERTIFICATES_NONE);
        oss_callback_client_options_set_ca_bundle(client_options, (const uint8_t *)ca, ca_len);
    }
    check(oss_callback_client_new(client_options, &client, &error));

    oss_callback_spec_options *spec_options = NULL;
    oss_callback_spec *spec = NULL;
    check(oss_callback_spec_options_new(&spec_options));
    oss_callback_spec_options_add_url(spec_options, "http://app.example.com/callback");
    oss_callback_spec_options_set_body(spec_options, "filename=${object}&size=${size}&mimeType=${mimeType}");
    check(oss_callback_spec_new(spec_options, &spec, &error));

    uint64_t last = 0;
    oss_callback_cancellation *cancellation = NULL;
    oss_callback_put_options *options = NULL;
    check(oss_callback_cancellation_new(&cancellation));
    check(oss_callback_put_options_new(&options));
    oss_callback_put_options_set_cancellation(options, cancellation);
    oss_callback_put_options_set_progress_hook(options, progress, &last);
    if (is_parts) {
        oss_callback_put_options_set_part_size(options, 8 * 1024 * 1024);
        oss_callback_put_options_set_parallel(options, 4);
    }

    const char *bucket = "examplebucket", *object = "folder/object.bin";
    measure_begin();
    for (int i = 0; i < count; i++) {
        oss_callback_receipt *receipt = NULL;
        check(is_file    ? oss_put_object_from_file_with_callback(client, bucket, object, file, spec, options, &receipt, &error)
              : is_parts ? oss_upload_file_with_callback(client, bucket, object, file, spec, options, &receipt, &error)
                         : oss_put_object_with_callback(client, bucket, object, bytes, len, spec, options, &receipt, &error));
        size_t answer_len = 0;
        const uint8_t *answer = oss_callback_receipt_answer(receipt, &answer_len);
        if (answer_len != 15 || memcmp(answer, "{\"Status\":\"OK\"}", 15)) fail("not the application server's answer");
        oss_callback_receipt_free(receipt);
    }
    measure_end();

    oss_callback_put_options_free(options);
    oss_callback_cancellation_free(cancellation);
    oss_callback_spec_free(spec);
    oss_callback_spec_options_free(spec_options);
    oss_callback_client_free(client);
    oss_callback_client_options_free(client_options);
    free(bytes);
    return EXIT_SUCCESS;
}
