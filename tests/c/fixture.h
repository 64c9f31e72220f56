/* What the programs share: a client and a spec from the environment, and short ways to compare. */

#ifndef FIXTURE_H
#define FIXTURE_H

#undef NDEBUG
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oss_callback.h"

/* A variable of the environment that the test has set. */
static inline const char *variable(const char *name) {
    const char *value = getenv(name);
    assert(value != NULL);
    return value;
}

#define BUCKET variable("OSS_BUCKET")

static inline int is(const char *text, const char *expected) {
    return text != NULL && strcmp(text, expected) == 0;
}

static inline int contains(const char *text, const char *part) {
    return text != NULL && strstr(text, part) != NULL;
}

static inline oss_callback_client_options *new_client_options(void) {
    oss_callback_client_options *options = NULL;
    assert(oss_callback_client_options_new(&options) == OSS_CALLBACK_CODE_OK);
    oss_callback_client_options_set_endpoint(options, variable("OSS_ENDPOINT"));
    oss_callback_client_options_set_region(options, variable("OSS_REGION"));
    oss_callback_client_options_set_credentials_from_env(options);
    return options;
}

/* A client of these options, which are freed. */
static inline oss_callback_client *new_client_of(oss_callback_client_options *options) {
    oss_callback_client *client = NULL;
    assert(oss_callback_client_new(options, &client, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_client_options_free(options);
    return client;
}

static inline oss_callback_client *new_client(void) {
    return new_client_of(new_client_options());
}

static inline oss_callback_spec_options *new_spec_options(const char *url) {
    oss_callback_spec_options *options = NULL;
    assert(oss_callback_spec_options_new(&options) == OSS_CALLBACK_CODE_OK);
    oss_callback_spec_options_add_url(options, url);
    oss_callback_spec_options_set_body(options, "filename=${object}&size=${size}&mimeType=${mimeType}");
    return options;
}

/* A spec of these options, which are freed. */
static inline oss_callback_spec *new_spec_of(oss_callback_spec_options *options) {
    oss_callback_spec *spec = NULL;
    assert(oss_callback_spec_new(options, &spec, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_spec_options_free(options);
    return spec;
}

static inline oss_callback_spec *new_spec(const char *url) {
    return new_spec_of(new_spec_options(url));
}

static inline oss_callback_put_options *new_put_options(void) {
    oss_callback_put_options *options = NULL;
    assert(oss_callback_put_options_new(&options) == OSS_CALLBACK_CODE_OK);
    return options;
}

static inline oss_callback_operation_options *new_operation_options(void) {
    oss_callback_operation_options *options = NULL;
    assert(oss_callback_operation_options_new(&options) == OSS_CALLBACK_CODE_OK);
    return options;
}

static inline oss_callback_parts *new_parts(void) {
    oss_callback_parts *parts = NULL;
    assert(oss_callback_parts_new(&parts) == OSS_CALLBACK_CODE_OK);
    return parts;
}

/* An upload in parts that is begun here. */
static inline oss_callback_multipart_upload *begin(const oss_callback_client *client, const char *object) {
    oss_callback_multipart_upload *upload = NULL;
    assert(oss_callback_client_initiate_multipart_upload(client, BUCKET, object, NULL, &upload, NULL) ==
           OSS_CALLBACK_CODE_OK);
    return upload;
}

/* Tells the test what the library says of a stored object; the test compares it with the server's record. */
static inline void tell(const oss_callback_receipt *receipt) {
    uint64_t crc64 = 0;
    assert(oss_callback_receipt_crc64(receipt, &crc64));
    printf("etag %s\n", oss_callback_receipt_etag(receipt));
    printf("crc64 %" PRIu64 "\n", crc64);
    printf("request_id %s\n", oss_callback_receipt_request_id(receipt));
}

#endif
