/* Threads send the parts of one object, each in another way; completing them delivers one callback. */

#include "fixture.h"
#include <pthread.h>

#define PART 102400u
#define THREADS 4

static oss_callback_multipart_upload *upload;
static oss_callback_parts *parts;
static const char *file;

/* Gives so many letters. */
static int64_t give(uint8_t *buffer, size_t buffer_len, void *userdata) {
    size_t *left = userdata, count = *left < buffer_len ? *left : buffer_len;
    memset(buffer, 'r', count);
    *left -= count;
    return (int64_t)count;
}

static void *send_part(void *argument) {
    const uint32_t *number = argument;
    uint8_t *body = malloc(PART);
    size_t left = PART;
    assert(body != NULL);
    memset(body, 'a', PART);
    switch (*number) {
    case 1:
        assert(oss_callback_multipart_upload_upload_part(upload, 1, body, PART, NULL, parts, NULL) == OSS_CALLBACK_CODE_OK);
        break;
    case 20:
        assert(oss_callback_multipart_upload_upload_part_from_file(upload, 20, file, 5, PART, NULL, parts, NULL) ==
               OSS_CALLBACK_CODE_OK);
        break;
    case 300:
        assert(oss_callback_multipart_upload_upload_part_from_reader(upload, 300, give, &left, PART, NULL, parts, NULL) ==
               OSS_CALLBACK_CODE_OK);
        assert(left == 0);
        break;
    default:
        assert(oss_callback_multipart_upload_upload_part(upload, *number, (const uint8_t *)"end", 3, NULL, parts, NULL) ==
               OSS_CALLBACK_CODE_OK);
    }
    free(body);
    return NULL;
}

static void is_refused(oss_callback_code code, oss_callback_code expected, oss_callback_error **error,
                       const char *message) {
    assert(code == expected);
    assert(contains(oss_callback_error_message(*error), message));
    assert(oss_callback_error_stored(*error) == OSS_CALLBACK_STORED_NO);
    oss_callback_error_free(*error);
    *error = NULL;
}

static void bad_parts(void) {
    oss_callback_error *error = NULL;
    size_t left = 5;
    is_refused(oss_callback_multipart_upload_upload_part(upload, 0, NULL, 0, NULL, parts, &error),
               OSS_CALLBACK_CODE_INVALID_ARGUMENT, &error, "`part_number` 0 is not in 1 to 10000");
    is_refused(oss_callback_multipart_upload_upload_part(upload, 10001, NULL, 0, NULL, parts, &error),
               OSS_CALLBACK_CODE_INVALID_ARGUMENT, &error, "`part_number` 10001");
    is_refused(oss_callback_multipart_upload_upload_part_from_file(upload, 2, file, 5, PART + 1, NULL, parts, &error),
               OSS_CALLBACK_CODE_INVALID_ARGUMENT, &error, "");
    is_refused(oss_callback_multipart_upload_upload_part_from_file(upload, 2, "/no such file", 0, 1, NULL, parts, &error),
               OSS_CALLBACK_CODE_BODY_UNREADABLE, &error, "/no such file");
    is_refused(oss_callback_multipart_upload_upload_part_from_reader(upload, 2, give, &left, 6, NULL, parts, &error),
               OSS_CALLBACK_CODE_BODY_CHANGED, &error, "ended after 5 of 6 bytes");
    is_refused(oss_callback_multipart_upload_upload_part_from_reader(upload, 2, give, &left, OSS_CALLBACK_LEN_UNKNOWN, NULL,
                                                              parts, &error),
               OSS_CALLBACK_CODE_INVALID_ARGUMENT, &error, "18446744073709551615");
    is_refused(oss_callback_parts_add_json(parts, "{\"number\":0}", &error), OSS_CALLBACK_CODE_INVALID_ARGUMENT, &error,
               "JSON");
    assert(oss_callback_parts_len(parts) == 0);
}

/* argv: a file of 5 + PART bytes. */
int main(int argc, char **argv) {
    static uint32_t numbers[THREADS] = {1, 20, 300, 4000};
    pthread_t threads[THREADS];
    size_t index, answer_len = 0;
    const uint8_t *answer;
    oss_callback_parts *listed = NULL;
    oss_callback_receipt *receipt = NULL;
    oss_callback_put_options *options = new_put_options();
    oss_callback_spec *spec = new_spec(variable("OSS_CALLBACK_URL"));
    oss_callback_client *client = new_client();
    assert(argc == 2);
    file = argv[1];

    oss_callback_put_options_set_content_type(options, "text/x-parts");
    oss_callback_put_options_set_metadata(options, "author", "Ming");
    assert(oss_callback_client_initiate_multipart_upload(client, BUCKET, "folder/object", options, &upload, NULL) ==
           OSS_CALLBACK_CODE_OK);
    oss_callback_put_options_free(options);
    /* The upload keeps what it needs. */
    oss_callback_client_free(client);
    assert(is(oss_callback_multipart_upload_bucket(upload), BUCKET));
    assert(is(oss_callback_multipart_upload_object(upload), "folder/object"));
    assert(strlen(oss_callback_multipart_upload_id(upload)) > 0);
    parts = new_parts();
    bad_parts();

    for (index = 0; index < THREADS; index++) {
        assert(pthread_create(&threads[index], NULL, send_part, &numbers[index]) == 0);
    }
    for (index = 0; index < THREADS; index++) {
        assert(pthread_join(threads[index], NULL) == 0);
    }

    /* What the threads were told is what OSS has, by number. */
    assert(oss_callback_multipart_upload_list_parts(upload, NULL, &listed, NULL) == OSS_CALLBACK_CODE_OK);
    assert(oss_callback_parts_len(parts) == THREADS && oss_callback_parts_len(listed) == THREADS);
    for (index = 0; index < THREADS; index++) {
        uint64_t size = 0, crc64 = 0;
        assert(oss_callback_parts_number(parts, index) == numbers[index]);
        assert(oss_callback_parts_size(parts, index, &size) && size == (index == 3 ? 3 : PART));
        assert(oss_callback_parts_crc64(parts, index, &crc64) && crc64 != 0);
        assert(is(oss_callback_parts_json(listed, index), oss_callback_parts_json(parts, index)));
        assert(is(oss_callback_parts_etag(listed, index), oss_callback_parts_etag(parts, index)));
    }
    oss_callback_parts_free(listed);

    assert(oss_complete_multipart_upload_with_callback(upload, parts, spec, NULL, &receipt, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(oss_callback_receipt_status(receipt) == 200);
    answer = oss_callback_receipt_answer(receipt, &answer_len);
    printf("answer %.*s\n", (int)answer_len, (const char *)answer);
    tell(receipt);

    oss_callback_receipt_free(receipt);
    oss_callback_parts_free(parts);
    oss_callback_multipart_upload_free(upload);
    oss_callback_spec_free(spec);
    return 0;
}
