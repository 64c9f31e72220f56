/* Without a descriptor left an upload fails before anything is sent, says why, and leaves nothing behind; with one it
 * goes on. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#define MOST 64

int main(void) {
    int taken[MOST], count = 0, round;
    struct rlimit limit;
    oss_callback_client *client = new_client();
    assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = MOST;
    assert(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    while ((taken[count] = open("/dev/null", O_RDONLY)) >= 0) {
        count++;
    }
    for (round = 0; round < 10; round++) {
        oss_callback_error *error = NULL;
        assert(oss_put_object_with_callback(client, BUCKET, "object", (const uint8_t *)"hello", 5, oss_callback_spec_none(), NULL, NULL,
                                            &error) == OSS_CALLBACK_CODE_CONNECT);
        assert(contains(oss_callback_error_message(error), "too many open files"));
        assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
        oss_callback_error_free(error);
        error = NULL;
        assert(oss_put_object_from_file_with_callback(client, BUCKET, "object", "/etc/passwd", oss_callback_spec_none(), NULL, NULL, &error) ==
               OSS_CALLBACK_CODE_BODY_UNREADABLE);
        assert(contains(oss_callback_error_message(error), "too many open files"));
        oss_callback_error_free(error);
    }
    /* The only one that is free is the connection's. */
    assert(close(taken[--count]) == 0);
    assert(oss_put_object_with_callback(client, BUCKET, "object", (const uint8_t *)"hello", 5, oss_callback_spec_none(), NULL, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
    oss_callback_client_free(client);
    /* The connection's is free again; and whoever looks for leaks when the program ends needs some. */
    taken[count] = open("/dev/null", O_RDONLY);
    assert(taken[count] >= 0);
    for (; count >= 0; count--) {
        assert(close(taken[count]) == 0);
    }
    return 0;
}
