/* Freeing NULL does nothing, and so does freeing handles of every other state that can be had. */

#include "fixture.h"

int main(void) {
    oss_callback_client_options *client_options = NULL;
    oss_callback_spec_options *spec_options = NULL;
    oss_callback_put_options *put_options = NULL;
    oss_callback_operation_options *operation_options = NULL;
    oss_callback_body_template *body_template = NULL;
    oss_callback_parts *parts = NULL;

    oss_callback_client_options_free(NULL);
    oss_callback_client_free(NULL);
    oss_callback_body_template_free(NULL);
    oss_callback_spec_options_free(NULL);
    oss_callback_spec_free(NULL);
    oss_callback_cancellation_free(NULL);
    oss_callback_put_options_free(NULL);
    oss_callback_operation_options_free(NULL);
    oss_callback_multipart_upload_free(NULL);
    oss_callback_parts_free(NULL);
    oss_callback_multipart_uploads_free(NULL);
    oss_callback_object_metadata_free(NULL);
    oss_callback_receipt_free(NULL);
    oss_callback_error_free(NULL);
    oss_callback_explanation_free(NULL);
    oss_callback_object_facts_free(NULL);
    oss_callback_permission_free(NULL);
    oss_callback_preview_free(NULL);
    oss_callback_replay_guard_free(NULL);
    oss_callback_reconciled_free(NULL);
    oss_callback_reply_free(NULL);
    oss_callback_sealed_free(NULL);
    oss_callback_sealer_free(NULL);
    oss_callback_verified_free(NULL);
    oss_callback_verifier_free(NULL);
    oss_callback_verifier_options_free(NULL);

    /* Untouched options, and options with a fault. */
    assert(oss_callback_client_options_new(&client_options) == OSS_CALLBACK_CODE_OK);
    oss_callback_client_options_free(client_options);
    assert(oss_callback_client_options_new(&client_options) == OSS_CALLBACK_CODE_OK);
    oss_callback_client_options_set_endpoint(client_options, NULL);
    oss_callback_client_options_free(client_options);

    assert(oss_callback_spec_options_new(&spec_options) == OSS_CALLBACK_CODE_OK);
    oss_callback_spec_options_free(spec_options);
    assert(oss_callback_spec_options_new(&spec_options) == OSS_CALLBACK_CODE_OK);
    oss_callback_spec_options_set_host(spec_options, NULL);
    oss_callback_spec_options_free(spec_options);

    assert(oss_callback_put_options_new(&put_options) == OSS_CALLBACK_CODE_OK);
    oss_callback_put_options_free(put_options);
    assert(oss_callback_put_options_new(&put_options) == OSS_CALLBACK_CODE_OK);
    oss_callback_put_options_set_metadata(put_options, "author", "Ming");
    oss_callback_put_options_set_header(put_options, NULL, "value");
    oss_callback_put_options_free(put_options);

    assert(oss_callback_operation_options_new(&operation_options) == OSS_CALLBACK_CODE_OK);
    oss_callback_operation_options_free(operation_options);

    assert(oss_callback_parts_new(&parts) == OSS_CALLBACK_CODE_OK);
    oss_callback_parts_free(parts);

    assert(oss_callback_body_template_new(OSS_CALLBACK_BODY_TYPE_JSON, &body_template) == OSS_CALLBACK_CODE_OK);
    oss_callback_body_template_free(body_template);
    assert(oss_callback_body_template_new(OSS_CALLBACK_BODY_TYPE_FORM, &body_template) == OSS_CALLBACK_CODE_OK);
    oss_callback_body_template_add_text(body_template, "name", NULL);
    oss_callback_body_template_free(body_template);
    return 0;
}
