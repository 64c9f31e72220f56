"""The uploader."""

from __future__ import annotations

import ctypes
import io
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, Union

from ._calls import LEN_UNKNOWN, Call, Cancellation, read_hook, write_hook
from ._handles import Buffer, Closeable, Handle, encoded, invalid, made, new, number, path_of
from ._library import library, string
from .credentials import Credentials, EnvironmentCredentials
from .errors import OssCallbackError
from .multipart import ListedUpload, MultipartUpload
from .options import operation_options, put_options, set_client_options
from .permission import PermissionMethods
from .receipt import ObjectMetadata, Receipt, Reconciled
from .spec import CallbackSpec

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import ClientOptions, OperationOptions, PutOptions, UploadOptions


@dataclass(frozen=True)
class FileRange:
    """`length` bytes of a file, starting at `offset`."""

    path: str | os.PathLike[str]
    offset: int
    length: int


class Reader(Protocol):
    """A file object, or anything that can be read like one: through `readinto` if it has that, else through `read`."""

    def read(self, size: int, /) -> bytes: ...


# bytes, bytearray, memoryview and the like, which are uploaded in place; a path; part of a file; a reader.
Body = Union[bytes, bytearray, memoryview, "os.PathLike[str]", FileRange, Reader]


class Client(PermissionMethods, Closeable):
    """A connection to OSS, or to a server that speaks its protocol. Many threads may use it at once.

    The endpoint is "https://oss-cn-hangzhou.aliyuncs.com"; an IP address implies path style,
    http://127.0.0.1:9000/bucket/object. Credentials default to those in the environment. For the other options see
    `oss_callback.options.ClientOptions`.

    You may create it before a fork (gunicorn --preload, Celery, multiprocessing): each process has its own connections
    and never waits for what a thread of its parent was doing. An operation that was running at the fork continues in
    the parent only: if a reader or `progress` forks, the child must not return from it, but end with `os._exit`.

    When the program ends, operations of daemon threads are cancelled. If one of them is in a function of yours, such as
    a reader, the program waits up to two seconds for it. Threads that are not daemons finish their operations, as with
    everything in Python.
    """

    def __init__(self, endpoint: str, credentials: Credentials | None = None, **options: Unpack[ClientOptions]) -> None:
        pointer = new("client_options")
        try:
            library.oss_callback_client_options_set_endpoint(pointer, encoded("endpoint", endpoint))
            set_client_options(pointer, options)
            self._hooks = (credentials or EnvironmentCredentials())._set(pointer)
            client = made(library.oss_callback_client_new, pointer)
        finally:
            library.oss_callback_client_options_free(pointer)
        self._handle = Handle("client", client, library.oss_callback_client_free)

    def put_object(
        self,
        bucket: str,
        object: str,
        body: Body,
        *,
        length: int | None = None,
        callback: CallbackSpec | None = None,
        cancellation: Cancellation | None = None,
        **options: Unpack[PutOptions],
    ) -> Receipt:
        """Uploads `body` as `object` into `bucket` and waits for the application server's answer.

        Give a path as a `pathlib.Path` or the like, not as a `str`. A reader is read once, from its current position to
        its end. `length` is how many bytes it returns; the default is the rest of a regular file, and otherwise the
        length is unknown and the body is sent in chunks. For the other options see `oss_callback.options.PutOptions`.

        Raises `CallbackFailed` when the object IS STORED, but the application server was not reached or did not agree:
        do not upload it again. Any other `OssCallbackError` says in `stored` whether the object is stored. An exception
        in a reader or in `progress`, or one that a signal handler raises, such as KeyboardInterrupt, ends the upload
        and is raised; the OssCallbackError is at the end of its causes. If the upload succeeded anyway, that exception
        has the receipt in `receipt`.
        """
        with Call(self._hooks, cancellation) as call:
            client = call.use(self._handle)
            names = encoded("bucket", bucket), encoded("object", object)
            spec = call.spec(callback)
            put = put_options(call, options)
            function, arguments = _body(call, body, length)
            return call.upload(function, client, *names, *arguments, spec, put)

    def upload_file(
        self,
        bucket: str,
        object: str,
        path: str | os.PathLike[str],
        *,
        callback: CallbackSpec | None = None,
        cancellation: Cancellation | None = None,
        **options: Unpack[UploadOptions],
    ) -> Receipt:
        """Uploads a file of any size and waits for the application server's answer: one object, one callback, one
        receipt.

        A file larger than a part is sent in parts, several at once. With a checkpoint, the same call later, in this or
        another process, resumes a failed upload. Raises as `put_object` does.
        """
        with Call(self._hooks, cancellation) as call:
            client = call.use(self._handle)
            texts = encoded("bucket", bucket), encoded("object", object), path_of("path", path)
            spec = call.spec(callback)
            put = put_options(call, options)
            return call.upload(library.oss_upload_file_with_callback, client, *texts, spec, put)

    def head_object(
        self,
        bucket: str,
        object: str,
        *,
        cancellation: Cancellation | None = None,
        **options: Unpack[OperationOptions],
    ) -> ObjectMetadata:
        """Reads an object's metadata; `NOT_FOUND` if there is no such object."""
        with Call(self._hooks, cancellation) as call:
            client = call.use(self._handle)
            names = encoded("bucket", bucket), encoded("object", object)
            metadata = ctypes.c_void_p()
            call.run(
                library.oss_callback_client_head_object,
                client, *names, operation_options(call, options), ctypes.byref(metadata),
            )  # fmt: skip
            assert metadata.value is not None
            return ObjectMetadata(metadata.value)

    def get_object(
        self,
        bucket: str,
        object: str,
        writer: BinaryIO,
        *,
        cancellation: Cancellation | None = None,
        **options: Unpack[OperationOptions],
    ) -> ObjectMetadata:
        """Downloads an object into `writer`, block by block, and compares its CRC-64 with the one that OSS has. After
        any failure, discard what the writer received: it is not the object."""
        with Call(self._hooks, cancellation) as call:
            client = call.use(self._handle)
            names = encoded("bucket", bucket), encoded("object", object)
            metadata = ctypes.c_void_p()
            call.writer = writer
            call.run(
                library.oss_callback_client_get_object,
                client, *names, write_hook, call.userdata, operation_options(call, options), ctypes.byref(metadata),
            )  # fmt: skip
            assert metadata.value is not None
            return ObjectMetadata(metadata.value)

    def delete_object(
        self,
        bucket: str,
        object: str,
        *,
        cancellation: Cancellation | None = None,
        **options: Unpack[OperationOptions],
    ) -> None:
        """Deletes an object. An object that does not exist counts as deleted, as it does for OSS."""
        with Call(self._hooks, cancellation) as call:
            client = call.use(self._handle)
            names = encoded("bucket", bucket), encoded("object", object)
            call.run(library.oss_callback_client_delete_object, client, *names, operation_options(call, options))

    def reconcile(
        self,
        unknown: OssCallbackError,
        *,
        cancellation: Cancellation | None = None,
        **options: Unpack[OperationOptions],
    ) -> Reconciled:
        """Finds out what became of an upload whose error's `stored` is `UNKNOWN`. It looks at the object; for an upload
        in parts it looks at the upload first. It changes nothing. OSS does not record whether the callback was
        answered: ask the application server. The client need not be the one that uploaded, but the upload must have
        been in this process."""
        with Call(self._hooks, cancellation) as call:
            client = call.use(self._handle)
            if unknown._handle is None:
                raise invalid("`unknown` is no error of an upload in this process")
            error, reconciled = call.use(unknown._handle), ctypes.c_void_p()
            call.run(
                library.oss_callback_client_reconcile,
                client, error, operation_options(call, options), ctypes.byref(reconciled),
            )  # fmt: skip
            assert reconciled.value is not None
            return Reconciled(reconciled.value)

    def initiate_multipart_upload(
        self,
        bucket: str,
        object: str,
        *,
        cancellation: Cancellation | None = None,
        **options: Unpack[PutOptions],
    ) -> MultipartUpload:
        """Begins a multipart upload, with the headers, metadata and tags from the options. The upload remembers these
        for later requests: `traffic_limit`, `object_acl` and `forbid_overwrite`, which is checked at the beginning and
        on completion."""
        with Call(self._hooks, cancellation) as call:
            client = call.use(self._handle)
            names = encoded("bucket", bucket), encoded("object", object)
            put = put_options(call, options)
            upload = ctypes.c_void_p()
            call.run(
                library.oss_callback_client_initiate_multipart_upload, client, *names, put, ctypes.byref(upload)
            )
            assert upload.value is not None
            return MultipartUpload(upload.value, self._hooks)

    def list_uploads_begun_since(
        self,
        bucket: str,
        object: str,
        since: float,
        *,
        cancellation: Cancellation | None = None,
        **options: Unpack[OperationOptions],
    ) -> list[ListedUpload]:
        """Lists the open multipart uploads of `object` that were begun at or after this time by the local clock (as
        `time.time()`), such as those whose answer was lost. Another program may have begun one of them, so check before
        you abort it."""
        with Call(self._hooks, cancellation) as call:
            client = call.use(self._handle)
            names = encoded("bucket", bucket), encoded("object", object)
            uploads = ctypes.c_void_p()
            call.run(
                library.oss_callback_client_list_uploads_begun_since,
                client, *names, number("since", int(since)), operation_options(call, options), ctypes.byref(uploads),
            )  # fmt: skip
            assert uploads.value is not None
            try:
                return [
                    ListedUpload(
                        string(library.oss_callback_multipart_uploads_object(uploads, index)),
                        string(library.oss_callback_multipart_uploads_id(uploads, index)),
                        string(library.oss_callback_multipart_uploads_initiated(uploads, index)),
                    )
                    for index in range(library.oss_callback_multipart_uploads_len(uploads))
                ]
            finally:
                library.oss_callback_multipart_uploads_free(uploads)

    def resume_multipart_upload(self, bucket: str, object: str, upload_id: str) -> MultipartUpload:
        """Resumes a multipart upload that was begun earlier, here or on another machine. Sends nothing."""
        with self._handle as client:
            texts = encoded("bucket", bucket), encoded("object", object), encoded("upload_id", upload_id)
            return MultipartUpload(made(library.oss_callback_client_resume_multipart_upload, client, *texts), self._hooks)


def _body(call: Call, body: Body, length: int | None) -> tuple[Any, tuple[Any, ...]]:
    """The function for a body, and the arguments that stand for the body."""
    if isinstance(body, str):
        raise TypeError("`body` is str: give bytes, or a pathlib.Path")
    if not hasattr(body, "read") and length is not None:
        raise TypeError("`length` is for readers")
    if isinstance(body, FileRange):
        path = path_of("path", body.path)
        offset, count = number("offset", body.offset), number("length", body.length)
        return library.oss_put_object_from_file_range_with_callback, (path, offset, count)
    if isinstance(body, os.PathLike):
        return library.oss_put_object_from_file_with_callback, (path_of("path", body),)
    if hasattr(body, "read"):
        call.reader = body
        arguments = (read_hook, call.userdata, _length(body, length))
        return library.oss_put_object_from_reader_with_callback, arguments
    return library.oss_put_object_with_callback, call.stack.enter_context(Buffer(body))


def _length(reader: Any, length: int | None) -> int:
    """How many bytes a reader must return."""
    if length is not None:
        return number("length", length)
    if isinstance(reader, io.BytesIO):
        return max(0, reader.getbuffer().nbytes - reader.tell())
    # Others with a file descriptor, such as a gzip.GzipFile, return something other than what is in the file.
    if isinstance(getattr(reader, "raw", reader), io.FileIO):
        status = os.fstat(reader.fileno())
        if stat.S_ISREG(status.st_mode):
            return max(0, status.st_size - int(reader.tell()))
    return LEN_UNKNOWN
