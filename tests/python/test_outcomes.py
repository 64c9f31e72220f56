"""Whether the object is stored, and what else is said of an upload."""

from __future__ import annotations

import io
import os
import pathlib
import pickle
import socket
import tempfile
import unittest

import oss_callback
from fixture import AGREED, BUCKET, OssTestCase

HELLO = "5D41402ABC4B2A76B9719D911017C592"


class Outcomes(OssTestCase):
    def test_an_agreeing_application_servers_answer_comes_back(self) -> None:
        application = self.application()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "hello.txt")
            path.write_bytes(b"..hello..")
            with path.open("rb") as file, path.open("rb", buffering=0) as raw:
                file.seek(2)
                raw.seek(4)
                bodies = {
                    "bytes": b"hello",
                    "bytearray": bytearray(b"hello"),
                    "memoryview": memoryview(b"..hello..")[2:7],
                    "range": oss_callback.FileRange(str(path), 2, 5),
                    "chunked": ReadOnly(b"hello"),
                    "buffer": io.BytesIO(b"hello"),
                }
                for name, body in bodies.items():
                    spec = self.spec(application.url)
                    receipt = self.client.put_object(
                        BUCKET, self.object + name, body, callback=spec, content_type="a/b", metadata={"a": "b"}
                    )
                    self.assertEqual(
                        (receipt.status, receipt.answer, receipt.answer_content_type, receipt.etag, receipt.attempts),
                        (200, AGREED, "application/json", HELLO, 1),
                        name,
                    )
                    self.assertEqual(receipt.json(), {"Status": "OK"})
                    self.assertIsNotNone(receipt.crc64)
                    self.assertTrue(receipt.request_id)
                    self.assertEqual(receipt.header("X-OSS-Request-ID"), receipt.request_id)
                    self.assertIsNone(receipt.header("none"))
                    self.assertEqual(self.contents(self.object + name), b"hello", name)
                self.assertEqual(len(application.requests), len(bodies))
                self.client.put_object(BUCKET, self.object, file)
                self.assertEqual(self.contents(), b"hello..")
                self.client.put_object(BUCKET, self.object, raw)
                self.assertEqual(self.contents(), b"llo..")
            receipt = self.client.put_object(BUCKET, self.object, path)
            self.assertEqual((receipt.answer, self.contents()), (b"", b"..hello.."))
        self.client.put_object(BUCKET, self.object, b"")
        self.assertEqual(self.contents(), b"")
        metadata = self.client.head_object(BUCKET, self.object + "bytes")
        self.assertEqual((metadata.etag, metadata.content_length), (HELLO, 5))
        self.assertEqual((metadata.header("content-type"), metadata.header("x-oss-meta-a")), ("a/b", "b"))
        assert metadata.last_modified is not None
        self.assertGreater(metadata.last_modified, 1_600_000_000)
        self.client.delete_object(BUCKET, self.object)
        self.assertFalse(self.is_stored())

    def test_a_203_says_that_the_object_is_stored(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            refused = "http://{}:{}/".format(*listener.getsockname())
        for name, url, message in (
            ("404", self.application(404).url, "Error status : 404."),
            ("502", self.application(502).url, "Error status : 502."),
            ("not JSON", self.application(200, b"OK").url, "Response body is not valid json format."),
            ("refused", refused, "Error status : 502."),
        ):
            with self.subTest(name), self.assertRaises(oss_callback.CallbackFailed) as raised:
                self.client.put_object(BUCKET, self.object, b"hello", callback=self.spec(url))
            e = self.expect(raised.exception, "CALLBACK_FAILED", "YES", "NO")
            self.assertEqual((e.status, e.oss_code, e.oss_message), (203, "CallbackFailed", message))
            self.assertTrue(e.diagnosis and e.ec and e.request_id)
            assert e.receipt is not None
            self.assertEqual((e.receipt.status, e.receipt.etag, e.receipt.answer), (203, HELLO, b""))
            self.assertEqual(e.receipt.header("x-oss-request-id"), e.request_id)
            self.assertIn(b"CallbackFailed", e.body)
            self.assertTrue(self.is_stored())
            # The facts survive on their way to another process.
            copied = pickle.loads(pickle.dumps(e))
            self.assertIsInstance(copied, oss_callback.CallbackFailed)
            self.assertEqual((copied.stored, copied.receipt.etag, str(copied)), (e.stored, HELLO, str(e)))
            self.assertIsNone(copied.header("x-oss-request-id") or copied.receipt.header("x-oss-request-id"))

    def test_a_refused_upload_is_not_stored(self) -> None:
        application = self.application()
        wrong = self.client_for(self.client_endpoint(), oss_callback.KeyPair("test-key-id", "another"))
        with self.assertRaises(oss_callback.OssCallbackError) as raised:
            wrong.put_object(BUCKET, self.object, b"hello", callback=self.spec(application.url))
        e = self.expect(raised.exception, "ACCESS_DENIED", "NO", "NO")
        self.assertEqual(e.status, 403)
        self.assertIn(e.oss_code, ("SignatureDoesNotMatch", "InvalidAccessKeyId"))
        self.assertIsNone(e.receipt)
        self.assertTrue(e.detail("hostid") or e.host_id)
        self.assertEqual(e.header("x-oss-request-id"), e.request_id)
        self.assertFalse(self.is_stored() or application.requests)

    def client_endpoint(self) -> str:
        from fixture import ENDPOINT

        return ENDPOINT

    def test_a_cut_answer_is_stored_and_answered(self) -> None:
        application = self.application()
        client = self.client_for(self.mangling(5).endpoint)
        with self.assertRaises(oss_callback.OssCallbackError) as raised:
            client.put_object(BUCKET, self.object, b"hello", callback=self.spec(application.url))
        e = self.expect(raised.exception, "ANSWER_DAMAGED", "YES", "YES")
        assert e.receipt is not None
        self.assertEqual((e.receipt.answer, len(application.requests)), (AGREED[:-5], 1))
        self.assertTrue(self.is_stored())

    def test_a_lost_answer_is_unknown_and_not_sent_again(self) -> None:
        application, network = self.application(), self.mangling(None)
        client = self.client_for(network.endpoint)
        with self.assertRaises(oss_callback.OssCallbackError) as raised:
            client.put_object(BUCKET, self.object, b"hello", callback=self.spec(application.url))
        e = self.expect(raised.exception, "CONNECTION_LOST", "UNKNOWN", "UNKNOWN")
        self.assertEqual((e.receipt, e.attempts, e.history, len(application.requests)), (None, 1, [], 1))

        reconciled = self.client.reconcile(e)
        assert reconciled.object is not None
        self.assertEqual((reconciled.outcome.name, reconciled.object.content_length), ("CONTENT_PRESENT", 5))
        with self.assertRaises(oss_callback.InvalidArgument):
            self.client.reconcile(pickle.loads(pickle.dumps(e)))

        # Without a callback it is, and the history says so.
        with self.assertRaises(oss_callback.OssCallbackError) as raised:
            client.put_object(BUCKET, self.object, b"", retry_policy=oss_callback.RetryPolicy(2, 0.001))
        e = self.expect(raised.exception, "CONNECTION_LOST", "UNKNOWN")
        self.assertEqual((e.attempts, [attempt.kind.name for attempt in e.history]), (2, ["CONNECTION_LOST"]))
        self.assertIs(e.history[0].stored, oss_callback.Stored.UNKNOWN)

        # What an upload's policy leaves open is the client's.
        region, twice = os.environ["OSS_REGION"], oss_callback.RetryPolicy(2)
        with oss_callback.Client(network.endpoint, region=region, retry_policy=twice) as patient:
            with self.assertRaises(oss_callback.OssCallbackError) as raised:
                patient.put_object(BUCKET, self.object, b"", retry_policy=oss_callback.RetryPolicy(base_delay=0.001))
        self.assertEqual(raised.exception.attempts, 2)


    def test_reconcile_tells_whose_object_it_is(self) -> None:
        once = oss_callback.RetryPolicy(1)
        with self.assertRaises(oss_callback.OssCallbackError) as raised:
            self.client_for(self.mangling(None).endpoint).put_object(
                BUCKET, self.object, b"hello", idempotency_id="mine", retry_policy=once
            )
        reconciled = self.client.reconcile(raised.exception)
        assert reconciled.object is not None
        self.assertEqual(reconciled.outcome, oss_callback.Outcome.STORED)
        self.assertEqual(reconciled.object.header("x-oss-meta-idempotency-id"), "mine")
        # It never came to the server.
        with self.assertRaises(oss_callback.OssCallbackError) as raised:
            self.client_for(self.silent().endpoint).put_object(BUCKET, self.object + "2", b"", timeout=0.1)
        reconciled = self.client.reconcile(self.expect(raised.exception, "TIMEOUT", "UNKNOWN"))
        self.assertEqual((reconciled.outcome, reconciled.object), (oss_callback.Outcome.NOT_THERE, None))
        self.assertIsNotNone(reconciled.observed_at)


class ReadOnly:
    """A reader that has nothing but read."""

    def __init__(self, text: bytes) -> None:
        self.inner = io.BytesIO(text)

    def read(self, size: int) -> bytes:
        return self.inner.read(min(size, 2))


if __name__ == "__main__":
    unittest.main()
