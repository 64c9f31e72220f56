/* Text that is not UTF-8 and numbers of no enumeration are refused by name; of several faults the first is told. */

#include "fixture.h"

static const char BAD[] = "\xff\xfe";

/* The client that these options make is refused with this message; the options are freed. */
static void refuses_client(oss_callback_client_options *options, const char *message) {
    oss_callback_client *client = NULL;
    oss_callback_error *error = NULL;
    assert(oss_callback_client_new(options, &client, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(client == NULL);
    assert(contains(oss_callback_error_message(error), message));
    oss_callback_error_free(error);
    oss_callback_client_options_free(options);
}

static void refuses_spec(oss_callback_spec_options *options, const char *message) {
    oss_callback_spec *spec = NULL;
    oss_callback_error *error = NULL;
    assert(oss_callback_spec_new(options, &spec, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(spec == NULL);
    assert(contains(oss_callback_error_message(error), message));
    oss_callback_error_free(error);
    oss_callback_spec_options_free(options);
}

static void refuses_template(oss_callback_body_template *body_template, const char *message) {
    oss_callback_spec_options *options = new_spec_options("http://app.example.com/");
    oss_callback_spec_options_set_body_template(options, body_template);
    refuses_spec(options, message);
    oss_callback_body_template_free(body_template);
}

static void refuses_put(oss_callback_client *client, oss_callback_put_options *options, const char *message) {
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;
    assert(oss_put_object_with_callback(client, BUCKET, "object", NULL, 0, oss_callback_spec_none(), options, &receipt, &error) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(receipt == NULL);
    assert(contains(oss_callback_error_message(error), message));
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    oss_callback_error_free(error);
    oss_callback_put_options_free(options);
}

static oss_callback_body_template *new_template(void) {
    oss_callback_body_template *body_template = NULL;
    assert(oss_callback_body_template_new(OSS_CALLBACK_BODY_TYPE_FORM, &body_template) == OSS_CALLBACK_CODE_OK);
    return body_template;
}

static void clients(void) {
    static const uint32_t versions[] = {0, 2, 3, 5, UINT32_MAX};
    size_t index;
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_endpoint(options, BAD);
    refuses_client(options, "`endpoint` is not UTF-8");
    options = new_client_options();
    oss_callback_client_options_set_region(options, BAD);
    refuses_client(options, "`region` is not UTF-8");
    options = new_client_options();
    oss_callback_client_options_set_credentials(options, BAD, "secret", NULL);
    refuses_client(options, "`access_key_id` is not UTF-8");
    options = new_client_options();
    oss_callback_client_options_set_credentials(options, "id", BAD, NULL);
    refuses_client(options, "`access_key_secret` is not UTF-8");
    options = new_client_options();
    oss_callback_client_options_set_credentials(options, "id", "secret", BAD);
    refuses_client(options, "`security_token` is not UTF-8");
    options = new_client_options();
    oss_callback_client_options_set_user_agent(options, BAD);
    refuses_client(options, "`user_agent` is not UTF-8");
    for (index = 0; index < sizeof versions / sizeof versions[0]; index++) {
        options = new_client_options();
        oss_callback_client_options_set_signature_version(options, versions[index]);
        refuses_client(options, "`version`");
    }

    /* The first fault stays, whatever comes after it, and is told again each time. */
    options = new_client_options();
    oss_callback_client_options_set_signature_version(options, 3);
    oss_callback_client_options_set_region(options, NULL);
    oss_callback_client_options_set_signature_version(options, 4);
    assert(oss_callback_client_new(options, NULL, NULL) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    refuses_client(options, "`version` 3 is neither 1 nor 4");
}

static void specs(void) {
    const char *url = "http://app.example.com/";
    oss_callback_spec_options *options = new_spec_options(url);
    oss_callback_spec_options_add_url(options, BAD);
    refuses_spec(options, "`url` is not UTF-8");
    options = new_spec_options(url);
    oss_callback_spec_options_set_host(options, BAD);
    refuses_spec(options, "`host` is not UTF-8");
    options = new_spec_options(url);
    oss_callback_spec_options_set_body(options, BAD);
    refuses_spec(options, "`body` is not UTF-8");
    options = new_spec_options(url);
    oss_callback_spec_options_add_variable(options, BAD, "value");
    refuses_spec(options, "`name` is not UTF-8");
    options = new_spec_options(url);
    oss_callback_spec_options_add_variable(options, "name", BAD);
    refuses_spec(options, "`value` is not UTF-8");
    options = new_spec_options(url);
    oss_callback_spec_options_add_member(options, BAD, "1");
    refuses_spec(options, "`name` is not UTF-8");
    options = new_spec_options(url);
    oss_callback_spec_options_add_member(options, "name", BAD);
    refuses_spec(options, "`json` is not UTF-8");
    options = new_spec_options(url);
    oss_callback_spec_options_set_body_type(options, 2);
    refuses_spec(options, "`body_type` 2 is not one of");
    options = new_spec_options(url);
    oss_callback_spec_options_set_body_type(options, UINT32_MAX);
    oss_callback_spec_options_set_body_type(options, OSS_CALLBACK_BODY_TYPE_FORM);
    oss_callback_spec_options_set_host(options, NULL);
    refuses_spec(options, "`body_type` 4294967295 is not one of");
}

static void raw_specs(void) {
    oss_callback_spec *spec = NULL;
    oss_callback_error *error = NULL;
    assert(oss_callback_spec_new_from_base64(BAD, NULL, &spec, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(is(oss_callback_error_message(error), "`callback` is not UTF-8"));
    oss_callback_error_free(error);
    assert(oss_callback_spec_new_from_base64("e30=", BAD, &spec, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(is(oss_callback_error_message(error), "`callback_var` is not UTF-8"));
    oss_callback_error_free(error);
    assert(oss_callback_spec_new_from_json(BAD, NULL, &spec, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(is(oss_callback_error_message(error), "`callback` is not UTF-8"));
    oss_callback_error_free(error);
    assert(oss_callback_spec_new_from_json("{}", BAD, &spec, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(is(oss_callback_error_message(error), "`callback_var` is not UTF-8"));
    oss_callback_error_free(error);
    assert(spec == NULL);
}

static void templates(void) {
    oss_callback_body_template *body_template = NULL;
    assert(oss_callback_body_template_new(2, &body_template) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(oss_callback_body_template_new(UINT32_MAX, &body_template) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(body_template == NULL);

    body_template = new_template();
    oss_callback_body_template_add_variable(body_template, BAD, "object");
    refuses_template(body_template, "`name` is not UTF-8");
    body_template = new_template();
    oss_callback_body_template_add_variable(body_template, "name", BAD);
    refuses_template(body_template, "`variable` is not UTF-8");
    body_template = new_template();
    oss_callback_body_template_add_text(body_template, BAD, "value");
    refuses_template(body_template, "`name` is not UTF-8");
    body_template = new_template();
    oss_callback_body_template_add_text(body_template, "name", BAD);
    refuses_template(body_template, "`value` is not UTF-8");
}

static void uploads(void) {
    oss_callback_client *client = new_client();
    oss_callback_object_metadata *metadata = NULL;
    oss_callback_error *error = NULL;
    oss_callback_put_options *options = new_put_options();
    oss_callback_put_options_set_content_type(options, BAD);
    refuses_put(client, options, "`content_type` is not UTF-8");
    options = new_put_options();
    oss_callback_put_options_set_metadata(options, BAD, "value");
    refuses_put(client, options, "`name` is not UTF-8");
    options = new_put_options();
    oss_callback_put_options_set_metadata(options, "name", BAD);
    refuses_put(client, options, "`value` is not UTF-8");
    options = new_put_options();
    oss_callback_put_options_set_header(options, BAD, "value");
    refuses_put(client, options, "`name` is not UTF-8");
    options = new_put_options();
    oss_callback_put_options_set_header(options, "name", BAD);
    oss_callback_put_options_set_content_type(options, NULL);
    refuses_put(client, options, "`value` is not UTF-8");

    assert(oss_put_object_with_callback(client, BAD, "object", NULL, 0, oss_callback_spec_none(), NULL, NULL, &error) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(is(oss_callback_error_message(error), "`bucket` is not UTF-8"));
    oss_callback_error_free(error);
    assert(oss_put_object_with_callback(client, BUCKET, BAD, NULL, 0, oss_callback_spec_none(), NULL, NULL, &error) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(is(oss_callback_error_message(error), "`object` is not UTF-8"));
    oss_callback_error_free(error);
    assert(oss_callback_client_head_object(client, BAD, "object", NULL, &metadata, &error) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(is(oss_callback_error_message(error), "`bucket` is not UTF-8"));
    oss_callback_error_free(error);
    assert(oss_callback_client_head_object(client, BUCKET, BAD, NULL, &metadata, &error) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(is(oss_callback_error_message(error), "`object` is not UTF-8"));
    assert(metadata == NULL);

    /* A name to look up is only looked up; a path is what the system says it is. */
    assert(oss_callback_error_header(error, BAD) == NULL);
    assert(oss_callback_error_detail(error, BAD) == NULL);
    oss_callback_error_free(error);
    assert(oss_put_object_from_file_with_callback(client, BUCKET, "object", BAD, oss_callback_spec_none(), NULL, NULL, NULL) ==
           OSS_CALLBACK_CODE_BODY_UNREADABLE);
    oss_callback_client_free(client);
}

static void is_refused(oss_callback_code code, oss_callback_error *error, const char *message) {
    assert(code == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(is(oss_callback_error_message(error), message));
    oss_callback_error_free(error);
}

static void multipart_uploads(void) {
    oss_callback_client *client = new_client();
    oss_callback_parts *parts = new_parts();
    oss_callback_multipart_upload *upload = NULL;
    oss_callback_multipart_uploads *list = NULL;
    oss_callback_error *error = NULL;
    oss_callback_code code = oss_callback_client_initiate_multipart_upload(client, BAD, "o", NULL, &upload, &error);
    is_refused(code, error, "`bucket` is not UTF-8");
    code = oss_callback_client_initiate_multipart_upload(client, BUCKET, BAD, NULL, &upload, &error);
    is_refused(code, error, "`object` is not UTF-8");
    code = oss_callback_client_resume_multipart_upload(client, BUCKET, "o", BAD, &upload, &error);
    is_refused(code, error, "`upload_id` is not UTF-8");
    code = oss_callback_parts_add(parts, 1, BAD, NULL, NULL, &error);
    is_refused(code, error, "`etag` is not UTF-8");
    code = oss_callback_parts_add_json(parts, BAD, &error);
    is_refused(code, error, "`json` is not UTF-8");
    code = oss_callback_client_list_multipart_uploads(client, BUCKET, BAD, NULL, NULL, &list, &error);
    is_refused(code, error, "`prefix` is not UTF-8");
    code = oss_callback_client_list_multipart_uploads(client, BUCKET, NULL, BAD, NULL, &list, &error);
    is_refused(code, error, "`delimiter` is not UTF-8");
    code = oss_callback_client_list_uploads_begun_since(client, BUCKET, BAD, 1, NULL, &list, &error);
    is_refused(code, error, "`object` is not UTF-8");
    assert(oss_callback_parts_len(parts) == 0 && list == NULL);

    /* An id of nothing is sent nowhere. */
    assert(oss_callback_client_resume_multipart_upload(client, BUCKET, "o", "", &upload, NULL) == OSS_CALLBACK_CODE_OK);
    code = oss_callback_multipart_upload_abort(upload, NULL, &error);
    is_refused(code, error, "`upload_id` is empty");
    oss_callback_multipart_upload_free(upload);
    oss_callback_parts_free(parts);
    oss_callback_client_free(client);
}

int main(void) {
    clients();
    specs();
    raw_specs();
    templates();
    uploads();
    multipart_uploads();
    return 0;
}
