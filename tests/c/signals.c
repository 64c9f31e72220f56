/* A host with signals: SIGPIPE at its default, which would end it, and a timer that interrupts every call a
 * thousand times a second. argv[1] is where an upload breaks off, argv[2] where it does not. */

#define _XOPEN_SOURCE 700

#include <signal.h>
#include <sys/time.h>

#include "fixture.h"

#define LEN ((size_t)64 * 1024 * 1024)

static void do_nothing(int signal_number) {
    (void)signal_number;
}

static oss_callback_client *client_for(const char *endpoint) {
    const char *bundle = getenv("CA_BUNDLE");
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_endpoint(options, endpoint);
    if (bundle != NULL) {
        oss_callback_client_options_set_ca_bundle(options, (const uint8_t *)bundle, strlen(bundle));
    }
    return new_client_of(options);
}

int main(int argc, char **argv) {
    struct sigaction action;
    struct itimerval timer = {{0, 1000}, {0, 1000}};
    uint8_t *body = calloc(LEN, 1);
    oss_callback_error *error = NULL;
    oss_callback_client *broken, *whole;
    oss_callback_put_options *options = new_put_options();
    int round;

    assert(argc == 3 && body != NULL);
    oss_callback_put_options_set_retry_policy(options, 1, 0, 0);
    broken = client_for(argv[1]);
    whole = client_for(argv[2]);
    memset(&action, 0, sizeof action);
    action.sa_handler = do_nothing; /* without SA_RESTART: calls end with EINTR */
    assert(sigaction(SIGALRM, &action, NULL) == 0);
    assert(setitimer(ITIMER_REAL, &timer, NULL) == 0);

    /* Several times, since when a connection breaks is a matter of luck. */
    for (round = 0; round < 20; round++) {
        error = NULL;
        assert(oss_put_object_with_callback(broken, BUCKET, "broken", body, LEN, NULL, options, NULL, &error) ==
               OSS_CALLBACK_CODE_CONNECTION_LOST);
        assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
        oss_callback_error_free(error);
    }
    assert(oss_put_object_with_callback(whole, BUCKET, "whole", body, LEN, NULL, NULL, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);

    oss_callback_put_options_free(options);
    oss_callback_client_free(whole);
    oss_callback_client_free(broken);
    free(body);
    return 0;
}
