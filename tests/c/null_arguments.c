/* Every function takes every pointer as NULL without a crash: it fails and names the argument, leaving its outputs as
 * they were, or it finds nothing, or NULL means something. The test sees to it that no function is missing here. */

#include "refuses.h"

/* A setter with a NULL argument makes what uses the options fail. */
#define CLIENT_SETTER_REFUSES(argument, setter)                                     \
    do {                                                                            \
        oss_callback_client *made = NULL;                                           \
        oss_callback_client_options *options = new_client_options();                \
        setter;                                                                     \
        REFUSES(argument, made, oss_callback_client_new(options, &made, &error));   \
        oss_callback_client_options_free(options);                                  \
    } while (0)

#define SPEC_SETTER_REFUSES(argument, setter)                                       \
    do {                                                                            \
        oss_callback_spec *made = NULL;                                             \
        oss_callback_spec_options *options = new_spec_options(URL);                 \
        setter;                                                                     \
        REFUSES(argument, made, oss_callback_spec_new(options, &made, &error));     \
        oss_callback_spec_options_free(options);                                    \
    } while (0)

#define TEMPLATE_SETTER_REFUSES(argument, setter)                                                           \
    do {                                                                                                    \
        oss_callback_body_template *body_template = NULL;                                                   \
        assert(oss_callback_body_template_new(OSS_CALLBACK_BODY_TYPE_JSON, &body_template) == OSS_CALLBACK_CODE_OK); \
        setter;                                                                                             \
        SPEC_SETTER_REFUSES(argument, oss_callback_spec_options_set_body_template(options, body_template)); \
        oss_callback_body_template_free(body_template);                                                     \
    } while (0)

#define PUT_SETTER_REFUSES(argument, setter)                                                          \
    do {                                                                                              \
        oss_callback_receipt *given = NULL;                                                           \
        oss_callback_put_options *options = new_put_options();                                        \
        setter;                                                                                       \
        REFUSES(argument, given,                                                                      \
                oss_put_object_with_callback(client, BUCKET, "never", BODY, 1, oss_callback_spec_none(), options, &given, &error)); \
        oss_callback_put_options_free(options);                                                       \
    } while (0)

static const char URL[] = "http://app.example.com/";
static const uint8_t BODY[] = {'b'};

static void client_options(void) {
    oss_callback_client *made = NULL;
    oss_callback_client_options *good = new_client_options();

    FAILS(oss_callback_client_options_new(NULL));
    oss_callback_client_options_free(NULL);

    oss_callback_client_options_set_endpoint(NULL, NULL);
    oss_callback_client_options_set_endpoint(NULL, "http://127.0.0.1:9000");
    oss_callback_client_options_set_region(NULL, NULL);
    oss_callback_client_options_set_region(NULL, "cn-hangzhou");
    oss_callback_client_options_set_credentials(NULL, NULL, NULL, NULL);
    oss_callback_client_options_set_credentials(NULL, "id", "secret", "token");
    CLIENT_SETTER_REFUSES("access_key_id", oss_callback_client_options_set_credentials(options, NULL, "secret", "token"));
    CLIENT_SETTER_REFUSES("access_key_secret", oss_callback_client_options_set_credentials(options, "id", NULL, "token"));
    oss_callback_client_options_set_credentials_from_env(NULL);
    oss_callback_client_options_set_credentials_anonymous(NULL);
    oss_callback_client_options_set_signature_version(NULL, 4);
    oss_callback_client_options_set_cname(NULL, true);
    oss_callback_client_options_set_path_style(NULL, true);
    oss_callback_client_options_set_user_agent(NULL, NULL);
    oss_callback_client_options_set_user_agent(NULL, "agent");
    oss_callback_client_options_set_connect_timeout_ms(NULL, 1);
    oss_callback_client_options_set_answer_timeout_ms(NULL, 1);
    oss_callback_client_options_set_timeout_ms(NULL, 1);
    oss_callback_client_options_set_max_answer_len(NULL, 1);
    oss_callback_client_options_set_progress_timeout_ms(NULL, 1);
    oss_callback_client_options_set_max_attempts(NULL, 1);
    oss_callback_client_options_set_retry_base_delay_ms(NULL, 1);
    oss_callback_client_options_set_retry_max_delay_ms(NULL, 1);
    oss_callback_client_options_set_proxy(NULL, NULL);
    oss_callback_client_options_set_proxy(NULL, "http://127.0.0.1:3128");
    oss_callback_client_options_set_proxy_from_env(NULL, true);
    oss_callback_client_options_set_local_address(NULL, NULL);
    oss_callback_client_options_set_network_interface(NULL, NULL);
    oss_callback_client_options_add_address(NULL, NULL, NULL);
    oss_callback_client_options_add_address(NULL, "host", "127.0.0.1:80");
    CLIENT_SETTER_REFUSES("host", oss_callback_client_options_add_address(options, NULL, "127.0.0.1:80"));
    CLIENT_SETTER_REFUSES("address", oss_callback_client_options_add_address(options, "host", NULL));
    oss_callback_client_options_set_max_idle_connections(NULL, 1);
    oss_callback_client_options_set_max_idle_time_ms(NULL, 1);
    oss_callback_client_options_set_local_address(NULL, NULL);
    oss_callback_client_options_set_network_interface(NULL, NULL);
    oss_callback_client_options_set_root_certificates(NULL, OSS_CALLBACK_ROOT_CERTIFICATES_SYSTEM);
    oss_callback_client_options_set_ca_bundle(NULL, NULL, 0);
    oss_callback_client_options_set_ca_bundle(NULL, BODY, 1);
    oss_callback_client_options_set_ca_bundle_file(NULL, "/");
    oss_callback_client_options_set_client_certificate(NULL, NULL, 1, BODY, 1);
    oss_callback_client_options_set_client_certificate_files(NULL, "/", NULL);
    CLIENT_SETTER_REFUSES("pem", oss_callback_client_options_set_ca_bundle(options, NULL, 0));
    CLIENT_SETTER_REFUSES("client_certificate", oss_callback_client_options_set_client_certificate(options, NULL, 0, BODY, 1));
    CLIENT_SETTER_REFUSES("client_key", oss_callback_client_options_set_client_certificate(options, BODY, 1, NULL, 0));
    CLIENT_SETTER_REFUSES("client_certificate", oss_callback_client_options_set_client_certificate_files(options, NULL, "/"));
    CLIENT_SETTER_REFUSES("client_key", oss_callback_client_options_set_client_certificate_files(options, "/", NULL));
    CLIENT_SETTER_REFUSES("pem", oss_callback_client_options_set_ca_bundle(options, NULL, 7));

    FAILS(oss_callback_client_new(NULL, NULL, NULL));
    FAILS(oss_callback_client_new(NULL, &made, NULL));
    FAILS(oss_callback_client_new(good, NULL, NULL));
    REFUSES("options", made, oss_callback_client_new(NULL, &made, &error));
    REFUSES("client", made, oss_callback_client_new(good, NULL, &error));
    oss_callback_client_free(NULL);

    /* No security token is no fault, nor is it to want no error. */
    oss_callback_client_options_set_credentials(good, "id", "secret", NULL);
    assert(oss_callback_client_new(good, &made, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_client_free(made);
    oss_callback_client_options_free(good);
}

static void specs(void) {
    oss_callback_body_template *body_template = NULL;
    oss_callback_spec *made = NULL;
    oss_callback_spec_options *good = new_spec_options(URL);

    FAILS(oss_callback_body_template_new(OSS_CALLBACK_BODY_TYPE_JSON, NULL));
    oss_callback_body_template_free(NULL);
    assert(oss_callback_body_template_new(OSS_CALLBACK_BODY_TYPE_JSON, &body_template) == OSS_CALLBACK_CODE_OK);
    oss_callback_body_template_add_variable(NULL, NULL, NULL);
    oss_callback_body_template_add_variable(NULL, "name", "object");
    TEMPLATE_SETTER_REFUSES("name", oss_callback_body_template_add_variable(body_template, NULL, NULL));
    TEMPLATE_SETTER_REFUSES("name", oss_callback_body_template_add_variable(body_template, NULL, "object"));
    TEMPLATE_SETTER_REFUSES("variable", oss_callback_body_template_add_variable(body_template, "name", NULL));
    oss_callback_body_template_add_text(NULL, NULL, NULL);
    oss_callback_body_template_add_text(NULL, "name", "value");
    TEMPLATE_SETTER_REFUSES("name", oss_callback_body_template_add_text(body_template, NULL, NULL));
    TEMPLATE_SETTER_REFUSES("name", oss_callback_body_template_add_text(body_template, NULL, "value"));
    TEMPLATE_SETTER_REFUSES("value", oss_callback_body_template_add_text(body_template, "name", NULL));

    FAILS(oss_callback_spec_options_new(NULL));
    oss_callback_spec_options_free(NULL);
    oss_callback_spec_options_add_url(NULL, NULL);
    oss_callback_spec_options_add_url(NULL, URL);
    SPEC_SETTER_REFUSES("url", oss_callback_spec_options_add_url(options, NULL));
    oss_callback_spec_options_set_host(NULL, NULL);
    oss_callback_spec_options_set_host(NULL, "host");
    oss_callback_spec_options_set_body(NULL, NULL);
    oss_callback_spec_options_set_body(NULL, "body");
    oss_callback_spec_options_set_body_template(NULL, NULL);
    oss_callback_spec_options_set_body_template(NULL, body_template);
    oss_callback_spec_options_set_body_type(NULL, OSS_CALLBACK_BODY_TYPE_JSON);
    oss_callback_spec_options_set_sni(NULL, true);
    oss_callback_spec_options_add_variable(NULL, NULL, NULL);
    oss_callback_spec_options_add_variable(NULL, "name", "value");
    SPEC_SETTER_REFUSES("name", oss_callback_spec_options_add_variable(options, NULL, NULL));
    SPEC_SETTER_REFUSES("name", oss_callback_spec_options_add_variable(options, NULL, "value"));
    SPEC_SETTER_REFUSES("value", oss_callback_spec_options_add_variable(options, "name", NULL));
    oss_callback_spec_options_add_member(NULL, NULL, NULL);
    oss_callback_spec_options_add_member(NULL, "name", "1");
    SPEC_SETTER_REFUSES("name", oss_callback_spec_options_add_member(options, NULL, NULL));
    SPEC_SETTER_REFUSES("name", oss_callback_spec_options_add_member(options, NULL, "1"));
    SPEC_SETTER_REFUSES("json", oss_callback_spec_options_add_member(options, "name", NULL));

    FAILS(oss_callback_spec_new(NULL, NULL, NULL));
    FAILS(oss_callback_spec_new(good, NULL, NULL));
    REFUSES("options", made, oss_callback_spec_new(NULL, &made, &error));
    REFUSES("spec", made, oss_callback_spec_new(good, NULL, &error));
    FAILS(oss_callback_spec_new_from_base64(NULL, NULL, NULL, NULL));
    REFUSES("callback", made, oss_callback_spec_new_from_base64(NULL, "e30=", &made, &error));
    REFUSES("spec", made, oss_callback_spec_new_from_base64("e30=", "e30=", NULL, &error));
    FAILS(oss_callback_spec_new_from_json(NULL, NULL, NULL, NULL));
    REFUSES("callback", made, oss_callback_spec_new_from_json(NULL, "{}", &made, &error));
    REFUSES("spec", made, oss_callback_spec_new_from_json("{}", "{}", NULL, &error));
    FAILS(oss_callback_spec_check(NULL, NULL));
    REFUSES("spec", made, oss_callback_spec_check(NULL, &error));
    assert(oss_callback_spec_callback(NULL) == NULL);
    assert(oss_callback_spec_callback_var(NULL) == NULL);
    oss_callback_spec_free(NULL);

    /* No variables are no fault, nor is it to want no error. */
    assert(oss_callback_spec_new_from_base64("e30=", NULL, &made, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_spec_callback_var(made) == NULL);
    assert(oss_callback_spec_check(made, NULL) == OSS_CALLBACK_CODE_INVALID_CALLBACK);
    oss_callback_spec_free(made);
    assert(oss_callback_spec_new_from_json("{}", NULL, &made, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_spec_free(made);

    oss_callback_body_template_free(body_template);
    oss_callback_spec_options_free(good);
}

static int never_called(uint64_t sent, uint64_t total, void *userdata) {
    (void)sent, (void)total, (void)userdata;
    abort();
}

static int64_t never_read(uint8_t *buffer, size_t buffer_len, void *userdata) {
    (void)buffer, (void)buffer_len, (void)userdata;
    abort();
}

static int never_written(const uint8_t *bytes, size_t bytes_len, void *userdata) {
    (void)bytes, (void)bytes_len, (void)userdata;
    abort();
}

static void uploads(const oss_callback_client *client) {
    oss_callback_receipt *given = NULL;
    oss_callback_object_metadata *metadata = NULL;
    oss_callback_spec *spec = new_spec(URL);
    oss_callback_put_options *good = new_put_options();
    oss_callback_operation_options *limits = new_operation_options();
    oss_callback_error *error = NULL;
    oss_callback_cancellation *cancellation = NULL;

    FAILS(oss_callback_cancellation_new(NULL));
    assert(oss_callback_cancellation_new(&cancellation) == OSS_CALLBACK_CODE_OK);
    oss_callback_cancellation_cancel(NULL);
    assert(!oss_callback_cancellation_is_cancelled(NULL));
    oss_callback_cancellation_free(NULL);

    FAILS(oss_callback_put_options_new(NULL));
    oss_callback_put_options_free(NULL);
    oss_callback_put_options_set_content_type(NULL, NULL);
    oss_callback_put_options_set_content_type(NULL, "text/plain");
    oss_callback_put_options_set_metadata(NULL, NULL, NULL);
    oss_callback_put_options_set_metadata(NULL, "name", "value");
    PUT_SETTER_REFUSES("name", oss_callback_put_options_set_metadata(options, NULL, NULL));
    PUT_SETTER_REFUSES("name", oss_callback_put_options_set_metadata(options, NULL, "value"));
    oss_callback_put_options_set_header(NULL, NULL, NULL);
    oss_callback_put_options_set_header(NULL, "name", "value");
    PUT_SETTER_REFUSES("name", oss_callback_put_options_set_header(options, NULL, NULL));
    PUT_SETTER_REFUSES("name", oss_callback_put_options_set_header(options, NULL, "value"));
    oss_callback_put_options_set_object_acl(NULL, NULL);
    oss_callback_put_options_set_object_acl(NULL, "private");
    oss_callback_put_options_set_storage_class(NULL, NULL);
    oss_callback_put_options_set_storage_class(NULL, "IA");
    oss_callback_put_options_set_server_side_encryption(NULL, NULL);
    oss_callback_put_options_set_server_side_encryption(NULL, "KMS");
    oss_callback_put_options_set_server_side_encryption_key_id(NULL, NULL);
    oss_callback_put_options_set_server_side_encryption_key_id(NULL, "id");
    oss_callback_put_options_set_server_side_data_encryption(NULL, NULL);
    oss_callback_put_options_set_server_side_data_encryption(NULL, "SM4");
    oss_callback_put_options_set_cache_control(NULL, NULL);
    oss_callback_put_options_set_cache_control(NULL, "no-cache");
    oss_callback_put_options_set_content_disposition(NULL, NULL);
    oss_callback_put_options_set_content_disposition(NULL, "inline");
    oss_callback_put_options_set_content_encoding(NULL, NULL);
    oss_callback_put_options_set_content_encoding(NULL, "gzip");
    oss_callback_put_options_set_idempotency_id(NULL, NULL);
    oss_callback_put_options_set_idempotency_id(NULL, "1");
    oss_callback_put_options_set_content_language(NULL, NULL);
    oss_callback_put_options_set_content_language(NULL, "zh");
    oss_callback_put_options_add_tag(NULL, NULL, NULL);
    oss_callback_put_options_add_tag(NULL, "key", "value");
    PUT_SETTER_REFUSES("key", oss_callback_put_options_add_tag(options, NULL, NULL));
    PUT_SETTER_REFUSES("key", oss_callback_put_options_add_tag(options, NULL, "value"));
    PUT_SETTER_REFUSES("value", oss_callback_put_options_add_tag(options, "key", NULL));
    oss_callback_put_options_set_traffic_limit_bits_per_s(NULL, 819200);
    oss_callback_put_options_set_forbid_overwrite(NULL, true);
    oss_callback_put_options_set_expires_at_s(NULL, 1);
    oss_callback_put_options_set_requester_pays(NULL, true);
    oss_callback_put_options_set_content_md5(NULL, true);
    oss_callback_put_options_set_connect_timeout_ms(NULL, 1);
    oss_callback_put_options_set_answer_timeout_ms(NULL, 1);
    oss_callback_put_options_set_progress_timeout_ms(NULL, 1);
    oss_callback_put_options_set_timeout_ms(NULL, 1);
    oss_callback_put_options_set_deadline_ms(NULL, 1);
    oss_callback_put_options_set_max_attempts(NULL, 1);
    oss_callback_put_options_set_retry_base_delay_ms(NULL, 1);
    oss_callback_put_options_set_retry_max_delay_ms(NULL, 1);
    oss_callback_put_options_set_callback_is_idempotent(NULL, true);
    oss_callback_put_options_set_compare_crc64(NULL, true);
    oss_callback_put_options_set_bandwidth_bytes_per_s(NULL, 1);
    /* NULL takes away what was there, which is no fault. */
    oss_callback_put_options_set_cancellation(NULL, NULL);
    oss_callback_put_options_set_cancellation(NULL, cancellation);
    oss_callback_put_options_set_cancellation(good, NULL);
    oss_callback_put_options_set_progress_hook(NULL, NULL, NULL);
    oss_callback_put_options_set_progress_hook(NULL, never_called, NULL);
    oss_callback_put_options_set_progress_hook(good, NULL, NULL);

    FAILS(oss_put_object_with_callback(NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL));
    REFUSES("client", given, oss_put_object_with_callback(NULL, BUCKET, "o", BODY, 1, spec, good, &given, &error));
    REFUSES("bucket", given, oss_put_object_with_callback(client, NULL, "o", BODY, 1, spec, good, &given, &error));
    REFUSES("object", given, oss_put_object_with_callback(client, BUCKET, NULL, BODY, 1, spec, good, &given, &error));
    given = UNTOUCHED;
    assert(oss_put_object_with_callback(client, BUCKET, "o", NULL, 7, spec, good, &given, &error) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(given == UNTOUCHED);
    assert(is(oss_callback_error_message(error), "`body` is NULL, but its length is 7"));
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_NO);
    oss_callback_error_free(error);
    FAILS(oss_put_object_with_callback(client, BUCKET, "o", BODY, SIZE_MAX, oss_callback_spec_none(), NULL, NULL, NULL));

    FAILS(oss_put_object_from_file_with_callback(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSES("client", given,
            oss_put_object_from_file_with_callback(NULL, BUCKET, "o", "/dev/null", spec, good, &given, &error));
    REFUSES("bucket", given,
            oss_put_object_from_file_with_callback(client, NULL, "o", "/dev/null", spec, good, &given, &error));
    REFUSES("object", given,
            oss_put_object_from_file_with_callback(client, BUCKET, NULL, "/dev/null", spec, good, &given, &error));
    REFUSES("path", given, oss_put_object_from_file_with_callback(client, BUCKET, "o", NULL, spec, good, &given, &error));

    FAILS(oss_put_object_from_file_range_with_callback(NULL, NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL));
    REFUSES("client", given,
            oss_put_object_from_file_range_with_callback(NULL, BUCKET, "o", "/dev/null", 0, 0, spec, good, &given, &error));
    REFUSES("bucket", given,
            oss_put_object_from_file_range_with_callback(client, NULL, "o", "/dev/null", 0, 0, spec, good, &given, &error));
    REFUSES("object", given,
            oss_put_object_from_file_range_with_callback(client, BUCKET, NULL, "/dev/null", 0, 0, spec, good, &given,
                                                         &error));
    REFUSES("path", given,
            oss_put_object_from_file_range_with_callback(client, BUCKET, "o", NULL, 0, 0, spec, good, &given, &error));

    FAILS(oss_put_object_from_fd_with_callback(NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL));
    REFUSES("client", given, oss_put_object_from_fd_with_callback(NULL, BUCKET, "o", 0, 0, spec, good, &given, &error));
    REFUSES("bucket", given, oss_put_object_from_fd_with_callback(client, NULL, "o", 0, 0, spec, good, &given, &error));
    REFUSES("object", given, oss_put_object_from_fd_with_callback(client, BUCKET, NULL, 0, 0, spec, good, &given, &error));

    FAILS(oss_put_object_from_reader_with_callback(NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL));
    REFUSES("client", given,
            oss_put_object_from_reader_with_callback(NULL, BUCKET, "o", never_read, NULL, 0, spec, good, &given, &error));
    REFUSES("bucket", given,
            oss_put_object_from_reader_with_callback(client, NULL, "o", never_read, NULL, 0, spec, good, &given, &error));
    REFUSES("object", given,
            oss_put_object_from_reader_with_callback(client, BUCKET, NULL, never_read, NULL, 0, spec, good, &given,
                                                     &error));
    REFUSES("read_hook", given,
            oss_put_object_from_reader_with_callback(client, BUCKET, "o", NULL, NULL, 0, spec, good, &given, &error));

    FAILS(oss_callback_operation_options_new(NULL));
    oss_callback_operation_options_free(NULL);
    oss_callback_operation_options_set_connect_timeout_ms(NULL, 1);
    oss_callback_operation_options_set_answer_timeout_ms(NULL, 1);
    oss_callback_operation_options_set_progress_timeout_ms(NULL, 1);
    oss_callback_operation_options_set_timeout_ms(NULL, 1);
    oss_callback_operation_options_set_deadline_ms(NULL, 1);
    oss_callback_operation_options_set_max_attempts(NULL, 1);
    oss_callback_operation_options_set_retry_base_delay_ms(NULL, 1);
    oss_callback_operation_options_set_retry_max_delay_ms(NULL, 1);
    oss_callback_operation_options_set_cancellation(NULL, NULL);
    oss_callback_operation_options_set_cancellation(NULL, cancellation);
    oss_callback_operation_options_set_cancellation(limits, NULL);

    FAILS(oss_callback_client_get_object(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSES("client", metadata,
            oss_callback_client_get_object(NULL, BUCKET, "o", never_written, NULL, limits, &metadata, &error));
    REFUSES("bucket", metadata,
            oss_callback_client_get_object(client, NULL, "o", never_written, NULL, limits, &metadata, &error));
    REFUSES("object", metadata,
            oss_callback_client_get_object(client, BUCKET, NULL, never_written, NULL, limits, &metadata, &error));
    REFUSES("write_hook", metadata,
            oss_callback_client_get_object(client, BUCKET, "o", NULL, NULL, limits, &metadata, &error));
    assert(oss_callback_client_get_object(client, BUCKET, "missing", never_written, NULL, NULL, NULL, NULL) ==
           OSS_CALLBACK_CODE_NOT_FOUND);

    FAILS(oss_callback_client_delete_object(NULL, NULL, NULL, NULL, NULL));
    REFUSES("client", metadata, oss_callback_client_delete_object(NULL, BUCKET, "o", limits, &error));
    REFUSES("bucket", metadata, oss_callback_client_delete_object(client, NULL, "o", limits, &error));
    REFUSES("object", metadata, oss_callback_client_delete_object(client, BUCKET, NULL, limits, &error));

    FAILS(oss_callback_client_head_object(NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSES("client", metadata, oss_callback_client_head_object(NULL, BUCKET, "o", limits, &metadata, &error));
    REFUSES("bucket", metadata, oss_callback_client_head_object(client, NULL, "o", limits, &metadata, &error));
    REFUSES("object", metadata, oss_callback_client_head_object(client, BUCKET, NULL, limits, &metadata, &error));
    REFUSES("metadata", metadata, oss_callback_client_head_object(client, BUCKET, "o", limits, NULL, &error));
    assert(oss_callback_client_head_object(client, BUCKET, "missing", NULL, NULL, NULL) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);

    FAILS(oss_callback_client_reconcile(NULL, NULL, NULL, NULL, NULL));
    REFUSES("client", metadata, oss_callback_client_reconcile(NULL, NULL, limits, NULL, &error));
    REFUSES("unknown", metadata, oss_callback_client_reconcile(client, NULL, limits, NULL, &error));
    assert(oss_callback_reconciled_outcome(NULL) == OSS_CALLBACK_OUTCOME_STILL_UNKNOWN);
    assert(oss_callback_reconciled_object(NULL) == NULL);
    assert(!oss_callback_reconciled_observed_at_s(NULL, NULL));
    oss_callback_reconciled_free(NULL);

    oss_callback_cancellation_free(cancellation);
    oss_callback_operation_options_free(limits);
    oss_callback_put_options_free(good);
    oss_callback_spec_free(spec);
}

static void metadata_getters(const oss_callback_client *client) {
    oss_callback_object_metadata *metadata = NULL;
    uint64_t number = 7;
    assert(oss_callback_client_head_object(client, BUCKET, "stored", NULL, &metadata, NULL) == OSS_CALLBACK_CODE_OK);

    assert(!oss_callback_object_metadata_content_length(NULL, NULL));
    assert(!oss_callback_object_metadata_content_length(NULL, &number));
    assert(!oss_callback_object_metadata_content_length(metadata, NULL));
    assert(!oss_callback_object_metadata_crc64(NULL, NULL));
    assert(!oss_callback_object_metadata_crc64(NULL, &number));
    assert(!oss_callback_object_metadata_crc64(metadata, NULL));
    assert(!oss_callback_object_metadata_last_modified_at_s(NULL, NULL));
    assert(!oss_callback_object_metadata_last_modified_at_s(NULL, &number));
    assert(!oss_callback_object_metadata_last_modified_at_s(metadata, NULL));
    assert(number == 7);
    assert(oss_callback_object_metadata_etag(NULL) == NULL);
    assert(oss_callback_object_metadata_header(NULL, NULL) == NULL);
    assert(oss_callback_object_metadata_header(NULL, "ETag") == NULL);
    assert(oss_callback_object_metadata_header(metadata, NULL) == NULL);
    assert(oss_callback_object_metadata_header(metadata, "ETag") != NULL);
    oss_callback_object_metadata_free(NULL);
    oss_callback_object_metadata_free(metadata);
}

static void receipt_getters(const oss_callback_receipt *receipt) {
    uint64_t crc64 = 7;
    size_t len = 7;

    assert(oss_callback_receipt_status(NULL) == 0);
    assert(oss_callback_receipt_etag(NULL) == NULL);
    assert(!oss_callback_receipt_crc64(NULL, NULL));
    assert(!oss_callback_receipt_crc64(NULL, &crc64));
    assert(!oss_callback_receipt_crc64(receipt, NULL));
    assert(crc64 == 7);
    assert(oss_callback_receipt_version_id(NULL) == NULL);
    assert(oss_callback_receipt_request_id(NULL) == NULL);
    assert(oss_callback_receipt_attempts(NULL) == 0);
    assert(oss_callback_receipt_waited_ms(NULL) == 0);
    assert(oss_callback_receipt_earlier_attempts_len(NULL) == 0);
    assert(oss_callback_receipt_notes_len(NULL) == 0);
    assert(oss_callback_receipt_note(NULL, 0) == NULL);
    assert(oss_callback_receipt_note(receipt, 0) == NULL);
    assert(oss_callback_receipt_earlier_attempt(NULL, 0) == NULL);
    assert(oss_callback_receipt_earlier_attempt(receipt, 0) == NULL);
    assert(oss_callback_receipt_earlier_attempt(receipt, SIZE_MAX) == NULL);
    assert(oss_callback_attempt_code(NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_attempt_stored(NULL) == OSS_CALLBACK_STORED_UNKNOWN);
    assert(oss_callback_attempt_answered(NULL) == OSS_CALLBACK_ANSWERED_UNKNOWN);
    assert(oss_callback_attempt_status(NULL) == 0);
    assert(oss_callback_attempt_waited_ms(NULL) == 0);
    assert(oss_callback_receipt_answer(NULL, NULL) == NULL);
    assert(oss_callback_receipt_answer(NULL, &len) == NULL && len == 0);
    assert(oss_callback_receipt_answer(receipt, NULL) != NULL);
    assert(oss_callback_receipt_answer_content_type(NULL) == NULL);
    assert(oss_callback_receipt_header(NULL, NULL) == NULL);
    assert(oss_callback_receipt_header(NULL, "ETag") == NULL);
    assert(oss_callback_receipt_header(receipt, NULL) == NULL);
    assert(oss_callback_receipt_header(receipt, "ETag") != NULL);
    oss_callback_receipt_free(NULL);
}

static void error_getters(const oss_callback_client *client) {
    oss_callback_object_metadata *metadata = NULL;
    oss_callback_error *error = NULL;
    size_t len = 7;
    assert(oss_callback_client_head_object(client, BUCKET, "missing", NULL, &metadata, &error) ==
           OSS_CALLBACK_CODE_NOT_FOUND);

    assert(oss_callback_error_code(NULL) == OSS_CALLBACK_CODE_OK);
    assert(is(oss_callback_error_message(NULL), ""));
    assert(oss_callback_error_stored(NULL) == OSS_CALLBACK_STORED_UNKNOWN);
    assert(oss_callback_error_answered(NULL) == OSS_CALLBACK_ANSWERED_UNKNOWN);
    assert(oss_callback_error_receipt(NULL) == NULL);
    assert(oss_callback_error_status(NULL) == 0);
    assert(oss_callback_error_attempts(NULL) == 0);
    assert(oss_callback_error_waited_ms(NULL) == 0);
    assert(oss_callback_error_earlier_attempts_len(NULL) == 0);
    assert(oss_callback_error_notes_len(NULL) == 0);
    assert(oss_callback_error_note(NULL, 0) == NULL);
    assert(oss_callback_error_note(error, 0) == NULL);
    assert(oss_callback_error_upload_id(NULL) == NULL);
    assert(oss_callback_error_upload_id(error) == NULL);
    assert(oss_callback_error_earlier_attempt(NULL, 0) == NULL);
    assert(oss_callback_error_earlier_attempt(error, 0) == NULL);
    assert(oss_callback_error_oss_code(NULL) == NULL);
    assert(oss_callback_error_oss_message(NULL) == NULL);
    assert(oss_callback_error_ec(NULL) == NULL);
    assert(oss_callback_error_request_id(NULL) == NULL);
    assert(oss_callback_error_host_id(NULL) == NULL);
    assert(oss_callback_error_diagnosis(NULL) == NULL);
    assert(oss_callback_error_detail(NULL, NULL) == NULL);
    assert(oss_callback_error_detail(NULL, "ArgumentName") == NULL);
    assert(oss_callback_error_detail(error, NULL) == NULL);
    assert(oss_callback_error_header(NULL, NULL) == NULL);
    assert(oss_callback_error_header(NULL, "x-oss-request-id") == NULL);
    assert(oss_callback_error_header(error, NULL) == NULL);
    assert(oss_callback_error_header(error, "x-oss-request-id") != NULL);
    assert(oss_callback_error_body(NULL, NULL) == NULL);
    assert(oss_callback_error_body(NULL, &len) == NULL && len == 0);
    assert(oss_callback_error_body(error, NULL) != NULL);
    oss_callback_error_free(NULL);
    oss_callback_error_free(error);
}

int main(void) {
    oss_callback_client *client = new_client();
    oss_callback_receipt *receipt = NULL;

    client_options();
    specs();
    uploads(client);
    /* Nothing but this was ever sent: the test compares it with what the server has stored. */
    assert(oss_put_object_with_callback(client, BUCKET, "stored", NULL, 0, oss_callback_spec_none(), NULL, &receipt, NULL) ==
           OSS_CALLBACK_CODE_OK);
    metadata_getters(client);
    receipt_getters(receipt);
    error_getters(client);

    oss_callback_receipt_free(receipt);
    oss_callback_client_free(client);
    return 0;
}
