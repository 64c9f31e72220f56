"""The official Python SDK of the second generation, unchanged, against local-oss.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    LOCAL_OSS=target/debug/local-oss venv/bin/python alibabacloud_oss_v2_conformance.py

The program may also be the first argument. Each test runs with signature versions 1 and 4, with the bucket in the path, as
the SDK has it for addresses.
"""

import base64
import datetime
import hashlib
import io
import json
import os
import socket
import tempfile
import unittest
import urllib.parse

import alibabacloud_oss_v2 as oss
import requests

from local_oss import BUCKET, KEYS, REGION, Application, LocalOss, encode, main


def service_error(caught):
    """The SDK wraps what the service answered."""
    return caught.exception.unwrap()


class Conformance:
    """The tests; subclasses say how requests are signed."""

    @classmethod
    def setUpClass(cls):
        cls.server = LocalOss()
        cls.application = Application(cls.server.endpoint + "/")
        cls.client = cls.open_client("SK")

    @classmethod
    def tearDownClass(cls):
        cls.application.shutdown()
        cls.application.server_close()
        cls.server.stop()

    @classmethod
    def open_client(cls, secret, attempts=1):
        config = oss.config.load_default()
        config.credentials_provider = oss.credentials.StaticCredentialsProvider("AK", secret)
        config.region = REGION
        config.endpoint = cls.server.endpoint
        config.signature_version = cls.version
        # A retry could hide a failure.
        config.retry_max_attempts = attempts
        return oss.Client(config)

    def put(self, key, body, **members):
        return self.client.put_object(oss.PutObjectRequest(bucket=BUCKET, key=key, body=body, **members))

    def get(self, key, **members):
        return self.client.get_object(oss.GetObjectRequest(bucket=BUCKET, key=key, **members))

    def read(self, key, **members):
        with self.get(key, **members).body as body:
            return body.read()

    def head(self, key):
        return self.client.head_object(oss.HeadObjectRequest(bucket=BUCKET, key=key))

    def callback(self, path, body="object=${object}&size=${size}&v=${x:v}", **members):
        value = {"callbackUrl": self.application.url(path), "callbackBody": body, **members}
        return {"callback": encode(value), "callback_var": encode({"x:v": "值 1"})}

    def assert_refused(self, status, code, function, *arguments, **members):
        with self.assertRaises(oss.exceptions.OperationError) as caught:
            function(*arguments, **members)
        error = service_error(caught)
        self.assertEqual((error.status_code, error.code), (status, code))
        return error

    def test_an_object_of_any_name_comes_back(self):
        for key in KEYS:
            # The SDK signs this key as it is and sends it without the dot.
            if "/./" in key:
                continue
            with self.subTest(key=key[:40]):
                contents = key.encode()
                put = self.put(key, contents)
                etag = f'"{hashlib.md5(contents).hexdigest().upper()}"'
                self.assertEqual((put.status_code, put.etag), (200, etag))
                self.assertEqual(self.read(key), contents)
                head = self.head(key)
                self.assertEqual((head.content_length, head.etag, head.hash_crc64), (len(contents), etag, put.hash_crc64))
                deleted = self.client.delete_object(oss.DeleteObjectRequest(bucket=BUCKET, key=key))
                self.assertEqual(deleted.status_code, 204)
                self.assert_refused(404, "NoSuchKey", self.get, key)
                self.assert_refused(404, "NoSuchKey", self.head, key)

    def test_whether_something_exists(self):
        self.assertFalse(self.client.is_object_exist(BUCKET, "exists"))
        self.put("exists", b"x")
        self.assertTrue(self.client.is_object_exist(BUCKET, "exists"))

    def test_files_and_streams(self):
        contents = os.urandom(3_000_001)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "file.jpg")
            with open(path, "wb") as file:
                file.write(contents)
            request = oss.PutObjectRequest(bucket=BUCKET, key="file.jpg")
            self.assertEqual(self.client.put_object_from_file(request, path).status_code, 200)
            self.assertEqual(self.head("file.jpg").content_type, "image/jpeg")
            request = oss.GetObjectRequest(bucket=BUCKET, key="file.jpg")
            # With one attempt this one makes none.
            self.open_client("SK", attempts=2).get_object_to_file(request, path + ".copy")
            with open(path + ".copy", "rb") as copy:
                self.assertEqual(copy.read(), contents)
            with open(path, "rb") as file:
                self.assertEqual(self.put("stream", file).status_code, 200)
        self.assertEqual(self.put("bytes-io", io.BytesIO(contents)).status_code, 200)
        # Of unknown length: sent in chunks.
        chunks = (contents[start : start + 100_000] for start in range(0, len(contents), 100_000))
        self.assertEqual(self.put("chunked", chunks).status_code, 200)
        for key in ["stream", "bytes-io", "chunked"]:
            self.assertEqual(self.read(key), contents)

    def test_ranges(self):
        self.put("ranges", b"0123456789")
        for header, expected in [("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-3", b"789")]:
            got = self.get("ranges", range_header=header)
            self.assertEqual((got.status_code, got.body.read()), (206, expected))
        beyond = {"range_header": "bytes=20-30", "range_behavior": "standard"}
        self.assert_refused(416, "InvalidRange", self.get, "ranges", **beyond)

    def test_metadata(self):
        self.put("metadata", b"x", metadata={"colour": "blue"}, content_type="text/x-a", cache_control="no-cache")
        head = self.head("metadata")
        self.assertEqual((head.metadata["colour"], head.content_type, head.cache_control), ("blue", "text/x-a", "no-cache"))
        self.assertEqual(self.get("metadata", response_content_type="text/y").content_type, "text/y")

    def test_a_content_md5_is_compared(self):
        right = base64.b64encode(hashlib.md5(b"x").digest()).decode()
        self.assertEqual(self.put("md5", b"x", content_md5=right).status_code, 200)
        self.assert_refused(400, "InvalidDigest", self.put, "md5", b"y", content_md5=right)

    def test_a_forbidden_overwrite(self):
        self.put("once", b"x")
        self.assert_refused(409, "FileAlreadyExists", self.put, "once", b"y", forbid_overwrite=True)

    def test_listings(self):
        keys = sorted((f"listed/{folder}/目 +{number}" for folder in "ab" for number in range(5)), key=str.encode)
        for key in keys:
            self.put(key, b"hello")
        for paginator, request in [
            (self.client.list_objects_paginator(limit=3), oss.ListObjectsRequest),
            (self.client.list_objects_v2_paginator(limit=3), oss.ListObjectsV2Request),
        ]:
            pages = list(paginator.iter_page(request(bucket=BUCKET, prefix="listed/")))
            found = [found for page in pages for found in page.contents]
            self.assertEqual([found.key for found in found], keys)
            self.assertEqual(({found.size for found in found}, len(pages)), ({5}, 4))
            pages = list(paginator.iter_page(request(bucket=BUCKET, prefix="listed/", delimiter="/")))
            folders = [folder.prefix for page in pages for folder in page.common_prefixes]
            self.assertEqual(folders, ["listed/a/", "listed/b/"])

    def test_what_a_bucket_says_of_itself(self):
        info = self.client.get_bucket_info(oss.GetBucketInfoRequest(bucket=BUCKET)).bucket_info
        self.assertEqual((info.name, info.location, info.acl), (BUCKET, f"oss-{REGION}", "private"))

    def test_a_callback_is_verified_and_its_answer_seen(self):
        put = self.put("目/a b", b"hello", **self.callback("/ok%20ay?id=%31&b"))
        self.assertEqual((put.status_code, json.loads(put.callback_result)), (200, {"verified": True}))
        path, headers, body, _ = self.application.received[-1]
        self.assertEqual(path, "/ok%20ay?id=%31&b")
        self.assertEqual(urllib.parse.parse_qs(body.decode()), {"object": ["目/a b"], "size": ["5"], "v": ["值 1"]})
        self.assertEqual(headers["x-oss-request-id"], put.request_id)

    def presign(self, request, seconds=600):
        return self.client.presign(request, expires=datetime.timedelta(seconds=seconds))

    def send(self, presigned, body=b"", url=None, headers=None):
        headers = presigned.signed_headers if headers is None else headers
        return requests.request(presigned.method, url or presigned.url, headers=headers, data=body, timeout=10)

    def test_a_presigned_url_has_the_callback_in_its_query_or_in_headers(self):
        def in_query(callback):
            return {"parameters": {"callback": callback["callback"], "callback-var": callback["callback_var"]}}

        self.assert_placements(in_query, set())
        self.assert_placements(lambda callback: callback, {"x-oss-callback", "x-oss-callback-var"})

    def assert_placements(self, placed, signed):
        for key in KEYS:
            # The SDK signs this key as it is and sends it without the dot.
            if "/./" in key:
                continue
            members = placed(self.callback("/ok%20ay?id=%31&b"))
            request = oss.PutObjectRequest(bucket=BUCKET, key=key, content_type="text/x-a", **members)
            presigned = self.presign(request)
            names = {name.lower() for name in presigned.signed_headers}
            self.assertEqual(names, {"content-type", *signed})
            put = self.send(presigned, b"hello")
            self.assertEqual((put.status_code, put.json()), (200, {"verified": True}), put.text)
            path, _, body, _ = self.application.received[-1]
            self.assertEqual(path, "/ok%20ay?id=%31&b")
            self.assertEqual(urllib.parse.parse_qs(body.decode()), {"object": [key], "size": ["5"], "v": ["值 1"]})
            got = self.send(self.presign(oss.GetObjectRequest(bucket=BUCKET, key=key)))
            self.assertEqual((got.content, got.headers["Content-Type"]), (b"hello", "text/x-a"))
            head = self.send(self.presign(oss.HeadObjectRequest(bucket=BUCKET, key=key)))
            self.assertEqual((head.status_code, head.headers["Content-Length"]), (200, "5"))
            self.client.delete_object(oss.DeleteObjectRequest(bucket=BUCKET, key=key))

        before = len(self.application.received)
        for url, headers in [
            (presigned.url.replace("/q", "/p", 1), None),
            (None, {**presigned.signed_headers, "Content-Type": "text/y"}),
            (None, {}),
        ]:
            refused = self.send(presigned, b"hello", url, headers)
            self.assertEqual(refused.status_code, 403)
            self.assertIn("<Code>SignatureDoesNotMatch</Code>", refused.text)
        self.assertEqual(len(self.application.received), before)

        request = oss.PutObjectRequest(bucket=BUCKET, key="failed", **placed(self.callback("/404")))
        failed = self.send(self.presign(request), b"hello")
        self.assertEqual(failed.status_code, 203)
        self.assertIn("<Message>Error status : 404.</Message>", failed.text)
        self.assertEqual(self.read("failed"), b"hello")
        self.client.delete_object(oss.DeleteObjectRequest(bucket=BUCKET, key="failed"))

    def test_a_presigned_url_ends(self):
        # Of one second the SDK leaves none.
        presigned = self.presign(oss.PutObjectRequest(bucket=BUCKET, key="ends"), seconds=2)
        answer = self.send(presigned, b"hello")
        while answer.status_code == 200:
            answer = self.send(presigned, b"hello")
        self.assertEqual(answer.status_code, 403)
        self.assertIn("<Message>Request has expired.</Message>", answer.text)

    def test_presigned_urls_of_a_multipart_upload(self):
        named = {"bucket": BUCKET, "key": "presigned"}
        begun = self.send(self.presign(oss.InitiateMultipartUploadRequest(**named)))
        named["upload_id"] = begun.text.split("<UploadId>")[1].split("<")[0]
        part = self.send(self.presign(oss.UploadPartRequest(**named, part_number=1)), b"hello")
        self.assertEqual((part.status_code, part.headers["ETag"]), (200, f'"{hashlib.md5(b"hello").hexdigest().upper()}"'))
        request = oss.CompleteMultipartUploadRequest(**named, complete_all="yes", **self.callback("/"))
        done = self.send(self.presign(request))
        self.assertEqual((done.status_code, done.json()), (200, {"verified": True}))
        self.assertEqual(self.read("presigned"), b"hello")

    def test_a_multipart_upload_with_a_callback(self):
        named = {"bucket": BUCKET, "key": "目/a +b"}
        bodies = [os.urandom(102_400), os.urandom(150_000), b"end"]
        request = oss.InitiateMultipartUploadRequest(**named, content_type="text/x-a", metadata={"colour": "blue"})
        named["upload_id"] = self.client.initiate_multipart_upload(request).upload_id
        parts = []
        for number, body in enumerate(bodies, 1):
            part = self.client.upload_part(oss.UploadPartRequest(**named, part_number=number, body=body))
            self.assertEqual(part.etag, f'"{hashlib.md5(body).hexdigest().upper()}"')
            parts.append(oss.UploadPart(part_number=number, etag=part.etag))
        pages = list(self.client.list_parts_paginator(limit=2).iter_page(oss.ListPartsRequest(**named)))
        listed = [(part.part_number, part.size, part.etag) for page in pages for part in page.parts]
        self.assertEqual(listed, [(part.part_number, len(body), part.etag) for part, body in zip(parts, bodies)])
        self.assertEqual(len(pages), 2)

        complete = oss.CompleteMultipartUpload(parts=parts)
        request = oss.CompleteMultipartUploadRequest(**named, complete_multipart_upload=complete, **self.callback("/"))
        done = self.client.complete_multipart_upload(request)
        self.assertEqual((done.status_code, json.loads(done.callback_result)), (200, {"verified": True}))
        received = urllib.parse.parse_qs(self.application.received[-1][2].decode())
        self.assertEqual(received, {"object": [named["key"]], "size": ["252403"], "v": ["值 1"]})
        head = self.head(named["key"])
        self.assertEqual((head.object_type, head.content_type, head.hash_crc64), ("Multipart", "text/x-a", done.hash_crc64))
        self.assertEqual((head.metadata["colour"], self.read(named["key"])), ("blue", b"".join(bodies)))
        self.assert_refused(404, "NoSuchUpload", self.client.complete_multipart_upload, request)

    def test_all_parts_are_taken_on_request(self):
        named = {"bucket": BUCKET, "key": "all"}
        named["upload_id"] = self.client.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(**named)).upload_id
        self.client.upload_part(oss.UploadPartRequest(**named, part_number=5, body=b"hello"))
        done = self.client.complete_multipart_upload(oss.CompleteMultipartUploadRequest(**named, complete_all="yes"))
        self.assertEqual((done.bucket, done.key, self.read("all")), (BUCKET, "all", b"hello"))
        md5 = hashlib.md5(hashlib.md5(b"hello").hexdigest().upper().encode()).hexdigest().upper()
        self.assertEqual(done.etag, f'"{md5}-1"')

    def test_multipart_uploads_are_listed_and_aborted(self):
        keys = sorted((f"uploads/{folder}/目 +{number}" for folder in "ab" for number in range(3)), key=str.encode)
        begun = []
        for key in keys:
            request = oss.InitiateMultipartUploadRequest(bucket=BUCKET, key=key)
            begun.append((key, self.client.initiate_multipart_upload(request).upload_id))
        paginator = self.client.list_multipart_uploads_paginator(limit=4)
        pages = list(paginator.iter_page(oss.ListMultipartUploadsRequest(bucket=BUCKET, prefix="uploads/")))
        self.assertEqual([(upload.key, upload.upload_id) for page in pages for upload in page.uploads], begun)
        self.assertEqual(len(pages), 2)
        for key, upload_id in begun:
            request = oss.AbortMultipartUploadRequest(bucket=BUCKET, key=key, upload_id=upload_id)
            self.assertEqual(self.client.abort_multipart_upload(request).status_code, 204)
            self.assert_refused(404, "NoSuchUpload", self.client.abort_multipart_upload, request)

    def test_the_uploader_goes_on_from_its_checkpoint(self):
        contents = os.urandom(1_000_001)
        client, sent = self.open_client("SK"), []
        upload_part = client.upload_part

        def upload(folder, last):
            def limited(request, **named):
                if request.part_number > last:
                    raise OSError("the test ends it here")
                sent.append(request.part_number)
                return upload_part(request, **named)

            client.upload_part = limited
            settings = {"part_size": 102_400, "parallel_num": 3, "enable_checkpoint": True, "checkpoint_dir": folder}
            request = oss.PutObjectRequest(bucket=BUCKET, key="resumed", metadata={"colour": "blue"}, **self.callback("/"))
            return client.uploader().upload_file(request, os.path.join(folder, "file.jpg"), **settings)

        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "file.jpg"), "wb") as file:
                file.write(contents)
            with self.assertRaises(oss.exceptions.BaseError):
                upload(folder, 4)
            self.assertFalse(self.client.is_object_exist(BUCKET, "resumed"))
            before = len(self.application.received)
            done = upload(folder, 10)
        self.assertEqual(sorted(sent), list(range(1, 11)))
        self.assertEqual((done.status_code, self.read("resumed")), (200, contents))
        head = self.head("resumed")
        self.assertEqual((head.content_type, head.metadata["colour"], head.etag), ("image/jpeg", "blue", done.headers["ETag"]))
        self.assertEqual(len(self.application.received), before + 1)

    def test_a_failed_callback_is_203_and_the_object_stored(self):
        with socket.socket() as taken:
            # Bound and not listening: refuses.
            taken.bind(("127.0.0.1", 0))
            refused = f"http://127.0.0.1:{taken.getsockname()[1]}/"
            for members, message in [
                ({"path": "/404"}, "Error status : 404."),
                ({"path": "/text"}, "Response body is not valid json format."),
                ({"path": "/", "callbackUrl": refused}, "Error status : 502."),
            ]:
                members = dict(members)
                put = self.put("failed", b"hello", **self.callback(members.pop("path"), **members))
                # The SDK takes it for success.
                self.assertEqual(put.status_code, 203)
                self.assertIn("<Code>CallbackFailed</Code>", put.callback_result)
                self.assertIn(f"<Message>{message}</Message>", put.callback_result)
                self.assertEqual(self.read("failed"), b"hello")
                self.client.delete_object(oss.DeleteObjectRequest(bucket=BUCKET, key="failed"))

    def test_a_bad_callback_is_400_and_nothing_stored(self):
        error = self.assert_refused(400, "InvalidArgument", self.put, "bad", b"hello", callback="not Base64")
        self.assertEqual(error.ec, "0007-00000002")
        self.assertFalse(self.client.is_object_exist(BUCKET, "bad"))

    def test_a_wrong_secret_is_403_also_for_a_large_body(self):
        client = self.open_client("wrong")
        for body in [b"", b"x" * 20_000_000]:
            request = oss.PutObjectRequest(bucket=BUCKET, key="a", body=body)
            self.assert_refused(403, "SignatureDoesNotMatch", client.put_object, request)
        request = oss.HeadObjectRequest(bucket=BUCKET, key="a")
        self.assert_refused(403, "SignatureDoesNotMatch", client.head_object, request)


class Version1(Conformance, unittest.TestCase):
    version = "v1"


class Version4(Conformance, unittest.TestCase):
    version = "v4"


if __name__ == "__main__":
    main()
