/* The limits of a client hold: too long an answer is damaged, too late an answer is lost, and no number is too large. */

#include "fixture.h"

#define HUGE_LIMIT UINT64_MAX

static oss_callback_code put(oss_callback_client *client, const oss_callback_spec *spec, oss_callback_receipt **receipt,
                             oss_callback_error **error) {
    return oss_put_object_with_callback(client, BUCKET, "object", (const uint8_t *)"x", 1, spec, NULL, receipt, error);
}

static void zero_is_refused(void) {
    int which;
    for (which = 0; which < 3; which++) {
        oss_callback_client *client = NULL;
        oss_callback_error *error = NULL;
        oss_callback_client_options *options = new_client_options();
        switch (which) {
        case 0: oss_callback_client_options_set_connect_timeout_ms(options, 0); break;
        case 1: oss_callback_client_options_set_answer_timeout_ms(options, 0); break;
        default: oss_callback_client_options_set_timeout_ms(options, 0); break;
        }
        assert(oss_callback_client_new(options, &client, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
        assert(contains(oss_callback_error_message(error), "timeout` is zero"));
        oss_callback_error_free(error);
        oss_callback_client_options_free(options);
    }
}

static void the_largest_mean_no_limit(const oss_callback_spec *spec) {
    size_t len = 0;
    oss_callback_receipt *receipt = NULL;
    oss_callback_client *client;
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_connect_timeout_ms(options, HUGE_LIMIT);
    oss_callback_client_options_set_answer_timeout_ms(options, HUGE_LIMIT);
    oss_callback_client_options_set_timeout_ms(options, HUGE_LIMIT);
    oss_callback_client_options_set_max_answer_len(options, SIZE_MAX);
    client = new_client_of(options);
    assert(put(client, spec, &receipt, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_receipt_answer(receipt, &len) != NULL && len == 15);
    oss_callback_receipt_free(receipt);
    oss_callback_client_free(client);
}

static void a_long_answer_is_cut(const oss_callback_spec *spec) {
    size_t len = 0;
    oss_callback_error *error = NULL;
    oss_callback_receipt *receipt = NULL;
    const oss_callback_receipt *stored;
    oss_callback_client *client;
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_max_answer_len(options, 14);
    client = new_client_of(options);
    assert(put(client, spec, &receipt, &error) == OSS_CALLBACK_CODE_ANSWER_DAMAGED);
    assert(receipt == NULL);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_YES);
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_YES);
    stored = oss_callback_error_receipt(error);
    assert(memcmp(oss_callback_receipt_answer(stored, &len), "{\"Status\":\"OK\"}", 14) == 0 && len == 14);
    assert(oss_callback_receipt_etag(stored) != NULL);
    oss_callback_error_free(error);
    oss_callback_client_free(client);

    options = new_client_options();
    oss_callback_client_options_set_max_answer_len(options, 15);
    client = new_client_of(options);
    assert(put(client, spec, NULL, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_client_free(client);
}

/* The server at this address takes everything and never answers. */
static void silence_is_a_timeout(const char *endpoint, const oss_callback_spec *spec) {
    int which;
    for (which = 0; which < 2; which++) {
        oss_callback_error *error = NULL;
        oss_callback_client *client;
        oss_callback_client_options *options = new_client_options();
        oss_callback_client_options_set_endpoint(options, endpoint);
        if (which == 0) {
            oss_callback_client_options_set_timeout_ms(options, 300);
        } else {
            oss_callback_client_options_set_answer_timeout_ms(options, 300);
        }
        client = new_client_of(options);
        assert(put(client, which == 0 ? spec : oss_callback_spec_none(), NULL, &error) == OSS_CALLBACK_CODE_TIMEOUT);
        assert(oss_callback_error_status(error) == 0);
        assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_UNKNOWN);
        assert(oss_callback_error_answered(error) ==
               (which == 0 ? OSS_CALLBACK_ANSWERED_UNKNOWN : OSS_CALLBACK_ANSWERED_NOT_REQUESTED));
        assert(oss_callback_error_receipt(error) == NULL);
        oss_callback_error_free(error);
        oss_callback_client_free(client);
    }
}

int main(int argc, char **argv) {
    oss_callback_spec *spec = new_spec(variable("OSS_CALLBACK_URL"));
    assert(argc == 2);
    zero_is_refused();
    the_largest_mean_no_limit(spec);
    a_long_answer_is_cut(spec);
    silence_is_a_timeout(argv[1], spec);
    oss_callback_spec_free(spec);
    return 0;
}
