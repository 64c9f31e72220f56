/* As null_arguments.c, for permissions. */

#include "refuses.h"

static oss_callback_post_policy *new_policy(void) {
    oss_callback_post_policy *policy = NULL;
    assert(oss_callback_post_policy_new(&policy) == OSS_CALLBACK_CODE_OK);
    return policy;
}

#define POLICY_SETTER_REFUSES(argument, setter)                                                          \
    do {                                                                                                 \
        oss_callback_post_policy *changed = new_policy();                                                \
        oss_callback_post_form *given = NULL;                                                            \
        setter;                                                                                          \
        REFUSES(argument, given, oss_callback_client_sign_post_form(client, BUCKET, changed, &given, &error)); \
        oss_callback_post_policy_free(changed);                                                          \
    } while (0)

static void urls(const oss_callback_client *client) {
    oss_callback_presigned_url *url = NULL, *made = NULL;
    oss_callback_receipt *receipt = NULL;
    oss_callback_multipart_upload *upload = NULL;
    uint64_t expires = 7;
    assert(oss_callback_presigned_url_new_from_json("{\"method\":\"PUT\",\"url\":\"http://app.example.com/a\",\"headers\":{}}",
                                                &url, NULL) == OSS_CALLBACK_CODE_OK);
    REFUSES("client", made, oss_callback_client_presign_put_object(NULL, BUCKET, "o", NULL, NULL, 1, false, &made, &error));
    REFUSES("bucket", made, oss_callback_client_presign_put_object(client, NULL, "o", oss_callback_spec_none(), NULL, 1, false, &made, &error));
    REFUSES("object", made, oss_callback_client_presign_put_object(client, BUCKET, NULL, oss_callback_spec_none(), NULL, 1, false, &made, &error));
    FAILS(oss_callback_client_presign_put_object(client, BUCKET, "o", oss_callback_spec_none(), NULL, 1, false, NULL, NULL));
    REFUSES("client", made, oss_callback_client_presign_get_object(NULL, BUCKET, "o", 1, &made, &error));
    REFUSES("bucket", made, oss_callback_client_presign_get_object(client, NULL, "o", 1, &made, &error));
    REFUSES("object", made, oss_callback_client_presign_get_object(client, BUCKET, NULL, 1, &made, &error));
    FAILS(oss_callback_client_presign_get_object(client, BUCKET, "o", 1, NULL, NULL));
    REFUSES("client", made, oss_callback_client_presign_head_object(NULL, BUCKET, "o", 1, &made, &error));
    REFUSES("bucket", made, oss_callback_client_presign_head_object(client, NULL, "o", 1, &made, &error));
    REFUSES("object", made, oss_callback_client_presign_head_object(client, BUCKET, NULL, 1, &made, &error));
    FAILS(oss_callback_client_presign_head_object(client, BUCKET, "o", 1, NULL, NULL));
    assert(oss_callback_client_resume_multipart_upload(client, BUCKET, "o", "id", &upload, NULL) == OSS_CALLBACK_CODE_OK);
    REFUSES("upload", made, oss_callback_multipart_upload_presign_part(NULL, 1, 1, &made, &error));
    FAILS(oss_callback_multipart_upload_presign_part(upload, 1, 1, NULL, NULL));
    FAILS(oss_callback_multipart_upload_presign_part(upload, 0, 1, &made, NULL));
    REFUSES("upload", made, oss_callback_multipart_upload_presign_complete(NULL, true, NULL, NULL, 1, false, &made, &error));
    FAILS(oss_callback_multipart_upload_presign_complete(upload, true, oss_callback_spec_none(), NULL, 1, false, NULL, NULL));
    oss_callback_multipart_upload_free(upload);
    REFUSES("json", made, oss_callback_presigned_url_new_from_json(NULL, &made, &error));
    FAILS(oss_callback_presigned_url_new_from_json("{}", NULL, NULL));
    REFUSES("client", receipt, oss_put_object_with_url(NULL, url, NULL, 0, NULL, &receipt, &error));
    REFUSES("presigned_url", receipt, oss_put_object_with_url(client, NULL, NULL, 0, NULL, &receipt, &error));
    FAILS(oss_put_object_with_url(client, url, NULL, 1, NULL, NULL, NULL));
    REFUSES("client", receipt, oss_put_object_from_file_with_url(NULL, url, "f", NULL, &receipt, &error));
    REFUSES("presigned_url", receipt,
            oss_put_object_from_file_with_url(client, NULL, "f", NULL, &receipt, &error));
    REFUSES("path", receipt, oss_put_object_from_file_with_url(client, url, NULL, NULL, &receipt, &error));
    assert(oss_callback_presigned_url_method(NULL) == NULL && oss_callback_presigned_url_url(NULL) == NULL);
    assert(oss_callback_presigned_url_json(NULL) == NULL && oss_callback_presigned_url_headers_len(NULL) == 0);
    assert(oss_callback_presigned_url_header_name(NULL, 0) == NULL);
    assert(oss_callback_presigned_url_header_value(NULL, 0) == NULL);
    assert(!oss_callback_presigned_url_expires_at_s(NULL, &expires) && !oss_callback_presigned_url_expires_at_s(url, NULL));
    assert(expires == 7);
    oss_callback_presigned_url_free(NULL);
    oss_callback_presigned_url_free(url);
}

static void forms(const oss_callback_client *client) {
    oss_callback_post_policy *policy = new_policy();
    oss_callback_post_form *form = NULL, *made = NULL;
    oss_callback_receipt *receipt = NULL;
    uint64_t expires = 7;
    assert(oss_callback_post_form_new_from_json("{\"url\":\"http://app.example.com/\",\"fields\":[]}", &form, NULL) ==
           OSS_CALLBACK_CODE_OK);
    FAILS(oss_callback_post_policy_new(NULL));
    oss_callback_post_policy_set_key(NULL, NULL);
    oss_callback_post_policy_set_key_prefix(NULL, NULL);
    oss_callback_post_policy_set_expires_in_s(NULL, 1);
    oss_callback_post_policy_set_content_length_range(NULL, 1, 1);
    oss_callback_post_policy_add_content_type(NULL, NULL);
    oss_callback_post_policy_set_callback(NULL, NULL);
    oss_callback_post_policy_set_field(NULL, NULL, NULL);
    POLICY_SETTER_REFUSES("key", oss_callback_post_policy_set_key(changed, NULL));
    POLICY_SETTER_REFUSES("key_prefix", oss_callback_post_policy_set_key_prefix(changed, NULL));
    POLICY_SETTER_REFUSES("content_type", oss_callback_post_policy_add_content_type(changed, NULL));
    POLICY_SETTER_REFUSES("spec", oss_callback_post_policy_set_callback(changed, NULL));
    POLICY_SETTER_REFUSES("name", oss_callback_post_policy_set_field(changed, NULL, "v"));
    POLICY_SETTER_REFUSES("value", oss_callback_post_policy_set_field(changed, "n", NULL));
    REFUSES("client", made, oss_callback_client_sign_post_form(NULL, BUCKET, policy, &made, &error));
    REFUSES("bucket", made, oss_callback_client_sign_post_form(client, NULL, policy, &made, &error));
    REFUSES("post_policy", made, oss_callback_client_sign_post_form(client, BUCKET, NULL, &made, &error));
    oss_callback_post_policy_set_key(policy, "o");
    FAILS(oss_callback_client_sign_post_form(client, BUCKET, policy, NULL, NULL));
    REFUSES("json", made, oss_callback_post_form_new_from_json(NULL, &made, &error));
    FAILS(oss_callback_post_form_new_from_json("{}", NULL, NULL));
    REFUSES("client", receipt, oss_post_object_with_form(NULL, form, NULL, 0, NULL, NULL, NULL, &receipt, &error));
    REFUSES("post_form", receipt, oss_post_object_with_form(client, NULL, NULL, 0, NULL, NULL, NULL, &receipt, &error));
    FAILS(oss_post_object_with_form(client, form, NULL, 1, NULL, NULL, NULL, NULL, NULL));
    REFUSES("client", receipt,
            oss_post_object_from_file_with_form(NULL, form, "f", NULL, NULL, NULL, &receipt, &error));
    REFUSES("post_form", receipt,
            oss_post_object_from_file_with_form(client, NULL, "f", NULL, NULL, NULL, &receipt, &error));
    REFUSES("path", receipt,
            oss_post_object_from_file_with_form(client, form, NULL, NULL, NULL, NULL, &receipt, &error));
    assert(oss_callback_post_form_url(NULL) == NULL && oss_callback_post_form_json(NULL) == NULL);
    assert(oss_callback_post_form_fields_len(NULL) == 0 && oss_callback_post_form_field_name(NULL, 0) == NULL);
    assert(oss_callback_post_form_field_value(NULL, 0) == NULL);
    assert(!oss_callback_post_form_expires_at_s(NULL, &expires) && !oss_callback_post_form_expires_at_s(form, NULL));
    assert(expires == 7);
    oss_callback_post_form_free(NULL);
    oss_callback_post_form_free(form);
    oss_callback_post_policy_free(NULL);
    oss_callback_post_policy_free(policy);
}

int main(void) {
    oss_callback_client *client = new_client();
    urls(client);
    forms(client);
    oss_callback_client_free(client);
    return 0;
}
