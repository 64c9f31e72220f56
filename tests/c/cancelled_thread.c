/* A thread that is cancelled inside a call finishes the call first, and ends then; what it had said of cancellation holds
 * again after the call. */

#define _XOPEN_SOURCE 700

#include "fixture.h"
#include <pthread.h>
#include <semaphore.h>

static oss_callback_client *client;
static sem_t inside, may_leave;

typedef struct {
    /* Cancels the thread itself in place of waiting to be cancelled. */
    bool by_itself;
    bool given;
    oss_callback_code code;
    char etag[64];
} upload;

static int64_t give(uint8_t *buffer, size_t buffer_len, void *userdata) {
    upload *it = userdata;
    if (it->given) {
        return 0;
    }
    it->given = true;
    if (it->by_itself) {
        assert(pthread_cancel(pthread_self()) == 0);
    } else {
        assert(sem_post(&inside) == 0);
        assert(sem_wait(&may_leave) == 0);
    }
    pthread_testcancel();
    assert(buffer_len > 0);
    buffer[0] = 'x';
    return 1;
}

static void *run(void *argument) {
    upload *it = argument;
    oss_callback_receipt *receipt = NULL;
    it->code = oss_put_object_from_reader_with_callback(client, BUCKET, it->by_itself ? "by itself" : "by another", give, it,
                                                        OSS_CALLBACK_LEN_UNKNOWN, oss_callback_spec_none(), NULL, &receipt, NULL);
    if (it->code == OSS_CALLBACK_CODE_OK) {
        snprintf(it->etag, sizeof it->etag, "%s", oss_callback_receipt_etag(receipt));
    }
    oss_callback_receipt_free(receipt);
    pthread_testcancel();
    return NULL;
}

static void finishes_its_call_first(bool by_itself) {
    pthread_t thread;
    void *result = NULL;
    upload it;
    memset(&it, 0, sizeof it);
    it.by_itself = by_itself;
    assert(pthread_create(&thread, NULL, run, &it) == 0);
    if (!by_itself) {
        assert(sem_wait(&inside) == 0);
        assert(pthread_cancel(thread) == 0);
        assert(sem_post(&may_leave) == 0);
    }
    assert(pthread_join(thread, &result) == 0);
    assert(result == PTHREAD_CANCELED);
    assert(it.code == OSS_CALLBACK_CODE_OK);
    assert(strlen(it.etag) > 0);
}

/* The state after a call is that before it. */
static void leaves_the_state_alone(int state) {
    int before = -1;
    assert(pthread_setcancelstate(state, NULL) == 0);
    assert(oss_put_object_with_callback(client, BUCKET, "state", NULL, 0, oss_callback_spec_none(), NULL, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(oss_callback_client_head_object(NULL, BUCKET, "state", NULL, NULL, NULL) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    oss_callback_put_options_set_object_acl(NULL, "private");
    assert(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before) == 0);
    assert(before == state);
}

int main(void) {
    client = new_client();
    assert(sem_init(&inside, 0, 0) == 0 && sem_init(&may_leave, 0, 0) == 0);
    finishes_its_call_first(false);
    finishes_its_call_first(true);
    leaves_the_state_alone(PTHREAD_CANCEL_ENABLE);
    leaves_the_state_alone(PTHREAD_CANCEL_DISABLE);
    oss_callback_client_free(client);
    return 0;
}
