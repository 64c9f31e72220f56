/* Does uploads that are described on standard input, a line each, and tells on standard output what came of them. The test
 * compares that with what the server has recorded. At the end nothing is left. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <dirent.h>

#define MAX_URLS 2

static char line[8192];
static oss_callback_client *client;
static oss_callback_error *unknown;

static int count(const char *path) {
    int number = 0;
    DIR *folder = opendir(path);
    assert(folder != NULL);
    while (readdir(folder) != NULL) {
        number++;
    }
    assert(closedir(folder) == 0);
    return number;
}

/* The next word of the line; NULL for "-". */
static const char *word(void) {
    const char *next = strtok(NULL, " \n");
    assert(next != NULL);
    return strcmp(next, "-") == 0 ? NULL : next;
}

static uint64_t number(void) {
    const char *digits = word();
    assert(digits != NULL);
    return strtoull(digits, NULL, 10);
}

static uint8_t *contents_of(const char *path, size_t *len) {
    uint8_t *bytes;
    long size;
    FILE *file = fopen(path, "rb");
    assert(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size = ftell(file);
    assert(size >= 0 && fseek(file, 0, SEEK_SET) == 0);
    *len = (size_t)size;
    bytes = malloc(*len + 1);
    assert(bytes != NULL && fread(bytes, 1, *len, file) == *len && fclose(file) == 0);
    return bytes;
}

static oss_callback_client_options *options_of(const char *endpoint, const char *certificate) {
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_endpoint(options, endpoint);
    oss_callback_client_options_set_path_style(options, true);
    if (certificate != NULL) {
        size_t len;
        uint8_t *pem = contents_of(certificate, &len);
        oss_callback_client_options_set_root_certificates(options, OSS_CALLBACK_ROOT_CERTIFICATES_NONE);
        oss_callback_client_options_set_ca_bundle(options, pem, len);
        free(pem);
    }
    return options;
}

/* endpoint certificate secret signature-version attempts each-ms total-ms warm addresses-of-localhost... */
static void prepare(void) {
    const char *endpoint = word(), *certificate = word(), *secret = word(), *address;
    uint64_t version = number(), attempts = number(), each = number(), total = number();
    bool warm = number() != 0;
    oss_callback_client_options *options = options_of(endpoint, certificate);
    if (secret != NULL) {
        oss_callback_client_options_set_credentials(options, variable("OSS_ACCESS_KEY_ID"), secret, NULL);
    }
    oss_callback_client_options_set_signature_version(options, (uint32_t)version);
    oss_callback_client_options_set_max_answer_len(options, 64 * 1024);
    oss_callback_client_options_set_max_attempts(options, (uint32_t)attempts);
    oss_callback_client_options_set_retry_base_delay_ms(options, 2);
    if (each != 0) {
        oss_callback_client_options_set_connect_timeout_ms(options, each);
        oss_callback_client_options_set_progress_timeout_ms(options, each);
        oss_callback_client_options_set_answer_timeout_ms(options, each);
    }
    if (total != 0) {
        oss_callback_client_options_set_timeout_ms(options, total);
    }
    while ((address = word()) != NULL) {
        oss_callback_client_options_add_address(options, "localhost", address);
    }
    client = new_client_of(options);
    if (warm) {
        /* Whatever comes of it. */
        oss_callback_code code = oss_put_object_with_callback(client, BUCKET, "warm", (const uint8_t *)"warm", 4, oss_callback_spec_none(),
                                                              NULL, NULL, NULL);
        (void)code;
    }
    printf("ready\n");
}

typedef struct {
    const uint8_t *next;
    size_t left;
} source;

static int64_t give(uint8_t *buffer, size_t buffer_len, void *userdata) {
    source *it = userdata;
    size_t given = it->left < buffer_len ? it->left : buffer_len;
    /* No more than this at once, so that there are many calls. */
    given = given < 30000 ? given : 30000;
    memcpy(buffer, it->next, given);
    it->next += given;
    it->left -= given;
    return (int64_t)given;
}

/* Initiates, sends the parts and completes; a step that fails is the end. */
static oss_callback_code in_parts(const char *object, const uint8_t *body, size_t len, size_t part_len, bool late,
                                  const oss_callback_spec *spec, const oss_callback_put_options *put,
                                  oss_callback_receipt **receipt, oss_callback_error **error) {
    oss_callback_multipart_upload *upload = NULL;
    oss_callback_parts *parts = new_parts();
    uint32_t part = 0;
    size_t begin, index;
    oss_callback_code code = oss_callback_client_initiate_multipart_upload(client, BUCKET, object, put, &upload, error);
    if (code == OSS_CALLBACK_CODE_OK) {
        printf("begun %s\n", oss_callback_multipart_upload_id(upload));
        for (index = 0; index < oss_callback_multipart_upload_notes_len(upload); index++) {
            printf("note %s\n", oss_callback_multipart_upload_note(upload, index));
        }
    }
    for (begin = 0; code == OSS_CALLBACK_CODE_OK && begin < len; begin += part_len) {
        size_t rest = len - begin;
        code = oss_callback_multipart_upload_upload_part(upload, ++part, body + begin, rest < part_len ? rest : part_len, NULL,
                                                  parts, error);
    }
    if (code == OSS_CALLBACK_CODE_OK && late) {
        printf("parts\n");
        fflush(stdout);
        assert(fgets(line, sizeof line, stdin) != NULL);
    }
    if (code == OSS_CALLBACK_CODE_OK) {
        code = oss_complete_multipart_upload_with_callback(upload, parts, spec, NULL, receipt, error);
    }
    oss_callback_parts_free(parts);
    oss_callback_multipart_upload_free(upload);
    return code;
}

static const char *or_none(const char *text) {
    return text == NULL ? "-" : text;
}

static void tell_receipt(const oss_callback_receipt *receipt) {
    uint64_t crc64 = 0;
    size_t len = 0, index;
    const uint8_t *answer;
    printf("etag %s\n", or_none(oss_callback_receipt_etag(receipt)));
    if (oss_callback_receipt_crc64(receipt, &crc64)) {
        printf("crc64 %" PRIu64 "\n", crc64);
    }
    printf("request_id %s\n", or_none(oss_callback_receipt_request_id(receipt)));
    answer = oss_callback_receipt_answer(receipt, &len);
    printf("answer ");
    for (index = 0; index < len; index++) {
        printf("%02x", answer[index]);
    }
    printf("\n");
}

static void tell_attempt(const oss_callback_attempt *attempt) {
    printf("failed %s\n", oss_callback_code_name(oss_callback_attempt_code(attempt)));
}

static void tell_result(oss_callback_code code, const oss_callback_receipt *receipt, const oss_callback_error *error) {
    size_t index;
    const char *message;
    assert((code == OSS_CALLBACK_CODE_OK) == (receipt != NULL) && (receipt == NULL) == (error != NULL));
    printf("code %s\n", oss_callback_code_name(code));
    if (receipt != NULL) {
        printf("stored %d\nanswered %d\n", OSS_CALLBACK_STORED_YES, OSS_CALLBACK_ANSWERED_YES);
        printf("attempts %" PRIu32 "\n", oss_callback_receipt_attempts(receipt));
        for (index = 0; index < oss_callback_receipt_earlier_attempts_len(receipt); index++) {
            tell_attempt(oss_callback_receipt_earlier_attempt(receipt, index));
        }
        for (index = 0; index < oss_callback_receipt_notes_len(receipt); index++) {
            printf("note %s\n", oss_callback_receipt_note(receipt, index));
        }
        tell_receipt(receipt);
    } else {
        assert(oss_callback_error_code(error) == code);
        printf("stored %d\n", oss_callback_error_stored(error));
        printf("answered %d\n", oss_callback_error_answered(error));
        printf("attempts %" PRIu32 "\n", oss_callback_error_attempts(error));
        for (index = 0; index < oss_callback_error_earlier_attempts_len(error); index++) {
            tell_attempt(oss_callback_error_earlier_attempt(error, index));
        }
        printf("upload_id %s\n", or_none(oss_callback_error_upload_id(error)));
        for (index = 0; index < oss_callback_error_notes_len(error); index++) {
            printf("note %s\n", oss_callback_error_note(error, index));
        }
        printf("message ");
        for (message = oss_callback_error_message(error); *message != '\0'; message++) {
            putchar(*message == '\n' ? ' ' : *message);
        }
        printf("\n");
        if (oss_callback_error_receipt(error) != NULL) {
            tell_receipt(oss_callback_error_receipt(error));
        }
    }
    printf("end\n");
}

/* operation object file part-len parallel idempotent id late url url */
static void upload(void) {
    const char *operation = word(), *object = word(), *path = word(), *urls[MAX_URLS];
    uint64_t part_len = number(), parallel = number();
    bool idempotent = number() != 0, id = number() != 0, late = number() != 0;
    size_t len, index;
    uint8_t *body = contents_of(path, &len);
    source reader;
    oss_callback_spec *made = NULL;
    const oss_callback_spec *spec = oss_callback_spec_none();
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;
    oss_callback_code code;
    oss_callback_put_options *options = new_put_options();
    for (index = 0; index < MAX_URLS; index++) {
        urls[index] = word();
    }
    if (urls[0] != NULL) {
        oss_callback_spec_options *spec_options = new_spec_options(urls[0]);
        if (urls[1] != NULL) {
            oss_callback_spec_options_add_url(spec_options, urls[1]);
        }
        spec = made = new_spec_of(spec_options);
    }
    if (id) {
        oss_callback_put_options_set_idempotency_id(options, object);
    }
    reader.next = body;
    reader.left = len;
    if (strcmp(operation, "Multipart") == 0) {
        code = in_parts(object, body, len, (size_t)part_len, late, spec, options, &receipt, &error);
    } else {
        oss_callback_put_options_set_callback_is_idempotent(options, idempotent);
        if (strcmp(operation, "PutBytes") == 0) {
            code = oss_put_object_with_callback(client, BUCKET, object, body, len, spec, options, &receipt, &error);
        } else if (strcmp(operation, "PutFile") == 0) {
            code = oss_put_object_from_file_with_callback(client, BUCKET, object, path, spec, options, &receipt, &error);
        } else if (strcmp(operation, "PutReader") == 0) {
            code = oss_put_object_from_reader_with_callback(client, BUCKET, object, give, &reader, len, spec, options,
                                                            &receipt, &error);
        } else if (strcmp(operation, "PutChunked") == 0) {
            code = oss_put_object_from_reader_with_callback(client, BUCKET, object, give, &reader,
                                                            OSS_CALLBACK_LEN_UNKNOWN, spec, options, &receipt, &error);
        } else {
            assert(strcmp(operation, "UploadFile") == 0);
            oss_callback_put_options_set_part_size(options, part_len);
            oss_callback_put_options_set_parallel(options, (uint32_t)parallel);
            code = oss_upload_file_with_callback(client, BUCKET, object, path, spec, options, &receipt, &error);
        }
    }
    tell_result(code, receipt, error);
    oss_callback_put_options_free(options);
    oss_callback_spec_free(made);
    oss_callback_receipt_free(receipt);
    oss_callback_client_free(client);
    client = NULL;
    oss_callback_error_free(unknown);
    unknown = error;
    free(body);
}

/* endpoint certificate */
static void reconcile(void) {
    static const char *const names[] = {"StillUnknown", "Stored", "ContentPresent", "NotThere"};
    const char *endpoint = word(), *certificate = word();
    oss_callback_client_options *options = options_of(endpoint, certificate);
    oss_callback_client *other;
    oss_callback_reconciled *reconciled = NULL;
    oss_callback_code code;
    const oss_callback_object_metadata *object;
    oss_callback_client_options_set_max_attempts(options, 3);
    oss_callback_client_options_set_retry_base_delay_ms(options, 2);
    other = new_client_of(options);
    code = oss_callback_client_reconcile(other, unknown, NULL, &reconciled, NULL);
    object = oss_callback_reconciled_object(reconciled);
    if (code == OSS_CALLBACK_CODE_OK) {
        printf("%s %s\n", names[oss_callback_reconciled_outcome(reconciled)],
               or_none(object == NULL ? NULL : oss_callback_object_metadata_etag(object)));
    } else {
        printf("Failed %s\n", oss_callback_code_name(code));
    }
    oss_callback_reconciled_free(reconciled);
    oss_callback_client_free(other);
}

int main(void) {
    int descriptors = count("/proc/self/fd"), threads = count("/proc/self/task");
    while (fgets(line, sizeof line, stdin) != NULL) {
        const char *command = strtok(line, " \n");
        assert(command != NULL);
        if (strcmp(command, "prepare") == 0) {
            prepare();
        } else if (strcmp(command, "upload") == 0) {
            upload();
        } else {
            assert(strcmp(command, "reconcile") == 0);
            reconcile();
        }
        fflush(stdout);
    }
    oss_callback_error_free(unknown);
    oss_callback_client_free(client);
    assert(count("/proc/self/fd") == descriptors);
    assert(count("/proc/self/task") == threads);
    return 0;
}
