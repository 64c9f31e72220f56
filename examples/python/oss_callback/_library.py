"""The C library: where to find it, and its functions."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

from ._signatures import FUNCTIONS, NOT_IN_SMALL


def _load() -> ctypes.CDLL:
    named = os.environ.get("OSS_CALLBACK_LIBRARY")
    inside = Path(__file__).with_name("liboss_callback.so")
    if named:
        candidates = [named]
    elif inside.exists():  # a wheel
        candidates = [str(inside)]
    else:  # make install
        candidates = ["liboss_callback.so.1", "liboss_callback.so"]
    failures = []
    for candidate in candidates:
        try:
            return ctypes.CDLL(candidate)  # lets other threads run during its calls
        except OSError as e:
            failures.append(str(e))
    raise ImportError(
        "the library liboss_callback.so cannot be loaded: install it, or name it in OSS_CALLBACK_LIBRARY: "
        + "; ".join(failures)
    )


# Functions that may be the last to release a credentials hook's function.
_CALLS_BACK_WHEN_FREED = (
    "oss_callback_client_free",
    "oss_callback_client_options_free",
    "oss_callback_multipart_upload_free",
)


def _left_out(*_: object) -> None:
    raise NotImplementedError("this liboss_callback.so is a small one, without the application server's side")


def _declare(library: Any) -> Any:
    library.oss_callback_version.restype = ctypes.c_char_p
    for name, (result, parameters) in FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            if name in NOT_IN_SMALL:
                setattr(library, name, _left_out)
                continue
            version = library.oss_callback_version().decode()
            raise ImportError(f"liboss_callback.so {version} is too old: it has no {name}") from None
        if name in _CALLS_BACK_WHEN_FREED:
            # With the interpreter's lock held, so that no hook can enter an interpreter that has begun to end.
            function = ctypes.PYFUNCTYPE(result, *parameters)((name, library))
            setattr(library, name, function)
        function.restype, function.argtypes = result, parameters
    return library


# Its functions have the types in FUNCTIONS; a type checker knows nothing more about them.
library: Any = _declare(_load())


def version() -> str:
    """The version of the loaded library, such as "0.1.0"."""
    return string(library.oss_callback_version())


def string(text: bytes | None) -> str:
    """A string from the library; empty if there is none."""
    return text.decode("utf-8", "replace") if text else ""


def optional_string(text: bytes | None) -> str | None:
    """A string from the library, or None."""
    return None if text is None else string(text)


def lent(function: Any, handle: int) -> bytes:
    """A copy of bytes that a handle lends."""
    length = ctypes.c_size_t()
    address = function(handle, ctypes.byref(length))
    return ctypes.string_at(address, length.value) if length.value else b""


def optional_number(function: Any, *arguments: Any) -> int | None:
    """A number that a handle may have."""
    number = ctypes.c_uint64()
    return number.value if function(*arguments, ctypes.byref(number)) else None
