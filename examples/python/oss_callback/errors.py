"""What became of an operation that failed."""

from __future__ import annotations

import ctypes
from typing import Any

from ._handles import Handle, encoded
from ._library import lent, library, optional_string, string
from .kinds import Answered, Attempt, ErrorKind, Stored, attempts_of
from .receipt import Receipt


class OssCallbackError(Exception):
    """A failure, with everything known about it.

    If something of yours ended an operation, such as an exception in a reader or Ctrl-C, that exception is raised. This
    one is then at the end of its causes (`__cause__`), because it says what became of the object.
    """

    kind: ErrorKind
    """Only the cause."""
    stored: Stored
    """Whether the operation stored the object anyway. `NO` for operations that store nothing."""
    answered: Answered
    """Whether OSS accepted the application server's answer."""
    receipt: Receipt | None
    """What is known about the stored object; None unless `stored` is `YES`."""
    status: int
    """The HTTP status, or 0 if there was no answer."""
    oss_code: str | None
    """The code in OSS's error document, such as "NoSuchBucket"."""
    oss_message: str | None
    """The message there. For a failed callback it says what the application server did: "Error status : 502." """
    ec: str | None
    """The code for OSS's troubleshooting pages: show it, do not branch on it."""
    request_id: str | None
    """The id by which OSS's support finds the request."""
    host_id: str | None
    """The host that, according to OSS, answered."""
    diagnosis: str | None
    """For a callback error: the usual cause and what to do."""
    attempts: int
    """How many times the request was sent; also 1 if nothing was sent."""
    history: list[Attempt]
    """The attempts before the last."""
    notes: list[str]
    """Notes about `upload_file`."""
    upload_id: str | None
    """The multipart upload that `upload_file` left open: resume it with its checkpoint, or abort it."""
    waited: float
    """The seconds from the last byte sent until the head of the answer arrived."""
    body: bytes
    """The body of OSS's answer, as received."""

    def __init__(self, message: str, kind: ErrorKind = ErrorKind.INVALID_ARGUMENT) -> None:
        super().__init__(message)
        self.kind, self.stored, self.answered = kind, Stored.NO, Answered.NOT_REQUESTED
        self.receipt = None
        self.status, self.attempts, self.waited, self.body = 0, 1, 0.0, b""
        self.oss_code = self.oss_message = self.ec = self.request_id = self.host_id = self.diagnosis = None
        self.history, self.notes, self.upload_id = [], [], None
        self._handle: Handle | None = None

    def detail(self, name: str) -> str | None:
        """Another element of OSS's error document by name (in any case), such as "StringToSign"."""
        return self._look_up(library.oss_callback_error_detail, name)

    def header(self, name: str) -> str | None:
        """A header of OSS's answer by name, in any case."""
        return self._look_up(library.oss_callback_error_header, name)

    def _look_up(self, function: Any, name: str) -> str | None:
        if self._handle is None:
            return None
        with self._handle as error:
            return optional_string(function(error, encoded("name", name)))

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process gets the facts, not the handle.
        return type(self), self.args, {**self.__dict__, "_handle": None}


class CallbackFailed(OssCallbackError):
    """HTTP 203: the object IS STORED, but the application server was not reached or did not agree. Do not upload again."""


class InvalidArgument(OssCallbackError, ValueError):
    """An argument is missing, malformed or out of range, or the callback breaks one of OSS's rules. Nothing was sent."""


def of_code(code: int, error: int | None) -> OssCallbackError:
    """Takes over an error of the library's; `error` is None for a function that returns none."""
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
