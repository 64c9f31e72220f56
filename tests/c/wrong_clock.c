/* A machine whose clock is wrong, by a month or before 1970: OSS says what the time is. What can be read again is sent again,
 * the next upload from a read hook succeeds, and credentials expire by OSS's clock. */

#define _GNU_SOURCE
#include "fixture.h"
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* By so many seconds the clock of this program is ahead. */
static int64_t ahead;
static uint64_t expires_at_s;
static int asked;

/* In place of the C library's, for the library too. */
int clock_gettime(clockid_t clock, struct timespec *time) {
    int failed = (int)syscall(SYS_clock_gettime, clock, time);
    if (failed == 0 && clock == CLOCK_REALTIME) {
        time->tv_sec += (time_t)ahead;
    }
    return failed;
}

static int64_t now(void) {
    struct timespec time;
    assert(clock_gettime(CLOCK_REALTIME, &time) == 0);
    return (int64_t)time.tv_sec;
}

static int64_t give(uint8_t *buffer, size_t buffer_len, void *userdata) {
    int *calls = userdata;
    assert(buffer_len > 0);
    buffer[0] = 'x';
    return (*calls)++ == 0;
}

static int give_credentials(oss_callback_credentials *credentials, void *userdata) {
    (void)userdata;
    asked++;
    oss_callback_credentials_set_key_pair(credentials, "STS.id", "hidden", "token");
    oss_callback_credentials_set_expires_at_s(credentials, expires_at_s);
    return 0;
}

static oss_callback_code put_from_hook(const oss_callback_client *client, oss_callback_error **error) {
    int calls = 0;
    return oss_put_object_from_reader_with_callback(client, BUCKET, "object", give, &calls, 1, oss_callback_spec_none(),
                                                    NULL, NULL, error);
}

static void put(const oss_callback_client *client) {
    assert(oss_put_object_with_callback(client, BUCKET, "object", NULL, 0, oss_callback_spec_none(), NULL, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
}

static void is_corrected(void) {
    oss_callback_error *error = NULL;
    oss_callback_client *client = new_client();
    /* So OSS says it of another day. */
    assert(put_from_hook(client, &error) == OSS_CALLBACK_CODE_REFUSED);
    assert(is(oss_callback_error_oss_code(error), "InvalidArgument"));
    assert(contains(oss_callback_error_message(error), "Invalid signing date"));
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(oss_callback_error_attempts(error) == 1);
    assert(contains(oss_callback_error_diagnosis(error), "clock"));
    oss_callback_error_free(error);
    assert(put_from_hook(client, NULL) == OSS_CALLBACK_CODE_OK);
    assert(put_from_hook(client, NULL) == OSS_CALLBACK_CODE_OK);
    oss_callback_client_free(client);

    client = new_client();
    put(client);
    oss_callback_client_free(client);
}

static void is_asked_once(uint64_t expires) {
    int index;
    oss_callback_client_options *options = new_client_options();
    oss_callback_client *client;
    oss_callback_client_options_set_credentials_hook(options, give_credentials, NULL, NULL);
    client = new_client_of(options);
    expires_at_s = expires;
    asked = 0;
    for (index = 0; index < 21; index++) {
        put(client);
    }
    assert(asked == 1);
    oss_callback_client_free(client);
}

int main(void) {
    const int64_t right = now(), month = 30 * 86400;
    const int64_t wrong[] = {-month, month, -right, -right - 10 * 365 * 86400, 40 * 365 * 86400};
    size_t index;
    for (index = 0; index < sizeof wrong / sizeof wrong[0]; index++) {
        ahead = wrong[index];
        assert(ahead != 0 && now() != right);
        is_corrected();
        /* STS says when they expire, or this program counts from its own clock. */
        is_asked_once((uint64_t)right + 3600);
        if (now() + 3600 > 0) {
            is_asked_once((uint64_t)now() + 3600);
        }
    }
    return 0;
}
