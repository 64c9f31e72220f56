/* Uploads a large file in parallel parts, with a progress bar and one callback, and prints the application server's
 * answer. If it is interrupted, also by Ctrl-C, it resumes where it left off when you run it again.
 *
 * Set OSS_ENDPOINT, OSS_REGION, OSS_BUCKET, OSS_CALLBACK_URL, OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, with
 * temporary credentials, OSS_SESSION_TOKEN; or let `make run-upload_file` do it. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <oss_callback.h>

#define BAR "##############################"
#define WIDTH (sizeof BAR - 1)

static oss_callback_cancellation *cancellation;

static void end(int signal_number) {
    (void)signal_number;
    oss_callback_cancellation_cancel(cancellation);
}

typedef struct {
    time_t begun;
    /* What an earlier run sent does not count towards the speed. */
    uint64_t found;
    int percent;
} progress_bar;

/* Redraws the bar when it has grown. */
static int draw(uint64_t sent, uint64_t total, void *userdata) {
    progress_bar *bar = userdata;
    int percent = total > 0 ? (int)((double)sent / (double)total * 100) : 100;
    double seconds = difftime(time(NULL), bar->begun), speed;
    if (bar->percent < 0) bar->found = sent;
    if (percent == bar->percent) return 0;
    bar->percent = percent;
    speed = (double)(sent - bar->found) / (seconds > 1 ? seconds : 1);
    fprintf(stderr, "\r[%-*.*s] %3d %%  %.1f MiB/s", (int)WIDTH, (int)WIDTH * percent / 100, BAR, percent, speed / 1048576);
    if (speed > 0) fprintf(stderr, ", %.0f s left ", (double)(total - sent) / speed);
    return 0;
}

int main(int argc, char **argv) {
    const char *file = argc == 2 ? argv[1] : "";
    const char *slash = strrchr(file, '/');
    const char *object = slash ? slash + 1 : file;
    char *checkpoint = malloc(strlen(file) + sizeof ".checkpoint");
    progress_bar bar = {time(NULL), 0, -1};

    oss_callback_client_options *client_options = NULL;
    oss_callback_client *client = NULL;
    oss_callback_spec_options *spec_options = NULL;
    oss_callback_spec *spec = NULL;
    oss_callback_put_options *options = NULL;
    oss_callback_receipt *receipt = NULL;
    oss_callback_error *error = NULL;

    if (argc != 2) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        free(checkpoint);
        return 2;
    }
    if (!checkpoint || oss_callback_client_options_new(&client_options) || oss_callback_spec_options_new(&spec_options) ||
        oss_callback_put_options_new(&options) || oss_callback_cancellation_new(&cancellation)) abort();
    strcat(strcpy(checkpoint, file), ".checkpoint");
    signal(SIGINT, end);

    oss_callback_client_options_set_endpoint(client_options, getenv("OSS_ENDPOINT"));
    oss_callback_client_options_set_region(client_options, getenv("OSS_REGION"));
    oss_callback_client_options_set_credentials_from_env(client_options);
    oss_callback_spec_options_add_url(spec_options, getenv("OSS_CALLBACK_URL"));
    oss_callback_spec_options_set_body(spec_options, "filename=${object}&size=${size}&mimeType=${mimeType}");
    oss_callback_put_options_set_parallel(options, 4);
    oss_callback_put_options_set_checkpoint(options, checkpoint);
    oss_callback_put_options_set_progress_hook(options, draw, &bar);
    oss_callback_put_options_set_cancellation(options, cancellation);

    int failed = oss_callback_client_new(client_options, &client, &error) ||
        oss_callback_spec_new(spec_options, &spec, &error) ||
        oss_upload_file_with_callback(client, getenv("OSS_BUCKET"), object, file, spec, options, &receipt, &error);
    if (bar.percent >= 0) fputc('\n', stderr);
    for (size_t i = 0; i < oss_callback_receipt_notes_len(receipt); i++) {
        fprintf(stderr, "%s\n", oss_callback_receipt_note(receipt, i));
    }
    for (size_t i = 0; i < oss_callback_error_notes_len(error); i++) {
        fprintf(stderr, "%s\n", oss_callback_error_note(error, i));
    }
    if (failed) {
        oss_callback_stored stored = oss_callback_error_stored(error);
        fprintf(stderr, "%s\n%s\n", oss_callback_error_message(error),
                oss_callback_error_upload_id(error) ? "What was sent is kept: run this again to go on."
                : stored == OSS_CALLBACK_STORED_YES ? "It is stored: do not upload it again."
                : stored == OSS_CALLBACK_STORED_NO ? "It is not stored." : "Check whether it is stored.");
    } else {
        size_t len = 0;
        const uint8_t *answer = oss_callback_receipt_answer(receipt, &len);
        printf("%.*s\n", (int)len, (const char *)answer);
    }

    signal(SIGINT, SIG_DFL);
    oss_callback_error_free(error);
    oss_callback_receipt_free(receipt);
    oss_callback_put_options_free(options);
    oss_callback_cancellation_free(cancellation);
    oss_callback_spec_free(spec);
    oss_callback_spec_options_free(spec_options);
    oss_callback_client_free(client);
    oss_callback_client_options_free(client_options);
    free(checkpoint);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
