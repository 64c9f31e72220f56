/* Permissions for others: signed by one client, used by another that has no key. */

#include <time.h>

#include "fixture.h"

static const uint8_t BODY[] = {'1', '2', '3', '4', '5'};
static oss_callback_client *signing, *uploader;
static oss_callback_spec *spec;

static oss_callback_client *new_uploader(void) {
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_credentials_anonymous(options);
    return new_client_of(options);
}

static oss_callback_client *new_signing(uint32_t version) {
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_signature_version(options, version);
    return new_client_of(options);
}

/* By way of text, as to another machine; with `from` replaced by `to`, which is as long. */
static char *changed(const char *json, const char *from, const char *to) {
    char *copy = malloc(strlen(json) + 1), *place;
    assert(copy != NULL && strlen(from) == strlen(to));
    strcpy(copy, json);
    place = strstr(copy, from);
    assert(place != NULL);
    memcpy(place, to, strlen(to));
    return copy;
}

static void is_told(oss_callback_code code, oss_callback_receipt *receipt, oss_callback_error *error,
                    oss_callback_code expected) {
    assert(code == expected);
    if (code == OSS_CALLBACK_CODE_OK) {
        size_t len = 0;
        const uint8_t *answer = oss_callback_receipt_answer(receipt, &len);
        assert(len == 15 && memcmp(answer, "{\"Status\":\"OK\"}", len) == 0);
        oss_callback_receipt_free(receipt);
    } else {
        bool stored = code == OSS_CALLBACK_CODE_CALLBACK_FAILED;
        assert(oss_callback_error_stored(error) == (stored ? OSS_CALLBACK_STORED_YES : OSS_CALLBACK_STORED_NO));
        assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_NO);
        oss_callback_error_free(error);
    }
}

static void put(const char *json, oss_callback_code expected) {
    oss_callback_presigned_url *url = NULL;
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;
    oss_callback_code code;
    assert(oss_callback_presigned_url_new_from_json(json, &url, NULL) == OSS_CALLBACK_CODE_OK);
    code = oss_put_object_with_url(uploader, url, BODY, sizeof BODY, NULL, &receipt, &error);
    is_told(code, receipt, error, expected);
    oss_callback_presigned_url_free(url);
}

static void post(const char *json, const char *content_type, oss_callback_code expected) {
    oss_callback_post_form *form = NULL;
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;
    oss_callback_code code;
    assert(oss_callback_post_form_new_from_json(json, &form, NULL) == OSS_CALLBACK_CODE_OK);
    code = oss_post_object_with_form(uploader, form, BODY, sizeof BODY, "a.png", content_type, NULL, &receipt,
                                           &error);
    is_told(code, receipt, error, expected);
    oss_callback_post_form_free(form);
}

static void try_url(bool in_headers, bool fails, const char *file) {
    oss_callback_presigned_url *url = NULL;
    oss_callback_receipt *receipt = NULL;
    oss_callback_put_options *options = new_put_options();
    char *other;
    uint64_t expires = 0;
    size_t index, headers;
    oss_callback_put_options_set_content_type(options, "image/png");
    assert(oss_callback_client_presign_put_object(signing, BUCKET, "mine.png", spec, options, 600, in_headers, &url,
                                                  NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_put_options_free(options);
    assert(is(oss_callback_presigned_url_method(url), "PUT"));
    assert(oss_callback_presigned_url_expires_at_s(url, &expires) && expires > 1700000000);
    assert((strstr(oss_callback_presigned_url_url(url), "callback=") == NULL) == in_headers);
    headers = oss_callback_presigned_url_headers_len(url);
    assert(headers == (in_headers ? 2u : 1u));
    for (index = 0; index < headers; index++) {
        assert(oss_callback_presigned_url_header_name(url, index) != NULL);
        assert(oss_callback_presigned_url_header_value(url, index) != NULL);
    }
    assert(oss_callback_presigned_url_header_name(url, headers) == NULL);
    assert(oss_callback_presigned_url_header_value(url, SIZE_MAX) == NULL);

    put(oss_callback_presigned_url_json(url), fails ? OSS_CALLBACK_CODE_CALLBACK_FAILED : OSS_CALLBACK_CODE_OK);
    if (!fails) {
        assert(oss_put_object_from_file_with_url(uploader, url, file, NULL, &receipt, NULL) ==
               OSS_CALLBACK_CODE_OK);
        oss_callback_receipt_free(receipt);
    }
    other = changed(oss_callback_presigned_url_json(url), "/mine.png?", "/your.png?");
    put(other, OSS_CALLBACK_CODE_ACCESS_DENIED);
    free(other);
    other = changed(oss_callback_presigned_url_json(url), "image/png", "text/html");
    put(other, OSS_CALLBACK_CODE_ACCESS_DENIED);
    free(other);
    other = in_headers ? changed(oss_callback_presigned_url_json(url), "\"x-oss-callback\":\"e", "\"x-oss-callback\":\"f")
                       : changed(oss_callback_presigned_url_json(url), "callback=e", "callback=f");
    put(other, OSS_CALLBACK_CODE_ACCESS_DENIED);
    free(other);
    oss_callback_presigned_url_free(url);
}

/* A form for a PNG or JPEG of at most `most` bytes, for so many seconds. */
static oss_callback_post_form *new_form(uint64_t most, uint64_t seconds) {
    oss_callback_post_policy *policy = NULL;
    oss_callback_post_form *form = NULL;
    assert(oss_callback_post_policy_new(&policy) == OSS_CALLBACK_CODE_OK);
    oss_callback_post_policy_set_key_prefix(policy, "from-c/");
    oss_callback_post_policy_set_expires_in_s(policy, seconds);
    oss_callback_post_policy_set_content_length_range(policy, 1, most);
    oss_callback_post_policy_add_content_type(policy, "image/jpeg");
    oss_callback_post_policy_add_content_type(policy, "image/png");
    oss_callback_post_policy_set_field(policy, "x-oss-meta-author", "Ming");
    oss_callback_post_policy_set_callback(policy, spec);
    assert(oss_callback_client_sign_post_form(signing, BUCKET, policy, &form, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_post_policy_free(policy);
    return form;
}

static void try_form(bool fails, const char *file) {
    oss_callback_post_form *form = new_form(10, 600), *small = new_form(4, 600);
    oss_callback_receipt *receipt = NULL;
    char *other;
    uint64_t expires = 0;
    size_t index, fields, found = 0;
    assert(oss_callback_post_form_expires_at_s(form, &expires) && expires > 1700000000);
    assert(contains(oss_callback_post_form_url(form), "http://"));
    fields = oss_callback_post_form_fields_len(form);
    for (index = 0; index < fields; index++) {
        found += is(oss_callback_post_form_field_name(form, index), "x-oss-meta-author") &&
                 is(oss_callback_post_form_field_value(form, index), "Ming");
    }
    assert(found == 1 && oss_callback_post_form_field_name(form, fields) == NULL);
    assert(oss_callback_post_form_field_value(form, SIZE_MAX) == NULL);

    post(oss_callback_post_form_json(form), "image/png", fails ? OSS_CALLBACK_CODE_CALLBACK_FAILED : OSS_CALLBACK_CODE_OK);
    if (!fails) {
        assert(oss_post_object_from_file_with_form(uploader, form, file, NULL, "image/jpeg", NULL, &receipt,
                                                         NULL) == OSS_CALLBACK_CODE_OK);
        oss_callback_receipt_free(receipt);
    }
    other = changed(oss_callback_post_form_json(form), "from-c/", "from-d/");
    post(other, "image/png", OSS_CALLBACK_CODE_ACCESS_DENIED);
    free(other);
    other = changed(oss_callback_post_form_json(form), "Ming", "Wang");
    post(other, "image/png", OSS_CALLBACK_CODE_ACCESS_DENIED);
    free(other);
    other = changed(oss_callback_post_form_json(form), "[\"callback\",\"e", "[\"callback\",\"f");
    post(other, "image/png", OSS_CALLBACK_CODE_ACCESS_DENIED);
    free(other);
    post(oss_callback_post_form_json(form), "text/html", OSS_CALLBACK_CODE_ACCESS_DENIED);
    post(oss_callback_post_form_json(small), "image/png", OSS_CALLBACK_CODE_REFUSED);
    oss_callback_post_form_free(form);
    oss_callback_post_form_free(small);
}

/* The clocks of OSS and of whoever signs are one here; theirs tick in seconds. */
static void try_expired(void) {
    oss_callback_presigned_url *in_query = NULL, *in_headers = NULL;
    oss_callback_post_form *form = new_form(10, 1);
    uint64_t end = 0, expires = 0;
    assert(oss_callback_client_presign_put_object(signing, BUCKET, "late", spec, NULL, 1, false, &in_query, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(oss_callback_client_presign_put_object(signing, BUCKET, "late", spec, NULL, 1, true, &in_headers, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(oss_callback_post_form_expires_at_s(form, &expires) && oss_callback_presigned_url_expires_at_s(in_headers, &end));
    if (end < expires) end = expires;
    while ((uint64_t)time(NULL) <= end) continue;
    put(oss_callback_presigned_url_json(in_query), OSS_CALLBACK_CODE_ACCESS_DENIED);
    put(oss_callback_presigned_url_json(in_headers), OSS_CALLBACK_CODE_ACCESS_DENIED);
    post(oss_callback_post_form_json(form), "image/png", OSS_CALLBACK_CODE_ACCESS_DENIED);
    oss_callback_presigned_url_free(in_query);
    oss_callback_presigned_url_free(in_headers);
    oss_callback_post_form_free(form);
}

/* What the test sends by hand, as something that knows nothing of OSS would. */
static void tell_of_reading(void) {
    oss_callback_presigned_url *url = NULL;
    assert(oss_callback_client_presign_get_object(signing, BUCKET, "mine.png", 60, &url, NULL) == OSS_CALLBACK_CODE_OK);
    assert(is(oss_callback_presigned_url_method(url), "GET"));
    printf("get %s\n", oss_callback_presigned_url_url(url));
    oss_callback_presigned_url_free(url);
    assert(oss_callback_client_presign_head_object(signing, BUCKET, "mine.png", 60, &url, NULL) == OSS_CALLBACK_CODE_OK);
    assert(is(oss_callback_presigned_url_method(url), "HEAD"));
    printf("head %s\n", oss_callback_presigned_url_url(url));
    oss_callback_presigned_url_free(url);
}

static void tell_of_parts(void) {
    oss_callback_multipart_upload *upload = NULL;
    oss_callback_presigned_url *url = NULL;
    assert(oss_callback_client_initiate_multipart_upload(signing, BUCKET, "in-parts", NULL, &upload, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(oss_callback_multipart_upload_presign_part(upload, 1, 600, &url, NULL) == OSS_CALLBACK_CODE_OK);
    printf("part %s\n", oss_callback_presigned_url_url(url));
    oss_callback_presigned_url_free(url);
    assert(oss_callback_multipart_upload_presign_complete(upload, true, spec, NULL, 600, false, &url, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(is(oss_callback_presigned_url_method(url), "POST"));
    assert(is(oss_callback_presigned_url_header_name(url, 0), "x-oss-complete-all"));
    printf("complete %s\n", oss_callback_presigned_url_url(url));
    oss_callback_presigned_url_free(url);
    oss_callback_multipart_upload_free(upload);
}

/* argv: whether the callback fails, and a file of 5 bytes. */
int main(int argc, char **argv) {
    static const uint32_t versions[] = {1, 4};
    oss_callback_presigned_url *url = NULL;
    bool fails;
    size_t index;
    assert(argc == 3);
    fails = is(argv[1], "fails");
    spec = new_spec(variable("OSS_CALLBACK_URL"));
    uploader = new_uploader();
    for (index = 0; index < 2; index++) {
        signing = new_signing(versions[index]);
        try_url(false, fails, argv[2]);
        try_url(true, fails, argv[2]);
        try_form(fails, argv[2]);
        if (!fails) try_expired();
        if (index == 1) tell_of_parts();
        if (index == 1) tell_of_reading();
        assert(oss_callback_client_presign_get_object(uploader, BUCKET, "mine.png", 60, &url, NULL) ==
               OSS_CALLBACK_CODE_INVALID_ARGUMENT);
        oss_callback_client_free(signing);
    }
    oss_callback_client_free(uploader);
    oss_callback_spec_free(spec);
    return 0;
}
