/* What a call with a NULL argument does: it fails and names the argument, and leaves its outputs as they were. */

#ifndef REFUSES_H
#define REFUSES_H

#include "fixture.h"

static char marker;
#define UNTOUCHED ((void *)&marker)

/* The call fails with a message that names the argument; `output` is what it would have written. */
#define REFUSES(argument, output, call)                                     \
    do {                                                                    \
        oss_callback_error *error = NULL;                                   \
        output = UNTOUCHED;                                                 \
        assert((call) == OSS_CALLBACK_CODE_INVALID_ARGUMENT);               \
        assert(output == UNTOUCHED);                                        \
        assert(is(oss_callback_error_message(error), "`" argument "` is NULL")); \
        assert(oss_callback_error_code(error) == OSS_CALLBACK_CODE_INVALID_ARGUMENT); \
        assert(oss_callback_error_stored(error) == OSS_CALLBACK_STORED_NO); \
        oss_callback_error_free(error);                                     \
    } while (0)

/* The call fails; it has no error handle, or the handle is not wanted. */
#define FAILS(call) assert((call) == OSS_CALLBACK_CODE_INVALID_ARGUMENT)

#endif
