/* C functions between the library's hooks and Go. A hook's userdata is a runtime/cgo.Handle, a number that Go must not
 * mistake for a pointer. So it becomes one only here. */

#ifndef OSSCALLBACK_HOOKS_H
#define OSSCALLBACK_HOOKS_H

#include <oss_callback.h>

void osscallback_set_progress(oss_callback_put_options *options, uintptr_t handle);

void osscallback_set_provider(oss_callback_client_options *options, uintptr_t handle);

void osscallback_set_signer(oss_callback_client_options *options, const char *access_key_id,
                            const char *security_token, uintptr_t handle);

oss_callback_code osscallback_put_reader(const oss_callback_client *client, const char *bucket, const char *object,
                                         uintptr_t handle, uint64_t len, const oss_callback_spec *spec,
                                         const oss_callback_put_options *options, oss_callback_receipt **receipt,
                                         oss_callback_error **error);

oss_callback_code osscallback_part_reader(const oss_callback_multipart_upload *upload, uint32_t part_number,
                                          uintptr_t handle, uint64_t len,
                                          const oss_callback_put_options *options, oss_callback_parts *parts,
                                          oss_callback_error **error);

oss_callback_code osscallback_get_object(const oss_callback_client *client, const char *bucket, const char *object,
                                         uintptr_t handle, const oss_callback_operation_options *options,
                                         oss_callback_object_metadata **metadata, oss_callback_error **error);

#endif
