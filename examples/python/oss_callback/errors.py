"""What became of an operation that failed."""

from __future__ import annotations

import ctypes
from typing import Any

from ._handles import Handle, encoded
from ._library import lent, library, optional_string, string
from .kinds import Answered, Attempt, ErrorKind, Stored, attempts_of
from .receipt import Receipt


class OssCallbackError(Exception):
    """A failure, with everything that is known about it.

    When something of the caller's ended an operation, such as an exception in a reader or Ctrl-C, that exception is
    raised, and this one stands at the end of its causes (`__cause__`), since it says what became of the object.
    """

    kind: ErrorKind
    """The cause only."""
    stored: Stored
    """Whether the operation stored the object all the same. One that stores nothing says `NO`."""
    answered: Answered
    """Whether OSS accepted the application server's answer."""
    receipt: Receipt | None
    """What is known of the stored object; None unless `stored` is `YES`."""
    status: int
    """The HTTP status, or 0 if no answer came."""
    oss_code: str | None
    """The code of OSS's error document, such as "NoSuchBucket"."""
    oss_message: str | None
    """Its message. For a failed callback it says what the application server did: "Error status : 502." """
    ec: str | None
    """The code of OSS's troubleshooting pages: show it, do not branch on it."""
    request_id: str | None
    """The id under which OSS's support finds the request."""
    host_id: str | None
    """The host that OSS believes to have answered."""
    diagnosis: str | None
    """For an error of the callback: what usually causes it and what to do."""
    attempts: int
    """How often the request was sent, and 1 also when nothing was sent."""
    history: list[Attempt]
    """The attempts before the last one."""
    notes: list[str]
    """What else is worth knowing of `upload_file`."""
    upload_id: str | None
    """The upload in parts that `upload_file` left open: go on with it by its checkpoint, or abort it."""
    waited: float
    """For how many seconds the head of the answer was waited for, after the last byte was sent."""
    body: bytes
    """The body of OSS's answer as it came."""

    def __init__(self, message: str, kind: ErrorKind = ErrorKind.INVALID_ARGUMENT) -> None:
        super().__init__(message)
        self.kind, self.stored, self.answered = kind, Stored.NO, Answered.NOT_REQUESTED
        self.receipt = None
        self.status, self.attempts, self.waited, self.body = 0, 1, 0.0, b""
        self.oss_code = self.oss_message = self.ec = self.request_id = self.host_id = self.diagnosis = None
        self.history, self.notes, self.upload_id = [], [], None
        self._handle: Handle | None = None

    def detail(self, name: str) -> str | None:
        """A further element of OSS's error document by its name, in any case, such as "StringToSign"."""
        return self._look_up(library.oss_callback_error_detail, name)

    def header(self, name: str) -> str | None:
        """A header of OSS's answer by its name, in any case."""
        return self._look_up(library.oss_callback_error_header, name)

    def _look_up(self, function: Any, name: str) -> str | None:
        if self._handle is None:
            return None
        with self._handle as error:
            return optional_string(function(error, encoded("name", name)))

    def __reduce__(self) -> tuple[Any, ...]:
        # To another process go the facts, not the handle.
        return type(self), self.args, {**self.__dict__, "_handle": None}


class CallbackFailed(OssCallbackError):
    """HTTP 203: the object IS STORED, but the application server was not reached or did not agree. Do not upload again."""


class InvalidArgument(OssCallbackError, ValueError):
    """An argument is missing, malformed or out of range, or the callback breaks a rule of OSS. Nothing was sent."""


def of_code(code: int, error: int | None) -> OssCallbackError:
    """Takes an error of the library's; `error` is None for a function that gives none."""
    kind = ErrorKind(code)
    if error is None:
        return OssCallbackError(kind.name, kind)
    classes = {
        ErrorKind.CALLBACK_FAILED: CallbackFailed,
        ErrorKind.INVALID_ARGUMENT: InvalidArgument,
        ErrorKind.INVALID_CALLBACK: InvalidArgument,
    }
    e = classes.get(kind, OssCallbackError)(string(library.oss_callback_error_message(error)), kind)
    e._handle = Handle("error", error, library.oss_callback_error_free)
    e.stored = Stored(library.oss_callback_error_stored(error))
    e.answered = Answered(library.oss_callback_error_answered(error))
    e.status = library.oss_callback_error_status(error)
    for name in ("oss_code", "oss_message", "ec", "request_id", "host_id", "diagnosis", "upload_id"):
        setattr(e, name, optional_string(getattr(library, f"oss_callback_error_{name}")(error)))
    e.attempts = library.oss_callback_error_attempts(error)
    e.history = attempts_of("error", error)
    e.notes = [
        string(library.oss_callback_error_note(error, index))
        for index in range(library.oss_callback_error_notes_len(error))
    ]
    e.waited = library.oss_callback_error_waited_ms(error) / 1000
    e.body = lent(library.oss_callback_error_body, error)
    receipt = library.oss_callback_error_receipt(error)
    if receipt is not None:
        e.receipt = Receipt(receipt, e._handle)
    return e


def check(code: int, error: ctypes.c_void_p | None = None) -> None:
    """Raises the error of a function that failed."""
    if code != 0:
        raise of_code(code, error.value if error is not None else None)
