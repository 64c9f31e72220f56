/* The macros of the header and the functions of the library speak of the same version. */

#include "fixture.h"

int main(void) {
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", OSS_CALLBACK_VERSION_MAJOR, OSS_CALLBACK_VERSION_MINOR,
             OSS_CALLBACK_VERSION_PATCH);
    assert(is(text, OSS_CALLBACK_VERSION));
    assert(OSS_CALLBACK_VERSION_NUMBER == OSS_CALLBACK_VERSION_MAJOR * 1000000 +
                                              OSS_CALLBACK_VERSION_MINOR * 1000 + OSS_CALLBACK_VERSION_PATCH);

    assert(is(oss_callback_version(), OSS_CALLBACK_VERSION));
    assert(oss_callback_version_number() == OSS_CALLBACK_VERSION_NUMBER);
    printf("version %s\n", oss_callback_version());
    return 0;
}
