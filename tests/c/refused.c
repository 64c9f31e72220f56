/* What OSS refuses, and what never reaches it, is not stored and its callback not answered. */

#include "fixture.h"

static const char SECRET[] = "the-wrong-secret";

static oss_callback_error *fails(oss_callback_client_options *options, const oss_callback_spec *spec,
                                 oss_callback_code code) {
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;
    oss_callback_client *client = new_client_of(options);
    assert(oss_put_object_with_callback(client, BUCKET, "object", (const uint8_t *)"x", 1, spec, NULL, &receipt,
                                        &error) == code);
    assert(receipt == NULL);
    assert(oss_callback_error_code(error) == code);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_NO);
    assert(oss_callback_error_receipt(error) == NULL);
    assert(!contains(oss_callback_error_message(error), SECRET));
    oss_callback_client_free(client);
    return error;
}

/* The endpoint in argv refuses connections. */
int main(int argc, char **argv) {
    static const uint32_t versions[] = {1, 4};
    size_t index, len = 0;
    oss_callback_error *error;
    oss_callback_client_options *options;
    oss_callback_spec *spec = new_spec(variable("OSS_CALLBACK_URL"));
    assert(argc == 2);

    for (index = 0; index < 2; index++) {
        options = new_client_options();
        oss_callback_client_options_set_signature_version(options, versions[index]);
        oss_callback_client_options_set_credentials(options, variable("OSS_ACCESS_KEY_ID"), SECRET, NULL);
        error = fails(options, spec, OSS_CALLBACK_CODE_ACCESS_DENIED);
        assert(oss_callback_error_status(error) == 403);
        assert(is(oss_callback_error_oss_code(error), "SignatureDoesNotMatch"));
        assert(oss_callback_error_oss_message(error) != NULL);
        assert(contains(oss_callback_error_detail(error, "StringToSign"),
                        versions[index] == 1 ? "/examplebucket/object" : "OSS4-HMAC-SHA256"));
        assert(is(oss_callback_error_detail(error, "stringtosign"), oss_callback_error_detail(error, "StringToSign")));
        assert(oss_callback_error_detail(error, "NoSuchElement") == NULL);
        assert(is(oss_callback_error_header(error, "content-type"), "application/xml"));
        assert(oss_callback_error_request_id(error) != NULL);
        assert(oss_callback_error_host_id(error) != NULL);
        assert(memcmp(oss_callback_error_body(error, &len), "<?xml", 5) == 0 && len > 100);
        assert(oss_callback_error_diagnosis(error) == NULL);
        oss_callback_error_free(error);
    }

    options = new_client_options();
    oss_callback_client_options_set_credentials_anonymous(options);
    error = fails(options, spec, OSS_CALLBACK_CODE_ACCESS_DENIED);
    oss_callback_error_free(error);

    options = new_client_options();
    oss_callback_client_options_set_endpoint(options, argv[1]);
    error = fails(options, spec, OSS_CALLBACK_CODE_CONNECT);
    assert(contains(oss_callback_error_message(error), "refused"));
    assert(oss_callback_error_status(error) == 0);
    assert(oss_callback_error_oss_code(error) == NULL);
    assert(oss_callback_error_request_id(error) == NULL);
    assert(oss_callback_error_header(error, "content-type") == NULL);
    assert(oss_callback_error_body(error, &len) != NULL && len == 0);
    oss_callback_error_free(error);

    options = new_client_options();
    oss_callback_client_options_set_endpoint(options, "http://no-such-host.invalid");
    error = fails(options, spec, OSS_CALLBACK_CODE_RESOLVE);
    assert(contains(oss_callback_error_message(error), "no-such-host.invalid"));
    oss_callback_error_free(error);

    oss_callback_spec_free(spec);
    return 0;
}
