"""What an error says about an operation, in one word each."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ._library import library


class ErrorKind(enum.IntEnum):
    """The cause of an error, and only that: `OssCallbackError.stored` says whether the object is stored.

    The numbers are the C library's. Newer libraries may return others, which then have names like `CODE_97`.
    """

    INVALID_ARGUMENT = 1
    INVALID_CALLBACK = 2
    CREDENTIALS_FAILED = 3
    RESOLVE = 20
    CONNECT = 21
    TLS = 22
    TIMEOUT = 23
    CONNECTION_LOST = 24
    PROTOCOL = 25
    UNEXPECTED_ANSWER = 26
    REFUSED = 40
    ACCESS_DENIED = 41
    NOT_FOUND = 42
    CONFLICT = 43
    SERVER_ERROR = 50
    CALLBACK_FAILED = 60
    CHECKSUM_MISMATCH = 61
    ANSWER_DAMAGED = 62
    CANCELLED = 63
    BODY_UNREADABLE = 70
    BODY_CHANGED = 71
    WRITE_FAILED = 72
    CHECKPOINT_IN_USE = 73
    CHECKPOINT_FAILED = 74
    WRONG_METHOD = 80
    BODY_TOO_LARGE = 81
    MISSING_AUTHORIZATION = 82
    MISSING_PUB_KEY_URL = 83
    BAD_PUB_KEY_URL = 84
    KEY_UNAVAILABLE = 85
    BAD_SIGNATURE_ENCODING = 86
    BAD_SIGNATURE = 87
    BAD_BODY = 88
    SEAL_MISSING = 90
    UNKNOWN_SEAL_KEY = 91
    BAD_SEAL = 92
    SEAL_EXPIRED = 93
    SEAL_VIOLATED = 94
    REPLAY_UNKNOWN = 95
    NOT_CONFIRMED = 96
    INTERNAL = 99

    @classmethod
    def _missing_(cls, value: object) -> ErrorKind | None:
        if not isinstance(value, int):
            return None
        unknown = int.__new__(cls, value)
        unknown._name_, unknown._value_ = f"CODE_{value}", value
        return unknown


class Stored(enum.Enum):
    """Did an operation store the object?"""

    UNKNOWN = 0
    """The answer was lost. Check with `reconcile` before you upload again."""
    NO = 1
    """Uploading again cannot store it twice."""
    YES = 2


class Answered(enum.Enum):
    """Did OSS accept the application server's answer to the callback?"""

    UNKNOWN = 0
    """The answer was lost."""
    NO = 1
    """With `CallbackFailed`, the application server may still have received the callback."""
    YES = 2
    NOT_REQUESTED = 3
    """The request carried no callback."""


@dataclass(frozen=True)
class Attempt:
    """An attempt that failed and was followed by another."""

    kind: ErrorKind
    stored: Stored
    answered: Answered
    status: int
    """The HTTP status, or 0 if there was no answer."""
    waited: float
    """The seconds from the last byte sent until the head of its answer arrived."""


def attempts_of(owner: str, handle: int) -> list[Attempt]:
    """The earlier attempts of a receipt or an error."""
    history = []
    for index in range(getattr(library, f"oss_callback_{owner}_earlier_attempts_len")(handle)):
        attempt = getattr(library, f"oss_callback_{owner}_earlier_attempt")(handle, index)
        history.append(
            Attempt(
                ErrorKind(library.oss_callback_attempt_code(attempt)),
                Stored(library.oss_callback_attempt_stored(attempt)),
                Answered(library.oss_callback_attempt_answered(attempt)),
                library.oss_callback_attempt_status(attempt),
                library.oss_callback_attempt_waited_ms(attempt) / 1000,
            )
        )
    return history
