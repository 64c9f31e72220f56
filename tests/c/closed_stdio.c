/* A daemon has closed its standard streams: the descriptors 0 to 2 become connections, and nothing is written to them
 * but requests. */

#define _POSIX_C_SOURCE 200809L

#include "fixture.h"
#include <unistd.h>

int main(void) {
    int round, failures = 0;
    oss_callback_client *client;
    oss_callback_spec *spec;
    close(0);
    close(1);
    close(2);
    client = new_client();
    spec = new_spec(variable("OSS_CALLBACK_URL"));
    for (round = 0; round < 3; round++) {
        failures += oss_put_object_with_callback(client, BUCKET, "object", (const uint8_t *)"hello", 5, spec, NULL, NULL,
                                                 NULL) != OSS_CALLBACK_CODE_OK;
        failures += oss_put_object_with_callback(client, "nosuchbucket", "object", NULL, 0, spec, NULL, NULL, NULL) !=
                    OSS_CALLBACK_CODE_NOT_FOUND;
    }
    oss_callback_spec_free(spec);
    oss_callback_client_free(client);
    return failures;
}
