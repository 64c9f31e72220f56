/**
 * @file
 * oss-callback: uploads to Alibaba Cloud OSS with an upload callback.
 *
 * A program uploads an object and names an application server; OSS stores the object, POSTs a message to
 * that server and hands the server's answer back to the uploader. This library is the uploader: it blocks,
 * and it says exactly what happened: every failure says whether the object is stored and whether the
 * callback was answered. The application server finds its side here, too: oss_callback_verifier says whether a
 * request is OSS's, oss_callback_sealer whether the upload was permitted.
 *
 * In this header
 *  - functions that can fail return an oss_callback_code: zero is success;
 *  - `oss_callback_error **error`, always last, may be NULL. It is written on failure only: start with
 *    `oss_callback_error *error = NULL;` and free it with oss_callback_error_free. Other outputs are
 *    written on success only;
 *  - `T_new` and an output `T **` give a handle that the caller owns and frees once with `T_free`; `T_free`
 *    of NULL does nothing;
 *  - a returned `const char *` or `const uint8_t *` is borrowed: it lives until its handle is freed and is
 *    never freed by itself;
 *  - arguments are read during the call only; what is kept is copied. Text is NUL-terminated UTF-8;
 *  - any pointer may be NULL: where that makes no sense the function fails with
 *    OSS_CALLBACK_CODE_INVALID_ARGUMENT and names the argument. What looks something up in a NULL handle
 *    finds nothing, and what sets something in one does nothing;
 *  - a *callback* is always the HTTP request that OSS sends, never a C function. That is a *hook*: it has
 *    `void *userdata` last, runs only on the thread that calls the library and only during the call, and
 *    must return: longjmp, pthread_exit and an exception of C++ must not leave it. The credentials hook and
 *    the signer hook belong to a client instead and run on any thread, one call at a time in each process;
 *  - a thread that is cancelled (pthread_cancel) during a call finishes the call first, hooks included: the
 *    library disables cancellation when a call begins and restores it when the call returns.
 *
 * An object goes in one request (oss_put_object_with_callback and its kin), or, if it is a file, in as many
 * as it takes (oss_upload_file_with_callback), which goes on after a failure. A program that sends the parts of
 * an object itself, or has them sent by many machines, begins an oss_callback_multipart_upload. With each of
 * them the application server is called once, when the object is stored. Uploaders that have no key, browsers
 * among them, get a permission for one upload: oss_callback_client_presign_put_object,
 * oss_callback_client_sign_post_form.
 *
 * The library installs no signal handler, raises no SIGPIPE and writes no log; a fault of its own, which
 * comes as OSS_CALLBACK_CODE_INTERNAL, is also told on standard error.
 *
 * Clients, and other handles that were not changing at the fork, may be used in a child. A child has connections and
 * credentials of its own, whatever the parent's threads were doing at the fork, and frees its handles as the parent
 * does. Calls that were running at the fork go on in the parent only: a child that is forked in a hook must not return
 * from the hook, but ends with exec or _exit. Connections that the parent had open stay open, unused, in the child.
 *
 * A thread that calls it needs 128 KiB of stack. Where no memory is left the process is aborted; what a
 * peer sends cannot bring that about, since all of it is bounded.
 */

#ifndef OSS_CALLBACK_H
#define OSS_CALLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The version of this header; oss_callback_version() is that of the library. */
#define OSS_CALLBACK_VERSION "0.1.0"
/** The first number of it. */
#define OSS_CALLBACK_VERSION_MAJOR 0
/** The second. */
#define OSS_CALLBACK_VERSION_MINOR 1
/** The third. */
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
/** A code that nobody looks at draws a warning. */
#define OSS_CALLBACK_MUST_USE __attribute__((warn_unused_result))
#else
#define OSS_CALLBACK_MUST_USE
#endif


/**
 * No limit: for oss_callback_client_options_set_timeout_ms and for every other limit in milliseconds or bytes per
 * second, of a client, an upload or an operation.
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
 * A number of bytes that is not known.
 */
#define OSS_CALLBACK_LEN_UNKNOWN UINT64_MAX

/**
 * What a function returns: zero is success, so that `if (code)` reads well.
 *
 * A code names the cause only. Whether the object is stored is said by oss_callback_error_stored, never
 * by the code. Values are never changed or reused; new ones may be added, so a `switch` needs a `default`.
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
     * The callback or its variables break a rule of OSS. Nothing was sent.
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
     * No connection: refused, unreachable, or given up by the system.
     */
    OSS_CALLBACK_CODE_CONNECT = 21,
    /**
     * The TLS handshake failed, most often because of the certificate.
     */
    OSS_CALLBACK_CODE_TLS = 22,
    /**
     * A time limit of the client ran out.
     */
    OSS_CALLBACK_CODE_TIMEOUT = 23,
    /**
     * The connection ended before the answer did.
     */
    OSS_CALLBACK_CODE_CONNECTION_LOST = 24,
    /**
     * The peer does not speak HTTP properly or in a way that two readers could read differently, or it answered
     * before it was asked, or success before it had the whole object.
     */
    OSS_CALLBACK_CODE_PROTOCOL = 25,
    /**
     * An HTTP answer that is not OSS's, or that OSS does not give to this request. Without a request id
     * (x-oss-request-id) it comes from a login page, a proxy, a CDN or another server, and says nothing of the
     * object; the message shows its status, its Content-Type and its first words. A success without an ETag is
     * none, either.
     */
    OSS_CALLBACK_CODE_UNEXPECTED_ANSWER = 26,
    /**
     * OSS refused the request: a 4xx that no other code names, or a redirect that names the bucket's endpoint.
     */
    OSS_CALLBACK_CODE_REFUSED = 40,
    /**
     * OSS refused the credentials or the signature, or they lack the permission (401, 403).
     */
    OSS_CALLBACK_CODE_ACCESS_DENIED = 41,
    /**
     * The bucket or the object does not exist (404).
     */
    OSS_CALLBACK_CODE_NOT_FOUND = 42,
    /**
     * The request conflicts with what is stored, for example with x-oss-forbid-overwrite (409).
     */
    OSS_CALLBACK_CODE_CONFLICT = 43,
    /**
     * OSS or something before it failed (5xx, or an error document in place of a completed upload).
     */
    OSS_CALLBACK_CODE_SERVER_ERROR = 50,
    /**
     * HTTP 203 of OSS to a request with a callback: the object IS STORED, but the application server was not reached or did not agree.
     */
    OSS_CALLBACK_CODE_CALLBACK_FAILED = 60,
    /**
     * The CRC-64 that OSS computed differs from the one computed while sending or receiving. An object that was
     * sent IS STORED, with other contents; of a part nothing is.
     */
    OSS_CALLBACK_CODE_CHECKSUM_MISMATCH = 61,
    /**
     * Stored, and the callback was answered, but the answer was cut short or is too long.
     */
    OSS_CALLBACK_CODE_ANSWER_DAMAGED = 62,
    /**
     * The caller ended the request.
     */
    OSS_CALLBACK_CODE_CANCELLED = 63,
    /**
     * A local file, or the caller's reader, cannot be opened or read.
     */
    OSS_CALLBACK_CODE_BODY_UNREADABLE = 70,
    /**
     * A local file changed while it was sent; or the caller's reader was shorter or longer than it was said to be.
     */
    OSS_CALLBACK_CODE_BODY_CHANGED = 71,
    /**
     * The destination of a download refused the data.
     */
    OSS_CALLBACK_CODE_WRITE_FAILED = 72,
    /**
     * Another upload uses the checkpoint.
     */
    OSS_CALLBACK_CODE_CHECKPOINT_IN_USE = 73,
    /**
     * The checkpoint cannot be read or written, or is a file of somebody else's.
     */
    OSS_CALLBACK_CODE_CHECKPOINT_FAILED = 74,
    /**
     * A request at the application server is not POST, so it is no callback.
     */
    OSS_CALLBACK_CODE_WRONG_METHOD = 80,
    /**
     * The body of a request at the application server is over the limit.
     */
    OSS_CALLBACK_CODE_BODY_TOO_LARGE = 81,
    /**
     * A request at the application server has no Authorization, so nothing is signed.
     */
    OSS_CALLBACK_CODE_MISSING_AUTHORIZATION = 82,
    /**
     * A request at the application server has no x-oss-pub-key-url.
     */
    OSS_CALLBACK_CODE_MISSING_PUB_KEY_URL = 83,
    /**
     * x-oss-pub-key-url is not a URL on OSS's key host, so no key was asked for.
     */
    OSS_CALLBACK_CODE_BAD_PUB_KEY_URL = 84,
    /**
     * The key could not be had: the callback is neither valid nor invalid.
     */
    OSS_CALLBACK_CODE_KEY_UNAVAILABLE = 85,
    /**
     * Authorization is not Base64.
     */
    OSS_CALLBACK_CODE_BAD_SIGNATURE_ENCODING = 86,
    /**
     * The signature is not that of this request.
     */
    OSS_CALLBACK_CODE_BAD_SIGNATURE = 87,
    /**
     * The body of a callback cannot be read, or not in one way only.
     */
    OSS_CALLBACK_CODE_BAD_BODY = 88,
    /**
     * A callback carries no seal.
     */
    OSS_CALLBACK_CODE_SEAL_MISSING = 90,
    /**
     * A callback carries the seal of a key that the sealer does not have.
     */
    OSS_CALLBACK_CODE_UNKNOWN_SEAL_KEY = 91,
    /**
     * A seal is forged or damaged, or belongs to another bucket, object or other variables.
     */
    OSS_CALLBACK_CODE_BAD_SEAL = 92,
    /**
     * The permission that was sealed has ended.
     */
    OSS_CALLBACK_CODE_SEAL_EXPIRED = 93,
    /**
     * The object's size is not the one that was sealed.
     */
    OSS_CALLBACK_CODE_SEAL_VIOLATED = 94,
    /**
     * The replay guard is full: it is not known whether the callback was seen before.
     */
    OSS_CALLBACK_CODE_REPLAY_UNKNOWN = 95,
    /**
     * The object is not there, or not as the callback says.
     */
    OSS_CALLBACK_CODE_NOT_CONFIRMED = 96,
    /**
     * A fault of this library. Please report it.
     */
    OSS_CALLBACK_CODE_INTERNAL = 99,
} oss_callback_code;

/**
 * What can be said of an upload that has been looked up.
 */
typedef enum {
    /**
     * There is another object, perhaps put in the place of this one; or one that cannot be compared.
     */
    OSS_CALLBACK_OUTCOME_STILL_UNKNOWN = 0,
    /**
     * The upload is stored. Proven by its idempotency id; or, for an upload in parts, by its upload id, which
     * is used up, with an object there that was made of parts and has their size and CRC-64.
     */
    OSS_CALLBACK_OUTCOME_STORED = 1,
    /**
     * An object with the size and the CRC-64 of the upload is there. Whether this upload has stored it, or an
     * earlier one with the same contents, cannot be told without an idempotency id.
     */
    OSS_CALLBACK_OUTCOME_CONTENT_PRESENT = 2,
    /**
     * The upload is not there: there is no such object, or only one from before the upload, or the upload in
     * parts is still open. A request that was still on its way may arrive later.
     */
    OSS_CALLBACK_OUTCOME_NOT_THERE = 3,
} oss_callback_outcome;

/**
 * What a replay guard knows of a callback.
 */
typedef enum {
    /**
     * It comes for the first time: handle it.
     */
    OSS_CALLBACK_SEEN_FIRST = 1,
    /**
     * The same callback again, byte for byte: answer as before, and do nothing. OSS itself delivers twice
     * when it goes on to the next URL because an answer came too late.
     */
    OSS_CALLBACK_SEEN_REPEATED = 2,
    /**
     * The same seal with another body: refuse it.
     */
    OSS_CALLBACK_SEEN_REPLAYED = 3,
} oss_callback_seen;

/**
 * Did this operation store the object?
 */
typedef enum {
    /**
     * It cannot be known from here: the answer was lost. Look with oss_callback_client_reconcile before you
     * send again.
     */
    OSS_CALLBACK_STORED_UNKNOWN = 0,
    /**
     * No. Sending again cannot store it twice.
     */
    OSS_CALLBACK_STORED_NO = 1,
    /**
     * Yes.
     */
    OSS_CALLBACK_STORED_YES = 2,
} oss_callback_stored;

/**
 * Did OSS accept the application server's answer to the callback?
 */
typedef enum {
    /**
     * It cannot be known from here: the answer was lost.
     */
    OSS_CALLBACK_ANSWERED_UNKNOWN = 0,
    /**
     * No. With OSS_CALLBACK_CODE_CALLBACK_FAILED the application server may have received the callback all
     * the same: it may have answered too late, or with something that OSS does not accept.
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
 * Which certificate authorities a client trusts, besides those of
 * oss_callback_client_options_set_ca_bundle.
 */
typedef enum {
    /**
     * The system's, if it has any, otherwise Mozilla's as bundled with this library.
     */
    OSS_CALLBACK_ROOT_CERTIFICATES_AUTOMATIC = 0,
    /**
     * The system's; it is an error if there are none.
     */
    OSS_CALLBACK_ROOT_CERTIFICATES_SYSTEM = 1,
    /**
     * Mozilla's, as bundled with this library.
     */
    OSS_CALLBACK_ROOT_CERTIFICATES_BUNDLED = 2,
    /**
     * None but those of the CA bundle.
     */
    OSS_CALLBACK_ROOT_CERTIFICATES_NONE = 3,
} oss_callback_root_certificates;

/**
 * An attempt that failed and was followed by another. Borrowed from the receipt or the error that lists it,
 * so it is not freed. Any thread may read it.
 */
typedef struct oss_callback_attempt oss_callback_attempt;

/**
 * The body of a callback, put together member by member, so that names and values are escaped as they must
 * be. A body of plain text needs none: see oss_callback_spec_options_set_body. Faults are kept and
 * reported by oss_callback_spec_new. Not safe to share between threads while it changes.
 */
typedef struct oss_callback_body_template oss_callback_body_template;

/**
 * Ends operations from another thread: see oss_callback_put_options_set_cancellation and
 * oss_callback_operation_options_set_cancellation. One handle may be used by any number of operations, which
 * then end together, and by any number of threads at once; one of them frees it. Options keep a reference of
 * their own, so the handle may be freed before the operations end.
 */
typedef struct oss_callback_cancellation oss_callback_cancellation;

/**
 * A connection to OSS, or to a server that speaks its protocol. It does not change and may be used from
 * many threads at once; one of them frees it, when no call uses it any more. It may also be used in the
 * child of a fork, which opens connections of its own and frees the client as the parent does.
 */
typedef struct oss_callback_client oss_callback_client;

/**
 * Everything a client can be told; only the endpoint and the credentials must be. Setters copy what they
 * get and return nothing: the first fault is kept and reported by oss_callback_client_new. Not safe to
 * share between threads while it changes.
 */
typedef struct oss_callback_client_options oss_callback_client_options;

/**
 * What a credentials hook fills in; valid during its call only. Setters copy what they get and return
 * nothing: the first fault is kept, and the hook then counts as failed.
 */
typedef struct oss_callback_credentials oss_callback_credentials;

/**
 * A failure, with everything that is known about it. It comes through the last parameter of a function,
 * and is freed with oss_callback_error_free. It does not change: any thread may read it, one frees it.
 */
typedef struct oss_callback_error oss_callback_error;

/**
 * A callback in sentences. It does not change: any thread may read it, one frees it.
 */
typedef struct oss_callback_explanation oss_callback_explanation;

/**
 * An upload in parts that was begun: client, bucket, object and OSS's name for it, the upload id. The object
 * comes into being when it is completed; until then OSS keeps, and bills, the parts.
 *
 * One object from many machines: the upload id and what is known of each part are plain values. One machine
 * begins the upload with oss_callback_client_initiate_multipart_upload and tells the others its
 * oss_callback_multipart_upload_id. Each of them goes on with it by oss_callback_client_resume_multipart_upload, sends
 * its part with oss_callback_multipart_upload_upload_part, and hands back the line that oss_callback_parts_json
 * gives. Whoever has all the lines adds them to a list with oss_callback_parts_add_json and calls
 * oss_complete_multipart_upload_with_callback: the application server hears of the object once.
 *
 * May be used from many threads at once while nobody changes it; one of them frees it. It keeps what it needs
 * of its client, which may be freed before it.
 */
typedef struct oss_callback_multipart_upload oss_callback_multipart_upload;

/**
 * The uploads in parts of a bucket that were neither completed nor aborted, by object, then by upload id. It
 * does not change: any thread may read it, one frees it.
 */
typedef struct oss_callback_multipart_uploads oss_callback_multipart_uploads;

/**
 * What OSS knows of an upload when it renders a callback. What is not given stays empty. Faults are kept and
 * reported by oss_callback_spec_preview. Not safe to share between threads while it changes.
 */
typedef struct oss_callback_object_facts oss_callback_object_facts;

/**
 * What OSS says about an object. It does not change: any thread may read it, one frees it.
 */
typedef struct oss_callback_object_metadata oss_callback_object_metadata;

/**
 * Options of an operation other than an upload, all optional: limits, attempts and a cancellation of its own,
 * in place of the client's. May be used for any number of operations, from many threads at once while nobody
 * changes them.
 */
typedef struct oss_callback_operation_options oss_callback_operation_options;

/**
 * Parts that OSS has, by number: plain values that can be kept and sent elsewhere. Several threads may add
 * to a list, and upload parts into it, at once; one of them frees it. What is borrowed from it is valid until
 * a part is added or the list is freed.
 */
typedef struct oss_callback_parts oss_callback_parts;

/**
 * What an uploader may do: one object or those below a prefix, up to a size, until a time. Setters return
 * nothing: the first fault is kept and reported by oss_callback_sealer_seal. Not safe to share between
 * threads while it changes.
 */
typedef struct oss_callback_permission oss_callback_permission;

/**
 * A form that was signed: where to post it, and its fields. It is as good as a password. It does not change:
 * any thread may read it, one frees it.
 */
typedef struct oss_callback_post_form oss_callback_post_form;

/**
 * What a form permits. Everything that is given becomes a field of the form and a condition of its policy, so
 * that the uploader can change none of it. What is not given is open: any size, any type, a callback of the
 * uploader's own. Setters copy what they get and return nothing: the first fault is kept and reported by
 * oss_callback_client_sign_post_form.
 */
typedef struct oss_callback_post_policy oss_callback_post_policy;

/**
 * A URL that permits one request to whoever has it, until it expires. It is as good as a password. It does not
 * change: any thread may read it, one frees it.
 */
typedef struct oss_callback_presigned_url oss_callback_presigned_url;

/**
 * The requests that OSS would send, one for each URL of a callback. It does not change: any thread may read
 * it, one frees it.
 */
typedef struct oss_callback_preview oss_callback_preview;

/**
 * Options of an upload, in one request or in parts, all optional. Setters copy what they get and return nothing: the
 * first fault is kept and reported by the upload. May be used for any number of uploads, from many threads at once while
 * nobody changes them. A progress hook is then called by each of these threads, perhaps at the same time, with the numbers
 * of its own upload: uploads that are to be told apart need options of their own.
 */
typedef struct oss_callback_put_options oss_callback_put_options;

/**
 * What OSS said about a stored object, together with the application server's answer. It comes from an
 * upload and is freed with oss_callback_receipt_free, or is borrowed from an error. It does not change:
 * any thread may read it, one frees it.
 */
typedef struct oss_callback_receipt oss_callback_receipt;

/**
 * What became of an upload whose outcome was unknown. It does not change: any thread may read it, one frees
 * it.
 */
typedef struct oss_callback_reconciled oss_callback_reconciled;

/**
 * Tells callbacks that come for the first time from others. It keeps a permission until it has ended by every
 * time that the clock has shown since, so that setting the clock does not make a used one look new. The child of
 * a fork starts with what its parent had seen; afterwards neither knows what the other sees. May be used from many
 * threads at once; one of them frees it.
 */
typedef struct oss_callback_replay_guard oss_callback_replay_guard;

/**
 * An answer to a callback. It does not change: any thread may read it, one frees it.
 */
typedef struct oss_callback_reply oss_callback_reply;

/**
 * A callback whose upload was permitted: what the seal covers, and nothing else. It does not change: any
 * thread may read it, one frees it.
 */
typedef struct oss_callback_sealed oss_callback_sealed;

/**
 * Seals callbacks on the application server, and checks the seals of those that come back.
 *
 * A seal proves that the holder of the secret has permitted an upload: to this bucket and object or prefix,
 * of this size, until this time, with these variables. It does not prove that the upload took place, nor the
 * object's ETag or contents: see oss_callback_verified_confirm. The secret stays on the application server;
 * the uploader gets the finished callback and can change nothing that is sealed. After the last
 * oss_callback_sealer_accept it may be used from many threads at once; one of them frees it.
 */
typedef struct oss_callback_sealer oss_callback_sealer;

/**
 * What OSS is asked to call once it has stored an object. A spec does not change and may be used for any
 * number of uploads, from many threads at once; one of them frees it.
 */
typedef struct oss_callback_spec oss_callback_spec;

/**
 * What a callback consists of; only a URL and a body must be given. Setters copy what they get and return
 * nothing: the first fault is kept and reported by oss_callback_spec_new. Not safe to share between
 * threads while it changes.
 */
typedef struct oss_callback_spec_options oss_callback_spec_options;

/**
 * A callback that OSS has sent. No header is part of it, since no header is signed. It does not change: any
 * thread may read it, one frees it. Texts that it gives out are borrowed from it; each is NULL when the body
 * does not say it, says nothing or null, or cannot be read: see oss_callback_verified_check_body.
 */
typedef struct oss_callback_verified oss_callback_verified;

/**
 * Decides whether requests are OSS's. It does not change and may be used from many threads at once; one of
 * them frees it.
 *
 * A signature proves that OSS has sent the request, and no more: any customer of OSS can have such a
 * request sent to any URL, with any body, and it never expires. What proves that the upload was permitted
 * is an oss_callback_sealer.
 */
typedef struct oss_callback_verifier oss_callback_verifier;

/**
 * How callbacks are verified. Setters copy what they get and return nothing: the first fault is kept and
 * reported by oss_callback_verifier_new. Not safe to share between threads while it changes.
 */
typedef struct oss_callback_verifier_options oss_callback_verifier_options;

/**
 * Gives credentials that are valid now: sets a key pair in `credentials`, and when it expires. Returns zero,
 * or anything else if it failed: if there are no earlier credentials that are still valid, the operation then
 * ends with OSS_CALLBACK_CODE_CREDENTIALS_FAILED, and the number stands in the error's message.
 */
typedef int (*oss_callback_credentials_hook)(oss_callback_credentials *credentials, void *userdata);

/**
 * Told once that nothing uses this userdata any more.
 */
typedef void (*oss_callback_destroy_hook)(void *userdata);

/**
 * Signs a text that is NUL-terminated UTF-8. `signature_version` says how, 4 or 1; `scope` is what a
 * signature of version 4 is bound to, "20261124/cn-hangzhou/oss/aliyun_v4_request", and NULL for version 1.
 * Writes the signature to `signature`, which has room for `signature_len` bytes, 256 at least, and returns its
 * length; a NUL at its end is not needed and not counted. A negative number is a failure, and stands in the
 * error's message: the operation then ends with OSS_CALLBACK_CODE_CREDENTIALS_FAILED.
 *
 * Version 4 wants the HMAC-SHA256 of the text under the key of the scope, in lower-case hexadecimal. That key
 * is HMAC(HMAC(HMAC(HMAC("aliyun_v4" + secret, date), region), "oss"), "aliyun_v4_request"), so a server may
 * hand it out for a day in place of signing each text. Version 1 wants the HMAC-SHA1 of the text under the
 * secret, in Base64.
 */
typedef int64_t (*oss_callback_signer_hook)(const char *string_to_sign,
                                            uint32_t signature_version,
                                            const char *scope,
                                            char *signature,
                                            size_t signature_len,
                                            void *userdata);

/**
 * Told by an upload how many bytes of the body were handed over for sending, and of how many: `total` is
 * OSS_CALLBACK_LEN_UNKNOWN when that is not known. Returns zero to go on; anything else ends the upload with
 * OSS_CALLBACK_CODE_CANCELLED.
 */
typedef int (*oss_callback_progress_hook)(uint64_t sent, uint64_t total, void *userdata);

/**
 * Gives the next bytes of a body: writes at most `buffer_len` of them, which is never 0, to `buffer` and
 * returns how many; 0 at the end of the body. A negative number is a failure, and stands in the error's
 * message: the upload then ends with OSS_CALLBACK_CODE_BODY_UNREADABLE, as it does when the number is larger
 * than `buffer_len`. After the end or a failure the hook is not called again.
 */
typedef int64_t (*oss_callback_read_hook)(uint8_t *buffer, size_t buffer_len, void *userdata);

/**
 * Takes the next `bytes_len` bytes of a download, at least 1, which are valid during the call only. Returns
 * zero to go on; anything else ends the download with OSS_CALLBACK_CODE_WRITE_FAILED.
 */
typedef int (*oss_callback_write_hook)(const uint8_t *bytes, size_t bytes_len, void *userdata);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that is linked, such as "0.1.0". Compare it with OSS_CALLBACK_VERSION, the
 * version of this header. The text is static. Any thread.
 */
const char *oss_callback_version(void);

/**
 * The version of the library that is linked as a number that grows: major * 1000000 + minor * 1000 +
 * patch, as OSS_CALLBACK_VERSION_NUMBER has it for this header. Any thread.
 */
uint32_t oss_callback_version_number(void);

/**
 * The name of a code without its prefix, such as "CALLBACK_FAILED", or "UNKNOWN" for a number that is no
 * code of this version. The text is static. Any thread.
 */
const char *oss_callback_code_name(uint32_t code);

/**
 * Makes options with the defaults. Free them with oss_callback_client_options_free; a client does not
 * need them any more once it is made.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_options_new(oss_callback_client_options **options);

/**
 * The server: "https://oss-cn-hangzhou.aliyuncs.com", with a port if need be; https without a scheme.
 * Required. An IP address means path style, http://127.0.0.1:9000/bucket/object.
 */
void oss_callback_client_options_set_endpoint(oss_callback_client_options *options, const char *endpoint);

/**
 * The region, "cn-hangzhou" or "oss-cn-hangzhou". Read from a standard endpoint when not given; signature
 * version 4 needs one.
 */
void oss_callback_client_options_set_region(oss_callback_client_options *options, const char *region);

/**
 * An access key pair: of a RAM user, then `security_token` is NULL, or of a role with the token that STS
 * gave. No secret ever appears in a message.
 */
void oss_callback_client_options_set_credentials(oss_callback_client_options *options,
                                                 const char *access_key_id,
                                                 const char *access_key_secret,
                                                 const char *security_token);

/**
 * The key pair of the environment: OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, for a role,
 * OSS_SESSION_TOKEN. Read now; not while another thread changes the environment.
 */
void oss_callback_client_options_set_credentials_from_env(oss_callback_client_options *options);

/**
 * Nobody: requests are not signed. Only a bucket that is open to everyone accepts them, and OSS delivers
 * no callback for them.
 */
void oss_callback_client_options_set_credentials_anonymous(oss_callback_client_options *options);

/**
 * The version of the signature: 4 (default) or 1.
 */
void oss_callback_client_options_set_signature_version(oss_callback_client_options *options,
                                                       uint32_t version);

/**
 * The endpoint is a custom domain that is bound to one bucket, which URLs then do not name. Default: false.
 */
void oss_callback_client_options_set_cname(oss_callback_client_options *options, bool cname);

/**
 * URLs name the bucket in the path, not in the host. OSS itself refuses that on its standard endpoints; it
 * serves other servers that are reached by a name, such as localhost. Default: false.
 */
void oss_callback_client_options_set_path_style(oss_callback_client_options *options, bool path_style);

/**
 * The User-Agent of requests, printable ASCII. Default: "oss-callback/" and the version.
 */
void oss_callback_client_options_set_user_agent(oss_callback_client_options *options, const char *user_agent);

/**
 * Time for finding the server's address, and time for connecting, TLS included. Default: 10000 ms each.
 */
void oss_callback_client_options_set_connect_timeout_ms(oss_callback_client_options *options,
                                                        uint64_t timeout_ms);

/**
 * Time from the last byte sent until OSS answers, and then again for the answer's body. Default: 30000 ms.
 * With a callback 5000 ms are added for each of its URLs, since OSS is silent while it waits for the
 * application server; a spec that was made elsewhere counts as five URLs.
 */
void oss_callback_client_options_set_answer_timeout_ms(oss_callback_client_options *options,
                                                       uint64_t timeout_ms);

/**
 * The longest time without progress while a body is sent or received; less than 1 KiB in that time is none.
 * Default: 30000 ms.
 */
void oss_callback_client_options_set_progress_timeout_ms(oss_callback_client_options *options,
                                                         uint64_t timeout_ms);

/**
 * Time for an operation as a whole, all its attempts included. Default: no limit.
 */
void oss_callback_client_options_set_timeout_ms(oss_callback_client_options *options, uint64_t timeout_ms);

/**
 * Bytes of an answer's body that are read; more is an error. Default: 4 MiB.
 */
void oss_callback_client_options_set_max_answer_len(oss_callback_client_options *options,
                                                    size_t max_answer_len);

/**
 * Sets how often an operation is tried, the first attempt included: 1 means once. Default:
 * OSS_CALLBACK_DEFAULT_MAX_ATTEMPTS. See oss_callback_put_options_set_max_attempts.
 */
void oss_callback_client_options_set_max_attempts(oss_callback_client_options *options,
                                                  uint32_t max_attempts);

/**
 * Sets the longest delay before the second attempt; it doubles with each further one. Default:
 * OSS_CALLBACK_DEFAULT_RETRY_BASE_DELAY_MS.
 */
void oss_callback_client_options_set_retry_base_delay_ms(oss_callback_client_options *options,
                                                         uint64_t base_delay_ms);

/**
 * Sets the longest delay between two attempts. Default: OSS_CALLBACK_DEFAULT_RETRY_MAX_DELAY_MS.
 */
void oss_callback_client_options_set_retry_max_delay_ms(oss_callback_client_options *options,
                                                        uint64_t max_delay_ms);

/**
 * An HTTP proxy, "http://user:password@proxy.example.com:3128", through which all requests go, plain ones
 * too, in a tunnel (CONNECT). Default: none; the environment is not asked.
 */
void oss_callback_client_options_set_proxy(oss_callback_client_options *options, const char *url);

/**
 * Adds an address to use for a host name in place of the system's, for tests and split networks: an IP
 * address with a port, "127.0.0.1:443"; one of version 6 stands in brackets. Several are tried in their order.
 */
void oss_callback_client_options_add_address(oss_callback_client_options *options,
                                             const char *host,
                                             const char *address);

/**
 * Connections that are kept open between requests. Default: 64.
 */
void oss_callback_client_options_set_max_idle_connections(oss_callback_client_options *options,
                                                          size_t max_idle_connections);

/**
 * How long a connection is kept open between requests. Default: 15000 ms.
 */
void oss_callback_client_options_set_max_idle_time_ms(oss_callback_client_options *options,
                                                      uint64_t max_idle_time_ms);

/**
 * Which certificate authorities are trusted: one of oss_callback_root_certificates. A library that was built
 * without TLS refuses it. Default: OSS_CALLBACK_ROOT_CERTIFICATES_AUTOMATIC.
 */
void oss_callback_client_options_set_root_certificates(oss_callback_client_options *options,
                                                       uint32_t root_certificates);

/**
 * Certificate authorities in PEM, `pem_len` bytes, that are trusted besides, or alone with
 * OSS_CALLBACK_ROOT_CERTIFICATES_NONE; an earlier bundle is replaced. A bundle without a certificate is
 * refused when the endpoint is https, and any bundle by a library that was built without TLS.
 */
void oss_callback_client_options_set_ca_bundle(oss_callback_client_options *options,
                                               const uint8_t *pem,
                                               size_t pem_len);

/**
 * Frees options. NULL does nothing.
 */
void oss_callback_client_options_free(oss_callback_client_options *options);

/**
 * Checks the options and makes a client; nothing is sent yet. On success `*client` is a new handle: free it
 * with oss_callback_client_free. OSS_CALLBACK_CODE_INVALID_ARGUMENT names in `*error` what is missing or
 * wrong. The options may be used again.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_new(const oss_callback_client_options *options,
                                          oss_callback_client **client,
                                          oss_callback_error **error);

/**
 * Frees a client. NULL does nothing. No call may use the client any more.
 */
void oss_callback_client_free(oss_callback_client *client);

/**
 * Asks `hook` for credentials, with `userdata`, when a request needs some: at first, within 5 minutes of their
 * expiry (a fifth of their life if that is shorter), and when OSS has refused them as expired. Without an
 * expiry it is asked for each request. Replaces other credentials; a NULL hook is refused.
 *
 * The hook runs on any thread that uses the client, and on threads of the library's, but never on two at once:
 * others go on with the credentials that there are as long as those are valid. It may block; time limits and
 * cancellations take effect when it returns. It must not use a client that asks it.
 *
 * `userdata` is handed back to the hook and not looked at. It must live as long as the options, the clients
 * made of them, and the uploads in parts of those clients. When none of them uses it any more, because they are
 * freed or the options were set otherwise, `destroy_hook` is called with it, once, on the thread that saw to
 * that; at once if `options` or `hook` is NULL. It may be NULL itself.
 */
void oss_callback_client_options_set_credentials_hook(oss_callback_client_options *options,
                                                      oss_callback_credentials_hook hook,
                                                      void *userdata,
                                                      oss_callback_destroy_hook destroy_hook);

/**
 * Signs with `hook` in place of a secret, so that the secret stays elsewhere: on an application server, in a
 * key store. The access key id and, for a role, the security token, else NULL, go out with each request as
 * always; what is sent is the same, byte for byte, as with the secret here. Replaces other credentials; a NULL
 * hook is refused.
 *
 * The hook runs once for each request that is sent, on any thread that uses the client and on threads of the
 * library's, but never on two at once. Otherwise it is as that of
 * oss_callback_client_options_set_credentials_hook; so are `userdata` and `destroy_hook`.
 */
void oss_callback_client_options_set_signer_hook(oss_callback_client_options *options,
                                                 const char *access_key_id,
                                                 const char *security_token,
                                                 oss_callback_signer_hook hook,
                                                 void *userdata,
                                                 oss_callback_destroy_hook destroy_hook);

/**
 * Sets the access key pair: of a RAM user, then `security_token` is NULL, or of a role with the token that STS
 * gave.
 */
void oss_callback_credentials_set_key_pair(oss_callback_credentials *credentials,
                                           const char *access_key_id,
                                           const char *access_key_secret,
                                           const char *security_token);

/**
 * Says when the credentials expire, in seconds since 1970-01-01 00:00 UTC. Those of STS say it.
 */
void oss_callback_credentials_set_expires_at_s(oss_callback_credentials *credentials, uint64_t expires);

/**
 * Makes an empty body of one of the types oss_callback_body_type. Free it with
 * oss_callback_body_template_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_body_template_new(uint32_t body_type,
                                                 oss_callback_body_template **body_template);

/**
 * Adds a member whose value OSS fills in. `variable` is one of bucket, object, etag, size, mimeType,
 * imageInfo.height, imageInfo.width, imageInfo.format, crc64, contentMd5, vpcId, clientIp, reqId and
 * operation, or a variable of the caller's, which begins with x:.
 */
void oss_callback_body_template_add_variable(oss_callback_body_template *body_template,
                                             const char *name,
                                             const char *variable);

/**
 * Adds a member with a fixed value, which is escaped.
 */
void oss_callback_body_template_add_text(oss_callback_body_template *body_template,
                                         const char *name,
                                         const char *value);

/**
 * Frees a template. NULL does nothing.
 */
void oss_callback_body_template_free(oss_callback_body_template *body_template);

/**
 * Makes empty options. Free them with oss_callback_spec_options_free; a spec does not need them any more
 * once it is made.
 */
OSS_CALLBACK_MUST_USE oss_callback_code oss_callback_spec_options_new(oss_callback_spec_options **options);

/**
 * Adds a URL of the application server, percent-encoded. Required; up to five, which OSS tries in this
 * order until one agrees.
 */
void oss_callback_spec_options_add_url(oss_callback_spec_options *options, const char *url);

/**
 * The Host header of the callback: a domain name or an IP address. Default: the host of the URL.
 */
void oss_callback_spec_options_set_host(oss_callback_spec_options *options, const char *host);

/**
 * What OSS sends, as text with placeholders: "filename=${object}&size=${size}". This or
 * oss_callback_spec_options_set_body_template is required. In a JSON body OSS inserts the quotes of a
 * string itself: {"filename":${object}}.
 */
void oss_callback_spec_options_set_body(oss_callback_spec_options *options, const char *body);

/**
 * What OSS sends, put together with oss_callback_body_template_new, which also decides the body type. The
 * body template is copied.
 */
void oss_callback_spec_options_set_body_template(oss_callback_spec_options *options,
                                                 const oss_callback_body_template *body_template);

/**
 * The type of a body that was given as text, one of oss_callback_body_type. Default: a form.
 */
void oss_callback_spec_options_set_body_type(oss_callback_spec_options *options, uint32_t body_type);

/**
 * Whether OSS names the host in the TLS handshake (SNI) of an https URL. Default: false, and then a server
 * with several certificates typically fails the callback with "Error status : 502."
 */
void oss_callback_spec_options_set_sni(oss_callback_spec_options *options, bool sni);

/**
 * Adds a variable of the caller's, which the body names as ${x:name}. "x:" is added to the name when it is
 * missing; upper-case letters are refused, as OSS refuses them.
 */
void oss_callback_spec_options_add_variable(oss_callback_spec_options *options,
                                            const char *name,
                                            const char *value);

/**
 * Adds a further member of the callback by its name, for example "callbackPolicy". `json` is JSON text, so
 * a string needs its quotes.
 */
void oss_callback_spec_options_add_member(oss_callback_spec_options *options,
                                          const char *name,
                                          const char *json);

/**
 * Frees options. NULL does nothing.
 */
void oss_callback_spec_options_free(oss_callback_spec_options *options);

/**
 * Encodes a callback and checks it against OSS's rules. On success `*spec` is a new handle: free it with
 * oss_callback_spec_free. OSS_CALLBACK_CODE_INVALID_CALLBACK names in `*error` the member and its problem;
 * oss_callback_error_ec is the code that OSS would have answered. The options may be used again.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_spec_new(const oss_callback_spec_options *options,
                                        oss_callback_spec **spec,
                                        oss_callback_error **error);

/**
 * Takes a callback that somebody else issued, already Base64: the values of x-oss-callback and, if there
 * are variables, x-oss-callback-var, else NULL. They go out byte for byte, unchecked: see
 * oss_callback_spec_check. On success `*spec` is a new handle: free it with oss_callback_spec_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_spec_new_from_base64(const char *callback,
                                                    const char *callback_var,
                                                    oss_callback_spec **spec,
                                                    oss_callback_error **error);

/**
 * As oss_callback_spec_new_from_base64, from the JSON texts before they are Base64.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_spec_new_from_json(const char *callback,
                                                  const char *callback_var,
                                                  oss_callback_spec **spec,
                                                  oss_callback_error **error);

/**
 * The spec of an upload without a callback. It is static: it is not freed, and any thread may use it.
 *
 * Uploads refuse a NULL spec. So an error of oss_callback_spec_new that goes unnoticed cannot turn an upload with a
 * callback into one without.
 */
const oss_callback_spec *oss_callback_spec_none(void);

/**
 * Applies OSS's rules to a spec that was made elsewhere; one of oss_callback_spec_new has passed already.
 * OSS_CALLBACK_CODE_INVALID_CALLBACK as there. A private address is no error.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_spec_check(const oss_callback_spec *spec,
                                          oss_callback_error **error);

/**
 * The value of the header x-oss-callback: Base64 of JSON. NULL for NULL. Borrowed from `spec`.
 */
const char *oss_callback_spec_callback(const oss_callback_spec *spec);

/**
 * The value of the header x-oss-callback-var, or NULL without variables. Borrowed from `spec`.
 */
const char *oss_callback_spec_callback_var(const oss_callback_spec *spec);

/**
 * Frees a spec. NULL does nothing. No call may use the spec any more.
 */
void oss_callback_spec_free(oss_callback_spec *spec);

/**
 * Makes a cancellation. Free it with oss_callback_cancellation_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_cancellation_new(oss_callback_cancellation **cancellation);

/**
 * Ends the operations that carry this cancellation with OSS_CALLBACK_CODE_CANCELLED, within 0.2 s whatever
 * the connection is doing; while a hook of the caller's runs, when that returns. Once cancelled it stays so,
 * and operations that begin later send nothing. An upload whose answer has begun to come is stored already;
 * it ends with OSS_CALLBACK_CODE_ANSWER_DAMAGED. Any thread, and safe in a signal handler.
 */
void oss_callback_cancellation_cancel(const oss_callback_cancellation *cancellation);

/**
 * Whether it was cancelled; false for NULL. Any thread.
 */
bool oss_callback_cancellation_is_cancelled(const oss_callback_cancellation *cancellation);

/**
 * Frees a cancellation without cancelling anything. NULL does nothing.
 */
void oss_callback_cancellation_free(oss_callback_cancellation *cancellation);

/**
 * Makes empty options. Free them with oss_callback_put_options_free.
 */
OSS_CALLBACK_MUST_USE oss_callback_code oss_callback_put_options_new(oss_callback_put_options **options);

/**
 * The object's Content-Type. Default: guessed from the extension of the file, else of the object's name,
 * else application/octet-stream.
 */
void oss_callback_put_options_set_content_type(oss_callback_put_options *options, const char *content_type);

/**
 * Adds user metadata, stored with the object as x-oss-meta-name. Names are letters, digits and hyphens;
 * all together at most 8 KiB.
 */
void oss_callback_put_options_set_metadata(oss_callback_put_options *options,
                                           const char *name,
                                           const char *value);

/**
 * Who may read and write the object, in OSS's words: "default" (whoever may do so with the bucket), "private",
 * "public-read" or "public-read-write".
 */
void oss_callback_put_options_set_object_acl(oss_callback_put_options *options,
                                             const char *object_acl);

/**
 * A name for this upload, of your own choice, that no other upload has: it is stored with the object, as the user
 * metadata "idempotency-id", and so oss_callback_client_reconcile can tell whether it was this upload that stored
 * the object. The same upload, sent again, has the same id. 1 to 128 characters of ASCII, no blanks. Default: none,
 * nothing is added to the object.
 */
void oss_callback_put_options_set_idempotency_id(oss_callback_put_options *options,
                                                 const char *idempotency_id);

/**
 * How the object is kept, in OSS's words: "Standard", "IA", "Archive", "ColdArchive" or "DeepColdArchive".
 * Default: as the bucket says.
 */
void oss_callback_put_options_set_storage_class(oss_callback_put_options *options, const char *storage_class);

/**
 * Adds a tag. At most 10, each key once; keys have 1 to 128 bytes, values at most 256, any UTF-8.
 */
void oss_callback_put_options_add_tag(oss_callback_put_options *options, const char *key, const char *value);

/**
 * How OSS encrypts the object, in its words: "AES256" or "SM4" with keys of OSS, "KMS" with a key of the Key
 * Management Service. Default: as the bucket says.
 */
void oss_callback_put_options_set_server_side_encryption(oss_callback_put_options *options,
                                                         const char *server_side_encryption);

/**
 * The key of "KMS" by its id, in place of the service's default key. Refused without "KMS".
 */
void oss_callback_put_options_set_server_side_encryption_key_id(oss_callback_put_options *options,
                                                                const char *server_side_encryption_key_id);

/**
 * How the data itself is encrypted with "KMS": "SM4". Default: by AES-256. Refused without "KMS".
 */
void oss_callback_put_options_set_server_side_data_encryption(oss_callback_put_options *options,
                                                              const char *server_side_data_encryption);

/**
 * Asks OSS to take no more than so many BITS per second, 819200 to 838860800. For a limit that this library
 * holds see oss_callback_put_options_set_bandwidth_bytes_per_s.
 */
void oss_callback_put_options_set_traffic_limit_bits_per_s(oss_callback_put_options *options,
                                                           uint64_t bits_per_second);

/**
 * Whether an object of this name is kept: the upload then fails with OSS_CALLBACK_CODE_CONFLICT. Default:
 * false, it is replaced. Without effect in a bucket with versioning.
 */
void oss_callback_put_options_set_forbid_overwrite(oss_callback_put_options *options, bool forbid_overwrite);

/**
 * The object's Cache-Control, which downloads carry.
 */
void oss_callback_put_options_set_cache_control(oss_callback_put_options *options, const char *cache_control);

/**
 * The object's Content-Disposition, which downloads carry.
 */
void oss_callback_put_options_set_content_disposition(oss_callback_put_options *options,
                                                      const char *content_disposition);

/**
 * The object's Content-Encoding, which downloads carry. The body is sent as it is given.
 */
void oss_callback_put_options_set_content_encoding(oss_callback_put_options *options,
                                                   const char *content_encoding);

/**
 * The object's Content-Language, which downloads carry.
 */
void oss_callback_put_options_set_content_language(oss_callback_put_options *options,
                                                   const char *content_language);

/**
 * When copies of the object become stale: its Expires, which downloads carry, in seconds since 1970-01-01
 * 00:00 UTC, up to the end of the year 9999.
 */
void oss_callback_put_options_set_expires_at_s(oss_callback_put_options *options, uint64_t expires);

/**
 * Whether who sends the request pays for it, as a bucket of somebody else's may ask. Default: false.
 */
void oss_callback_put_options_set_requester_pays(oss_callback_put_options *options, bool requester_pays);

/**
 * Whether the body's MD5 goes along (Content-MD5), so that OSS refuses a body that was damaged on its way and
 * stores nothing. The body is read once more for it, before anything is sent; one that can be read only once,
 * from a read hook or a pipe, is refused. Default: false.
 */
void oss_callback_put_options_set_content_md5(oss_callback_put_options *options, bool content_md5);

/**
 * Adds any other header of the object, by its name. A later value
 * replaces an earlier one. Headers that the library sets itself are refused.
 */
void oss_callback_put_options_set_header(oss_callback_put_options *options,
                                         const char *name,
                                         const char *value);

/**
 * Time for finding the server's address, and time for connecting, TLS included, in place of the client's. 0 is
 * refused.
 */
void oss_callback_put_options_set_connect_timeout_ms(oss_callback_put_options *options,
                                                     uint64_t timeout_ms);

/**
 * Time from the last byte sent until OSS answers, and then again for the answer's body, in place of the
 * client's; the time for callbacks is added to it, as there. 0 is refused.
 */
void oss_callback_put_options_set_answer_timeout_ms(oss_callback_put_options *options, uint64_t timeout_ms);

/**
 * The longest time without progress while the body is sent, in place of the client's; less than 1 KiB in that
 * time is none. 0 is refused.
 */
void oss_callback_put_options_set_progress_timeout_ms(oss_callback_put_options *options, uint64_t timeout_ms);

/**
 * Time for the upload with all its attempts, in place of the client's. Time in hooks of the caller's counts,
 * but the limit takes effect only when they return. 0 is refused.
 */
void oss_callback_put_options_set_timeout_ms(oss_callback_put_options *options, uint64_t timeout_ms);

/**
 * Sets a deadline, `deadline_ms` milliseconds from now, that all uploads with these options share, and so do the steps of
 * an upload in parts. If oss_callback_put_options_set_timeout_ms is set too, whichever comes first applies.
 */
void oss_callback_put_options_set_deadline_ms(oss_callback_put_options *options,
                                              uint64_t deadline_ms);

/**
 * Sets how often a request of the upload is tried, the first attempt included: 1 means once. Default: as the client's options say.
 *
 * Only a failure that may end differently is retried, only with a body that can be read again, and an upload with
 * a callback only while it is certain that nothing was stored: see
 * oss_callback_put_options_set_callback_is_idempotent.
 *
 * Each part of a file is a request of its own, and so is each look at the upload that follows a lost answer to its
 * completion. If OSS refuses a request because the clocks differ, or because a hook's credentials have expired, the
 * next attempt uses OSS's time or new credentials; without another attempt, the next request does. Replacing a kept
 * connection that turns out to be closed before the first byte of a request is not an attempt.
 */
void oss_callback_put_options_set_max_attempts(oss_callback_put_options *options,
                                               uint32_t max_attempts);

/**
 * Sets the longest delay before the second attempt; it doubles with each further one. The actual delays are
 * random, so that many clients do not come back at once. Default: as the client's options say.
 */
void oss_callback_put_options_set_retry_base_delay_ms(oss_callback_put_options *options,
                                                      uint64_t base_delay_ms);

/**
 * Sets the longest delay between two attempts. When OSS asks for a longer one (Retry-After), there is no further
 * attempt. Default: as the client's options say.
 */
void oss_callback_put_options_set_retry_max_delay_ms(oss_callback_put_options *options,
                                                     uint64_t max_delay_ms);

/**
 * Says that the application server does the right thing when the same callback reaches it twice. Only then
 * is an upload with a spec sent again after its answer was lost. Default: false.
 */
void oss_callback_put_options_set_callback_is_idempotent(oss_callback_put_options *options,
                                                         bool callback_is_idempotent);

/**
 * Whether the CRC-64 that OSS computed is compared with the one of what was sent. Default: true.
 */
void oss_callback_put_options_set_compare_crc64(oss_callback_put_options *options, bool compare_crc64);

/**
 * Sends no more than so many BYTES per second. Default: no limit; 0 is refused. For a limit that OSS holds see
 * oss_callback_put_options_set_traffic_limit_bits_per_s.
 */
void oss_callback_put_options_set_bandwidth_bytes_per_s(oss_callback_put_options *options,
                                                        uint64_t bytes_per_second);

/**
 * Lets another thread end the uploads with these options; NULL takes an earlier one away. The options keep
 * a reference of their own, so the handle may be freed.
 */
void oss_callback_put_options_set_cancellation(oss_callback_put_options *options,
                                               const oss_callback_cancellation *cancellation);

/**
 * Calls `hook` with `userdata` after each block of up to 128 KiB; NULL takes an earlier hook away. It runs
 * only on the thread that uploads, and only during the call; `userdata` is handed back to it and not looked
 * at. Another attempt begins anew. For an empty body the hook may not be called at all, and at the end of one
 * of unknown length it is told the last number once more.
 */
void oss_callback_put_options_set_progress_hook(oss_callback_put_options *options,
                                                oss_callback_progress_hook hook,
                                                void *userdata);

/**
 * Frees options. NULL does nothing.
 */
void oss_callback_put_options_free(oss_callback_put_options *options);

/**
 * Uploads `body_len` bytes as `object` into `bucket` and waits for the application server's answer.
 *
 * `spec` NULL means a plain upload, `options` NULL no options, `receipt` or `error` NULL that they are not
 * wanted. At most 5 GiB. Blocks for as long as the client's limits allow. On success `*receipt` is a new
 * handle: free it with oss_callback_receipt_free. On failure `*error` is a new handle: free it with
 * oss_callback_error_free; without it the ETag and the request id of a stored object are lost.
 *
 * OSS_CALLBACK_CODE_CALLBACK_FAILED means that the object IS STORED, and the application server was not
 * reached or did not agree: do not upload again. For every other code oss_callback_error_stored says
 * whether the object is stored. A failed upload is tried up to three times where that may help, but with a
 * spec only while it is certain that nothing was stored: no callback is delivered twice. See
 * oss_callback_put_options_set_max_attempts.
 *
 * May be called from several threads with the same client, spec and options.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_put_object_with_callback(const oss_callback_client *client,
                                               const char *bucket,
                                               const char *object,
                                               const uint8_t *body,
                                               size_t body_len,
                                               const oss_callback_spec *spec,
                                               const oss_callback_put_options *options,
                                               oss_callback_receipt **receipt,
                                               oss_callback_error **error);

/**
 * Uploads a file as `object` into `bucket` and waits for the application server's answer.
 *
 * As oss_put_object_with_callback. The file is read while it is sent, 128 KiB at a time; it must be a
 * regular file. OSS_CALLBACK_CODE_BODY_UNREADABLE and OSS_CALLBACK_CODE_BODY_CHANGED, when it
 * changes while it is sent, mean that nothing is stored: what is stored is what it held when the upload began.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_put_object_from_file_with_callback(const oss_callback_client *client,
                                                         const char *bucket,
                                                         const char *object,
                                                         const char *path,
                                                         const oss_callback_spec *spec,
                                                         const oss_callback_put_options *options,
                                                         oss_callback_receipt **receipt,
                                                         oss_callback_error **error);

/**
 * Uploads `len` bytes of a file from `offset` on as `object` into `bucket` and waits for the application
 * server's answer.
 *
 * As oss_put_object_from_file_with_callback. OSS_CALLBACK_CODE_INVALID_ARGUMENT when the file ends before
 * the range does.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_put_object_from_file_range_with_callback(const oss_callback_client *client,
                                                               const char *bucket,
                                                               const char *object,
                                                               const char *path,
                                                               uint64_t offset,
                                                               uint64_t len,
                                                               const oss_callback_spec *spec,
                                                               const oss_callback_put_options *options,
                                                               oss_callback_receipt **receipt,
                                                               oss_callback_error **error);

/**
 * Uploads `len` bytes from a file descriptor's current position on as `object` into `bucket` and waits for
 * the application server's answer. For Unix only.
 *
 * As oss_put_object_with_callback. The descriptor is not closed, and not used any more when the call
 * returns. A regular file keeps its position, so that several threads may upload from one descriptor.
 * Anything else, such as a pipe, is read once, never further than `len` bytes, so there is another attempt
 * only if nothing was read yet; while it has nothing to give, the cancellation and the time limit of the
 * upload take effect. OSS_CALLBACK_LEN_UNKNOWN means all that there is up to the end, which of a pipe is sent
 * as oss_put_object_from_reader_with_callback sends it. OSS_CALLBACK_CODE_BODY_CHANGED, when there are fewer
 * than `len` bytes or a regular file changes meanwhile, and OSS_CALLBACK_CODE_BODY_UNREADABLE mean that nothing is stored.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_put_object_from_fd_with_callback(const oss_callback_client *client,
                                                       const char *bucket,
                                                       const char *object,
                                                       int fd,
                                                       uint64_t len,
                                                       const oss_callback_spec *spec,
                                                       const oss_callback_put_options *options,
                                                       oss_callback_receipt **receipt,
                                                       oss_callback_error **error);

/**
 * Uploads what `read_hook` gives as `object` into `bucket` and waits for the application server's answer.
 *
 * As oss_put_object_with_callback. The hook gets `userdata`, and must give exactly `len` bytes: it is asked
 * once more after them, and then says that the body has ended. With OSS_CALLBACK_LEN_UNKNOWN it may give any
 * number; they are sent in chunks (Transfer-Encoding: chunked), which is slower, and not every proxy lets
 * them through. The body is read once, so there is another attempt only if nothing was read yet.
 * OSS_CALLBACK_CODE_BODY_UNREADABLE, when the hook fails or returns an impossible number, and
 * OSS_CALLBACK_CODE_BODY_CHANGED, when it gives fewer or more bytes, mean that nothing is stored. While the
 * hook runs, neither a cancellation nor a time limit takes effect.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_put_object_from_reader_with_callback(const oss_callback_client *client,
                                                           const char *bucket,
                                                           const char *object,
                                                           oss_callback_read_hook read_hook,
                                                           void *userdata,
                                                           uint64_t len,
                                                           const oss_callback_spec *spec,
                                                           const oss_callback_put_options *options,
                                                           oss_callback_receipt **receipt,
                                                           oss_callback_error **error);

/**
 * The size of the parts in bytes, 102400 to 5368709120; a file that is no larger goes in one request. For
 * oss_upload_file_with_callback only: other uploads refuse it. Default: 8 MiB, or as much more as it takes
 * for 10000 parts to hold the file.
 */
void oss_callback_put_options_set_part_size(oss_callback_put_options *options, uint64_t part_size);

/**
 * How many parts are sent at once, each over a connection of its own: 1 to 256. For
 * oss_upload_file_with_callback only: other uploads refuse it. Default: 4.
 */
void oss_callback_put_options_set_parallel(oss_callback_put_options *options, uint32_t parallel);

/**
 * The path of a file that remembers the parts that were sent; NULL takes an earlier one away.
 * When the upload fails or its process dies, the same call later, by this or another process, resumes it:
 * with the same file (size, time of change, samples of its contents; see
 * oss_callback_put_options_set_verify_parts), object, headers, endpoint and part size.
 * A file that changed, or a checkpoint that is damaged or of another upload, starts over, and
 * oss_callback_receipt_note says so. It is removed once the object is stored. One upload uses it at a time: see
 * OSS_CALLBACK_CODE_CHECKPOINT_IN_USE. Beside it stand, for a while, files with ".oss-callback-lock" and
 * ".oss-callback-new" added to its name. A file that the library did not write is never replaced or removed: in the
 * checkpoint's place it means OSS_CALLBACK_CODE_CHECKPOINT_FAILED. A file that goes in one request has none. For oss_upload_file_with_callback only: other uploads
 * refuse it. Default: none; a failed upload is aborted.
 */
void oss_callback_put_options_set_checkpoint(oss_callback_put_options *options,
                                             const char *path);

/**
 * Whether an upload that is resumed reads every part that OSS has from the file again and compares it, and sends what
 * differs. Without it that is done only when the file may have been touched: when the time of change that no program can
 * set (st_ctime) is another, or the system has none. For oss_upload_file_with_callback only: other uploads refuse it.
 * Default: false.
 */
void oss_callback_put_options_set_verify_parts(oss_callback_put_options *options,
                                               bool verify_parts);

/**
 * Uploads a file of any size, up to 48.8 TiB, as `object` into `bucket` and waits for the application server's
 * answer: one object, one callback, one receipt.
 *
 * As oss_put_object_from_file_with_callback, but a file that is larger than a part (see
 * oss_callback_put_options_set_part_size) goes in parts, several at once. Memory does not grow with the file:
 * each connection has a buffer of 160 KiB. A progress hook runs on the calling thread only, after each part and every
 * 20 ms, and sees the bytes of all connections added up; a part that is sent again takes nothing back. The bandwidth is that of all
 * connections together. The time limit is for the upload as a whole, the others are for each request.
 *
 * An upload in parts is completed, and its callback delivered, once. When the answer to that is lost the
 * object is looked up: if it is the file, oss_callback_error_stored says OSS_CALLBACK_STORED_YES, and only the
 * answer remains unknown. When an upload in parts fails before, it is aborted; with a checkpoint it is left for
 * the next call, and oss_callback_error_upload_id names it. If it cannot be aborted, or if OSS may have begun one whose
 * id was lost with the answer, oss_callback_error_note or oss_callback_receipt_note says so. OSS_CALLBACK_CODE_BODY_CHANGED when the file changes meanwhile: nothing is stored then.
 * OSS_CALLBACK_CODE_CHECKPOINT_IN_USE when another upload uses the checkpoint,
 * OSS_CALLBACK_CODE_CHECKPOINT_FAILED when it cannot be read or written.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_upload_file_with_callback(const oss_callback_client *client,
                                                const char *bucket,
                                                const char *object,
                                                const char *path,
                                                const oss_callback_spec *spec,
                                                const oss_callback_put_options *options,
                                                oss_callback_receipt **receipt,
                                                oss_callback_error **error);

/**
 * Makes empty options. Free them with oss_callback_operation_options_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_operation_options_new(oss_callback_operation_options **options);

/**
 * Time for finding the server's address, and time for connecting, TLS included. 0 is refused.
 */
void oss_callback_operation_options_set_connect_timeout_ms(oss_callback_operation_options *options,
                                                           uint64_t timeout_ms);

/**
 * Time from the last byte sent until OSS answers, and then again for the answer's body unless that is an
 * object's contents. 0 is refused.
 */
void oss_callback_operation_options_set_answer_timeout_ms(oss_callback_operation_options *options,
                                                          uint64_t timeout_ms);

/**
 * The longest time without progress while a body is sent or received; less than 1 KiB in that time is none.
 * 0 is refused.
 */
void oss_callback_operation_options_set_progress_timeout_ms(oss_callback_operation_options *options,
                                                            uint64_t timeout_ms);

/**
 * Time for the operation with all its attempts. Time in hooks of the caller's counts, but the limit takes
 * effect only when they return. 0 is refused.
 */
void oss_callback_operation_options_set_timeout_ms(oss_callback_operation_options *options,
                                                   uint64_t timeout_ms);

/**
 * Sets a deadline, `deadline_ms` milliseconds from now, that all operations with these options share. If
 * oss_callback_operation_options_set_timeout_ms is set too, whichever comes first applies.
 */
void oss_callback_operation_options_set_deadline_ms(oss_callback_operation_options *options,
                                                    uint64_t deadline_ms);

/**
 * Lets another thread end the operations with these options; NULL takes an earlier one away. The options keep
 * a reference of their own, so the handle may be freed.
 */
void oss_callback_operation_options_set_cancellation(oss_callback_operation_options *options,
                                                     const oss_callback_cancellation *cancellation);

/**
 * Sets how often the operation is tried, the first attempt included: 1 means once. Default: as the client's options say.
 * A download is tried again only until its hook has received a byte.
 */
void oss_callback_operation_options_set_max_attempts(oss_callback_operation_options *options,
                                                     uint32_t max_attempts);

/**
 * Sets the longest delay before the second attempt; it doubles with each further one. The actual delays are
 * random, so that many clients do not come back at once. Default: as the client's options say.
 */
void oss_callback_operation_options_set_retry_base_delay_ms(oss_callback_operation_options *options,
                                                            uint64_t base_delay_ms);

/**
 * Sets the longest delay between two attempts. When OSS asks for a longer one (Retry-After), there is no further
 * attempt. Default: as the client's options say.
 */
void oss_callback_operation_options_set_retry_max_delay_ms(oss_callback_operation_options *options,
                                                           uint64_t max_delay_ms);

/**
 * Frees options. NULL does nothing.
 */
void oss_callback_operation_options_free(oss_callback_operation_options *options);

/**
 * Begins an upload in parts of what is to become `object` in `bucket`.
 *
 * `options` NULL means none. You may pass the same options to each function that takes the upload: each uses what applies
 * to it, and all of them refuse what is only for oss_upload_file_with_callback. This one sends the headers, metadata and
 * tags of the object. The handle remembers the rest for later requests: the traffic limit of parts, the ACL, and whether an
 * existing object is kept, which is checked now and again on completion. On another machine, pass them again.
 *
 * On success `*upload` is a new handle: free it with oss_callback_multipart_upload_free, which aborts
 * nothing. When an answer is lost, OSS may have begun an upload whose id nobody knows. oss_callback_error_note says so
 * then, or oss_callback_multipart_upload_note if a later attempt succeeded;
 * oss_callback_client_list_uploads_begun_since finds it. May be called from several threads with the same client.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_initiate_multipart_upload(const oss_callback_client *client,
                                                                const char *bucket,
                                                                const char *object,
                                                                const oss_callback_put_options *options,
                                                                oss_callback_multipart_upload **upload,
                                                                oss_callback_error **error);

/**
 * Goes on with an upload in parts that was begun before, here or on another machine. Nothing is sent. On
 * success `*upload` is a new handle: free it with oss_callback_multipart_upload_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_resume_multipart_upload(const oss_callback_client *client,
                                                              const char *bucket,
                                                              const char *object,
                                                              const char *upload_id,
                                                              oss_callback_multipart_upload **upload,
                                                              oss_callback_error **error);

/**
 * The bucket of the object; NULL for NULL. Borrowed from `upload`.
 */
const char *oss_callback_multipart_upload_bucket(const oss_callback_multipart_upload *upload);

/**
 * The name of the object; NULL for NULL. Borrowed from `upload`.
 */
const char *oss_callback_multipart_upload_object(const oss_callback_multipart_upload *upload);

/**
 * OSS's name for the upload; NULL for NULL. Together with bucket and object it is all that another machine
 * needs. Borrowed from `upload`.
 */
const char *oss_callback_multipart_upload_id(const oss_callback_multipart_upload *upload);

/**
 * How many notes there are; 0 for NULL.
 */
size_t oss_callback_multipart_upload_notes_len(const oss_callback_multipart_upload *upload);

/**
 * What else is worth knowing of the beginning of an upload, a sentence each: that the answer to an earlier attempt was
 * lost, so that OSS may have begun an upload that nobody knows. `index` is 0 for the first; NULL when there are not so
 * many. Borrowed from `upload`.
 */
const char *oss_callback_multipart_upload_note(const oss_callback_multipart_upload *upload,
                                               size_t index);

/**
 * Whether who sends the requests of this upload pays for them, as a bucket of somebody else's may ask.
 * Default: as the options said with which it was begun; false for one that was begun elsewhere.
 */
void oss_callback_multipart_upload_set_requester_pays(oss_callback_multipart_upload *upload,
                                                      bool requester_pays);

/**
 * Asks which parts OSS has, with one request for each 1000. `options` NULL means none. On success `*parts` is
 * a new list: free it with oss_callback_parts_free. OSS_CALLBACK_CODE_NOT_FOUND when OSS does not know the
 * upload (any more).
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_multipart_upload_list_parts(const oss_callback_multipart_upload *upload,
                                                           const oss_callback_put_options *options,
                                                           oss_callback_parts **parts,
                                                           oss_callback_error **error);

/**
 * Makes the object of its parts and waits for the application server's answer.
 *
 * `parts` NULL means all that OSS has; they are listed first, unless the CRC-64 is not to be compared. `spec` NULL means no
 * callback; `receipt` or `error` NULL means that it is not wanted. `options` NULL means none. The options that apply are the
 * ACL, whether an existing object is kept, whether the CRC-64 is compared, whether the requester pays, and the limits. ACL
 * and keeping default to what was given when this handle began the upload.
 *
 * Receipt, error and OSS_CALLBACK_CODE_CALLBACK_FAILED, with which the object IS STORED, are those of
 * oss_put_object_with_callback. OSS_CALLBACK_CODE_NOT_FOUND when OSS does not know the upload (any more);
 * OSS_CALLBACK_CODE_REFUSED with OSS's code "InvalidPart" when it has no such part, and "EntityTooSmall" when one that is
 * not the last has fewer than 102400 bytes. The upload stays open, and may be completed later or aborted, as long as
 * oss_callback_error_stored says OSS_CALLBACK_STORED_NO and the code is not OSS_CALLBACK_CODE_NOT_FOUND.
 *
 * OSS completes an upload once, so the request is sent again, as the retry policy says, without delivering
 * the callback twice. When the answer is lost the upload and the object are looked up, which needs size and
 * CRC-64 of every part: if the object is the one that the parts add up to, it is stored, and only the answer
 * remains unknown.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_complete_multipart_upload_with_callback(const oss_callback_multipart_upload *upload,
                                                              const oss_callback_parts *parts,
                                                              const oss_callback_spec *spec,
                                                              const oss_callback_put_options *options,
                                                              oss_callback_receipt **receipt,
                                                              oss_callback_error **error);

/**
 * Gives the upload up, and deletes its parts. `options` NULL means none; an expired deadline in them ends this call too, so
 * pass other options then. Do not abort after the upload may have been completed. Parts that are being sent meanwhile may
 * survive: abort again when they have ended. OSS_CALLBACK_CODE_NOT_FOUND when OSS does not know the upload, because it was
 * completed or aborted before; after a lost answer that may have been this call. The handle is freed as always.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_multipart_upload_abort(const oss_callback_multipart_upload *upload,
                                                      const oss_callback_put_options *options,
                                                      oss_callback_error **error);

/**
 * Frees the handle of an upload, and aborts nothing. NULL does nothing.
 */
void oss_callback_multipart_upload_free(oss_callback_multipart_upload *upload);

/**
 * Sends `body_len` bytes as a part of the object.
 *
 * `part_number` is in 1 to 10000 and decides where in the object the part stands; a part with the same number
 * is replaced. All but the last need at least 102400 bytes, which is found out when the upload is completed,
 * and none may have more than 5 GiB. `options` NULL means none; those that apply are how the body is
 * sent, the progress hook, the traffic limit, whether the requester pays, and the limits. On success the part is added to `parts`
 * unless that is NULL, with its size and its CRC-64, which was compared with OSS's.
 *
 * A failed part is tried again where that may help, and may always be sent again: it replaces itself.
 * OSS_CALLBACK_CODE_NOT_FOUND when OSS does not know the upload (any more),
 * OSS_CALLBACK_CODE_CHECKSUM_MISMATCH when OSS has other contents than were sent. Whatever the code,
 * oss_callback_error_stored says OSS_CALLBACK_STORED_NO: no object comes into being before the upload is
 * completed.
 *
 * May be called from several threads with the same upload, options and list.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_multipart_upload_upload_part(const oss_callback_multipart_upload *upload,
                                                            uint32_t part_number,
                                                            const uint8_t *body,
                                                            size_t body_len,
                                                            const oss_callback_put_options *options,
                                                            oss_callback_parts *parts,
                                                            oss_callback_error **error);

/**
 * Sends `len` bytes of a file from `offset` on as a part of the object.
 *
 * As oss_callback_multipart_upload_upload_part. OSS_CALLBACK_CODE_INVALID_ARGUMENT when the file ends before the
 * range does, OSS_CALLBACK_CODE_BODY_UNREADABLE when it cannot be read or is no regular file, and
 * OSS_CALLBACK_CODE_BODY_CHANGED when it changes meanwhile.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_multipart_upload_upload_part_from_file(const oss_callback_multipart_upload *upload,
                                                                      uint32_t part_number,
                                                                      const char *path,
                                                                      uint64_t offset,
                                                                      uint64_t len,
                                                                      const oss_callback_put_options *options,
                                                                      oss_callback_parts *parts,
                                                                      oss_callback_error **error);

/**
 * Sends what `read_hook` gives, exactly `len` bytes, as a part of the object.
 *
 * As oss_callback_multipart_upload_upload_part. The hook gets `userdata` and is asked once more after `len` bytes:
 * it then says that there are no more. It is read once, so there is another attempt only if nothing was read
 * yet. OSS_CALLBACK_CODE_BODY_UNREADABLE when the hook fails or returns an impossible number,
 * OSS_CALLBACK_CODE_BODY_CHANGED when it gives fewer or more bytes.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_multipart_upload_upload_part_from_reader(const oss_callback_multipart_upload *upload,
                                                                        uint32_t part_number,
                                                                        oss_callback_read_hook read_hook,
                                                                        void *userdata,
                                                                        uint64_t len,
                                                                        const oss_callback_put_options *options,
                                                                        oss_callback_parts *parts,
                                                                        oss_callback_error **error);

/**
 * Makes an empty list. Free it with oss_callback_parts_free.
 */
OSS_CALLBACK_MUST_USE oss_callback_code oss_callback_parts_new(oss_callback_parts **parts);

/**
 * Adds a part of what was kept of it; it replaces one with the same number. `size` and `crc64` (CRC-64/XZ)
 * are NULL when they are not known: the upload can be completed without them, but then the contents of the
 * object are not compared, and nothing can be said of it when the answer is lost. Number and ETag are checked
 * when the upload is completed. Any thread.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_parts_add(oss_callback_parts *parts,
                                         uint32_t part_number,
                                         const char *etag,
                                         const uint64_t *size,
                                         const uint64_t *crc64,
                                         oss_callback_error **error);

/**
 * Adds a part of the line of JSON that oss_callback_parts_json gave, on this machine or another; it replaces
 * one with the same number. OSS_CALLBACK_CODE_INVALID_ARGUMENT when it is not such a line. Any thread.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_parts_add_json(oss_callback_parts *parts,
                                              const char *json,
                                              oss_callback_error **error);

/**
 * How many parts there are; 0 for NULL. Any thread.
 */
size_t oss_callback_parts_len(const oss_callback_parts *parts);

/**
 * The number of a part: `index` is 0 for the one with the lowest. 0 when there are not so many. Any thread.
 */
uint32_t oss_callback_parts_number(const oss_callback_parts *parts, size_t index);

/**
 * The ETag of a part without its quotes; NULL when there are not so many. Opaque: compare it, do not
 * interpret it. Borrowed from `parts`.
 */
const char *oss_callback_parts_etag(const oss_callback_parts *parts, size_t index);

/**
 * Writes the size of a part in bytes to `*size` and returns true; returns false and writes nothing if it is
 * not known or there are not so many parts. Any thread.
 */
bool oss_callback_parts_size(const oss_callback_parts *parts, size_t index, uint64_t *size);

/**
 * Writes the CRC-64 of a part (CRC-64/XZ) to `*crc64` and returns true; returns false and writes nothing if
 * it is not known or there are not so many parts. Any thread.
 */
bool oss_callback_parts_crc64(const oss_callback_parts *parts, size_t index, uint64_t *crc64);

/**
 * All that is known of a part in one line of JSON, for oss_callback_parts_add_json; NULL when there are not
 * so many. Borrowed from `parts`.
 */
const char *oss_callback_parts_json(const oss_callback_parts *parts, size_t index);

/**
 * Frees a list and everything borrowed from it. NULL does nothing.
 */
void oss_callback_parts_free(oss_callback_parts *parts);

/**
 * Asks which uploads in parts of a bucket are open, with one request for each 1000.
 *
 * `prefix`, if it is not NULL: only those of objects whose names begin so. `delimiter`, if it is not NULL:
 * those whose names have this text after the prefix are summed up to what they have in common up to it; "/"
 * for something like folders. `options` NULL means none. On success `*uploads` is a new handle: free it with
 * oss_callback_multipart_uploads_free. More than 100000 uploads are an error.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_list_multipart_uploads(const oss_callback_client *client,
                                                             const char *bucket,
                                                             const char *prefix,
                                                             const char *delimiter,
                                                             const oss_callback_operation_options *options,
                                                             oss_callback_multipart_uploads **uploads,
                                                             oss_callback_error **error);

/**
 * Asks which uploads in parts of `object` were begun at a time of the local clock or later and are open, in seconds since
 * 1970: such as those whose answer was lost, see oss_callback_client_initiate_multipart_upload.
 *
 * OSS's clock may differ: its answer says by how much, to the second, and in doubt an upload is listed. Another program
 * may have begun one of them, so look before you abort it. `options` NULL means none. On success `*uploads` is a new
 * handle: free it with oss_callback_multipart_uploads_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_list_uploads_begun_since(const oss_callback_client *client,
                                                               const char *bucket,
                                                               const char *object,
                                                               uint64_t since_at_s,
                                                               const oss_callback_operation_options *options,
                                                               oss_callback_multipart_uploads **uploads,
                                                               oss_callback_error **error);

/**
 * How many uploads there are; 0 for NULL.
 */
size_t oss_callback_multipart_uploads_len(const oss_callback_multipart_uploads *uploads);

/**
 * The object that an upload is to become: `index` is 0 for the first. NULL when there are not so many.
 * Borrowed from `uploads`.
 */
const char *oss_callback_multipart_uploads_object(const oss_callback_multipart_uploads *uploads,
                                                  size_t index);

/**
 * OSS's name for an upload, for oss_callback_client_resume_multipart_upload; NULL when there are not so many. Borrowed
 * from `uploads`.
 */
const char *oss_callback_multipart_uploads_id(const oss_callback_multipart_uploads *uploads,
                                              size_t index);

/**
 * When an upload was begun, as OSS says it: "2012-02-23T04:18:23.000Z". NULL when there are not so many.
 * Borrowed from `uploads`.
 */
const char *oss_callback_multipart_uploads_initiated(const oss_callback_multipart_uploads *uploads,
                                                     size_t index);

/**
 * How many common prefixes there are; 0 without a delimiter, and for NULL.
 */
size_t oss_callback_multipart_uploads_common_prefixes_len(const oss_callback_multipart_uploads *uploads);

/**
 * What uploads that were summed up have in common: `index` is 0 for the first. NULL when there are not so
 * many. Borrowed from `uploads`.
 */
const char *oss_callback_multipart_uploads_common_prefix(const oss_callback_multipart_uploads *uploads,
                                                         size_t index);

/**
 * Frees a list of uploads and everything borrowed from it; the uploads stay as they are. NULL does nothing.
 */
void oss_callback_multipart_uploads_free(oss_callback_multipart_uploads *uploads);

/**
 * Reads what is known of an object. `options` NULL means none. On success `*metadata` is a new handle: free
 * it with oss_callback_object_metadata_free. OSS_CALLBACK_CODE_NOT_FOUND when there is no such object. May be
 * called from several threads with the same client.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_head_object(const oss_callback_client *client,
                                                  const char *bucket,
                                                  const char *object,
                                                  const oss_callback_operation_options *options,
                                                  oss_callback_object_metadata **metadata,
                                                  oss_callback_error **error);

/**
 * Downloads an object: calls `write_hook` with `userdata` for its bytes, block after block, and compares
 * their CRC-64 with the one that OSS has. `options` NULL means none. On success `*metadata`, if wanted, is a
 * new handle: free it with oss_callback_object_metadata_free. OSS_CALLBACK_CODE_NOT_FOUND when there is no
 * such object, OSS_CALLBACK_CODE_WRITE_FAILED when the hook does not want more,
 * OSS_CALLBACK_CODE_CONNECTION_LOST when the contents end early, OSS_CALLBACK_CODE_CHECKSUM_MISMATCH when
 * they are not what OSS stored. Whatever the failure, what the hook got until then is not the object. May be
 * called from several threads with the same client.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_get_object(const oss_callback_client *client,
                                                 const char *bucket,
                                                 const char *object,
                                                 oss_callback_write_hook write_hook,
                                                 void *userdata,
                                                 const oss_callback_operation_options *options,
                                                 oss_callback_object_metadata **metadata,
                                                 oss_callback_error **error);

/**
 * Deletes an object. `options` NULL means none. One that does not exist counts as deleted, as with OSS. After
 * a lost answer it may be deleted or not: deleting again does no harm. May be called from several threads
 * with the same client.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_delete_object(const oss_callback_client *client,
                                                    const char *bucket,
                                                    const char *object,
                                                    const oss_callback_operation_options *options,
                                                    oss_callback_error **error);

/**
 * Writes the object's size in bytes to `*content_length` and returns true; returns false and writes
 * nothing if OSS did not say it.
 */
bool oss_callback_object_metadata_content_length(const oss_callback_object_metadata *metadata,
                                                 uint64_t *content_length);

/**
 * Writes the CRC-64 of the object (CRC-64/XZ) to `*crc64` and returns true; returns false and writes
 * nothing if OSS did not say it.
 */
bool oss_callback_object_metadata_crc64(const oss_callback_object_metadata *metadata, uint64_t *crc64);

/**
 * Writes when the object was stored, in seconds since 1970-01-01 00:00 UTC, to `*last_modified` and returns
 * true; returns false and writes nothing if OSS did not say it.
 */
bool oss_callback_object_metadata_last_modified_at_s(const oss_callback_object_metadata *metadata,
                                                     uint64_t *last_modified);

/**
 * The object's ETag without its quotes; NULL if OSS did not say it. Borrowed from `metadata`.
 */
const char *oss_callback_object_metadata_etag(const oss_callback_object_metadata *metadata);

/**
 * A header of OSS's answer by its name, in any case, for example "Content-Type" or "x-oss-meta-author"; NULL
 * if there is none. Borrowed from `metadata`.
 */
const char *oss_callback_object_metadata_header(const oss_callback_object_metadata *metadata,
                                                const char *name);

/**
 * Frees metadata and everything borrowed from it. NULL does nothing.
 */
void oss_callback_object_metadata_free(oss_callback_object_metadata *metadata);

/**
 * Finds out what became of an upload that ended with `unknown`, of which oss_callback_error_stored says
 * OSS_CALLBACK_STORED_UNKNOWN: looks at the object, and for an upload in parts first at the upload. Nothing is
 * changed. `options` NULL means none. On success `*reconciled` is a new handle: free it with
 * oss_callback_reconciled_free. Whether the callback was answered is not kept by OSS: ask the application server.
 *
 * OSS_CALLBACK_CODE_INVALID_ARGUMENT when the outcome of `unknown` is not unknown, or it is of an upload by a
 * presigned URL or a form, which does not say what it stores. After another failure as much is known as before.
 * The client may be another one than that of the upload. May be called from several threads with the same client.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_reconcile(const oss_callback_client *client,
                                                const oss_callback_error *unknown,
                                                const oss_callback_operation_options *options,
                                                oss_callback_reconciled **reconciled,
                                                oss_callback_error **error);

/**
 * What can be said of the upload; OSS_CALLBACK_OUTCOME_STILL_UNKNOWN for NULL.
 */
oss_callback_outcome oss_callback_reconciled_outcome(const oss_callback_reconciled *reconciled);

/**
 * The object that is there; NULL unless the outcome is OSS_CALLBACK_OUTCOME_STORED or
 * OSS_CALLBACK_OUTCOME_CONTENT_PRESENT. Borrowed from `reconciled`: it is not freed by itself.
 */
const oss_callback_object_metadata *oss_callback_reconciled_object(const oss_callback_reconciled *reconciled);

/**
 * Writes OSS's time when it said that the upload is not there, in seconds since 1970-01-01 00:00 UTC, to
 * `*observed_at` and returns true; returns false and writes nothing if the outcome is another.
 */
bool oss_callback_reconciled_observed_at_s(const oss_callback_reconciled *reconciled, uint64_t *observed_at);

/**
 * Frees the handle and what is borrowed from it. NULL does nothing.
 */
void oss_callback_reconciled_free(oss_callback_reconciled *reconciled);

/**
 * Permits an upload of `object` into `bucket` to others, for `expires_in_s` seconds, 1 to 604800 (7 days); less
 * if the client's credentials end before. Nothing is sent.
 *
 * Of `options`, which may be NULL, the headers of the object count: they are signed, and must be sent with the
 * URL. A Content-Type is among them only if it is given: give it to a browser, which sends one. The callback of
 * `spec`, which may be NULL, stands in the URL, where the uploader can neither change nor drop it; with
 * `callback_in_headers` it stands in headers, which must then be sent. On success `*presigned_url` is a new
 * handle: free it with oss_callback_presigned_url_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_presign_put_object(const oss_callback_client *client,
                                                         const char *bucket,
                                                         const char *object,
                                                         const oss_callback_spec *spec,
                                                         const oss_callback_put_options *options,
                                                         uint64_t expires_in_s,
                                                         bool callback_in_headers,
                                                         oss_callback_presigned_url **presigned_url,
                                                         oss_callback_error **error);

/**
 * Permits a download of an object to others, for `expires_in_s` seconds, 1 to 604800 (7 days); less if the
 * client's credentials end before. Nothing is sent. On success `*presigned_url` is a new handle: free it with
 * oss_callback_presigned_url_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_presign_get_object(const oss_callback_client *client,
                                                         const char *bucket,
                                                         const char *object,
                                                         uint64_t expires_in_s,
                                                         oss_callback_presigned_url **presigned_url,
                                                         oss_callback_error **error);

/**
 * Permits others to ask for the metadata of an object, as oss_callback_client_presign_get_object permits a
 * download: to look whether what they uploaded is there.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_presign_head_object(const oss_callback_client *client,
                                                          const char *bucket,
                                                          const char *object,
                                                          uint64_t expires_in_s,
                                                          oss_callback_presigned_url **presigned_url,
                                                          oss_callback_error **error);

/**
 * Permits sending a part of an upload to others, for `expires_in_s` seconds, 1 to 604800 (7 days); less if the
 * client's credentials end before. `part_number` is in 1 to 10000. Nothing is sent. On success
 * `*presigned_url` is a new handle: free it with oss_callback_presigned_url_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_multipart_upload_presign_part(const oss_callback_multipart_upload *upload,
                                                             uint32_t part_number,
                                                             uint64_t expires_in_s,
                                                             oss_callback_presigned_url **presigned_url,
                                                             oss_callback_error **error);

/**
 * Permits completing an upload to others, for `expires_in_s` seconds, 1 to 604800 (7 days); less if the
 * client's credentials end before. Nothing is sent. With `all_parts` the object is made of all parts that OSS
 * has, and an empty body is sent; without it the body is OSS's list of parts. `spec` and `callback_in_headers`
 * as for oss_callback_client_presign_put_object, `options` as for oss_complete_multipart_upload_with_callback. On
 * success `*presigned_url` is a new handle: free it with oss_callback_presigned_url_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_multipart_upload_presign_complete(const oss_callback_multipart_upload *upload,
                                                                 bool all_parts,
                                                                 const oss_callback_spec *spec,
                                                                 const oss_callback_put_options *options,
                                                                 uint64_t expires_in_s,
                                                                 bool callback_in_headers,
                                                                 oss_callback_presigned_url **presigned_url,
                                                                 oss_callback_error **error);

/**
 * A presigned URL as somebody else made it, from what oss_callback_presigned_url_json gave, on any machine:
 * {"method":"PUT","url":"…","headers":{"Content-Type":"…"}}. On success `*presigned_url` is a new handle: free
 * it with oss_callback_presigned_url_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_presigned_url_new_from_json(const char *json,
                                                           oss_callback_presigned_url **presigned_url,
                                                           oss_callback_error **error);

/**
 * The HTTP method that it permits, for example "PUT". Borrowed from `presigned_url`; NULL for NULL.
 */
const char *oss_callback_presigned_url_method(const oss_callback_presigned_url *presigned_url);

/**
 * The URL, percent-encoded. Borrowed from `presigned_url`; NULL for NULL.
 */
const char *oss_callback_presigned_url_url(const oss_callback_presigned_url *presigned_url);

/**
 * All of it as JSON, for a web page or another machine. Borrowed from `presigned_url`; NULL for NULL.
 */
const char *oss_callback_presigned_url_json(const oss_callback_presigned_url *presigned_url);

/**
 * Writes until when it is good, in seconds since 1970-01-01 00:00 UTC, to `*expires` and returns true; returns
 * false and writes nothing if whoever made it did not say.
 */
bool oss_callback_presigned_url_expires_at_s(const oss_callback_presigned_url *presigned_url,
                                             uint64_t *expires);

/**
 * How many headers must be sent with it, exactly as they are. No other Content-Type, Content-MD5 or header
 * that begins with "x-oss-" may be sent.
 */
size_t oss_callback_presigned_url_headers_len(const oss_callback_presigned_url *presigned_url);

/**
 * The name of a header that must be sent, by its index from 0; NULL for an index that is too large. Borrowed
 * from `presigned_url`.
 */
const char *oss_callback_presigned_url_header_name(const oss_callback_presigned_url *presigned_url,
                                                   size_t index);

/**
 * The value of a header that must be sent, by its index from 0; NULL for an index that is too large. Borrowed
 * from `presigned_url`.
 */
const char *oss_callback_presigned_url_header_value(const oss_callback_presigned_url *presigned_url,
                                                    size_t index);

/**
 * Frees a URL and everything borrowed from it. NULL does nothing.
 */
void oss_callback_presigned_url_free(oss_callback_presigned_url *presigned_url);

/**
 * Uploads `body_len` bytes by a URL that somebody else signed, and waits for the answer: if the URL asks for a
 * callback, for that of the application server.
 *
 * As oss_put_object_with_callback; a callback in the URL is heeded like any other. The client's endpoint and
 * credentials do not count, but for https its endpoint must be one, too. Of `options`, which may be NULL, the
 * limits, the progress hook and the like count; headers that were not signed are refused.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_put_object_with_url(const oss_callback_client *client,
                                          const oss_callback_presigned_url *presigned_url,
                                          const uint8_t *body,
                                          size_t body_len,
                                          const oss_callback_put_options *options,
                                          oss_callback_receipt **receipt,
                                          oss_callback_error **error);

/**
 * Uploads a file by a URL that somebody else signed; see oss_put_object_with_url.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_put_object_from_file_with_url(const oss_callback_client *client,
                                                    const oss_callback_presigned_url *presigned_url,
                                                    const char *path,
                                                    const oss_callback_put_options *options,
                                                    oss_callback_receipt **receipt,
                                                    oss_callback_error **error);

/**
 * Makes a policy that permits nothing yet: give it a key or a prefix. On success `*post_policy` is a new
 * handle: free it with oss_callback_post_policy_free.
 */
OSS_CALLBACK_MUST_USE oss_callback_code oss_callback_post_policy_new(oss_callback_post_policy **post_policy);

/**
 * The object's name.
 */
void oss_callback_post_policy_set_key(oss_callback_post_policy *post_policy, const char *key);

/**
 * What the object's name begins with; the name of the uploaded file, which is the uploader's choice, follows.
 */
void oss_callback_post_policy_set_key_prefix(oss_callback_post_policy *post_policy, const char *key_prefix);

/**
 * For how many seconds the form is good: 1 to 604800 (7 days); less if the credentials end before. Default: 900.
 */
void oss_callback_post_policy_set_expires_in_s(oss_callback_post_policy *post_policy,
                                               uint64_t expires_in_s);

/**
 * The sizes in bytes that the file may have, both included.
 */
void oss_callback_post_policy_set_content_length_range(oss_callback_post_policy *post_policy,
                                                       uint64_t least,
                                                       uint64_t most);

/**
 * Adds a Content-Type that the uploader may choose, by the field "x-oss-content-type".
 */
void oss_callback_post_policy_add_content_type(oss_callback_post_policy *post_policy,
                                               const char *content_type);

/**
 * Asks OSS to call the application server once the object is stored.
 */
void oss_callback_post_policy_set_callback(oss_callback_post_policy *post_policy,
                                           const oss_callback_spec *spec);

/**
 * A field of the form with the value that it must have: "x-oss-meta-author", "x-oss-object-acl",
 * "x-oss-forbid-overwrite", "success_action_status" and the like. A later value replaces an earlier one.
 */
void oss_callback_post_policy_set_field(oss_callback_post_policy *post_policy,
                                        const char *name,
                                        const char *value);

/**
 * Signs a form for an upload into `bucket`. Nothing is sent. On success `*post_form` is a new handle: free it
 * with oss_callback_post_form_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_client_sign_post_form(const oss_callback_client *client,
                                                     const char *bucket,
                                                     const oss_callback_post_policy *post_policy,
                                                     oss_callback_post_form **post_form,
                                                     oss_callback_error **error);

/**
 * Frees a policy. NULL does nothing.
 */
void oss_callback_post_policy_free(oss_callback_post_policy *post_policy);

/**
 * A form as somebody else made it, from what oss_callback_post_form_json gave, on any machine:
 * {"url":"…","fields":[["key","…"],…]}. On success `*post_form` is a new handle: free it with
 * oss_callback_post_form_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_post_form_new_from_json(const char *json,
                                                       oss_callback_post_form **post_form,
                                                       oss_callback_error **error);

/**
 * Where to post it. Borrowed from `post_form`; NULL for NULL.
 */
const char *oss_callback_post_form_url(const oss_callback_post_form *post_form);

/**
 * All of it as JSON, for a web page or another machine. Borrowed from `post_form`; NULL for NULL.
 */
const char *oss_callback_post_form_json(const oss_callback_post_form *post_form);

/**
 * Writes until when it is good, in seconds since 1970-01-01 00:00 UTC, to `*expires` and returns true; returns
 * false and writes nothing if whoever made it did not say.
 */
bool oss_callback_post_form_expires_at_s(const oss_callback_post_form *post_form,
                                         uint64_t *expires);

/**
 * How many fields it has. They stand before the file.
 */
size_t oss_callback_post_form_fields_len(const oss_callback_post_form *post_form);

/**
 * The name of a field, by its index from 0; NULL for an index that is too large. Borrowed from `post_form`.
 */
const char *oss_callback_post_form_field_name(const oss_callback_post_form *post_form, size_t index);

/**
 * The value of a field, by its index from 0; NULL for an index that is too large. Borrowed from `post_form`.
 */
const char *oss_callback_post_form_field_value(const oss_callback_post_form *post_form, size_t index);

/**
 * Frees a form and everything borrowed from it. NULL does nothing.
 */
void oss_callback_post_form_free(oss_callback_post_form *post_form);

/**
 * Uploads `body_len` bytes by a form that somebody signed, and waits for the answer: if the form asks for a
 * callback, for that of the application server.
 *
 * As oss_put_object_with_callback; a callback in the form is heeded like any other. `file_name` takes the place
 * of the file's name in the object's, and may be NULL if the form does not ask for it. `content_type` is the
 * object's, if the form leaves it to the uploader; NULL means none. The client's credentials do not count; for
 * https its endpoint must be one, too. `options` NULL means none.
 * Those that apply are how the body is sent, the progress hook, whether a callback may be repeated, and the limits; the form
 * determines everything else. Content-MD5 is refused.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_post_object_with_form(const oss_callback_client *client,
                                            const oss_callback_post_form *post_form,
                                            const uint8_t *body,
                                            size_t body_len,
                                            const char *file_name,
                                            const char *content_type,
                                            const oss_callback_put_options *options,
                                            oss_callback_receipt **receipt,
                                            oss_callback_error **error);

/**
 * Uploads a file by a form that somebody signed; see oss_post_object_with_form. `file_name` NULL means
 * that of the file.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_post_object_from_file_with_form(const oss_callback_client *client,
                                                      const oss_callback_post_form *post_form,
                                                      const char *path,
                                                      const char *file_name,
                                                      const char *content_type,
                                                      const oss_callback_put_options *options,
                                                      oss_callback_receipt **receipt,
                                                      oss_callback_error **error);

/**
 * How many warnings there are: of what OSS accepts and is likely a mistake all the same, such as a private
 * address or a variable that nobody defines. They stop nothing. 0 for a spec that OSS would refuse, and for
 * NULL.
 */
size_t oss_callback_spec_warnings_len(const oss_callback_spec *spec);

/**
 * A warning in one sentence: `index` is 0 for the first. NULL when there are not so many. Borrowed from
 * `spec`.
 */
const char *oss_callback_spec_warning(const oss_callback_spec *spec, size_t index);

/**
 * Makes the facts of an object that PutObject has stored. Free them with oss_callback_object_facts_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_object_facts_new(const char *bucket,
                                                const char *object,
                                                oss_callback_object_facts **object_facts,
                                                oss_callback_error **error);

/**
 * Sets a fact by the name of its variable: size (decimal digits), etag, mimeType, crc64, contentMd5,
 * clientIp, vpcId, reqId or operation.
 */
void oss_callback_object_facts_set(oss_callback_object_facts *object_facts,
                                   const char *variable,
                                   const char *value);

/**
 * Says that the object is an image of this height and width in pixels and of this format, such as "jpg".
 */
void oss_callback_object_facts_set_image(oss_callback_object_facts *object_facts,
                                         uint64_t height,
                                         uint64_t width,
                                         const char *format);

/**
 * Frees facts. NULL does nothing.
 */
void oss_callback_object_facts_free(oss_callback_object_facts *object_facts);

/**
 * Renders the requests that OSS would send after an upload, one for each URL: the first, and the next ones
 * only if those before them fail. Nothing is sent. On success `*preview` is a new handle: free it with
 * oss_callback_preview_free. OSS_CALLBACK_CODE_INVALID_CALLBACK as oss_callback_spec_check.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_spec_preview(const oss_callback_spec *spec,
                                            const oss_callback_object_facts *object_facts,
                                            oss_callback_preview **preview,
                                            oss_callback_error **error);

/**
 * How many requests there are: as many as the callback has URLs. 0 for NULL.
 */
size_t oss_callback_preview_len(const oss_callback_preview *preview);

/**
 * The callback URL of a request: `index` is 0 for the first. NULL when there are not so many. Borrowed from
 * `preview`.
 */
const char *oss_callback_preview_url(const oss_callback_preview *preview, size_t index);

/**
 * Path and query of a request. NULL when there are not so many. Borrowed from `preview`.
 */
const char *oss_callback_preview_target(const oss_callback_preview *preview, size_t index);

/**
 * The body of a request. NULL when there are not so many. Borrowed from `preview`.
 */
const char *oss_callback_preview_body(const oss_callback_preview *preview, size_t index);

/**
 * A whole request as it would go over the wire, with words in parentheses for what only OSS can know, and
 * line feeds as line ends. NULL when there are not so many. Borrowed from `preview`.
 */
const char *oss_callback_preview_http(const oss_callback_preview *preview, size_t index);

/**
 * Frees a preview and everything borrowed from it. NULL does nothing.
 */
void oss_callback_preview_free(oss_callback_preview *preview);

/**
 * Says what a callback will do: the value of x-oss-callback or of the parameter callback, and that of its
 * variables, or NULL. They may be percent-encoded, of the URL-safe alphabet, without padding or with line
 * breaks; that OSS would refuse this is then said. On success, also for a callback that OSS would refuse,
 * `*explanation` is a new handle: free it with oss_callback_explanation_free. Variables are shown with their
 * values.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_explanation_new(const char *callback,
                                               const char *callback_var,
                                               oss_callback_explanation **explanation,
                                               oss_callback_error **error);

/**
 * Everything that is to be said, a sentence a line: what OSS will do, then what is wrong, then what is likely
 * a mistake. NULL for NULL. Borrowed from `explanation`.
 */
const char *oss_callback_explanation_text(const oss_callback_explanation *explanation);

/**
 * Why OSS would refuse the callback: how many reasons there are. 0 if it would not, and for NULL.
 */
size_t oss_callback_explanation_problems_len(const oss_callback_explanation *explanation);

/**
 * Frees an explanation and everything borrowed from it. NULL does nothing.
 */
void oss_callback_explanation_free(oss_callback_explanation *explanation);

#if !defined(OSS_CALLBACK_SMALL)

/**
 * Makes options with OSS's production key. Free them with oss_callback_verifier_options_free; a verifier
 * does not need them any more once it is made.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_verifier_options_new(oss_callback_verifier_options **options);

/**
 * Adds a key that OSS publishes: its URL below https://gosspublic.alicdn.com/ and its text, PEM. The
 * production key is there already.
 */
void oss_callback_verifier_options_add_key(oss_callback_verifier_options *options,
                                           const char *url,
                                           const char *pem);

/**
 * Whether keys that are not known are fetched from OSS's key host. Default: false. Fetched are only URLs of
 * the form https://gosspublic.alicdn.com/callback_pub_key_v1.pem, by https, at most 8 keys, each at most
 * once a minute, within 3 seconds; verifying then waits for it.
 */
void oss_callback_verifier_options_set_fetch_keys(oss_callback_verifier_options *options, bool fetch_keys);

/**
 * FOR TESTS ONLY: admits a key URL that is not OSS's, exactly as it stands, with this key (PEM). Whoever
 * holds its private half can forge callbacks. For local-oss, which prints the URL when it starts.
 */
void oss_callback_verifier_options_trust_key_url_for_tests(oss_callback_verifier_options *options,
                                                           const char *exact_url,
                                                           const char *pem);

/**
 * The longest body in bytes. Default: 1 MiB.
 */
void oss_callback_verifier_options_set_max_body_len(oss_callback_verifier_options *options,
                                                    size_t max_body_len);

/**
 * Puts back what a reverse proxy has stripped: with "/api" a request for /callback may have been signed as
 * /api/callback. The target as it came is tried first.
 */
void oss_callback_verifier_options_prepend_prefix(oss_callback_verifier_options *options, const char *prefix);

/**
 * Takes off what a reverse proxy has added: with "/internal" a request for /internal/callback may have been
 * signed as /callback. The target as it came is tried first.
 */
void oss_callback_verifier_options_strip_prefix(oss_callback_verifier_options *options, const char *prefix);

/**
 * Believes a header such as X-Original-URI, in which a reverse proxy keeps the target as it came to it. The
 * target as it came to the application is tried first.
 */
void oss_callback_verifier_options_trust_target_header(oss_callback_verifier_options *options,
                                                       const char *name);

/**
 * Frees options. NULL does nothing.
 */
void oss_callback_verifier_options_free(oss_callback_verifier_options *options);

/**
 * Makes a verifier; NULL `options` mean OSS's production key and no proxy. On success `*verifier` is a new
 * handle: free it with oss_callback_verifier_free. The options may be used again.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_verifier_new(const oss_callback_verifier_options *options,
                                            oss_callback_verifier **verifier,
                                            oss_callback_error **error);

/**
 * Verifies a request as it came to the application server, before anything has decoded it.
 *
 * `target` is path and query as they stand in the request line. `headers` holds 2 * `headers_len` texts: a
 * name, its value, the next name, and so on; of several with one name the first counts. Authorization and
 * x-oss-pub-key-url are needed, Content-Type says how the body is read, and what proxies add is looked at;
 * all others may be left out. One of more than 16 KiB is none of OSS's. `body` are its bytes. Nothing is written to these buffers or kept of them.
 *
 * Takes some 20 microseconds and does no I/O, unless keys are fetched. On success `*verified` is a new
 * handle: free it with oss_callback_verified_free. The codes 80 to 87 say why a request is no callback:
 * oss_callback_error_message and oss_callback_error_diagnosis are for the application's log, not for whoever
 * sent the request, who gets oss_callback_reply_new_refused. OSS_CALLBACK_CODE_KEY_UNAVAILABLE says nothing
 * about the request. May be called from several threads with the same verifier.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_verifier_verify(const oss_callback_verifier *verifier,
                                               const char *method,
                                               const char *target,
                                               const char *const *headers,
                                               size_t headers_len,
                                               const uint8_t *body,
                                               size_t body_len,
                                               oss_callback_verified **verified,
                                               oss_callback_error **error);

/**
 * Frees a verifier. NULL does nothing. No call may use the verifier any more.
 */
void oss_callback_verifier_free(oss_callback_verifier *verifier);

/**
 * Path and query that OSS has signed: those of the callback URL, whatever a proxy made of them. For logs:
 * /cb?id=1 and /cb%3Fid=1 are signed alike, and any customer of OSS can choose them. NULL for NULL.
 */
const char *oss_callback_verified_signed_target(const oss_callback_verified *verified);

/**
 * The URL of the key, as the callback named it. NULL for NULL.
 */
const char *oss_callback_verified_key_url(const oss_callback_verified *verified);

/**
 * The body, byte for byte: `*body_len` bytes, not NUL-terminated. `body_len` may be NULL. Never NULL except
 * for a NULL `verified`, whose body has 0 bytes.
 */
const uint8_t *oss_callback_verified_body(const oss_callback_verified *verified, size_t *body_len);

/**
 * Says whether the body could be read: a form or JSON, decided by Content-Type. OSS_CALLBACK_CODE_BAD_BODY
 * when it is neither, not UTF-8, or has a member twice, which two readers could understand in two ways.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_verified_check_body(const oss_callback_verified *verified,
                                                   oss_callback_error **error);

/**
 * A member of the body by its name there, case included; numbers as JSON writes them. The members of a JSON
 * object imageInfo are "imageInfo.height" and so on.
 */
const char *oss_callback_verified_member(const oss_callback_verified *verified, const char *name);

/**
 * A variable of the application's own by its name, with or without "x:" in front: the member x:name, or
 * else the member name. It may be empty.
 */
const char *oss_callback_verified_variable(const oss_callback_verified *verified, const char *name);

/**
 * The bucket, ${bucket}.
 */
const char *oss_callback_verified_bucket(const oss_callback_verified *verified);

/**
 * The object's key, ${object}; also found under the name filename.
 */
const char *oss_callback_verified_object(const oss_callback_verified *verified);

/**
 * The ETag without quotes, ${etag}.
 */
const char *oss_callback_verified_etag(const oss_callback_verified *verified);

/**
 * The object's Content-Type, ${mimeType}.
 */
const char *oss_callback_verified_mime_type(const oss_callback_verified *verified);

/**
 * The image's format such as jpg, ${imageInfo.format}; also found under the name format.
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
 * PutObject, PostObject or CompleteMultipartUpload: ${operation}.
 */
const char *oss_callback_verified_operation(const oss_callback_verified *verified);

/**
 * Writes the size in bytes, ${size}, to `*size` and returns true; returns false and writes nothing if the body does not say it.
 */
bool oss_callback_verified_size(const oss_callback_verified *verified,
                                uint64_t *size);

/**
 * Writes the CRC-64/XZ, ${crc64}, to `*crc64` and returns true; returns false and writes nothing if the body does not say it.
 */
bool oss_callback_verified_crc64(const oss_callback_verified *verified,
                                 uint64_t *crc64);

/**
 * Writes the image's height in pixels, ${imageInfo.height}, also found under the name height, to `*image_height` and returns true; returns false and writes nothing if the body does not say it.
 */
bool oss_callback_verified_image_height(const oss_callback_verified *verified,
                                        uint64_t *image_height);

/**
 * Writes the image's width in pixels, ${imageInfo.width}, also found under the name width, to `*image_width` and returns true; returns false and writes nothing if the body does not say it.
 */
bool oss_callback_verified_image_width(const oss_callback_verified *verified,
                                       uint64_t *image_width);

/**
 * Looks the object up that the body names (HeadObject), and compares its ETag, size and CRC-64 with what
 * the body says of them. Do this before anything valuable: neither OSS's signature nor a seal proves that
 * the upload took place. An object that was there before passes as well, and without a seal the bucket may be
 * anybody's. Blocks for at most the client's time limits. On success `*metadata`, if wanted, is a
 * new handle: free it with oss_callback_object_metadata_free. OSS_CALLBACK_CODE_NOT_CONFIRMED when there is
 * no such object, or it is another; every other code says that it is not known.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_verified_confirm(const oss_callback_verified *verified,
                                                const oss_callback_client *client,
                                                oss_callback_object_metadata **metadata,
                                                oss_callback_error **error);

/**
 * Frees a verified callback and everything borrowed from it. NULL does nothing.
 */
void oss_callback_verified_free(oss_callback_verified *verified);

/**
 * Makes an answer that OSS accepts and hands to the uploader: status 200 with this JSON text. On success
 * `*reply` is a new handle: free it with oss_callback_reply_free. OSS_CALLBACK_CODE_INVALID_ARGUMENT when
 * `json` is not JSON, begins with a byte order mark or is longer than 1 MB.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_reply_new_ok(const char *json,
                                            oss_callback_reply **reply,
                                            oss_callback_error **error);

/**
 * Makes an answer that refuses a request after an error of verifying or sealing, with a status that goes
 * with it and no word of the reason: 405, 413, 400 for a body that cannot be read, 403 for what is not OSS's
 * or not permitted, and 503 where that is not known, which is also what a NULL `error` means. On success
 * `*reply` is a new handle: free it with oss_callback_reply_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_reply_new_refused(const oss_callback_error *error,
                                                 oss_callback_reply **reply);

/**
 * The HTTP status; 0 for NULL.
 */
uint32_t oss_callback_reply_status(const oss_callback_reply *reply);

/**
 * The value for Content-Type: application/json. NULL for NULL. Borrowed from `reply`.
 */
const char *oss_callback_reply_content_type(const oss_callback_reply *reply);

/**
 * The body: `*body_len` bytes, which is also the value for Content-Length. `body_len` may be NULL. NULL and
 * 0 bytes for NULL. Borrowed from `reply`.
 */
const uint8_t *oss_callback_reply_body(const oss_callback_reply *reply, size_t *body_len);

/**
 * The whole answer as it goes over the wire, for servers that write to a socket: `*http_len` bytes of
 * HTTP/1.1, after which the connection is to be closed. `http_len` may be NULL. NULL and 0 bytes for NULL.
 * Borrowed from `reply`.
 */
const uint8_t *oss_callback_reply_http(const oss_callback_reply *reply, size_t *http_len);

/**
 * Frees a reply and everything borrowed from it. NULL does nothing.
 */
void oss_callback_reply_free(oss_callback_reply *reply);

/**
 * Permits the upload of one object. It needs a size and an end: without them nothing can be sealed. Free it
 * with oss_callback_permission_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_permission_new_object(const char *bucket,
                                                     const char *object,
                                                     oss_callback_permission **permission,
                                                     oss_callback_error **error);

/**
 * As oss_callback_permission_new_object, for one object whose name begins with `prefix` and is otherwise the
 * uploader's choice. It may be one that exists: give each uploader a prefix of his own.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_permission_new_prefix(const char *bucket,
                                                     const char *prefix,
                                                     oss_callback_permission **permission,
                                                     oss_callback_error **error);

/**
 * The largest size in bytes.
 */
void oss_callback_permission_set_max_size(oss_callback_permission *permission, uint64_t bytes);

/**
 * The size in bytes, in place of a largest one.
 */
void oss_callback_permission_set_exact_size(oss_callback_permission *permission, uint64_t bytes);

/**
 * The end, by the clock of the application server, in seconds since 1970. The callback must arrive before
 * it, so leave time for the upload.
 */
void oss_callback_permission_set_expires_at_s(oss_callback_permission *permission, uint64_t seconds);

/**
 * The end, in seconds from now.
 */
void oss_callback_permission_set_valid_for_s(oss_callback_permission *permission, uint64_t seconds);

/**
 * Frees a permission. NULL does nothing.
 */
void oss_callback_permission_free(oss_callback_permission *permission);

/**
 * Makes a sealer with a key: an id of 1 to 32 letters, digits, - and _, which stands in every seal and is no
 * secret, and a secret of at least 32 random bytes, which is copied. On success `*sealer` is a new handle:
 * free it with oss_callback_sealer_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_sealer_new(const char *key_id,
                                          const uint8_t *secret,
                                          size_t secret_len,
                                          oss_callback_sealer **sealer,
                                          oss_callback_error **error);

/**
 * Also accepts the seals of another key, for rotation: the one before, until its seals have expired, or the
 * next one, before the first server seals with it. Nobody else may use the sealer meanwhile.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_sealer_accept(oss_callback_sealer *sealer,
                                             const char *key_id,
                                             const uint8_t *secret,
                                             size_t secret_len,
                                             oss_callback_error **error);

/**
 * Makes a spec of these options with a seal in the variable x:seal: for one upload. All variables of the
 * options are sealed.
 *
 * The body must carry ${bucket}, ${object}, ${size}, ${x:seal} and every variable, each as a member of that
 * name, variables with or without x: in front; otherwise OSS_CALLBACK_CODE_INVALID_CALLBACK names what is
 * missing. The permission must not have ended. On success `*spec` is a new handle: free it with oss_callback_spec_free. Give the uploader
 * oss_callback_spec_callback and oss_callback_spec_callback_var. May be called from several threads with the
 * same sealer.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_sealer_seal(const oss_callback_sealer *sealer,
                                           const oss_callback_spec_options *options,
                                           const oss_callback_permission *permission,
                                           oss_callback_spec **spec,
                                           oss_callback_error **error);

/**
 * Checks the seal of a verified callback against what its body says, by the clock of this machine. On
 * success `*sealed` is a new handle: free it with oss_callback_sealed_free. Codes 88 to 94 say what is wrong:
 * OSS_CALLBACK_CODE_BAD_SEAL when the seal is forged or belongs to another bucket, object or other variables.
 * May be called from several threads with the same sealer.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_sealer_check(const oss_callback_sealer *sealer,
                                            const oss_callback_verified *verified,
                                            oss_callback_sealed **sealed,
                                            oss_callback_error **error);

/**
 * Frees a sealer. NULL does nothing. No call may use the sealer any more.
 */
void oss_callback_sealer_free(oss_callback_sealer *sealer);

/**
 * The bucket. NULL for NULL. Borrowed from `sealed`.
 */
const char *oss_callback_sealed_bucket(const oss_callback_sealed *sealed);

/**
 * The object: the permitted one, or one that begins with the permitted prefix. NULL for NULL. Borrowed from
 * `sealed`.
 */
const char *oss_callback_sealed_object(const oss_callback_sealed *sealed);

/**
 * The size in bytes that the callback says, within what was permitted. 0 for NULL.
 */
uint64_t oss_callback_sealed_size(const oss_callback_sealed *sealed);

/**
 * A sealed variable by its name, with or without "x:" in front; NULL if it was not sealed. Borrowed from
 * `sealed`.
 */
const char *oss_callback_sealed_variable(const oss_callback_sealed *sealed, const char *name);

/**
 * The id of the key that sealed it. NULL for NULL. Borrowed from `sealed`.
 */
const char *oss_callback_sealed_key_id(const oss_callback_sealed *sealed);

/**
 * When the permission ends, in seconds since 1970. 0 for NULL.
 */
uint64_t oss_callback_sealed_expires_at_s(const oss_callback_sealed *sealed);

/**
 * 16 random bytes that no other seal has. With oss_callback_sealed_body_digest they are what a database
 * needs that several servers share in place of an oss_callback_replay_guard: keep the digest under the nonce
 * until after the permission's end; a nonce that is there with another digest is a replay. NULL for NULL.
 * Borrowed from `sealed`.
 */
const uint8_t *oss_callback_sealed_nonce(const oss_callback_sealed *sealed);

/**
 * The SHA-256 of the body, 32 bytes. NULL for NULL. Borrowed from `sealed`.
 */
const uint8_t *oss_callback_sealed_body_digest(const oss_callback_sealed *sealed);

/**
 * Frees a sealed callback and everything borrowed from it. NULL does nothing.
 */
void oss_callback_sealed_free(oss_callback_sealed *sealed);

/**
 * Makes a guard that remembers up to `capacity` permissions that have not ended yet, each in some 200 bytes,
 * in this process only. Free it with oss_callback_replay_guard_free.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_replay_guard_new(size_t capacity,
                                                oss_callback_replay_guard **replay_guard);

/**
 * Looks, remembers, and writes what it knows to `*seen`. Of threads that ask for one callback at once, one is
 * told OSS_CALLBACK_SEEN_FIRST. OSS_CALLBACK_CODE_REPLAY_UNKNOWN when the guard is full: it does not
 * forget anything before its time, so answer with a 5xx.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_replay_guard_check(const oss_callback_replay_guard *replay_guard,
                                                  const oss_callback_sealed *sealed,
                                                  oss_callback_seen *seen,
                                                  oss_callback_error **error);

/**
 * Takes OSS_CALLBACK_SEEN_FIRST back, when what was to be done has failed and a repetition is welcome.
 */
OSS_CALLBACK_MUST_USE
oss_callback_code oss_callback_replay_guard_forget(const oss_callback_replay_guard *replay_guard,
                                                   const oss_callback_sealed *sealed,
                                                   oss_callback_error **error);

/**
 * Frees a guard. NULL does nothing. No call may use the guard any more.
 */
void oss_callback_replay_guard_free(oss_callback_replay_guard *replay_guard);

#endif /* OSS_CALLBACK_SMALL */

/**
 * The HTTP status: 200, or 203 in a receipt of OSS_CALLBACK_CODE_CALLBACK_FAILED. 0 for NULL.
 */
uint32_t oss_callback_receipt_status(const oss_callback_receipt *receipt);

/**
 * The object's ETag without its quotes, as ${etag} has it in a callback body; NULL if OSS did not say it.
 * Borrowed from `receipt`.
 */
const char *oss_callback_receipt_etag(const oss_callback_receipt *receipt);

/**
 * Writes the CRC-64 that OSS computed over the object (CRC-64/XZ) to `*crc64` and returns true; returns
 * false and writes nothing if OSS did not say it.
 */
bool oss_callback_receipt_crc64(const oss_callback_receipt *receipt, uint64_t *crc64);

/**
 * The object's version in a bucket with versioning, otherwise NULL. Borrowed from `receipt`.
 */
const char *oss_callback_receipt_version_id(const oss_callback_receipt *receipt);

/**
 * The id under which OSS's support finds the request; the callback carries the same one. NULL if OSS did
 * not say it. Borrowed from `receipt`.
 */
const char *oss_callback_receipt_request_id(const oss_callback_receipt *receipt);

/**
 * How often the request was sent until this answer came: 1 or more, 0 for NULL.
 */
uint32_t oss_callback_receipt_attempts(const oss_callback_receipt *receipt);

/**
 * How many attempts came before the last one: one fewer than oss_callback_receipt_attempts says.
 */
size_t oss_callback_receipt_earlier_attempts_len(const oss_callback_receipt *receipt);

/**
 * An attempt that came before the last one: `index` is 0 for the first. NULL when there are not so many.
 * Borrowed from `receipt`.
 */
const oss_callback_attempt *oss_callback_receipt_earlier_attempt(const oss_callback_receipt *receipt,
                                                                 size_t index);

/**
 * How many notes there are; 0 for NULL.
 */
size_t oss_callback_receipt_notes_len(const oss_callback_receipt *receipt);

/**
 * What else is worth knowing of oss_upload_file_with_callback, in a sentence: why it did not go on where its
 * checkpoint said, or that an older upload could not be aborted. `index` is 0 for the first; NULL when there
 * are not so many. Borrowed from `receipt`.
 */
const char *oss_callback_receipt_note(const oss_callback_receipt *receipt, size_t index);

/**
 * How long the head of the answer was waited for, in milliseconds after the last byte was sent: with
 * a callback mostly the application server's time. 0 for NULL.
 */
uint64_t oss_callback_receipt_waited_ms(const oss_callback_receipt *receipt);

/**
 * The application server's answer, byte for byte: `*answer_len` bytes, not NUL-terminated. JSON as a rule,
 * but nothing is assumed. Empty without a callback and when the callback failed; cut short in a receipt
 * of OSS_CALLBACK_CODE_ANSWER_DAMAGED. `answer_len` may be NULL. Never NULL except for a NULL `receipt`,
 * whose answer has 0 bytes. Borrowed from `receipt`.
 */
const uint8_t *oss_callback_receipt_answer(const oss_callback_receipt *receipt, size_t *answer_len);

/**
 * The Content-Type of the answer, as the application server gave it; NULL without an answer. Borrowed
 * from `receipt`.
 */
const char *oss_callback_receipt_answer_content_type(const oss_callback_receipt *receipt);

/**
 * A header of OSS's answer by its name, in any case; NULL if there is none. Borrowed from `receipt`.
 */
const char *oss_callback_receipt_header(const oss_callback_receipt *receipt, const char *name);

/**
 * Frees a receipt that an upload gave, and everything borrowed from it. NULL does nothing. A receipt that
 * is borrowed from an error is not freed.
 */
void oss_callback_receipt_free(oss_callback_receipt *receipt);

/**
 * Why it failed. OSS_CALLBACK_CODE_OK for NULL.
 */
oss_callback_code oss_callback_attempt_code(const oss_callback_attempt *attempt);

/**
 * Did it store the object? OSS_CALLBACK_STORED_UNKNOWN for NULL.
 */
oss_callback_stored oss_callback_attempt_stored(const oss_callback_attempt *attempt);

/**
 * Did OSS accept the application server's answer? OSS_CALLBACK_ANSWERED_UNKNOWN for NULL.
 */
oss_callback_answered oss_callback_attempt_answered(const oss_callback_attempt *attempt);

/**
 * The HTTP status, or 0 if no answer came.
 */
uint32_t oss_callback_attempt_status(const oss_callback_attempt *attempt);

/**
 * How long the head of its answer was waited for, after the last byte was sent.
 */
uint64_t oss_callback_attempt_waited_ms(const oss_callback_attempt *attempt);

/**
 * The code that the function returned. OSS_CALLBACK_CODE_OK for NULL.
 */
oss_callback_code oss_callback_error_code(const oss_callback_error *error);

/**
 * What was tried and what happened, in one line of UTF-8 without secrets. Borrowed from `error`; an
 * empty text for NULL.
 */
const char *oss_callback_error_message(const oss_callback_error *error);

/**
 * Did the operation store the object all the same? OSS_CALLBACK_STORED_UNKNOWN for NULL. An operation that
 * stores nothing, such as oss_callback_client_head_object, says OSS_CALLBACK_STORED_NO.
 */
oss_callback_stored oss_callback_error_stored(const oss_callback_error *error);

/**
 * Did OSS accept the application server's answer? OSS_CALLBACK_ANSWERED_UNKNOWN for NULL.
 */
oss_callback_answered oss_callback_error_answered(const oss_callback_error *error);

/**
 * What is known of the stored object: ETag, CRC-64, request id and the application server's answer.
 * Borrowed from `error`, do not free it. NULL unless oss_callback_error_stored says
 * OSS_CALLBACK_STORED_YES.
 */
const oss_callback_receipt *oss_callback_error_receipt(const oss_callback_error *error);

/**
 * The HTTP status, or 0 if no answer came.
 */
uint32_t oss_callback_error_status(const oss_callback_error *error);

/**
 * The code of OSS's error document, such as "NoSuchBucket" or "CallbackFailed"; NULL if there is none.
 * Borrowed from `error`.
 */
const char *oss_callback_error_oss_code(const oss_callback_error *error);

/**
 * The message of OSS's error document; NULL if there is none. For a failed callback it says what the
 * application server did, for example "Error status : 502." Borrowed from `error`.
 */
const char *oss_callback_error_oss_message(const oss_callback_error *error);

/**
 * The code of OSS's troubleshooting pages, such as "0007-00000203"; NULL if there is none. OSS may change
 * these codes: show them, do not branch on them. Borrowed from `error`.
 */
const char *oss_callback_error_ec(const oss_callback_error *error);

/**
 * The id under which OSS's support finds the request; NULL if no answer came. Borrowed from `error`.
 */
const char *oss_callback_error_request_id(const oss_callback_error *error);

/**
 * The host that OSS believes to have answered; NULL if it does not say. Borrowed from `error`.
 */
const char *oss_callback_error_host_id(const oss_callback_error *error);

/**
 * For an error of the callback, and for an answer that is not OSS's: what usually causes it and what to do, in a
 * few sentences; NULL for other errors. Borrowed from `error`.
 */
const char *oss_callback_error_diagnosis(const oss_callback_error *error);

/**
 * How often the request was sent: 1 or more, and 1 also when nothing was sent; 0 for NULL.
 */
uint32_t oss_callback_error_attempts(const oss_callback_error *error);

/**
 * How many attempts came before the last one: one fewer than oss_callback_error_attempts says.
 */
size_t oss_callback_error_earlier_attempts_len(const oss_callback_error *error);

/**
 * An attempt that came before the last one: `index` is 0 for the first. NULL when there are not so many.
 * Its verdict is part of the error's already. Borrowed from `error`.
 */
const oss_callback_attempt *oss_callback_error_earlier_attempt(const oss_callback_error *error, size_t index);

/**
 * How many notes there are; 0 for NULL.
 */
size_t oss_callback_error_notes_len(const oss_callback_error *error);

/**
 * What else is worth knowing of oss_upload_file_with_callback, in a sentence: that an upload could not be
 * aborted, or why it did not go on where its checkpoint said. `index` is 0 for the first; NULL when there are
 * not so many. Borrowed from `error`.
 */
const char *oss_callback_error_note(const oss_callback_error *error, size_t index);

/**
 * The upload in parts that oss_upload_file_with_callback left open, else NULL. Go on with it by its
 * checkpoint, or abort it with oss_callback_multipart_upload_abort; until then OSS keeps, and bills, its
 * parts. Borrowed from `error`.
 */
const char *oss_callback_error_upload_id(const oss_callback_error *error);

/**
 * How long the head of the answer was waited for, in milliseconds after the last byte was sent in the last
 * attempt. 0 for NULL.
 */
uint64_t oss_callback_error_waited_ms(const oss_callback_error *error);

/**
 * A further element of OSS's error document by its name, in any case, for example "ArgumentName" or
 * "StringToSign"; NULL if there is none. Borrowed from `error`.
 */
const char *oss_callback_error_detail(const oss_callback_error *error, const char *name);

/**
 * A header of OSS's answer by its name, in any case; NULL if there is none. Borrowed from `error`.
 */
const char *oss_callback_error_header(const oss_callback_error *error, const char *name);

/**
 * The body of OSS's answer as it came, up to the client's limit: `*body_len` bytes, not NUL-terminated.
 * `body_len` may be NULL. Never NULL except for a NULL `error`, whose body has 0 bytes. Borrowed from
 * `error`.
 */
const uint8_t *oss_callback_error_body(const oss_callback_error *error, size_t *body_len);

/**
 * Frees an error and everything borrowed from it. NULL does nothing.
 */
void oss_callback_error_free(oss_callback_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* OSS_CALLBACK_H */
