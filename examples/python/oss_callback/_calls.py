"""Blocking functions of the library, which the caller's signals and exceptions can end."""

from __future__ import annotations

import _thread
import atexit
import ctypes
import io
import os
import threading
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, Callable

from ._handles import Handle, ProcessLock, new
from ._library import library
from ._signatures import (
    OSS_CALLBACK_CREDENTIALS_HOOK,
    OSS_CALLBACK_DESTROY_HOOK,
    OSS_CALLBACK_PROGRESS_HOOK,
    OSS_CALLBACK_READ_HOOK,
    OSS_CALLBACK_SIGNER_HOOK,
    OSS_CALLBACK_WRITE_HOOK,
)
from .errors import OssCallbackError, of_code
from .kinds import ErrorKind
from .receipt import Receipt

if TYPE_CHECKING:
    from .spec import CallbackSpec

LEN_UNKNOWN = (1 << 64) - 1
# The time between checks for signals, in seconds.
LONGEST_WAIT = 0.2
# How long to wait for the caller's functions when the program ends, in seconds. The library itself ends within
# LONGEST_WAIT.
LONGEST_EXIT = 2.0

# What hooks belong to, by userdata: a number, so that C keeps no pointer into Python.
_registered: dict[int, Any] = {}
_registered_lock = ProcessLock()
_last_number = 0


def register(value: Any) -> int:
    global _last_number
    with _registered_lock:
        _last_number += 1
        _registered[_last_number] = value
        return _last_number


def unregister(userdata: int) -> None:
    _registered.pop(userdata, None)


class _Running:
    """The calls that are inside the library.

    Once the interpreter is ending, CPython stops any thread that asks for the interpreter's lock, and the thread never
    returns. If that happened in a hook, in the middle of the library, the process would be aborted. So before the
    interpreter ends, the calls of threads that do not keep the program alive are cancelled and waited for.
    """

    def __init__(self) -> None:
        self._ending = False
        self._begin()

    def _begin(self) -> None:
        """Also runs in the child of a fork: the other threads, and their calls, are the parent's."""
        self._changed = threading.Condition()
        self._calls: set[Call] = set()

    def enter(self, call: Call, main: bool) -> None:
        with self._changed:
            # While the main thread waits for its call, the interpreter does not end.
            if self._ending and not main:
                raise OssCallbackError("the program is ending", ErrorKind.CANCELLED)
            self._calls.add(call)

    def leave(self, call: Call) -> None:
        with self._changed:
            self._calls.discard(call)
            self._changed.notify_all()

    def end(self) -> None:
        """Runs at the end of the program: threads that keep it alive have ended by now."""
        with self._changed:
            self._ending = True
            calls = list(self._calls)
        for call in calls:
            call.cancel()
        # Not for ever: one of the caller's functions may be waiting for something that never comes.
        with self._changed:
            self._changed.wait_for(lambda: not self._calls, LONGEST_EXIT)


_running = _Running()
atexit.register(_running.end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_running._begin)


class Cancellation:
    """Ends operations from another thread or from a signal handler: any number of them, now and later.

    They end with the kind `CANCELLED`, within 0.2 s whatever the connection is doing; if one of your functions is
    running, when it returns.
    """

    def __init__(self) -> None:
        # A signal handler may interrupt.
        self._lock = ProcessLock(threading.RLock)
        self._cancelled = False
        self._operations: set[Call] = set()

    def cancel(self) -> None:
        """Cancels for good: operations that begin later send nothing."""
        with self._lock:
            self._cancelled = True
            for operation in list(self._operations):
                operation.cancel()

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def _add(self, operation: Call) -> None:
        with self._lock:
            self._operations.add(operation)
            if self._cancelled:
                operation.cancel()

    def _remove(self, operation: Call) -> None:
        with self._lock:
            self._operations.discard(operation)


class _Request:
    """A hook that the calling thread is to run."""

    def __init__(self, action: Callable[[], int]) -> None:
        self.action = action
        self.answer = 0
        self.answered = self.released = False
        self.lock = threading.Lock()
        self.lock.acquire()


def _release(lock: Any) -> None:
    with suppress(RuntimeError):  # it was released already
        lock.release()


class Call:
    """One blocking call, with everything that lives as long as the call.

    In the main thread, Python runs signal handlers only between its own instructions. So another thread calls the
    library, and this one waits: for the end, for hooks, which it runs itself, and for signals.
    """

    def __init__(self, client: ClientHooks | None, cancellation: Cancellation | None = None) -> None:
        self.stack = ExitStack()
        self.error = ctypes.c_void_p()
        self.receipt = ctypes.c_void_p()
        self.failure: BaseException | None = None
        self.reader: Any = None
        self.buffer = bytearray()
        self.writer: BinaryIO | None = None
        self.progress: Callable[[int, int | None], object] | None = None
        self._client = client
        self._cancellation = Handle("cancellation", new("cancellation"), library.oss_callback_cancellation_free)
        self._interrupt: BaseException | None = None
        self._request: _Request | None = None
        self._dispatching = self._started = self._done = self._abandoned = False
        self._claim = threading.Lock()
        self._wake = threading.Lock()
        self._code = 0
        self.userdata = register(self)
        self.stack.callback(unregister, self.userdata)
        if cancellation is not None:
            cancellation._add(self)
            self.stack.callback(cancellation._remove, self)

    def cancel(self) -> None:
        with self._cancellation as cancellation:
            library.oss_callback_cancellation_cancel(cancellation)

    def use(self, handle: Handle) -> int:
        return self.stack.enter_context(handle)

    def spec(self, callback: CallbackSpec | None) -> int:
        """The library's pointer, also for no callback."""
        return library.oss_callback_spec_none() if callback is None else self.use(callback._handle)

    def set_cancellation(self, setter: Any, options: int) -> None:
        with self._cancellation as cancellation:
            setter(options, cancellation)

    def __enter__(self) -> Call:
        return self

    def __exit__(self, *_: object) -> None:
        # A call still in progress ends by itself, and then releases everything.
        if not self._dispatching or self._done:
            self.stack.close()

    def run(self, function: Any, *arguments: Any) -> None:
        """Calls the function, whose last parameter is the error. Raises whatever ended the call."""
        arguments = (*arguments, ctypes.byref(self.error))
        if threading.current_thread() is not threading.main_thread():
            code = self._call(function, arguments, main=False)
        else:
            code = self._run_on_another_thread(function, arguments)
        self._raise(code)

    def _call(self, function: Any, arguments: tuple[Any, ...], main: bool) -> int:
        _running.enter(self, main)
        try:
            return int(function(*arguments))
        finally:
            _running.leave(self)

    def upload(self, function: Any, *arguments: Any) -> Receipt:
        """The same for a function that returns a receipt."""
        self.run(function, *arguments, ctypes.byref(self.receipt))
        return self._receipt()

    def _receipt(self) -> Receipt:
        receipt = self.receipt.value
        assert receipt is not None
        return Receipt(receipt, Handle("receipt", receipt, library.oss_callback_receipt_free))

    def _raise(self, code: int) -> None:
        error = of_code(code, self.error.value) if code != 0 else None
        raised = self._interrupt or self.failure
        if raised is None and error is not None and error.kind == ErrorKind.CREDENTIALS_FAILED and self._client:
            raised = self._client.failure
        if raised is not None:
            if error is not None:
                _add_cause(raised, error)
            elif self.receipt.value is not None:
                with suppress(AttributeError):
                    raised.receipt = self._receipt()  # type: ignore[attr-defined]
            raise raised
        if error is not None:
            raise error

    def _run_on_another_thread(self, function: Any, arguments: tuple[Any, ...]) -> int:
        def work() -> None:
            if not self._claim.acquire(blocking=False):
                return  # it was started twice
            try:
                self._code = self._call(function, arguments, main=True)
            finally:
                self._done = True
                _release(self._wake)
                if self._abandoned:
                    self.stack.close()

        self._wake.acquire()
        self._dispatching = True
        while True:
            # A signal handler may raise between any two instructions. So each pass checks again what there is to do,
            # and may do it twice.
            try:
                if not self._started:
                    _thread.start_new_thread(work, ())
                    self._started = True
                self._serve()
                return self._code
            except BaseException as e:
                if self._interrupt is not None:
                    self._abandon()
                    raise
                self._interrupt = e
                self.cancel()

    def _abandon(self) -> None:
        """After a second signal: the call soon ends by itself, and then releases everything."""
        self._abandoned = True
        request = self._request
        if request is not None:
            request.answer = -1
            _release(request.lock)

    def _serve(self) -> None:
        """Runs hooks until the call has ended."""
        while not self._done:
            request = self._request
            if request is None or request.released:
                # With a time limit: a signal just before the lock waits does not wake it.
                self._wake.acquire(timeout=LONGEST_WAIT)
                continue
            if not request.answered:
                request.answer = -1 if self._interrupt else request.action()
                request.answered = True
            _release(request.lock)
            request.released = True

    def dispatch(self, action: Callable[[], int]) -> int:
        """Runs a hook, in the thread that called the library."""
        if self.failure is not None:
            return -1
        if not self._dispatching:
            return self._guarded(action)
        if self._abandoned:
            return -1
        request = _Request(lambda: self._guarded(action))
        self._request = request
        _release(self._wake)
        request.lock.acquire()
        self._request = None
        return request.answer

    def _guarded(self, action: Callable[[], int]) -> int:
        """No exception may leave a hook: ctypes would print it and continue."""
        try:
            return action()
        except BaseException as e:
            self.failure = e
            return -1


def _add_cause(raised: BaseException, error: OssCallbackError) -> None:
    """Appends the error to the chain of causes."""
    last = raised
    while last.__cause__ is not None and last.__cause__ is not error:
        last = last.__cause__
    if last is not error:
        last.__cause__ = error


def _read(call: Call, buffer: int, length: int) -> int:
    reader = call.reader
    if hasattr(reader, "readinto"):
        # Into Python's memory: a reader may keep what it receives.
        if len(call.buffer) < length:
            call.buffer = bytearray(length)
        count = reader.readinto(memoryview(call.buffer)[:length])
        if count is None:
            raise BlockingIOError("the reader has nothing to give, and does not block")
        if not 0 <= count <= length:
            raise ValueError(f"the reader says that it gave {count} bytes where {length} had room")
        ctypes.memmove(buffer, (ctypes.c_char * length).from_buffer(call.buffer), count)
        return int(count)
    block = reader.read(length)
    if block is None:
        raise BlockingIOError("the reader has nothing to give, and does not block")
    block = memoryview(block)
    if block.nbytes > length:
        raise ValueError(f"the reader gave {block.nbytes} bytes where {length} had room")
    ctypes.memmove(buffer, block.tobytes(), block.nbytes)
    return block.nbytes


def _write(call: Call, address: int, length: int) -> int:
    block = ctypes.string_at(address, length)
    while block:
        assert call.writer is not None
        count: int | None = call.writer.write(block)
        if count is None and not isinstance(call.writer, io.RawIOBase):
            count = len(block)  # a writer that says nothing has taken everything
        if not count:
            raise BlockingIOError("the writer takes nothing")
        block = block[count:]
    return 0


def _report(call: Call, sent: int, total: int) -> int:
    assert call.progress is not None
    call.progress(sent, None if total == LEN_UNKNOWN else total)
    return 0


def _on_read(buffer: int, length: int, userdata: int) -> int:
    call: Call = _registered[userdata]
    return call.dispatch(lambda: _read(call, buffer, length))


def _on_write(address: int, length: int, userdata: int) -> int:
    call: Call = _registered[userdata]
    return call.dispatch(lambda: _write(call, address, length))


def _on_progress(sent: int, total: int, userdata: int) -> int:
    call: Call = _registered[userdata]
    return call.dispatch(lambda: _report(call, sent, total))


class ClientHooks:
    """One of the caller's functions that belongs to a client, and how it last failed. It runs on any thread."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.failure: BaseException | None = None

    def run(self, use: Callable[[], int]) -> int:
        try:
            self.failure = None
            return use()
        except BaseException as e:
            self.failure = e
            return -1


def _on_credentials(credentials: int, userdata: int) -> int:
    hooks: ClientHooks = _registered[userdata]

    def provide() -> int:
        hooks.function()._fill(credentials)
        return 0

    return hooks.run(provide)


def _on_signer(text: bytes, version: int, scope: bytes | None, signature: int, length: int, userdata: int) -> int:
    hooks: ClientHooks = _registered[userdata]

    def sign() -> int:
        signed = hooks.function(text.decode(), version, None if scope is None else scope.decode()).encode()
        if len(signed) > length:
            raise ValueError("the signature is too long")
        ctypes.memmove(signature, signed, len(signed))
        return len(signed)

    return hooks.run(sign)


def _on_destroy(userdata: int) -> None:
    unregister(userdata)


# Made once and never freed, because they may be running at any time.
read_hook = OSS_CALLBACK_READ_HOOK(_on_read)
write_hook = OSS_CALLBACK_WRITE_HOOK(_on_write)
progress_hook = OSS_CALLBACK_PROGRESS_HOOK(_on_progress)
credentials_hook = OSS_CALLBACK_CREDENTIALS_HOOK(_on_credentials)
signer_hook = OSS_CALLBACK_SIGNER_HOOK(_on_signer)
destroy_hook = OSS_CALLBACK_DESTROY_HOOK(_on_destroy)
