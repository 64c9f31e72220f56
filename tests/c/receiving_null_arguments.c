/* As null_arguments.c, for the application server's side. */

#include "fixture.h"

#define FAILS(call) assert((call) == OSS_CALLBACK_CODE_INVALID_ARGUMENT)

/* The call fails with a message that names the argument. */
#define REFUSES(argument, call)                                             \
    do {                                                                    \
        oss_callback_error *error = NULL;                                   \
        assert((call) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);               \
        assert(is(oss_callback_error_message(error), "`" argument "` is NULL")); \
        oss_callback_error_free(error);                                     \
    } while (0)

/* A setter with a NULL argument makes what uses the options fail. */
#define VERIFIER_SETTER_REFUSES(argument, setter)                                    \
    do {                                                                            \
        oss_callback_verifier *made = NULL;                                         \
        oss_callback_verifier_options *options = NULL;                              \
        assert(oss_callback_verifier_options_new(&options) == OSS_CALLBACK_CODE_OK); \
        setter;                                                                     \
        REFUSES(argument, oss_callback_verifier_new(options, &made, &error));       \
        assert(made == NULL);                                                       \
        oss_callback_verifier_options_free(options);                                \
    } while (0)

static const uint8_t SECRET[32] = {1};

static void verifying(void) {
    oss_callback_verifier *verifier = NULL;
    oss_callback_verified *verified = NULL;
    const char *headers[] = {"Authorization", NULL};
    uint64_t number = 7;
    size_t len = 7;

    FAILS(oss_callback_verifier_options_new(NULL));
    oss_callback_verifier_options_add_key(NULL, NULL, NULL);
    VERIFIER_SETTER_REFUSES("url", oss_callback_verifier_options_add_key(options, NULL, "pem"));
    VERIFIER_SETTER_REFUSES("pem", oss_callback_verifier_options_add_key(options, "url", NULL));
    oss_callback_verifier_options_set_fetch_keys(NULL, true);
    oss_callback_verifier_options_trust_key_url_for_tests(NULL, NULL, NULL);
    VERIFIER_SETTER_REFUSES("exact_url", oss_callback_verifier_options_trust_key_url_for_tests(options, NULL, "pem"));
    VERIFIER_SETTER_REFUSES("pem", oss_callback_verifier_options_trust_key_url_for_tests(options, "url", NULL));
    oss_callback_verifier_options_set_max_body_len(NULL, 1);
    oss_callback_verifier_options_add_prepended_prefix(NULL, NULL);
    VERIFIER_SETTER_REFUSES("prefix", oss_callback_verifier_options_add_prepended_prefix(options, NULL));
    oss_callback_verifier_options_add_stripped_prefix(NULL, NULL);
    VERIFIER_SETTER_REFUSES("prefix", oss_callback_verifier_options_add_stripped_prefix(options, NULL));
    oss_callback_verifier_options_add_target_header(NULL, NULL);
    VERIFIER_SETTER_REFUSES("name", oss_callback_verifier_options_add_target_header(options, NULL));
    oss_callback_verifier_options_free(NULL);

    REFUSES("verifier", oss_callback_verifier_new(NULL, NULL, &error));
    /* No options are no fault. */
    assert(oss_callback_verifier_new(NULL, &verifier, NULL) == OSS_CALLBACK_CODE_OK);
    REFUSES("verifier", oss_callback_verifier_verify(NULL, "POST", "/", NULL, 0, NULL, 0, &verified, &error));
    REFUSES("method", oss_callback_verifier_verify(verifier, NULL, "/", NULL, 0, NULL, 0, &verified, &error));
    REFUSES("target", oss_callback_verifier_verify(verifier, "POST", NULL, NULL, 0, NULL, 0, &verified, &error));
    REFUSES("headers", oss_callback_verifier_verify(verifier, "POST", "/", headers, 1, NULL, 0, &verified, &error));
    FAILS(oss_callback_verifier_verify(verifier, "POST", "/", NULL, 1, NULL, 0, &verified, NULL));
    FAILS(oss_callback_verifier_verify(verifier, "POST", "/", headers, SIZE_MAX, NULL, 0, &verified, NULL));
    FAILS(oss_callback_verifier_verify(verifier, "POST", "/", NULL, 0, NULL, 1, &verified, NULL));
    assert(oss_callback_verifier_verify(verifier, "POST", "/", NULL, 0, NULL, 0, NULL, NULL) != OSS_CALLBACK_CODE_OK);
    assert(oss_callback_verifier_verify(verifier, "POST", "/", NULL, 0, NULL, 0, &verified, NULL) ==
           OSS_CALLBACK_CODE_MISSING_AUTHORIZATION);
    /* What a stranger sends is not UTF-8: no fault of the caller's. */
    headers[1] = "\xff";
    assert(oss_callback_verifier_verify(verifier, "\xff", "/\xff", headers, 1, NULL, 0, &verified, NULL) ==
           OSS_CALLBACK_CODE_WRONG_METHOD);
    assert(oss_callback_verifier_verify(verifier, "POST", "/\xff", headers, 1, NULL, 0, &verified, NULL) ==
           OSS_CALLBACK_CODE_MISSING_PUB_KEY_URL);
    assert(verified == NULL);
    oss_callback_verifier_free(NULL);
    oss_callback_verifier_free(verifier);

    assert(oss_callback_verified_signed_target(NULL) == NULL);
    assert(oss_callback_verified_key_url(NULL) == NULL);
    assert(oss_callback_verified_body(NULL, NULL) == NULL);
    assert(oss_callback_verified_body(NULL, &len) == NULL && len == 0);
    REFUSES("verified", oss_callback_verified_check_body(NULL, &error));
    assert(oss_callback_verified_member(NULL, NULL) == NULL);
    assert(oss_callback_verified_member(NULL, "name") == NULL);
    assert(oss_callback_verified_variable(NULL, NULL) == NULL);
    assert(oss_callback_verified_bucket(NULL) == NULL);
    assert(oss_callback_verified_object(NULL) == NULL);
    assert(oss_callback_verified_etag(NULL) == NULL);
    assert(oss_callback_verified_mime_type(NULL) == NULL);
    assert(oss_callback_verified_image_format(NULL) == NULL);
    assert(oss_callback_verified_content_md5(NULL) == NULL);
    assert(oss_callback_verified_request_id(NULL) == NULL);
    assert(oss_callback_verified_client_ip(NULL) == NULL);
    assert(oss_callback_verified_vpc_id(NULL) == NULL);
    assert(oss_callback_verified_operation(NULL) == NULL);
    assert(!oss_callback_verified_size(NULL, NULL) && !oss_callback_verified_size(NULL, &number));
    assert(!oss_callback_verified_crc64(NULL, NULL) && !oss_callback_verified_crc64(NULL, &number));
    assert(!oss_callback_verified_image_height(NULL, NULL) && !oss_callback_verified_image_height(NULL, &number));
    assert(!oss_callback_verified_image_width(NULL, NULL) && !oss_callback_verified_image_width(NULL, &number));
    assert(number == 7);
    REFUSES("verified", oss_callback_verified_confirm(NULL, NULL, NULL, &error));
    oss_callback_verified_free(NULL);
}

static void sealing(void) {
    oss_callback_sealer *sealer = NULL;
    oss_callback_permission *permission = NULL;
    oss_callback_sealed *sealed = NULL;
    oss_callback_spec *spec = NULL;
    oss_callback_replay_guard *replay_guard = NULL;
    oss_callback_spec_options *options = new_spec_options("http://app.example.com/");
    oss_callback_seen seen = OSS_CALLBACK_SEEN_REPLAYED;

    REFUSES("bucket", oss_callback_permission_new_object(NULL, "o", &permission, &error));
    REFUSES("object", oss_callback_permission_new_object("b", NULL, &permission, &error));
    REFUSES("permission", oss_callback_permission_new_object("b", "o", NULL, &error));
    REFUSES("bucket", oss_callback_permission_new_prefix(NULL, "o", &permission, &error));
    REFUSES("prefix", oss_callback_permission_new_prefix("b", NULL, &permission, &error));
    REFUSES("permission", oss_callback_permission_new_prefix("b", "o", NULL, &error));
    oss_callback_permission_set_max_size(NULL, 1);
    oss_callback_permission_set_exact_size(NULL, 1);
    oss_callback_permission_set_expires_at_s(NULL, 1);
    oss_callback_permission_set_valid_for_s(NULL, 1);
    oss_callback_permission_free(NULL);
    assert(oss_callback_permission_new_object("b", "o", &permission, NULL) == OSS_CALLBACK_CODE_OK);
    /* The largest numbers are no fault. */
    oss_callback_permission_set_exact_size(permission, UINT64_MAX);
    oss_callback_permission_set_expires_at_s(permission, UINT64_MAX);
    oss_callback_permission_set_valid_for_s(permission, UINT64_MAX);

    REFUSES("key_id", oss_callback_sealer_new(NULL, SECRET, 32, &sealer, &error));
    REFUSES("sealer", oss_callback_sealer_new("id", SECRET, 32, NULL, &error));
    FAILS(oss_callback_sealer_new("id", NULL, 32, &sealer, NULL));
    FAILS(oss_callback_sealer_new("id", NULL, 0, &sealer, NULL));
    assert(oss_callback_sealer_new("id", SECRET, 32, &sealer, NULL) == OSS_CALLBACK_CODE_OK);
    REFUSES("sealer", oss_callback_sealer_accept(NULL, "other", SECRET, 32, &error));
    REFUSES("key_id", oss_callback_sealer_accept(sealer, NULL, SECRET, 32, &error));
    FAILS(oss_callback_sealer_accept(sealer, "other", NULL, 32, NULL));
    assert(oss_callback_sealer_accept(sealer, "other", SECRET, 32, NULL) == OSS_CALLBACK_CODE_OK);
    REFUSES("sealer", oss_callback_sealer_seal(NULL, options, permission, &spec, &error));
    REFUSES("options", oss_callback_sealer_seal(sealer, NULL, permission, &spec, &error));
    REFUSES("permission", oss_callback_sealer_seal(sealer, options, NULL, &spec, &error));
    REFUSES("spec", oss_callback_sealer_seal(sealer, options, permission, NULL, &error));
    REFUSES("sealer", oss_callback_sealer_check(NULL, NULL, &sealed, &error));
    REFUSES("verified", oss_callback_sealer_check(sealer, NULL, &sealed, &error));
    oss_callback_sealer_free(NULL);
    oss_callback_sealer_free(sealer);
    oss_callback_permission_free(permission);
    oss_callback_spec_options_free(options);

    assert(oss_callback_sealed_bucket(NULL) == NULL);
    assert(oss_callback_sealed_object(NULL) == NULL);
    assert(oss_callback_sealed_size(NULL) == 0);
    assert(oss_callback_sealed_variable(NULL, NULL) == NULL);
    assert(oss_callback_sealed_variable(NULL, "name") == NULL);
    assert(oss_callback_sealed_key_id(NULL) == NULL);
    assert(oss_callback_sealed_expires_at_s(NULL) == 0);
    assert(oss_callback_sealed_nonce(NULL) == NULL);
    assert(oss_callback_sealed_body_digest(NULL) == NULL);
    oss_callback_sealed_free(NULL);

    FAILS(oss_callback_replay_guard_new(1, NULL));
    assert(oss_callback_replay_guard_new(1, &replay_guard) == OSS_CALLBACK_CODE_OK);
    REFUSES("replay_guard", oss_callback_replay_guard_check(NULL, NULL, &seen, &error));
    REFUSES("sealed", oss_callback_replay_guard_check(replay_guard, NULL, &seen, &error));
    REFUSES("replay_guard", oss_callback_replay_guard_forget(NULL, NULL, &error));
    REFUSES("sealed", oss_callback_replay_guard_forget(replay_guard, NULL, &error));
    assert(seen == OSS_CALLBACK_SEEN_REPLAYED);
    oss_callback_replay_guard_free(NULL);
    oss_callback_replay_guard_free(replay_guard);
}

static void replying(void) {
    oss_callback_reply *reply = NULL;
    size_t len = 7;
    REFUSES("json", oss_callback_reply_new_ok(NULL, &reply, &error));
    REFUSES("reply", oss_callback_reply_new_ok("{}", NULL, &error));
    FAILS(oss_callback_reply_new_refused(NULL, NULL));
    assert(oss_callback_reply_new_refused(NULL, &reply) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_reply_status(reply) == 503);
    assert(oss_callback_reply_status(NULL) == 0);
    assert(oss_callback_reply_content_type(NULL) == NULL);
    assert(oss_callback_reply_body(NULL, NULL) == NULL);
    assert(oss_callback_reply_body(NULL, &len) == NULL && len == 0);
    assert(oss_callback_reply_http(NULL, NULL) == NULL);
    oss_callback_reply_free(NULL);
    oss_callback_reply_free(reply);
}

static void explaining(void) {
    oss_callback_object_facts *facts = NULL;
    oss_callback_preview *preview = NULL;
    oss_callback_explanation *explanation = NULL;
    oss_callback_spec *spec = new_spec("http://app.example.com/");

    assert(oss_callback_spec_warnings_len(NULL) == 0);
    assert(oss_callback_spec_warning(NULL, 0) == NULL);
    REFUSES("bucket", oss_callback_object_facts_new(NULL, "o", &facts, &error));
    REFUSES("object", oss_callback_object_facts_new("b", NULL, &facts, &error));
    REFUSES("object_facts", oss_callback_object_facts_new("b", "o", NULL, &error));
    oss_callback_object_facts_set(NULL, NULL, NULL);
    oss_callback_object_facts_set_image(NULL, 1, 1, NULL);
    oss_callback_object_facts_free(NULL);
    assert(oss_callback_object_facts_new("b", "o", &facts, NULL) == OSS_CALLBACK_CODE_OK);
    REFUSES("spec", oss_callback_spec_preview(NULL, facts, &preview, &error));
    REFUSES("object_facts", oss_callback_spec_preview(spec, NULL, &preview, &error));
    REFUSES("preview", oss_callback_spec_preview(spec, facts, NULL, &error));
    oss_callback_object_facts_set(facts, NULL, "value");
    REFUSES("variable", oss_callback_spec_preview(spec, facts, &preview, &error));
    oss_callback_object_facts_free(facts);
    assert(oss_callback_object_facts_new("b", "o", &facts, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_object_facts_set_image(facts, 1, 1, NULL);
    REFUSES("format", oss_callback_spec_preview(spec, facts, &preview, &error));
    oss_callback_object_facts_free(facts);
    assert(oss_callback_preview_len(NULL) == 0);
    assert(oss_callback_preview_url(NULL, 0) == NULL);
    assert(oss_callback_preview_target(NULL, 0) == NULL);
    assert(oss_callback_preview_body(NULL, 0) == NULL);
    assert(oss_callback_preview_http(NULL, 0) == NULL);
    oss_callback_preview_free(NULL);
    REFUSES("callback", oss_callback_explanation_new(NULL, NULL, &explanation, &error));
    REFUSES("explanation", oss_callback_explanation_new("e30=", NULL, NULL, &error));
    assert(oss_callback_explanation_text(NULL) == NULL);
    assert(oss_callback_explanation_problems_len(NULL) == 0);
    oss_callback_explanation_free(NULL);
    oss_callback_spec_free(spec);
}

int main(void) {
    verifying();
    sealing();
    replying();
    explaining();
    return 0;
}
