/* NULL to a setter of an optional setting means "as if never set", also after another value. A NULL spec is refused by every
 * upload that takes one, so that a spec that could not be made never becomes an upload without a callback. */

#include "fixture.h"

static oss_callback_client *client;

static int64_t never_signs(const char *string_to_sign, uint32_t version, const char *scope, char *signature, size_t len,
                           void *userdata) {
    (void)string_to_sign, (void)version, (void)scope, (void)signature, (void)len, (void)userdata;
    return -1;
}

static int never_gives(oss_callback_credentials *credentials, void *userdata) {
    (void)credentials, (void)userdata;
    return 1;
}

/* All text settings of an upload, to a value and then to NULL: what is stored is as without them. */
static void of_an_upload(void) {
    oss_callback_put_options *options = new_put_options();
    const char *names[] = {"one", "never set"};
    size_t index;
    oss_callback_put_options_set_content_type(options, "text/x-test");
    oss_callback_put_options_set_content_type(options, NULL);
    oss_callback_put_options_set_object_acl(options, "public-read");
    oss_callback_put_options_set_object_acl(options, NULL);
    oss_callback_put_options_set_idempotency_id(options, "id");
    oss_callback_put_options_set_idempotency_id(options, NULL);
    oss_callback_put_options_set_storage_class(options, "IA");
    oss_callback_put_options_set_storage_class(options, NULL);
    oss_callback_put_options_set_server_side_data_encryption(options, "SM4");
    oss_callback_put_options_set_server_side_data_encryption(options, NULL);
    oss_callback_put_options_set_server_side_encryption_key_id(options, "key");
    oss_callback_put_options_set_server_side_encryption_key_id(options, NULL);
    oss_callback_put_options_set_server_side_encryption(options, "AES256");
    oss_callback_put_options_set_server_side_encryption(options, NULL);
    oss_callback_put_options_set_cache_control(options, "no-store");
    oss_callback_put_options_set_cache_control(options, NULL);
    oss_callback_put_options_set_content_disposition(options, "inline");
    oss_callback_put_options_set_content_disposition(options, NULL);
    oss_callback_put_options_set_content_encoding(options, "gzip");
    oss_callback_put_options_set_content_encoding(options, NULL);
    oss_callback_put_options_set_content_language(options, "zh-CN");
    oss_callback_put_options_set_content_language(options, NULL);
    oss_callback_put_options_set_metadata(options, "author", "Ming");
    oss_callback_put_options_set_metadata(options, "Author", NULL);
    oss_callback_put_options_set_header(options, "x-oss-test", "1");
    oss_callback_put_options_set_header(options, "X-Oss-Test", NULL);
    oss_callback_put_options_set_checkpoint(options, "/checkpoint");
    oss_callback_put_options_set_checkpoint(options, NULL);
    for (index = 0; index < 2; index++) {
        assert(oss_put_object_with_callback(client, BUCKET, names[index], (const uint8_t *)"1", 1, oss_callback_spec_none(),
                                            index == 0 ? options : NULL, NULL, NULL) == OSS_CALLBACK_CODE_OK);
    }
    oss_callback_put_options_free(options);
}

/* What makes OSS refuse an upload is not forgotten by way of NULL, and what was joined is not kept. */
static void of_headers(void) {
    const char *checks[] = {"Content-MD5", "X-OSS-Forbid-Overwrite"};
    size_t index;
    oss_callback_put_options *options = NULL;
    oss_callback_multipart_upload *upload = begin(client, "never");
    for (index = 0; index < 2; index++) {
        oss_callback_error *error = NULL;
        options = new_put_options();
        oss_callback_put_options_set_header(options, checks[index], NULL);
        assert(oss_put_object_with_callback(client, BUCKET, "never", NULL, 0, oss_callback_spec_none(), options, NULL,
                                            &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
        assert(contains(oss_callback_error_message(error), "`value` is NULL"));
        oss_callback_error_free(error);
        oss_callback_put_options_free(options);
    }
    options = new_put_options();
    oss_callback_put_options_add_tag(options, "a", "1");
    oss_callback_put_options_set_header(options, "x-oss-tagging", NULL);
    oss_callback_put_options_add_tag(options, "a", "2");
    oss_callback_put_options_set_requester_pays(options, true);
    oss_callback_put_options_set_header(options, "x-oss-request-payer", NULL);
    assert(oss_put_object_with_callback(client, BUCKET, "tagged", NULL, 0, oss_callback_spec_none(), options, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(oss_callback_multipart_upload_abort(upload, options, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_multipart_upload_free(upload);
    oss_callback_put_options_free(options);
}

/* set_ replaces: a range of sizes, and the type of a body by that of a template. */
static void setters_replace(void) {
    oss_callback_post_policy *policy = NULL;
    oss_callback_post_form *form = NULL;
    oss_callback_body_template *body = NULL;
    oss_callback_spec_options *options = new_spec_options("http://app.example.com/");
    assert(oss_callback_post_policy_new(&policy) == OSS_CALLBACK_CODE_OK);
    oss_callback_post_policy_set_key(policy, "posted");
    oss_callback_post_policy_set_content_length_range(policy, 1, 3);
    oss_callback_post_policy_set_content_length_range(policy, 1, 100);
    assert(oss_callback_client_sign_post_form(client, BUCKET, policy, &form, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_post_object_with_form(client, form, (const uint8_t *)"hello", 5, NULL, NULL, NULL, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
    oss_callback_post_form_free(form);
    oss_callback_post_policy_free(policy);

    oss_callback_spec_options_set_body_type(options, OSS_CALLBACK_BODY_TYPE_FORM);
    assert(oss_callback_body_template_new(OSS_CALLBACK_BODY_TYPE_JSON, &body) == OSS_CALLBACK_CODE_OK);
    oss_callback_body_template_add_variable(body, "object", "object");
    oss_callback_spec_options_set_body_template(options, body);
    oss_callback_spec_free(new_spec_of(options));
    oss_callback_body_template_free(body);
}

/* The first error that the options keep. */
static void refuses(oss_callback_client_options *options, const char *message) {
    oss_callback_client *made = NULL;
    oss_callback_error *error = NULL;
    assert(oss_callback_client_new(options, &made, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(made == NULL && contains(oss_callback_error_message(error), message));
    oss_callback_error_free(error);
    oss_callback_client_options_free(options);
}

static void of_a_client(void) {
    oss_callback_client *made = NULL;
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_region(options, NULL);
    refuses(options, "`region` is missing");
    options = new_client_options();
    oss_callback_client_options_set_endpoint(options, NULL);
    refuses(options, "`endpoint`");
    options = new_client_options();
    oss_callback_client_options_set_credentials(options, NULL, NULL, NULL);
    refuses(options, "`credentials` are missing");
    options = new_client_options();
    oss_callback_client_options_set_credentials_hook(options, never_gives, NULL, NULL);
    oss_callback_client_options_set_credentials_hook(options, NULL, NULL, NULL);
    refuses(options, "`credentials` are missing");
    options = new_client_options();
    oss_callback_client_options_set_signer_hook(options, "id", NULL, never_signs, NULL, NULL);
    oss_callback_client_options_set_signer_hook(options, NULL, NULL, NULL, NULL, NULL);
    refuses(options, "`credentials` are missing");
    /* One half of a pair is a mistake. */
    options = new_client_options();
    oss_callback_client_options_set_signer_hook(options, "id", NULL, NULL, NULL, NULL);
    refuses(options, "`hook` is NULL");
    options = new_client_options();
    oss_callback_client_options_set_signer_hook(options, NULL, NULL, never_signs, NULL, NULL);
    refuses(options, "`access_key_id` is NULL");
    options = new_client_options();
    oss_callback_client_options_set_client_certificate_files(options, "certificate.pem", NULL);
    refuses(options, "`client_key` is NULL");
    options = new_client_options();
    oss_callback_client_options_set_client_certificate_files(options, NULL, "key.pem");
    refuses(options, "`client_certificate` is NULL");

    options = new_client_options();
    oss_callback_client_options_set_user_agent(options, "not printable \n");
    oss_callback_client_options_set_user_agent(options, NULL);
    oss_callback_client_options_set_proxy(options, "not a proxy");
    oss_callback_client_options_set_proxy(options, NULL);
    oss_callback_client_options_set_local_address(options, "not an address");
    oss_callback_client_options_set_local_address(options, NULL);
    oss_callback_client_options_set_network_interface(options, "not an interface");
    oss_callback_client_options_set_network_interface(options, NULL);
    oss_callback_client_options_set_ca_bundle_file(options, NULL);
    oss_callback_client_options_set_client_certificate(options, NULL, 0, NULL, 0);
    oss_callback_client_options_set_client_certificate_files(options, NULL, NULL);
    assert(oss_callback_client_new(options, &made, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_put_object_with_callback(made, BUCKET, "by no proxy", NULL, 0, oss_callback_spec_none(), NULL, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
    oss_callback_client_free(made);
    oss_callback_client_options_free(options);
}

static void of_a_spec(void) {
    oss_callback_body_template *body = NULL;
    oss_callback_spec *spec = NULL;
    oss_callback_error *error = NULL;
    oss_callback_spec_options *options = new_spec_options(variable("OSS_CALLBACK_URL"));
    oss_callback_spec_options_set_host(options, "elsewhere.example.com");
    oss_callback_spec_options_set_host(options, NULL);
    spec = new_spec_of(options);
    assert(oss_put_object_with_callback(client, BUCKET, "called", NULL, 0, spec, NULL, NULL, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_spec_free(spec);

    spec = NULL;
    options = new_spec_options("http://app.example.com/");
    oss_callback_spec_options_set_body(options, NULL);
    assert(oss_callback_spec_new(options, &spec, &error) == OSS_CALLBACK_CODE_INVALID_CALLBACK);
    oss_callback_error_free(error);
    assert(oss_callback_body_template_new(OSS_CALLBACK_BODY_TYPE_JSON, &body) == OSS_CALLBACK_CODE_OK);
    oss_callback_body_template_add_variable(body, "object", "object");
    oss_callback_spec_options_set_body_template(options, body);
    oss_callback_spec_options_set_body_template(options, NULL);
    assert(oss_callback_spec_new(options, &spec, NULL) == OSS_CALLBACK_CODE_INVALID_CALLBACK && spec == NULL);
    oss_callback_body_template_free(body);
    oss_callback_spec_options_free(options);

    /* A template that could not be made takes neither a text nor its type away. */
    options = new_spec_options("http://app.example.com/");
    oss_callback_spec_options_set_body(options, "{\"object\":${object}}");
    oss_callback_spec_options_set_body_type(options, OSS_CALLBACK_BODY_TYPE_JSON);
    oss_callback_spec_options_set_body_template(options, NULL);
    spec = new_spec_of(options);
    {
        oss_callback_object_facts *facts = NULL;
        oss_callback_preview *preview = NULL;
        assert(oss_callback_object_facts_new(BUCKET, "o", &facts, NULL) == OSS_CALLBACK_CODE_OK);
        oss_callback_object_facts_set(facts, "size", "5");
        oss_callback_object_facts_set(facts, "size", NULL);
        assert(oss_callback_spec_preview(spec, facts, &preview, NULL) == OSS_CALLBACK_CODE_OK);
        assert(contains(oss_callback_preview_http(preview, 0), "application/json"));
        assert(is(oss_callback_preview_body(preview, 0), "{\"object\":\"o\"}"));
        oss_callback_preview_free(preview);
        oss_callback_object_facts_set(facts, "sise", NULL);
        assert(oss_callback_spec_preview(spec, facts, &preview, NULL) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
        oss_callback_object_facts_free(facts);
    }
    oss_callback_spec_free(spec);
}

/* What was set to NULL is as if never set: facts, too. */
static void of_facts(void) {
    const char *sizes[] = {"5", NULL};
    const char *bodies[] = {"size=5", "size="};
    size_t index;
    oss_callback_spec_options *options = new_spec_options("http://app.example.com/");
    oss_callback_spec *spec = NULL;
    oss_callback_object_facts *facts = NULL;
    oss_callback_spec_options_set_body(options, "size=${size}");
    spec = new_spec_of(options);
    assert(oss_callback_object_facts_new(BUCKET, "o", &facts, NULL) == OSS_CALLBACK_CODE_OK);
    for (index = 0; index < 2; index++) {
        oss_callback_preview *preview = NULL;
        oss_callback_object_facts_set(facts, "size", sizes[index]);
        assert(oss_callback_spec_preview(spec, facts, &preview, NULL) == OSS_CALLBACK_CODE_OK);
        assert(is(oss_callback_preview_body(preview, 0), bodies[index]));
        oss_callback_preview_free(preview);
    }
    oss_callback_object_facts_free(facts);
    oss_callback_spec_free(spec);
}

/* A part of the policy that is not set stays the client's. */
static void of_a_retry_policy(const char *closing) {
    oss_callback_error *error = NULL;
    oss_callback_client *four = NULL;
    oss_callback_put_options *options = new_put_options();
    oss_callback_client_options *of_client = new_client_options();
    oss_callback_client_options_set_endpoint(of_client, closing);
    oss_callback_client_options_set_max_attempts(of_client, 4);
    oss_callback_client_options_set_retry_max_delay_ms(of_client, 1);
    four = new_client_of(of_client);
    oss_callback_put_options_set_retry_base_delay_ms(options, 1);
    assert(oss_put_object_with_callback(four, BUCKET, "lost", NULL, 0, oss_callback_spec_none(), options, NULL, &error) ==
           OSS_CALLBACK_CODE_CONNECTION_LOST);
    assert(oss_callback_error_attempts(error) == 4);
    oss_callback_error_free(error);
    oss_callback_put_options_free(options);
    oss_callback_client_free(four);
}

static int64_t empty(uint8_t *buffer, size_t len, void *userdata) {
    (void)buffer, (void)len, (void)userdata;
    return 0;
}

/* The call names the spec, and what to pass for an upload without a callback. */
#define REFUSES_SPEC(call)                                                              \
    do {                                                                                \
        oss_callback_error *error = NULL;                                               \
        assert((call) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);                           \
        assert(contains(oss_callback_error_message(error), "`spec` is NULL"));          \
        assert(contains(oss_callback_error_message(error), "oss_callback_spec_none()")); \
        assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);             \
        oss_callback_error_free(error);                                                 \
    } while (0)

static void a_spec(void) {
    oss_callback_presigned_url *url = NULL;
    oss_callback_multipart_upload *upload = begin(client, "never");
    REFUSES_SPEC(oss_put_object_with_callback(client, BUCKET, "never", NULL, 0, NULL, NULL, NULL, &error));
    REFUSES_SPEC(oss_put_object_from_file_with_callback(client, BUCKET, "never", "/etc/passwd", NULL, NULL, NULL, &error));
    REFUSES_SPEC(
        oss_put_object_from_file_range_with_callback(client, BUCKET, "never", "/etc/passwd", 0, 1, NULL, NULL, NULL, &error));
    REFUSES_SPEC(oss_put_object_from_fd_with_callback(client, BUCKET, "never", 0, 0, NULL, NULL, NULL, &error));
    REFUSES_SPEC(oss_put_object_from_reader_with_callback(client, BUCKET, "never", empty, NULL, 0, NULL, NULL, NULL, &error));
    REFUSES_SPEC(oss_upload_file_with_callback(client, BUCKET, "never", "/etc/passwd", NULL, NULL, NULL, &error));
    REFUSES_SPEC(oss_complete_multipart_upload_with_callback(upload, NULL, NULL, NULL, NULL, &error));
    REFUSES_SPEC(oss_callback_client_presign_put_object(client, BUCKET, "never", NULL, NULL, 1, false, &url, &error));
    REFUSES_SPEC(oss_callback_multipart_upload_presign_complete(upload, true, NULL, NULL, 1, false, &url, &error));
    assert(url == NULL);
    assert(oss_callback_multipart_upload_abort(upload, NULL, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_multipart_upload_free(upload);
}

/* The spec of no callback has nothing in it, and nothing to free. */
static void no_spec(void) {
    const oss_callback_spec *none = oss_callback_spec_none();
    oss_callback_preview *preview = NULL;
    oss_callback_object_facts *facts = NULL;
    oss_callback_error *error = NULL;
    oss_callback_post_policy *policy = NULL;
    oss_callback_post_form *form = NULL;
    assert(none != NULL && none == oss_callback_spec_none());
    assert(oss_callback_spec_callback(none) == NULL && oss_callback_spec_callback_var(none) == NULL);
    assert(oss_callback_spec_warnings_len(none) == 0 && oss_callback_spec_check(none, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_object_facts_new(BUCKET, "o", &facts, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_spec_preview(none, facts, &preview, &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(contains(oss_callback_error_message(error), "`spec`"));
    oss_callback_error_free(error);
    oss_callback_object_facts_free(facts);
    /* A form without a callback would leave it to the uploader. */
    assert(oss_callback_post_policy_new(&policy) == OSS_CALLBACK_CODE_OK);
    oss_callback_post_policy_set_key(policy, "o");
    oss_callback_post_policy_set_callback(policy, none);
    assert(oss_callback_client_sign_post_form(client, BUCKET, policy, &form, NULL) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    oss_callback_post_policy_free(policy);
    oss_callback_spec_free((oss_callback_spec *)(uintptr_t)none);
    assert(oss_callback_spec_warnings_len(none) == 0);
}

/* A limit that is none. */
static void unlimited(void) {
    oss_callback_put_options *options = new_put_options();
    oss_callback_put_options_set_connect_timeout_ms(options, OSS_CALLBACK_UNLIMITED);
    oss_callback_put_options_set_answer_timeout_ms(options, OSS_CALLBACK_UNLIMITED);
    oss_callback_put_options_set_progress_timeout_ms(options, OSS_CALLBACK_UNLIMITED);
    oss_callback_put_options_set_timeout_ms(options, OSS_CALLBACK_UNLIMITED);
    oss_callback_put_options_set_deadline_ms(options, OSS_CALLBACK_UNLIMITED);
    oss_callback_put_options_set_bandwidth_bytes_per_s(options, OSS_CALLBACK_UNLIMITED);
    assert(oss_put_object_with_callback(client, BUCKET, "unlimited", (const uint8_t *)"1", 1, oss_callback_spec_none(), options,
                                        NULL, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_put_options_free(options);
}

int main(int argc, char **argv) {
    assert(argc == 2);
    client = new_client();
    of_an_upload();
    of_headers();
    setters_replace();
    of_a_client();
    of_a_spec();
    of_facts();
    of_a_retry_policy(argv[1]);
    a_spec();
    no_spec();
    unlimited();
    oss_callback_client_free(client);
    return 0;
}
