"""The application server: was this upload permitted, and is the callback new?"""

from __future__ import annotations

import ctypes
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._handles import Closeable, Handle, encoded, invalid, made, new, number
from ._library import library, optional_string, string
from .errors import check
from .spec import CallbackSpec, SpecOptions, Variable
from .verifier import VerifiedCallback


@dataclass(frozen=True)
class SealKey:
    """An id of 1 to 32 letters, digits, - and _, which is not secret, and a secret of at least 32 random bytes."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Permission:
    """What an uploader may do: upload one `object`, or one whose name begins with `prefix`, up to `max_size` bytes or
    of `exact_size`, for `valid_for` seconds or until `expires_at` (seconds since 1970). The callback must arrive before
    then, so leave time for the upload."""

    bucket: str
    object: str | None = None
    prefix: str | None = None
    max_size: int | None = None
    exact_size: int | None = None
    valid_for: int | None = None
    expires_at: int | None = None

    def _new(self) -> int:
        if (self.object is None) == (self.prefix is None):
            raise invalid("either `object` or `prefix` of a permission is given")
        bucket = encoded("bucket", self.bucket)
        if self.object is not None:
            function = library.oss_callback_permission_new_object
            pointer = made(function, bucket, encoded("object", self.object))
        else:
            function = library.oss_callback_permission_new_prefix
            pointer = made(function, bucket, encoded("prefix", self.prefix or ""))
        try:
            for name, setter in (
                ("max_size", "max_size"),
                ("exact_size", "exact_size"),
                ("valid_for", "valid_for_s"),
                ("expires_at", "expires_at_s"),
            ):
                value = getattr(self, name)
                if value is not None:
                    getattr(library, f"oss_callback_permission_set_{setter}")(pointer, number(name, value))
        except BaseException:
            library.oss_callback_permission_free(pointer)
            raise
        return pointer


class Sealer(Closeable):
    """Seals callbacks on the application server, and checks the seals of those that come back. The secret stays there;
    the uploader gets the finished callback and cannot change what is sealed. It also accepts the seals of the
    `accepted` keys, for rotation. Many threads may use it at once."""

    def __init__(self, key: SealKey, *accepted: SealKey) -> None:
        pointer = made(library.oss_callback_sealer_new, encoded("key_id", key.id), key.secret, len(key.secret))
        self._handle = Handle("sealer", pointer, library.oss_callback_sealer_free)
        for other in accepted:
            error = ctypes.c_void_p()
            name = encoded("key_id", other.id)
            check(
                library.oss_callback_sealer_accept(pointer, name, other.secret, len(other.secret), ctypes.byref(error)),
                error,
            )

    def seal(
        self,
        permission: Permission,
        url: str | Sequence[str],
        body: str | Mapping[str, Variable | str],
        *,
        host: str | None = None,
        json_body: bool = False,
        sni: bool = False,
        variables: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> CallbackSpec:
        """Makes a callback with a seal in the variable x:seal, for one upload. The body must carry ${bucket},
        ${object}, ${size}, ${x:seal} and every variable. Give the uploader the spec's `callback` and `callback_var`."""
        with SpecOptions(url, body, host, json_body, sni, variables, members) as options, self._handle as sealer:
            permitted = permission._new()
            try:
                return CallbackSpec._of(made(library.oss_callback_sealer_seal, sealer, options, permitted))
            finally:
                library.oss_callback_permission_free(permitted)

    def check(self, callback: VerifiedCallback) -> SealedCallback:
        """Checks a verified callback's seal against the callback's body, by this machine's clock."""
        with self._handle as sealer, callback._handle as verified:
            return SealedCallback(made(library.oss_callback_sealer_check, sealer, verified))


class SealedCallback:
    """A callback whose upload was permitted: what the seal covers, and nothing else."""

    def __init__(self, pointer: int) -> None:
        self._handle = Handle("sealed", pointer, library.oss_callback_sealed_free)
        self.bucket = string(library.oss_callback_sealed_bucket(pointer))
        self.object = string(library.oss_callback_sealed_object(pointer))
        self.size: int = library.oss_callback_sealed_size(pointer)
        """In bytes, as the callback reports it; it is within the permission."""
        self.key_id = string(library.oss_callback_sealed_key_id(pointer))
        self.expires: int = library.oss_callback_sealed_expires_at_s(pointer)
        """When the permission ends, in seconds since 1970."""
        self.nonce = ctypes.string_at(library.oss_callback_sealed_nonce(pointer), 16)
        """Random bytes that no other seal has. Servers that share a database can use them with `body_digest` instead of
        a `ReplayGuard`."""
        self.body_digest = ctypes.string_at(library.oss_callback_sealed_body_digest(pointer), 32)

    def variable(self, name: str) -> str | None:
        """A sealed variable by name, with or without the prefix "x:"."""
        with self._handle as sealed:
            return optional_string(library.oss_callback_sealed_variable(sealed, encoded("name", name)))


class Seen(enum.Enum):
    """What a replay guard knows about a callback."""

    FIRST = 1
    """Handle it."""
    REPEATED = 2
    """The same callback again, byte for byte: answer as before, and do nothing else."""
    REPLAYED = 3
    """The same seal with another body: refuse it."""


class ReplayGuard(Closeable):
    """Tells new callbacks from repeated ones, in this process only. It remembers up to `capacity` permissions that have
    not yet ended, at about 200 bytes each. Many threads may use it at once. A forked child starts with what its parent
    has seen; afterwards neither knows what the other sees."""

    def __init__(self, capacity: int) -> None:
        guard = new("replay_guard", number("capacity", capacity))
        self._handle = Handle("replay_guard", guard, library.oss_callback_replay_guard_free)

    def check(self, callback: SealedCallback) -> Seen:
        """Checks a callback and remembers it. `REPLAY_UNKNOWN` if the guard is full."""
        with self._handle as guard, callback._handle as sealed:
            seen, error = ctypes.c_uint32(), ctypes.c_void_p()
            function = library.oss_callback_replay_guard_check
            check(function(guard, sealed, ctypes.byref(seen), ctypes.byref(error)), error)
            return Seen(seen.value)

    def forget(self, callback: SealedCallback) -> None:
        """Takes `FIRST` back, because handling the callback failed and a repetition is welcome."""
        with self._handle as guard, callback._handle as sealed:
            error = ctypes.c_void_p()
            check(library.oss_callback_replay_guard_forget(guard, sealed, ctypes.byref(error)), error)
