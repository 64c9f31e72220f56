/* What became of uploads whose answers were lost, and of uploads that did not arrive. */

#include "fixture.h"

static oss_callback_client *client_at(const char *endpoint) {
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_endpoint(options, endpoint);
    oss_callback_client_options_set_max_idle_connections(options, 0);
    oss_callback_client_options_set_max_attempts(options, 1);
    return new_client_of(options);
}

/* An upload of "hello" that ends with nobody knowing whether it is stored. */
static oss_callback_error *lose(const oss_callback_client *client, const char *object, const char *id) {
    oss_callback_error *error = NULL;
    oss_callback_put_options *options = new_put_options();
    if (id != NULL) {
        oss_callback_put_options_set_idempotency_id(options, id);
    }
    assert(oss_put_object_with_callback(client, BUCKET, object, (const uint8_t *)"hello", 5, oss_callback_spec_none(), options, NULL,
                                        &error) == OSS_CALLBACK_CODE_CONNECTION_LOST);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_UNKNOWN);
    oss_callback_put_options_free(options);
    return error;
}

static oss_callback_reconciled *look(const oss_callback_client *client, const oss_callback_error *unknown) {
    oss_callback_reconciled *reconciled = NULL;
    oss_callback_operation_options *options = new_operation_options();
    assert(oss_callback_client_reconcile(client, unknown, options, &reconciled, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_operation_options_free(options);
    return reconciled;
}

static void is_there(oss_callback_reconciled *reconciled, oss_callback_outcome outcome, const char *id) {
    uint64_t len = 0, observed_at = 7;
    const oss_callback_object_metadata *object = oss_callback_reconciled_object(reconciled);
    assert(oss_callback_reconciled_outcome(reconciled) == outcome);
    assert(oss_callback_object_metadata_content_length(object, &len) && len == 5);
    if (id == NULL) {
        assert(oss_callback_object_metadata_header(object, "x-oss-meta-idempotency-id") == NULL);
    } else {
        assert(is(oss_callback_object_metadata_header(object, "x-oss-meta-idempotency-id"), id));
    }
    assert(!oss_callback_reconciled_observed_at_s(reconciled, &observed_at) && observed_at == 7);
    oss_callback_reconciled_free(reconciled);
}

static void is_not_there(oss_callback_reconciled *reconciled) {
    uint64_t observed_at = 0;
    assert(oss_callback_reconciled_outcome(reconciled) == OSS_CALLBACK_OUTCOME_NOT_THERE);
    assert(oss_callback_reconciled_object(reconciled) == NULL);
    assert(oss_callback_reconciled_observed_at_s(reconciled, &observed_at) && observed_at > 1700000000u);
    assert(oss_callback_reconciled_observed_at_s(reconciled, NULL) == false);
    oss_callback_reconciled_free(reconciled);
}

static void refuses(const oss_callback_client *client, const oss_callback_error *known, const char *part) {
    oss_callback_reconciled *reconciled = NULL;
    oss_callback_error *error = NULL;
    assert(oss_callback_client_reconcile(client, known, NULL, &reconciled, &error) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(reconciled == NULL && contains(oss_callback_error_message(error), part));
    oss_callback_error_free(error);
}

/* argv: an endpoint that loses answers, one that loses requests. */
int main(int argc, char **argv) {
    oss_callback_client *client = new_client(), *answers, *requests;
    oss_callback_error *lost, *error = NULL;
    oss_callback_multipart_upload *upload;
    oss_callback_parts *parts = new_parts();
    assert(argc == 3);
    answers = client_at(argv[1]);
    requests = client_at(argv[2]);

    lost = lose(requests, "put", "1");
    is_not_there(look(client, lost));
    oss_callback_error_free(lost);
    lost = lose(answers, "put", "1");
    is_there(look(client, lost), OSS_CALLBACK_OUTCOME_STORED, "1");
    oss_callback_error_free(lost);
    lost = lose(answers, "nameless", NULL);
    is_there(look(client, lost), OSS_CALLBACK_OUTCOME_CONTENT_PRESENT, NULL);
    oss_callback_error_free(lost);

    /* Another upload in its place. */
    lost = lose(answers, "replaced", NULL);
    assert(oss_put_object_with_callback(client, BUCKET, "replaced", (const uint8_t *)"another", 7, oss_callback_spec_none(), NULL, NULL,
                                        NULL) == OSS_CALLBACK_CODE_OK);
    {
        oss_callback_reconciled *reconciled = look(client, lost);
        assert(oss_callback_reconciled_outcome(reconciled) == OSS_CALLBACK_OUTCOME_STILL_UNKNOWN);
        assert(oss_callback_reconciled_object(reconciled) == NULL);
        oss_callback_reconciled_free(reconciled);
    }
    oss_callback_error_free(lost);

    upload = begin(client, "parts");
    assert(oss_callback_multipart_upload_upload_part(upload, 1, (const uint8_t *)"hello", 5, NULL, parts, NULL) ==
           OSS_CALLBACK_CODE_OK);
    {
        oss_callback_spec *spec = new_spec(variable("OSS_CALLBACK_URL"));
        oss_callback_multipart_upload *far = NULL;
        assert(oss_callback_client_resume_multipart_upload(answers, BUCKET, "parts", oss_callback_multipart_upload_id(upload),
                                                 &far, NULL) == OSS_CALLBACK_CODE_OK);
        lost = NULL;
        assert(oss_complete_multipart_upload_with_callback(far, parts, spec, NULL, NULL, &lost) ==
               OSS_CALLBACK_CODE_CONNECTION_LOST);
        is_there(look(client, lost), OSS_CALLBACK_OUTCOME_STORED, NULL);
        oss_callback_error_free(lost);
        oss_callback_multipart_upload_free(far);
        oss_callback_spec_free(spec);
    }

    /* Only what is unknown can be looked up. */
    assert(oss_put_object_with_callback(client, "nosuchbucket", "o", NULL, 0, oss_callback_spec_none(), NULL, NULL, &error) ==
           OSS_CALLBACK_CODE_NOT_FOUND);
    refuses(client, error, "the object is not stored");
    oss_callback_error_free(error);

    oss_callback_multipart_upload_free(upload);
    oss_callback_parts_free(parts);
    oss_callback_client_free(requests);
    oss_callback_client_free(answers);
    oss_callback_client_free(client);
    return 0;
}
