/* How uploads in parts end: aborted, refused, completed with and without an application server that agrees; and what is
 * listed meanwhile. */

#include "fixture.h"

#include <time.h>

static oss_callback_client *client;

/* Whose code is this, and what became of the object? */
static void failed(oss_callback_code code, oss_callback_code expected, oss_callback_error **error, const char *oss_code) {
    assert(code == expected);
    assert(oss_callback_error_stored(*error) == OSS_CALLBACK_STORED_NO);
    assert(oss_code == NULL || is(oss_callback_error_oss_code(*error), oss_code));
    oss_callback_error_free(*error);
    *error = NULL;
}

/* An upload with one small part, which is added to the list. */
static oss_callback_multipart_upload *begin_with_part(const char *object, oss_callback_parts *parts) {
    oss_callback_multipart_upload *upload = begin(client, object);
    assert(oss_callback_multipart_upload_upload_part(upload, 1, (const uint8_t *)"contents", 8, NULL, parts, NULL) ==
           OSS_CALLBACK_CODE_OK);
    return upload;
}

static oss_callback_multipart_uploads *list(const char *prefix, const char *delimiter) {
    oss_callback_multipart_uploads *uploads = NULL;
    assert(oss_callback_client_list_multipart_uploads(client, BUCKET, prefix, delimiter, NULL, &uploads, NULL) ==
           OSS_CALLBACK_CODE_OK);
    return uploads;
}

static void are_listed_and_aborted(void) {
    oss_callback_error *error = NULL;
    oss_callback_parts *parts = new_parts();
    oss_callback_multipart_upload *a = begin(client, "l/\xc3\xa9 1"), *b = begin(client, "l/sub/2"), *again = NULL;
    oss_callback_multipart_uploads *uploads = list("l/", NULL);
    assert(oss_callback_multipart_uploads_len(uploads) == 2);
    assert(oss_callback_multipart_uploads_common_prefixes_len(uploads) == 0);
    assert(is(oss_callback_multipart_uploads_object(uploads, 0), "l/sub/2"));
    assert(is(oss_callback_multipart_uploads_object(uploads, 1), "l/\xc3\xa9 1"));
    assert(is(oss_callback_multipart_uploads_id(uploads, 1), oss_callback_multipart_upload_id(a)));
    assert(strlen(oss_callback_multipart_uploads_initiated(uploads, 1)) == strlen("2012-02-23T04:18:23.000Z"));
    assert(oss_callback_multipart_uploads_object(uploads, 2) == NULL);
    oss_callback_multipart_uploads_free(uploads);
    /* Those that were begun since a moment, of one object. */
    assert(oss_callback_client_list_uploads_begun_since(client, BUCKET, "l/sub/2", (uint64_t)time(NULL) - 3600, NULL,
                                                        &uploads, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_multipart_uploads_len(uploads) == 1);
    assert(is(oss_callback_multipart_uploads_id(uploads, 0), oss_callback_multipart_upload_id(b)));
    assert(oss_callback_multipart_upload_notes_len(b) == 0 && oss_callback_multipart_upload_note(b, 0) == NULL);
    oss_callback_multipart_uploads_free(uploads);
    assert(oss_callback_client_list_uploads_begun_since(client, BUCKET, "l/sub/2", (uint64_t)time(NULL) + 3600, NULL,
                                                        &uploads, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_multipart_uploads_len(uploads) == 0);
    oss_callback_multipart_uploads_free(uploads);
    uploads = list("l/", "/");
    assert(oss_callback_multipart_uploads_len(uploads) == 1);
    assert(oss_callback_multipart_uploads_common_prefixes_len(uploads) == 1);
    assert(is(oss_callback_multipart_uploads_common_prefix(uploads, 0), "l/sub/"));
    assert(oss_callback_multipart_uploads_common_prefix(uploads, 1) == NULL);

    /* One that was found is aborted. */
    assert(oss_callback_client_resume_multipart_upload(client, BUCKET, oss_callback_multipart_uploads_object(uploads, 0),
                                             oss_callback_multipart_uploads_id(uploads, 0), &again, NULL) ==
           OSS_CALLBACK_CODE_OK);
    oss_callback_multipart_uploads_free(uploads);
    assert(oss_callback_multipart_upload_abort(again, NULL, NULL) == OSS_CALLBACK_CODE_OK);
    failed(oss_callback_multipart_upload_abort(a, NULL, &error), OSS_CALLBACK_CODE_NOT_FOUND, &error, "NoSuchUpload");
    failed(oss_callback_multipart_upload_upload_part(a, 1, NULL, 0, NULL, parts, &error), OSS_CALLBACK_CODE_NOT_FOUND, &error,
           "NoSuchUpload");
    failed(oss_complete_multipart_upload_with_callback(a, NULL, oss_callback_spec_none(), NULL, NULL, &error), OSS_CALLBACK_CODE_NOT_FOUND,
           &error, "NoSuchUpload");
    assert(oss_callback_multipart_upload_abort(b, NULL, NULL) == OSS_CALLBACK_CODE_OK);
    uploads = list(NULL, NULL);
    assert(oss_callback_multipart_uploads_len(uploads) == 0);
    oss_callback_multipart_uploads_free(uploads);
    oss_callback_multipart_upload_free(again);
    oss_callback_multipart_upload_free(a);
    oss_callback_multipart_upload_free(b);
    oss_callback_parts_free(parts);
}

static void are_refused_and_stay_open(void) {
    oss_callback_error *error = NULL;
    oss_callback_put_options *options = new_put_options();
    oss_callback_parts *parts = new_parts(), *wrong = new_parts();
    oss_callback_multipart_upload *upload = begin_with_part("kept", parts), *other = NULL;
    failed(oss_complete_multipart_upload_with_callback(upload, wrong, oss_callback_spec_none(), NULL, NULL, &error),
           OSS_CALLBACK_CODE_INVALID_ARGUMENT, &error, NULL);
    assert(oss_callback_parts_add(wrong, 1, "0123456789ABCDEF0123456789ABCDEF", NULL, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
    failed(oss_complete_multipart_upload_with_callback(upload, wrong, oss_callback_spec_none(), NULL, NULL, &error),
           OSS_CALLBACK_CODE_REFUSED, &error, "InvalidPart");
    /* The object is kept until that is allowed to end. */
    assert(oss_put_object_with_callback(client, BUCKET, "kept", NULL, 0, oss_callback_spec_none(), NULL, NULL, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_put_options_set_forbid_overwrite(options, true);
    failed(oss_complete_multipart_upload_with_callback(upload, parts, oss_callback_spec_none(), options, NULL, &error),
           OSS_CALLBACK_CODE_CONFLICT, &error, "FileAlreadyExists");
    oss_callback_put_options_set_forbid_overwrite(options, false);
    oss_callback_put_options_set_object_acl(options, "public-read");
    oss_callback_multipart_upload_set_requester_pays(upload, true);
    assert(oss_complete_multipart_upload_with_callback(upload, parts, oss_callback_spec_none(), options, NULL, NULL) == OSS_CALLBACK_CODE_OK);

    /* A fault of a setter is told by whatever sends something. */
    assert(oss_callback_client_resume_multipart_upload(client, BUCKET, "kept", "id", &other, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_put_options_set_object_acl(options, "public");
    oss_callback_put_options_set_object_acl(options, "private");
    failed(oss_callback_multipart_upload_abort(other, options, &error), OSS_CALLBACK_CODE_INVALID_ARGUMENT, &error, NULL);
    assert(oss_complete_multipart_upload_with_callback(other, parts, oss_callback_spec_none(), options, NULL, &error) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(contains(oss_callback_error_message(error), "\"public\""));
    oss_callback_error_free(error);
    error = NULL;

    /* What only a file has belongs to no step. */
    oss_callback_multipart_upload_free(other);
    other = NULL;
    oss_callback_put_options_free(options);
    options = new_put_options();
    oss_callback_put_options_set_parallel(options, 4);
    assert(oss_callback_client_initiate_multipart_upload(client, BUCKET, "never", options, &other, &error) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(contains(oss_callback_error_message(error), "`parallel` is an option of oss_upload_file_with_callback only"));
    oss_callback_error_free(error);
    error = NULL;
    oss_callback_put_options_free(options);
    options = new_put_options();
    oss_callback_put_options_set_verify_parts(options, true);
    assert(oss_callback_client_initiate_multipart_upload(client, BUCKET, "never", options, &other, &error) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(contains(oss_callback_error_message(error), "`verify_parts` is an option of"));
    oss_callback_error_free(error);
    assert(other == NULL);

    oss_callback_put_options_free(options);
    oss_callback_multipart_upload_free(upload);
    oss_callback_parts_free(wrong);
    oss_callback_parts_free(parts);
}

/* An object that the beginning wants kept is kept at the end. */
static void an_object_is_kept(void) {
    oss_callback_error *error = NULL;
    oss_callback_put_options *options = new_put_options();
    oss_callback_multipart_upload *upload = NULL;
    oss_callback_put_options_set_forbid_overwrite(options, true);
    oss_callback_put_options_set_object_acl(options, "public-read");
    assert(oss_callback_client_initiate_multipart_upload(client, BUCKET, "first", options, &upload, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(oss_callback_multipart_upload_upload_part(upload, 1, (const uint8_t *)"contents", 8, options, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(oss_put_object_with_callback(client, BUCKET, "first", NULL, 0, oss_callback_spec_none(), NULL, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
    failed(oss_complete_multipart_upload_with_callback(upload, NULL, oss_callback_spec_none(), NULL, NULL, &error),
           OSS_CALLBACK_CODE_CONFLICT, &error, "FileAlreadyExists");
    assert(oss_callback_multipart_upload_abort(upload, options, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_multipart_upload_free(upload);
    oss_callback_put_options_free(options);
}

static int ends(uint64_t sent, uint64_t total, void *userdata) {
    (void)sent;
    (void)total;
    *(bool *)userdata = true;
    return 1;
}

/* A hook ends its own part, and no other with the same options. */
static void a_progress_hook_watches_a_part(void) {
    bool told = false;
    oss_callback_error *error = NULL;
    oss_callback_put_options *options = new_put_options();
    oss_callback_multipart_upload *upload = begin(client, "watched");
    oss_callback_put_options_set_progress_hook(options, ends, &told);
    failed(oss_callback_multipart_upload_upload_part(upload, 1, (const uint8_t *)"contents", 8, options, NULL, &error),
           OSS_CALLBACK_CODE_CANCELLED, &error, NULL);
    assert(told);
    oss_callback_put_options_set_progress_hook(options, NULL, NULL);
    assert(oss_callback_multipart_upload_upload_part(upload, 1, (const uint8_t *)"contents", 8, options, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(oss_callback_multipart_upload_abort(upload, options, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_multipart_upload_free(upload);
    oss_callback_put_options_free(options);
}

static void are_cancelled(void) {
    oss_callback_error *error = NULL;
    oss_callback_parts *listed = NULL;
    oss_callback_cancellation *cancellation = NULL;
    oss_callback_put_options *options = new_put_options();
    oss_callback_multipart_upload *upload = begin(client, "cancelled");
    assert(oss_callback_cancellation_new(&cancellation) == OSS_CALLBACK_CODE_OK);
    oss_callback_put_options_set_cancellation(options, cancellation);
    oss_callback_cancellation_cancel(cancellation);
    failed(oss_callback_multipart_upload_upload_part(upload, 1, NULL, 0, options, NULL, &error), OSS_CALLBACK_CODE_CANCELLED,
           &error, NULL);
    failed(oss_callback_multipart_upload_list_parts(upload, options, &listed, &error), OSS_CALLBACK_CODE_CANCELLED,
           &error, NULL);
    failed(oss_complete_multipart_upload_with_callback(upload, NULL, oss_callback_spec_none(), options, NULL, &error),
           OSS_CALLBACK_CODE_CANCELLED, &error, NULL);
    failed(oss_callback_multipart_upload_abort(upload, options, &error), OSS_CALLBACK_CODE_CANCELLED, &error, NULL);
    assert(listed == NULL);
    assert(oss_callback_multipart_upload_abort(upload, NULL, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_cancellation_free(cancellation);
    oss_callback_put_options_free(options);
    oss_callback_multipart_upload_free(upload);
}

/* HTTP 203: the object is stored, and there is nothing to abort or to complete. */
static void is_stored_without_agreement(void) {
    oss_callback_error *error = NULL;
    oss_callback_receipt *receipt = NULL;
    oss_callback_spec *spec = new_spec(variable("OSS_CALLBACK_URL"));
    oss_callback_parts *parts = new_parts();
    oss_callback_multipart_upload *upload = begin_with_part("disagreed", parts);
    assert(oss_complete_multipart_upload_with_callback(upload, parts, spec, NULL, &receipt, &error) ==
           OSS_CALLBACK_CODE_CALLBACK_FAILED);
    assert(receipt == NULL);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_YES);
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_NO);
    assert(oss_callback_error_status(error) == 203);
    assert(oss_callback_error_attempts(error) == 1);
    assert(oss_callback_error_diagnosis(error) != NULL);
    tell(oss_callback_error_receipt(error));
    oss_callback_error_free(error);
    oss_callback_spec_free(spec);
    oss_callback_parts_free(parts);
    oss_callback_multipart_upload_free(upload);
}

int main(void) {
    client = new_client();
    are_listed_and_aborted();
    are_refused_and_stay_open();
    are_cancelled();
    an_object_is_kept();
    a_progress_hook_watches_a_part();
    is_stored_without_agreement();
    oss_callback_client_free(client);
    return 0;
}
