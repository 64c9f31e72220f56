/* A hook signs for a client that has no secret: it asks a server that has, for every request of an upload in parts too. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define PART 102400u

typedef struct {
    pthread_mutex_t inside;
    struct sockaddr_in server;
    int calls;
    /* In place of asking. */
    int64_t answer;
} signer;

static void send_all(int connection, const char *text) {
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t count = write(connection, text, len);
        assert(count > 0);
        text += count;
        len -= (size_t)count;
    }
}

/* Sends the version, the scope and the text, and reads the signature. */
static int64_t ask(const signer *it, uint32_t version, const char *scope, const char *text, char *signature,
                   size_t signature_len) {
    char head[16];
    size_t len = 0;
    ssize_t count;
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    assert(connection >= 0);
    assert(connect(connection, (const struct sockaddr *)&it->server, sizeof it->server) == 0);
    snprintf(head, sizeof head, "%u\n", (unsigned)version);
    send_all(connection, head);
    send_all(connection, scope != NULL ? scope : "");
    send_all(connection, "\n");
    send_all(connection, text);
    assert(shutdown(connection, SHUT_WR) == 0);
    while ((count = read(connection, signature + len, signature_len - len)) > 0) {
        len += (size_t)count;
    }
    assert(count == 0);
    assert(close(connection) == 0);
    return (int64_t)len;
}

static int64_t sign(const char *string_to_sign, uint32_t signature_version, const char *scope, char *signature,
                    size_t signature_len, void *userdata) {
    signer *it = userdata;
    int64_t len = it->answer;
    /* Nobody else is in here. */
    assert(pthread_mutex_trylock(&it->inside) == 0);
    it->calls++;
    assert(signature_len >= 256);
    assert(signature_version == 1 || signature_version == 4);
    assert((signature_version == 4) == (scope != NULL));
    memset(signature, 'x', signature_len);
    if (len == 0) {
        len = ask(it, signature_version, scope, string_to_sign, signature, signature_len);
    }
    assert(pthread_mutex_unlock(&it->inside) == 0);
    return len;
}

static oss_callback_client *new_client_with(signer *it, uint32_t version) {
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_signature_version(options, version);
    oss_callback_client_options_set_signer_hook(options, "STS.signed", "token", sign, it, NULL);
    return new_client_of(options);
}

static void uploads(signer *it, uint32_t version, const char *object, const char *file) {
    oss_callback_object_metadata *metadata = NULL;
    oss_callback_receipt *receipt = NULL;
    oss_callback_spec *spec = new_spec(variable("OSS_CALLBACK_URL"));
    oss_callback_put_options *options = new_put_options();
    oss_callback_client *client = new_client_with(it, version);
    oss_callback_put_options_set_part_size(options, PART);
    oss_callback_put_options_set_parallel(options, 3);
    it->calls = 0;
    assert(oss_upload_file_with_callback(client, BUCKET, object, file, spec, options, &receipt, NULL) ==
           OSS_CALLBACK_CODE_OK);
    /* Once for each request: begin, three parts, complete. */
    assert(it->calls == 5);
    assert(oss_callback_client_head_object(client, BUCKET, object, NULL, &metadata, NULL) == OSS_CALLBACK_CODE_OK);
    assert(it->calls == 6);
    oss_callback_object_metadata_free(metadata);
    oss_callback_receipt_free(receipt);
    oss_callback_put_options_free(options);
    oss_callback_spec_free(spec);
    oss_callback_client_free(client);
}

static void fails(signer *it, int64_t answer, const char *message) {
    oss_callback_error *error = NULL;
    oss_callback_client *client = new_client_with(it, 4);
    it->answer = answer;
    assert(oss_put_object_with_callback(client, BUCKET, "never", NULL, 0, oss_callback_spec_none(), NULL, NULL, &error) ==
           OSS_CALLBACK_CODE_CREDENTIALS_FAILED);
    assert(contains(oss_callback_error_message(error), message));
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    oss_callback_error_free(error);
    oss_callback_client_free(client);
}

/* argv: the port of the server that signs, and a file of three parts. */
int main(int argc, char **argv) {
    signer it;
    assert(argc == 3);
    memset(&it, 0, sizeof it);
    assert(pthread_mutex_init(&it.inside, NULL) == 0);
    it.server.sin_family = AF_INET;
    it.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    it.server.sin_port = htons((uint16_t)atoi(argv[1]));
    uploads(&it, 4, "version 4", argv[2]);
    uploads(&it, 1, "version 1", argv[2]);
    fails(&it, -3, "the hook returned -3");
    fails(&it, INT64_MIN, "the hook returned -9223372036854775808");
    fails(&it, 257, "the hook says that it wrote 257 bytes where 256 had room");
    fails(&it, INT64_MAX, "9223372036854775807 bytes");
    /* It is no signature. */
    fails(&it, 64, "64 hexadecimal digits");
    fails(&it, 256, "64 hexadecimal digits");
    return 0;
}
