"""Children of a fork, and the end of the program."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
import unittest
from typing import Any, Callable

import oss_callback
from fixture import BUCKET, ENDPOINT, PATIENCE, OssTestCase

CHILDREN, UPLOADS = 8, 20

# Uploads in a thread that does not keep the program alive, and ends once the upload is in a function of the caller's.
AT_EXIT = """
import os, sys, threading, time
import oss_callback

inside = threading.Event()

class Slow:
    def read(self, size):
        inside.set()
        time.sleep(0.02)
        return b"x"

class Stuck:
    def read(self, size):
        inside.set()
        threading.Event().wait()

class Writer:
    def write(self, block):
        inside.set()
        time.sleep(0.02)

def progress(*_):
    inside.set()
    time.sleep(0.02)

def sign(*_):
    inside.set()
    time.sleep(0.02)
    return "a" * 64

def provide():
    inside.set()
    time.sleep(0.02)
    return oss_callback.KeyPair("id", "secret")

how, endpoint, bucket, path = sys.argv[1:]
credentials = {
    "signer": lambda: oss_callback.RemoteCredentials("id", sign),
    "provider": lambda: oss_callback.ProvidedCredentials(provide),
}.get(how, oss_callback.EnvironmentCredentials)()
client = oss_callback.Client(endpoint, credentials, region=os.environ["OSS_REGION"])
again = oss_callback.RetryPolicy(1_000_000, 0, 0)

def upload():
    if how == "reader":
        client.put_object(bucket, "exit", Slow())
    elif how == "stuck":
        client.put_object(bucket, "exit", Stuck())
    elif how == "writer":
        client.get_object(bucket, "exit/large", Writer())
    elif how == "progress":
        client.put_object(bucket, "exit", bytes(5_000_000), progress=progress, bandwidth=500_000)
    elif how == "parts":
        client.upload_file(bucket, "exit", path, part_size=102400, progress=progress, bandwidth=500_000)
    else:
        while True:
            try:
                client.put_object(bucket, "exit", b"")
            except oss_callback.OssCallbackError as e:
                # Nothing begins any more.
                if e.kind is oss_callback.ErrorKind.CANCELLED:
                    raise

threading.excepthook = lambda _: None
threading.Thread(target=upload, daemon=True).start()
assert inside.wait(20)
sys.exit(7)
"""


class Child:
    """Runs a function in a process that is forked."""

    def __init__(self, run: Callable[[], Any]) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                signal.alarm(PATIENCE)  # whoever waits for a lock of the parent waits for ever
                run()
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)

    def status(self) -> int:
        return os.waitpid(self.pid, 0)[1]


def upload_many(client: oss_callback.Client, spec: oss_callback.CallbackSpec, name: str) -> None:
    for count in range(UPLOADS):
        key = f"{name}/{count}"
        receipt = client.put_object(BUCKET, key, b"alike", callback=spec)
        assert receipt.answer == b'{"Status":"OK"}', receipt.answer
        assert receipt.request_id is not None
        # The request that stored this object, and no other.
        head = client.head_object(BUCKET, key)
        assert head.etag == receipt.etag
        # In one piece: others write to the same pipe.
        os.write(1, f"{receipt.request_id}\n".encode())


@unittest.skipUnless(hasattr(os, "fork"), "there is no fork")
class Forks(OssTestCase):
    def ids(self, run: Callable[[], Any]) -> list[str]:
        """What processes that are forked in `run` print."""
        reader, writer = os.pipe()
        standard, out = os.dup(1), os.fdopen(reader)
        sys.stdout.flush()
        os.dup2(writer, 1)
        os.close(writer)
        try:
            run()
        finally:
            os.dup2(standard, 1)
            os.close(standard)
        with out:
            return out.read().split()

    def test_children_that_share_a_client_get_their_own_receipts(self) -> None:
        spec = self.spec(self.application().url)
        self.client.put_object(BUCKET, self.object, b"before")  # leaves a connection

        def run() -> None:
            context = multiprocessing.get_context("fork")
            children = [
                context.Process(target=upload_many, args=(self.client, spec, f"{self.object}/{number}"))
                for number in range(CHILDREN)
            ]
            for child in children:
                child.start()
            for child in children:
                child.join()
                self.assertEqual(child.exitcode, 0)

        # Pipes have room for the ids of all.
        ids = self.ids(run)
        self.assertEqual((len(ids), len(set(ids))), (CHILDREN * UPLOADS, CHILDREN * UPLOADS))
        self.client.put_object(BUCKET, self.object, b"after")

    def test_a_child_of_a_busy_parent_waits_for_nothing(self) -> None:
        end, began = threading.Event(), threading.Barrier(5)

        def busy() -> None:
            began.wait()
            while not end.is_set():
                self.client.put_object(BUCKET, self.object, b"busy")

        threads = [threading.Thread(target=busy) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            began.wait()
            for number in range(10):
                child = Child(lambda: self.client.put_object(BUCKET, f"{self.object}/{number}", b"child"))
                self.assertEqual(child.status(), 0)
        finally:
            end.set()
            for thread in threads:
                thread.join()

    def test_a_child_waits_for_no_lock_of_the_package(self) -> None:
        cancellation = oss_callback.Cancellation()
        held, may_leave = threading.Event(), threading.Event()
        locks = [self.client._handle._lock, cancellation._lock]  # type: ignore[attr-defined]

        def hold() -> None:
            with locks[0], locks[1]:
                held.set()
                may_leave.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        try:
            child = Child(lambda: self.client.put_object(BUCKET, self.object, b"child", cancellation=cancellation))
            self.assertEqual(child.status(), 0)
        finally:
            may_leave.set()
            thread.join()

    def test_a_child_ends_without_waiting_for_the_calls_of_its_parent(self) -> None:
        reading, may_end = threading.Event(), threading.Event()

        class Reader:
            def read(self, size: int) -> bytes:
                reading.set()
                may_end.wait()
                return b""

        thread = threading.Thread(target=lambda: self.client.put_object(BUCKET, self.object, Reader()))
        thread.start()
        self.assertTrue(reading.wait(PATIENCE))

        def end() -> None:
            began = time.monotonic()
            oss_callback._calls._running.end()
            assert time.monotonic() - began < oss_callback._calls.LONGEST_EXIT / 2

        try:
            self.assertEqual(Child(end).status(), 0)
        finally:
            may_end.set()
            thread.join()


class Exits(OssTestCase):
    def status(self, how: str) -> tuple[int, str]:
        command = [sys.executable, "-c", AT_EXIT, how, ENDPOINT, BUCKET, sys.executable]
        run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        return run.returncode, run.stderr

    def test_a_thread_that_uploads_when_the_program_ends_does_not_abort_it(self) -> None:
        self.client.put_object(BUCKET, "exit/large", bytes(64 << 20))
        for how in ("reader", "progress", "parts", "writer", "signer", "provider", "stuck"):
            with self.subTest(how):
                self.assertEqual(self.status(how), (7, ""))
        self.client.delete_object(BUCKET, "exit/large")

    def test_a_thread_that_keeps_the_program_alive_ends_its_upload(self) -> None:
        program = """
import os, sys, threading, time
import oss_callback

class Slow:
    left = 20
    def read(self, size):
        time.sleep(0.01)
        self.left -= 1
        return b"x" if self.left >= 0 else b""

client = oss_callback.Client(sys.argv[1], region=os.environ["OSS_REGION"])
threading.Thread(target=client.put_object, args=(sys.argv[2], sys.argv[3], Slow())).start()
"""
        command = [sys.executable, "-c", program, ENDPOINT, BUCKET, self.object]
        subprocess.run(command, check=True, timeout=PATIENCE)
        self.assertEqual(self.contents(), b"x" * 20)


if __name__ == "__main__":
    unittest.main()
