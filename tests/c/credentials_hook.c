/* A hook gives a client its credentials: as often as they expire, never to two threads at once, and its failure is told
 * before anything is sent. */

#include "fixture.h"
#include <pthread.h>
#include <sched.h>
#include <time.h>

#define THREADS 4
#define UPLOADS 10

typedef struct {
    pthread_mutex_t inside;
    int calls;
    /* The pair of the first call is one that OSS takes for expired. */
    bool expired_first;
    /* When what it gives expires; 0 for "not said". */
    uint64_t expires;
    int code;
    bool gives_nothing;
    bool expires_never;
} provider;

static int give(oss_callback_credentials *credentials, void *userdata) {
    provider *it = userdata;
    /* Nobody else is in here. */
    assert(pthread_mutex_trylock(&it->inside) == 0);
    sched_yield();
    it->calls++;
    if (!it->gives_nothing) {
        oss_callback_credentials_set_key_pair(credentials, it->expired_first && it->calls == 1 ? "STS.expired" : "STS.id",
                                              "hidden", "token");
    }
    if (it->expires > 0) {
        oss_callback_credentials_set_expires_at_s(credentials, it->expires);
    }
    if (it->expires_never) {
        oss_callback_credentials_set_expires_at_s(credentials, UINT64_MAX);
    }
    assert(pthread_mutex_unlock(&it->inside) == 0);
    return it->code;
}

static void new_provider(provider *it) {
    memset(it, 0, sizeof *it);
    assert(pthread_mutex_init(&it->inside, NULL) == 0);
}

static oss_callback_client *new_client_with(provider *it) {
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_credentials_hook(options, give, it, NULL);
    return new_client_of(options);
}

static void put(const oss_callback_client *client, int times) {
    while (times-- > 0) {
        assert(oss_put_object_with_callback(client, BUCKET, "object", NULL, 0, oss_callback_spec_none(), NULL, NULL, NULL) ==
               OSS_CALLBACK_CODE_OK);
    }
}

static void is_asked_as_often_as_they_expire(void) {
    provider it;
    oss_callback_client *client;
    new_provider(&it);
    it.expires = (uint64_t)time(NULL) + 3600;
    client = new_client_with(&it);
    assert(it.calls == 0);
    put(client, 3);
    assert(it.calls == 1);
    oss_callback_client_free(client);

    /* What has expired is not used again. */
    new_provider(&it);
    it.expires = 1;
    client = new_client_with(&it);
    put(client, 3);
    assert(it.calls == 3);
    oss_callback_client_free(client);
}

/* Whatever the hook says of their life. */
static void is_asked_again_when_oss_says_that_they_expired(void) {
    provider it;
    oss_callback_receipt *receipt = NULL;
    oss_callback_client *client;
    new_provider(&it);
    it.expires = (uint64_t)time(NULL) + 3600;
    it.expired_first = true;
    client = new_client_with(&it);
    assert(oss_put_object_with_callback(client, BUCKET, "object", NULL, 0, oss_callback_spec_none(), NULL, &receipt, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(oss_callback_receipt_attempts(receipt) == 2);
    assert(oss_callback_attempt_code(oss_callback_receipt_earlier_attempt(receipt, 0)) == OSS_CALLBACK_CODE_ACCESS_DENIED);
    assert(it.calls == 2);
    oss_callback_receipt_free(receipt);
    oss_callback_client_free(client);
}

static void *put_many(void *argument) {
    put(argument, UPLOADS);
    return NULL;
}

static void is_asked_by_one_thread_at_a_time(void) {
    provider it;
    pthread_t threads[THREADS];
    oss_callback_client *client;
    int index;
    new_provider(&it);
    /* Without an expiry: for each request. */
    client = new_client_with(&it);
    for (index = 0; index < THREADS; index++) {
        assert(pthread_create(&threads[index], NULL, put_many, client) == 0);
    }
    for (index = 0; index < THREADS; index++) {
        assert(pthread_join(threads[index], NULL) == 0);
    }
    assert(it.calls >= UPLOADS && it.calls <= THREADS * UPLOADS); /* Those who wait share an answer. */
    oss_callback_client_free(client);
}

static void fails(provider *it, const char *message) {
    oss_callback_error *error = NULL;
    oss_callback_client *client = new_client_with(it);
    assert(oss_put_object_with_callback(client, BUCKET, "never", NULL, 0, oss_callback_spec_none(), NULL, NULL, &error) ==
           OSS_CALLBACK_CODE_CREDENTIALS_FAILED);
    assert(contains(oss_callback_error_message(error), message));
    assert(!contains(oss_callback_error_message(error), "hidden"));
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(oss_callback_error_attempts(error) == 1);
    oss_callback_error_free(error);
    oss_callback_client_free(client);
}

static void says_why_it_failed(void) {
    provider it;
    new_provider(&it);
    it.code = -7;
    fails(&it, "the hook returned -7");
    new_provider(&it);
    it.gives_nothing = true;
    fails(&it, "the hook set no key pair");
    new_provider(&it);
    it.expires_never = true;
    fails(&it, "`expires` is too far away");
}

int main(void) {
    is_asked_as_often_as_they_expire();
    is_asked_again_when_oss_says_that_they_expired();
    is_asked_by_one_thread_at_a_time();
    says_why_it_failed();
    return 0;
}
