"""The library signs any object name, callback and metadata as the official Python SDK does, signature for signature.

    LIBRARY=target/debug/liboss_callback.so venv/bin/python oss2_signatures.py [names] [seed]

The library presigns URLs, and sends requests to a server that keeps their heads; oss2 then signs the same requests as
of the same second. Names are drawn from one seed, which is printed.
"""

import ctypes
import datetime
import json
import os
import random
import socketserver
import sys
import threading
import urllib.parse
from unittest import mock

import oss2
import oss2.auth

BUCKET, REGION, ID, SECRET = "examplebucket", "cn-hangzhou", "id", "secret"
HANDLE = ctypes.c_void_p

library = ctypes.CDLL(os.environ["LIBRARY"])
for function in ["error_message", "presigned_url_url", "presigned_url_json"]:
    getattr(library, f"oss_callback_{function}").restype = ctypes.c_char_p
library.oss_callback_spec_none.restype = HANDLE


def text(value):
    return ctypes.c_char_p(value.encode())


def make(function, *arguments):
    """Calls a function that gives a handle and may give an error."""
    handle, error = HANDLE(), HANDLE()
    code = getattr(library, function)(*arguments, ctypes.byref(handle), ctypes.byref(error))
    assert code == 0, (function, library.oss_callback_error_message(error))
    return handle


def new(kind, *arguments):
    handle = HANDLE()
    assert getattr(library, f"oss_callback_{kind}_new")(*arguments, ctypes.byref(handle)) == 0
    return handle


class Server(socketserver.ThreadingTCPServer):
    """Keeps the head of the last request that came, byte for byte: Python's own reader of heads breaks lines at NEL."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            method, target, _ = self.rfile.readline().decode().split(" ")
            headers = {}
            while line := self.rfile.readline().decode().removesuffix("\r\n"):
                name, value = line.split(":", 1)
                headers[name.lower()] = value.strip(" \t")
            self.rfile.read(int(headers["content-length"]))
            self.server.last = method, target, headers
            head = b"HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 0\r\n"
            self.wfile.write(head + b"Connection: close\r\n\r\n")

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.last = None
        threading.Thread(target=self.serve_forever, daemon=True).start()


def open_client(endpoint, version):
    options = new("client_options")
    library.oss_callback_client_options_set_endpoint(options, text(endpoint))
    library.oss_callback_client_options_set_region(options, text(REGION))
    library.oss_callback_client_options_set_credentials(options, text(ID), text(SECRET), None)
    library.oss_callback_client_options_set_signature_version(options, ctypes.c_uint32(version))
    client = make("oss_callback_client_new", options)
    library.oss_callback_client_options_free(options)
    return client


def make_spec(value):
    options = new("spec_options")
    library.oss_callback_spec_options_add_url(options, text("http://app.example.com/"))
    library.oss_callback_spec_options_set_body(options, text("o=${object}&v=${x:v}"))
    library.oss_callback_spec_options_add_variable(options, text("v"), text(value))
    spec = make("oss_callback_spec_new", options)
    library.oss_callback_spec_options_free(options)
    return spec


def signed_again(version, method, params, headers, key, sign, date):
    """What oss2 makes of a request at a certain time."""
    auth = (oss2.Auth if version == 1 else oss2.AuthV4)(ID, SECRET)
    request = oss2.http.Request(method, "http://host", params=params, headers=headers, region=REGION, product="oss")
    seconds = date.replace(tzinfo=datetime.timezone.utc).timestamp()

    class Now:
        @staticmethod
        def utcnow():
            return date

    with mock.patch("oss2.auth.datetime", Now), mock.patch("oss2.auth.time.time", lambda: seconds):
        with mock.patch("oss2.auth.utils.http_date", lambda: date.strftime("%a, %d %b %Y %H:%M:%S GMT")):
            sign(auth, request, key)
    return request


def check_url(client, version, key, spec, options):
    url = make(
        "oss_callback_client_presign_put_object", client, text(BUCKET), text(key), spec, options,
        ctypes.c_uint64(600), ctypes.c_bool(False),
    )
    described = json.loads(library.oss_callback_presigned_url_json(url))
    library.oss_callback_presigned_url_free(url)
    parts = urllib.parse.urlsplit(described["url"])
    assert urllib.parse.unquote(parts.path) == f"/{BUCKET}/{key}", parts.path
    params = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    own = ["OSSAccessKeyId", "Expires", "Signature"] if version == 1 else [
        "x-oss-date", "x-oss-expires", "x-oss-signature-version", "x-oss-credential", "x-oss-signature",
    ]
    signed = {name: params.pop(name) for name in own}
    if version == 1:
        expires = 600
        seconds = int(signed["Expires"]) - expires
        date = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).replace(tzinfo=None)
    else:
        expires = int(signed["x-oss-expires"])
        date = datetime.datetime.strptime(signed["x-oss-date"], "%Y%m%dT%H%M%SZ")
    again = signed_again(
        version, "PUT", params, described["headers"], key,
        lambda auth, request, key: auth._sign_url(request, BUCKET, key, expires), date,
    )
    for name in own:
        assert again.params[name] == signed[name], (version, key, name, described["url"], again.params)


def check_header(client, server, version, key, spec, options):
    receipt = make(
        "oss_put_object_with_callback", client, text(BUCKET), text(key), b"hello", ctypes.c_size_t(5), spec, options,
    )
    library.oss_callback_receipt_free(receipt)
    method, target, headers = server.last
    path, _, query = target.partition("?")
    assert urllib.parse.unquote(path) == f"/{BUCKET}/{key}", path
    authorization = headers.pop("authorization")
    if version == 1:
        date = datetime.datetime.strptime(headers["date"], "%a, %d %b %Y %H:%M:%S GMT")
    else:
        date = datetime.datetime.strptime(headers["x-oss-date"], "%Y%m%dT%H%M%SZ")
    again = signed_again(
        version, method, dict(urllib.parse.parse_qsl(query)), headers, key,
        lambda auth, request, key: auth._sign_request(request, BUCKET, key), date,
    )
    # With or without a blank, as oss2 has it after a comma, it is the same.
    expected = again.headers["authorization"].replace(", ", ",")
    assert authorization == expected, (version, key, headers)


SPECIAL = " +%&?#=/\\.~:;@!$'()*,[]{}|^`\"<>-_aZ0\n\r\t\x7f\u00e9\u76ee\U0001f4a9\ufeff"


def any_text(random_source, longest):
    def character():
        if random_source.random() < 0.5:
            return random_source.choice(SPECIAL)
        while True:
            number = random_source.randrange(1, 0x110000)
            if not 0xD800 <= number < 0xE000:
                return chr(number)

    return "".join(character() for _ in range(random_source.randint(1, longest)))


def main():
    names = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32)
    random_source = random.Random(seed)
    server = Server()
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    clients = {version: open_client(endpoint, version) for version in (1, 4)}
    print(f"{names} names, seed {seed}")
    for _ in range(names):
        key = any_text(random_source, 40).lstrip("/\\") or "a"
        value = any_text(random_source, 20)
        # HTTP knows no blanks around a value, and no control characters in one.
        metadata = "".join(c for c in any_text(random_source, 20) if c >= " " and c != "\x7f").strip()
        spec = make_spec(value) if random_source.random() < 0.5 else HANDLE(library.oss_callback_spec_none())
        options = new("put_options")
        library.oss_callback_put_options_set_content_type(options, text("image/jpeg"))
        library.oss_callback_put_options_set_metadata(options, text("a"), text(metadata))
        for version, client in clients.items():
            check_url(client, version, key, spec, options)
            check_header(client, server, version, key, spec, options)
        library.oss_callback_put_options_free(options)
        library.oss_callback_spec_free(spec)
    for client in clients.values():
        library.oss_callback_client_free(client)
    server.shutdown()
    server.server_close()
    print(f"{4 * names} signatures agree with those of oss2 {oss2.__version__}")


main()
