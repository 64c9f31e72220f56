/* A server that wants a client certificate, and the certificates of its authority and of a client, as files and as bytes. */

#include "fixture.h"

static uint8_t ca[65536], own[65536];
static size_t ca_len, own_len;

static size_t read_file(const char *path, uint8_t *bytes, size_t len) {
    FILE *file = fopen(path, "rb");
    size_t count;
    assert(file != NULL);
    count = fread(bytes, 1, len, file);
    assert(count > 0 && count < len && fclose(file) == 0);
    return count;
}

static oss_callback_client_options *trusting(const char *ca_file) {
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_root_certificates(options, OSS_CALLBACK_ROOT_CERTIFICATES_NONE);
    oss_callback_client_options_set_ca_bundle_file(options, ca_file);
    return options;
}

static void stores(oss_callback_client_options *options) {
    oss_callback_client *client = new_client_of(options);
    assert(oss_put_object_with_callback(client, BUCKET, "a", (const uint8_t *)"1", 1, oss_callback_spec_none(), NULL, NULL,
                                        NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_client_free(client);
}

static void is_refused(oss_callback_client_options *options, oss_callback_code code, const char *message) {
    oss_callback_client *client = new_client_of(options);
    oss_callback_error *error = NULL;
    assert(oss_put_object_with_callback(client, BUCKET, "a", (const uint8_t *)"1", 1, oss_callback_spec_none(), NULL, NULL,
                                        &error) == code);
    assert(contains(oss_callback_error_message(error), message));
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(oss_callback_error_attempts(error) == 1);
    oss_callback_error_free(error);
    oss_callback_client_free(client);
}

static void is_no_client(oss_callback_client_options *options, const char *message) {
    oss_callback_client *client = NULL;
    oss_callback_error *error = NULL;
    assert(oss_callback_client_new(options, &client, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(client == NULL && contains(oss_callback_error_message(error), message));
    oss_callback_error_free(error);
    oss_callback_client_options_free(options);
}

/* argv: the authority's certificate, and the client's with its key. */
int main(int argc, char **argv) {
    oss_callback_client_options *options = NULL;
    assert(argc == 3);
    ca_len = read_file(argv[1], ca, sizeof ca);
    own_len = read_file(argv[2], own, sizeof own);

    options = trusting(argv[1]);
    oss_callback_client_options_set_client_certificate_files(options, argv[2], argv[2]);
    stores(options);
    options = trusting(NULL);
    oss_callback_client_options_set_ca_bundle(options, ca, ca_len);
    oss_callback_client_options_set_client_certificate(options, own, own_len, own, own_len);
    stores(options);

    /* The last setter counts, whichever of the two it is. */
    options = trusting("/not there");
    oss_callback_client_options_set_ca_bundle(options, (const uint8_t *)"-", 1);
    oss_callback_client_options_set_ca_bundle_file(options, argv[1]);
    oss_callback_client_options_set_client_certificate(options, ca, ca_len, ca, ca_len);
    oss_callback_client_options_set_client_certificate_files(options, argv[2], argv[2]);
    stores(options);

    /* Two NULLs are as if never set; one is a mistake. */
    options = trusting(argv[1]);
    is_refused(options, OSS_CALLBACK_CODE_TLS, "`client_certificate`");
    options = trusting(argv[1]);
    oss_callback_client_options_set_client_certificate_files(options, argv[2], argv[2]);
    oss_callback_client_options_set_client_certificate_files(options, NULL, NULL);
    is_refused(options, OSS_CALLBACK_CODE_TLS, "`client_certificate`");
    options = trusting(argv[1]);
    oss_callback_client_options_set_client_certificate(options, own, own_len, own, own_len);
    oss_callback_client_options_set_client_certificate(options, NULL, 0, NULL, 0);
    is_refused(options, OSS_CALLBACK_CODE_TLS, "`client_certificate`");
    options = trusting(argv[1]);
    oss_callback_client_options_set_client_certificate_files(options, argv[2], NULL);
    is_no_client(options, "`client_key` is NULL");
    options = trusting(argv[1]);
    oss_callback_client_options_set_client_certificate_files(options, NULL, argv[2]);
    is_no_client(options, "`client_certificate` is NULL");
    options = trusting(argv[1]);
    oss_callback_client_options_set_client_certificate(options, own, own_len, NULL, 0);
    is_no_client(options, "`client_key` is NULL");
    options = trusting(argv[1]);
    oss_callback_client_options_set_client_certificate(options, NULL, 0, own, own_len);
    is_no_client(options, "`client_certificate` is NULL");
    options = trusting(argv[1]);
    oss_callback_client_options_set_client_certificate(options, own, own_len, NULL, 7);
    is_no_client(options, "`client_key` is NULL, but its length is 7");

    options = trusting(argv[1]);
    oss_callback_client_options_set_client_certificate_files(options, argv[2], argv[1]);
    is_no_client(options, "`client_key` holds no private key");
    options = trusting(argv[1]);
    oss_callback_client_options_set_client_certificate_files(options, "/not there", argv[2]);
    is_no_client(options, "`client_certificate`: read /not there: ");
    is_no_client(trusting("/not there"), "`ca_bundle`: read /not there: ");
    is_no_client(trusting("/"), "`ca_bundle`: read /: it is not a regular file");
    is_no_client(trusting(NULL), "`ca_bundle` is missing");
    return 0;
}
