"""Functions of the caller's: readers, writers, progress, credentials; and signals."""

from __future__ import annotations

import gc
import gzip
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import weakref
from pathlib import Path
from typing import Any, Callable

import oss_callback
from fixture import BUCKET, ENDPOINT, PATIENCE, OssTestCase, Slow

LARGE = 64 << 20  # more than sockets buffer


class Own(Exception):
    """An exception of the caller's own."""


def fail(*_: object) -> Any:
    raise Own("from the caller")


class Reader:
    def __init__(self, read: Callable[[int], Any]) -> None:
        self.read = read


class Into:
    def __init__(self, readinto: Callable[[memoryview], Any]) -> None:
        self.readinto = readinto

    def read(self, size: int) -> bytes:
        raise AssertionError("readinto is better")


def in_both_kinds_of_threads(test: Callable[[Any], None]) -> Callable[[Any], None]:
    """The main thread calls the library on another one; others do not."""

    def both(self: Any) -> None:
        test(self)
        failures: list[BaseException] = []

        def run() -> None:
            try:
                test(self)
            except BaseException as e:
                failures.append(e)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if failures:
            raise failures[0]

    return both


class Hooks(OssTestCase):
    @in_both_kinds_of_threads
    def test_a_readers_exception_comes_back_and_nothing_is_stored(self) -> None:
        application = self.application()

        for name, reader, kind, words in (
            ("read", Reader(fail), Own, "from the caller"),
            ("readinto", Into(fail), Own, "from the caller"),
            ("text", io.StringIO("text"), TypeError, "bytes-like"),
            ("nothing", Reader(lambda size: None), BlockingIOError, "does not block"),
            ("nothing, into", Into(lambda view: None), BlockingIOError, "does not block"),
            ("too much", Reader(lambda size: b"a" * (size + 1)), ValueError, "had room"),
            ("too much, into", Into(lambda view: len(view) + 1), ValueError, "had room"),
            ("negative", Into(lambda view: -1), ValueError, "had room"),
            ("SystemExit", Reader(lambda size: sys.exit(3)), SystemExit, "3"),
        ):
            with self.subTest(name), self.assertRaises(kind) as raised:
                self.client.put_object(BUCKET, self.object, reader, callback=self.spec(application.url))
            self.assertIn(words, str(raised.exception))
            cause = raised.exception.__cause__
            assert cause is not None
            self.expect(cause, "BODY_UNREADABLE", "NO", "NO")
        self.assertFalse(self.is_stored() or application.requests)

    def test_a_reader_may_keep_what_it_was_given(self) -> None:
        kept: list[memoryview] = []

        def keeps(view: memoryview) -> int:
            kept.append(view[:1])
            view[:1] = b"a"
            return int(len(kept) < 3)

        self.client.put_object(BUCKET, self.object, Into(keeps))
        gc.collect()
        self.assertEqual((self.contents(), bytes(kept[0])), (b"aa", b"a"))

    def test_an_exception_keeps_its_own_causes(self) -> None:
        def read(size: int) -> bytes:
            try:
                raise KeyError("deep")
            except KeyError as e:
                raise Own("outer") from e

        with self.assertRaises(Own) as raised:
            self.client.put_object(BUCKET, self.object, Reader(read))
        cause = raised.exception.__cause__
        self.assertIsInstance(cause, KeyError)
        assert cause is not None and cause.__cause__ is not None
        self.expect(cause.__cause__, "BODY_UNREADABLE", "NO")

    @in_both_kinds_of_threads
    def test_hooks_run_on_the_thread_that_calls(self) -> None:
        text, seen, threads = os.urandom(1 << 20), [], set()
        inner = io.BytesIO(text)

        def read(size: int) -> bytes:
            threads.add(threading.get_ident())
            return inner.read(min(size, 100_000))

        def progress(sent: int, total: int | None) -> None:
            threads.add(threading.get_ident())
            seen.append((sent, total))

        self.client.put_object(BUCKET, self.object, Reader(read), length=len(text), progress=progress)
        self.assertEqual(threads, {threading.get_ident()})
        self.assertEqual(seen, sorted(seen))
        self.assertEqual(seen[-1], (len(text), len(text)))
        self.assertEqual(self.contents(), text)
        seen.clear()
        inner.seek(0)
        self.client.put_object(BUCKET, self.object, Reader(read), progress=progress)
        self.assertEqual(seen[-1], (len(text), None))

    def test_a_slow_line_is_not_a_dead_one_and_progress_is_what_has_left(self) -> None:
        line, seen = self.slow(50_000), []

        def progress(sent: int, total: int | None) -> None:
            self.assertLessEqual(sent, line.taken + 16384)  # what the line's own buffer may hold
            seen.append(sent)

        body, begun = bytes(200_000), time.monotonic()
        limits: dict[str, Any] = {"answer_timeout": 2, "progress_timeout": 2, "retry_policy": oss_callback.RetryPolicy(1)}
        self.client_for(line.endpoint).put_object(BUCKET, self.object, body, progress=progress, **limits)
        self.assertGreater(time.monotonic() - begun, 2)
        self.assertEqual(seen[-1], len(body))
        self.assertEqual(seen, sorted(set(seen)))
        self.assertGreater(len(seen), 10)
        self.assertEqual(self.contents(), body)

    def test_a_compressed_files_length_is_not_that_of_its_contents(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "a.gz")
            with gzip.open(path, "wb") as file:
                file.write(b"a" * 1_000_000)
            with gzip.open(path) as file:
                self.client.put_object(BUCKET, self.object, file)
        self.assertEqual(self.contents(), b"a" * 1_000_000)

    def test_a_reader_of_another_length_stores_nothing(self) -> None:
        for length in (4, 6):
            with self.assertRaises(oss_callback.OssCallbackError) as raised:
                self.client.put_object(BUCKET, self.object, io.BytesIO(b"hello"), length=length)
            self.expect(raised.exception, "BODY_CHANGED", "NO")
        self.assertFalse(self.is_stored())

    @in_both_kinds_of_threads
    def test_an_exception_in_progress_ends_the_upload(self) -> None:
        with self.assertRaises(Own) as raised:
            self.client.put_object(BUCKET, self.object, bytes(LARGE), progress=fail)
        assert raised.exception.__cause__ is not None
        self.expect(raised.exception.__cause__, "CANCELLED", "NO")
        self.assertFalse(self.is_stored())

    @in_both_kinds_of_threads
    def test_a_writers_exception_comes_back(self) -> None:
        self.client.put_object(BUCKET, self.object, b"hello")

        class Writer(io.RawIOBase):
            def __init__(self, write: Callable[[Any], Any]) -> None:
                self.answer = write

            def write(self, block: Any) -> Any:
                return self.answer(block)

        for kind, write in ((Own, fail), (BlockingIOError, lambda block: None), (BlockingIOError, lambda block: 0)):
            with self.assertRaises(kind) as raised:
                self.client.get_object(BUCKET, self.object, Writer(write))
            assert isinstance(raised.exception.__cause__, oss_callback.OssCallbackError)
            self.assertEqual(raised.exception.__cause__.kind.name, "WRITE_FAILED")
        blocks: list[bytes] = []
        self.client.get_object(BUCKET, self.object, Writer(lambda block: blocks.append(bytes(block[:2])) or 2))
        self.assertEqual(b"".join(blocks), b"hello")

    @in_both_kinds_of_threads
    def test_provided_credentials_are_used_and_their_exception_comes_back(self) -> None:
        answer: list[Callable[[], Any]] = [
            lambda: oss_callback.KeyPair(os.environ["OSS_ACCESS_KEY_ID"], os.environ["OSS_ACCESS_KEY_SECRET"])
        ]
        client = self.client_for(ENDPOINT, oss_callback.ProvidedCredentials(lambda: answer[0]()))
        client.put_object(BUCKET, self.object, b"")
        for kind, provider in (
            (Own, fail),
            (AttributeError, lambda: None),
            (oss_callback.InvalidArgument, lambda: oss_callback.KeyPair("a", "b\0")),
            (oss_callback.InvalidArgument, lambda: oss_callback.KeyPair("a", "b", expires=-1)),
        ):
            answer[0] = provider
            with self.assertRaises(kind) as raised:
                client.put_object(BUCKET, self.object, b"")
            assert raised.exception.__cause__ is not None
            self.expect(raised.exception.__cause__, "CREDENTIALS_FAILED", "NO")

    def test_the_signer_is_told_what_to_sign(self) -> None:
        told: list[Any] = []

        def sign(*request: Any) -> str:
            told.append(request)
            return "0" * 64 if len(told) == 1 else "a" * 4096

        client = self.client_for(ENDPOINT, oss_callback.RemoteCredentials(os.environ["OSS_ACCESS_KEY_ID"], sign))
        with self.assertRaises(oss_callback.OssCallbackError) as raised:
            client.put_object(BUCKET, self.object, b"")
        self.assertEqual(raised.exception.oss_code, "SignatureDoesNotMatch")
        text, version, scope = told[0]
        self.assertEqual((raised.exception.detail("StringToSign"), version), (text, 4))
        self.assertTrue(scope.endswith("/oss/aliyun_v4_request"))
        with self.assertRaisesRegex(ValueError, "too long"):
            client.put_object(BUCKET, self.object, b"")

    def test_functions_of_the_callers_are_let_go_with_the_client(self) -> None:
        class Provider:
            def __call__(self) -> oss_callback.KeyPair:
                raise Own

        provider = Provider()
        gone = weakref.ref(provider)
        client = oss_callback.Client(ENDPOINT, oss_callback.ProvidedCredentials(provider), region="a")
        with self.assertRaises(Own):
            client.put_object(BUCKET, self.object, b"")
        del provider, client
        gc.collect()
        self.assertIsNone(gone())

    def test_other_threads_run_meanwhile(self) -> None:
        silent = self.silent()
        client = self.client_for(silent.endpoint)
        cancellation = oss_callback.Cancellation()
        seen: list[BaseException] = []

        def upload() -> None:
            try:
                client.put_object(BUCKET, self.object, bytes(LARGE), cancellation=cancellation)
            except oss_callback.OssCallbackError as e:
                seen.append(e)

        threads = [threading.Thread(target=upload) for _ in range(2)]
        for thread in threads:
            thread.start()
        self.assertTrue(silent.connected.wait(PATIENCE))  # this thread runs
        cancellation.cancel()
        for thread in threads:
            thread.join(PATIENCE)
            self.assertFalse(thread.is_alive())
        for e in seen:
            self.expect(e, "CANCELLED", "NO")
        self.assertEqual(len(seen), 2)
        self.assertTrue(cancellation.cancelled)
        # Later ones send nothing.
        with self.assertRaises(oss_callback.OssCallbackError) as raised:
            self.client.put_object(BUCKET, self.object, b"", cancellation=cancellation)
        self.expect(raised.exception, "CANCELLED", "NO")
        self.assertFalse(self.is_stored())


CHILD = """
import os, signal
import oss_callback

# Who starts the tests in the background may have them ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
client = oss_callback.Client(os.environ["SILENT"], oss_callback.KeyPair("a", "b"), region="cn-hangzhou")
try:
    client.put_object("examplebucket", "object", bytes(64 << 20))
except KeyboardInterrupt as e:
    print("interrupted", e.__cause__.kind.name, e.__cause__.stored.name, flush=True)
"""


class Signals(OssTestCase):
    def test_ctrl_c_ends_an_upload_within_a_second(self) -> None:
        silent = self.silent()
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD],
            env={**os.environ, "SILENT": silent.endpoint},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.assertTrue(silent.connected.wait(PATIENCE))
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        try:
            output, _ = child.communicate(timeout=PATIENCE)
        finally:
            child.kill()
        self.assertEqual(output, "interrupted CANCELLED NO\n")
        self.assertEqual(child.returncode, 0)
        # The end of an interpreter included; a second is what is promised, the rest is for a busy machine.
        self.assertLess(time.monotonic() - sent, 3)

    def signalled(self, handler: Callable[[], None]) -> None:
        before = signal.signal(signal.SIGUSR1, lambda *_: handler())
        self.addCleanup(signal.signal, signal.SIGUSR1, before)

    def test_what_a_signal_handler_raises_ends_an_upload(self) -> None:
        self.signalled(fail)
        silent = self.silent()
        threading.Thread(
            target=lambda: silent.connected.wait(PATIENCE) and os.kill(os.getpid(), signal.SIGUSR1)
        ).start()
        with self.assertRaises(Own) as raised:
            self.client_for(silent.endpoint).put_object(BUCKET, self.object, bytes(LARGE))
        assert raised.exception.__cause__ is not None
        self.expect(raised.exception.__cause__, "CANCELLED", "NO")

    def test_a_signal_handler_that_returns_disturbs_nothing(self) -> None:
        handled: list[int] = []
        self.signalled(lambda: handled.append(1))
        inner = io.BytesIO(os.urandom(4 << 20))

        def read(size: int) -> bytes:
            os.kill(os.getpid(), signal.SIGUSR1)
            return inner.read(size)

        self.client.put_object(BUCKET, self.object, Reader(read), progress=lambda *_: None)
        self.assertEqual(self.contents(), inner.getvalue())
        self.assertGreater(len(handled), 10)

    def test_a_signal_handler_may_cancel(self) -> None:
        cancellation = oss_callback.Cancellation()
        self.signalled(cancellation.cancel)
        silent = self.silent()
        threading.Thread(
            target=lambda: silent.connected.wait(PATIENCE) and os.kill(os.getpid(), signal.SIGUSR1)
        ).start()
        with self.assertRaises(oss_callback.OssCallbackError) as raised:
            self.client_for(silent.endpoint).put_object(BUCKET, self.object, bytes(LARGE), cancellation=cancellation)
        self.expect(raised.exception, "CANCELLED", "NO")

    def test_signals_at_any_moment_neither_hang_nor_lose_bytes(self) -> None:
        # Each upload either succeeds with all its bytes, or ends with the handler's exception.
        self.signalled(fail)
        text = os.urandom(1 << 20)
        main = threading.main_thread().ident
        assert main is not None
        results = []
        for turn in range(60):
            # From right at the start to about the end of an upload.
            timer = threading.Timer(turn * 0.0005, lambda: signal.pthread_kill(main, signal.SIGUSR1))
            result = "ended"
            try:
                timer.start()
                self.client.put_object(BUCKET, self.object, Reader(io.BytesIO(text).read))
                result = "succeeded"
            except Own:
                pass
            try:
                timer.join()
                time.sleep(0)  # the handler runs now at the latest
            except Own:
                timer.join()
            results.append(result)
            if result == "succeeded":
                self.assertEqual(self.contents(), text)
        self.assertIn("ended", results)

    def test_a_second_signal_ends_the_waiting_too(self) -> None:
        self.signalled(fail)
        main = threading.main_thread().ident
        assert main is not None
        for _ in range(20):
            silent = self.silent()

            def twice(silent: Any = silent, main: int = main) -> None:
                silent.connected.wait(PATIENCE)
                for _ in range(2):
                    signal.pthread_kill(main, signal.SIGUSR1)

            thread = threading.Thread(target=twice)
            try:
                try:
                    thread.start()
                    self.client_for(silent.endpoint).put_object(BUCKET, self.object, bytes(LARGE))
                except Own:
                    thread.join()
                else:
                    self.fail("it goes on")
            except Own:  # the second came later
                thread.join()
        self.client.put_object(BUCKET, self.object, b"hello")
        self.assertEqual(self.contents(), b"hello")


if __name__ == "__main__":
    unittest.main()
