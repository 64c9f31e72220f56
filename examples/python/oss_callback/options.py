"""Options of clients and operations: keywords, all optional. Times are in seconds."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from ._calls import Call, progress_hook
from ._handles import encoded, milliseconds, new, number, number32, path_of
from ._library import library

if TYPE_CHECKING:
    import os

    from typing_extensions import TypedDict


    class ClientOptions(TypedDict, total=False):
        region: str
        """ "cn-hangzhou" or "oss-cn-hangzhou". Default: taken from a standard endpoint."""
        signature_version: int
        """4 (default) or 1."""
        cname: bool
        """Whether the endpoint is a custom domain bound to one bucket."""
        path_style: bool
        """Whether URLs name the bucket in the path instead of the host."""
        user_agent: str
        connect_timeout: float
        """The limit for resolving the server's name and, separately, for connecting. Default: 10 each."""
        answer_timeout: float
        """The limit from the last byte sent until OSS answers. Default: 30, plus 5 for each callback URL."""
        progress_timeout: float
        """The longest time without progress; less than 1 KiB in that time counts as no progress. Default: 30."""
        timeout: float
        """The limit for an operation, including all its attempts. Default: no limit."""
        max_answer_len: int
        """How many bytes of an answer's body to read. Default: 4 MiB."""
        retry_policy: RetryPolicy
        proxy: str
        """An HTTP proxy for all requests, "http://user:password@proxy.example.com:3128"."""
        proxy_from_env: bool
        """Whether to read the proxy from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY if `proxy` is not given. Default:
        False."""
        addresses: Mapping[str, Sequence[str]]
        """Addresses to use for a host name instead of those the system finds: {"oss.example.com": ["127.0.0.1:443"]}.
        Without a port, it is that of the URL. "*.oss.example.com" is every name that ends so."""
        local_address: str
        """The IP address of this machine that connections come from. Lookups are not bound. Default: the system chooses."""
        network_interface: str
        """The network interface that connections go through, "eth1"; Linux only. Lookups are not bound."""
        max_idle_connections: int
        max_idle_time: float
        root_certificates: str
        """ "automatic" (default), "system", "bundled" or "none", in addition to those in `ca_bundle`."""
        ca_bundle: bytes
        """Certificates in PEM, of authorities or of the server itself."""
        ca_bundle_file: str | os.PathLike[str]
        """A file with the same, instead."""
        client_certificate: tuple[bytes, bytes]
        """The certificate to show to a server that asks for one, with its chain, and its private key, which is not
        encrypted; both in PEM. The key never appears in messages."""
        client_certificate_files: tuple[str | os.PathLike[str], str | os.PathLike[str]]
        """Two files with the same, instead."""

    class OperationOptions(TypedDict, total=False):
        """Replaces the client's."""

        connect_timeout: float
        answer_timeout: float
        progress_timeout: float
        timeout: float
        deadline: float
        """A deadline by `time.monotonic()`; the steps of an upload may share it."""
        retry_policy: RetryPolicy

    class PutOptions(OperationOptions, total=False):
        content_type: str
        """Default: guessed from the extension of the file, or else of the object's name."""
        metadata: Mapping[str, str]
        """Stored with the object as x-oss-meta-name."""
        object_acl: str
        """ "default", "private", "public-read" or "public-read-write"."""
        storage_class: str
        """ "Standard", "IA", "Archive", "ColdArchive" or "DeepColdArchive"."""
        tags: Mapping[str, str]
        server_side_encryption: str
        """ "AES256", "SM4" or "KMS"."""
        server_side_encryption_key_id: str
        server_side_data_encryption: str
        traffic_limit: int
        """Asks OSS to accept at most this many BITS per second."""
        forbid_overwrite: bool
        """Keeps an existing object of this name: the upload then fails with `CONFLICT`."""
        cache_control: str
        content_disposition: str
        content_encoding: str
        content_language: str
        expires: int
        """When copies of the object become stale, in seconds since 1970."""
        requester_pays: bool
        content_md5: bool
        """Also sends the body's MD5. A body that can be read only once is refused."""
        headers: Mapping[str, str]
        """Any other headers of the object."""
        idempotency_id: str
        """A unique name for this upload, 1 to 128 ASCII characters without blanks. It is stored with the object, so
        that `Client.reconcile` can tell whether this upload stored the object."""
        callback_is_idempotent: bool
        """Says that the application server does the right thing if the same callback reaches it twice. Without this, an
        upload with a callback is not sent again once its answer is lost."""
        compare_crc64: bool
        """Whether to compare the CRC-64 that OSS computed with that of the bytes sent. Default: True."""
        bandwidth: int
        """The most BYTES per second to send."""
        progress: Callable[[int, int | None], object]
        """Receives how many bytes of the body have left this machine, and the total, which is None if unknown. On Linux and
        Android a byte has left once the next machine has acknowledged it, the server or a proxy; on other systems, once
        the system has taken it."""

    class UploadOptions(PutOptions, total=False):
        part_size: int
        """The part size in bytes. Default: 8 MiB, or more if the file requires it."""
        parallel: int
        """How many parts to send at once. Default: 4."""
        checkpoint: str | os.PathLike[str]
        """A file that records which parts were sent, so that another call can resume."""
        verify_parts: bool
        """Whether a resumed upload rereads from the file every part that OSS has, and sends those that differ. Default:
        False, which does so only if the file may have been touched."""


@dataclass(frozen=True)
class RetryPolicy:
    """When an operation is retried. Only failures that may end differently are retried, only with a body that can be
    read again, and with a callback only while it is certain that nothing was stored. What is None is as the client's policy
    says; the client's own defaults are 3 attempts, 0.2 s and 20 s."""

    max_attempts: int | None = None
    """Includes the first attempt: 1 means no retry."""
    base_delay: float | None = None
    """The longest wait before the second attempt, in seconds; it doubles for each further attempt, up to `max_delay`."""
    max_delay: float | None = None


_CERTIFICATES = {"automatic": 0, "system": 1, "bundled": 2, "none": 3}


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"`{name}` is {type(value).__name__}, not bool")
    return value


def _left(name: str, deadline: float) -> int:
    return milliseconds(name, max(deadline - time.monotonic(), 0.0))


# How to convert a value for the setter of that name, and the end of the setter's name.
_LIMITS = {
    name: (milliseconds, "_ms") for name in ("connect_timeout", "answer_timeout", "progress_timeout", "timeout")
}
_CLIENT: dict[str, tuple[Callable[[str, Any], Any], str]] = {
    **_LIMITS,
    **{name: (encoded, "") for name in ("region", "user_agent", "proxy", "local_address", "network_interface")},
    **{name: (_flag, "") for name in ("cname", "path_style", "proxy_from_env")},
    **{name: (number, "") for name in ("max_answer_len", "max_idle_connections")},
    "signature_version": (number32, ""),
    "ca_bundle_file": (path_of, ""),
    "max_idle_time": (milliseconds, "_ms"),
}
_OPERATION: dict[str, tuple[Callable[[str, Any], Any], str]] = {**_LIMITS, "deadline": (_left, "_ms")}
_PUT: dict[str, tuple[Callable[[str, Any], Any], str]] = {
    **_OPERATION,
    **{
        name: (encoded, "")
        for name in (
            "content_type", "object_acl", "storage_class", "server_side_encryption", "server_side_encryption_key_id",
            "server_side_data_encryption", "cache_control", "content_disposition", "content_encoding",
            "content_language", "idempotency_id",
        )
    },
    **{
        name: (_flag, "")
        for name in ("forbid_overwrite", "requester_pays", "content_md5", "callback_is_idempotent", "compare_crc64", "verify_parts")
    },
    "traffic_limit": (number, "_bits_per_s"),
    "bandwidth": (number, "_bytes_per_s"),
    "expires": (number, "_at_s"),
    "part_size": (number, ""),
    "parallel": (number32, ""),
    "checkpoint": (path_of, ""),
}  # fmt: skip


def _set(kind: str, handle: int, table: dict[str, tuple[Callable[[str, Any], Any], str]], name: str, value: Any) -> bool:
    if name == "retry_policy":
        limits: tuple[tuple[str, Callable[[str, Any], int], str], ...] = (
            ("max_attempts", number32, "max_attempts"),
            ("retry_base_delay_ms", milliseconds, "base_delay"),
            ("retry_max_delay_ms", milliseconds, "max_delay"),
        )
        for setter, checked, field in limits:
            given = getattr(value, field)
            if given is not None:
                getattr(library, f"oss_callback_{kind}_set_{setter}")(handle, checked(field, given))
        return True
    if name not in table:
        return False
    convert, ending = table[name]
    getattr(library, f"oss_callback_{kind}_set_{name}{ending}")(handle, convert(name, value))
    return True


def _unexpected(name: str) -> TypeError:
    return TypeError(f"there is no option {name!r}")


def set_client_options(handle: int, options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        if name == "addresses":
            for host, addresses in value.items():
                for address in addresses:
                    library.oss_callback_client_options_add_address(
                        handle, encoded("host", host), encoded("address", address)
                    )
        elif name == "root_certificates":
            if value not in _CERTIFICATES:
                raise ValueError(f"`root_certificates` is {value!r}")
            library.oss_callback_client_options_set_root_certificates(handle, _CERTIFICATES[value])
        elif name == "ca_bundle":
            pem = bytes(memoryview(value))
            library.oss_callback_client_options_set_ca_bundle(handle, pem, len(pem))
        elif name == "client_certificate":
            # A number would be taken for a length.
            certificate, key = (bytes(memoryview(pem)) for pem in value)
            library.oss_callback_client_options_set_client_certificate(
                handle, certificate, len(certificate), key, len(key)
            )
        elif name == "client_certificate_files":
            certificate_path, key_path = value
            library.oss_callback_client_options_set_client_certificate_files(
                handle, path_of("client_certificate", certificate_path), path_of("client_key", key_path)
            )
        elif not _set("client_options", handle, _CLIENT, name, value):
            raise _unexpected(name)


def put_options(call: Call, options: Mapping[str, Any]) -> int:
    """The library's options, which live as long as the call."""
    handle = new("put_options")
    call.stack.callback(library.oss_callback_put_options_free, handle)
    call.set_cancellation(library.oss_callback_put_options_set_cancellation, handle)
    for name, value in options.items():
        if name in ("metadata", "tags", "headers"):
            setter = {"metadata": "set_metadata", "tags": "add_tag", "headers": "set_header"}[name]
            for key, text in value.items():
                getattr(library, f"oss_callback_put_options_{setter}")(
                    handle, encoded(f"{name}: name", key), encoded(f"{name}: value", text)
                )
        elif name == "progress":
            call.progress = value
            library.oss_callback_put_options_set_progress_hook(handle, progress_hook, call.userdata)
        elif not _set("put_options", handle, _PUT, name, value):
            raise _unexpected(name)
    return handle


def operation_options(call: Call, options: Mapping[str, Any]) -> int:
    """The library's options, which live as long as the call."""
    handle = new("operation_options")
    call.stack.callback(library.oss_callback_operation_options_free, handle)
    call.set_cancellation(library.oss_callback_operation_options_set_cancellation, handle)
    for name, value in options.items():
        if not _set("operation_options", handle, _OPERATION, name, value):
            raise _unexpected(name)
    return handle
