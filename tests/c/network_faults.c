/* Faults of the network, many times each, leave no descriptor behind and no memory, and no upload hangs: the test may
 * run under valgrind. Tells for each fault every code that came of it. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <dirent.h>
#include <pthread.h>
#include <time.h>

#define MAX_FAULTS 64
#define MAX_LEN (2u << 20)

static uint8_t body[MAX_LEN];
static long times, room_ms;

typedef struct {
    const char *endpoint;
    size_t body_len;
    bool with_callback;
    long timeout_ms;
    bool seen[100];
} fault;

static int open_descriptors(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert(folder != NULL);
    while (readdir(folder) != NULL) {
        count++;
    }
    assert(closedir(folder) == 0);
    return count;
}

static long now_ms(void) {
    struct timespec time;
    assert(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void *upload(void *argument) {
    long index;
    fault *it = argument;
    oss_callback_client *client;
    oss_callback_client_options *options = new_client_options();
    oss_callback_spec *spec = new_spec(variable("OSS_CALLBACK_URL"));
    oss_callback_client_options_set_endpoint(options, it->endpoint);
    oss_callback_client_options_set_timeout_ms(options, (uint64_t)it->timeout_ms);
    /* The fault strikes each connection once, and each upload is to meet it. */
    oss_callback_client_options_set_max_idle_connections(options, 0);
    oss_callback_client_options_set_max_attempts(options, 1);
    client = new_client_of(options);
    for (index = 0; index < times; index++) {
        long begin = now_ms();
        oss_callback_receipt *receipt = NULL;
        oss_callback_error *error = NULL;
        oss_callback_code code = oss_put_object_with_callback(client, BUCKET, "object", body, it->body_len,
                                                              it->with_callback ? spec : oss_callback_spec_none(), NULL, &receipt, &error);
        assert((code == OSS_CALLBACK_CODE_OK) == (receipt != NULL) && (receipt == NULL) == (error != NULL));
        assert(error == NULL || oss_callback_error_code(error) == code);
        assert(now_ms() - begin < it->timeout_ms + room_ms);
        it->seen[code] = true;
        oss_callback_receipt_free(receipt);
        oss_callback_error_free(error);
    }
    oss_callback_spec_free(spec);
    oss_callback_client_free(client);
    return NULL;
}

/* argv: how often, and how much longer than its limit an upload may take on a slow machine; then for each fault an
 * endpoint where it strikes, the length of the body, whether there is a callback, and the limit. */
int main(int argc, char **argv) {
    static fault faults[MAX_FAULTS];
    pthread_t threads[MAX_FAULTS];
    int before = open_descriptors(), count = (argc - 3) / 4, index;
    assert(argc > 3 && count <= MAX_FAULTS);
    times = atol(argv[1]);
    room_ms = atol(argv[2]);
    for (index = 0; index < count; index++) {
        char **arguments = argv + 3 + 4 * index;
        faults[index].endpoint = arguments[0];
        faults[index].body_len = (size_t)atol(arguments[1]);
        faults[index].with_callback = atoi(arguments[2]) != 0;
        faults[index].timeout_ms = atol(arguments[3]);
        assert(faults[index].body_len <= MAX_LEN);
        assert(pthread_create(&threads[index], NULL, upload, &faults[index]) == 0);
    }
    for (index = 0; index < count; index++) {
        int code;
        assert(pthread_join(threads[index], NULL) == 0);
        printf("%d", index);
        for (code = 0; code < 100; code++) {
            if (faults[index].seen[code]) {
                printf(" %s", oss_callback_code_name((uint32_t)code));
            }
        }
        printf("\n");
    }
    assert(open_descriptors() == before);
    return 0;
}
