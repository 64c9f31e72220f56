/* Thirty-two threads share a client, a spec and options; each upload gets its own answer. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <pthread.h>

#define THREADS 32
#define UPLOADS 10

static oss_callback_client *client;
static oss_callback_spec *spec;
static oss_callback_put_options *options;

static void *upload(void *number) {
    int thread = *(const int *)number, count;
    for (count = 0; count < UPLOADS; count++) {
        char object[32], expected[64];
        size_t len = 0;
        oss_callback_receipt *receipt = NULL;
        snprintf(object, sizeof object, "%d-%d", thread, count);
        /* The application server says which object it was told about. */
        snprintf(expected, sizeof expected, "{\"filename\":\"%s\"}", object);
        assert(oss_put_object_with_callback(client, BUCKET, object, (const uint8_t *)object, strlen(object), spec,
                                            options, &receipt, NULL) == OSS_CALLBACK_CODE_OK);
        assert(memcmp(oss_callback_receipt_answer(receipt, &len), expected, strlen(expected)) == 0);
        assert(len == strlen(expected));
        oss_callback_receipt_free(receipt);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    int numbers[THREADS], index;
    client = new_client();
    spec = new_spec(variable("OSS_CALLBACK_URL"));
    options = new_put_options();
    oss_callback_put_options_set_metadata(options, "shared", "yes");

    for (index = 0; index < THREADS; index++) {
        numbers[index] = index;
        assert(pthread_create(&threads[index], NULL, upload, &numbers[index]) == 0);
    }
    for (index = 0; index < THREADS; index++) {
        assert(pthread_join(threads[index], NULL) == 0);
    }

    oss_callback_put_options_free(options);
    oss_callback_spec_free(spec);
    oss_callback_client_free(client);
    return 0;
}
