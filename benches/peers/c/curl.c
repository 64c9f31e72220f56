/* Uploads with libcurl: no CRC, no signing of its own. The headers of a signed request with a callback are given by the
 * file HEADERS, a line each, and are always the same.
 *
 *   curl file|bytes|parts ENDPOINT FILE COUNT HEADERS [CA] */

#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "measure.h"

enum { PART_LEN = 8 * 1024 * 1024, CONNECTIONS = 4 };

static const char *endpoint, *file, *ca;
static struct curl_slist *headers;

struct body {
    FILE *stream;
    const char *bytes;
    size_t left;
};

static size_t read_body(char *buffer, size_t size, size_t count, void *userdata) {
    struct body *body = userdata;
    size_t len = size * count < body->left ? size * count : body->left;
    if (body->stream) {
        len = fread(buffer, 1, len, body->stream);
    } else {
        memcpy(buffer, body->bytes, len);
        body->bytes += len;
    }
    body->left -= len;
    return len;
}

static size_t drop(char *buffer, size_t size, size_t count, void *userdata) {
    (void)buffer, (void)userdata;
    return size * count;
}

static CURL *handle(void) {
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (ca) curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
    return curl;
}

static void send_request(CURL *curl, const char *query, struct body *body) {
    char url[512];
    long status = 0;
    snprintf(url, sizeof url, "%s/examplebucket/folder/object.bin%s", endpoint, query);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READDATA, body);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)body->left);
    } else {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    }
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code || status != 200) fail(code ? curl_easy_strerror(code) : "not a 200");
}

static size_t file_len(void) {
    struct stat stat_of_file;
    if (stat(file, &stat_of_file)) fail("no such file");
    return (size_t)stat_of_file.st_size;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t next_part;

static void *send_parts(void *unused) {
    size_t len = file_len();
    CURL *curl = handle();
    FILE *stream = fopen(file, "rb");
    for (;;) {
        pthread_mutex_lock(&lock);
        size_t part = next_part++;
        pthread_mutex_unlock(&lock);
        if (part * PART_LEN >= len) break;
        char query[64];
        snprintf(query, sizeof query, "?partNumber=%zu&uploadId=0004B9894A22E5B1888A1E29F8236E2D", part + 1);
        size_t rest = len - part * PART_LEN;
        struct body body = {stream, NULL, rest < PART_LEN ? rest : PART_LEN};
        fseek(stream, (long)(part * PART_LEN), SEEK_SET);
        send_request(curl, query, &body);
    }
    fclose(stream);
    curl_easy_cleanup(curl);
    return unused;
}

int main(int argc, char **argv) {
    if (argc < 6) fail("see the source");
    const char *what = argv[1];
    endpoint = argv[2], file = argv[3], ca = argc > 6 ? argv[6] : NULL;
    int count = atoi(argv[4]);
    char line[8192];
    FILE *lines = fopen(argv[5], "rb");
    while (lines && fgets(line, sizeof line, lines)) {
        line[strcspn(line, "\n")] = 0;
        headers = curl_slist_append(headers, line);
    }
    char *bytes = NULL;
    size_t len = file_len();
    if (!strcmp(what, "bytes")) {
        FILE *stream = fopen(file, "rb");
        bytes = malloc(len);
        if (!stream || fread(bytes, 1, len, stream) != len) fail("the file cannot be read");
        fclose(stream);
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);

    measure_begin();
    CURL *curl = handle();
    for (int i = 0; i < count; i++) {
        if (strcmp(what, "parts")) {
            FILE *stream = bytes ? NULL : fopen(file, "rb");
            struct body body = {stream, bytes, len};
            send_request(curl, "", &body);
            if (stream) fclose(stream);
            continue;
        }
        pthread_t threads[CONNECTIONS];
        send_request(curl, "?uploads", NULL);
        next_part = 0;
        for (int t = 0; t < CONNECTIONS; t++) pthread_create(&threads[t], NULL, send_parts, NULL);
        for (int t = 0; t < CONNECTIONS; t++) pthread_join(threads[t], NULL);
        send_request(curl, "?uploadId=0004B9894A22E5B1888A1E29F8236E2D", NULL);
    }
    curl_easy_cleanup(curl);
    measure_end();
    free(bytes);
    return EXIT_SUCCESS;
}
