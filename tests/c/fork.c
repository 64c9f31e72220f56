/* After a fork each process uses the clients that it has made itself; that of the parent goes on in the parent. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <sys/wait.h>
#include <unistd.h>

static void upload(const oss_callback_client *client, const char *object) {
    assert(oss_put_object_with_callback(client, BUCKET, object, (const uint8_t *)object, strlen(object), NULL, NULL, NULL,
                                        NULL) == OSS_CALLBACK_CODE_OK);
}

int main(void) {
    int status = 0;
    pid_t child;
    oss_callback_client *client = new_client();
    upload(client, "before");
    child = fork();
    assert(child >= 0);
    if (child == 0) {
        oss_callback_client *own = new_client();
        upload(own, "child");
        oss_callback_client_free(own);
        _exit(0);
    }
    assert(waitpid(child, &status, 0) == child && status == 0);
    /* Over the connection from before. */
    upload(client, "parent");
    oss_callback_client_free(client);
    return 0;
}
