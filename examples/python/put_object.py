"""Uploads the named file, or a few bytes if none is named, and prints the application server's answer. Ctrl-C ends it.

Set OSS_ENDPOINT, OSS_REGION, OSS_BUCKET, OSS_CALLBACK_URL, OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, with temporary
credentials, OSS_SESSION_TOKEN; or let `cargo run --example with_local_oss -- python3 examples/python/put_object.py` do
it. Set OSS_CALLBACK_LIBRARY to the path of liboss_callback.so if that is not installed.
"""

import os
import sys
from pathlib import Path

import oss_callback

bucket = os.environ["OSS_BUCKET"]
file = Path(sys.argv[1]) if len(sys.argv) > 1 else None
name, body = (file.name, file) if file else ("hello.txt", b"hello")

# README begin
client = oss_callback.Client(os.environ["OSS_ENDPOINT"], region=os.environ["OSS_REGION"])
spec = oss_callback.CallbackSpec(
    os.environ["OSS_CALLBACK_URL"], "filename=${object}&size=${size}&mimeType=${mimeType}"
)
try:
    receipt = client.put_object(bucket, name, body, callback=spec)
except oss_callback.CallbackFailed as e:  # HTTP 203
    sys.exit(f"{e}\nIt is stored: do not upload it again.")
except oss_callback.OssCallbackError as e:
    sys.exit(f"{e}\nIs it stored? {e.stored.name.lower()}")
print(receipt.answer.decode())
# README end
