"""What the conformance tests in Python share: the program under test, and an application server that checks callbacks."""

import base64
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import unittest
import urllib.parse
import urllib.request

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


def main():
    global PROGRAM
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        PROGRAM = sys.argv.pop(1)
    if not PROGRAM:
        sys.exit("say where the program is: LOCAL_OSS=… or the first argument")
    unittest.main(module="__main__", verbosity=2)
