/* An upload that another thread cancels is back within 0.2 s, whether it is sending, waits for its answer or for a pipe;
 * a cancellation may be shared, and freed before the uploads that carry it end. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Far more than the buffers of a connection hold. */
#define LARGE (64u << 20)
#define UPLOADS 2

static long times;
static oss_callback_client *client;

static struct timespec now(void) {
    struct timespec time;
    assert(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return time;
}

static long ms_since(struct timespec begin) {
    struct timespec end = now();
    return (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
}

/* A server that takes requests, as far as it is told to, and then cancels instead of answering. */
typedef struct {
    int listener;
    int connections[UPLOADS];
    int uploads;
    bool reads_bodies;
    oss_callback_cancellation *cancellation;
    struct timespec cancelled;
} peer;

static int listener_of(char endpoint[64]) {
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert(listener >= 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    assert(listen(listener, UPLOADS) == 0);
    assert(getsockname(listener, (struct sockaddr *)&address, &len) == 0);
    snprintf(endpoint, 64, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return listener;
}

/* Reads until this was seen. */
static void read_until(int connection, const char *end) {
    char text[8192];
    size_t len = 0;
    do {
        assert(len + 1 < sizeof text);
        assert(read(connection, text + len, 1) == 1);
        text[++len] = '\0';
    } while (len < strlen(end) || strcmp(text + len - strlen(end), end) != 0);
}

static void *serve(void *argument) {
    peer *it = argument;
    int index;
    for (index = 0; index < it->uploads; index++) {
        it->connections[index] = accept(it->listener, NULL, NULL);
        assert(it->connections[index] >= 0);
        read_until(it->connections[index], it->reads_bodies ? "\r\n\r\nthe body" : "\r\n\r\n");
    }
    it->cancelled = now();
    oss_callback_cancellation_cancel(it->cancellation);
    return NULL;
}

typedef struct {
    const oss_callback_put_options *options;
    const uint8_t *body;
    size_t body_len;
    /* In place of the body; 0 for none. */
    int fd;
    oss_callback_stored stored;
} upload;

static void *put(void *argument) {
    const upload *it = argument;
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;
    assert((it->fd ? oss_put_object_from_fd_with_callback(client, BUCKET, "object", it->fd, it->body_len, oss_callback_spec_none(),
                                                          it->options, &receipt, &error)
                   : oss_put_object_with_callback(client, BUCKET, "object", it->body, it->body_len, oss_callback_spec_none(), it->options,
                                                  &receipt, &error)) == OSS_CALLBACK_CODE_CANCELLED);
    assert(receipt == NULL);
    assert(oss_callback_error_stored(error) == it->stored);
    assert(oss_callback_error_attempts(error) == 1);
    oss_callback_error_free(error);
    return NULL;
}

/* So many uploads at once, until the server cancels them; gives how many milliseconds later they were back. */
static long cancel_once(int uploads, const uint8_t *body, size_t body_len, bool from_pipe, bool reads_bodies,
                          oss_callback_stored stored) {
    char endpoint[64];
    pthread_t server, threads[UPLOADS];
    int index, ends[2] = {0, 0};
    long late;
    peer it;
    upload all;
    oss_callback_client_options *client_options = new_client_options();
    oss_callback_put_options *options = new_put_options();
    if (from_pipe) {
        /* Its one writer is this program, so it never ends. */
        assert(pipe(ends) == 0 && write(ends[1], "the body", 8) == 8);
    }
    memset(&it, 0, sizeof it);
    it.listener = listener_of(endpoint);
    it.uploads = uploads;
    it.reads_bodies = reads_bodies;
    assert(oss_callback_cancellation_new(&it.cancellation) == OSS_CALLBACK_CODE_OK);
    oss_callback_put_options_set_cancellation(options, it.cancellation);
    oss_callback_client_options_set_endpoint(client_options, endpoint);
    client = new_client_of(client_options);
    all.options = options;
    all.body = body;
    all.body_len = body_len;
    all.fd = ends[0];
    all.stored = stored;

    assert(pthread_create(&server, NULL, serve, &it) == 0);
    for (index = 0; index < uploads; index++) {
        assert(pthread_create(&threads[index], NULL, put, &all) == 0);
    }
    for (index = 0; index < uploads; index++) {
        assert(pthread_join(threads[index], NULL) == 0);
    }
    assert(pthread_join(server, NULL) == 0);
    late = ms_since(it.cancelled);
    assert(oss_callback_cancellation_is_cancelled(it.cancellation));

    for (index = 0; index < uploads; index++) {
        close(it.connections[index]);
    }
    close(it.listener);
    if (from_pipe) {
        close(ends[0]);
        close(ends[1]);
    }
    oss_callback_cancellation_free(it.cancellation);
    oss_callback_put_options_free(options);
    oss_callback_client_free(client);
    return late;
}

/* They are back within 0.2 s: a busy machine may be late, but not each time. Under valgrind once, however late. */
static void are_cancelled(int uploads, const uint8_t *body, size_t body_len, bool from_pipe, bool reads_bodies,
                          oss_callback_stored stored) {
    long time, late = 200;
    for (time = 0; time < times && late >= 200; time++) {
        late = cancel_once(uploads, body, body_len, from_pipe, reads_bodies, stored);
        assert(late < 10000);
    }
    assert(times == 1 || late < 200);
}

/* Nothing is sent, and the options need no handle any more. */
static void is_cancelled_before_it_begins(void) {
    upload it;
    oss_callback_put_options *options = new_put_options();
    oss_callback_cancellation *cancellation = NULL;
    assert(oss_callback_cancellation_new(&cancellation) == OSS_CALLBACK_CODE_OK);
    assert(!oss_callback_cancellation_is_cancelled(cancellation));
    oss_callback_put_options_set_cancellation(options, cancellation);
    oss_callback_cancellation_cancel(cancellation);
    oss_callback_cancellation_free(cancellation);

    client = new_client();
    it.options = options;
    it.body = NULL;
    it.body_len = 0;
    it.fd = 0;
    it.stored = OSS_CALLBACK_STORED_NO;
    put(&it);
    oss_callback_put_options_set_cancellation(options, NULL);
    assert(oss_put_object_with_callback(client, BUCKET, "not cancelled", NULL, 0, oss_callback_spec_none(), options, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
    oss_callback_put_options_free(options);
    oss_callback_client_free(client);
}

/* argv: how often an upload is cancelled to be back in time. */
int main(int argc, char **argv) {
    uint8_t *large = calloc(LARGE, 1);
    assert(argc == 2 && large != NULL);
    times = atol(argv[1]);
    is_cancelled_before_it_begins();
    are_cancelled(1, large, LARGE, false, false, OSS_CALLBACK_STORED_NO);
    are_cancelled(1, (const uint8_t *)"the body", 8, false, true, OSS_CALLBACK_STORED_UNKNOWN);
    are_cancelled(UPLOADS, (const uint8_t *)"the body", 8, false, true, OSS_CALLBACK_STORED_UNKNOWN);
    are_cancelled(1, NULL, 9, true, true, OSS_CALLBACK_STORED_NO);
    free(large);
    return 0;
}
