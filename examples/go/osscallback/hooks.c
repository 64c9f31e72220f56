#include "hooks.h"

#include "_cgo_export.h"

static int progress(uint64_t sent, uint64_t total, void *userdata) {
    return osscallbackProgress(sent, total, (uintptr_t)userdata);
}

static int64_t read_body(uint8_t *buffer, size_t buffer_len, void *userdata) {
    return osscallbackRead(buffer, buffer_len, (uintptr_t)userdata);
}

static int write_contents(const uint8_t *bytes, size_t bytes_len, void *userdata) {
    return osscallbackWrite((uint8_t *)bytes, bytes_len, (uintptr_t)userdata);
}

static int provide(oss_callback_credentials *credentials, void *userdata) {
    return osscallbackProvide(credentials, (uintptr_t)userdata);
}

static int64_t sign(const char *string_to_sign, uint32_t signature_version, const char *scope, char *signature,
                    size_t signature_len, void *userdata) {
    return osscallbackSign((char *)string_to_sign, signature_version, (char *)scope, signature, signature_len,
                           (uintptr_t)userdata);
}

static void destroy(void *userdata) {
    osscallbackDestroy((uintptr_t)userdata);
}

void osscallback_set_progress(oss_callback_put_options *options, uintptr_t handle) {
    oss_callback_put_options_set_progress_hook(options, progress, (void *)handle);
}

void osscallback_set_provider(oss_callback_client_options *options, uintptr_t handle) {
    oss_callback_client_options_set_credentials_hook(options, provide, (void *)handle, destroy);
}

void osscallback_set_signer(oss_callback_client_options *options, const char *access_key_id,
                            const char *security_token, uintptr_t handle) {
    oss_callback_client_options_set_signer_hook(options, access_key_id, security_token, sign, (void *)handle, destroy);
}

oss_callback_code osscallback_put_reader(const oss_callback_client *client, const char *bucket, const char *object,
                                         uintptr_t handle, uint64_t len, const oss_callback_spec *spec,
                                         const oss_callback_put_options *options, oss_callback_receipt **receipt,
                                         oss_callback_error **error) {
    return oss_put_object_from_reader_with_callback(client, bucket, object, read_body, (void *)handle, len, spec,
                                                    options, receipt, error);
}

oss_callback_code osscallback_part_reader(const oss_callback_multipart_upload *upload, uint32_t part_number,
                                          uintptr_t handle, uint64_t len,
                                          const oss_callback_put_options *options, oss_callback_parts *parts,
                                          oss_callback_error **error) {
    return oss_callback_multipart_upload_upload_part_from_reader(upload, part_number, read_body, (void *)handle, len, options,
                                                          parts, error);
}

oss_callback_code osscallback_get_object(const oss_callback_client *client, const char *bucket, const char *object,
                                         uintptr_t handle, const oss_callback_operation_options *options,
                                         oss_callback_object_metadata **metadata, oss_callback_error **error) {
    return oss_callback_client_get_object(client, bucket, object, write_contents, (void *)handle, options, metadata,
                                          error);
}
