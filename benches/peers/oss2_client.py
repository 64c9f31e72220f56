"""Uploads a file with Alibaba's Python SDK, as its samples do, and prints CPU seconds, wall seconds and peak KiB.

    oss2_client.py ENDPOINT FILE COUNT
"""

import base64
import json
import sys
import time

import oss2

endpoint, file, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
bucket = oss2.Bucket(oss2.Auth("id", "secret"), endpoint, "examplebucket")
callback = {
    "callbackUrl": "http://app.example.com/callback",
    "callbackBody": "filename=${object}&size=${size}&mimeType=${mimeType}",
}
headers = {"x-oss-callback": base64.b64encode(json.dumps(callback).encode()).decode()}
cpu, wall = time.process_time(), time.monotonic()
for _ in range(count):
    result = bucket.put_object_from_file("folder/object.bin", file, headers=headers)
    assert result.status == 200
cpu, wall = time.process_time() - cpu, time.monotonic() - wall
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
print(cpu, wall, peak)
