/* An application server on plain sockets: accepts sealed callbacks, each once, one connection at a time. Environment:
 * that of examples/callback_server/src/main.rs, but PORT (default 8080) in place of LISTEN. */
#include <arpa/inet.h>
#include <oss_callback.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MOST_HEADERS 100
static oss_callback_verifier *verifier;
static oss_callback_sealer *sealer;
static oss_callback_replay_guard *guard;
static char request[1 << 20];
/* Reads a request and cuts its head into NUL-terminated strings. Returns the number of headers; -1 if invalid. */
static int read_request(int fd, char **method, char **target, const char **headers, char **body, size_t *body_len) {
    size_t have = 0;
    int n = 0;
    for (*body = NULL, *body_len = 0; *body == NULL || (size_t)(request + have - *body) < *body_len;) {
        ssize_t got = recv(fd, request + have, sizeof request - 1 - have, 0);
        if (got <= 0) return -1; /* The end, 10 s of silence, or too long. */
        request[have += (size_t)got] = '\0';
        char *end = *body == NULL ? strstr(request, "\r\n\r\n") : NULL;
        if (end == NULL) continue;
        *body = end + 4;
        *end = '\0';
        *method = strtok(request, " ");
        *target = strtok(NULL, " ");
        for (char *line = (strtok(NULL, "\r\n"), NULL); (line = strtok(NULL, "\r\n")) != NULL; n++) {
            char *colon = strchr(line, ':');
            if (colon == NULL || n == MOST_HEADERS) return -1;
            *colon = '\0';
            headers[2 * n] = line;
            headers[2 * n + 1] = colon + 1 + strspn(colon + 1, " ");
            if (strcasecmp(line, "Content-Length") == 0) *body_len = strtoul(headers[2 * n + 1], NULL, 10);
        }
        if (*target == NULL || *body_len >= sizeof request) return -1;
    }
    return n;
}

static void answer(int fd) {
    char *method, *target, *body;
    const char *headers[2 * MOST_HEADERS];
    size_t body_len, http_len;
    oss_callback_verified *verified = NULL;
    oss_callback_sealed *sealed = NULL;
    oss_callback_reply *reply = NULL;
    oss_callback_error *error = NULL;
    oss_callback_seen seen = OSS_CALLBACK_SEEN_REPLAYED;
    int n = read_request(fd, &method, &target, headers, &body, &body_len);
    if (n < 0) return;
    const uint8_t *bytes = (const uint8_t *)body;
    int failed = oss_callback_verifier_verify(verifier, method, target, headers, (size_t)n, bytes, body_len, &verified, &error) ||
        oss_callback_sealer_check(sealer, verified, &sealed, &error) ||
        oss_callback_replay_guard_check(guard, sealed, &seen, &error);
    if (seen == OSS_CALLBACK_SEEN_FIRST) fprintf(stderr, "%s is there\n", oss_callback_sealed_object(sealed));
    if (failed) {
        const char *diagnosis = oss_callback_error_diagnosis(error);
        fprintf(stderr, "%s: %s\n", oss_callback_error_message(error), diagnosis ? diagnosis : "");
        failed = oss_callback_reply_new_refused(error, &reply) != 0;
    } else if (seen != OSS_CALLBACK_SEEN_REPLAYED) {
        failed = oss_callback_reply_new_ok("{\"Status\":\"OK\"}", &reply, NULL) != 0;
    }
    static const char FORBIDDEN[] = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const uint8_t *http = oss_callback_reply_http(reply, &http_len);
    if (failed || http == NULL) http = (const uint8_t *)FORBIDDEN, http_len = sizeof FORBIDDEN - 1;
    if (send(fd, http, http_len, MSG_NOSIGNAL) < 0) perror("send");
    oss_callback_reply_free(reply);
    oss_callback_sealed_free(sealed);
    oss_callback_verified_free(verified);
    oss_callback_error_free(error);
}

int main(void) {
    oss_callback_verifier_options *options;
    const char *secret = getenv("SEAL_SECRET"), *port = getenv("PORT");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    struct timeval patience = {.tv_sec = 10};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (secret == NULL || oss_callback_verifier_options_new(&options)) return 1;
    if (getenv("TEST_KEY")) /* For tests only. */
        oss_callback_verifier_options_trust_key_url_for_tests(options, getenv("TEST_KEY_URL"), getenv("TEST_KEY"));
    if (getenv("STRIPPED_PREFIX")) oss_callback_verifier_options_add_prepended_prefix(options, getenv("STRIPPED_PREFIX"));
    if (oss_callback_verifier_new(options, &verifier, NULL) || oss_callback_replay_guard_new(100000, &guard) ||
        oss_callback_sealer_new("2026-01", (const uint8_t *)secret, strlen(secret), &sealer, NULL)) return 1;
    address.sin_port = htons((unsigned short)atoi(port ? port : "8080"));
    if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 64)) return perror("listen"), 1;
    getsockname(listener, (struct sockaddr *)&address, &len);
    printf("listening http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd))
        if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0) answer(fd);
    return 1;
}
