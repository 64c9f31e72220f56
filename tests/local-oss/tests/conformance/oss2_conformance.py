"""The official Python SDK, unchanged, against local-oss.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    LOCAL_OSS=target/debug/local-oss venv/bin/python oss2_conformance.py

The program may also be the first argument. Each test runs with signature versions 1 and 4, with the bucket in the path
(as oss2 has it for addresses) and in the host name.
"""

import base64
import hashlib
import json
import os
import socket
import tempfile
import unittest
import urllib.parse

import oss2
import requests

from local_oss import BUCKET, KEYS, REGION, Application, LocalOss, encode, main


class Conformance:
    """The tests; subclasses say how requests are signed and addressed."""

    virtual_host = False

    @classmethod
    def setUpClass(cls):
        cls.server = LocalOss()
        cls.application = Application(cls.server.endpoint + "/")
        cls.bucket = cls.open_bucket("SK")

    @classmethod
    def tearDownClass(cls):
        cls.application.shutdown()
        cls.application.server_close()
        cls.server.stop()

    @classmethod
    def open_bucket(cls, secret):
        endpoint = cls.server.endpoint
        if cls.virtual_host:
            endpoint = endpoint.replace("127.0.0.1", f"oss-{REGION}.aliyuncs.com")
        # One attempt: a retry could hide a failure.
        session = oss2.Session(pool_size=1)
        return oss2.Bucket(cls.auth(secret), endpoint, BUCKET, session=session, region=REGION, connect_timeout=10)

    def callback(self, path, body="object=${object}&size=${size}&v=${x:v}", **members):
        value = {"callbackUrl": self.application.url(path), "callbackBody": body, **members}
        return {"x-oss-callback": encode(value), "x-oss-callback-var": encode({"x:v": "值 1"})}

    def test_an_object_of_any_name_comes_back(self):
        for key in KEYS:
            with self.subTest(key=key[:40]):
                contents = key.encode()
                put = self.bucket.put_object(key, contents)
                self.assertEqual((put.status, put.etag), (200, hashlib.md5(contents).hexdigest().upper()))
                got = self.bucket.get_object(key)
                self.assertEqual(got.read(), contents)
                self.assertEqual(got.client_crc, got.server_crc)
                head = self.bucket.head_object(key)
                self.assertEqual((head.content_length, head.etag), (len(contents), put.etag))
                self.assertEqual(self.bucket.delete_object(key).status, 204)
                with self.assertRaises(oss2.exceptions.NoSuchKey):
                    self.bucket.get_object(key)
                with self.assertRaises(oss2.exceptions.NotFound):
                    self.bucket.head_object(key)

    def test_whether_an_object_exists(self):
        self.assertFalse(self.bucket.object_exists("exists"))
        self.bucket.put_object("exists", b"x")
        self.assertTrue(self.bucket.object_exists("exists"))
        self.assertEqual(self.bucket.get_object_meta("exists").content_length, 1)

    def test_listings(self):
        keys = sorted((f"listed/{folder}/目 +{number}" for folder in "ab" for number in range(5)), key=str.encode)
        for key in keys:
            self.bucket.put_object(key, b"hello")
        for iterator in [oss2.ObjectIterator, oss2.ObjectIteratorV2]:
            listed = list(iterator(self.bucket, prefix="listed/", max_keys=3))
            self.assertEqual([found.key for found in listed], keys)
            self.assertEqual({found.size for found in listed}, {5})
            self.assertEqual({found.etag for found in listed}, {hashlib.md5(b"hello").hexdigest().upper()})
            folders = list(iterator(self.bucket, prefix="listed/", delimiter="/", max_keys=1))
            self.assertEqual([(found.key, found.is_prefix()) for found in folders], [("listed/a/", True), ("listed/b/", True)])
        started = self.bucket.list_objects_v2(prefix="listed/", start_after=keys[7])
        self.assertEqual([found.key for found in started.object_list], keys[8:])

    def test_what_a_bucket_says_of_itself(self):
        info = self.bucket.get_bucket_info()
        self.assertEqual((info.name, info.location, info.acl.grant), (BUCKET, f"oss-{REGION}", "private"))

    def test_the_error_of_a_head_has_its_code(self):
        with self.assertRaises(oss2.exceptions.ServerError) as caught:
            self.bucket.head_object("none")
        self.assertEqual((caught.exception.status, caught.exception.code), (404, "NoSuchKey"))

    def test_files_and_streams(self):
        contents = os.urandom(3_000_001)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "file.jpg")
            with open(path, "wb") as file:
                file.write(contents)
            self.assertEqual(self.bucket.put_object_from_file("file.jpg", path).status, 200)
            self.assertEqual(self.bucket.head_object("file.jpg").content_type, "image/jpeg")
            self.bucket.get_object_to_file("file.jpg", path + ".copy")
            with open(path + ".copy", "rb") as copy:
                self.assertEqual(copy.read(), contents)
            with open(path, "rb") as file:
                self.assertEqual(self.bucket.put_object("stream", file).status, 200)
        # Of unknown length: sent in chunks.
        chunks = (contents[start : start + 100_000] for start in range(0, len(contents), 100_000))
        self.assertEqual(self.bucket.put_object("chunked", chunks).status, 200)
        self.assertEqual(self.bucket.get_object("chunked").read(), contents)

    def test_ranges(self):
        self.bucket.put_object("ranges", b"0123456789")
        for byte_range, expected in [((2, 4), b"234"), ((7, None), b"789"), ((None, 3), b"789"), ((0, 0), b"0")]:
            got = self.bucket.get_object("ranges", byte_range=byte_range)
            self.assertEqual((got.status, got.read()), (206, expected))
        beyond = self.bucket.get_object("ranges", byte_range=(20, 30))
        self.assertEqual((beyond.status, beyond.read()), (200, b"0123456789"))
        standard = {"x-oss-range-behavior": "standard"}
        with self.assertRaises(oss2.exceptions.ServerError) as caught:
            self.bucket.get_object("ranges", byte_range=(20, 30), headers=standard)
        self.assertEqual((caught.exception.status, caught.exception.code), (416, "InvalidRange"))

    def test_metadata(self):
        headers = {"x-oss-meta-colour": "blue", "Content-Type": "text/x-a", "Cache-Control": "no-cache"}
        self.bucket.put_object("metadata", b"x", headers=headers)
        head = self.bucket.head_object("metadata")
        for name, value in headers.items():
            self.assertEqual(head.headers[name], value)
        got = self.bucket.get_object("metadata", params={"response-content-type": "text/y"})
        self.assertEqual(got.headers["Content-Type"], "text/y")

    def test_a_content_md5_is_compared(self):
        right = base64.b64encode(hashlib.md5(b"x").digest()).decode()
        self.assertEqual(self.bucket.put_object("md5", b"x", headers={"Content-MD5": right}).status, 200)
        with self.assertRaises(oss2.exceptions.InvalidDigest):
            self.bucket.put_object("md5", b"y", headers={"Content-MD5": right})

    def test_a_forbidden_overwrite(self):
        self.bucket.put_object("once", b"x")
        with self.assertRaises(oss2.exceptions.ServerError) as caught:
            self.bucket.put_object("once", b"y", headers={"x-oss-forbid-overwrite": "true"})
        self.assertEqual((caught.exception.status, caught.exception.code), (409, "FileAlreadyExists"))

    def test_conditions(self):
        etag = self.bucket.put_object("conditions", b"x").etag
        with self.assertRaises(oss2.exceptions.NotModified):
            self.bucket.get_object("conditions", headers={"If-None-Match": f'"{etag}"'})
        with self.assertRaises(oss2.exceptions.PreconditionFailed):
            self.bucket.get_object("conditions", headers={"If-Match": '"0"'})

    def test_a_callback_is_verified_and_its_answer_seen(self):
        put = self.bucket.put_object("目/a b", b"hello", headers=self.callback("/ok%20ay?id=%31&b"))
        self.assertEqual((put.status, json.loads(put.resp.read())), (200, {"verified": True}))
        self.assertEqual(put.crc, self.bucket.head_object("目/a b").server_crc)
        path, headers, body, _ = self.application.received[-1]
        self.assertEqual(path, "/ok%20ay?id=%31&b")
        self.assertEqual(urllib.parse.parse_qs(body.decode()), {"object": ["目/a b"], "size": ["5"], "v": ["值 1"]})
        self.assertEqual(headers["x-oss-request-id"], put.request_id)
        self.assertEqual(headers["Content-MD5"], base64.b64encode(hashlib.md5(body).digest()).decode())

    def test_a_json_callback(self):
        body = '{"object":${object},"size":${size},"etag":${etag},"v":${x:v},"none":${x:none}}'
        headers = self.callback("/", body, callbackBodyType="application/json")
        put = self.bucket.put_object('"quoted"\\', b"hello", headers=headers)
        self.assertEqual(put.status, 200)
        received = json.loads(self.application.received[-1][2])
        self.assertEqual(
            received,
            {"object": '"quoted"\\', "size": 5, "etag": put.etag, "v": "值 1", "none": None},
        )

    def test_a_callback_from_a_file(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"a" * 1024 * 1024)
            file.flush()
            put = self.bucket.put_object_from_file("file", file.name, headers=self.callback("/"))
        self.assertEqual((put.status, json.loads(put.resp.read())), (200, {"verified": True}))

    def test_a_presigned_url_has_the_callback_in_its_query_or_in_headers(self):
        self.assert_placements(lambda callback: ({"callback": callback["x-oss-callback"], "callback-var": callback["x-oss-callback-var"]}, {}))
        self.assert_placements(lambda callback: ({}, callback))

    def assert_placements(self, placed):
        for key in KEYS:
            params, more = placed(self.callback("/ok%20ay?id=%31&b"))
            headers = {"Content-Type": "text/x-a", "x-oss-meta-colour": "blue", **more}
            # Where a slash is one, `requests` takes the dot out of the URL.
            slash_safe = "/./" not in key
            url = self.bucket.sign_url("PUT", key, 600, headers=headers, params=dict(params), slash_safe=slash_safe)
            put = self.bucket.put_object_with_url(url, b"hello", headers=headers)
            self.assertEqual((put.status, json.loads(put.resp.read())), (200, {"verified": True}), key)
            path, _, body, _ = self.application.received[-1]
            self.assertEqual(path, "/ok%20ay?id=%31&b")
            self.assertEqual(urllib.parse.parse_qs(body.decode()), {"object": [key], "size": ["5"], "v": ["值 1"]})
            got = self.bucket.get_object_with_url(self.bucket.sign_url("GET", key, 600, slash_safe=slash_safe))
            self.assertEqual((got.read(), got.headers["Content-Type"], got.headers["x-oss-meta-colour"]), (b"hello", "text/x-a", "blue"))
            self.bucket.delete_object(key)

        # The SDK reads 4 KiB of an error; with a long key that is not all of it.
        url = self.bucket.sign_url("PUT", "mine", 600, headers=headers, params=dict(params))
        before = len(self.application.received)
        refused = [
            (url.replace("/mine", "/yours"), headers),
            (url, {**headers, "Content-Type": "text/y"}),
            (url, {"Content-Type": "text/x-a"}),
        ]
        for name, value in more.items():
            refused.append((url, {header: value for header, value in headers.items() if header != name}))
            refused.append((url, {**headers, name: encode({"x:v": "other"})}))
        for name, value in params.items():
            quoted = urllib.parse.quote(value, safe="")
            self.assertIn(quoted, url)
            refused.append((url.replace(quoted, urllib.parse.quote(encode({"x:v": "other"}), safe="")), headers))
        for other, sent in refused:
            self.assertNotEqual((other, sent), (url, headers))
            with self.assertRaises(oss2.exceptions.SignatureDoesNotMatch):
                self.bucket.put_object_with_url(other, b"hello", headers=sent)
        self.assertEqual(len(self.application.received), before)

        params, more = placed(self.callback("/404"))
        url = self.bucket.sign_url("PUT", "failed", 600, headers=more, params=dict(params))
        put = self.bucket.put_object_with_url(url, b"hello", headers=more)
        self.assertEqual(put.status, 203)
        self.assertIn("<Message>Error status : 404.</Message>", put.resp.read().decode())
        self.assertEqual(self.bucket.get_object("failed").read(), b"hello")
        self.bucket.delete_object("failed")

    def test_a_presigned_url_ends(self):
        url = self.bucket.sign_url("PUT", "ends", 1)
        with self.assertRaises(oss2.exceptions.AccessDenied) as caught:
            while True:
                self.bucket.put_object_with_url(url, b"hello")
        self.assertEqual(caught.exception.message, "Request has expired.")

    def test_presigned_urls_of_a_multipart_upload(self):
        upload_id = self.bucket.init_multipart_upload("presigned").upload_id
        for number, body in [("1", b"x" * 102_400), ("2", b"end")]:
            params = {"partNumber": number, "uploadId": upload_id}
            url = self.bucket.sign_url("PUT", "presigned", 600, params=params)
            self.assertEqual(self.bucket.put_object_with_url(url, body).status, 200)
        callback = self.callback("/")
        params = {"uploadId": upload_id, "callback": callback["x-oss-callback"], "callback-var": callback["x-oss-callback-var"]}
        headers = {"x-oss-complete-all": "yes"}
        url = self.bucket.sign_url("POST", "presigned", 600, headers=headers, params=params)
        done = requests.post(url, headers=headers, timeout=10)
        self.assertEqual((done.status_code, done.json()), (200, {"verified": True}))
        self.assertEqual(self.bucket.head_object("presigned").content_length, 102_403)

    def test_a_multipart_upload_with_a_callback(self):
        key = "目/a +b"
        bodies = [os.urandom(102_400), os.urandom(150_000), b"end"]
        headers = {"Content-Type": "text/x-a", "x-oss-meta-colour": "blue"}
        upload = self.bucket.init_multipart_upload(key, headers=headers)
        parts = []
        for number, body in [(7, bodies[2]), (2, bodies[0]), (3, bodies[1])]:
            part = self.bucket.upload_part(key, upload.upload_id, number, body)
            self.assertEqual(part.etag, hashlib.md5(body).hexdigest().upper())
            parts.append(oss2.models.PartInfo(number, part.etag, size=len(body), part_crc=part.crc))
        listed = list(oss2.PartIterator(self.bucket, key, upload.upload_id, max_parts=1))
        self.assertEqual([(part.part_number, part.size) for part in listed], [(2, 102_400), (3, 150_000), (7, 3)])

        # The SDK combines the CRCs of the parts and compares.
        done = self.bucket.complete_multipart_upload(key, upload.upload_id, parts, headers=self.callback("/"))
        self.assertEqual((done.status, json.loads(done.resp.read())), (200, {"verified": True}))
        md5s = b"".join(hashlib.md5(body).hexdigest().upper().encode() for body in bodies)
        self.assertEqual(done.etag, hashlib.md5(md5s).hexdigest().upper() + "-3")
        received = urllib.parse.parse_qs(self.application.received[-1][2].decode())
        self.assertEqual(received, {"object": [key], "size": ["252403"], "v": ["值 1"]})
        head = self.bucket.head_object(key)
        self.assertEqual((head.object_type, head.content_type, head.headers["x-oss-meta-colour"]), ("Multipart", "text/x-a", "blue"))
        self.assertEqual(self.bucket.get_object(key).read(), b"".join(bodies))
        with self.assertRaises(oss2.exceptions.NoSuchUpload):
            self.bucket.complete_multipart_upload(key, upload.upload_id, parts)

    def test_a_failed_callback_of_a_multipart_upload(self):
        upload = self.bucket.init_multipart_upload("failed", headers=self.callback("/404"))
        self.bucket.upload_part("failed", upload.upload_id, 1, b"hello")
        headers = {"x-oss-complete-all": "yes", **self.callback("/404")}
        done = self.bucket.complete_multipart_upload("failed", upload.upload_id, None, headers=headers)
        self.assertEqual(done.status, 203)
        self.assertIn("<Message>Error status : 404.</Message>", done.resp.read().decode())
        self.assertEqual(self.bucket.get_object("failed").read(), b"hello")

    def test_the_errors_of_a_multipart_upload(self):
        upload = self.bucket.init_multipart_upload("errors").upload_id
        etags = [self.bucket.upload_part("errors", upload, number, b"x").etag for number in [1, 2]]
        info = oss2.models.PartInfo
        for parts, code in [
            ([info(1, etags[0]), info(2, etags[1])], "EntityTooSmall"),
            ([info(1, etags[0]), info(1, etags[0])], "InvalidPartOrder"),
            ([info(3, etags[0])], "InvalidPart"),
        ]:
            with self.assertRaises(oss2.exceptions.ServerError) as caught:
                self.bucket.complete_multipart_upload("errors", upload, parts)
            self.assertEqual((caught.exception.status, caught.exception.code), (400, code))
        with self.assertRaises(oss2.exceptions.InvalidArgument):
            self.bucket.upload_part("errors", upload, 10_001, b"x")
        self.assertEqual(self.bucket.abort_multipart_upload("errors", upload).status, 204)
        with self.assertRaises(oss2.exceptions.NoSuchUpload):
            self.bucket.list_parts("errors", upload)

    def test_multipart_uploads_are_listed(self):
        keys = sorted((f"uploads/{folder}/目 +{number}" for folder in "ab" for number in range(3)), key=str.encode)
        begun = [(key, self.bucket.init_multipart_upload(key).upload_id) for key in keys for _ in range(2)]
        listed = list(oss2.MultipartUploadIterator(self.bucket, prefix="uploads/", max_uploads=5))
        self.assertEqual([(upload.key, upload.upload_id) for upload in listed], sorted(begun, key=lambda pair: (pair[0].encode(), pair[1])))
        folders = list(oss2.MultipartUploadIterator(self.bucket, prefix="uploads/", delimiter="/", max_uploads=1))
        self.assertEqual([(folder.key, folder.is_prefix()) for folder in folders], [("uploads/a/", True), ("uploads/b/", True)])
        of_one = list(oss2.ObjectUploadIterator(self.bucket, keys[1], max_uploads=1))
        self.assertEqual({upload.upload_id for upload in of_one}, {id for key, id in begun if key == keys[1]})
        for key, upload in begun:
            self.bucket.abort_multipart_upload(key, upload)

    def test_a_resumable_upload_goes_on(self):
        contents = os.urandom(1_000_001)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "file.jpg")
            with open(path, "wb") as file:
                file.write(contents)
            upload_part, sent = self.bucket.upload_part, []

            def upload(last):
                def limited(key, upload_id, number, *arguments, **named):
                    if number > last:
                        raise oss2.exceptions.RequestError(OSError("the test ends it here"))
                    sent.append(number)
                    return upload_part(key, upload_id, number, *arguments, **named)

                self.bucket.upload_part = limited
                store = oss2.ResumableStore(root=folder)
                # What the SDK sends with Initiate, and with Initiate only.
                headers = {"x-oss-meta-colour": "blue", **self.callback("/")}
                settings = {"store": store, "multipart_threshold": 1, "part_size": 102_400, "num_threads": 3, "headers": headers}
                return oss2.resumable_upload(self.bucket, "resumed", path, **settings)

            self.addCleanup(delattr, self.bucket, "upload_part")
            before = len(self.application.received)
            with self.assertRaises(oss2.exceptions.RequestError):
                upload(4)
            self.assertFalse(self.bucket.object_exists("resumed"))
            done = upload(10)
            self.assertEqual(sorted(sent), list(range(1, 11)))
        self.assertTrue(done.status == 200 and done.etag.endswith("-10"))
        self.assertEqual(self.bucket.get_object("resumed").read(), contents)
        self.assertEqual(self.bucket.head_object("resumed").headers["x-oss-meta-colour"], "blue")
        self.assertEqual(len(self.application.received), before)

    def test_a_callback_in_the_query(self):
        headers = self.callback("/")
        params = {"callback": headers["x-oss-callback"], "callback-var": headers["x-oss-callback-var"]}
        # put_object takes no parameters; this is what it calls.
        response = self.bucket._Bucket__do_object("PUT", "query", data=b"hello", params=params)
        self.assertEqual((response.status, json.loads(response.read())), (200, {"verified": True}))

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
                headers = self.callback(members.pop("path"), **members)
                put = self.bucket.put_object("failed", b"hello", headers=headers)
                document = put.resp.read().decode()
                self.assertEqual(put.status, 203)
                self.assertIn("<Code>CallbackFailed</Code>", document)
                self.assertIn(f"<Message>{message}</Message>", document)
                self.assertEqual(self.bucket.get_object("failed").read(), b"hello")
                self.bucket.delete_object("failed")

    def test_a_bad_callback_is_400_and_nothing_stored(self):
        with self.assertRaises(oss2.exceptions.InvalidArgument) as caught:
            self.bucket.put_object("bad", b"hello", headers={"x-oss-callback": "not Base64"})
        self.assertEqual(caught.exception.status, 400)
        self.assertEqual(caught.exception.details["ArgumentName"], "callback")
        self.assertEqual(caught.exception.details["EC"], "0007-00000002")
        self.assertFalse(self.bucket.object_exists("bad"))

    def test_a_wrong_secret_is_403_also_for_a_large_body(self):
        bucket = self.open_bucket("wrong")
        for body in [b"", b"x" * 20_000_000]:
            with self.assertRaises(oss2.exceptions.SignatureDoesNotMatch) as caught:
                bucket.put_object("a", body)
            self.assertEqual(caught.exception.status, 403)
            self.assertIn("StringToSign", caught.exception.details)
        with self.assertRaises(oss2.exceptions.SignatureDoesNotMatch):
            bucket.get_object("a")


class Version1(Conformance, unittest.TestCase):
    @staticmethod
    def auth(secret):
        return oss2.Auth("AK", secret)


class Version4(Conformance, unittest.TestCase):
    @staticmethod
    def auth(secret):
        return oss2.AuthV4("AK", secret)


class VirtualHost(Conformance):
    """The names of the real service lead to this machine, so that the bucket stands in the host name."""

    virtual_host = True

    @classmethod
    def setUpClass(cls):
        cls.getaddrinfo = staticmethod(socket.getaddrinfo)

        def local(host, *arguments, **named):
            if str(host).endswith(".aliyuncs.com"):
                host = "127.0.0.1"
            return cls.getaddrinfo(host, *arguments, **named)

        socket.getaddrinfo = local
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        socket.getaddrinfo = cls.getaddrinfo


class Version1VirtualHost(VirtualHost, Version1):
    pass


class Version4VirtualHost(VirtualHost, Version4):
    pass


class Settings(unittest.TestCase):
    def test_the_token_is_checked(self):
        server = LocalOss("--security-token", "token")
        self.addCleanup(server.stop)
        for auth in [oss2.StsAuth("AK", "SK", "token"), oss2.StsAuth("AK", "SK", "token", auth_version="v4")]:
            bucket = oss2.Bucket(auth, server.endpoint, BUCKET, region=REGION)
            self.assertEqual(bucket.put_object("a", b"x").status, 200)
            url = bucket.sign_url("PUT", "a", 600)
            self.assertEqual(bucket.put_object_with_url(url, b"x").status, 200)
        bucket = oss2.Bucket(oss2.StsAuth("AK", "SK", "other"), server.endpoint, BUCKET)
        with self.assertRaises(oss2.exceptions.ServerError) as caught:
            bucket.put_object("a", b"x")
        self.assertEqual((caught.exception.status, caught.exception.code), (403, "InvalidSecurityToken"))

    def test_another_region_is_refused(self):
        server = LocalOss("--region", "eu-central-1")
        self.addCleanup(server.stop)
        bucket = oss2.Bucket(oss2.AuthV4("AK", "SK"), server.endpoint, BUCKET, region=REGION)
        with self.assertRaises(oss2.exceptions.ServerError) as caught:
            bucket.put_object("a", b"x")
        self.assertEqual(caught.exception.message, "Invalid signing region in Authorization header.")


if __name__ == "__main__":
    main()
