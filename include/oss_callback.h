/**
 * @file
 * oss-callback: uploads to Alibaba Cloud OSS with an upload callback.
 *
 * A program uploads an object and names an application server. OSS stores the object, POSTs a message to
 * that server, and hands the server's answer back to the program. This library is the uploader. It blocks,
 * and it says what happened: every error says whether the object is stored and whether the application
 * server has answered. The application server's side is here as well: oss_callback_verifier tells whether a
 * request is from OSS, and oss_callback_sealer whether the upload was permitted.
 *
 * @code{.c}
 * #include <oss_callback.h>
 * #include <stdio.h>
 * #include <stdlib.h>
 *
 * int main(void) {
 *     oss_callback_client_options *options = NULL;
 *     oss_callback_client *client = NULL;
 *     oss_callback_spec_options *callback = NULL;
 *     oss_callback_spec *spec = NULL;
 *     oss_callback_receipt *receipt = NULL;
 *     oss_callback_error *error = NULL;
 *
 *     if (oss_callback_client_options_new(&options) || oss_callback_spec_options_new(&callback)) return 1;
 *     oss_callback_client_options_set_endpoint(options, getenv("OSS_ENDPOINT"));
 *     oss_callback_client_options_set_region(options, getenv("OSS_REGION"));
 *     oss_callback_client_options_set_credentials_from_env(options);
 *     oss_callback_spec_options_add_url(callback, getenv("OSS_CALLBACK_URL"));
 *     oss_callback_spec_options_set_body(callback, "object=${object}&size=${size}");
 *     if (oss_callback_client_new(options, &client, &error) ||
 *         oss_callback_spec_new(callback, &spec, &error) ||
 *         oss_put_object_with_callback(client, "examplebucket", "hello.txt", (const uint8_t *)"hello", 5,
 *                                      spec, NULL, &receipt, &error))
 *         fprintf(stderr, "%s%s\n", oss_callback_error_message(error),
 *                 oss_callback_error_stored(error) == OSS_CALLBACK_STORED_YES ? " (but it is stored)" : "");
 *     else
 *         printf("stored, ETag %s\n", oss_callback_receipt_etag(receipt));
 *
 *     int failed = receipt == NULL;
 *     oss_callback_error_free(error);
 *     oss_callback_receipt_free(receipt);
 *     oss_callback_spec_free(spec);
 *     oss_callback_spec_options_free(callback);
 *     oss_callback_client_free(client);
 *     oss_callback_client_options_free(options);
 *     return failed;
 * }
 * @endcode
 *
 * Names. A function that gives a receipt is `oss_<verb>_<noun>_with_callback`, `_with_url` or `_with_form`.
 * Other functions are `oss_callback_<handle>_<verb>` and take that handle first; `T_new` makes one. `set_`
 * replaces, `add_` adds. Durations end in `_ms` or `_s`, times in `_at_s` (seconds since 1970-01-01 00:00
 * UTC), and counts of bytes or items in `_len`. Sizes are in bytes. CRC-64 always means CRC-64/XZ.
 *
 * Errors. A function that can fail returns an oss_callback_code: zero is success. `error`, the last
 * parameter of most of them, may be NULL. It is written on failure only: set it to NULL first and free it
 * with oss_callback_error_free. Other outputs are written on success only. A getter that returns a bool
 * writes its output only if it returns true.
 *
 * Ownership. `T_new` and an output `T **` give a handle that the caller owns and frees once with `T_free`,
 * which does nothing for NULL. A returned pointer to const is borrowed from the handle that was passed: it
 * is valid until that handle is freed; do not free it. Arguments are read during the call only; what is
 * kept is copied. Text is NUL-terminated UTF-8; a `const uint8_t *` points to bytes, without a NUL at the
 * end.
 *
 * NULL. Any pointer may be NULL. A function that needs it fails with OSS_CALLBACK_CODE_INVALID_ARGUMENT and
 * names the argument. With a NULL handle, a getter returns NULL, 0 or false unless it says otherwise, and a
 * setter does nothing. NULL unsets an optional setting, so `set_region(options, getenv("OSS_REGION"))`
 * works. It is an error where it would weaken a check, or where only one of a pair is NULL.
 *
 * Setters return nothing. The first error of a setter is kept and reported by the function that uses the
 * options.
 *
 * Hooks. A callback is always the HTTP request that OSS sends. A C function that the library calls is a
 * hook. Its last parameter is `void *userdata`, which the library only passes on. A hook runs only on the
 * thread that calls the library and only during the call, and must return: longjmp, pthread_exit and C++
 * exceptions must not leave it. The credentials hook and the signer hook belong to a client: they
 * run on any thread, one call at a time in each process.
 *
 * Threads. A thread that is cancelled (pthread_cancel) during a call finishes the call first, hooks
 * included: the library disables cancellation when a call begins and restores it when the call returns. A
 * thread needs 128 KiB of stack.
 *
 * Forks. A child may use clients, and other handles that were not changing at the fork. It opens its own
 * connections and asks for its own credentials, whatever the parent's threads were doing, and frees its
 * handles as the parent does. Calls that were running at the fork continue in the parent only: a child that
 * was forked in a hook must not return from it, but must end with exec or _exit. The parent's connections
 * stay open, unused, in the child.
 *
 * The library installs no signal handler, raises no SIGPIPE and writes no log. A bug in it is reported as
 * OSS_CALLBACK_CODE_INTERNAL and on standard error. If memory runs out, the process is aborted; a peer
 * cannot cause that, because the library limits what it accepts.
 */

#ifndef OSS_CALLBACK_H
#define OSS_CALLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The version of this header; oss_callback_version() is that of the library. */
#define OSS_CALLBACK_VERSION "0.1.0"
/** Its major number. */
#define OSS_CALLBACK_VERSION_MAJOR 0
/** Its minor number. */
#define OSS_CALLBACK_VERSION_MINOR 1
/** Its patch number. */
#define OSS_CALLBACK_VERSION_PATCH 0
/** major * 1000000 + minor * 1000 + patch */
#define OSS_CALLBACK_VERSION_NUMBER 1000

/*
 * Defined in the header that is installed with a library built with the feature `small`. That library lacks
 * what application servers call: verifiers, verified callbacks, replies, permissions, sealers, sealed
 * callbacks and replay guards.
 */
/* #undef OSS_CALLBACK_SMALL */

#if defined(__GNUC__) || defined(__clang__)
/** Makes the compiler warn about a code that is ignored. */
#define OSS_CALLBACK_MUST_USE __attribute__((warn_unused_result))
#else
#define OSS_CALLBACK_MUST_USE
#endif

/* The handles. Each is described in its section. */
typedef struct oss_callback_attempt oss_callback_attempt;
typedef struct oss_callback_body_template oss_callback_body_template;
typedef struct oss_callback_cancellation oss_callback_cancellation;
typedef struct oss_callback_client oss_callback_client;
typedef struct oss_callback_client_options oss_callback_client_options;
typedef struct oss_callback_credentials oss_callback_credentials;
typedef struct oss_callback_error oss_callback_error;
typedef struct oss_callback_explanation oss_callback_explanation;
typedef struct oss_callback_multipart_upload oss_callback_multipart_upload;
typedef struct oss_callback_multipart_uploads oss_callback_multipart_uploads;
typedef struct oss_callback_object_facts oss_callback_object_facts;
typedef struct oss_callback_object_metadata oss_callback_object_metadata;
typedef struct oss_callback_operation_options oss_callback_operation_options;
typedef struct oss_callback_parts oss_callback_parts;
typedef struct oss_callback_permission oss_callback_permission;
typedef struct oss_callback_post_form oss_callback_post_form;
typedef struct oss_callback_post_policy oss_callback_post_policy;
typedef struct oss_callback_presigned_url oss_callback_presigned_url;
typedef struct oss_callback_preview oss_callback_preview;
typedef struct oss_callback_put_options oss_callback_put_options;
typedef struct oss_callback_receipt oss_callback_receipt;
typedef struct oss_callback_reconciled oss_callback_reconciled;
typedef struct oss_callback_replay_guard oss_callback_replay_guard;
typedef struct oss_callback_reply oss_callback_reply;
typedef struct oss_callback_sealed oss_callback_sealed;
typedef struct oss_callback_sealer oss_callback_sealer;
typedef struct oss_callback_spec oss_callback_spec;
typedef struct oss_callback_spec_options oss_callback_spec_options;
typedef struct oss_callback_verified oss_callback_verified;
typedef struct oss_callback_verifier oss_callback_verifier;
typedef struct oss_callback_verifier_options oss_callback_verifier_options;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @name Return codes
 *
 * Zero is success; any other code names the cause of a failure.
 * @{
 */

/**
 * What a function returns. Zero is success, so `if (code)` tests for failure.
 *
 * A code names only the cause; oss_callback_error_stored says whether the object is stored. Values are
 * never changed or reused. New ones may be added, so a `switch` needs a `default`.
 */
typedef enum {
    /**
     * Success.
     */
    OSS_CALLBACK_CODE_OK = 0,
    /**
     * An argument is missing, malformed or out of range. Nothing was sent.
     */
    OSS_CALLBACK_CODE_INVALID_ARGUMENT = 1,
    /**
     * The callback or its variables break OSS's rules. Nothing was sent.
     */
    OSS_CALLBACK_CODE_INVALID_CALLBACK = 2,
    /**
     * The credentials hook or the signer hook failed. This attempt sent nothing.
     */
    OSS_CALLBACK_CODE_CREDENTIALS_FAILED = 3,
    /**
     * The endpoint's name could not be resolved to an address.
     */
    OSS_CALLBACK_CODE_RESOLVE = 20,
    /**
     * The connection was refused, the host is unreachable, or the system gave up. Or a proxy refused: then
     * oss_callback_error_status is the proxy's.
     */
    OSS_CALLBACK_CODE_CONNECT = 21,
    /**
     * The TLS handshake failed, most often because of the certificate.
     */
    OSS_CALLBACK_CODE_TLS = 22,
    /**
     * A time limit of the client or of the options expired.
     */
    OSS_CALLBACK_CODE_TIMEOUT = 23,
    /**
     * The connection ended before the answer did.
     */
    OSS_CALLBACK_CODE_CONNECTION_LOST = 24,
    /**
     * The peer broke the rules of HTTP, sent something that can be read in two ways, answered before it
     * had the request, or reported success before it had the whole object.
     */
    OSS_CALLBACK_CODE_PROTOCOL = 25,
    /**
     * An HTTP answer that is not from OSS, or that OSS does not give to this request. An answer without a
     * request id (x-oss-request-id) comes from a login page, a proxy, a CDN or another server and says
     * nothing about the object; the message shows its status, Content-Type and first words. A success
     * without an ETag is not from OSS either.
     */
    OSS_CALLBACK_CODE_UNEXPECTED_ANSWER = 26,
    /**
     * OSS refused the request: a 4xx that no other code names, or a redirect that names the bucket's
     * endpoint.
     */
    OSS_CALLBACK_CODE_REFUSED = 40,
    /**
     * OSS refused the credentials or the signature, or the credentials lack the permission (401, 403).
     */
    OSS_CALLBACK_CODE_ACCESS_DENIED = 41,
    /**
     * The bucket or the object does not exist (404).
     */
    OSS_CALLBACK_CODE_NOT_FOUND = 42,
    /**
     * The request conflicts with what is stored, for example because of x-oss-forbid-overwrite (409).
     */
    OSS_CALLBACK_CODE_CONFLICT = 43,
    /**
     * OSS or a server in front of it failed (5xx, or an error document in place of a completed upload).
     */
    OSS_CALLBACK_CODE_SERVER_ERROR = 50,
    /**
     * OSS answered HTTP 203 to a request that has a callback: the object IS STORED, but the application
     * server was not reached or did not agree.
     */
    OSS_CALLBACK_CODE_CALLBACK_FAILED = 60,
    /**
     * The CRC-64 that OSS computed differs from the one computed while sending or receiving. An object
     * that was sent IS STORED, with other contents. If a part was sent, nothing is stored.
     */
    OSS_CALLBACK_CODE_CHECKSUM_MISMATCH = 61,
    /**
     * The object is stored and the callback was answered, but the answer was cut short or is too long.
     */
    OSS_CALLBACK_CODE_ANSWER_DAMAGED = 62,
    /**
     * The caller cancelled the request.
     */
    OSS_CALLBACK_CODE_CANCELLED = 63,
    /**
     * A local file or descriptor cannot be opened or read, or the read hook failed.
     */
    OSS_CALLBACK_CODE_BODY_UNREADABLE = 70,
    /**
     * A local file changed while it was sent, or the body was shorter or longer than announced.
     */
    OSS_CALLBACK_CODE_BODY_CHANGED = 71,
    /**
     * The destination of a download refused the data.
     */
    OSS_CALLBACK_CODE_WRITE_FAILED = 72,
    /**
     * Another upload is using the checkpoint.
     */
    OSS_CALLBACK_CODE_CHECKPOINT_IN_USE = 73,
    /**
     * The checkpoint cannot be read or written, or is a file that this library did not write.
     */
    OSS_CALLBACK_CODE_CHECKPOINT_FAILED = 74,
    /**
     * A request to the application server is not POST, so it is not a callback.
     */
    OSS_CALLBACK_CODE_WRONG_METHOD = 80,
    /**
     * The body of a request to the application server is over the limit.
     */
    OSS_CALLBACK_CODE_BODY_TOO_LARGE = 81,
    /**
     * A request to the application server has no Authorization, so nothing is signed.
     */
    OSS_CALLBACK_CODE_MISSING_AUTHORIZATION = 82,
    /**
     * A request to the application server has no x-oss-pub-key-url.
     */
    OSS_CALLBACK_CODE_MISSING_PUB_KEY_URL = 83,
    /**
     * x-oss-pub-key-url is not a URL on OSS's key host, so no key was fetched.
     */
    OSS_CALLBACK_CODE_BAD_PUB_KEY_URL = 84,
    /**
     * The key could not be obtained, so it is not known whether the callback is valid.
     */
    OSS_CALLBACK_CODE_KEY_UNAVAILABLE = 85,
    /**
     * Authorization is not Base64.
     */
    OSS_CALLBACK_CODE_BAD_SIGNATURE_ENCODING = 86,
    /**
     * The signature does not match the request.
     */
    OSS_CALLBACK_CODE_BAD_SIGNATURE = 87,
    /**
     * The body of a callback cannot be read, or can be read in more than one way.
     */
    OSS_CALLBACK_CODE_BAD_BODY = 88,
    /**
     * A callback carries no seal.
     */
    OSS_CALLBACK_CODE_SEAL_MISSING = 90,
    /**
     * A callback was sealed with a key that the sealer does not have.
     */
    OSS_CALLBACK_CODE_UNKNOWN_SEAL_KEY = 91,
    /**
     * A seal is forged or damaged, or belongs to another bucket or object, or to other variables.
     */
    OSS_CALLBACK_CODE_BAD_SEAL = 92,
    /**
     * The sealed permission has expired.
     */
    OSS_CALLBACK_CODE_SEAL_EXPIRED = 93,
    /**
     * The seal does not permit the object's size.
     */
    OSS_CALLBACK_CODE_SEAL_VIOLATED = 94,
    /**
     * The replay guard cannot tell whether the callback was seen before.
     */
    OSS_CALLBACK_CODE_REPLAY_UNKNOWN = 95,
    /**
     * The object does not exist, or differs from what the callback says.
     */
    OSS_CALLBACK_CODE_NOT_CONFIRMED = 96,
    /**
     * A bug in this library. Please report it.
     */
    OSS_CALLBACK_CODE_INTERNAL = 99,
} oss_callback_code;

/**
 * The name of a code without its prefix, such as "CALLBACK_FAILED", or "UNKNOWN" if this version has no
 * such code. The text is static. Any thread may call this.
 */
const char *oss_callback_code_name(uint32_t code);

/** @} */

/**
 * @name Uploads
 *
 * Each function blocks until OSS has answered, and gives a receipt or an error.
 * @{
 */

/**
 * An unknown number of bytes.
 */
#define OSS_CALLBACK_LEN_UNKNOWN UINT64_MAX

/**
 * Gives the next bytes of a body: writes at most `buffer_len` bytes to `buffer` and returns how many, or 0
 * at the end of the body. `buffer_len` is never 0. A negative number is a failure and appears in the
 * error's message. It ends the upload with OSS_CALLBACK_CODE_BODY_UNREADABLE, as does a number larger than
 * `buffer_len`. The hook is not called again after the end or a failure.
 */
typedef int64_t (*oss_callback_read_hook)(uint8_t *buffer, size_t buffer_len, void *userdata);

/**
 * Uploads `body_len` bytes as `object` into `bucket` and waits for the application server's answer.
 *
 * For an upload without a callback, pass oss_callback_spec_none(): a NULL `spec` is refused. `options` may
 * be NULL, and so may `receipt`. The body may have up to 5 GiB. Blocks for as long as the client's limits
 * allow. Free `*receipt` with oss_callback_receipt_free and, after a failure, `*error` with
 * oss_callback_error_free. If `error` is NULL and the upload fails, the ETag and the request id of a
 * stored object are lost.
 *
 * OSS_CALLBACK_CODE_CALLBACK_FAILED means that the object IS STORED, but the application server was not
 * reached or did not agree: do not upload again. For every other code, oss_callback_error_stored says
 * whether the object is stored. By default a failed upload is retried where that may help, up to three
 * attempts in all. With a callback it is retried only while it is certain that nothing was stored, so no
 * callback is delivered twice, unless oss_callback_put_options_set_callback_is_idempotent allows it.
 *
 * Many threads may use the same client, spec and options at once.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_put_object_with_callback(
    const oss_callback_client *client, const char *bucket, const char *object, const uint8_t *body,
    size_t body_len, const oss_callback_spec *spec, const oss_callback_put_options *options,
    oss_callback_receipt **receipt, oss_callback_error **error);

/**
 * Like oss_put_object_with_callback, but uploads a regular file, which is read while it is sent, 128 KiB
 * at a time.
 *
 * Stores what the file held when the upload began. Fails with OSS_CALLBACK_CODE_BODY_UNREADABLE if the
 * file cannot be read, and with OSS_CALLBACK_CODE_BODY_CHANGED if it changes meanwhile; nothing is stored
 * then.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_put_object_from_file_with_callback(
    const oss_callback_client *client, const char *bucket, const char *object, const char *path,
    const oss_callback_spec *spec, const oss_callback_put_options *options,
    oss_callback_receipt **receipt, oss_callback_error **error);

/**
 * Like oss_put_object_from_file_with_callback, but uploads `len` bytes of the file, starting at `offset`.
 * Fails with OSS_CALLBACK_CODE_INVALID_ARGUMENT if the file ends before the range does.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_put_object_from_file_range_with_callback(
    const oss_callback_client *client, const char *bucket, const char *object, const char *path,
    uint64_t offset, uint64_t len, const oss_callback_spec *spec,
    const oss_callback_put_options *options, oss_callback_receipt **receipt,
    oss_callback_error **error);

/**
 * Like oss_put_object_with_callback, but uploads `len` bytes from a file descriptor, starting at its
 * current position. Unix only.
 *
 * The descriptor is not closed, and not used after the call returns. A regular file keeps its position, so
 * several threads may upload from one descriptor. Anything else, such as a pipe, is read only once, never
 * beyond `len` bytes, and the upload is retried only if nothing was read yet. While a pipe has no data,
 * the upload's cancellation and time limit still take effect.
 *
 * OSS_CALLBACK_LEN_UNKNOWN means everything up to the end; a pipe is then sent as by
 * oss_put_object_from_reader_with_callback. Fails with OSS_CALLBACK_CODE_BODY_UNREADABLE if the descriptor
 * cannot be read, and with OSS_CALLBACK_CODE_BODY_CHANGED if there are fewer than `len` bytes or a regular
 * file changes; nothing is stored then.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_put_object_from_fd_with_callback(
    const oss_callback_client *client, const char *bucket, const char *object, int fd, uint64_t len,
    const oss_callback_spec *spec, const oss_callback_put_options *options,
    oss_callback_receipt **receipt, oss_callback_error **error);

/**
 * Like oss_put_object_with_callback, but uploads what `read_hook` gives.
 *
 * The hook must give exactly `len` bytes. It is then called once more and must report the end of the body.
 * With OSS_CALLBACK_LEN_UNKNOWN it may give any number of bytes; they are sent in chunks
 * (Transfer-Encoding: chunked), which is slower, and not every proxy lets them through. The body is read
 * once, so the upload is retried only if nothing was read yet. While the hook runs, neither a cancellation
 * nor a time limit takes effect.
 *
 * Fails with OSS_CALLBACK_CODE_BODY_UNREADABLE if the hook fails or returns an impossible number, and with
 * OSS_CALLBACK_CODE_BODY_CHANGED if it gives fewer or more bytes; nothing is stored then.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_put_object_from_reader_with_callback(
    const oss_callback_client *client, const char *bucket, const char *object,
    oss_callback_read_hook read_hook, void *userdata, uint64_t len, const oss_callback_spec *spec,
    const oss_callback_put_options *options, oss_callback_receipt **receipt,
    oss_callback_error **error);

/**
 * Like oss_put_object_from_file_with_callback, but for a file of any size up to 48.8 TiB: one object, one
 * callback, one receipt.
 *
 * A file larger than a part (see oss_callback_put_options_set_part_size) is sent as a multipart upload,
 * several parts at once. Memory does not grow with the file: each connection has a buffer of 160 KiB. A
 * progress hook runs on the calling thread only, after each part and every 20 ms. It gets the total of all
 * connections, which does not fall when a part is sent again. The bandwidth limit is for all connections
 * together. The time limit for an operation is for the whole upload; the other limits are for each
 * request.
 *
 * A multipart upload is completed, and its callback delivered, once. If the answer to the completing
 * request is lost, the library looks the object up. If the object is this file, oss_callback_error_stored
 * returns OSS_CALLBACK_STORED_YES, and only the application server's answer remains unknown.
 *
 * A multipart upload that fails earlier is aborted. With a checkpoint it is kept for the next call
 * instead, and oss_callback_error_upload_id names it. If it cannot be aborted, or if OSS may have begun
 * one whose id was lost with the answer, oss_callback_error_note or oss_callback_receipt_note says so.
 *
 * Fails with OSS_CALLBACK_CODE_BODY_CHANGED if the file changes meanwhile; nothing is stored then. Fails
 * with OSS_CALLBACK_CODE_CHECKPOINT_IN_USE if another upload is using the checkpoint, and with
 * OSS_CALLBACK_CODE_CHECKPOINT_FAILED if it cannot be read or written.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_upload_file_with_callback(
    const oss_callback_client *client, const char *bucket, const char *object, const char *path,
    const oss_callback_spec *spec, const oss_callback_put_options *options,
    oss_callback_receipt **receipt, oss_callback_error **error);

/**
 * Makes the object from its parts and waits for the application server's answer.
 *
 * A NULL `parts` means all parts that OSS has; the library lists them first, unless the CRC-64 is not to
 * be compared. `options` may be NULL. The options that apply are the ACL, whether an existing object is
 * kept, whether the CRC-64 is compared, whether the requester pays, and the limits. The first two default
 * to what was given when this handle began the upload.
 *
 * `spec`, `receipt`, `error` and OSS_CALLBACK_CODE_CALLBACK_FAILED (the object IS STORED) are
 * as for oss_put_object_with_callback. Fails with OSS_CALLBACK_CODE_NOT_FOUND if OSS does not know the
 * upload (any longer). Fails with OSS_CALLBACK_CODE_REFUSED and OSS's code "InvalidPart" if OSS has
 * no such part, or "EntityTooSmall" if a part other than the last has fewer than 102400 bytes. If
 * oss_callback_error_stored returns OSS_CALLBACK_STORED_NO and the code is not
 * OSS_CALLBACK_CODE_NOT_FOUND, the upload is still open: complete it later or abort it.
 *
 * OSS completes an upload only once, so the library can retry without a second callback. If the answer is
 * lost, the library looks up the upload and the object; this needs the size and the CRC-64 of every part.
 * If the object matches the parts, it is stored, and only the application server's answer remains unknown.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_complete_multipart_upload_with_callback(
    const oss_callback_multipart_upload *upload, const oss_callback_parts *parts,
    const oss_callback_spec *spec, const oss_callback_put_options *options,
    oss_callback_receipt **receipt, oss_callback_error **error);

/**
 * Like oss_put_object_with_callback, but uploads with a presigned URL. A callback in it counts like
 * one in a spec.
 *
 * The client's endpoint and credentials are not used. For an https URL, the client's endpoint must be
 * https as well. `options` may be NULL. The limits and the progress hook in them apply. Headers that were
 * not signed are refused.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_put_object_with_url(
    const oss_callback_client *client, const oss_callback_presigned_url *presigned_url,
    const uint8_t *body, size_t body_len, const oss_callback_put_options *options,
    oss_callback_receipt **receipt, oss_callback_error **error);

/**
 * Like oss_put_object_with_url, but uploads a file.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_put_object_from_file_with_url(
    const oss_callback_client *client, const oss_callback_presigned_url *presigned_url,
    const char *path, const oss_callback_put_options *options, oss_callback_receipt **receipt,
    oss_callback_error **error);

/**
 * Like oss_put_object_with_callback, but uploads with a signed form. A callback in it counts like
 * one in a spec.
 *
 * `file_name` replaces ${filename} in the object's name; it may be NULL if the form does not ask for it.
 * `content_type` is the object's Content-Type, if the form leaves it to the uploader; NULL means none. The
 * client's credentials are not used, but if the form's URL is https, the client's endpoint must be https
 * too.
 *
 * `options` may be NULL. The options that apply are how the body is sent, the progress hook, whether a
 * callback may be repeated, and the limits. The form determines everything else. Content-MD5 is refused.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_post_object_with_form(
    const oss_callback_client *client, const oss_callback_post_form *post_form, const uint8_t *body,
    size_t body_len, const char *file_name, const char *content_type,
    const oss_callback_put_options *options, oss_callback_receipt **receipt,
    oss_callback_error **error);

/**
 * Like oss_post_object_with_form, but uploads a file. A NULL `file_name` means the file's own name.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_post_object_from_file_with_form(
    const oss_callback_client *client, const oss_callback_post_form *post_form, const char *path,
    const char *file_name, const char *content_type, const oss_callback_put_options *options,
    oss_callback_receipt **receipt, oss_callback_error **error);

/** @} */

/**
 * @name Errors and receipts
 *
 * What is known about an upload that failed, and about one that succeeded.
 * @{
 */

/**
 * Whether an operation stored the object.
 */
typedef enum {
    /**
     * Unknown: the answer was lost. Find out with oss_callback_client_reconcile before you upload again.
     */
    OSS_CALLBACK_STORED_UNKNOWN = 0,
    /**
     * No. Uploading again cannot store it twice.
     */
    OSS_CALLBACK_STORED_NO = 1,
    /**
     * Yes.
     */
    OSS_CALLBACK_STORED_YES = 2,
} oss_callback_stored;

/**
 * Whether OSS accepted the application server's answer to the callback.
 */
typedef enum {
    /**
     * Unknown: OSS's answer was lost.
     */
    OSS_CALLBACK_ANSWERED_UNKNOWN = 0,
    /**
     * No. With OSS_CALLBACK_CODE_CALLBACK_FAILED the application server may still have received the
     * callback: it may have answered too late, or with something that OSS does not accept.
     */
    OSS_CALLBACK_ANSWERED_NO = 1,
    /**
     * Yes: the application server answered, and OSS passed its answer on.
     */
    OSS_CALLBACK_ANSWERED_YES = 2,
    /**
     * The request carried no callback.
     */
    OSS_CALLBACK_ANSWERED_NOT_REQUESTED = 3,
} oss_callback_answered;

/**
 * @typedef oss_callback_error
 *
 * A failure and all that is known about it. Free it with oss_callback_error_free. Immutable: any thread
 * may read it; one thread frees it.
 */

/**
 * The code that the function returned. OSS_CALLBACK_CODE_OK for NULL.
 */
oss_callback_code oss_callback_error_code(const oss_callback_error *error);

/**
 * What was tried and what happened: one line without secrets. Empty for NULL.
 */
const char *oss_callback_error_message(const oss_callback_error *error);

/**
 * Whether the operation stored the object despite the error. OSS_CALLBACK_STORED_NO for an operation that
 * stores nothing, such as oss_callback_client_head_object. OSS_CALLBACK_STORED_UNKNOWN for NULL.
 */
oss_callback_stored oss_callback_error_stored(const oss_callback_error *error);

/**
 * Whether OSS accepted the application server's answer to the callback. OSS_CALLBACK_ANSWERED_UNKNOWN for
 * NULL.
 */
oss_callback_answered oss_callback_error_answered(const oss_callback_error *error);

/**
 * What is known of the stored object: its ETag, CRC-64, request id and the application server's answer.
 * NULL unless oss_callback_error_stored returns OSS_CALLBACK_STORED_YES. Borrowed from `error`: do not
 * free it.
 */
const oss_callback_receipt *oss_callback_error_receipt(const oss_callback_error *error);

/**
 * The HTTP status; 0 if no answer came.
 */
uint32_t oss_callback_error_status(const oss_callback_error *error);

/**
 * The code in OSS's error document, such as "NoSuchBucket" or "CallbackFailed"; NULL if there is none.
 */
const char *oss_callback_error_oss_code(const oss_callback_error *error);

/**
 * The message in OSS's error document; NULL if there is none. After a failed callback it says what the
 * application server did, for example "Error status : 502."
 */
const char *oss_callback_error_oss_message(const oss_callback_error *error);

/**
 * The code for OSS's troubleshooting pages, such as "0007-00000203"; NULL if there is none. OSS may change
 * these codes: show them, do not branch on them.
 */
const char *oss_callback_error_ec(const oss_callback_error *error);

/**
 * The id by which OSS's support finds the request; NULL if there is none.
 */
const char *oss_callback_error_request_id(const oss_callback_error *error);

/**
 * The host that answered the request, according to OSS; NULL if OSS does not say.
 */
const char *oss_callback_error_host_id(const oss_callback_error *error);

/**
 * For an error of the callback, the clock, the endpoint or the region, and for an answer that is not OSS's:
 * its usual cause and what to do, in a few sentences. NULL for other errors.
 */
const char *oss_callback_error_diagnosis(const oss_callback_error *error);

/**
 * The number of attempts: at least 1, even if nothing was sent.
 */
uint32_t oss_callback_error_attempts(const oss_callback_error *error);

/**
 * The number of attempts before the last one: one less than oss_callback_error_attempts.
 */
size_t oss_callback_error_earlier_attempts_len(const oss_callback_error *error);

/**
 * An attempt before the last one. `index` starts at 0; NULL if it is out of range.
 * oss_callback_error_stored and oss_callback_error_answered take it into account.
 */
const oss_callback_attempt *oss_callback_error_earlier_attempt(
    const oss_callback_error *error, size_t index);

/**
 * The number of notes.
 */
size_t oss_callback_error_notes_len(const oss_callback_error *error);

/**
 * A note in one sentence, from oss_upload_file_with_callback or
 * oss_callback_client_initiate_multipart_upload: that an upload could not be aborted, why one did not
 * resume from its checkpoint, or that OSS may have begun one whose id was lost. `index` starts at 0; NULL
 * if it is out of range.
 */
const char *oss_callback_error_note(const oss_callback_error *error, size_t index);

/**
 * The id of the multipart upload that oss_upload_file_with_callback left open; otherwise NULL. Resume it
 * with its checkpoint, or abort it with oss_callback_multipart_upload_abort. Until then OSS keeps its
 * parts and bills for them.
 */
const char *oss_callback_error_upload_id(const oss_callback_error *error);

/**
 * How long the last attempt waited for the head of the answer after sending the last byte.
 */
uint64_t oss_callback_error_waited_ms(const oss_callback_error *error);

/**
 * Another element of OSS's error document by its name, in any letter case, such as "ArgumentName"; NULL if
 * there is none.
 */
const char *oss_callback_error_detail(const oss_callback_error *error, const char *name);

/**
 * A header of OSS's answer by its name, in any letter case; NULL if there is none.
 */
const char *oss_callback_error_header(const oss_callback_error *error, const char *name);

/**
 * The body of OSS's answer as it came, up to the client's limit: `*body_len` bytes. `body_len` may be
 * NULL. An empty body is not NULL.
 */
const uint8_t *oss_callback_error_body(const oss_callback_error *error, size_t *body_len);

/**
 * Frees an error.
 */
void oss_callback_error_free(oss_callback_error *error);

/**
 * @typedef oss_callback_receipt
 *
 * What OSS said about a stored object, and the application server's answer. Free a receipt from an upload
 * with oss_callback_receipt_free; do not free one that is borrowed from an error. Immutable: any thread
 * may read it; one thread frees it.
 */

/**
 * The HTTP status: 200, or 203 in a receipt of OSS_CALLBACK_CODE_CALLBACK_FAILED. After an upload with a
 * form that has no callback: the status that the form asks for, 204 by default.
 */
uint32_t oss_callback_receipt_status(const oss_callback_receipt *receipt);

/**
 * The object's ETag without its quotes, as ${etag} has it in a callback body; NULL if OSS did not give it.
 */
const char *oss_callback_receipt_etag(const oss_callback_receipt *receipt);

/**
 * Writes the CRC-64 that OSS computed over the object to `*crc64`; returns false if OSS did not give it.
 */
bool oss_callback_receipt_crc64(const oss_callback_receipt *receipt, uint64_t *crc64);

/**
 * The object's version in a bucket with versioning; otherwise NULL.
 */
const char *oss_callback_receipt_version_id(const oss_callback_receipt *receipt);

/**
 * The id by which OSS's support finds the request; the callback carries the same id. NULL if OSS did not
 * give it.
 */
const char *oss_callback_receipt_request_id(const oss_callback_receipt *receipt);

/**
 * How many times the request was sent until this answer came: at least 1.
 */
uint32_t oss_callback_receipt_attempts(const oss_callback_receipt *receipt);

/**
 * The number of attempts before the last one: one less than oss_callback_receipt_attempts.
 */
size_t oss_callback_receipt_earlier_attempts_len(const oss_callback_receipt *receipt);

/**
 * An attempt before the last one. `index` starts at 0; NULL if it is out of range.
 */
const oss_callback_attempt *oss_callback_receipt_earlier_attempt(
    const oss_callback_receipt *receipt, size_t index);

/**
 * The number of notes.
 */
size_t oss_callback_receipt_notes_len(const oss_callback_receipt *receipt);

/**
 * A note in one sentence, from oss_upload_file_with_callback: why an upload did not resume from its
 * checkpoint, that an older one could not be aborted, or that OSS may have begun one whose id was lost.
 * `index` starts at 0; NULL if it is out of range.
 */
const char *oss_callback_receipt_note(const oss_callback_receipt *receipt, size_t index);

/**
 * How long the library waited for the head of the answer after sending the last byte. With a callback this
 * is mostly the application server's time.
 */
uint64_t oss_callback_receipt_waited_ms(const oss_callback_receipt *receipt);

/**
 * The application server's answer, byte for byte: `*answer_len` bytes. It is usually JSON, but the library
 * does not check. It is empty (but not NULL) without a callback and after a failed callback, and cut short
 * in a receipt of OSS_CALLBACK_CODE_ANSWER_DAMAGED. `answer_len` may be NULL.
 */
const uint8_t *oss_callback_receipt_answer(const oss_callback_receipt *receipt, size_t *answer_len);

/**
 * The answer's Content-Type, as the application server gave it; NULL without an answer.
 */
const char *oss_callback_receipt_answer_content_type(const oss_callback_receipt *receipt);

/**
 * A header of OSS's answer by its name, in any letter case; NULL if there is none.
 */
const char *oss_callback_receipt_header(const oss_callback_receipt *receipt, const char *name);

/**
 * Frees a receipt from an upload. Do not free one that is borrowed from an error.
 */
void oss_callback_receipt_free(oss_callback_receipt *receipt);

/**
 * @typedef oss_callback_attempt
 *
 * An attempt that failed and was followed by another. Borrowed from the receipt or the error that lists
 * it: do not free it. Any thread may read it.
 */

/**
 * Why the attempt failed. OSS_CALLBACK_CODE_OK for NULL.
 */
oss_callback_code oss_callback_attempt_code(const oss_callback_attempt *attempt);

/**
 * Whether the attempt stored the object. OSS_CALLBACK_STORED_UNKNOWN for NULL.
 */
oss_callback_stored oss_callback_attempt_stored(const oss_callback_attempt *attempt);

/**
 * Whether OSS accepted the application server's answer to the callback. OSS_CALLBACK_ANSWERED_UNKNOWN for
 * NULL.
 */
oss_callback_answered oss_callback_attempt_answered(const oss_callback_attempt *attempt);

/**
 * The HTTP status; 0 if no answer came.
 */
uint32_t oss_callback_attempt_status(const oss_callback_attempt *attempt);

/**
 * How long the attempt waited for the head of the answer after sending the last byte.
 */
uint64_t oss_callback_attempt_waited_ms(const oss_callback_attempt *attempt);

/** @} */

/**
 * @name The client
 *
 * Set options, then make a client from them. Any number of uploads and threads may share it.
 * @{
 */

/**
 * The certificate authorities that a client trusts besides those of
 * oss_callback_client_options_set_ca_bundle.
 */
typedef enum {
    /**
     * The system's. If it has none, Mozilla's as bundled with this library.
     */
    OSS_CALLBACK_ROOT_CERTIFICATES_AUTOMATIC = 0,
    /**
     * The system's. It is an error if the system has none.
     */
    OSS_CALLBACK_ROOT_CERTIFICATES_SYSTEM = 1,
    /**
     * Mozilla's, as bundled with this library.
     */
    OSS_CALLBACK_ROOT_CERTIFICATES_BUNDLED = 2,
    /**
     * Only those of the CA bundle.
     */
    OSS_CALLBACK_ROOT_CERTIFICATES_NONE = 3,
} oss_callback_root_certificates;

/**
 * No limit: a value for every limit in milliseconds or bytes per second. Not for the traffic limit.
 */
#define OSS_CALLBACK_UNLIMITED UINT64_MAX

/**
 * The default of oss_callback_client_options_set_connect_timeout_ms.
 */
#define OSS_CALLBACK_DEFAULT_CONNECT_TIMEOUT_MS 10000

/**
 * The default of oss_callback_client_options_set_answer_timeout_ms.
 */
#define OSS_CALLBACK_DEFAULT_ANSWER_TIMEOUT_MS 30000

/**
 * The default of oss_callback_client_options_set_progress_timeout_ms.
 */
#define OSS_CALLBACK_DEFAULT_PROGRESS_TIMEOUT_MS 30000

/**
 * The default of oss_callback_client_options_set_timeout_ms.
 */
#define OSS_CALLBACK_DEFAULT_TIMEOUT_MS OSS_CALLBACK_UNLIMITED

/**
 * The default of oss_callback_client_options_set_max_answer_len.
 */
#define OSS_CALLBACK_DEFAULT_MAX_ANSWER_LEN 4194304

/**
 * The default of oss_callback_client_options_set_max_attempts.
 */
#define OSS_CALLBACK_DEFAULT_MAX_ATTEMPTS 3

/**
 * The default of oss_callback_client_options_set_retry_base_delay_ms.
 */
#define OSS_CALLBACK_DEFAULT_RETRY_BASE_DELAY_MS 200

/**
 * The default of oss_callback_client_options_set_retry_max_delay_ms.
 */
#define OSS_CALLBACK_DEFAULT_RETRY_MAX_DELAY_MS 20000

/**
 * The default of oss_callback_client_options_set_max_idle_connections.
 */
#define OSS_CALLBACK_DEFAULT_MAX_IDLE_CONNECTIONS 64

/**
 * The default of oss_callback_client_options_set_max_idle_time_ms.
 */
#define OSS_CALLBACK_DEFAULT_MAX_IDLE_TIME_MS 15000

/**
 * Gives credentials that are valid now: sets a key pair in `credentials`, and when it expires. Returns
 * zero on success. Any other number is a failure, appears in the error's message and ends the operation
 * with OSS_CALLBACK_CODE_CREDENTIALS_FAILED, unless earlier credentials are still valid.
 */
typedef int (*oss_callback_credentials_hook)(oss_callback_credentials *credentials, void *userdata);

/**
 * Signs a text. `signature_version` is 4 or 1. `scope` is what a version 4 signature is bound to, such as
 * "20261124/cn-hangzhou/oss/aliyun_v4_request"; it is NULL for version 1. Writes the signature to
 * `signature`, which has room for `signature_len` bytes (at least 256), and returns its length. A NUL at
 * its end is not needed and not counted. A negative number is a failure, appears in the error's message
 * and ends the operation with OSS_CALLBACK_CODE_CREDENTIALS_FAILED.
 *
 * A version 4 signature is the HMAC-SHA256 of the text under the key of the scope, in lower-case
 * hexadecimal. That key is HMAC(HMAC(HMAC(HMAC("aliyun_v4" + secret, date), region), "oss"),
 * "aliyun_v4_request"), so a server may hand out a key for the day instead of signing each text. A version
 * 1 signature is the HMAC-SHA1 of the text under the secret, in Base64.
 */
typedef int64_t (*oss_callback_signer_hook)(
    const char *string_to_sign, uint32_t signature_version, const char *scope, char *signature,
    size_t signature_len, void *userdata);

/**
 * Called once, when nothing uses `userdata` any more.
 */
typedef void (*oss_callback_destroy_hook)(void *userdata);

/**
 * @typedef oss_callback_client_options
 *
 * The settings of a client. Only the endpoint and the credentials are required. The first error is
 * reported by oss_callback_client_new. Not safe to share between threads while it changes.
 */

/**
 * Makes options with the defaults. Free them with oss_callback_client_options_free; clients keep a copy.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_options_new(oss_callback_client_options **options);

/**
 * Sets the server, such as "https://oss-cn-hangzhou.aliyuncs.com", with a port if needed. Without a
 * scheme, https is used. With an IP address, URLs name the bucket in the path:
 * http://127.0.0.1:9000/bucket/object.
 */
void oss_callback_client_options_set_endpoint(
    oss_callback_client_options *options, const char *endpoint);

/**
 * Sets the region, "cn-hangzhou" or "oss-cn-hangzhou". Default: that of a standard endpoint. Required for
 * signature version 4.
 */
void oss_callback_client_options_set_region(
    oss_callback_client_options *options, const char *region);

/**
 * Sets an access key pair. `security_token` is NULL for a RAM user; for a role, it is the token from STS.
 * If both id and secret are NULL, the client has no credentials. Secrets never appear in messages.
 */
void oss_callback_client_options_set_credentials(
    oss_callback_client_options *options, const char *access_key_id, const char *access_key_secret,
    const char *security_token);

/**
 * Sets the key pair from the environment: OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, for a role,
 * OSS_SESSION_TOKEN. They are read during this call; no other thread may change the environment meanwhile.
 */
void oss_callback_client_options_set_credentials_from_env(oss_callback_client_options *options);

/**
 * Makes the client send unsigned requests. Only a bucket that is open to everyone accepts them, and OSS
 * delivers no callback for them.
 */
void oss_callback_client_options_set_credentials_anonymous(oss_callback_client_options *options);

/**
 * Sets the signature version: 4 (default) or 1.
 */
void oss_callback_client_options_set_signature_version(
    oss_callback_client_options *options, uint32_t version);

/**
 * Sets whether the endpoint is a custom domain bound to one bucket. URLs then do not name the bucket.
 * Default: false.
 */
void oss_callback_client_options_set_cname(oss_callback_client_options *options, bool cname);

/**
 * Sets whether URLs name the bucket in the path, not in the host. OSS refuses this on its standard
 * endpoints: use it for other servers that are reached by a name, such as localhost. Default: false.
 */
void oss_callback_client_options_set_path_style(
    oss_callback_client_options *options, bool path_style);

/**
 * Sets the User-Agent of requests, in printable ASCII. Default: "oss-callback/" and the version.
 */
void oss_callback_client_options_set_user_agent(
    oss_callback_client_options *options, const char *user_agent);

/**
 * Limits the time to resolve the server's name, and the time to connect, TLS included. Default: 10000 ms
 * each. 0 is refused. If the name has several addresses, the next one is tried after 250 ms, or at once
 * when one refuses.
 */
void oss_callback_client_options_set_connect_timeout_ms(
    oss_callback_client_options *options, uint64_t timeout_ms);

/**
 * Limits the time from the last byte sent until OSS answers, and the time for the answer's body. Default:
 * 30000 ms each. 0 is refused. It does not begin while sent bytes are still leaving this machine. A
 * callback adds 5000 ms for each of its URLs, because OSS is silent while it waits for the application
 * server; a spec made from Base64 or JSON counts as five URLs.
 */
void oss_callback_client_options_set_answer_timeout_ms(
    oss_callback_client_options *options, uint64_t timeout_ms);

/**
 * Limits the time without progress while a body leaves this machine or is received. Less than 1 KiB in that
 * time counts as no progress. Default: 30000 ms. 0 is refused.
 *
 * On Linux and Android a byte has left, and counts as sent, once the next machine has acknowledged it: the
 * server, or a proxy, behind which the library does not see. Other systems do not tell: there a byte counts
 * once the system has taken it, and the limit of oss_callback_client_options_set_answer_timeout_ms must
 * leave time for what a slow line has not carried by then.
 */
void oss_callback_client_options_set_progress_timeout_ms(
    oss_callback_client_options *options, uint64_t timeout_ms);

/**
 * Limits the time for an operation with all its attempts. Default: no limit. 0 is refused.
 */
void oss_callback_client_options_set_timeout_ms(
    oss_callback_client_options *options, uint64_t timeout_ms);

/**
 * Limits the length of an answer's body, in bytes; a longer one is an error. Default: 4 MiB. Downloads are
 * not limited.
 */
void oss_callback_client_options_set_max_answer_len(
    oss_callback_client_options *options, size_t max_answer_len);

/**
 * Sets how many times an operation is tried, the first attempt included. Default: 3. See
 * oss_callback_put_options_set_max_attempts.
 */
void oss_callback_client_options_set_max_attempts(
    oss_callback_client_options *options, uint32_t max_attempts);

/**
 * Sets the longest delay before the second attempt; it doubles with each further one. Default: 200 ms.
 */
void oss_callback_client_options_set_retry_base_delay_ms(
    oss_callback_client_options *options, uint64_t base_delay_ms);

/**
 * Sets the longest delay between two attempts. Default: 20000 ms.
 */
void oss_callback_client_options_set_retry_max_delay_ms(
    oss_callback_client_options *options, uint64_t max_delay_ms);

/**
 * Sets how many connections are kept open between requests. Default: 64.
 */
void oss_callback_client_options_set_max_idle_connections(
    oss_callback_client_options *options, size_t max_idle_connections);

/**
 * Sets how long a connection is kept open between requests. Default: 15000 ms.
 */
void oss_callback_client_options_set_max_idle_time_ms(
    oss_callback_client_options *options, uint64_t max_idle_time_ms);

/**
 * Adds an address to use for a host name instead of asking the system, for tests and split networks.
 * `address` is an IP address, alone or with a port, such as "127.0.0.1:443"; an IPv6 address with a port is
 * in brackets. Without a port, it is that of the URL. Several are tried in the order in which they were
 * added, the next one after 250 ms, or at once when one refuses. A `host` such as "*.oss.example.com" is
 * every name that ends so, as the hosts of buckets do; the longest one that fits is used. TLS checks the
 * name all the same. The name of a proxy can be given, too.
 */
void oss_callback_client_options_add_address(
    oss_callback_client_options *options, const char *host, const char *address);

/**
 * Sets the IP address of this machine that connections come from, to a proxy, too. Only addresses of the
 * same family are tried; "0.0.0.0" means any of IPv4. If it is not an address of this machine, requests
 * fail with OSS_CALLBACK_CODE_CONNECT. Lookups by the system's resolver are not bound. Default: as the
 * system chooses.
 */
void oss_callback_client_options_set_local_address(
    oss_callback_client_options *options, const char *local_address);

/**
 * Sets the network interface that connections go through, to a proxy, too, such as "eth1", even if the
 * routes say otherwise. Linux only: elsewhere it is refused; before Linux 5.7 it takes CAP_NET_RAW. If this
 * machine has none of that name, requests fail with OSS_CALLBACK_CODE_CONNECT. Lookups by the system's
 * resolver are not bound. Default: as the system chooses.
 */
void oss_callback_client_options_set_network_interface(
    oss_callback_client_options *options, const char *network_interface);

/**
 * Sets which certificate authorities are trusted: one of oss_callback_root_certificates. A library built
 * without TLS refuses it. Default: OSS_CALLBACK_ROOT_CERTIFICATES_AUTOMATIC. The environment variables
 * SSL_CERT_FILE and SSL_CERT_DIR are ignored.
 */
void oss_callback_client_options_set_root_certificates(
    oss_callback_client_options *options, uint32_t root_certificates);

/**
 * Sets certificates, `pem_len` bytes of PEM, that are trusted in addition to the others, or alone with
 * OSS_CALLBACK_ROOT_CERTIFICATES_NONE: those of authorities, or of the server itself. If the endpoint is
 * https, oss_callback_client_new refuses a bundle without a certificate, or with one that cannot be read. Of
 * OpenSSL's TRUSTED CERTIFICATE, one whose settings do not trust it with TLS servers is skipped. A library
 * built without TLS refuses any bundle.
 */
void oss_callback_client_options_set_ca_bundle(
    oss_callback_client_options *options, const uint8_t *pem, size_t pem_len);

/**
 * As oss_callback_client_options_set_ca_bundle, in its place, from a file of at most 16 MiB, which
 * oss_callback_client_new reads. NULL takes the bundle away.
 */
void oss_callback_client_options_set_ca_bundle_file(
    oss_callback_client_options *options, const char *path);

/**
 * Sets the certificate that the client shows to a server which asks for one, and its private key, both in
 * PEM. `client_certificate` begins with the client's own certificate; those of the authorities between it
 * and the one that the server knows follow. `client_key` is not encrypted: PKCS #8 (PRIVATE KEY), PKCS #1
 * (RSA PRIVATE KEY) or SEC1 (EC PRIVATE KEY), of RSA with 2048 bits or more, ECDSA P-256 or P-384, or
 * Ed25519. Both may be one text. If both are NULL, there is none, which is the default. If the endpoint is
 * https, oss_callback_client_new refuses a key that does not fit. The key never appears in messages. A
 * library built without TLS refuses any certificate.
 */
void oss_callback_client_options_set_client_certificate(
    oss_callback_client_options *options, const uint8_t *client_certificate,
    size_t client_certificate_len, const uint8_t *client_key, size_t client_key_len);

/**
 * As oss_callback_client_options_set_client_certificate, in its place, from files of at most 16 MiB, which
 * oss_callback_client_new reads.
 */
void oss_callback_client_options_set_client_certificate_files(
    oss_callback_client_options *options, const char *client_certificate, const char *client_key);

/**
 * Sets an HTTP proxy for all requests, such as "http://user:password@proxy.example.com:3128". User and
 * password are percent-encoded; they are sent as Basic authentication. Requests to an https endpoint go
 * through a tunnel (CONNECT); those to an http endpoint are sent to the proxy in absolute form. A proxy that
 * is itself reached over https, and SOCKS, are refused. Default: none.
 *
 * A proxy that refuses (4xx) is not asked again: the code is OSS_CALLBACK_CODE_CONNECT, nothing is stored,
 * oss_callback_error_status is the proxy's status, and the message says what to set.
 */
void oss_callback_client_options_set_proxy(oss_callback_client_options *options, const char *url);

/**
 * Sets whether oss_callback_client_new reads the proxy from the environment, if none is set. No other thread
 * may change the environment meanwhile. Default: false.
 *
 * https_proxy or HTTPS_PROXY is for https endpoints, http_proxy or HTTP_PROXY for http ones; otherwise
 * all_proxy or ALL_PROXY counts. The first of them that is not empty is used; without a scheme it is http.
 * HTTP_PROXY is ignored if REQUEST_METHOD is set: in a CGI program, the sender of a request sets it.
 *
 * no_proxy or NO_PROXY lists what is reached directly, separated by commas or blanks: * for everything, a
 * domain with all its subdomains (aliyuncs.com or .aliyuncs.com), an IP address, or a range of addresses
 * (10.0.0.0/8), which contains no names. A port may follow (example.com:8080). Other entries match nothing.
 * localhost and loopback addresses are always reached directly.
 */
void oss_callback_client_options_set_proxy_from_env(
    oss_callback_client_options *options, bool from_env);

/**
 * Sets a hook that gives credentials, in place of other credentials. It is called when a request needs
 * credentials and there are none yet, or they expire within 5 minutes (a fifth of their life if that is
 * shorter), or OSS has refused them as expired. If the hook sets no expiry, it is called for each request.
 * A NULL hook leaves the client without credentials.
 *
 * The hook runs on any thread that uses the client and on the library's own threads, but never on two at
 * once. Meanwhile other threads use the current credentials if these are still valid; otherwise they wait.
 * The hook may block; time limits and cancellations take effect when it returns. It must not use a client
 * that calls it.
 *
 * `userdata` must live as long as the options, the clients made from them, and those clients' multipart
 * uploads. When nothing uses it any more, because these were freed or the options got other credentials,
 * `destroy_hook` is called with it, once, on the thread that freed or changed the last of them. If
 * `options` or `hook` is NULL, it is called at once. `destroy_hook` may be NULL.
 */
void oss_callback_client_options_set_credentials_hook(
    oss_callback_client_options *options, oss_callback_credentials_hook hook, void *userdata,
    oss_callback_destroy_hook destroy_hook);

/**
 * Sets a hook that signs, in place of other credentials, so that the secret stays elsewhere: on an
 * application server, in a key store. Each request carries `access_key_id` and, for a role,
 * `security_token` (otherwise NULL). What is sent is the same, byte for byte, as with a local secret. If
 * both `access_key_id` and `hook` are NULL, the client has no credentials.
 *
 * The hook runs once for each request that is sent. Otherwise the hook, `userdata` and `destroy_hook` are
 * as in oss_callback_client_options_set_credentials_hook.
 */
void oss_callback_client_options_set_signer_hook(
    oss_callback_client_options *options, const char *access_key_id, const char *security_token,
    oss_callback_signer_hook hook, void *userdata, oss_callback_destroy_hook destroy_hook);

/**
 * Frees options.
 */
void oss_callback_client_options_free(oss_callback_client_options *options);

/**
 * @typedef oss_callback_credentials
 *
 * What a credentials hook fills in. Valid only while the hook runs. If a setter fails, the hook counts as
 * failed.
 */

/**
 * Sets the access key pair. `security_token` is NULL for a RAM user; for a role, it is the token from STS.
 */
void oss_callback_credentials_set_key_pair(
    oss_callback_credentials *credentials, const char *access_key_id, const char *access_key_secret,
    const char *security_token);

/**
 * Sets when the credentials expire: the time that STS returns, or one counted from this machine's clock,
 * however wrong that is.
 */
void oss_callback_credentials_set_expires_at_s(
    oss_callback_credentials *credentials, uint64_t expires);

/**
 * Takes the next `bytes_len` bytes of a download, at least 1. Returns zero to continue. Any other number
 * ends the download with OSS_CALLBACK_CODE_WRITE_FAILED.
 */
typedef int (*oss_callback_write_hook)(const uint8_t *bytes, size_t bytes_len, void *userdata);

/**
 * @typedef oss_callback_client
 *
 * A client of OSS, or of a server that speaks its protocol. Immutable: many threads may use it at once;
 * one thread frees it when no call uses it any more.
 */

/**
 * Checks the options and makes a client. Sends nothing. Free `*client` with oss_callback_client_free. With
 * OSS_CALLBACK_CODE_INVALID_ARGUMENT, `*error` names what is missing or wrong. The options may be used
 * again.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_new(
    const oss_callback_client_options *options, oss_callback_client **client,
    oss_callback_error **error);

/**
 * Begins a multipart upload of `object` into `bucket`.
 *
 * `options` may be NULL. You may pass the same options to every function that takes the upload: each uses
 * those that apply to it, and all refuse those that are only for oss_upload_file_with_callback. This
 * function sends the object's headers, metadata and tags. The handle remembers the rest for later
 * requests: the traffic limit for parts, the ACL, whether the requester pays, and whether an existing
 * object is kept, which is checked both here and on completion. On another machine, pass them again.
 *
 * Free `*upload` with oss_callback_multipart_upload_free, which aborts nothing. If an answer is lost, OSS
 * may have begun an upload whose id nobody knows. Then oss_callback_error_note says so, or
 * oss_callback_multipart_upload_note if a later attempt succeeded;
 * oss_callback_client_list_uploads_begun_since finds that upload.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_initiate_multipart_upload(
    const oss_callback_client *client, const char *bucket, const char *object,
    const oss_callback_put_options *options, oss_callback_multipart_upload **upload,
    oss_callback_error **error);

/**
 * Makes a handle for a multipart upload that was begun earlier, here or on another machine. Sends nothing.
 * Free `*upload` with oss_callback_multipart_upload_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_resume_multipart_upload(
    const oss_callback_client *client, const char *bucket, const char *object,
    const char *upload_id, oss_callback_multipart_upload **upload, oss_callback_error **error);

/**
 * Lists the open multipart uploads of a bucket, with one request per 1000 uploads.
 *
 * `prefix`, unless NULL, limits the list to objects whose names begin with it. `delimiter`, unless NULL,
 * groups uploads: if an object's name contains the delimiter after the prefix, its upload appears only as
 * a common prefix, the name up to and including the delimiter. "/" gives something like folders. `options`
 * may be NULL. Free `*uploads` with oss_callback_multipart_uploads_free. Fails if there are more than
 * 100000 uploads.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_list_multipart_uploads(
    const oss_callback_client *client, const char *bucket, const char *prefix,
    const char *delimiter, const oss_callback_operation_options *options,
    oss_callback_multipart_uploads **uploads, oss_callback_error **error);

/**
 * Lists the open multipart uploads of `object` that were begun at `since_at_s` by the local clock or
 * later. Use it to find uploads whose answer was lost: see oss_callback_client_initiate_multipart_upload.
 *
 * OSS's clock may differ; the library corrects for that, to the second, and lists an upload when in doubt.
 * Another program may have begun one of these uploads, so check before you abort it. `options` may be
 * NULL. Free `*uploads` with oss_callback_multipart_uploads_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_list_uploads_begun_since(
    const oss_callback_client *client, const char *bucket, const char *object, uint64_t since_at_s,
    const oss_callback_operation_options *options, oss_callback_multipart_uploads **uploads,
    oss_callback_error **error);

/**
 * Reads an object's metadata. `options` may be NULL. Free `*metadata` with
 * oss_callback_object_metadata_free. Fails with OSS_CALLBACK_CODE_NOT_FOUND if there is no such object.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_head_object(
    const oss_callback_client *client, const char *bucket, const char *object,
    const oss_callback_operation_options *options, oss_callback_object_metadata **metadata,
    oss_callback_error **error);

/**
 * Downloads an object: passes its contents to `write_hook`, block by block, and compares their CRC-64
 * with OSS's.
 *
 * `options` and `metadata` may be NULL. Free `*metadata` with oss_callback_object_metadata_free. Fails
 * with OSS_CALLBACK_CODE_NOT_FOUND if there is no such object, OSS_CALLBACK_CODE_WRITE_FAILED if the hook
 * returns non-zero, OSS_CALLBACK_CODE_CONNECTION_LOST if the contents end early, and
 * OSS_CALLBACK_CODE_CHECKSUM_MISMATCH if they are not what OSS stored. After any failure, discard what the
 * hook received.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_get_object(
    const oss_callback_client *client, const char *bucket, const char *object,
    oss_callback_write_hook write_hook, void *userdata,
    const oss_callback_operation_options *options, oss_callback_object_metadata **metadata,
    oss_callback_error **error);

/**
 * Deletes an object. `options` may be NULL. As in OSS itself, deleting an object that does not exist
 * succeeds. If the answer is lost, delete it again.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_delete_object(
    const oss_callback_client *client, const char *bucket, const char *object,
    const oss_callback_operation_options *options, oss_callback_error **error);

/**
 * Finds out what became of an upload that failed with the error `unknown`, whose oss_callback_error_stored
 * is OSS_CALLBACK_STORED_UNKNOWN.
 *
 * Looks at the object and, for a multipart upload, first at the upload. Changes nothing. `client` need not
 * be the one that uploaded. `options` may be NULL. Free `*reconciled` with oss_callback_reconciled_free.
 * OSS keeps no record of the callback: ask the application server whether it was answered.
 *
 * Fails with OSS_CALLBACK_CODE_INVALID_ARGUMENT if the outcome is not unknown, or if the upload used a
 * presigned URL or a form. Any other failure leaves the outcome unknown.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_reconcile(
    const oss_callback_client *client, const oss_callback_error *unknown,
    const oss_callback_operation_options *options, oss_callback_reconciled **reconciled,
    oss_callback_error **error);

#if !defined(OSS_CALLBACK_SMALL)

/**
 * Signs a URL that lets others upload `object` into `bucket`. Sends nothing. The URL is valid for
 * `expires_in_s` seconds, 1 to 604800 (7 days), or until the client's credentials expire, if that is
 * sooner. They begin now, by OSS's clock if an answer to the client has told of it, otherwise by this
 * machine's.
 *
 * `options` may be NULL. The object's headers in them apply: they are signed, and the uploader must send
 * them with the URL. A Content-Type is signed only if you set one; do so for browsers, which always send
 * one. `spec` must not be NULL (see oss_callback_spec_none). Its callback is in the URL, where the
 * uploader can neither change nor drop it, or, with `callback_in_headers`, in headers, which must then be
 * sent. Free `*presigned_url` with oss_callback_presigned_url_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_presign_put_object(
    const oss_callback_client *client, const char *bucket, const char *object,
    const oss_callback_spec *spec, const oss_callback_put_options *options, uint64_t expires_in_s,
    bool callback_in_headers, oss_callback_presigned_url **presigned_url,
    oss_callback_error **error);

#endif /* OSS_CALLBACK_SMALL */

#if !defined(OSS_CALLBACK_SMALL)

/**
 * Signs a URL that lets others download an object. Sends nothing. `expires_in_s` is as for
 * oss_callback_client_presign_put_object. Free `*presigned_url` with oss_callback_presigned_url_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_presign_get_object(
    const oss_callback_client *client, const char *bucket, const char *object,
    uint64_t expires_in_s, oss_callback_presigned_url **presigned_url, oss_callback_error **error);

#endif /* OSS_CALLBACK_SMALL */

#if !defined(OSS_CALLBACK_SMALL)

/**
 * Like oss_callback_client_presign_get_object, but lets others read an object's metadata, to check whether
 * what they uploaded is there.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_presign_head_object(
    const oss_callback_client *client, const char *bucket, const char *object,
    uint64_t expires_in_s, oss_callback_presigned_url **presigned_url, oss_callback_error **error);

#endif /* OSS_CALLBACK_SMALL */

#if !defined(OSS_CALLBACK_SMALL)

/**
 * Signs a form for an upload into `bucket`. Sends nothing. Free `*post_form` with
 * oss_callback_post_form_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_sign_post_form(
    const oss_callback_client *client, const char *bucket,
    const oss_callback_post_policy *post_policy, oss_callback_post_form **post_form,
    oss_callback_error **error);

#endif /* OSS_CALLBACK_SMALL */

/**
 * Frees a client. No call may still be using it.
 */
void oss_callback_client_free(oss_callback_client *client);

/** @} */

/**
 * @name The callback
 *
 * What OSS sends to the application server once it has stored the object.
 * @{
 */

/**
 * The type of a callback's body, which becomes its Content-Type.
 */
typedef enum {
    /**
     * application/x-www-form-urlencoded, which is also OSS's default.
     */
    OSS_CALLBACK_BODY_TYPE_FORM = 0,
    /**
     * application/json.
     */
    OSS_CALLBACK_BODY_TYPE_JSON = 1,
} oss_callback_body_type;

/**
 * @typedef oss_callback_body_template
 *
 * The body of a callback, built member by member, so that names and values are escaped correctly. To set
 * it as text instead, see oss_callback_spec_options_set_body. The first error is reported by
 * oss_callback_spec_new. Not safe to share between threads while it changes.
 */

/**
 * Makes an empty body of type `body_type`, one of oss_callback_body_type. Free it with
 * oss_callback_body_template_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_body_template_new(
    uint32_t body_type, oss_callback_body_template **body_template);

/**
 * Adds a member whose value OSS fills in. `variable` is one of bucket, object, etag, size, mimeType,
 * imageInfo.height, imageInfo.width, imageInfo.format, crc64, contentMd5, vpcId, clientIp, reqId and
 * operation, or one of your own variables, whose names begin with x:.
 */
void oss_callback_body_template_add_variable(
    oss_callback_body_template *body_template, const char *name, const char *variable);

/**
 * Adds a member with a fixed value, which is escaped.
 */
void oss_callback_body_template_add_text(
    oss_callback_body_template *body_template, const char *name, const char *value);

/**
 * Frees a template.
 */
void oss_callback_body_template_free(oss_callback_body_template *body_template);

/**
 * @typedef oss_callback_spec_options
 *
 * The contents of a callback. Only a URL and a body are required. The first error is reported by
 * oss_callback_spec_new. Not safe to share between threads while it changes.
 */

/**
 * Makes empty options. Free them with oss_callback_spec_options_free; specs keep a copy.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_spec_options_new(oss_callback_spec_options **options);

/**
 * Adds a URL of the application server, percent-encoded; at most five. OSS tries them in this order until
 * one agrees.
 */
void oss_callback_spec_options_add_url(oss_callback_spec_options *options, const char *url);

/**
 * Sets the Host header of the callback: a domain name or an IP address. Default: the host of the URL.
 */
void oss_callback_spec_options_set_host(oss_callback_spec_options *options, const char *host);

/**
 * Sets what OSS sends, as text with placeholders, such as "filename=${object}&size=${size}". This or
 * oss_callback_spec_options_set_body_template is required. In a JSON body, OSS itself puts quotes around
 * strings: {"filename":${object}}.
 */
void oss_callback_spec_options_set_body(oss_callback_spec_options *options, const char *body);

/**
 * Sets what OSS sends, and the body type, from a template.
 */
void oss_callback_spec_options_set_body_template(
    oss_callback_spec_options *options, const oss_callback_body_template *body_template);

/**
 * Sets the type of a body given as text: one of oss_callback_body_type. Default:
 * OSS_CALLBACK_BODY_TYPE_FORM.
 */
void oss_callback_spec_options_set_body_type(
    oss_callback_spec_options *options, uint32_t body_type);

/**
 * Sets whether OSS names the host in the TLS handshake (SNI) of an https URL. Default: false. Without SNI,
 * a server with several certificates typically fails the callback with "Error status : 502."
 */
void oss_callback_spec_options_set_sni(oss_callback_spec_options *options, bool sni);

/**
 * Adds a variable of your own; the body refers to it as ${x:name}. If the name lacks "x:", it is added.
 * Upper-case letters in the name are refused, as by OSS.
 */
void oss_callback_spec_options_add_variable(
    oss_callback_spec_options *options, const char *name, const char *value);

/**
 * Adds another member to the callback, such as "callbackPolicy". `json` is JSON text, so a string needs
 * its quotes.
 */
void oss_callback_spec_options_add_member(
    oss_callback_spec_options *options, const char *name, const char *json);

/**
 * Frees options.
 */
void oss_callback_spec_options_free(oss_callback_spec_options *options);

/**
 * @typedef oss_callback_spec
 *
 * The callback that OSS is asked to send once it has stored an object. Immutable: many threads may use it
 * at once, for any number of uploads; one thread frees it.
 */

/**
 * Encodes a callback and checks it against OSS's rules. Free `*spec` with oss_callback_spec_free. With
 * OSS_CALLBACK_CODE_INVALID_CALLBACK, `*error` names the member and its problem, and oss_callback_error_ec
 * gives the code with which OSS would have answered. The options may be used again.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_spec_new(
    const oss_callback_spec_options *options, oss_callback_spec **spec, oss_callback_error **error);

/**
 * Makes a spec from a callback that was issued elsewhere and is already in Base64: the values of
 * x-oss-callback and x-oss-callback-var (NULL if there are no variables). They are sent as they are,
 * unchecked: see oss_callback_spec_check. Free `*spec` with oss_callback_spec_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_spec_new_from_base64(
    const char *callback, const char *callback_var, oss_callback_spec **spec,
    oss_callback_error **error);

/**
 * Like oss_callback_spec_new_from_base64, but from JSON texts, which the library encodes in Base64.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_spec_new_from_json(
    const char *callback, const char *callback_var, oss_callback_spec **spec,
    oss_callback_error **error);

/**
 * The spec of an upload without a callback. It is static: do not free it. Any thread may call this.
 *
 * Uploads refuse a NULL spec, so an unnoticed failure of oss_callback_spec_new cannot turn an upload with
 * a callback into one without.
 */
const oss_callback_spec *oss_callback_spec_none(void);

/**
 * Checks a spec that was issued elsewhere against OSS's rules; one from oss_callback_spec_new has already
 * passed. Fails with OSS_CALLBACK_CODE_INVALID_CALLBACK as oss_callback_spec_new does. A private address
 * is not an error.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_spec_check(
    const oss_callback_spec *spec, oss_callback_error **error);

/**
 * The value of the header x-oss-callback: JSON in Base64.
 */
const char *oss_callback_spec_callback(const oss_callback_spec *spec);

/**
 * The value of the header x-oss-callback-var; NULL if there are no variables.
 */
const char *oss_callback_spec_callback_var(const oss_callback_spec *spec);

/**
 * The number of warnings about what OSS accepts but is probably a mistake, such as a private address or an
 * undefined variable. Uploads ignore them. 0 for a spec that OSS would refuse.
 */
size_t oss_callback_spec_warnings_len(const oss_callback_spec *spec);

/**
 * A warning in one sentence. `index` starts at 0; NULL if it is out of range.
 */
const char *oss_callback_spec_warning(const oss_callback_spec *spec, size_t index);

#if !defined(OSS_CALLBACK_SMALL)

/**
 * Renders the requests that OSS would send after an upload, one for each URL; OSS sends each only if those
 * before it fail. Sends nothing. Free `*preview` with oss_callback_preview_free. Fails with
 * OSS_CALLBACK_CODE_INVALID_CALLBACK as oss_callback_spec_check does.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_spec_preview(
    const oss_callback_spec *spec, const oss_callback_object_facts *object_facts,
    oss_callback_preview **preview, oss_callback_error **error);

#endif /* OSS_CALLBACK_SMALL */

/**
 * Frees a spec. No call may still be using it.
 */
void oss_callback_spec_free(oss_callback_spec *spec);

/** @} */

/**
 * @name Options of uploads and other operations
 *
 * All of them are optional; NULL options mean the defaults.
 * @{
 */

/**
 * @typedef oss_callback_cancellation
 *
 * Ends operations from another thread: see oss_callback_put_options_set_cancellation and
 * oss_callback_operation_options_set_cancellation. One handle may serve any number of operations, which
 * then end together. Many threads may use it at once; one thread frees it, even before the operations end.
 */

/**
 * Makes a cancellation. Free it with oss_callback_cancellation_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_cancellation_new(oss_callback_cancellation **cancellation);

/**
 * Ends the operations that use this cancellation with OSS_CALLBACK_CODE_CANCELLED within 0.2 s, whatever
 * the connection is doing. An operation whose hook is running ends when the hook returns. A cancellation
 * stays cancelled: operations that begin later send nothing. An upload whose answer has begun to arrive is
 * already stored; it ends with OSS_CALLBACK_CODE_ANSWER_DAMAGED. Any thread may call this, and so may a
 * signal handler.
 */
void oss_callback_cancellation_cancel(const oss_callback_cancellation *cancellation);

/**
 * Whether it was cancelled. Any thread may call this.
 */
bool oss_callback_cancellation_is_cancelled(const oss_callback_cancellation *cancellation);

/**
 * Frees a cancellation without cancelling anything.
 */
void oss_callback_cancellation_free(oss_callback_cancellation *cancellation);

/**
 * Receives the progress of an upload: `sent` bytes of the body, out of `total`, have left this machine. On
 * Linux and Android that means that the next machine has acknowledged them: the server, or a proxy. Other
 * systems do not tell, so there it means that the system has taken them. `total` may be
 * OSS_CALLBACK_LEN_UNKNOWN. Returns zero to continue. Any other number ends the upload with
 * OSS_CALLBACK_CODE_CANCELLED. If its last bytes were on their way by then, oss_callback_error_stored
 * returns OSS_CALLBACK_STORED_UNKNOWN.
 */
typedef int (*oss_callback_progress_hook)(uint64_t sent, uint64_t total, void *userdata);

/**
 * @typedef oss_callback_put_options
 *
 * Options of an upload. All are optional. The first error is reported by the upload. Many threads may use
 * them at once, for any number of uploads, while no thread changes them. Each of these threads then calls
 * the progress hook, perhaps at the same time, with the numbers of its own upload: to tell uploads apart,
 * give each its own options.
 */

/**
 * Makes empty options. Free them with oss_callback_put_options_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_put_options_new(oss_callback_put_options **options);

/**
 * Sets the object's Content-Type. Default: guessed from the extension of the file or of the object's name,
 * otherwise application/octet-stream.
 */
void oss_callback_put_options_set_content_type(
    oss_callback_put_options *options, const char *content_type);

/**
 * Sets user metadata, stored with the object as x-oss-meta-name. Names consist of letters, digits and
 * hyphens. At most 8 KiB in all.
 */
void oss_callback_put_options_set_metadata(
    oss_callback_put_options *options, const char *name, const char *value);

/**
 * Sets who may read and write the object, in OSS's words: "default" (as for the bucket), "private",
 * "public-read" or "public-read-write".
 */
void oss_callback_put_options_set_object_acl(
    oss_callback_put_options *options, const char *object_acl);

/**
 * Sets an id of your choice that no other upload has. It is stored with the object as the user metadata
 * "idempotency-id" and lets oss_callback_client_reconcile tell whether this upload stored the object. If
 * you repeat the upload, use the same id. 1 to 128 ASCII characters without spaces. Default: none.
 */
void oss_callback_put_options_set_idempotency_id(
    oss_callback_put_options *options, const char *idempotency_id);

/**
 * Sets the storage class, in OSS's words: "Standard", "IA", "Archive", "ColdArchive" or "DeepColdArchive".
 * Default: the bucket's.
 */
void oss_callback_put_options_set_storage_class(
    oss_callback_put_options *options, const char *storage_class);

/**
 * Adds a tag: at most 10, with different keys. Keys have 1 to 128 bytes, values at most 256.
 */
void oss_callback_put_options_add_tag(
    oss_callback_put_options *options, const char *key, const char *value);

/**
 * Sets how OSS encrypts the object, in OSS's words: "AES256" or "SM4" with OSS's own keys, or "KMS" with a
 * key of the Key Management Service. Default: the bucket's.
 */
void oss_callback_put_options_set_server_side_encryption(
    oss_callback_put_options *options, const char *server_side_encryption);

/**
 * Sets the id of the key for "KMS". Default: the service's default key. Refused without "KMS".
 */
void oss_callback_put_options_set_server_side_encryption_key_id(
    oss_callback_put_options *options, const char *server_side_encryption_key_id);

/**
 * Sets the algorithm that encrypts the data with "KMS": "SM4". Default: AES-256. Refused without "KMS".
 */
void oss_callback_put_options_set_server_side_data_encryption(
    oss_callback_put_options *options, const char *server_side_data_encryption);

/**
 * Asks OSS to limit each connection that sends a body. The limit is in BITS per second, 819200 to
 * 838860800. For a limit that this library enforces, see
 * oss_callback_put_options_set_bandwidth_bytes_per_s.
 */
void oss_callback_put_options_set_traffic_limit_bits_per_s(
    oss_callback_put_options *options, uint64_t bits_per_second);

/**
 * Sets whether the upload fails with OSS_CALLBACK_CODE_CONFLICT if an object of this name exists. Default:
 * false, which replaces that object. Has no effect in a bucket with versioning.
 */
void oss_callback_put_options_set_forbid_overwrite(
    oss_callback_put_options *options, bool forbid_overwrite);

/**
 * Sets the object's Cache-Control, which OSS sends with downloads.
 */
void oss_callback_put_options_set_cache_control(
    oss_callback_put_options *options, const char *cache_control);

/**
 * Sets the object's Content-Disposition, which OSS sends with downloads.
 */
void oss_callback_put_options_set_content_disposition(
    oss_callback_put_options *options, const char *content_disposition);

/**
 * Sets the object's Content-Encoding, which OSS sends with downloads. The body is sent unchanged.
 */
void oss_callback_put_options_set_content_encoding(
    oss_callback_put_options *options, const char *content_encoding);

/**
 * Sets the object's Content-Language, which OSS sends with downloads.
 */
void oss_callback_put_options_set_content_language(
    oss_callback_put_options *options, const char *content_language);

/**
 * Sets when copies of the object become stale: its Expires, which OSS sends with downloads. At most the
 * end of the year 9999.
 */
void oss_callback_put_options_set_expires_at_s(oss_callback_put_options *options, uint64_t expires);

/**
 * Sets whether the requester pays, as another account's bucket may require. Default: false.
 */
void oss_callback_put_options_set_requester_pays(
    oss_callback_put_options *options, bool requester_pays);

/**
 * Sets whether the body's MD5 is sent (Content-MD5), so that OSS refuses a body damaged in transit and
 * stores nothing. The body is read an extra time first, so one that can be read only once, from a read
 * hook or a pipe, is refused. Default: false.
 */
void oss_callback_put_options_set_content_md5(oss_callback_put_options *options, bool content_md5);

/**
 * Sets any other header of the object by its name. Headers that the library sets itself are refused.
 */
void oss_callback_put_options_set_header(
    oss_callback_put_options *options, const char *name, const char *value);

/**
 * Limits the time to resolve the server's name, and the time to connect, TLS included. Default: the
 * client's. 0 is refused.
 */
void oss_callback_put_options_set_connect_timeout_ms(
    oss_callback_put_options *options, uint64_t timeout_ms);

/**
 * Limits the time from the last byte sent until OSS answers, and the time for the answer's body. Default:
 * the client's. 0 is refused. Callbacks add to it: see oss_callback_client_options_set_answer_timeout_ms.
 */
void oss_callback_put_options_set_answer_timeout_ms(
    oss_callback_put_options *options, uint64_t timeout_ms);

/**
 * Limits the time without progress while the body leaves this machine. Less than 1 KiB in that time counts
 * as no progress. Default: the client's. 0 is refused.
 */
void oss_callback_put_options_set_progress_timeout_ms(
    oss_callback_put_options *options, uint64_t timeout_ms);

/**
 * Limits the time for the upload with all its attempts. Time spent in hooks counts, but the limit takes
 * effect only when they return. Default: the client's. 0 is refused.
 */
void oss_callback_put_options_set_timeout_ms(
    oss_callback_put_options *options, uint64_t timeout_ms);

/**
 * Sets a deadline, `deadline_ms` milliseconds from now, for all uploads with these options, including the
 * steps of a multipart upload. If oss_callback_put_options_set_timeout_ms is set too, whichever comes
 * first applies.
 */
void oss_callback_put_options_set_deadline_ms(
    oss_callback_put_options *options, uint64_t deadline_ms);

/**
 * Sets how many times a request of the upload is tried, the first attempt included. Default: the client's.
 *
 * Only a failure that may end differently is retried, and only with a body that can be read again. An
 * upload with a callback is retried only while it is certain that nothing was stored: see
 * oss_callback_put_options_set_callback_is_idempotent.
 *
 * In a multipart upload, each part is a request of its own, and so is each lookup after a lost answer to
 * its completion. If OSS refuses a request because the clocks differ, or because a hook's credentials have
 * expired, the next attempt uses OSS's time or new credentials; without another attempt, the client's next
 * request does. If a kept connection turns out to be closed before the first byte of a request, replacing
 * it is not an attempt.
 */
void oss_callback_put_options_set_max_attempts(
    oss_callback_put_options *options, uint32_t max_attempts);

/**
 * Sets the longest delay before the second attempt; it doubles with each further one. The actual delays
 * are random, so that many clients do not retry at once. Default: the client's.
 */
void oss_callback_put_options_set_retry_base_delay_ms(
    oss_callback_put_options *options, uint64_t base_delay_ms);

/**
 * Sets the longest delay between two attempts. If OSS asks for a longer one (Retry-After), there is no
 * further attempt. Default: the client's.
 */
void oss_callback_put_options_set_retry_max_delay_ms(
    oss_callback_put_options *options, uint64_t max_delay_ms);

/**
 * Sets whether the application server can safely receive the same callback twice. If not, an upload with a
 * callback is not retried after a lost answer. Default: false.
 */
void oss_callback_put_options_set_callback_is_idempotent(
    oss_callback_put_options *options, bool callback_is_idempotent);

/**
 * Sets whether OSS's CRC-64 is compared with that of what was sent. Default: true.
 */
void oss_callback_put_options_set_compare_crc64(
    oss_callback_put_options *options, bool compare_crc64);

/**
 * Limits how many BYTES per second this library sends. Default: no limit. 0 is refused. For a limit that
 * OSS enforces, see oss_callback_put_options_set_traffic_limit_bits_per_s.
 */
void oss_callback_put_options_set_bandwidth_bytes_per_s(
    oss_callback_put_options *options, uint64_t bytes_per_second);

/**
 * Lets another thread end the uploads with these options. The cancellation may be freed afterwards.
 */
void oss_callback_put_options_set_cancellation(
    oss_callback_put_options *options, const oss_callback_cancellation *cancellation);

/**
 * Sets a hook that is called as bytes leave: after each block of up to 128 KiB, and on a slow line every
 * 20 ms while some leave. It also follows the last bytes, while the answer is awaited. Each call has a
 * larger number than the one before; the last number is the length of the body. Each further attempt
 * counts from zero. For an empty body it might not be called.
 */
void oss_callback_put_options_set_progress_hook(
    oss_callback_put_options *options, oss_callback_progress_hook hook, void *userdata);

/**
 * Sets the size of the parts in bytes, 102400 to 5368709120. A file no larger than that is sent in one
 * request. Default: 8 MiB, or more if the file would otherwise need more than 10000 parts. For
 * oss_upload_file_with_callback only; other uploads refuse it.
 */
void oss_callback_put_options_set_part_size(oss_callback_put_options *options, uint64_t part_size);

/**
 * Sets how many parts are sent at once, each over its own connection: 1 to 256. Default: 4. For
 * oss_upload_file_with_callback only; other uploads refuse it.
 */
void oss_callback_put_options_set_parallel(oss_callback_put_options *options, uint32_t parallel);

/**
 * Sets the path of a checkpoint, a file that records which parts were sent. Default: none, and a failed
 * upload is aborted. For oss_upload_file_with_callback only; other uploads refuse it.
 *
 * If the upload fails or its process dies, the same call resumes it later, in this or another process. The
 * file (size, modification time, samples of its contents; see oss_callback_put_options_set_verify_parts),
 * object, headers, endpoint and part size must be the same. If the file changed, or the checkpoint is
 * damaged or belongs to another upload, the upload starts over, and oss_callback_receipt_note says so. The
 * checkpoint is removed once the object is stored. A file that is sent in one request has none.
 *
 * One upload at a time may use a checkpoint: see OSS_CALLBACK_CODE_CHECKPOINT_IN_USE. During the upload
 * there may be files beside it with ".oss-callback-lock" and ".oss-callback-new" added to its name. A file
 * that the library did not write is never replaced or removed; in place of a checkpoint it causes
 * OSS_CALLBACK_CODE_CHECKPOINT_FAILED.
 */
void oss_callback_put_options_set_checkpoint(oss_callback_put_options *options, const char *path);

/**
 * Sets whether a resumed upload always reads the file again, compares it with the parts that OSS has, and
 * sends the parts that differ. Default: false; it then does so only if the file may have been touched,
 * that is, if its change time (st_ctime), which no program can set, is different, or if the system has
 * none. For oss_upload_file_with_callback only; other uploads refuse it.
 */
void oss_callback_put_options_set_verify_parts(
    oss_callback_put_options *options, bool verify_parts);

/**
 * Frees options.
 */
void oss_callback_put_options_free(oss_callback_put_options *options);

/**
 * @typedef oss_callback_operation_options
 *
 * Options of an operation other than an upload: limits and attempts in place of the client's, and a
 * cancellation. All are optional. The first error is reported by the operation. Many threads may use them
 * at once, for any number of operations, while no thread changes them.
 */

/**
 * Makes empty options. Free them with oss_callback_operation_options_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_operation_options_new(oss_callback_operation_options **options);

/**
 * Like oss_callback_put_options_set_connect_timeout_ms.
 */
void oss_callback_operation_options_set_connect_timeout_ms(
    oss_callback_operation_options *options, uint64_t timeout_ms);

/**
 * Limits the time from the last byte sent until OSS answers, and the time for the answer's body unless
 * that is an object's contents. Default: the client's. 0 is refused.
 */
void oss_callback_operation_options_set_answer_timeout_ms(
    oss_callback_operation_options *options, uint64_t timeout_ms);

/**
 * Like oss_callback_put_options_set_progress_timeout_ms, but also while a body is received.
 */
void oss_callback_operation_options_set_progress_timeout_ms(
    oss_callback_operation_options *options, uint64_t timeout_ms);

/**
 * Like oss_callback_put_options_set_timeout_ms.
 */
void oss_callback_operation_options_set_timeout_ms(
    oss_callback_operation_options *options, uint64_t timeout_ms);

/**
 * Like oss_callback_put_options_set_deadline_ms.
 */
void oss_callback_operation_options_set_deadline_ms(
    oss_callback_operation_options *options, uint64_t deadline_ms);

/**
 * Like oss_callback_put_options_set_cancellation.
 */
void oss_callback_operation_options_set_cancellation(
    oss_callback_operation_options *options, const oss_callback_cancellation *cancellation);

/**
 * Sets how many times the operation is tried, the first attempt included. Default: the client's. A
 * download is retried only until its hook has received a byte.
 */
void oss_callback_operation_options_set_max_attempts(
    oss_callback_operation_options *options, uint32_t max_attempts);

/**
 * Like oss_callback_put_options_set_retry_base_delay_ms.
 */
void oss_callback_operation_options_set_retry_base_delay_ms(
    oss_callback_operation_options *options, uint64_t base_delay_ms);

/**
 * Like oss_callback_put_options_set_retry_max_delay_ms.
 */
void oss_callback_operation_options_set_retry_max_delay_ms(
    oss_callback_operation_options *options, uint64_t max_delay_ms);

/**
 * Frees options.
 */
void oss_callback_operation_options_free(oss_callback_operation_options *options);

/** @} */

/**
 * @name Multipart uploads
 *
 * One object from many requests, programs or machines. For a single file, use
 * oss_upload_file_with_callback instead.
 * @{
 */

/**
 * @typedef oss_callback_multipart_uploads
 *
 * A list of open multipart uploads, neither completed nor aborted, sorted by object and then by upload id.
 * Immutable: any thread may read it; one thread frees it.
 */

/**
 * The number of uploads.
 */
size_t oss_callback_multipart_uploads_len(const oss_callback_multipart_uploads *uploads);

/**
 * The name of the object that an upload is for. `index` starts at 0; NULL if it is out of range.
 */
const char *oss_callback_multipart_uploads_object(
    const oss_callback_multipart_uploads *uploads, size_t index);

/**
 * An upload id, for oss_callback_client_resume_multipart_upload. `index` starts at 0; NULL if it is out of
 * range.
 */
const char *oss_callback_multipart_uploads_id(
    const oss_callback_multipart_uploads *uploads, size_t index);

/**
 * When an upload was begun, in OSS's format: "2012-02-23T04:18:23.000Z". `index` starts at 0; NULL if it
 * is out of range.
 */
const char *oss_callback_multipart_uploads_initiated(
    const oss_callback_multipart_uploads *uploads, size_t index);

/**
 * The number of common prefixes; 0 without a delimiter.
 */
size_t oss_callback_multipart_uploads_common_prefixes_len(
    const oss_callback_multipart_uploads *uploads);

/**
 * A common prefix, which stands for the uploads that were grouped. `index` starts at 0; NULL if it is out
 * of range.
 */
const char *oss_callback_multipart_uploads_common_prefix(
    const oss_callback_multipart_uploads *uploads, size_t index);

/**
 * Frees a list of uploads and aborts nothing.
 */
void oss_callback_multipart_uploads_free(oss_callback_multipart_uploads *uploads);

/**
 * @typedef oss_callback_multipart_upload
 *
 * A multipart upload that was begun: client, bucket, object and OSS's upload id. The object exists once
 * the upload is completed; until then OSS keeps the parts and bills for them.
 *
 * Many machines can upload one object together. One machine begins the upload with
 * oss_callback_client_initiate_multipart_upload and gives the others its oss_callback_multipart_upload_id.
 * Each of them resumes the upload with oss_callback_client_resume_multipart_upload, sends its part with
 * oss_callback_multipart_upload_upload_part, and returns the line that oss_callback_parts_json gives. One
 * machine adds all the lines to a list with oss_callback_parts_add_json and calls
 * oss_complete_multipart_upload_with_callback. The application server gets one callback.
 *
 * Many threads may use the handle at once while no thread changes it; one thread frees it. Its client may
 * be freed first.
 */

/**
 * The bucket.
 */
const char *oss_callback_multipart_upload_bucket(const oss_callback_multipart_upload *upload);

/**
 * The object's name.
 */
const char *oss_callback_multipart_upload_object(const oss_callback_multipart_upload *upload);

/**
 * The upload id. With the bucket and the object's name, it is all that another machine needs.
 */
const char *oss_callback_multipart_upload_id(const oss_callback_multipart_upload *upload);

/**
 * The number of notes.
 */
size_t oss_callback_multipart_upload_notes_len(const oss_callback_multipart_upload *upload);

/**
 * A note in one sentence: the answer to an earlier attempt was lost, so OSS may have begun another upload
 * whose id nobody knows. `index` starts at 0; NULL if it is out of range.
 */
const char *oss_callback_multipart_upload_note(
    const oss_callback_multipart_upload *upload, size_t index);

/**
 * Sets whether the requester pays for the requests of this upload, as another account's bucket may
 * require. Default: what the options said when this handle began the upload; false for a resumed upload.
 */
void oss_callback_multipart_upload_set_requester_pays(
    oss_callback_multipart_upload *upload, bool requester_pays);

/**
 * Lists the parts that OSS has, with one request per 1000 parts. `options` may be NULL. Free `*parts` with
 * oss_callback_parts_free. Fails with OSS_CALLBACK_CODE_NOT_FOUND if OSS does not know the upload (any
 * longer).
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_multipart_upload_list_parts(
    const oss_callback_multipart_upload *upload, const oss_callback_put_options *options,
    oss_callback_parts **parts, oss_callback_error **error);

/**
 * Aborts the upload and deletes its parts. Do not abort an upload that may have been completed. Parts that
 * are being sent meanwhile may survive: abort again once they have been sent.
 *
 * `options` may be NULL. A deadline in them applies to this call too: if it has expired, pass other
 * options. Fails with OSS_CALLBACK_CODE_NOT_FOUND if the upload was completed or aborted before; if an
 * answer was lost, this call itself may have aborted it. The handle must still be freed.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_multipart_upload_abort(
    const oss_callback_multipart_upload *upload, const oss_callback_put_options *options,
    oss_callback_error **error);

/**
 * Sends `body_len` bytes as a part of the object.
 *
 * `part_number`, from 1 to 10000, decides where the part goes in the object. A part replaces an earlier
 * one with the same number. Every part but the last needs at least 102400 bytes, which OSS checks when the
 * upload is completed. A part may have up to 5 GiB. `options` may be NULL. The options that apply are how
 * the body is sent, the progress hook, the traffic limit, whether the requester pays, and the limits. On
 * success the part is added to `parts`, unless that is NULL, with its size and its CRC-64, which was
 * compared with OSS's.
 *
 * The library retries a failed part where that may help. You may always send a part again. Fails with
 * OSS_CALLBACK_CODE_NOT_FOUND if OSS does not know the upload (any longer), and with
 * OSS_CALLBACK_CODE_CHECKSUM_MISMATCH if what OSS has differs from what was sent. Whatever the code,
 * oss_callback_error_stored returns OSS_CALLBACK_STORED_NO: there is no object before the upload is
 * completed.
 *
 * Many threads may use the same upload, options and list at once.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_multipart_upload_upload_part(
    const oss_callback_multipart_upload *upload, uint32_t part_number, const uint8_t *body,
    size_t body_len, const oss_callback_put_options *options, oss_callback_parts *parts,
    oss_callback_error **error);

/**
 * Like oss_callback_multipart_upload_upload_part, but sends `len` bytes of a file, starting at `offset`.
 * Also fails with OSS_CALLBACK_CODE_INVALID_ARGUMENT if the file ends before the range does,
 * OSS_CALLBACK_CODE_BODY_UNREADABLE if it cannot be read or is not a regular file, and
 * OSS_CALLBACK_CODE_BODY_CHANGED if it changes meanwhile.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_multipart_upload_upload_part_from_file(
    const oss_callback_multipart_upload *upload, uint32_t part_number, const char *path,
    uint64_t offset, uint64_t len, const oss_callback_put_options *options,
    oss_callback_parts *parts, oss_callback_error **error);

/**
 * Like oss_callback_multipart_upload_upload_part, but sends exactly `len` bytes that `read_hook` gives.
 * The hook is then called once more and must report the end. The body is read once, so the part is retried
 * only if nothing was read yet. Also fails with OSS_CALLBACK_CODE_BODY_UNREADABLE if the hook fails or
 * returns an impossible number, and with OSS_CALLBACK_CODE_BODY_CHANGED if it gives fewer or more bytes.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_multipart_upload_upload_part_from_reader(
    const oss_callback_multipart_upload *upload, uint32_t part_number,
    oss_callback_read_hook read_hook, void *userdata, uint64_t len,
    const oss_callback_put_options *options, oss_callback_parts *parts, oss_callback_error **error);

#if !defined(OSS_CALLBACK_SMALL)

/**
 * Signs a URL that lets others send a part of an upload. Sends nothing. `part_number` is from 1 to 10000;
 * `expires_in_s` is as for oss_callback_client_presign_put_object. Free `*presigned_url` with
 * oss_callback_presigned_url_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_multipart_upload_presign_part(
    const oss_callback_multipart_upload *upload, uint32_t part_number, uint64_t expires_in_s,
    oss_callback_presigned_url **presigned_url, oss_callback_error **error);

#endif /* OSS_CALLBACK_SMALL */

#if !defined(OSS_CALLBACK_SMALL)

/**
 * Signs a URL that lets others complete an upload. Sends nothing.
 *
 * With `all_parts`, OSS makes the object from all parts that it has, and the request must have an empty
 * body. Otherwise the body must be the list of parts in OSS's format. `spec`, `expires_in_s` and
 * `callback_in_headers` are as for oss_callback_client_presign_put_object, `options` as for
 * oss_complete_multipart_upload_with_callback. Free `*presigned_url` with oss_callback_presigned_url_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_multipart_upload_presign_complete(
    const oss_callback_multipart_upload *upload, bool all_parts, const oss_callback_spec *spec,
    const oss_callback_put_options *options, uint64_t expires_in_s, bool callback_in_headers,
    oss_callback_presigned_url **presigned_url, oss_callback_error **error);

#endif /* OSS_CALLBACK_SMALL */

/**
 * Frees the handle of an upload and aborts nothing.
 */
void oss_callback_multipart_upload_free(oss_callback_multipart_upload *upload);

/**
 * @typedef oss_callback_parts
 *
 * Parts that OSS has, sorted by number: plain values that can be kept and sent elsewhere. Many threads may
 * add parts to a list, or upload parts into it, at once; one thread frees it. What is borrowed from a list
 * is valid only until a part is added or the list is freed.
 */

/**
 * Makes an empty list. Free it with oss_callback_parts_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_parts_new(oss_callback_parts **parts);

/**
 * Adds a part from values that were kept; it replaces a part with the same number. `size`, in bytes, and
 * `crc64` are NULL if they are unknown. The upload can be completed without them, but then the object's
 * contents are not compared, and after a lost answer it stays unknown whether the object is stored. The
 * number and the ETag are checked on completion. Any thread may call this.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_parts_add(
    oss_callback_parts *parts, uint32_t part_number, const char *etag, const uint64_t *size,
    const uint64_t *crc64, oss_callback_error **error);

/**
 * Adds a part from the line of JSON that oss_callback_parts_json gave, on this machine or another; it
 * replaces a part with the same number. Fails with OSS_CALLBACK_CODE_INVALID_ARGUMENT if `json` is not
 * such a line. Any thread may call this.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_parts_add_json(
    oss_callback_parts *parts, const char *json, oss_callback_error **error);

/**
 * The number of parts. Any thread may call this.
 */
size_t oss_callback_parts_len(const oss_callback_parts *parts);

/**
 * A part's number. `index` starts at 0; 0 if it is out of range. Any thread may call this.
 */
uint32_t oss_callback_parts_number(const oss_callback_parts *parts, size_t index);

/**
 * A part's ETag without its quotes. It is opaque: compare it, do not interpret it. `index` starts at 0;
 * NULL if it is out of range.
 */
const char *oss_callback_parts_etag(const oss_callback_parts *parts, size_t index);

/**
 * Writes a part's size in bytes to `*size`; returns false if it is unknown or `index` is out of range. Any
 * thread may call this.
 */
bool oss_callback_parts_size(const oss_callback_parts *parts, size_t index, uint64_t *size);

/**
 * Writes a part's CRC-64 to `*crc64`; returns false if it is unknown or `index` is out of range. Any
 * thread may call this.
 */
bool oss_callback_parts_crc64(const oss_callback_parts *parts, size_t index, uint64_t *crc64);

/**
 * All that is known of a part as one line of JSON, for oss_callback_parts_add_json. `index` starts at 0;
 * NULL if it is out of range.
 */
const char *oss_callback_parts_json(const oss_callback_parts *parts, size_t index);

/**
 * Frees a list.
 */
void oss_callback_parts_free(oss_callback_parts *parts);

/** @} */

/**
 * @name Objects, and uploads whose outcome is unknown
 *
 * What OSS says about an object, and what became of an upload whose answer was lost.
 * @{
 */

/**
 * @typedef oss_callback_object_metadata
 *
 * What OSS says about an object. Immutable: any thread may read it; one thread frees it.
 */

/**
 * Writes the object's size in bytes to `*content_length`; returns false if OSS did not give it.
 */
bool oss_callback_object_metadata_content_length(
    const oss_callback_object_metadata *metadata, uint64_t *content_length);

/**
 * Writes the object's CRC-64 to `*crc64`; returns false if OSS did not give it.
 */
bool oss_callback_object_metadata_crc64(
    const oss_callback_object_metadata *metadata, uint64_t *crc64);

/**
 * Writes to `*last_modified` when the object was stored; returns false if OSS did not give it.
 */
bool oss_callback_object_metadata_last_modified_at_s(
    const oss_callback_object_metadata *metadata, uint64_t *last_modified);

/**
 * The object's ETag without its quotes; NULL if OSS did not give it.
 */
const char *oss_callback_object_metadata_etag(const oss_callback_object_metadata *metadata);

/**
 * A header of OSS's answer by its name, in any letter case, for example "Content-Type" or
 * "x-oss-meta-author"; NULL if there is none.
 */
const char *oss_callback_object_metadata_header(
    const oss_callback_object_metadata *metadata, const char *name);

/**
 * Frees metadata.
 */
void oss_callback_object_metadata_free(oss_callback_object_metadata *metadata);

/**
 * What is known of an upload after oss_callback_client_reconcile.
 */
typedef enum {
    /**
     * Another object is there, perhaps one that replaced this upload's, or an object that cannot be
     * compared.
     */
    OSS_CALLBACK_OUTCOME_STILL_UNKNOWN = 0,
    /**
     * The upload is stored. Its idempotency id proves it or, for a multipart upload, two facts together:
     * the upload is no longer open, and the object was made from parts and has their size and CRC-64.
     */
    OSS_CALLBACK_OUTCOME_STORED = 1,
    /**
     * An object with the size and the CRC-64 of the upload is there. Without an idempotency id, it cannot
     * be told whether this upload stored it or an earlier one with the same contents.
     */
    OSS_CALLBACK_OUTCOME_CONTENT_PRESENT = 2,
    /**
     * The upload is not there: the object does not exist or is older than the upload, or the multipart
     * upload is still open. A request that was still on its way may arrive later.
     */
    OSS_CALLBACK_OUTCOME_NOT_THERE = 3,
} oss_callback_outcome;

/**
 * @typedef oss_callback_reconciled
 *
 * What became of an upload whose outcome was unknown. Immutable: any thread may read it; one thread frees
 * it.
 */

/**
 * What is known of the upload. OSS_CALLBACK_OUTCOME_STILL_UNKNOWN for NULL.
 */
oss_callback_outcome oss_callback_reconciled_outcome(const oss_callback_reconciled *reconciled);

/**
 * The object that is there; NULL unless the outcome is OSS_CALLBACK_OUTCOME_STORED or
 * OSS_CALLBACK_OUTCOME_CONTENT_PRESENT. Borrowed from `reconciled`: do not free it.
 */
const oss_callback_object_metadata *oss_callback_reconciled_object(
    const oss_callback_reconciled *reconciled);

/**
 * Writes to `*observed_at` the time, by OSS's clock, at which the upload was not there; returns false
 * unless the outcome is OSS_CALLBACK_OUTCOME_NOT_THERE.
 */
bool oss_callback_reconciled_observed_at_s(
    const oss_callback_reconciled *reconciled, uint64_t *observed_at);

/**
 * Frees the handle.
 */
void oss_callback_reconciled_free(oss_callback_reconciled *reconciled);

/** @} */

/**
 * @name Permissions for others
 *
 * URLs and forms that let somebody without a key upload one object.
 * @{
 */

/**
 * @typedef oss_callback_presigned_url
 *
 * A URL that lets anyone who has it send one particular request, until it expires. Treat it like a
 * password. Immutable: any thread may read it; one thread frees it.
 */

/**
 * Makes a presigned URL from the JSON that oss_callback_presigned_url_json gave, on any machine, or that
 * another program wrote: {"method":"PUT","url":"…","headers":{"Content-Type":"…"}}. Free `*presigned_url`
 * with oss_callback_presigned_url_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_presigned_url_new_from_json(
    const char *json, oss_callback_presigned_url **presigned_url, oss_callback_error **error);

/**
 * The HTTP method that the URL permits, for example "PUT".
 */
const char *oss_callback_presigned_url_method(const oss_callback_presigned_url *presigned_url);

/**
 * The URL, percent-encoded.
 */
const char *oss_callback_presigned_url_url(const oss_callback_presigned_url *presigned_url);

/**
 * The URL with its method, headers and expiry as JSON, for a web page or another machine.
 */
const char *oss_callback_presigned_url_json(const oss_callback_presigned_url *presigned_url);

/**
 * Writes to `*expires` when the URL expires; returns false if the URL does not say.
 */
bool oss_callback_presigned_url_expires_at_s(
    const oss_callback_presigned_url *presigned_url, uint64_t *expires);

/**
 * The number of headers that must be sent with the URL, exactly as they are. No other Content-Type,
 * Content-MD5 or header that begins with "x-oss-" may be sent.
 */
size_t oss_callback_presigned_url_headers_len(const oss_callback_presigned_url *presigned_url);

/**
 * The name of a header that must be sent. `index` starts at 0; NULL if it is out of range.
 */
const char *oss_callback_presigned_url_header_name(
    const oss_callback_presigned_url *presigned_url, size_t index);

/**
 * The value of a header that must be sent. `index` starts at 0; NULL if it is out of range.
 */
const char *oss_callback_presigned_url_header_value(
    const oss_callback_presigned_url *presigned_url, size_t index);

/**
 * Frees a URL.
 */
void oss_callback_presigned_url_free(oss_callback_presigned_url *presigned_url);

/**
 * @typedef oss_callback_post_form
 *
 * A signed form: where to post it, and its fields. Treat it like a password. Immutable: any thread may
 * read it; one thread frees it.
 */

/**
 * Makes a form from the JSON that oss_callback_post_form_json gave, on any machine, or that another
 * program wrote: {"url":"…","fields":[["key","…"],…]}. Free `*post_form` with oss_callback_post_form_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_post_form_new_from_json(
    const char *json, oss_callback_post_form **post_form, oss_callback_error **error);

/**
 * The URL to post the form to.
 */
const char *oss_callback_post_form_url(const oss_callback_post_form *post_form);

/**
 * The form as JSON, for a web page or another machine.
 */
const char *oss_callback_post_form_json(const oss_callback_post_form *post_form);

/**
 * Writes to `*expires` when the form expires; returns false if the form does not say.
 */
bool oss_callback_post_form_expires_at_s(
    const oss_callback_post_form *post_form, uint64_t *expires);

/**
 * The number of fields. Send them before the file.
 */
size_t oss_callback_post_form_fields_len(const oss_callback_post_form *post_form);

/**
 * The name of a field. `index` starts at 0; NULL if it is out of range.
 */
const char *oss_callback_post_form_field_name(
    const oss_callback_post_form *post_form, size_t index);

/**
 * The value of a field. `index` starts at 0; NULL if it is out of range.
 */
const char *oss_callback_post_form_field_value(
    const oss_callback_post_form *post_form, size_t index);

/**
 * Frees a form.
 */
void oss_callback_post_form_free(oss_callback_post_form *post_form);

/** @} */

#if !defined(OSS_CALLBACK_SMALL)

/**
 * @name Signing forms
 *
 * What a browser may upload with a form that this program signs.
 * @{
 */

/**
 * @typedef oss_callback_post_policy
 *
 * What a form permits. Everything that you set becomes a field of the form and a condition of its policy,
 * so the uploader cannot change it. What you do not set is the uploader's choice: any size, any type, any
 * callback. The first error is reported by oss_callback_client_sign_post_form. Not safe to share between
 * threads while it changes.
 */

/**
 * Makes a policy that permits nothing yet: set a key or a prefix. Free `*post_policy` with
 * oss_callback_post_policy_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_post_policy_new(oss_callback_post_policy **post_policy);

/**
 * Sets the object's name.
 */
void oss_callback_post_policy_set_key(oss_callback_post_policy *post_policy, const char *key);

/**
 * Sets the beginning of the object's name; the uploaded file's name, which the uploader chooses, follows.
 */
void oss_callback_post_policy_set_key_prefix(
    oss_callback_post_policy *post_policy, const char *key_prefix);

/**
 * Sets how many seconds the form is valid: 1 to 604800 (7 days), or until the credentials expire, if that
 * is sooner. Default: 900.
 */
void oss_callback_post_policy_set_expires_in_s(
    oss_callback_post_policy *post_policy, uint64_t expires_in_s);

/**
 * Sets the smallest and the largest size of the file in bytes, both included. Default: any size.
 */
void oss_callback_post_policy_set_content_length_range(
    oss_callback_post_policy *post_policy, uint64_t least, uint64_t most);

/**
 * Adds a Content-Type that the uploader may choose in the field "x-oss-content-type".
 */
void oss_callback_post_policy_add_content_type(
    oss_callback_post_policy *post_policy, const char *content_type);

/**
 * Sets the callback: OSS calls the application server once the object is stored.
 */
void oss_callback_post_policy_set_callback(
    oss_callback_post_policy *post_policy, const oss_callback_spec *spec);

/**
 * Sets a field of the form to the value that it must have, such as "x-oss-meta-author",
 * "x-oss-object-acl", "x-oss-forbid-overwrite" or "success_action_status".
 */
void oss_callback_post_policy_set_field(
    oss_callback_post_policy *post_policy, const char *name, const char *value);

/**
 * Frees a policy.
 */
void oss_callback_post_policy_free(oss_callback_post_policy *post_policy);

/** @} */

#endif /* OSS_CALLBACK_SMALL */

#if !defined(OSS_CALLBACK_SMALL)

/**
 * @name Trying a callback without sending it
 *
 * What OSS would send, and what it would refuse.
 * @{
 */

/**
 * @typedef oss_callback_object_facts
 *
 * What OSS knows about an upload when it renders a callback. What you do not set stays empty. The first
 * error is reported by oss_callback_spec_preview. Not safe to share between threads while it changes.
 */

/**
 * Makes the facts of an object stored by PutObject. Free them with oss_callback_object_facts_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_object_facts_new(
    const char *bucket, const char *object, oss_callback_object_facts **object_facts,
    oss_callback_error **error);

/**
 * Sets a fact by the name of its variable: size or crc64 (decimal digits), etag, mimeType, contentMd5,
 * clientIp, vpcId, reqId or operation.
 */
void oss_callback_object_facts_set(
    oss_callback_object_facts *object_facts, const char *variable, const char *value);

/**
 * Says that the object is an image: sets its height and width in pixels and its format, such as "jpg",
 * which must not be NULL.
 */
void oss_callback_object_facts_set_image(
    oss_callback_object_facts *object_facts, uint64_t height, uint64_t width, const char *format);

/**
 * Frees facts.
 */
void oss_callback_object_facts_free(oss_callback_object_facts *object_facts);

/**
 * @typedef oss_callback_preview
 *
 * The requests that OSS would send. Immutable: any thread may read it; one thread frees it.
 */

/**
 * The number of requests, one for each URL of the callback.
 */
size_t oss_callback_preview_len(const oss_callback_preview *preview);

/**
 * The callback URL of a request. `index` starts at 0; NULL if it is out of range.
 */
const char *oss_callback_preview_url(const oss_callback_preview *preview, size_t index);

/**
 * The path and query of a request. `index` starts at 0; NULL if it is out of range.
 */
const char *oss_callback_preview_target(const oss_callback_preview *preview, size_t index);

/**
 * The body of a request. `index` starts at 0; NULL if it is out of range.
 */
const char *oss_callback_preview_body(const oss_callback_preview *preview, size_t index);

/**
 * A whole request as OSS would send it, but with lines ended by line feeds, and with words in parentheses
 * for what only OSS knows. `index` starts at 0; NULL if it is out of range.
 */
const char *oss_callback_preview_http(const oss_callback_preview *preview, size_t index);

/**
 * Frees a preview.
 */
void oss_callback_preview_free(oss_callback_preview *preview);

/**
 * @typedef oss_callback_explanation
 *
 * A callback explained in sentences. Immutable: any thread may read it; one thread frees it.
 */

/**
 * Explains what a callback will do. `callback` is the value of the header x-oss-callback or of the
 * parameter callback; `callback_var` is that of x-oss-callback-var or callback-var, or NULL.
 *
 * Both may be percent-encoded, use the URL-safe alphabet, lack padding or contain line breaks; the
 * explanation then says that OSS would refuse that. It shows variables with their values. Succeeds even
 * for a callback that OSS would refuse. Free `*explanation` with oss_callback_explanation_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_explanation_new(
    const char *callback, const char *callback_var, oss_callback_explanation **explanation,
    oss_callback_error **error);

/**
 * The whole explanation, one sentence per line: what OSS will do, then what is wrong, then what is
 * probably a mistake.
 */
const char *oss_callback_explanation_text(const oss_callback_explanation *explanation);

/**
 * The number of reasons why OSS would refuse the callback; 0 if it would not.
 */
size_t oss_callback_explanation_problems_len(const oss_callback_explanation *explanation);

/**
 * Frees an explanation.
 */
void oss_callback_explanation_free(oss_callback_explanation *explanation);

/** @} */

#endif /* OSS_CALLBACK_SMALL */

#if !defined(OSS_CALLBACK_SMALL)

/**
 * @name The application server
 *
 * Is this request from OSS? Did we permit this upload? Has it been handled before?
 * @{
 */

/**
 * @typedef oss_callback_verifier_options
 *
 * How callbacks are verified. The first error is reported by oss_callback_verifier_new. Not safe to share
 * between threads while it changes.
 */

/**
 * Makes options with OSS's production key. Free them with oss_callback_verifier_options_free; verifiers
 * keep a copy.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_verifier_options_new(oss_callback_verifier_options **options);

/**
 * Adds a key that OSS publishes: its URL below https://gosspublic.alicdn.com/ and its text in PEM. It
 * replaces a key with the same URL. The production key is already there.
 */
void oss_callback_verifier_options_add_key(
    oss_callback_verifier_options *options, const char *url, const char *pem);

/**
 * Sets whether unknown keys are fetched from OSS's key host. Default: false. The library fetches only URLs
 * of the form https://gosspublic.alicdn.com/callback_pub_key_v1.pem, at most 8 keys, each at most once a
 * minute and within 3 seconds. Verification waits meanwhile.
 */
void oss_callback_verifier_options_set_fetch_keys(
    oss_callback_verifier_options *options, bool fetch_keys);

/**
 * FOR TESTS ONLY: accepts exactly this key URL, which is not OSS's, with this key (PEM). Anyone who has
 * the private key can forge callbacks. It is meant for local-oss, which prints the URL when it starts.
 */
void oss_callback_verifier_options_trust_key_url_for_tests(
    oss_callback_verifier_options *options, const char *exact_url, const char *pem);

/**
 * Sets the longest body, in bytes. Default: 1 MiB.
 */
void oss_callback_verifier_options_set_max_body_len(
    oss_callback_verifier_options *options, size_t max_body_len);

/**
 * Adds a prefix that a reverse proxy strips, to be put back: with "/api", a request for /callback may have
 * been signed as /api/callback. The verifier first tries the target as it came.
 */
void oss_callback_verifier_options_add_prepended_prefix(
    oss_callback_verifier_options *options, const char *prefix);

/**
 * Adds a prefix that a reverse proxy adds, to be taken off: with "/internal", a request for
 * /internal/callback may have been signed as /callback. The verifier first tries the target as it came.
 */
void oss_callback_verifier_options_add_stripped_prefix(
    oss_callback_verifier_options *options, const char *prefix);

/**
 * Adds a header to trust, such as X-Original-URI, in which a reverse proxy keeps the target that it
 * received. The verifier first tries the target as it came.
 */
void oss_callback_verifier_options_add_target_header(
    oss_callback_verifier_options *options, const char *name);

/**
 * Frees options.
 */
void oss_callback_verifier_options_free(oss_callback_verifier_options *options);

/**
 * @typedef oss_callback_verifier
 *
 * Decides whether requests come from OSS. Immutable: many threads may use it at once; one thread frees it.
 *
 * A signature proves that OSS sent the request, and no more. Any customer of OSS can have such a request
 * sent to any URL, with any body, and it never expires. To prove that the upload was permitted, use an
 * oss_callback_sealer.
 */

/**
 * Makes a verifier. If `options` is NULL, it has OSS's production key and no proxy. Free `*verifier` with
 * oss_callback_verifier_free. The options may be used again.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_verifier_new(
    const oss_callback_verifier_options *options, oss_callback_verifier **verifier,
    oss_callback_error **error);

/**
 * Verifies a request as it came to the application server, before anything has decoded it.
 *
 * `target` is the path and query exactly as in the request line. `headers` holds 2 * `headers_len`
 * strings: a name, its value, the next name, and so on; if a name occurs several times, the first one
 * counts. Authorization and x-oss-pub-key-url are required; Content-Type, which says how to read the body,
 * and the headers that proxies add are used if they are there. You may leave out all others. A target or
 * header over 16 KiB cannot be OSS's.
 *
 * Takes about 20 microseconds and does no I/O, unless keys are fetched. Free `*verified` with
 * oss_callback_verified_free. The codes 80 to 87 say why a request is not a callback, except
 * OSS_CALLBACK_CODE_KEY_UNAVAILABLE, which says nothing about the request. oss_callback_error_message and
 * oss_callback_error_diagnosis are for the application's log. Do not send them to the requester; send
 * oss_callback_reply_new_refused.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_verifier_verify(
    const oss_callback_verifier *verifier, const char *method, const char *target,
    const char *const *headers, size_t headers_len, const uint8_t *body, size_t body_len,
    oss_callback_verified **verified, oss_callback_error **error);

/**
 * Frees a verifier. No call may still be using it.
 */
void oss_callback_verifier_free(oss_callback_verifier *verifier);

/**
 * @typedef oss_callback_verified
 *
 * A callback that OSS sent. It has no headers, because OSS does not sign them. Immutable: any thread may
 * read it; one thread frees it.
 *
 * A string is NULL if the body does not give it, gives null, or cannot be read: see
 * oss_callback_verified_check_body. An empty value is NULL too, except from oss_callback_verified_member
 * and oss_callback_verified_variable.
 */

/**
 * The path and query that OSS signed: those of the callback URL, whatever a proxy made of them. Use them
 * for logs only: /cb?id=1 and /cb%3Fid=1 have the same signature, and any customer of OSS can choose them.
 */
const char *oss_callback_verified_signed_target(const oss_callback_verified *verified);

/**
 * The URL of the key, as the callback named it.
 */
const char *oss_callback_verified_key_url(const oss_callback_verified *verified);

/**
 * The body, byte for byte: `*body_len` bytes. `body_len` may be NULL. An empty body is not NULL.
 */
const uint8_t *oss_callback_verified_body(const oss_callback_verified *verified, size_t *body_len);

/**
 * Checks that the body can be read, as a form or as JSON according to Content-Type. Fails with
 * OSS_CALLBACK_CODE_BAD_BODY if it is neither, is not UTF-8, has more than 2000 members or a NUL in one,
 * or has a member twice.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_verified_check_body(
    const oss_callback_verified *verified, oss_callback_error **error);

/**
 * A member of the body by its exact name. A number is its JSON text. The members of a JSON object
 * imageInfo are "imageInfo.height" and so on.
 */
const char *oss_callback_verified_member(const oss_callback_verified *verified, const char *name);

/**
 * One of the application's own variables by its name, with or without "x:": the member x:name or, if there
 * is none, the member name.
 */
const char *oss_callback_verified_variable(const oss_callback_verified *verified, const char *name);

/**
 * The bucket, ${bucket}.
 */
const char *oss_callback_verified_bucket(const oss_callback_verified *verified);

/**
 * The object's name, ${object}, from the member object or filename.
 */
const char *oss_callback_verified_object(const oss_callback_verified *verified);

/**
 * The ETag without its quotes, ${etag}.
 */
const char *oss_callback_verified_etag(const oss_callback_verified *verified);

/**
 * The object's Content-Type, ${mimeType}.
 */
const char *oss_callback_verified_mime_type(const oss_callback_verified *verified);

/**
 * The image's format, ${imageInfo.format}, such as "jpg", from the member imageInfo.format or format.
 */
const char *oss_callback_verified_image_format(const oss_callback_verified *verified);

/**
 * The MD5 in Base64, ${contentMd5}.
 */
const char *oss_callback_verified_content_md5(const oss_callback_verified *verified);

/**
 * The id of the upload request, ${reqId}.
 */
const char *oss_callback_verified_request_id(const oss_callback_verified *verified);

/**
 * The uploader's address, ${clientIp}.
 */
const char *oss_callback_verified_client_ip(const oss_callback_verified *verified);

/**
 * The uploader's VPC, ${vpcId}.
 */
const char *oss_callback_verified_vpc_id(const oss_callback_verified *verified);

/**
 * The operation, ${operation}: PutObject, PostObject or CompleteMultipartUpload.
 */
const char *oss_callback_verified_operation(const oss_callback_verified *verified);

/**
 * Writes the object's size in bytes, ${size}, to `*size`; returns false if the body does not give it.
 */
bool oss_callback_verified_size(const oss_callback_verified *verified, uint64_t *size);

/**
 * Writes the object's CRC-64, ${crc64}, to `*crc64`; returns false if the body does not give it.
 */
bool oss_callback_verified_crc64(const oss_callback_verified *verified, uint64_t *crc64);

/**
 * Writes the image's height in pixels, ${imageInfo.height}, from the member imageInfo.height or height, to
 * `*image_height`; returns false if the body does not give it.
 */
bool oss_callback_verified_image_height(
    const oss_callback_verified *verified, uint64_t *image_height);

/**
 * Writes the image's width in pixels, ${imageInfo.width}, from the member imageInfo.width or width, to
 * `*image_width`; returns false if the body does not give it.
 */
bool oss_callback_verified_image_width(
    const oss_callback_verified *verified, uint64_t *image_width);

/**
 * Looks up the object that the body names (HeadObject), and compares its ETag, size and CRC-64 with those
 * in the body. Call this before you do anything of value: neither OSS's signature nor a seal proves that
 * the upload took place. An object that was there before also passes, and without a seal the bucket may be
 * anyone's.
 *
 * Blocks for at most the client's time limits. `metadata` may be NULL; free `*metadata` with
 * oss_callback_object_metadata_free. Fails with OSS_CALLBACK_CODE_NOT_CONFIRMED if there is no such
 * object, if it differs, or if the body names none. Any other code means that nothing is known.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_verified_confirm(
    const oss_callback_verified *verified, const oss_callback_client *client,
    oss_callback_object_metadata **metadata, oss_callback_error **error);

/**
 * Frees a verified callback.
 */
void oss_callback_verified_free(oss_callback_verified *verified);

/**
 * @typedef oss_callback_reply
 *
 * An answer to a callback. Immutable: any thread may read it; one thread frees it.
 */

/**
 * Makes an answer that OSS accepts and passes on to the uploader: status 200 with the JSON text `json`.
 * Free `*reply` with oss_callback_reply_free. Fails with OSS_CALLBACK_CODE_INVALID_ARGUMENT if `json` is
 * not JSON, begins with a byte order mark or is longer than 1 MB.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_reply_new_ok(
    const char *json, oss_callback_reply **reply, oss_callback_error **error);

/**
 * Makes an answer that refuses a request after verifying or sealing failed with `error`. The answer does
 * not give the reason. Its status is 405 for a method other than POST, 413 for a body over the limit, 400
 * for a body that cannot be read, 403 for what is not OSS's or not permitted, and 503 if that is unknown
 * or `error` is NULL. Free `*reply` with oss_callback_reply_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_reply_new_refused(
    const oss_callback_error *error, oss_callback_reply **reply);

/**
 * The HTTP status.
 */
uint32_t oss_callback_reply_status(const oss_callback_reply *reply);

/**
 * The value for Content-Type: application/json.
 */
const char *oss_callback_reply_content_type(const oss_callback_reply *reply);

/**
 * The body: `*body_len` bytes, which is also the value for Content-Length. `body_len` may be NULL.
 */
const uint8_t *oss_callback_reply_body(const oss_callback_reply *reply, size_t *body_len);

/**
 * The whole answer as HTTP/1.1, `*http_len` bytes, for servers that write to a socket. Close the
 * connection after it. `http_len` may be NULL.
 */
const uint8_t *oss_callback_reply_http(const oss_callback_reply *reply, size_t *http_len);

/**
 * Frees a reply.
 */
void oss_callback_reply_free(oss_callback_reply *reply);

/**
 * @typedef oss_callback_permission
 *
 * What an uploader may do: upload one object, given by its name or by a prefix, up to a size, until a
 * time. The first error is reported by oss_callback_sealer_seal. Not safe to share between threads while
 * it changes.
 */

/**
 * Makes a permission to upload one object. Set a size and an end, which sealing requires. Free it with
 * oss_callback_permission_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_permission_new_object(
    const char *bucket, const char *object, oss_callback_permission **permission,
    oss_callback_error **error);

/**
 * Like oss_callback_permission_new_object, but for one object whose name begins with `prefix` and is
 * otherwise the uploader's choice. The object may already exist: give each uploader its own prefix.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_permission_new_prefix(
    const char *bucket, const char *prefix, oss_callback_permission **permission,
    oss_callback_error **error);

/**
 * Sets the largest size in bytes.
 */
void oss_callback_permission_set_max_size(oss_callback_permission *permission, uint64_t bytes);

/**
 * Sets the exact size in bytes, instead of a largest size.
 */
void oss_callback_permission_set_exact_size(oss_callback_permission *permission, uint64_t bytes);

/**
 * Sets when the permission ends, by the application server's clock. The callback must arrive before that,
 * so leave time for the upload.
 */
void oss_callback_permission_set_expires_at_s(
    oss_callback_permission *permission, uint64_t seconds);

/**
 * Sets when the permission ends, in seconds from now.
 */
void oss_callback_permission_set_valid_for_s(oss_callback_permission *permission, uint64_t seconds);

/**
 * Frees a permission.
 */
void oss_callback_permission_free(oss_callback_permission *permission);

/**
 * @typedef oss_callback_sealer
 *
 * Seals callbacks on the application server, and checks the seals of those that come back.
 *
 * A seal proves that the holder of the secret permitted an upload to this bucket and object or prefix, of
 * this size, until this time, with these variables. It does not prove that the upload took place, nor the
 * object's ETag or contents: see oss_callback_verified_confirm. The secret stays on the application
 * server. The uploader gets the finished callback and cannot change anything that is sealed.
 *
 * After the last oss_callback_sealer_accept, many threads may use it at once; one thread frees it.
 */

/**
 * Makes a sealer with a key. `key_id` has 1 to 32 letters, digits, - and _; it is part of every seal and
 * is not secret. `secret` has at least 32 random bytes. Free `*sealer` with oss_callback_sealer_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_sealer_new(
    const char *key_id, const uint8_t *secret, size_t secret_len, oss_callback_sealer **sealer,
    oss_callback_error **error);

/**
 * Also accepts the seals of another key, for rotation: the previous key until its seals have expired, or
 * the next key before any server seals with it. No other thread may use the sealer meanwhile.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_sealer_accept(
    oss_callback_sealer *sealer, const char *key_id, const uint8_t *secret, size_t secret_len,
    oss_callback_error **error);

/**
 * Makes a spec from `options` with a seal in the variable x:seal. The spec is for one upload. All
 * variables of the options are sealed.
 *
 * The body must carry ${bucket}, ${object}, ${size}, ${x:seal} and every variable, each as a member of
 * that name; a variable's member may omit the x:. Otherwise the function fails with
 * OSS_CALLBACK_CODE_INVALID_CALLBACK and names what is missing. The permission must not have ended. Free
 * `*spec` with oss_callback_spec_free. Give the uploader its oss_callback_spec_callback and
 * oss_callback_spec_callback_var.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_sealer_seal(
    const oss_callback_sealer *sealer, const oss_callback_spec_options *options,
    const oss_callback_permission *permission, oss_callback_spec **spec,
    oss_callback_error **error);

/**
 * Checks the seal of a verified callback against what its body says, by this machine's clock. Free
 * `*sealed` with oss_callback_sealed_free. The codes 88 to 94 say what is wrong, such as
 * OSS_CALLBACK_CODE_BAD_SEAL.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_sealer_check(
    const oss_callback_sealer *sealer, const oss_callback_verified *verified,
    oss_callback_sealed **sealed, oss_callback_error **error);

/**
 * Frees a sealer. No call may still be using it.
 */
void oss_callback_sealer_free(oss_callback_sealer *sealer);

/**
 * @typedef oss_callback_sealed
 *
 * A callback whose upload was permitted: what the seal covers, and nothing else. Immutable: any thread may
 * read it; one thread frees it.
 */

/**
 * The bucket.
 */
const char *oss_callback_sealed_bucket(const oss_callback_sealed *sealed);

/**
 * The object's name: the permitted one, or one that begins with the permitted prefix.
 */
const char *oss_callback_sealed_object(const oss_callback_sealed *sealed);

/**
 * The size in bytes that the callback gives, within what was permitted.
 */
uint64_t oss_callback_sealed_size(const oss_callback_sealed *sealed);

/**
 * A sealed variable by its name, with or without "x:"; NULL if it was not sealed.
 */
const char *oss_callback_sealed_variable(const oss_callback_sealed *sealed, const char *name);

/**
 * The id of the key that made the seal.
 */
const char *oss_callback_sealed_key_id(const oss_callback_sealed *sealed);

/**
 * When the permission ends.
 */
uint64_t oss_callback_sealed_expires_at_s(const oss_callback_sealed *sealed);

/**
 * 16 random bytes that no other seal has. Several servers can share a database instead of using an
 * oss_callback_replay_guard: keep oss_callback_sealed_body_digest under the nonce until after the
 * permission's end. A callback whose nonce is there with another digest is a replay.
 */
const uint8_t *oss_callback_sealed_nonce(const oss_callback_sealed *sealed);

/**
 * The SHA-256 of the body, 32 bytes.
 */
const uint8_t *oss_callback_sealed_body_digest(const oss_callback_sealed *sealed);

/**
 * Frees a sealed callback.
 */
void oss_callback_sealed_free(oss_callback_sealed *sealed);

/**
 * What a replay guard knows of a callback.
 */
typedef enum {
    /**
     * The callback is new: handle it.
     */
    OSS_CALLBACK_SEEN_FIRST = 1,
    /**
     * It is the same callback again, byte for byte: answer as before and do nothing else. OSS itself
     * delivers a callback twice if an answer comes too late and it tries the next URL.
     */
    OSS_CALLBACK_SEEN_REPEATED = 2,
    /**
     * It has the same seal as an earlier callback, but another body: refuse it.
     */
    OSS_CALLBACK_SEEN_REPLAYED = 3,
} oss_callback_seen;

/**
 * @typedef oss_callback_replay_guard
 *
 * Tells new callbacks from repeated ones. It keeps a used permission until its end, whatever the clock was
 * set to meanwhile, so changing the clock cannot make the permission look new. A child of a fork starts
 * with what its parent had seen; after that, neither knows what the other sees. Many threads may use it at
 * once; one thread frees it.
 */

/**
 * Makes a guard that remembers up to `capacity` permissions that have not ended yet, about 200 bytes each,
 * in this process only. Free it with oss_callback_replay_guard_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_replay_guard_new(
    size_t capacity, oss_callback_replay_guard **replay_guard);

/**
 * Looks up a callback, remembers it, and writes what was known of it to `*seen`. If several threads ask
 * about the same callback at once, only one gets OSS_CALLBACK_SEEN_FIRST. Fails with
 * OSS_CALLBACK_CODE_REPLAY_UNKNOWN if the guard is full (it forgets nothing early), or if the
 * permission ended so long ago (more than 5 minutes) that the guard may have forgotten it. If it fails,
 * answer with a 5xx status.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_replay_guard_check(
    const oss_callback_replay_guard *replay_guard, const oss_callback_sealed *sealed,
    oss_callback_seen *seen, oss_callback_error **error);

/**
 * Forgets a callback, so that it counts as OSS_CALLBACK_SEEN_FIRST when it comes again. Call this if
 * handling the callback failed.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_replay_guard_forget(
    const oss_callback_replay_guard *replay_guard, const oss_callback_sealed *sealed,
    oss_callback_error **error);

/**
 * Frees a guard. No call may still be using it.
 */
void oss_callback_replay_guard_free(oss_callback_replay_guard *replay_guard);

/** @} */

#endif /* OSS_CALLBACK_SMALL */

/**
 * @name Version
 *
 * The version of the linked library, to compare with that of this header.
 * @{
 */

/**
 * The version of the linked library, such as "0.1.0"; OSS_CALLBACK_VERSION is that of this header. The
 * text is static. Any thread may call this.
 */
const char *oss_callback_version(void);

/**
 * The version of the linked library as a number, like OSS_CALLBACK_VERSION_NUMBER of this header: major *
 * 1000000 + minor * 1000 + patch. Any thread may call this.
 */
uint32_t oss_callback_version_number(void);

/** @} */

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* OSS_CALLBACK_H */
