"""The library's handles, and arguments in C's form."""

from __future__ import annotations

import ctypes
import math
import operator
import os
import threading
from types import TracebackType
from typing import Any, Callable

from ._library import library


class ProcessLock:
    """A lock with a separate copy for each process. If another thread of the parent held an ordinary lock at a `fork`,
    the child, which does not have that thread, could never release it."""

    def __init__(self, make: Callable[[], Any] = threading.Lock) -> None:
        self._make = make
        self._locks = {os.getpid(): make()}

    def _own(self) -> Any:
        process = os.getpid()
        lock = self._locks.get(process)
        # If several threads get here at once, one is the first.
        return self._locks.setdefault(process, self._make()) if lock is None else lock

    def __enter__(self) -> None:
        self._own().acquire()

    def __exit__(self, *_: object) -> None:
        self._own().release()


class Handle:
    """A handle of the library. It is freed once: when it has been closed or is garbage, and has no users.

    `with handle as pointer` uses it.
    """

    def __init__(self, name: str, pointer: int, free: Callable[[int], None]) -> None:
        self._name, self._free = name, free
        self._lock = ProcessLock()
        self._users, self._closed = 0, False
        self._pointer: int | None = pointer

    def __enter__(self) -> int:
        with self._lock:
            if self._closed or self._pointer is None:
                raise invalid(f"`{self._name}` is closed")
            self._users += 1
            return self._pointer

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
        self._free_if_unused()

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._free_if_unused()

    def _free_if_unused(self) -> None:
        with self._lock:
            pointer = self._pointer if self._closed and self._users == 0 else None
            if pointer is not None:
                self._pointer = None
        # Without the lock, because it may call back.
        if pointer is not None:
            self._free(pointer)

    def __del__(self) -> None:
        if getattr(self, "_pointer", None) is not None:
            self.close()


class Closeable:
    """Something with a handle that can be closed: `with Client(...) as client`."""

    _handle: Handle

    def close(self) -> None:
        """Frees it once no operation uses it. May be called again."""
        self._handle.close()

    def __enter__(self) -> Any:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def invalid(message: str) -> Exception:
    from .errors import InvalidArgument  # errors are handles themselves

    return InvalidArgument(message)


def new(kind: str, *arguments: Any) -> int:
    """A new handle, from a library function that returns no error."""
    from .errors import check

    handle = ctypes.c_void_p()
    check(getattr(library, f"oss_callback_{kind}_new")(*arguments, ctypes.byref(handle)))
    assert handle.value is not None
    return handle.value


def made(function: Any, *arguments: Any) -> int:
    """A new handle, from a function that may return an error."""
    from .errors import check

    handle, error = ctypes.c_void_p(), ctypes.c_void_p()
    check(function(*arguments, ctypes.byref(handle), ctypes.byref(error)), error)
    assert handle.value is not None
    return handle.value


def encoded(name: str, value: str) -> bytes:
    """A string for C. A NUL would end it early there."""
    if not isinstance(value, str):
        raise TypeError(f"`{name}` is {type(value).__name__}, not str")
    if "\0" in value:
        raise invalid(f"`{name}` contains a NUL")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise invalid(f"`{name}` is not Unicode") from None


def optional(name: str, value: str | None) -> bytes | None:
    return None if value is None else encoded(name, value)


def path_of(name: str, value: str | os.PathLike[str]) -> bytes:
    path = os.fsencode(os.fspath(value))
    if b"\0" in path:
        raise invalid(f"`{name}` contains a NUL")
    return path


def number(name: str, value: int, most: int = (1 << 64) - 2) -> int:
    """A number that fits: ctypes would truncate one that does not. In C the largest number means "unknown"."""
    value = operator.index(value)
    if not 0 <= value <= most:
        raise invalid(f"`{name}` is {value}")
    return value


def number32(name: str, value: int) -> int:
    return number(name, value, (1 << 32) - 1)


def milliseconds(name: str, seconds: float) -> int:
    """Rounds up, so that a short time does not become 0."""
    if not 0 <= seconds < 1e15:
        raise invalid(f"`{name}` is {seconds}")
    return math.ceil(seconds * 1000)


class _PyBuffer(ctypes.Structure):
    """Py_buffer of the C API, whose layout is part of the stable ABI."""

    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_void_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    ]


class Buffer:
    """The bytes of an object with a buffer, in place: `with Buffer(object) as (address, length)`.

    Meanwhile, a bytearray cannot change its size.
    """

    def __init__(self, value: Any) -> None:
        self._value, self._view = value, _PyBuffer()
        self._copy: Any = None

    def __enter__(self) -> tuple[int | None, int]:
        view = memoryview(self._value)
        if not view.c_contiguous:
            raise invalid("`body` is not contiguous")
        get = getattr(getattr(ctypes, "pythonapi", None), "PyObject_GetBuffer", None)
        if get is None:  # not CPython
            self._copy = ctypes.create_string_buffer(view.tobytes(), view.nbytes)
            return ctypes.addressof(self._copy), view.nbytes
        get(ctypes.py_object(self._value), ctypes.byref(self._view), 0)
        return self._view.buf, self._view.len

    def __exit__(self, *_: object) -> None:
        if self._copy is None:
            ctypes.pythonapi.PyBuffer_Release(ctypes.byref(self._view))
