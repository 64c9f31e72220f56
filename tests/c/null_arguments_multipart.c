/* As null_arguments.c, for uploads in parts, of files, and the hooks of credentials. */

#include "refuses.h"

static const uint8_t BODY[] = {'b'};

/* Nothing is sent for it. */
static oss_callback_multipart_upload *new_upload(const oss_callback_client *client) {
    oss_callback_multipart_upload *upload = NULL;
    assert(oss_callback_client_resume_multipart_upload(client, BUCKET, "o", "id", &upload, NULL) == OSS_CALLBACK_CODE_OK);
    return upload;
}

static int64_t never_read(uint8_t *buffer, size_t buffer_len, void *userdata) {
    (void)buffer, (void)buffer_len, (void)userdata;
    abort();
}

static void parts_lists(void) {
    oss_callback_parts *parts = new_parts(), *made = NULL;
    uint64_t number = 7;

    FAILS(oss_callback_parts_new(NULL));
    oss_callback_parts_free(NULL);
    FAILS(oss_callback_parts_add(NULL, 1, NULL, NULL, NULL, NULL));
    REFUSES("parts", made, oss_callback_parts_add(NULL, 1, "etag", &number, &number, &error));
    REFUSES("etag", made, oss_callback_parts_add(parts, 1, NULL, &number, &number, &error));
    FAILS(oss_callback_parts_add_json(NULL, NULL, NULL));
    REFUSES("parts", made, oss_callback_parts_add_json(NULL, "{\"number\":1,\"etag\":\"A\"}", &error));
    REFUSES("json", made, oss_callback_parts_add_json(parts, NULL, &error));
    assert(oss_callback_parts_len(NULL) == 0 && oss_callback_parts_len(parts) == 0);

    /* Size and CRC-64 that are NULL are not known. */
    assert(oss_callback_parts_add(parts, 3, "\"AB\"", NULL, NULL, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_parts_number(NULL, 0) == 0);
    assert(oss_callback_parts_number(parts, 0) == 3 && oss_callback_parts_number(parts, 1) == 0);
    assert(oss_callback_parts_etag(NULL, 0) == NULL);
    assert(is(oss_callback_parts_etag(parts, 0), "AB") && oss_callback_parts_etag(parts, SIZE_MAX) == NULL);
    assert(!oss_callback_parts_size(NULL, 0, NULL) && !oss_callback_parts_size(NULL, 0, &number));
    assert(!oss_callback_parts_size(parts, 0, &number) && !oss_callback_parts_size(parts, 1, &number));
    assert(!oss_callback_parts_crc64(NULL, 0, NULL) && !oss_callback_parts_crc64(NULL, 0, &number));
    assert(!oss_callback_parts_crc64(parts, 0, &number) && !oss_callback_parts_crc64(parts, 1, &number));
    assert(number == 7);
    assert(oss_callback_parts_json(NULL, 0) == NULL && oss_callback_parts_json(parts, 1) == NULL);
    assert(contains(oss_callback_parts_json(parts, 0), "\"number\":3"));

    /* A part with the same number replaces the former; what is known is given, if it is wanted. */
    assert(oss_callback_parts_add(parts, 3, "CD", &number, &number, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_parts_len(parts) == 1 && is(oss_callback_parts_etag(parts, 0), "CD"));
    assert(!oss_callback_parts_size(parts, 0, NULL) && !oss_callback_parts_crc64(parts, 0, NULL));
    assert(oss_callback_parts_size(parts, 0, &number) && oss_callback_parts_crc64(parts, 0, &number) && number == 7);
    oss_callback_parts_free(parts);
}

static void uploads(const oss_callback_client *client) {
    oss_callback_multipart_upload *upload = new_upload(client), *made = NULL;
    oss_callback_parts *parts = new_parts(), *listed = NULL;
    oss_callback_multipart_uploads *list = NULL;
    oss_callback_operation_options *limits = new_operation_options();
    oss_callback_put_options *options = new_put_options();
    oss_callback_spec *spec = new_spec("http://app.example.com/");
    oss_callback_receipt *given = NULL;
    oss_callback_error *error = NULL;
    assert(oss_callback_parts_add(parts, 1, "A", NULL, NULL, NULL) == OSS_CALLBACK_CODE_OK);

    FAILS(oss_callback_client_initiate_multipart_upload(NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSES("client", made, oss_callback_client_initiate_multipart_upload(NULL, BUCKET, "o", options, &made, &error));
    REFUSES("bucket", made, oss_callback_client_initiate_multipart_upload(client, NULL, "o", options, &made, &error));
    REFUSES("object", made, oss_callback_client_initiate_multipart_upload(client, BUCKET, NULL, options, &made, &error));
    REFUSES("upload", made, oss_callback_client_initiate_multipart_upload(client, BUCKET, "o", options, NULL, &error));
    FAILS(oss_callback_client_resume_multipart_upload(NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSES("client", made, oss_callback_client_resume_multipart_upload(NULL, BUCKET, "o", "id", &made, &error));
    REFUSES("bucket", made, oss_callback_client_resume_multipart_upload(client, NULL, "o", "id", &made, &error));
    REFUSES("object", made, oss_callback_client_resume_multipart_upload(client, BUCKET, NULL, "id", &made, &error));
    REFUSES("upload_id", made, oss_callback_client_resume_multipart_upload(client, BUCKET, "o", NULL, &made, &error));
    REFUSES("upload", made, oss_callback_client_resume_multipart_upload(client, BUCKET, "o", "id", NULL, &error));
    oss_callback_multipart_upload_free(NULL);
    assert(oss_callback_multipart_upload_bucket(NULL) == NULL);
    assert(oss_callback_multipart_upload_object(NULL) == NULL);
    assert(oss_callback_multipart_upload_id(NULL) == NULL);
    oss_callback_multipart_upload_set_requester_pays(NULL, true);

    FAILS(oss_callback_multipart_upload_upload_part(NULL, 1, NULL, 0, NULL, NULL, NULL));
    REFUSES("upload", made, oss_callback_multipart_upload_upload_part(NULL, 1, BODY, 1, options, parts, &error));
    assert(oss_callback_multipart_upload_upload_part(upload, 1, NULL, 7, options, parts, &error) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(is(oss_callback_error_message(error), "`body` is NULL, but its length is 7"));
    oss_callback_error_free(error);
    FAILS(oss_callback_multipart_upload_upload_part_from_file(NULL, 1, NULL, 0, 0, NULL, NULL, NULL));
    REFUSES("upload", made,
            oss_callback_multipart_upload_upload_part_from_file(NULL, 1, "/dev/null", 0, 0, options, parts, &error));
    REFUSES("path", made, oss_callback_multipart_upload_upload_part_from_file(upload, 1, NULL, 0, 0, options, parts, &error));
    FAILS(oss_callback_multipart_upload_upload_part_from_reader(NULL, 1, NULL, NULL, 0, NULL, NULL, NULL));
    REFUSES("upload", made,
            oss_callback_multipart_upload_upload_part_from_reader(NULL, 1, never_read, NULL, 1, options, parts, &error));
    REFUSES("read_hook", made,
            oss_callback_multipart_upload_upload_part_from_reader(upload, 1, NULL, NULL, 1, options, parts, &error));
    assert(oss_callback_parts_len(parts) == 1);

    FAILS(oss_callback_multipart_upload_list_parts(NULL, NULL, NULL, NULL));
    REFUSES("upload", listed, oss_callback_multipart_upload_list_parts(NULL, options, &listed, &error));
    REFUSES("parts", listed, oss_callback_multipart_upload_list_parts(upload, options, NULL, &error));
    FAILS(oss_callback_multipart_upload_abort(NULL, NULL, NULL));
    REFUSES("upload", made, oss_callback_multipart_upload_abort(NULL, options, &error));
    FAILS(oss_complete_multipart_upload_with_callback(NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSES("upload", given, oss_complete_multipart_upload_with_callback(NULL, parts, spec, options, &given, &error));
    /* It carries a callback, which was not answered. */
    assert(oss_complete_multipart_upload_with_callback(NULL, parts, spec, options, NULL, &error) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_NO);
    oss_callback_error_free(error);

    FAILS(oss_callback_client_list_multipart_uploads(NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSES("client", list, oss_callback_client_list_multipart_uploads(NULL, BUCKET, "p", "/", limits, &list, &error));
    REFUSES("bucket", list, oss_callback_client_list_multipart_uploads(client, NULL, "p", "/", limits, &list, &error));
    REFUSES("uploads", list, oss_callback_client_list_multipart_uploads(client, BUCKET, "p", "/", limits, NULL, &error));
    FAILS(oss_callback_client_list_uploads_begun_since(NULL, NULL, NULL, 0, NULL, NULL, NULL));
    REFUSES("client", list, oss_callback_client_list_uploads_begun_since(NULL, BUCKET, "o", 1, limits, &list, &error));
    REFUSES("bucket", list, oss_callback_client_list_uploads_begun_since(client, NULL, "o", 1, limits, &list, &error));
    REFUSES("object", list, oss_callback_client_list_uploads_begun_since(client, BUCKET, NULL, 1, limits, &list, &error));
    REFUSES("uploads", list, oss_callback_client_list_uploads_begun_since(client, BUCKET, "o", 1, limits, NULL, &error));
    assert(oss_callback_client_list_uploads_begun_since(client, BUCKET, "o", UINT64_MAX, limits, &list, NULL) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(oss_callback_multipart_upload_notes_len(NULL) == 0);
    assert(oss_callback_multipart_upload_note(NULL, 0) == NULL);
    assert(oss_callback_multipart_uploads_len(NULL) == 0);
    assert(oss_callback_multipart_uploads_object(NULL, 0) == NULL);
    assert(oss_callback_multipart_uploads_id(NULL, 0) == NULL);
    assert(oss_callback_multipart_uploads_initiated(NULL, 0) == NULL);
    assert(oss_callback_multipart_uploads_common_prefixes_len(NULL) == 0);
    assert(oss_callback_multipart_uploads_common_prefix(NULL, 0) == NULL);
    oss_callback_multipart_uploads_free(NULL);
    /* Neither prefix nor delimiter is no fault. */
    assert(oss_callback_client_list_multipart_uploads(client, BUCKET, NULL, NULL, NULL, &list, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(oss_callback_multipart_uploads_len(list) == 0);
    assert(oss_callback_multipart_uploads_object(list, 0) == NULL);
    assert(oss_callback_multipart_uploads_common_prefix(list, 0) == NULL);
    oss_callback_multipart_uploads_free(list);

    oss_callback_spec_free(spec);
    oss_callback_put_options_free(options);
    oss_callback_operation_options_free(limits);
    oss_callback_parts_free(parts);
    oss_callback_multipart_upload_free(upload);
}

static void files(const oss_callback_client *client) {
    oss_callback_put_options *options = new_put_options();
    oss_callback_spec *spec = new_spec("http://app.example.com/");
    oss_callback_receipt *given = NULL;

    oss_callback_put_options_set_part_size(NULL, 102400);
    oss_callback_put_options_set_parallel(NULL, 4);
    oss_callback_put_options_set_verify_parts(NULL, true);
    oss_callback_put_options_set_verify_parts(options, false);
    oss_callback_put_options_set_checkpoint(NULL, NULL);
    oss_callback_put_options_set_checkpoint(NULL, "checkpoint");
    /* NULL takes away what was there, so that other uploads do not refuse it. */
    oss_callback_put_options_set_checkpoint(options, "checkpoint");
    oss_callback_put_options_set_checkpoint(options, NULL);
    REFUSES("bucket", given, oss_put_object_with_callback(client, NULL, "o", BODY, 1, spec, options, &given, &error));

    FAILS(oss_upload_file_with_callback(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSES("client", given, oss_upload_file_with_callback(NULL, BUCKET, "o", "/f", spec, options, &given, &error));
    REFUSES("bucket", given, oss_upload_file_with_callback(client, NULL, "o", "/f", spec, options, &given, &error));
    REFUSES("object", given, oss_upload_file_with_callback(client, BUCKET, NULL, "/f", spec, options, &given, &error));
    REFUSES("path", given, oss_upload_file_with_callback(client, BUCKET, "o", NULL, spec, options, &given, &error));

    oss_callback_spec_free(spec);
    oss_callback_put_options_free(options);
}

static int gives_too_little(oss_callback_credentials *credentials, void *userdata) {
    const char *what = userdata;
    oss_callback_credentials_set_key_pair(NULL, "id", "secret", "token");
    oss_callback_credentials_set_expires_at_s(NULL, 1);
    oss_callback_credentials_set_key_pair(credentials, is(what, "access_key_id") ? NULL : "id",
                                          is(what, "access_key_secret") ? NULL : "secret", NULL);
    return 0;
}

static int64_t never_signs(const char *string_to_sign, uint32_t version, const char *scope, char *signature,
                           size_t signature_len, void *userdata) {
    (void)string_to_sign, (void)version, (void)scope, (void)signature, (void)signature_len, (void)userdata;
    abort();
}

/* What the options are told is refused by the client that is made of them. */
#define CLIENT_SETTER_REFUSES(argument, setter)                                     \
    do {                                                                            \
        oss_callback_client *made = NULL;                                           \
        oss_callback_client_options *options = new_client_options();                \
        setter;                                                                     \
        REFUSES(argument, made, oss_callback_client_new(options, &made, &error));   \
        oss_callback_client_options_free(options);                                  \
    } while (0)

static void credentials(void) {
    static const char *const missing[] = {"access_key_id", "access_key_secret"};
    size_t index;

    oss_callback_client_options_set_credentials_hook(NULL, NULL, NULL, NULL);
    oss_callback_client_options_set_signer_hook(NULL, NULL, NULL, NULL, NULL, NULL);
    CLIENT_SETTER_REFUSES("access_key_id",
                          oss_callback_client_options_set_signer_hook(options, NULL, NULL, never_signs, NULL, NULL));
    CLIENT_SETTER_REFUSES("hook",
                          oss_callback_client_options_set_signer_hook(options, "id", "token", NULL, NULL, NULL));

    for (index = 0; index < 2; index++) {
        char expected[64];
        oss_callback_error *error = NULL;
        oss_callback_client *client;
        oss_callback_client_options *options = new_client_options();
        oss_callback_client_options_set_credentials_hook(options, gives_too_little, (void *)missing[index], NULL);
        client = new_client_of(options);
        assert(oss_put_object_with_callback(client, BUCKET, "o", BODY, 1, oss_callback_spec_none(), NULL, NULL, &error) ==
               OSS_CALLBACK_CODE_CREDENTIALS_FAILED);
        snprintf(expected, sizeof expected, "`%s` is NULL", missing[index]);
        assert(contains(oss_callback_error_message(error), expected));
        assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
        oss_callback_error_free(error);
        oss_callback_client_free(client);
    }
}

int main(void) {
    oss_callback_client *client = new_client();
    parts_lists();
    uploads(client);
    files(client);
    credentials();
    oss_callback_client_free(client);
    return 0;
}
