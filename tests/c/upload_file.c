/* A file becomes one object with one callback, in one request or in parts; an upload that ended goes on by its
 * checkpoint. */

#include "fixture.h"
#include <pthread.h>

#define PART 102400u

static oss_callback_client *client;
static oss_callback_spec *spec;
static const char *file, *checkpoint;
static uint64_t file_len;

/* What a progress hook is told, and what it does. */
typedef struct {
    pthread_t caller;
    uint64_t sent;
    /* Ends the upload once so many bytes were sent. */
    uint64_t limit;
    pthread_mutex_t lock;
    pthread_cond_t begun;
    bool has_begun;
    oss_callback_cancellation *cancellation;
    const oss_callback_put_options *options;
} witness;

static int watch(uint64_t sent, uint64_t total, void *userdata) {
    witness *it = userdata;
    assert(pthread_equal(pthread_self(), it->caller));
    assert(total == file_len && sent <= total && sent >= it->sent);
    it->sent = sent;
    return sent >= it->limit;
}

static witness new_witness(uint64_t limit) {
    witness it;
    memset(&it, 0, sizeof it);
    it.caller = pthread_self();
    it.limit = limit;
    return it;
}

static oss_callback_put_options *new_options(uint32_t parallel, oss_callback_progress_hook hook, witness *it) {
    oss_callback_put_options *options = new_put_options();
    oss_callback_put_options_set_part_size(options, PART);
    oss_callback_put_options_set_parallel(options, parallel);
    oss_callback_put_options_set_progress_hook(options, hook, it);
    return options;
}

static oss_callback_receipt *upload(const char *object, const oss_callback_put_options *options) {
    oss_callback_receipt *receipt = NULL;
    assert(oss_upload_file_with_callback(client, BUCKET, object, file, spec, options, &receipt, NULL) ==
           OSS_CALLBACK_CODE_OK);
    assert(oss_callback_receipt_answer(receipt, NULL) != NULL);
    return receipt;
}

static void goes_in_one_request_or_in_parts(void) {
    oss_callback_receipt *receipt = upload("small", NULL);
    witness it = new_witness(UINT64_MAX);
    oss_callback_put_options *options = new_options(3, watch, &it);
    assert(oss_callback_receipt_notes_len(receipt) == 0);
    assert(oss_callback_receipt_note(receipt, 0) == NULL);
    oss_callback_receipt_free(receipt);

    oss_callback_put_options_set_content_type(options, "text/x-parts");
    receipt = upload("large", options);
    assert(it.sent == file_len);
    tell(receipt);
    oss_callback_receipt_free(receipt);
    oss_callback_put_options_free(options);
}

/* Lets another thread cancel, and waits until it has. */
static int wait_for_the_end(uint64_t sent, uint64_t total, void *userdata) {
    witness *it = userdata;
    assert(pthread_equal(pthread_self(), it->caller));
    (void)sent, (void)total;
    assert(pthread_mutex_lock(&it->lock) == 0);
    it->has_begun = true;
    assert(pthread_cond_broadcast(&it->begun) == 0);
    while (!oss_callback_cancellation_is_cancelled(it->cancellation)) {
        assert(pthread_cond_wait(&it->begun, &it->lock) == 0);
    }
    assert(pthread_mutex_unlock(&it->lock) == 0);
    return 0;
}

static void *cancel(void *argument) {
    witness *it = argument;
    assert(pthread_mutex_lock(&it->lock) == 0);
    while (!it->has_begun) {
        assert(pthread_cond_wait(&it->begun, &it->lock) == 0);
    }
    oss_callback_cancellation_cancel(it->cancellation);
    assert(pthread_cond_broadcast(&it->begun) == 0);
    assert(pthread_mutex_unlock(&it->lock) == 0);
    return NULL;
}

static void is_cancelled_by_another_thread(void) {
    pthread_t other;
    oss_callback_error *error = NULL;
    witness it = new_witness(UINT64_MAX);
    oss_callback_put_options *options = new_options(2, wait_for_the_end, &it);
    assert(pthread_mutex_init(&it.lock, NULL) == 0 && pthread_cond_init(&it.begun, NULL) == 0);
    assert(oss_callback_cancellation_new(&it.cancellation) == OSS_CALLBACK_CODE_OK);
    oss_callback_put_options_set_cancellation(options, it.cancellation);
    assert(pthread_create(&other, NULL, cancel, &it) == 0);
    assert(oss_upload_file_with_callback(client, BUCKET, "cancelled", file, spec, options, NULL, &error) ==
           OSS_CALLBACK_CODE_CANCELLED);
    assert(pthread_join(other, NULL) == 0);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_NO);
    oss_callback_error_free(error);
    oss_callback_cancellation_free(it.cancellation);
    oss_callback_put_options_free(options);
    assert(pthread_cond_destroy(&it.begun) == 0 && pthread_mutex_destroy(&it.lock) == 0);
}

static void goes_on_by_its_checkpoint(void) {
    oss_callback_error *error = NULL;
    oss_callback_receipt *receipt;
    FILE *damaged;
    char aside[4096];
    witness it = new_witness(2 * PART + 1);
    oss_callback_put_options *options = new_options(1, watch, &it);
    oss_callback_put_options_set_checkpoint(options, checkpoint);
    assert(oss_upload_file_with_callback(client, BUCKET, "resumed", file, spec, options, NULL, &error) ==
           OSS_CALLBACK_CODE_CANCELLED);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    printf("upload_id %s\n", oss_callback_error_upload_id(error));
    oss_callback_error_free(error);

    /* What was sent counts as sent. */
    it = new_witness(UINT64_MAX);
    receipt = upload("resumed", options);
    assert(it.sent == file_len);
    assert(oss_callback_receipt_notes_len(receipt) == 0);
    oss_callback_receipt_free(receipt);
    assert(fopen(checkpoint, "r") == NULL);

    /* A file of somebody else's in its place stays. */
    damaged = fopen(checkpoint, "w");
    assert(damaged != NULL && fputs("12345", damaged) >= 0 && fclose(damaged) == 0);
    assert(oss_upload_file_with_callback(client, BUCKET, "never", file, spec, options, NULL, NULL) ==
           OSS_CALLBACK_CODE_CHECKPOINT_FAILED);

    /* A checkpoint that makes no sense is told and set aside. */
    damaged = fopen(checkpoint, "w");
    assert(damaged != NULL && fputs("oss-callback checkpoint 2 0000000000000000\n12345", damaged) >= 0 && fclose(damaged) == 0);
    it = new_witness(UINT64_MAX);
    receipt = upload("damaged", options);
    assert(oss_callback_receipt_notes_len(receipt) == 1);
    assert(contains(oss_callback_receipt_note(receipt, 0), "the checkpoint was damaged"));
    assert(snprintf(aside, sizeof aside, "%s.oss-callback-damaged", checkpoint) < (int)sizeof aside);
    assert(contains(oss_callback_receipt_note(receipt, 0), aside));
    assert(remove(aside) == 0);
    assert(oss_callback_receipt_note(receipt, 1) == NULL);
    oss_callback_receipt_free(receipt);
    oss_callback_put_options_free(options);
}

/* Another upload with the same options while one is under way. */
static int interfere(uint64_t sent, uint64_t total, void *userdata) {
    witness *it = userdata;
    oss_callback_error *error = NULL;
    (void)sent, (void)total;
    if (!it->has_begun) {
        it->has_begun = true;
        assert(oss_upload_file_with_callback(client, BUCKET, "never", file, spec, it->options, NULL, &error) ==
               OSS_CALLBACK_CODE_CHECKPOINT_IN_USE);
        assert(contains(oss_callback_error_message(error), checkpoint));
        assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
        oss_callback_error_free(error);
    }
    return 0;
}

static void has_its_checkpoint_for_itself(void) {
    witness it = new_witness(UINT64_MAX);
    oss_callback_put_options *options = new_options(1, interfere, &it);
    oss_callback_put_options_set_checkpoint(options, checkpoint);
    it.options = options;
    oss_callback_receipt_free(upload("undisturbed", options));
    assert(it.has_begun);

    oss_callback_put_options_set_checkpoint(options, "/no such folder/checkpoint");
    assert(oss_upload_file_with_callback(client, BUCKET, "never", file, spec, options, NULL, NULL) ==
           OSS_CALLBACK_CODE_CHECKPOINT_FAILED);
    oss_callback_put_options_free(options);
}

static void is_refused(oss_callback_code code, oss_callback_error *error, const char *message) {
    assert(code == OSS_CALLBACK_CODE_INVALID_ARGUMENT);
    assert(contains(oss_callback_error_message(error), message));
    assert(oss_callback_error_answered(error) == OSS_CALLBACK_ANSWERED_NO);
    oss_callback_error_free(error);
}

/* Other uploads do not ignore what only this one has. */
static void is_not_any_upload(void) {
    static const char *const messages[] = {"`part_size` is an option of oss_upload_file_with_callback only",
                                           "`parallel` is an option of oss_upload_file_with_callback only",
                                           "`checkpoint` is an option of oss_upload_file_with_callback only"};
    int index;
    oss_callback_error *error = NULL;
    oss_callback_put_options *options;
    oss_callback_code code;
    for (index = 0; index < 3; index++) {
        options = new_put_options();
        if (index == 0) {
            oss_callback_put_options_set_part_size(options, PART);
        } else if (index == 1) {
            oss_callback_put_options_set_parallel(options, 4);
        } else {
            oss_callback_put_options_set_checkpoint(options, checkpoint);
        }
        code = oss_put_object_from_file_with_callback(client, BUCKET, "never", file, spec, options, NULL, &error);
        is_refused(code, error, messages[index]);
        oss_callback_put_options_free(options);
    }

    options = new_put_options();
    oss_callback_put_options_set_part_size(options, PART - 1);
    code = oss_upload_file_with_callback(client, BUCKET, "never", file, spec, options, NULL, &error);
    is_refused(code, error, "`part_size` 102399");
    oss_callback_put_options_set_part_size(options, PART);
    oss_callback_put_options_set_parallel(options, UINT32_MAX);
    code = oss_upload_file_with_callback(client, BUCKET, "never", file, spec, options, NULL, &error);
    is_refused(code, error, "`parallel` 4294967295");
    oss_callback_put_options_free(options);
    assert(oss_upload_file_with_callback(client, BUCKET, "never", "/no such file", spec, NULL, NULL, NULL) ==
           OSS_CALLBACK_CODE_BODY_UNREADABLE);
}

/* argv: a file of several parts, its length, and the path of a checkpoint that is not there. */
int main(int argc, char **argv) {
    assert(argc == 4);
    file = argv[1];
    file_len = strtoull(argv[2], NULL, 10);
    checkpoint = argv[3];
    client = new_client();
    spec = new_spec(variable("OSS_CALLBACK_URL"));
    goes_in_one_request_or_in_parts();
    is_cancelled_by_another_thread();
    goes_on_by_its_checkpoint();
    has_its_checkpoint_for_itself();
    is_not_any_upload();
    oss_callback_spec_free(spec);
    oss_callback_client_free(client);
    return 0;
}
