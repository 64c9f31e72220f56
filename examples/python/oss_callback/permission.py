"""Permissions for others: presigned URLs and forms."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._calls import Call, Cancellation, ClientHooks
from ._handles import Buffer, Handle, encoded, made, new, number, path_of
from ._library import library, optional_number, string
from .options import put_options
from .receipt import Receipt
from .spec import CallbackSpec

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import PutOptions


class PresignedUrl:
    """A URL that lets anyone who has it make one particular request, until it expires. Guard it like a password."""

    method: str
    """The HTTP method that the URL permits."""
    url: str
    headers: dict[str, str]
    """They must be sent exactly as they are, with no other Content-Type, Content-MD5 or x-oss- header."""
    expires: int | None
    """When it expires, in seconds since 1970."""

    def __init__(self, pointer: int) -> None:
        self._handle = Handle("presigned_url", pointer, library.oss_callback_presigned_url_free)
        self.method = string(library.oss_callback_presigned_url_method(pointer))
        self.url = string(library.oss_callback_presigned_url_url(pointer))
        self.headers = {
            string(library.oss_callback_presigned_url_header_name(pointer, index)): string(
                library.oss_callback_presigned_url_header_value(pointer, index)
            )
            for index in range(library.oss_callback_presigned_url_headers_len(pointer))
        }
        self.expires = optional_number(library.oss_callback_presigned_url_expires_at_s, pointer)

    def to_json(self) -> str:
        """Everything, for a web page or another machine."""
        with self._handle as url:
            return string(library.oss_callback_presigned_url_json(url))

    @classmethod
    def from_json(cls, text: str) -> PresignedUrl:
        return cls(made(library.oss_callback_presigned_url_new_from_json, encoded("text", text)))


class PostForm:
    """A signed form. Guard it like a password."""

    url: str
    """Where to post it."""
    fields: list[tuple[str, str]]
    """They must come before the file, in this order."""
    expires: int | None
    """When it expires, in seconds since 1970."""

    def __init__(self, pointer: int) -> None:
        self._handle = Handle("post_form", pointer, library.oss_callback_post_form_free)
        self.url = string(library.oss_callback_post_form_url(pointer))
        self.fields = [
            (
                string(library.oss_callback_post_form_field_name(pointer, index)),
                string(library.oss_callback_post_form_field_value(pointer, index)),
            )
            for index in range(library.oss_callback_post_form_fields_len(pointer))
        ]
        self.expires = optional_number(library.oss_callback_post_form_expires_at_s, pointer)

    def to_json(self) -> str:
        """Everything, for a web page: {"url":"…","fields":[["key","…"],…]}."""
        with self._handle as form:
            return string(library.oss_callback_post_form_json(form))


class PermissionMethods:
    """The client's methods for permissions."""

    _handle: Handle
    _hooks: ClientHooks | None

    def presign_put_object(
        self,
        bucket: str,
        object: str,
        expires_in: int,
        *,
        callback: CallbackSpec | None = None,
        callback_in_headers: bool = False,
        **options: Unpack[PutOptions],
    ) -> PresignedUrl:
        """Lets others upload for 1 to 604800 seconds, with the headers from the options. The callback is in the URL,
        where the uploader can neither change nor drop it, or with `callback_in_headers` in the headers. Sends
        nothing."""
        with Call(self._hooks) as call:
            client = call.use(self._handle)
            names = encoded("bucket", bucket), encoded("object", object)
            spec = call.spec(callback)
            put, seconds = put_options(call, options), number("expires_in", expires_in)
            url = ctypes.c_void_p()
            function = library.oss_callback_client_presign_put_object
            call.run(function, client, *names, spec, put, seconds, callback_in_headers, ctypes.byref(url))
            assert url.value is not None
            return PresignedUrl(url.value)

    def presign_get_object(self, bucket: str, object: str, expires_in: int) -> PresignedUrl:
        """Lets others download for 1 to 604800 seconds. Sends nothing."""
        return self._presign(library.oss_callback_client_presign_get_object, bucket, object, expires_in)

    def presign_head_object(self, bucket: str, object: str, expires_in: int) -> PresignedUrl:
        """Lets others request an object's metadata for 1 to 604800 seconds, to check whether their upload has arrived.
        Sends nothing."""
        return self._presign(library.oss_callback_client_presign_head_object, bucket, object, expires_in)

    def _presign(self, function: Any, bucket: str, object: str, expires_in: int) -> PresignedUrl:
        with Call(self._hooks) as call:
            client = call.use(self._handle)
            names = encoded("bucket", bucket), encoded("object", object)
            url = ctypes.c_void_p()
            call.run(function, client, *names, number("expires_in", expires_in), ctypes.byref(url))
            assert url.value is not None
            return PresignedUrl(url.value)

    def put_object_with_url(
        self,
        url: PresignedUrl,
        body: bytes | bytearray | memoryview | os.PathLike[str],
        *,
        cancellation: Cancellation | None = None,
        **options: Unpack[PutOptions],
    ) -> Receipt:
        """Uploads with a URL that someone else signed. A callback in it works like any other; headers that were not
        signed are refused."""
        with Call(self._hooks, cancellation) as call:
            client, presigned = call.use(self._handle), call.use(url._handle)
            put = put_options(call, options)
            function = library.oss_put_object_with_url
            arguments: tuple[Any, ...]
            if isinstance(body, os.PathLike):
                function = library.oss_put_object_from_file_with_url
                arguments = (path_of("path", body),)
            else:
                arguments = call.stack.enter_context(Buffer(body))
            return call.upload(function, client, presigned, *arguments, put)

    def sign_post_form(
        self,
        bucket: str,
        *,
        key: str | None = None,
        key_prefix: str | None = None,
        expires_in: int | None = None,
        content_length_range: tuple[int, int] | None = None,
        content_types: Sequence[str] = (),
        callback: CallbackSpec | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> PostForm:
        """Signs a form for uploads from browsers: of the object `key`, or of one whose name begins with `key_prefix`.
        It is valid for `expires_in` seconds, by default 900. Everything left out is open: any size, any type, a
        callback of the uploader's own. Sends nothing."""
        with Call(self._hooks) as call:
            client, bucket_text = call.use(self._handle), encoded("bucket", bucket)
            policy = new("post_policy")
            call.stack.callback(library.oss_callback_post_policy_free, policy)
            if key is not None:
                library.oss_callback_post_policy_set_key(policy, encoded("key", key))
            if key_prefix is not None:
                library.oss_callback_post_policy_set_key_prefix(policy, encoded("key_prefix", key_prefix))
            if expires_in is not None:
                library.oss_callback_post_policy_set_expires_in_s(policy, number("expires_in", expires_in))
            if content_length_range is not None:
                sizes = (number("content_length_range", size) for size in content_length_range)
                library.oss_callback_post_policy_set_content_length_range(policy, *sizes)
            for content_type in content_types:
                library.oss_callback_post_policy_add_content_type(policy, encoded("content_types", content_type))
            if callback is not None:
                library.oss_callback_post_policy_set_callback(policy, call.use(callback._handle))
            for name, value in (fields or {}).items():
                library.oss_callback_post_policy_set_field(
                    policy, encoded("fields: name", name), encoded("fields: value", value)
                )
            form = ctypes.c_void_p()
            call.run(library.oss_callback_client_sign_post_form, client, bucket_text, policy, ctypes.byref(form))
            assert form.value is not None
            return PostForm(form.value)
