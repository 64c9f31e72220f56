"""An application server with the standard library: accepts sealed callbacks, each once.

It takes the same environment variables as examples/callback_server/src/main.rs. Set OSS_CALLBACK_LIBRARY to the path of
liboss_callback.so if that is not installed.
"""

import http.server
import os
import sys

import oss_callback

verifier = oss_callback.Verifier(
    # For tests only.
    test_keys={os.environ["TEST_KEY_URL"]: os.environ["TEST_KEY"]} if "TEST_KEY" in os.environ else None,
    prepend_prefixes=[os.environ["STRIPPED_PREFIX"]] if "STRIPPED_PREFIX" in os.environ else (),
)
sealer = oss_callback.Sealer(oss_callback.SealKey("2026-01", os.environ["SEAL_SECRET"].encode()))


def serve(callback):
    if callback.seen is oss_callback.Seen.FIRST:
        print(f"{callback.sealed.object!r} has {callback.sealed.size} bytes", file=sys.stderr)
    return {"Status": "OK"}


receiver = oss_callback.CallbackReceiver(
    verifier,
    sealer,
    serve,
    replay_guard=oss_callback.ReplayGuard(100_000),
    refused=lambda failure: print(failure, file=sys.stderr),
)


class Handler(http.server.BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self):
        receiver.handle(self)


host, _, port = os.environ.get("LISTEN", "127.0.0.1:8080").partition(":")
server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
print(f"listening http://{host}:{server.server_address[1]}", flush=True)
server.serve_forever()
