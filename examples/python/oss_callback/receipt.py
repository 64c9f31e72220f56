"""What OSS said about an object."""

from __future__ import annotations

import enum
import json
from typing import Any

from ._handles import Handle, encoded
from ._library import lent, library, optional_number, optional_string, string
from .kinds import Attempt, attempts_of


class Receipt:
    """What OSS said about a stored object, together with the application server's answer. It is immutable."""

    status: int
    """The HTTP status: 200, or 203 in the receipt of `CallbackFailed`."""
    etag: str | None
    """The object's ETag, without quotes."""
    crc64: int | None
    """The CRC-64 (CRC-64/XZ) that OSS computed over the object."""
    version_id: str | None
    """The object's version, in a bucket with versioning."""
    request_id: str | None
    """The id by which OSS's support finds the request; the callback carries the same one."""
    attempts: int
    """How many times the request was sent until this answer came: 1 or more."""
    history: list[Attempt]
    """The attempts before the last."""
    notes: list[str]
    """Notes about `upload_file`, such as why it did not resume from its checkpoint."""
    waited: float
    """How many seconds the head of the answer took to arrive: with a callback, mostly the application server's time."""
    answer: bytes
    """The application server's answer, byte for byte: usually JSON. Empty without a callback and when the callback
    failed."""
    answer_content_type: str | None
    """The answer's Content-Type, as the application server sent it."""

    def __init__(self, receipt: int, owner: Handle) -> None:
        self._pointer, self._owner = receipt, owner
        self.status = library.oss_callback_receipt_status(receipt)
        self.etag = optional_string(library.oss_callback_receipt_etag(receipt))
        self.crc64 = optional_number(library.oss_callback_receipt_crc64, receipt)
        self.version_id = optional_string(library.oss_callback_receipt_version_id(receipt))
        self.request_id = optional_string(library.oss_callback_receipt_request_id(receipt))
        self.attempts = library.oss_callback_receipt_attempts(receipt)
        self.history = attempts_of("receipt", receipt)
        self.notes = [
            string(library.oss_callback_receipt_note(receipt, index))
            for index in range(library.oss_callback_receipt_notes_len(receipt))
        ]
        self.waited = library.oss_callback_receipt_waited_ms(receipt) / 1000
        self.answer = lent(library.oss_callback_receipt_answer, receipt)
        self.answer_content_type = optional_string(library.oss_callback_receipt_answer_content_type(receipt))

    def json(self) -> Any:
        """The answer, read as JSON."""
        return json.loads(self.answer)

    def header(self, name: str) -> str | None:
        """A header of OSS's answer by name, in any case."""
        if self._owner is None:
            return None
        with self._owner:
            return optional_string(library.oss_callback_receipt_header(self._pointer, encoded("name", name)))

    def __repr__(self) -> str:
        return f"Receipt(status={self.status}, etag={self.etag!r}, request_id={self.request_id!r})"

    def __getstate__(self) -> dict[str, Any]:
        # Another process gets the facts, not the handle.
        return {**self.__dict__, "_pointer": 0, "_owner": None}


class ObjectMetadata:
    """What OSS says about an object. It is immutable."""

    etag: str | None
    """The object's ETag, without quotes."""
    content_length: int | None
    """Its size in bytes."""
    crc64: int | None
    """Its CRC-64 (CRC-64/XZ)."""
    last_modified: int | None
    """When it was stored, in seconds since 1970-01-01 00:00 UTC."""

    def __init__(self, metadata: int, owner: Handle | None = None) -> None:
        self._pointer = metadata
        self._owner = owner or Handle("metadata", metadata, library.oss_callback_object_metadata_free)
        self.etag = optional_string(library.oss_callback_object_metadata_etag(metadata))
        self.content_length = optional_number(library.oss_callback_object_metadata_content_length, metadata)
        self.crc64 = optional_number(library.oss_callback_object_metadata_crc64, metadata)
        self.last_modified = optional_number(library.oss_callback_object_metadata_last_modified_at_s, metadata)

    def header(self, name: str) -> str | None:
        """A header of OSS's answer by name (in any case), such as "Content-Type" or "x-oss-meta-author"."""
        with self._owner:
            return optional_string(library.oss_callback_object_metadata_header(self._pointer, encoded("name", name)))


class Outcome(enum.Enum):
    """The result of looking up an upload."""

    STILL_UNKNOWN = 0
    """A different object is there, which may have replaced this one; or one that cannot be compared."""
    STORED = 1
    """The upload is stored; its idempotency id or, for a multipart upload, its upload id proves it."""
    CONTENT_PRESENT = 2
    """An object with the size and the CRC-64 of the upload is there. Without an idempotency id, it is unknown whether
    this upload stored it or an earlier one with the same contents."""
    NOT_THERE = 3
    """The upload is not there. A request still on its way may yet arrive."""


class Reconciled:
    """What became of an upload whose outcome was unknown."""

    outcome: Outcome
    object: ObjectMetadata | None
    """The object found; None unless the outcome is `STORED` or `CONTENT_PRESENT`."""
    observed_at: int | None
    """The time, by OSS's clock, when OSS said that the upload is not there, in seconds since 1970; None for other
    outcomes."""

    def __init__(self, reconciled: int) -> None:
        owner = Handle("reconciled", reconciled, library.oss_callback_reconciled_free)
        self.outcome = Outcome(library.oss_callback_reconciled_outcome(reconciled))
        metadata = library.oss_callback_reconciled_object(reconciled)
        self.object = None if metadata is None else ObjectMetadata(metadata, owner)
        self.observed_at = optional_number(library.oss_callback_reconciled_observed_at_s, reconciled)
