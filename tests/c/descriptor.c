/* A file descriptor is sent from its position on and neither moved, if it is a regular file's, nor closed; of a pipe no
 * more is read than is sent, and it is not waited for beyond the upload's limits. A range of a file is sent as an object of its own. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <fcntl.h>
#include <unistd.h>

static oss_callback_client *client;

static oss_callback_code put(const char *object, int fd, uint64_t len, oss_callback_error **error) {
    return oss_put_object_from_fd_with_callback(client, BUCKET, object, fd, len, oss_callback_spec_none(), NULL, NULL, error);
}

static void fails(int fd, uint64_t len, oss_callback_code code, const char *message) {
    oss_callback_error *error = NULL;
    assert(put("never", fd, len, &error) == code);
    assert(contains(oss_callback_error_message(error), message));
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    oss_callback_error_free(error);
}

static void range_fails(const char *path, uint64_t offset, uint64_t len) {
    oss_callback_error *error = NULL;
    assert(oss_put_object_from_file_range_with_callback(client, BUCKET, "never", path, offset, len, oss_callback_spec_none(), NULL, NULL,
                                                        &error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(contains(oss_callback_error_message(error), "has 10 bytes"));
    oss_callback_error_free(error);
}

static void regular_file(const char *path) {
    int fd = open(path, O_RDONLY);
    oss_callback_put_options *options = new_put_options();
    assert(fd >= 0);
    assert(lseek(fd, 2, SEEK_SET) == 2);
    assert(put("file", fd, 5, NULL) == OSS_CALLBACK_CODE_OK);
    assert(put("rest", fd, OSS_CALLBACK_LEN_UNKNOWN, NULL) == OSS_CALLBACK_CODE_OK);
    /* It can be read twice. */
    oss_callback_put_options_set_content_md5(options, true);
    assert(oss_put_object_from_fd_with_callback(client, BUCKET, "twice", fd, 8, oss_callback_spec_none(), options, NULL, NULL) ==
           OSS_CALLBACK_CODE_OK);
    fails(fd, 9, OSS_CALLBACK_CODE_BODY_CHANGED, "ended after 8 of 9 bytes");
    assert(lseek(fd, 0, SEEK_CUR) == 2);
    assert(lseek(fd, 0, SEEK_END) == 10);
    assert(put("end", fd, OSS_CALLBACK_LEN_UNKNOWN, NULL) == OSS_CALLBACK_CODE_OK);
    assert(close(fd) == 0);
    oss_callback_put_options_free(options);
}

static int change(uint64_t sent, uint64_t total, void *userdata) {
    (void)sent, (void)total;
    assert(pwrite(*(int *)userdata, "y", 1, 0) == 1);
    return 0;
}

/* What was read already changes. */
static void file_that_changes(void) {
    static char text[1 << 20];
    FILE *file = tmpfile();
    int fd;
    oss_callback_error *error = NULL;
    oss_callback_put_options *options = new_put_options();
    memset(text, 'x', sizeof text);
    assert(file != NULL && fwrite(text, sizeof text, 1, file) == 1 && fflush(file) == 0);
    fd = fileno(file);
    assert(lseek(fd, 0, SEEK_SET) == 0);
    oss_callback_put_options_set_progress_hook(options, change, &fd);
    /* Not all of it has been read when the hook is told of the first of it. */
    oss_callback_put_options_set_bandwidth_bytes_per_s(options, 4 * sizeof text);
    assert(oss_put_object_from_fd_with_callback(client, BUCKET, "never", fd, OSS_CALLBACK_LEN_UNKNOWN, oss_callback_spec_none(), options, NULL,
                                                &error) == OSS_CALLBACK_CODE_BODY_CHANGED);
    assert(contains(oss_callback_error_message(error), "the file changed while it was sent"));
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    oss_callback_error_free(error);
    oss_callback_put_options_free(options);
    assert(fclose(file) == 0);
}

static void unusual_files(const char *path) {
    int fd = open("/proc/self/status", O_RDONLY);
    assert(fd >= 0);
    fails(fd, OSS_CALLBACK_LEN_UNKNOWN, OSS_CALLBACK_CODE_BODY_CHANGED, "says that it is empty");
    assert(close(fd) == 0);
    fd = open(path, O_WRONLY);
    assert(fd >= 0);
    fails(fd, 5, OSS_CALLBACK_CODE_BODY_UNREADABLE, "bad file descriptor");
    assert(close(fd) == 0);
    fd = open("/", O_RDONLY);
    assert(fd >= 0);
    fails(fd, 5, OSS_CALLBACK_CODE_BODY_UNREADABLE, "is a directory");
    assert(close(fd) == 0);
    /* It was just closed. */
    fails(fd, 5, OSS_CALLBACK_CODE_BODY_UNREADABLE, "bad file descriptor");
    fails(-1, 5, OSS_CALLBACK_CODE_INVALID_ARGUMENT, "`fd` is -1");
}

static void pipes(void) {
    int ends[2];
    char rest[16];
    oss_callback_error *error = NULL;
    oss_callback_put_options *options = new_put_options();
    oss_callback_put_options_set_content_md5(options, true);
    assert(pipe(ends) == 0);
    assert(write(ends[1], "pipe dream", 10) == 10);
    assert(oss_put_object_from_fd_with_callback(client, BUCKET, "never", ends[0], 4, oss_callback_spec_none(), options, NULL, &error) ==
           OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(contains(oss_callback_error_message(error), "`content_md5` needs a body that can be read twice"));
    oss_callback_error_free(error);
    /* Its writer stays: to look for an end would block for ever. */
    assert(put("pipe", ends[0], 4, NULL) == OSS_CALLBACK_CODE_OK);
    assert(read(ends[0], rest, 2) == 2 && memcmp(rest, " d", 2) == 0);
    assert(close(ends[1]) == 0);
    assert(put("pipe to its end", ends[0], OSS_CALLBACK_LEN_UNKNOWN, NULL) == OSS_CALLBACK_CODE_OK);
    fails(ends[0], 1, OSS_CALLBACK_CODE_BODY_CHANGED, "ended after 0 of 1 bytes");
    assert(close(ends[0]) == 0);
    oss_callback_put_options_free(options);
}

/* What never comes is waited for no longer than the upload may take. */
static void silent_pipe(void) {
    int ends[2];
    oss_callback_error *error = NULL;
    oss_callback_put_options *options = new_put_options();
    oss_callback_put_options_set_timeout_ms(options, 150);
    assert(pipe(ends) == 0);
    assert(oss_put_object_from_fd_with_callback(client, BUCKET, "never", ends[0], 4, oss_callback_spec_none(), options, NULL, &error) ==
           OSS_CALLBACK_CODE_TIMEOUT);
    assert(contains(oss_callback_error_message(error), "the overall time limit ran out"));
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    oss_callback_error_free(error);
    /* The wrong end would never give anything. */
    fails(ends[1], 4, OSS_CALLBACK_CODE_BODY_UNREADABLE, "bad file descriptor");
    assert(close(ends[0]) == 0);
    assert(close(ends[1]) == 0);
    oss_callback_put_options_free(options);
}

static void ranges(const char *path) {
    oss_callback_receipt *receipt = NULL;
    assert(oss_put_object_from_file_range_with_callback(client, BUCKET, "range", path, 3, 4, oss_callback_spec_none(), NULL, &receipt, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(oss_callback_receipt_etag(receipt) != NULL);
    oss_callback_receipt_free(receipt);
    assert(oss_put_object_from_file_range_with_callback(client, BUCKET, "empty range", path, 10, 0, oss_callback_spec_none(), NULL, NULL,
                                                        NULL) == OSS_CALLBACK_CODE_OK);
    range_fails(path, 3, 8);
    range_fails(path, 11, 0);
    range_fails(path, UINT64_MAX, UINT64_MAX);
}

/* argv: a file with 0123456789. */
int main(int argc, char **argv) {
    assert(argc == 2);
    client = new_client();
    regular_file(argv[1]);
    file_that_changes();
    unusual_files(argv[1]);
    pipes();
    silent_pipe();
    ranges(argv[1]);
    oss_callback_client_free(client);
    return 0;
}
