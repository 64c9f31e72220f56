"""An application server with the standard library: takes sealed callbacks, each once.

LIBRARY names liboss_callback.so; the other variables are those of examples/callback_server.rs.
"""

import ctypes
import http.server
import os
import sys

oss = ctypes.CDLL(os.environ.get("LIBRARY", "liboss_callback.so"))
oss.oss_callback_error_message.restype = ctypes.c_char_p
oss.oss_callback_error_diagnosis.restype = ctypes.c_char_p
oss.oss_callback_sealed_object.restype = ctypes.c_char_p
oss.oss_callback_sealed_size.restype = ctypes.c_uint64
oss.oss_callback_reply_body.restype = ctypes.POINTER(ctypes.c_char)
FIRST_SEEN, REPLAYED, LONGEST_BODY = 1, 3, 1 << 20


class Handle(ctypes.c_void_p):
    """A handle of the library that is freed with the object."""

    def __init__(self, kind):
        super().__init__()
        self.free = getattr(oss, f"oss_callback_{kind}_free")

    def __del__(self):
        self.free(self)


def make(kind, function, *arguments):
    """Calls a function that can fail; gives its handle, its error and its code."""
    handle, error = Handle(kind), Handle("error")
    code = getattr(oss, f"oss_callback_{function}")(*arguments, ctypes.byref(handle), ctypes.byref(error))
    return handle, error, code


options = Handle("verifier_options")
assert oss.oss_callback_verifier_options_new(ctypes.byref(options)) == 0
if "TEST_KEY" in os.environ:  # for tests only
    oss.oss_callback_verifier_options_trust_key_url_for_tests(
        options, os.environ["TEST_KEY_URL"].encode(), os.environ["TEST_KEY"].encode())
if "STRIPPED_PREFIX" in os.environ:
    oss.oss_callback_verifier_options_prepend_prefix(options, os.environ["STRIPPED_PREFIX"].encode())
verifier, error, code = make("verifier", "verifier_new", options)
assert code == 0, oss.oss_callback_error_message(error)
secret = os.environ["SEAL_SECRET"].encode()
sealer, error, code = make("sealer", "sealer_new", b"2026-01", secret, ctypes.c_size_t(len(secret)))
assert code == 0, oss.oss_callback_error_message(error)
guard = Handle("replay_guard")
assert oss.oss_callback_replay_guard_new(ctypes.c_size_t(100_000), ctypes.byref(guard)) == 0


class Callback(http.server.BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if not 0 <= length <= LONGEST_BODY:
            return self.send_error(413)
        body = self.rfile.read(length)
        texts = [text.encode("latin-1") for header in self.headers.items() for text in header]
        headers = (ctypes.c_char_p * len(texts))(*texts)
        # The target as it stands in the request line, and the body before anything has decoded it.
        verified, error, code = make(
            "verified", "verifier_verify", verifier, self.command.encode(), self.requestline.split()[1].encode("latin-1"),
            headers, ctypes.c_size_t(len(texts) // 2), body, ctypes.c_size_t(len(body)))
        seen = ctypes.c_int(REPLAYED)
        if code == 0:
            sealed, error, code = make("sealed", "sealer_check", sealer, verified)
        if code == 0:
            code = oss.oss_callback_replay_guard_check(guard, sealed, ctypes.byref(seen), ctypes.byref(error))
        reply = Handle("reply")
        if code != 0:
            print(oss.oss_callback_error_message(error), oss.oss_callback_error_diagnosis(error), file=sys.stderr)
            assert oss.oss_callback_reply_new_refused(error, ctypes.byref(reply)) == 0
        elif seen.value == REPLAYED:
            return self.send_error(403)
        else:
            if seen.value == FIRST_SEEN:
                print(oss.oss_callback_sealed_object(sealed), oss.oss_callback_sealed_size(sealed), file=sys.stderr)
            assert oss.oss_callback_reply_new_ok(b'{"Status":"OK"}', ctypes.byref(reply), None) == 0
        length = ctypes.c_size_t()
        body = oss.oss_callback_reply_body(reply, ctypes.byref(length))[: length.value]
        self.send_response(oss.oss_callback_reply_status(reply))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length.value))
        self.end_headers()
        self.wfile.write(body)


host, _, port = os.environ.get("LISTEN", "127.0.0.1:8080").partition(":")
server = http.server.ThreadingHTTPServer((host, int(port)), Callback)
print(f"listening http://{host}:{server.server_address[1]}", flush=True)
server.serve_forever()
