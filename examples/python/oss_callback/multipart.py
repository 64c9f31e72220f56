"""Multipart uploads."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._calls import Call, Cancellation, ClientHooks, read_hook
from ._handles import Buffer, Closeable, Handle, encoded, invalid, new, number, number32, path_of
from ._library import library, optional_number, string
from .errors import check
from .options import put_options
from .receipt import Receipt
from .spec import CallbackSpec

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .client import FileRange, Reader
    from .options import PutOptions


@dataclass(frozen=True)
class Part:
    """What is known about a part that OSS has: plain values that you can keep and send elsewhere."""

    number: int
    etag: str
    """Opaque: compare it, do not interpret it."""
    size: int | None = None
    crc64: int | None = None
    """The CRC-64 (CRC-64/XZ) of its contents."""

    def to_json(self) -> str:
        """One line that `from_json` reads, in every language that this library supports."""
        value: dict[str, Any] = {"number": self.number, "etag": self.etag}
        if self.size is not None:
            value["size"] = self.size
        if self.crc64 is not None:
            value["crc64"] = str(self.crc64)
        return json.dumps(value)

    @classmethod
    def from_json(cls, line: str) -> Part:
        parts = new("parts")
        try:
            error = ctypes.c_void_p()
            check(library.oss_callback_parts_add_json(parts, encoded("line", line), ctypes.byref(error)), error)
            return _parts(parts)[0]
        finally:
            library.oss_callback_parts_free(parts)


@dataclass(frozen=True)
class ListedUpload:
    """An open multipart upload."""

    object: str
    upload_id: str
    """OSS's name for it; `Client.resume_multipart_upload` takes it."""
    initiated: str
    """When it was begun, as OSS gives it: "2012-02-23T04:18:23.000Z"."""


class MultipartUpload(Closeable):
    """An open multipart upload. The object does not exist until the upload is completed; until then OSS keeps, and
    bills, the parts. With bucket, object and upload id, another machine can resume the upload through
    `Client.resume_multipart_upload`. Many threads may use it at once.

    You may pass the same options to each step: each uses what applies to it. Tags, for instance, are set when the
    upload begins, and an ACL when it is completed.
    """

    def __init__(self, pointer: int, hooks: ClientHooks | None) -> None:
        self._hooks = hooks
        self._handle = Handle("upload", pointer, library.oss_callback_multipart_upload_free)
        self.bucket = string(library.oss_callback_multipart_upload_bucket(pointer))
        self.object = string(library.oss_callback_multipart_upload_object(pointer))
        self.upload_id = string(library.oss_callback_multipart_upload_id(pointer))
        self.notes = [
            string(library.oss_callback_multipart_upload_note(pointer, index))
            for index in range(library.oss_callback_multipart_upload_notes_len(pointer))
        ]
        """Notes about how it began, such as that OSS may have begun another upload whose id was lost with the answer."""

    def upload_part(
        self,
        part_number: int,
        body: bytes | bytearray | memoryview | FileRange | Reader,
        *,
        length: int | None = None,
        cancellation: Cancellation | None = None,
        **options: Unpack[PutOptions],
    ) -> Part:
        """Sends a part of the object; it replaces one with the same number. Each part except the last needs at least
        102400 bytes. A reader must return exactly `length` bytes. On failure, the error's `stored` is `NO`: the object
        does not exist until the upload is completed."""
        from .client import FileRange

        with Call(self._hooks, cancellation) as call:
            upload, index = call.use(self._handle), number32("part_number", part_number)
            parts = new("parts")
            call.stack.callback(library.oss_callback_parts_free, parts)
            if isinstance(body, FileRange):
                function = library.oss_callback_multipart_upload_upload_part_from_file
                path = path_of("path", body.path)
                arguments: tuple[Any, ...] = path, number("offset", body.offset), number("length", body.length)
            elif hasattr(body, "read"):
                function = library.oss_callback_multipart_upload_upload_part_from_reader
                if length is None:
                    raise invalid("`length` of a reader is missing")
                call.reader = body
                arguments = read_hook, call.userdata, number("length", length)
            else:
                function = library.oss_callback_multipart_upload_upload_part
                arguments = call.stack.enter_context(Buffer(body))
            call.run(function, upload, index, *arguments, put_options(call, options), parts)
            return _parts(parts)[0]

    def list_parts(
        self, *, cancellation: Cancellation | None = None, **options: Unpack[PutOptions]
    ) -> list[Part]:
        """Lists the parts that OSS has, by number."""
        with Call(self._hooks, cancellation) as call:
            upload = call.use(self._handle)
            parts = ctypes.c_void_p()
            call.run(
                library.oss_callback_multipart_upload_list_parts,
                upload, put_options(call, options), ctypes.byref(parts),
            )  # fmt: skip
            assert parts.value is not None
            try:
                return _parts(parts.value)
            finally:
                library.oss_callback_parts_free(parts.value)

    def complete(
        self,
        parts: Iterable[Part] | None = None,
        *,
        callback: CallbackSpec | None = None,
        cancellation: Cancellation | None = None,
        **options: Unpack[PutOptions],
    ) -> Receipt:
        """Makes the object from these parts, or from all that OSS has if none are given, and waits for the application
        server's answer. Receipt and errors are as for `Client.put_object`. If the answer is lost, this looks up the
        object."""
        with Call(self._hooks, cancellation) as call:
            upload = call.use(self._handle)
            spec = call.spec(callback)
            listed = None
            if parts is not None:
                listed = new("parts")
                call.stack.callback(library.oss_callback_parts_free, listed)
                for part in parts:
                    _add(listed, part)
            return call.upload(
                library.oss_complete_multipart_upload_with_callback,
                upload, listed, spec, put_options(call, options),
            )  # fmt: skip

    def abort(self, *, cancellation: Cancellation | None = None, **options: Unpack[PutOptions]) -> None:
        """Aborts the upload and deletes its parts."""
        with Call(self._hooks, cancellation) as call:
            upload = call.use(self._handle)
            call.run(library.oss_callback_multipart_upload_abort, upload, put_options(call, options))


def _add(parts: int, part: Part) -> None:
    size, crc64 = (
        None if value is None else ctypes.byref(ctypes.c_uint64(number(name, value, (1 << 64) - 1)))
        for name, value in (("size", part.size), ("crc64", part.crc64))
    )
    error = ctypes.c_void_p()
    etag, index = encoded("etag", part.etag), number32("number", part.number)
    check(library.oss_callback_parts_add(parts, index, etag, size, crc64, ctypes.byref(error)), error)


def _parts(parts: int) -> list[Part]:
    return [
        Part(
            library.oss_callback_parts_number(parts, index),
            string(library.oss_callback_parts_etag(parts, index)),
            optional_number(library.oss_callback_parts_size, parts, index),
            optional_number(library.oss_callback_parts_crc64, parts, index),
        )
        for index in range(library.oss_callback_parts_len(parts))
    ]
