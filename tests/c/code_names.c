/* Each code has the name of its enumerator; numbers that are no code have the name UNKNOWN. */

#include "fixture.h"

#define HAS_ITS_NAME(name) assert(is(oss_callback_code_name(OSS_CALLBACK_CODE_##name), #name)), count++

int main(void) {
    uint32_t code;
    int count = 0;
    HAS_ITS_NAME(OK);
    HAS_ITS_NAME(INVALID_ARGUMENT);
    HAS_ITS_NAME(INVALID_CALLBACK);
    HAS_ITS_NAME(CREDENTIALS_FAILED);
    HAS_ITS_NAME(RESOLVE);
    HAS_ITS_NAME(CONNECT);
    HAS_ITS_NAME(TLS);
    HAS_ITS_NAME(TIMEOUT);
    HAS_ITS_NAME(CONNECTION_LOST);
    HAS_ITS_NAME(PROTOCOL);
    HAS_ITS_NAME(UNEXPECTED_ANSWER);
    HAS_ITS_NAME(REFUSED);
    HAS_ITS_NAME(ACCESS_DENIED);
    HAS_ITS_NAME(NOT_FOUND);
    HAS_ITS_NAME(CONFLICT);
    HAS_ITS_NAME(SERVER_ERROR);
    HAS_ITS_NAME(CALLBACK_FAILED);
    HAS_ITS_NAME(CHECKSUM_MISMATCH);
    HAS_ITS_NAME(ANSWER_DAMAGED);
    HAS_ITS_NAME(CANCELLED);
    HAS_ITS_NAME(BODY_UNREADABLE);
    HAS_ITS_NAME(BODY_CHANGED);
    HAS_ITS_NAME(WRITE_FAILED);
    HAS_ITS_NAME(CHECKPOINT_IN_USE);
    HAS_ITS_NAME(CHECKPOINT_FAILED);
    HAS_ITS_NAME(WRONG_METHOD);
    HAS_ITS_NAME(BODY_TOO_LARGE);
    HAS_ITS_NAME(MISSING_AUTHORIZATION);
    HAS_ITS_NAME(MISSING_PUB_KEY_URL);
    HAS_ITS_NAME(BAD_PUB_KEY_URL);
    HAS_ITS_NAME(KEY_UNAVAILABLE);
    HAS_ITS_NAME(BAD_SIGNATURE_ENCODING);
    HAS_ITS_NAME(BAD_SIGNATURE);
    HAS_ITS_NAME(BAD_BODY);
    HAS_ITS_NAME(SEAL_MISSING);
    HAS_ITS_NAME(UNKNOWN_SEAL_KEY);
    HAS_ITS_NAME(BAD_SEAL);
    HAS_ITS_NAME(SEAL_EXPIRED);
    HAS_ITS_NAME(SEAL_VIOLATED);
    HAS_ITS_NAME(REPLAY_UNKNOWN);
    HAS_ITS_NAME(NOT_CONFIRMED);
    HAS_ITS_NAME(INTERNAL);

    /* No other number has a name: a code that is added is added here, too. */
    for (code = 0; code < 1000; code++) {
        if (!is(oss_callback_code_name(code), "UNKNOWN")) {
            count--;
        }
    }
    assert(count == 0);
    assert(is(oss_callback_code_name(UINT32_MAX), "UNKNOWN"));
    return 0;
}
