"""What C has no place for is refused, with the name of the argument; what is closed is refused, too."""

from __future__ import annotations

import array
import gc
import io
import mmap
import os
import pathlib
import socket
import threading
import time
import unittest
from typing import Any, Callable

import oss_callback
from fixture import AGREED, BUCKET, ENDPOINT, OssTestCase


class Arguments(OssTestCase):
    def test_a_nul_is_refused_with_the_name_of_its_argument(self) -> None:
        put, nul = self.client.put_object, "a\0b"
        upload = self.client.resume_multipart_upload(BUCKET, "a", "id")
        cases: list[tuple[str, Callable[[], Any]]] = [
            ("bucket", lambda: put(nul, "a", b"")),
            ("object", lambda: put(BUCKET, nul, b"")),
            ("path", lambda: put(BUCKET, "a", pathlib.Path(nul))),
            ("path", lambda: put(BUCKET, "a", oss_callback.FileRange(nul, 0, 1))),
            ("path", lambda: self.client.upload_file(BUCKET, "a", nul)),
            ("checkpoint", lambda: self.client.upload_file(BUCKET, "a", "b", checkpoint=nul)),
            ("content_type", lambda: put(BUCKET, "a", b"", content_type=nul)),
            ("metadata: name", lambda: put(BUCKET, "a", b"", metadata={nul: ""})),
            ("headers: value", lambda: put(BUCKET, "a", b"", headers={"a": nul})),
            ("tags: value", lambda: put(BUCKET, "a", b"", tags={"a": nul})),
            ("endpoint", lambda: oss_callback.Client(nul)),
            ("region", lambda: oss_callback.Client("a", region=nul)),
            ("access_key_secret", lambda: oss_callback.Client("a", oss_callback.KeyPair("a", nul))),
            ("url", lambda: oss_callback.CallbackSpec(nul, "a")),
            ("body", lambda: oss_callback.CallbackSpec("a", nul)),
            ("body: value", lambda: oss_callback.CallbackSpec("a", {"b": oss_callback.Variable(nul)})),
            ("upload_id", lambda: self.client.resume_multipart_upload(BUCKET, "a", nul)),
            ("etag", lambda: upload.complete([oss_callback.Part(1, nul)])),
            ("target", lambda: oss_callback.Verifier().verify("POST", nul, {}, b"")),
            ("headers", lambda: oss_callback.Verifier().verify("POST", "/", {"a": nul}, b"")),
        ]
        for name, call in cases:
            with self.subTest(name), self.assertRaises(oss_callback.InvalidArgument) as raised:
                call()
            self.assertEqual(str(raised.exception), f"`{name}` contains a NUL")
            self.assertIsInstance(raised.exception, ValueError)
            self.expect(raised.exception, "INVALID_ARGUMENT", "NO")

    def test_numbers_that_do_not_fit_are_refused(self) -> None:
        put = self.client.put_object
        upload = self.client.resume_multipart_upload(BUCKET, "a", "id")
        cases: list[tuple[str, Callable[[], Any]]] = [
            ("length", lambda: put(BUCKET, "a", io.BytesIO(), length=-1)),
            ("length", lambda: put(BUCKET, "a", io.BytesIO(), length=(1 << 64) - 1)),
            ("offset", lambda: put(BUCKET, "a", oss_callback.FileRange("a", -1, 1))),
            ("bandwidth", lambda: put(BUCKET, "a", b"", bandwidth=1 << 64)),
            ("timeout", lambda: put(BUCKET, "a", b"", timeout=-0.1)),
            ("timeout", lambda: put(BUCKET, "a", b"", timeout=float("nan"))),
            ("max_attempts", lambda: put(BUCKET, "a", b"", retry_policy=oss_callback.RetryPolicy((1 << 32) + 1))),
            ("part_number", lambda: upload.upload_part((1 << 32) + 1, b"")),
            ("size", lambda: upload.complete([oss_callback.Part(1, "a", 1 << 64)])),
            ("expires_in", lambda: self.client.presign_get_object(BUCKET, "a", -1)),
            ("capacity", lambda: oss_callback.ReplayGuard(-1)),
        ]
        for name, call in cases:
            with self.subTest(name), self.assertRaisesRegex(oss_callback.InvalidArgument, f"^`{name}` is "):
                call()
        # Less than a millisecond is not none, which is refused.
        try:
            put(BUCKET, "a", b"", timeout=1e-9)
        except oss_callback.OssCallbackError as e:
            self.assertIs(e.kind, oss_callback.ErrorKind.TIMEOUT)

    def test_what_is_of_another_type_is_refused(self) -> None:
        put: Any = self.client.put_object
        for body in ("text", None, 7, object()):
            with self.assertRaises(TypeError):
                put(BUCKET, "a", body)
        with self.assertRaises(oss_callback.InvalidArgument):
            put(BUCKET, "a", memoryview(b"abcd")[::2])
        cases: list[Callable[[], Any]] = [
            lambda: put(7, "a", b""),
            lambda: put(BUCKET, b"a", b""),
            lambda: put(BUCKET, "a", b"", length=5),
            lambda: put(BUCKET, "a", b"", no_such_option=1),
            lambda: put(BUCKET, "a", b"", part_size=1.5),
            lambda: put(BUCKET, "a", b"", forbid_overwrite="false"),
            lambda: self.client.head_object(BUCKET, "a", content_type="a"),  # type: ignore[call-arg]
        ]
        for call in cases:
            with self.assertRaises(TypeError):
                call()
        with self.assertRaises(oss_callback.InvalidArgument):
            put(BUCKET, "a\ud800", b"")
        with self.assertRaises(oss_callback.InvalidArgument):
            put(BUCKET, "a", b"", part_size=1 << 20)  # for upload_file

    def test_buffers_of_all_kinds_are_uploaded_where_they_are(self) -> None:
        with mmap.mmap(-1, 4096) as mapped:
            mapped[:5] = b"hello"
            for body, contents in (
                (mapped, bytes(mapped)),
                (memoryview(bytes(mapped)), bytes(mapped)),
                (array.array("I", [1, 2]), array.array("I", [1, 2]).tobytes()),
                (memoryview(bytearray(b"hello"))[1:3], b"el"),
                (memoryview(b""), b""),
            ):
                self.client.put_object(BUCKET, self.object, body)  # type: ignore[arg-type]
                self.assertEqual(self.contents(), contents)
        body = bytearray(b"hello")

        def grow(sent: int, total: int | None) -> None:
            body.append(1)

        with self.assertRaises(BufferError):  # it cannot be moved away under the library
            self.client.put_object(BUCKET, self.object, body, progress=grow)
        body.append(1)  # it can again

    def test_secrets_are_not_shown(self) -> None:
        pair = oss_callback.KeyPair("id", "hidden", "hidden")
        key = oss_callback.SealKey("id", b"hidden")
        self.assertNotIn("hidden", f"{pair} {pair!r} {key} {key!r}")

    def test_the_environment_says_what_is_missing(self) -> None:
        secret = os.environ.pop("OSS_ACCESS_KEY_SECRET")
        self.addCleanup(os.environ.__setitem__, "OSS_ACCESS_KEY_SECRET", secret)
        with self.assertRaisesRegex(oss_callback.InvalidArgument, "OSS_ACCESS_KEY_SECRET is not set"):
            oss_callback.Client(ENDPOINT)

    def test_all_options_of_a_client_are_understood(self) -> None:
        closed = socket.socket()
        self.addCleanup(closed.close)
        closed.bind(("127.0.0.1", 0))
        address = "{}:{}".format(*closed.getsockname())
        with oss_callback.Client(
            "http://oss.example.com:1", region="cn-hangzhou", signature_version=1, cname=True, path_style=False,
            user_agent="test", connect_timeout=1, answer_timeout=2.5, progress_timeout=3, timeout=4, max_answer_len=5,
            retry_policy=oss_callback.RetryPolicy(1), addresses={"oss.example.com": [address, address]},
            max_idle_connections=1, max_idle_time=2, root_certificates="bundled",
        ) as client, self.assertRaises(oss_callback.OssCallbackError) as raised:  # fmt: skip
            client.put_object(BUCKET, "a", b"")
        self.assertIs(raised.exception.kind, oss_callback.ErrorKind.CONNECT)
        with self.assertRaisesRegex(oss_callback.InvalidArgument, "`network_interface` \"a/b\""):
            oss_callback.Client(ENDPOINT, region="cn-hangzhou", network_interface="a/b")
        with self.assertRaises(ValueError):
            oss_callback.Client(ENDPOINT, root_certificates="some")
        with self.assertRaises(TypeError):
            oss_callback.Client(ENDPOINT, no_such_option=1)  # type: ignore[call-arg]

    def test_addresses_are_chosen(self) -> None:
        port = ENDPOINT.rpartition(":")[2]
        one = oss_callback.RetryPolicy(1)
        for options, reached in (
            ({"local_address": "127.0.0.2"}, True),
            ({"local_address": "192.0.2.1"}, False),
            ({"network_interface": "no-such-device"}, False),
        ):
            with self.subTest(options), oss_callback.Client(
                f"http://oss.example.test:{port}", region="cn-hangzhou", path_style=True, retry_policy=one,
                addresses={"*.example.test": ["::1", "127.0.0.1"]}, **options,  # type: ignore[arg-type]
            ) as client:  # fmt: skip
                if reached:
                    client.put_object(BUCKET, self.object, b"")
                    continue
                with self.assertRaisesRegex(oss_callback.OssCallbackError, f"`{next(iter(options))}`") as raised:
                    client.put_object(BUCKET, self.object, b"")
                self.assertIs(raised.exception.kind, oss_callback.ErrorKind.CONNECT)

    def test_a_dead_first_address_costs_little(self) -> None:
        with socket.socket() as dead:
            dead.bind(("127.0.0.1", 0))
            dead.listen(0)
            queue = [socket.socket() for _ in range(3)]
            for waiting in queue:  # a full queue takes no further connection
                self.addCleanup(waiting.close)
                waiting.setblocking(False)
                waiting.connect_ex(dead.getsockname())
            addresses = ["{}:{}".format(*dead.getsockname()), ENDPOINT.removeprefix("http://")]
            with oss_callback.Client(
                "http://oss.example.test", region="cn-hangzhou", path_style=True, connect_timeout=40,
                addresses={"oss.example.test": addresses},
            ) as client:  # fmt: skip
                begun = time.monotonic()
                client.put_object(BUCKET, self.object, b"")
                self.assertLess(time.monotonic() - begun, 8)

    def test_all_options_of_an_upload_are_understood(self) -> None:
        self.client.put_object(
            BUCKET, self.object, b"hello", content_type="a/b", metadata={"a": "b"}, object_acl="private",
            storage_class="IA", tags={"k": "v"}, server_side_encryption="KMS", server_side_encryption_key_id="a",
            server_side_data_encryption="SM4", traffic_limit=819200, forbid_overwrite=False, cache_control="no-cache",
            content_disposition="inline", content_encoding="identity", content_language="zh", expires=1 << 31,
            requester_pays=False, content_md5=True, headers={"x-oss-a": "b"}, idempotency_id="1", connect_timeout=5,
            answer_timeout=5, progress_timeout=5, timeout=5, deadline=time.monotonic() + 60, retry_policy=oss_callback.RetryPolicy(1),
            callback_is_idempotent=True, compare_crc64=True, bandwidth=1 << 20, progress=lambda sent, total: None,
        )  # fmt: skip
        metadata = self.client.head_object(BUCKET, self.object, timeout=5, retry_policy=oss_callback.RetryPolicy(1))
        for name, value in (("content-type", "a/b"), ("x-oss-meta-a", "b"), ("cache-control", "no-cache")):
            self.assertEqual(metadata.header(name), value)
        with self.assertRaises(oss_callback.OssCallbackError) as raised:
            self.client.put_object(BUCKET, self.object, b"", forbid_overwrite=True)
        self.expect(raised.exception, "CONFLICT", "NO")
        with self.assertRaises(oss_callback.OssCallbackError) as raised:
            self.client.head_object(BUCKET, self.object, deadline=time.monotonic() - 1)
        self.expect(raised.exception, "TIMEOUT", "NO")


class Handles(OssTestCase):
    def test_what_is_closed_is_refused_and_closed_twice(self) -> None:
        client = self.client_for(ENDPOINT)
        spec, upload = self.spec("http://127.0.0.1/"), client.resume_multipart_upload(BUCKET, "a", "id")
        verifier, guard = oss_callback.Verifier(), oss_callback.ReplayGuard(1)
        sealer = oss_callback.Sealer(oss_callback.SealKey("a", bytes(32)))
        for _ in range(2):
            for closeable in (client, spec, upload, verifier, guard, sealer):
                with closeable:
                    pass
        permission = oss_callback.Permission(BUCKET, "a", max_size=1, valid_for=60)
        cases: list[tuple[str, Callable[[], Any]]] = [
            ("client", lambda: client.put_object(BUCKET, "a", b"")),
            ("client", lambda: client.resume_multipart_upload(BUCKET, "a", "id")),
            ("spec", lambda: self.client.put_object(BUCKET, "a", b"", callback=spec)),
            ("spec", lambda: spec.callback),
            ("upload", lambda: upload.list_parts()),
            ("verifier", lambda: verifier.verify("POST", "/", {}, b"")),
            ("sealer", lambda: sealer.seal(permission, "http://a/", "a")),
        ]
        for name, call in cases:
            with self.subTest(name), self.assertRaisesRegex(oss_callback.InvalidArgument, f"^`{name}` is closed$"):
                call()

    def test_an_upload_under_way_survives_close(self) -> None:
        client = self.client_for(ENDPOINT)

        class Closing:
            def read(self, size: int) -> bytes:
                client.close()
                gc.collect()
                return b""

        client.put_object(BUCKET, self.object, Closing())
        self.assertTrue(self.is_stored())

    def test_a_handle_is_freed_once_and_not_while_it_is_used(self) -> None:
        from oss_callback._handles import Handle

        freed: list[int] = []
        handle = Handle("handle", 7, freed.append)
        with handle as pointer:
            handle.close()
            self.assertEqual((pointer, freed), (7, []))
            with self.assertRaises(oss_callback.InvalidArgument):
                handle.__enter__()
        self.assertEqual(freed, [7])
        handle.close()
        del handle
        gc.collect()
        self.assertEqual(freed, [7])

    def test_garbage_is_freed_and_nothing_else(self) -> None:
        application = self.application()
        failures: list[BaseException] = []

        def work(worker: int) -> None:
            try:
                for turn in range(15):
                    name = f"{self.object}-{worker}-{turn}"
                    receipt = oss_callback.Client(ENDPOINT, region="cn-hangzhou").put_object(
                        BUCKET, name, name.encode(), callback=self.spec(application.url), progress=lambda *_: None
                    )
                    gc.collect()
                    self.assertEqual(receipt.header("x-oss-request-id"), receipt.request_id)
                    self.assertEqual(receipt.answer, AGREED)
            except BaseException as e:
                failures.append(e)

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((failures, len(application.requests)), ([], 60))

    def test_no_call_stays_registered(self) -> None:
        from oss_callback import _calls

        before = len(_calls._registered)
        self.client.put_object(BUCKET, self.object, b"")
        with self.assertRaises(oss_callback.OssCallbackError):
            self.client.put_object("No", self.object, b"")
        with self.assertRaises(TypeError):
            self.client.put_object(BUCKET, self.object, 7)  # type: ignore[arg-type]
        self.assertEqual(len(_calls._registered), before)


if __name__ == "__main__":
    unittest.main()
