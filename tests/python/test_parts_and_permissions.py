"""Uploads in parts, files that are uploaded in parts, presigned URLs and forms."""

from __future__ import annotations

import io
import pathlib
import socket
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from typing import Any

import oss_callback
from fixture import AGREED, BUCKET, OssTestCase

SIZE = 102400


class Parts(OssTestCase):
    def folder(self) -> pathlib.Path:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def test_an_object_of_parts_from_two_machines_has_one_callback(self) -> None:
        application = self.application()
        path = self.folder() / "part"
        path.write_bytes(b"b" * (SIZE + 2))
        upload = self.client.initiate_multipart_upload(BUCKET, self.object, metadata={"a": "b"})
        other = self.client.resume_multipart_upload(upload.bucket, upload.object, upload.upload_id)
        lines = [
            other.upload_part(3, io.BytesIO(b"c"), length=1).to_json(),
            other.upload_part(1, b"a" * SIZE).to_json(),
            other.upload_part(2, oss_callback.FileRange(path, 1, SIZE)).to_json(),
        ]
        listed = upload.list_parts()
        self.assertEqual([(part.number, part.size) for part in listed], [(1, SIZE), (2, SIZE), (3, 1)])
        parts = [oss_callback.Part.from_json(line) for line in lines]
        self.assertTrue(all(part.crc64 is not None for part in parts))
        receipt = upload.complete(parts, callback=self.spec(application.url))
        self.assertEqual((receipt.answer, len(application.requests)), (AGREED, 1))
        self.assertEqual(self.contents(), b"a" * SIZE + b"b" * SIZE + b"c")
        self.assertEqual(self.client.head_object(BUCKET, self.object).header("x-oss-meta-a"), "b")
        with self.assertRaises(oss_callback.InvalidArgument):
            oss_callback.Part.from_json("{}")

    def test_a_failed_callback_of_an_upload_in_parts_is_stored(self) -> None:
        upload = self.client.initiate_multipart_upload(BUCKET, self.object)
        upload.upload_part(1, b"hello")
        with self.assertRaises(oss_callback.CallbackFailed) as raised:
            upload.complete(callback=self.spec(self.application(500).url))
        self.expect(raised.exception, "CALLBACK_FAILED", "YES", "NO")
        self.assertTrue(self.is_stored())

    def test_uploads_begun_since_a_moment_are_listed(self) -> None:
        since = time.time()
        upload = self.client.initiate_multipart_upload(BUCKET, self.object)
        self.assertEqual(upload.notes, [])
        [listed] = self.client.list_uploads_begun_since(BUCKET, self.object, since)
        self.assertEqual((listed.object, listed.upload_id), (self.object, upload.upload_id))
        self.assertRegex(listed.initiated, r"^20..-..-..T..:..:..\....Z$")
        self.assertEqual(self.client.list_uploads_begun_since(BUCKET, self.object, since + 3600), [])
        upload.abort()

    def test_a_beginning_whose_answer_is_lost_is_named(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            # Takes the request, and closes the connection.
            def serve() -> None:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)

            server.settimeout(10)
            threading.Thread(target=serve).start()
            client = oss_callback.Client(
                f"http://127.0.0.1:{server.getsockname()[1]}",
                oss_callback.KeyPair("id", "secret"),
                region="cn-hangzhou",
                retry_policy=oss_callback.RetryPolicy(max_attempts=1),
            )
            with client, self.assertRaises(oss_callback.OssCallbackError) as raised:
                client.initiate_multipart_upload(BUCKET, "o")
            [note] = raised.exception.notes
            self.assertIn(f"{BUCKET}/o begun since 20", note)

    def test_an_aborted_upload_is_gone(self) -> None:
        upload = self.client.initiate_multipart_upload(BUCKET, self.object, forbid_overwrite=True)
        with self.assertRaises(oss_callback.InvalidArgument):
            upload.upload_part(1, io.BytesIO(b"a"))
        with self.assertRaises(oss_callback.InvalidArgument):
            upload.upload_part(0, b"a")
        upload.upload_part(1, b"a")
        self.client.put_object(BUCKET, self.object, b"kept")
        with self.assertRaises(oss_callback.OssCallbackError) as raised:
            upload.complete()
        self.expect(raised.exception, "CONFLICT", "NO")
        upload.abort()
        with self.assertRaises(oss_callback.OssCallbackError) as raised:
            upload.list_parts()
        self.expect(raised.exception, "NOT_FOUND", "NO")
        self.assertEqual(self.contents(), b"kept")

    def test_upload_file_goes_on_where_it_was(self) -> None:
        application, folder = self.application(), self.folder()
        path, checkpoint = folder / "large", folder / "checkpoint"
        text = b"0123456789abcdef" * (1 << 16)
        path.write_bytes(text)
        options: Any = {"callback": self.spec(application.url), "part_size": SIZE, "parallel": 2}

        class Enough(Exception):
            pass

        def half(sent: int, total: int | None) -> None:
            if sent >= len(text) // 2:
                raise Enough

        with self.assertRaises(Enough) as raised:
            self.client.upload_file(BUCKET, self.object, path, checkpoint=checkpoint, progress=half, **options)
        assert raised.exception.__cause__ is not None
        self.assertTrue(self.expect(raised.exception.__cause__, "CANCELLED", "NO", "NO").upload_id)
        seen: list[int] = []
        receipt = self.client.upload_file(
            BUCKET, self.object, path, checkpoint=checkpoint, progress=lambda sent, total: seen.append(sent), **options
        )
        self.assertEqual((receipt.answer, len(application.requests)), (AGREED, 1))
        self.assertGreater(seen[0], len(text) // 4)
        self.assertEqual(self.contents(), text)
        self.assertFalse(checkpoint.exists())


class Permissions(OssTestCase):
    def test_a_presigned_upload_needs_no_key(self) -> None:
        application = self.application()
        url = self.client.presign_put_object(
            BUCKET, self.object, 60, callback=self.spec(application.url), content_type="a/b"
        )
        self.assertEqual((url.method, url.headers), ("PUT", {"Content-Type": "a/b"}))
        assert url.expires is not None
        request = urllib.request.Request(url.url, b"hello", url.headers, method=url.method)
        with urllib.request.urlopen(request) as answer:
            self.assertEqual(answer.read(), AGREED)
        self.assertEqual(self.contents(), b"hello")
        # On another machine, with this package.
        received = oss_callback.PresignedUrl.from_json(url.to_json())
        with oss_callback.Client("http://127.0.0.1", oss_callback.AnonymousCredentials(), region="a") as client:
            self.assertEqual(client.put_object_with_url(received, b"again").answer, AGREED)
        self.assertEqual((self.contents(), len(application.requests)), (b"again", 2))
        with urllib.request.urlopen(self.client.presign_get_object(BUCKET, self.object, 60).url) as answer:
            self.assertEqual(answer.read(), b"again")
        look = self.client.presign_head_object(BUCKET, self.object, 60)
        with urllib.request.urlopen(urllib.request.Request(look.url, method=look.method)) as answer:
            self.assertEqual((look.method, answer.headers["Content-Length"]), ("HEAD", "5"))
        with self.assertRaises(oss_callback.InvalidArgument):
            oss_callback.PresignedUrl.from_json("{}")

    def test_a_browsers_form_uploads(self) -> None:
        application = self.application()
        form = self.client.sign_post_form(
            BUCKET,
            key=self.object,
            expires_in=60,
            content_length_range=(0, 5),
            callback=self.spec(application.url),
            fields={"x-oss-meta-a": "b"},
        )
        self.assertIn(form.url, form.to_json())

        def post(text: str) -> bytes:
            lines = []
            for name, value in [*form.fields, ("file", text)]:
                lines += ["--boundary", f'Content-Disposition: form-data; name="{name}"', "", value]
            body = "\r\n".join([*lines, "--boundary--", ""]).encode()
            headers = {"Content-Type": "multipart/form-data; boundary=boundary"}
            with urllib.request.urlopen(urllib.request.Request(form.url, body, headers)) as answer:
                return bytes(answer.read())

        self.assertEqual((post("hello"), self.contents()), (AGREED, b"hello"))
        with self.assertRaises(urllib.error.HTTPError) as raised:
            post("longer")
        with raised.exception as answer:
            self.assertIn(b"EntityTooLarge", answer.read())


if __name__ == "__main__":
    unittest.main()
