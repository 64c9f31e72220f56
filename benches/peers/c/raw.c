/* The least that can be done: sockets, and a file that goes to them by sendfile, without a checksum. The headers are those
 * of a signed request with a callback, as for curl.c.
 *
 *   raw file|parts PORT FILE COUNT HEADERS */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "measure.h"

enum { PART_LEN = 8 * 1024 * 1024, CONNECTIONS = 4 };

static char headers[16384];
static int port, file;
static size_t len;

static int open_connection(void) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("no connection");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void send_request(int fd, const char *method, const char *query, size_t offset, size_t count) {
    char head[20000], answer[4096];
    int head_len = snprintf(head, sizeof head, "%s /examplebucket/folder/object.bin%s HTTP/1.1\r\n%sContent-Length: %zu\r\n\r\n",
                            method, query, headers, count);
    if (send(fd, head, (size_t)head_len, MSG_NOSIGNAL | (count ? MSG_MORE : 0)) != head_len) fail("not sent");
    off_t at = (off_t)offset;
    for (size_t left = count; left > 0;) {
        ssize_t sent = sendfile(fd, file, &at, left);
        if (sent <= 0) fail("not sent");
        left -= (size_t)sent;
    }
    ssize_t got = recv(fd, answer, sizeof answer, 0);
    if (got < 12 || memcmp(answer, "HTTP/1.1 200", 12)) fail("not a 200");
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t next_part;

static void *send_parts(void *unused) {
    int fd = open_connection();
    for (;;) {
        pthread_mutex_lock(&lock);
        size_t part = next_part++, offset = part * PART_LEN;
        pthread_mutex_unlock(&lock);
        if (offset >= len) break;
        char query[64];
        snprintf(query, sizeof query, "?partNumber=%zu&uploadId=0004B9894A22E5B1888A1E29F8236E2D", part + 1);
        send_request(fd, "PUT", query, offset, len - offset < PART_LEN ? len - offset : PART_LEN);
    }
    close(fd);
    return unused;
}

int main(int argc, char **argv) {
    if (argc < 6) fail("see the source");
    int is_parts = !strcmp(argv[1], "parts"), count = atoi(argv[4]);
    port = atoi(argv[2]);
    file = open(argv[3], O_RDONLY);
    struct stat stat_of_file;
    if (file < 0 || fstat(file, &stat_of_file)) fail("no such file");
    len = (size_t)stat_of_file.st_size;
    char line[8192];
    FILE *lines = fopen(argv[5], "rb");
    while (lines && fgets(line, sizeof line, lines)) {
        line[strcspn(line, "\n")] = 0;
        strcat(strcat(headers, line), "\r\n");
    }

    measure_begin();
    int fd = open_connection();
    for (int i = 0; i < count; i++) {
        if (!is_parts) {
            send_request(fd, "PUT", "", 0, len);
            continue;
        }
        pthread_t threads[CONNECTIONS];
        send_request(fd, "POST", "?uploads", 0, 0);
        next_part = 0;
        for (int t = 0; t < CONNECTIONS; t++) pthread_create(&threads[t], NULL, send_parts, NULL);
        for (int t = 0; t < CONNECTIONS; t++) pthread_join(threads[t], NULL);
        send_request(fd, "POST", "?uploadId=0004B9894A22E5B1888A1E29F8236E2D", 0, 0);
    }
    close(fd);
    measure_end();
    return EXIT_SUCCESS;
}
