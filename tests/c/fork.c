/* A client that was made, and used, before a fork works in the children: eight of them and the parent upload at once, and
 * each receipt is that of its own request. Another thread is in the middle of an upload at each fork. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 8
#define UPLOADS 50

static oss_callback_client *client;
static oss_callback_spec *spec;
static sem_t reading, may_end;

static oss_callback_client *new_shared_client(void) {
    const char *bundle = getenv("CA_BUNDLE");
    oss_callback_client_options *options = new_client_options();
    if (bundle != NULL) {
        oss_callback_client_options_set_ca_bundle(options, (const uint8_t *)bundle, strlen(bundle));
    }
    return new_client_of(options);
}

/* Uploads, and compares what the application server was told with what was sent. */
static void upload(const char *who, int count) {
    char object[32], expected[64];
    size_t len = 0;
    oss_callback_receipt *receipt = NULL;
    snprintf(object, sizeof object, "%s-%02d", who, count);
    snprintf(expected, sizeof expected, "{\"filename\":\"%s\"}", object);
    assert(oss_put_object_with_callback(client, BUCKET, object, (const uint8_t *)"alike", 5, spec, NULL, &receipt, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(memcmp(oss_callback_receipt_answer(receipt, &len), expected, strlen(expected)) == 0);
    assert(len == strlen(expected));
    assert(oss_callback_receipt_attempts(receipt) == 1);
    oss_callback_receipt_free(receipt);
}

/* Gives three bytes: the second one once the children are there. */
static int64_t give(uint8_t *buffer, size_t buffer_len, void *userdata) {
    int *count = userdata;
    assert(buffer_len > 0);
    if (*count == 3) {
        return 0;
    }
    if ((*count)++ == 1) {
        assert(sem_post(&reading) == 0);
        assert(sem_wait(&may_end) == 0);
    }
    buffer[0] = 'x';
    return 1;
}

static void *upload_slowly(void *nothing) {
    int count = 0;
    oss_callback_error *error = NULL;
    (void)nothing;
    if (oss_put_object_from_reader_with_callback(client, BUCKET, "slow", give, &count, 3, spec, NULL, NULL, &error)) {
        fprintf(stderr, "%s\n", oss_callback_error_message(error));
        abort();
    }
    return NULL;
}

static void be_a_child(int number) {
    char name[16];
    int count;
    snprintf(name, sizeof name, "child%d", number);
    for (count = 0; count < UPLOADS; count++) {
        upload(name, count);
    }
    /* A grandchild has connections of its own, too. */
    if (number == 0) {
        int status = 0;
        pid_t grandchild = fork();
        assert(grandchild >= 0);
        if (grandchild == 0) {
            upload("grandchild", 0);
            oss_callback_client_free(client);
            _exit(0);
        }
        assert(waitpid(grandchild, &status, 0) == grandchild && status == 0);
        upload(name, count);
    }
    oss_callback_spec_free(spec);
    oss_callback_client_free(client);
    _exit(0);
}

int main(void) {
    pthread_t slow;
    pid_t children[CHILDREN];
    int number, count;
    client = new_shared_client();
    spec = new_spec(variable("OSS_CALLBACK_URL"));
    assert(sem_init(&reading, 0, 0) == 0 && sem_init(&may_end, 0, 0) == 0);
    assert(pthread_create(&slow, NULL, upload_slowly, NULL) == 0);
    assert(sem_wait(&reading) == 0);
    /* Leaves a connection that waits for the next request. */
    upload("before", 0);

    for (number = 0; number < CHILDREN; number++) {
        children[number] = fork();
        assert(children[number] >= 0);
        if (children[number] == 0) {
            be_a_child(number);
        }
    }
    for (count = 0; count < UPLOADS; count++) {
        upload("parent", count);
    }
    for (number = 0; number < CHILDREN; number++) {
        int status = 0;
        assert(waitpid(children[number], &status, 0) == children[number] && status == 0);
    }
    /* What the children did with the client has not touched the connections here. */
    assert(sem_post(&may_end) == 0);
    assert(pthread_join(slow, NULL) == 0);
    upload("after", 0);
    oss_callback_spec_free(spec);
    oss_callback_client_free(client);
    return 0;
}
