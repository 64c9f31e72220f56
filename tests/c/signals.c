/* A host with signals: SIGPIPE at its default, which would end it, and a timer that interrupts every call a
 * thousand times a second. argv[1] is where an upload breaks off, argv[2] where it does not. */

#define _XOPEN_SOURCE 700

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
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

/* Gives a body, and before its first byte breaks the connection that it is about to go out on: the next send fails
 * with EPIPE for certain, as it would if the server had gone just then. */
static int64_t break_and_give(uint8_t *buffer, size_t buffer_len, void *userdata) {
    bool *broken = userdata;
    int fd;
    for (fd = 3; fd < 256 && !*broken; fd++) {
        struct sockaddr_in peer;
        socklen_t len = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 && peer.sin_family == AF_INET) {
            assert(shutdown(fd, SHUT_WR) == 0);
            *broken = true;
        }
    }
    assert(*broken);
    memset(buffer, 'x', buffer_len);
    return (int64_t)buffer_len;
}

/* The signal would end the program. */
static void breaks_before_the_first_byte(const char *endpoint, const oss_callback_put_options *options) {
    bool broken = false;
    oss_callback_error *error = NULL;
    oss_callback_client *client = client_for(endpoint);
    assert(oss_put_object_from_reader_with_callback(client, BUCKET, "broken", break_and_give, &broken, LEN, oss_callback_spec_none(), options,
                                                    NULL, &error) == OSS_CALLBACK_CODE_CONNECTION_LOST);
    assert(broken);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    oss_callback_error_free(error);
    oss_callback_client_free(client);
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
    oss_callback_put_options_set_max_attempts(options, 1);
    breaks_before_the_first_byte(argv[2], options);
    broken = client_for(argv[1]);
    whole = client_for(argv[2]);
    memset(&action, 0, sizeof action);
    action.sa_handler = do_nothing; /* without SA_RESTART: calls end with EINTR */
    assert(sigaction(SIGALRM, &action, NULL) == 0);
    assert(setitimer(ITIMER_REAL, &timer, NULL) == 0);

    /* Several times, since when a connection breaks is a matter of luck. */
    for (round = 0; round < 20; round++) {
        error = NULL;
        assert(oss_put_object_with_callback(broken, BUCKET, "broken", body, LEN, oss_callback_spec_none(), options, NULL, &error) ==
               OSS_CALLBACK_CODE_CONNECTION_LOST);
        assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
        oss_callback_error_free(error);
    }
    assert(oss_put_object_with_callback(whole, BUCKET, "whole", body, LEN, oss_callback_spec_none(), NULL, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);

    oss_callback_put_options_free(options);
    oss_callback_client_free(whole);
    oss_callback_client_free(broken);
    free(body);
    return 0;
}
