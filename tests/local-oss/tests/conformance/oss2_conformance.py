"""The official Python SDK, unchanged, against local-oss.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    LOCAL_OSS=target/debug/local-oss venv/bin/python oss2_conformance.py

The program may also be the first argument. Each test runs with signature versions 1 and 4, with the bucket in the path
(as oss2 has it for addresses) and in the host name.
"""

import base64
import hashlib
import http.server
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse
import urllib.request

import oss2

PROGRAM = os.environ.get("LOCAL_OSS")
REGION = "cn-hangzhou"
BUCKET = "examplebucket"
KEYS = [
    "plain.txt",
    "folder/inner/object",
    "目录/文件 名.txt",
    "a b+c%d&e=f?g#h;i,j:k@l!m'n(o)p*q",
    "~tilde-_.",
    "percent%2Fencoded%20already",
    "double//slash/./dot",
    "emoji-\N{GRINNING FACE}",
    "q" * 1023,
]


class LocalOss:
    """The program, on a free port."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [PROGRAM, "--access-key-id", "AK", "--access-key-secret", "SK", "--quiet", *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        assert line.startswith("listening http://127.0.0.1:"), line
        self.endpoint = line.split()[1]

    def stop(self):
        self.process.terminate()
        code = self.process.wait(timeout=10)
        self.process.stdout.close()
        assert code == 0, code


class Application(http.server.ThreadingHTTPServer):
    """An application server that verifies callbacks as OSS's documentation tells it to, by arithmetic of its own."""

    def __init__(self, key_url_prefix):
        super().__init__(("127.0.0.1", 0), Callback)
        self.key_url_prefix = key_url_prefix
        self.received = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}{path}"


class Callback(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        verified = is_signed(self.path, self.headers, body, self.server.key_url_prefix)
        self.server.received.append((self.path, dict(self.headers), body, verified))
        status = 404 if self.path.startswith("/404") else 200
        answer = b"not JSON" if self.path.startswith("/text") else json.dumps({"verified": verified}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def is_signed(target, headers, body, key_url_prefix):
    url = base64.b64decode(headers["x-oss-pub-key-url"]).decode()
    if not url.startswith(key_url_prefix):
        return False
    with urllib.request.urlopen(url, timeout=5) as answer:
        modulus, exponent = public_key(answer.read().decode())
    path, mark, query = target.partition("?")
    text = urllib.parse.unquote_to_bytes(path) + (mark + query).encode() + b"\n" + body
    size = (modulus.bit_length() + 7) // 8
    digest_info = bytes.fromhex("3020300c06082a864886f70d020505000410") + hashlib.md5(text).digest()
    expected = b"\x00\x01" + b"\xff" * (size - 3 - len(digest_info)) + b"\x00" + digest_info
    signature = base64.b64decode(headers["Authorization"], validate=True)
    number = pow(int.from_bytes(signature, "big"), exponent, modulus)
    return len(signature) == size and number.to_bytes(size, "big") == expected


def public_key(pem):
    """Modulus and exponent of a SubjectPublicKeyInfo."""
    lines = pem.strip().splitlines()
    assert lines[0] == "-----BEGIN PUBLIC KEY-----" and lines[-1] == "-----END PUBLIC KEY-----"
    _, info, _ = der(base64.b64decode("".join(lines[1:-1])))
    _, _, rest = der(info)
    _, bits, _ = der(rest)
    _, key, _ = der(bits[1:])
    _, modulus, rest = der(key)
    _, exponent, _ = der(rest)
    return int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")


def der(data):
    """Tag, contents and what follows of the first element."""
    tag, length, start = data[0], data[1], 2
    if length & 0x80:
        start = 2 + (length & 0x7F)
        length = int.from_bytes(data[2:start], "big")
    return tag, data[start : start + length], data[start + length :]


def encode(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


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
        self.assertIn("eu-central-1", caught.exception.message)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        PROGRAM = sys.argv.pop(1)
    if not PROGRAM:
        sys.exit("say where the program is: LOCAL_OSS=… or the first argument")
    unittest.main(verbosity=2)
