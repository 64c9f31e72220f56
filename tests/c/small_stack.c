/* Uploads on a thread with a small stack, of argv[1] bytes. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <pthread.h>

static oss_callback_client *client;

static void *upload(void *file) {
    oss_callback_receipt *receipt = NULL;
    oss_callback_put_options *options = new_put_options();
    oss_callback_spec *spec = new_spec(variable("OSS_CALLBACK_URL"));
    assert(oss_put_object_with_callback(client, BUCKET, "bytes", (const uint8_t *)"hello", 5, spec, options, &receipt,
                                        NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_receipt_free(receipt);
    oss_callback_put_options_set_part_size(options, 102400);
    assert(oss_upload_file_with_callback(client, BUCKET, "file", file, spec, options, NULL, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_spec_free(spec);
    oss_callback_put_options_free(options);
    return NULL;
}

/* argv: the size of the stack, and a file of several parts. */
int main(int argc, char **argv) {
    pthread_t thread;
    pthread_attr_t attributes;
    const char *bundle = getenv("CA_BUNDLE");
    oss_callback_client_options *options = new_client_options();
    assert(argc == 3);
    if (bundle != NULL) {
        oss_callback_client_options_set_ca_bundle(options, (const uint8_t *)bundle, strlen(bundle));
    }
    client = new_client_of(options);
    assert(pthread_attr_init(&attributes) == 0);
    assert(pthread_attr_setstacksize(&attributes, (size_t)atol(argv[1])) == 0);
    assert(pthread_create(&thread, &attributes, upload, argv[2]) == 0);
    assert(pthread_join(thread, NULL) == 0);
    assert(pthread_attr_destroy(&attributes) == 0);
    oss_callback_client_free(client);
    return 0;
}
