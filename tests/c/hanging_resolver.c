/* The system's resolver does not answer: one thread waits for each name, however many clients come and go, and there are
 * never more than 64. Nobody else waits. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <dirent.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>

#define MOST 64

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static int asked;
static bool answers;

/* Takes the place of the system's. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    (void)node, (void)service, (void)hints, (void)found;
    pthread_mutex_lock(&mutex);
    asked++;
    while (!answers) {
        pthread_cond_wait(&released, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    return EAI_AGAIN;
}

static int questions(void) {
    int count;
    pthread_mutex_lock(&mutex);
    count = asked;
    pthread_mutex_unlock(&mutex);
    return count;
}

static int threads(void) {
    DIR *folder = opendir("/proc/self/task");
    struct dirent *entry;
    int count = 0;
    assert(folder != NULL);
    while ((entry = readdir(folder)) != NULL) {
        count += entry->d_name[0] != '.';
    }
    closedir(folder);
    return count;
}

static void in_vain(const char *endpoint) {
    oss_callback_error *error = NULL;
    oss_callback_client *client;
    oss_callback_client_options *options = new_client_options();
    oss_callback_client_options_set_endpoint(options, endpoint);
    oss_callback_client_options_set_path_style(options, true);
    oss_callback_client_options_set_connect_timeout_ms(options, 5);
    oss_callback_client_options_set_max_attempts(options, 1);
    client = new_client_of(options);
    assert(oss_put_object_with_callback(client, BUCKET, "object", (const uint8_t *)"x", 1, oss_callback_spec_none(), NULL,
                                        NULL, &error) == OSS_CALLBACK_CODE_TIMEOUT);
    assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO);
    assert(contains(oss_callback_error_message(error), "its address was not found in time"));
    oss_callback_error_free(error);
    oss_callback_client_free(client);
}

int main(void) {
    const int before = threads();
    int count;
    char endpoint[64];
    for (count = 0; count < 20; count++) {
        snprintf(endpoint, sizeof endpoint, "http://oss.example.test:%d", 1 + count % 2);
        in_vain(endpoint);
    }
    while (questions() == 0) {
        sched_yield();
    }
    assert(questions() == 1 && threads() == before + 1);

    for (count = 0; count < 2 * MOST; count++) {
        snprintf(endpoint, sizeof endpoint, "http://%d.example.test", count);
        in_vain(endpoint);
    }
    while (questions() < MOST) {
        sched_yield();
    }
    assert(questions() == MOST && threads() == before + MOST);

    pthread_mutex_lock(&mutex);
    answers = true;
    pthread_cond_broadcast(&released);
    pthread_mutex_unlock(&mutex);
    while (threads() > before) {
        sched_yield();
    }
    return 0;
}
