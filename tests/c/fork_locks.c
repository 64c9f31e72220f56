/* A child never waits for what a thread of its parent was doing at the fork: that thread does not exist in the child, and
 * what it held is held for ever. argv[1] says where it is. */

#define _GNU_SOURCE

#include "fixture.h"
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* More than any upload takes here. */
#define PATIENCE_S 20

static const char *place;
static oss_callback_client *client;
static sem_t inside, may_leave;
static bool stays;

/* Waits where it is, if it is the place. */
static void stay(const char *here) {
    if (stays && strcmp(place, here) == 0) {
        stays = false;
        assert(sem_post(&inside) == 0);
        assert(sem_wait(&may_leave) == 0);
    }
}

/* In place of the system's: a look at an idle connection, which is taken with the pool's lock held. */
ssize_t recv(int fd, void *buffer, size_t len, int flags) {
    if (flags & MSG_PEEK) {
        stay("pool");
    }
    return syscall(SYS_recvfrom, fd, buffer, len, flags, NULL, NULL);
}

/* In place of the system's: a thread of the library's looks a name up. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    assert(next != NULL);
    stay("resolver");
    return next(node, service, hints, result);
}

static int give(oss_callback_credentials *credentials, void *userdata) {
    (void)userdata;
    stay("credentials");
    oss_callback_credentials_set_key_pair(credentials, variable("OSS_ACCESS_KEY_ID"), variable("OSS_ACCESS_KEY_SECRET"),
                                          NULL);
    oss_callback_credentials_set_expires_at_s(credentials, (uint64_t)time(NULL) + 3600);
    return 0;
}

/* Signs with what the server refuses: that it is asked for a signature at all is enough here. */
static int64_t sign(const char *string_to_sign, uint32_t signature_version, const char *scope, char *signature,
                    size_t signature_len, void *userdata) {
    (void)string_to_sign, (void)signature_version, (void)scope, (void)userdata;
    stay("signer");
    assert(signature_len >= 64);
    memset(signature, 'a', 64);
    return 64;
}

static void upload(const char *object) {
    oss_callback_code expected = strcmp(place, "signer") == 0 ? OSS_CALLBACK_CODE_ACCESS_DENIED : OSS_CALLBACK_CODE_OK;
    assert(oss_put_object_with_callback(client, BUCKET, object, NULL, 0, oss_callback_spec_none(), NULL, NULL, NULL) == expected);
}

static void *upload_in_parent(void *nothing) {
    (void)nothing;
    upload("parent");
    return NULL;
}

static void be_a_child(void) {
    /* Nobody is left in the child to be waited for. */
    alarm(PATIENCE_S);
    upload("child");
    upload("child again");
    oss_callback_client_free(client);
    _exit(0);
}

int main(int argc, char **argv) {
    pthread_t thread;
    int status = 0;
    pid_t child;
    oss_callback_client_options *options = new_client_options();
    assert(argc == 2);
    place = argv[1];
    oss_callback_client_options_set_path_style(options, true);
    if (strcmp(place, "credentials") == 0) {
        oss_callback_client_options_set_credentials_hook(options, give, NULL, NULL);
    } else if (strcmp(place, "signer") == 0) {
        oss_callback_client_options_set_signer_hook(options, variable("OSS_ACCESS_KEY_ID"), NULL, sign, NULL, NULL);
    }
    client = new_client_of(options);
    assert(sem_init(&inside, 0, 0) == 0 && sem_init(&may_leave, 0, 0) == 0);
    if (strcmp(place, "pool") == 0) {
        upload("before");
    }
    stays = true;
    assert(pthread_create(&thread, NULL, upload_in_parent, NULL) == 0);
    assert(sem_wait(&inside) == 0);

    child = fork();
    assert(child >= 0);
    if (child == 0) {
        be_a_child();
    }
    assert(waitpid(child, &status, 0) == child);
    assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert(sem_post(&may_leave) == 0);
    assert(pthread_join(thread, NULL) == 0);
    upload("parent again");
    oss_callback_client_free(client);
    return 0;
}
