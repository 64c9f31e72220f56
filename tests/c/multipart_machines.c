/* One object from many machines: each does a step in a process of its own, and gets and gives plain text. */

#include "fixture.h"

#define PART 102400u

static oss_callback_client *client;

static oss_callback_multipart_upload *go_on(const char *upload_id) {
    oss_callback_multipart_upload *upload = NULL;
    assert(oss_callback_client_resume_multipart_upload(client, BUCKET, "object", upload_id, &upload, NULL) ==
           OSS_CALLBACK_CODE_OK);
    return upload;
}

static void send_part(const oss_callback_multipart_upload *upload, uint32_t number) {
    oss_callback_parts *parts = new_parts();
    uint8_t *body = malloc(PART);
    assert(body != NULL);
    memset(body, (int)('0' + number), PART);
    assert(oss_callback_multipart_upload_upload_part(upload, number, body, PART, NULL, parts, NULL) == OSS_CALLBACK_CODE_OK);
    printf("json %s\n", oss_callback_parts_json(parts, 0));
    free(body);
    oss_callback_parts_free(parts);
}

static void complete(const oss_callback_multipart_upload *upload, char **lines, int count) {
    oss_callback_parts *parts = new_parts();
    oss_callback_receipt *receipt = NULL;
    oss_callback_spec *spec = new_spec(variable("OSS_CALLBACK_URL"));
    int index;
    for (index = 0; index < count; index++) {
        assert(oss_callback_parts_add_json(parts, lines[index], NULL) == OSS_CALLBACK_CODE_OK);
    }
    assert(oss_complete_multipart_upload_with_callback(upload, count > 0 ? parts : NULL, spec, NULL, &receipt, NULL) ==
           OSS_CALLBACK_CODE_OK);
    tell(receipt);
    oss_callback_receipt_free(receipt);
    oss_callback_spec_free(spec);
    oss_callback_parts_free(parts);
}

/* argv: "begin", or "part" with an upload id and a number, or "complete" with an upload id and the lines of the parts,
 * without lines all that OSS has. */
int main(int argc, char **argv) {
    oss_callback_multipart_upload *upload;
    assert(argc > 1);
    client = new_client();
    if (is(argv[1], "begin")) {
        upload = begin(client, "object");
        printf("upload_id %s\n", oss_callback_multipart_upload_id(upload));
    } else {
        assert(argc > 2);
        upload = go_on(argv[2]);
        if (is(argv[1], "part")) {
            send_part(upload, (uint32_t)atoi(argv[3]));
        } else {
            complete(upload, argv + 3, argc - 3);
        }
    }
    oss_callback_multipart_upload_free(upload);
    oss_callback_client_free(client);
    return 0;
}
