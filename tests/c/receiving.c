/* The application server's side: seals a callback, and receives one.
 *
 *   receiving seal URL
 *   receiving receive PREFIX KEY-URL KEY METHOD TARGET BODY [NAME VALUE]...
 *
 * Prints what the library says, a name and a value a line. */

#include "fixture.h"

#define SECRET ((const uint8_t *)"a secret of thirty-two bytes ...")

static oss_callback_sealer *new_sealer(void) {
    oss_callback_sealer *sealer = NULL;
    assert(oss_callback_sealer_new("2026-01", SECRET, 32, &sealer, NULL) == OSS_CALLBACK_CODE_OK);
    return sealer;
}

static void seal(const char *url) {
    oss_callback_sealer *sealer = new_sealer();
    oss_callback_permission *permission = NULL;
    oss_callback_spec_options *options = new_spec_options(url);
    oss_callback_spec *spec = NULL;
    oss_callback_error *error = NULL;

    assert(oss_callback_permission_new_prefix(BUCKET, "photos/", &permission, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_spec_options_set_body(options,
                                       "bucket=${bucket}&filename=${object}&size=${size}&etag=${etag}"
                                       "&crc64=${crc64}&mimeType=${mimeType}&user=${x:user}&seal=${x:seal}");
    oss_callback_spec_options_add_variable(options, "user", "4711");

    assert(oss_callback_sealer_seal(sealer, options, permission, &spec, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(is(oss_callback_error_message(error), "`permission` has no size"));
    oss_callback_error_free(error);
    oss_callback_permission_set_max_size(permission, 10);
    oss_callback_permission_set_valid_for_s(permission, 600);
    assert(oss_callback_sealer_seal(sealer, options, permission, &spec, NULL) == OSS_CALLBACK_CODE_OK);
    printf("callback %s\n", oss_callback_spec_callback(spec));
    printf("callback_var %s\n", oss_callback_spec_callback_var(spec));
    oss_callback_spec_free(spec);

    oss_callback_spec_options_set_body(options, "filename=${object}&size=${size}&user=${x:user}&seal=${x:seal}");
    assert(oss_callback_sealer_seal(sealer, options, permission, &spec, &error) == OSS_CALLBACK_CODE_INVALID_CALLBACK);
    assert(contains(oss_callback_error_message(error), "${bucket}"));
    oss_callback_error_free(error);
    oss_callback_spec_options_free(options);
    oss_callback_permission_free(permission);
    oss_callback_sealer_free(sealer);
}

static void print_reply(oss_callback_reply *reply) {
    size_t body_len = 0, http_len = 0;
    const uint8_t *body = oss_callback_reply_body(reply, &body_len);
    const uint8_t *http = oss_callback_reply_http(reply, &http_len);
    assert(http_len > body_len && memcmp(http + http_len - body_len, body, body_len) == 0);
    assert(memcmp(http, "HTTP/1.1 ", 9) == 0);
    assert(is(oss_callback_reply_content_type(reply), "application/json"));
    printf("status %" PRIu32 "\n", oss_callback_reply_status(reply));
    oss_callback_reply_free(reply);
}

static int refuse(oss_callback_error *error) {
    oss_callback_reply *reply = NULL;
    printf("code %s\n", oss_callback_code_name(oss_callback_error_code(error)));
    printf("message %s\n", oss_callback_error_message(error));
    if (oss_callback_error_diagnosis(error) != NULL) {
        printf("diagnosis %s\n", oss_callback_error_diagnosis(error));
    }
    assert(oss_callback_reply_new_refused(error, &reply) == OSS_CALLBACK_CODE_OK);
    print_reply(reply);
    oss_callback_error_free(error);
    return 0;
}

static const char *seen(const oss_callback_replay_guard *guard, const oss_callback_sealed *sealed) {
    oss_callback_seen seen;
    assert(oss_callback_replay_guard_check(guard, sealed, &seen, NULL) == OSS_CALLBACK_CODE_OK);
    return seen == OSS_CALLBACK_SEEN_FIRST ? "first" : seen == OSS_CALLBACK_SEEN_REPEATED ? "repeated" : "replayed";
}

static int receive(int argc, char **argv) {
    oss_callback_verifier_options *options = NULL;
    oss_callback_verifier *verifier = NULL;
    oss_callback_verified *verified = NULL;
    oss_callback_sealed *sealed = NULL;
    oss_callback_replay_guard *guard = NULL;
    oss_callback_reply *reply = NULL;
    oss_callback_error *error = NULL;
    oss_callback_object_metadata *metadata = NULL;
    oss_callback_client *client = NULL;
    uint64_t number = 0;
    size_t body_len = 0;
    int failed;

    assert(oss_callback_verifier_options_new(&options) == OSS_CALLBACK_CODE_OK);
    oss_callback_verifier_options_trust_key_url_for_tests(options, argv[3], argv[4]);
    if (argv[2][0] != '\0') {
        oss_callback_verifier_options_add_prepended_prefix(options, argv[2]);
    }
    assert(oss_callback_verifier_new(options, &verifier, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_verifier_options_free(options);

    failed = oss_callback_verifier_verify(verifier, argv[5], argv[6], (const char *const *)argv + 8,
                                          (size_t)(argc - 8) / 2, (const uint8_t *)argv[7], strlen(argv[7]), &verified,
                                          &error);
    oss_callback_verifier_free(verifier);
    if (failed) {
        assert(verified == NULL);
        return refuse(error);
    }
    assert(oss_callback_verified_check_body(verified, NULL) == OSS_CALLBACK_CODE_OK);
    assert(memcmp(oss_callback_verified_body(verified, &body_len), argv[7], strlen(argv[7])) == 0);
    assert(body_len == strlen(argv[7]));
    printf("signed_target %s\n", oss_callback_verified_signed_target(verified));
    printf("key_url %s\n", oss_callback_verified_key_url(verified));
    printf("bucket %s\n", oss_callback_verified_bucket(verified));
    printf("object %s\n", oss_callback_verified_object(verified));
    printf("etag %s\n", oss_callback_verified_etag(verified));
    printf("mime_type %s\n", oss_callback_verified_mime_type(verified));
    assert(oss_callback_verified_size(verified, &number));
    printf("size %" PRIu64 "\n", number);
    assert(oss_callback_verified_crc64(verified, &number));
    printf("crc64 %" PRIu64 "\n", number);
    number = 7;
    assert(!oss_callback_verified_image_width(verified, &number) && number == 7);
    assert(oss_callback_verified_operation(verified) == NULL);
    assert(is(oss_callback_verified_variable(verified, "x:user"), "4711"));
    assert(is(oss_callback_verified_variable(verified, "user"), "4711"));
    assert(is(oss_callback_verified_member(verified, "filename"), oss_callback_verified_object(verified)));
    assert(oss_callback_verified_member(verified, "object") == NULL);

    oss_callback_sealer *sealer = new_sealer();
    failed = oss_callback_sealer_check(sealer, verified, &sealed, &error);
    oss_callback_sealer_free(sealer);
    if (failed) {
        oss_callback_verified_free(verified);
        return refuse(error);
    }
    assert(is(oss_callback_sealed_bucket(sealed), oss_callback_verified_bucket(verified)));
    assert(is(oss_callback_sealed_object(sealed), oss_callback_verified_object(verified)));
    assert(is(oss_callback_sealed_variable(sealed, "user"), "4711"));
    assert(is(oss_callback_sealed_variable(sealed, "x:user"), "4711"));
    assert(oss_callback_sealed_variable(sealed, "filename") == NULL);
    assert(is(oss_callback_sealed_key_id(sealed), "2026-01"));
    assert(oss_callback_sealed_expires_at_s(sealed) > 1700000000);
    printf("sealed_size %" PRIu64 "\n", oss_callback_sealed_size(sealed));

    assert(oss_callback_replay_guard_new(1, &guard) == OSS_CALLBACK_CODE_OK);
    printf("first %s\n", seen(guard, sealed));
    printf("second %s\n", seen(guard, sealed));
    assert(oss_callback_replay_guard_forget(guard, sealed, NULL) == OSS_CALLBACK_CODE_OK);
    printf("third %s\n", seen(guard, sealed));
    oss_callback_replay_guard_free(guard);

    client = new_client();
    assert(oss_callback_verified_confirm(verified, client, &metadata, NULL) == OSS_CALLBACK_CODE_OK);
    printf("confirmed_etag %s\n", oss_callback_object_metadata_etag(metadata));
    assert(oss_callback_verified_confirm(verified, client, NULL, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_object_metadata_free(metadata);
    oss_callback_client_free(client);

    assert(oss_callback_reply_new_ok("OK", &reply, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(contains(oss_callback_error_message(error), "`json` is not JSON"));
    oss_callback_error_free(error);
    assert(oss_callback_reply_new_ok("{\"Status\":\"OK\"}", &reply, NULL) == OSS_CALLBACK_CODE_OK);
    print_reply(reply);
    printf("code OK\n");
    oss_callback_sealed_free(sealed);
    oss_callback_verified_free(verified);
    return 0;
}

int main(int argc, char **argv) {
    assert(argc > 2);
    if (is(argv[1], "receive")) {
        assert(argc >= 8);
        return receive(argc, argv);
    }
    seal(argv[2]);
    return 0;
}
