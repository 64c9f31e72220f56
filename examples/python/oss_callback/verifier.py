"""The application server: is this request from OSS?"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Union

from ._handles import Buffer, Closeable, Handle, encoded, invalid, made, new, number
from ._library import lent, library, optional_number, optional_string, string
from .errors import check
from .receipt import ObjectMetadata

if TYPE_CHECKING:
    from .client import Client

Text = Union[str, bytes]
Headers = Union[Mapping[str, str], Iterable["tuple[Text, Text]"]]


class Verifier(Closeable):
    """Decides whether requests come from OSS. It is immutable, and many threads may use it at once.

    A signature proves only that OSS sent the request. Any customer of OSS can have OSS send such a request to any URL,
    with any body, and the signature never expires. A `Sealer` proves that the upload was permitted.
    """

    def __init__(
        self,
        *,
        keys: Mapping[str, str] | None = None,
        fetch_keys: bool = False,
        test_keys: Mapping[str, str] | None = None,
        max_body_len: int = 1 << 20,
        prepend_prefixes: Sequence[str] = (),
        strip_prefixes: Sequence[str] = (),
        target_headers: Sequence[str] = (),
    ) -> None:
        """`keys` are other keys that OSS publishes, PEM by URL; `fetch_keys` also fetches unknown ones from OSS's key
        host. `test_keys` trusts key URLs that are not OSS's, FOR TESTS ONLY.

        Behind a reverse proxy, `prepend_prefixes` restores what it stripped, `strip_prefixes` removes what it added,
        and `target_headers` are headers such as X-Original-URI, in which it passes on the original target.
        """
        self.max_body_len = number("max_body_len", max_body_len)
        options = new("verifier_options")
        try:
            for url, pem in (keys or {}).items():
                library.oss_callback_verifier_options_add_key(options, encoded("url", url), encoded("pem", pem))
            library.oss_callback_verifier_options_set_fetch_keys(options, fetch_keys)
            for url, pem in (test_keys or {}).items():
                library.oss_callback_verifier_options_trust_key_url_for_tests(
                    options, encoded("url", url), encoded("pem", pem)
                )
            library.oss_callback_verifier_options_set_max_body_len(options, self.max_body_len)
            for prefix in prepend_prefixes:
                library.oss_callback_verifier_options_add_prepended_prefix(options, encoded("prefix", prefix))
            for prefix in strip_prefixes:
                library.oss_callback_verifier_options_add_stripped_prefix(options, encoded("prefix", prefix))
            for name in target_headers:
                library.oss_callback_verifier_options_add_target_header(options, encoded("name", name))
            verifier = made(library.oss_callback_verifier_new, options)
        finally:
            library.oss_callback_verifier_options_free(options)
        self._handle = Handle("verifier", verifier, library.oss_callback_verifier_free)

    def verify(
        self, method: str, target: Text, headers: Headers, body: bytes | bytearray | memoryview
    ) -> VerifiedCallback:
        """Verifies a request as the application server received it, before anything decodes it: `target` is the path
        and query exactly as in the request line.

        Log the error, but do not reveal it to the peer. `KEY_UNAVAILABLE` says nothing about the request.
        """
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        texts = [_raw("headers", text) for pair in pairs for text in pair]
        array = (ctypes.c_char_p * len(texts))(*texts)
        with self._handle as verifier, Buffer(body) as (address, length):
            return VerifiedCallback(
                made(
                    library.oss_callback_verifier_verify,
                    verifier, _raw("method", method), _raw("target", target), array, len(texts) // 2, address, length,
                )
            )  # fmt: skip


def _raw(name: str, value: Text) -> bytes:
    """What the peer sends: bytes, or a str in which the server has put bytes."""
    text = value.encode("latin-1", "replace") if isinstance(value, str) else value
    if b"\0" in text:
        raise invalid(f"`{name}` contains a NUL")
    return text


class VerifiedCallback:
    """A callback that OSS sent. It includes no headers, because OSS does not sign them. Values are None if the body
    lacks them or is unreadable: see `check_body`."""

    signed_target: str
    """The path and query that OSS signed: those of the callback URL, whatever a proxy made of them."""
    key_url: str
    body: bytes
    bucket: str | None
    object: str | None
    etag: str | None
    mime_type: str | None
    image_format: str | None
    content_md5: str | None
    request_id: str | None
    client_ip: str | None
    vpc_id: str | None
    operation: str | None
    size: int | None
    crc64: int | None
    image_height: int | None
    image_width: int | None

    def __init__(self, pointer: int) -> None:
        self._handle = Handle("verified", pointer, library.oss_callback_verified_free)
        self.signed_target = string(library.oss_callback_verified_signed_target(pointer))
        self.key_url = string(library.oss_callback_verified_key_url(pointer))
        self.body = lent(library.oss_callback_verified_body, pointer)
        for name in (
            "bucket", "object", "etag", "mime_type", "image_format", "content_md5", "request_id", "client_ip", "vpc_id",
            "operation",
        ):  # fmt: skip
            setattr(self, name, optional_string(getattr(library, f"oss_callback_verified_{name}")(pointer)))
        for name in ("size", "crc64", "image_height", "image_width"):
            setattr(self, name, optional_number(getattr(library, f"oss_callback_verified_{name}"), pointer))

    def check_body(self) -> None:
        """Raises `BAD_BODY` unless the body is readable in exactly one way: as a form or as JSON, depending on
        Content-Type."""
        with self._handle as verified:
            error = ctypes.c_void_p()
            check(library.oss_callback_verified_check_body(verified, ctypes.byref(error)), error)

    def member(self, name: str) -> str | None:
        """A member of the body by its exact name (case-sensitive)."""
        with self._handle as verified:
            return optional_string(library.oss_callback_verified_member(verified, encoded("name", name)))

    def variable(self, name: str) -> str | None:
        """A variable of the application's own by name, with or without the prefix "x:"."""
        with self._handle as verified:
            return optional_string(library.oss_callback_verified_variable(verified, encoded("name", name)))

    def confirm(self, client: Client) -> ObjectMetadata:
        """Looks up the object that the body names, and compares its ETag, size and CRC-64 with those in the body. Do
        this before anything valuable: neither OSS's signature nor a seal proves that the upload took place.
        `NOT_CONFIRMED` means that there is no such object, or that it differs; any other error means that the result is
        unknown."""
        with self._handle as verified, client._handle as handle:
            return ObjectMetadata(made(library.oss_callback_verified_confirm, verified, handle))
