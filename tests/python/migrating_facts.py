"""What docs/MIGRATING.md says of oss2 and alibabacloud-oss-v2 is so: the names exist, and the behaviour is seen.

    LOCAL_OSS=target/debug/local-oss python migrating_facts.py

Needs both SDKs in the versions that the page names. Callbacks go to a port where nobody listens, so that each one that is
delivered makes a 203.
"""

import base64
import functools
import importlib.metadata
import json
import operator
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading

import alibabacloud_oss_v2 as oss
import oss2

PAGE = (pathlib.Path(__file__).parents[2] / "docs/MIGRATING.md").read_text(encoding="utf-8")
KEY, BUCKET, REGION = ("id", "secret"), "examplebucket", "cn-hangzhou"


def names_exist():
    """Each name of a call in backquotes."""
    checked = 0
    for span in re.findall(r"`([^`\n]+)`", PAGE):
        for start, of in (("oss2", oss2), ("bucket", oss2.Bucket), ("oss", oss)):
            for path in re.findall(rf"\b{start}\.([a-zA-Z_][\w.]*)", span):
                functools.reduce(getattr, path.split("."), of)
                checked += 1
    assert checked > 50, checked
    for version in ("oss2 2.19.1", "alibabacloud-oss-v2 1.4.1"):
        name, version = version.split()
        assert f"{name} {version}" in PAGE and importlib.metadata.version(name) == version
    operator.attrgetter("put_object_from_file", "uploader", "presign")(oss.Client)


def attempts(upload):
    """How often an upload is tried at a server that closes each connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepted = []

        def close_all():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    accepted.append(connection.recv(1))

        closing = threading.Thread(target=close_all)
        closing.start()
        try:
            upload(f"http://127.0.0.1:{server.getsockname()[1]}")
        except Exception:
            return len(accepted)
        finally:
            server.shutdown(socket.SHUT_RDWR)
            closing.join()
    raise AssertionError("the upload succeeded")


def bucket_of_oss2(endpoint):
    return oss2.Bucket(oss2.AuthV4(*KEY), endpoint, BUCKET, region=REGION)


def client_of_v2(endpoint):
    cfg = oss.config.load_default()
    cfg.credentials_provider = oss.credentials.StaticCredentialsProvider(*KEY)
    cfg.endpoint, cfg.region, cfg.use_path_style = endpoint, REGION, True
    return oss.Client(cfg)


def behaviour(endpoint, callback_url, folder):
    callback = json.dumps({"callbackUrl": callback_url, "callbackBody": "size=${size}"})
    callback = base64.b64encode(callback.encode()).decode()
    headers = {"x-oss-callback": callback}
    file = os.path.join(folder, "file")
    pathlib.Path(file).write_bytes(bytes(300 * 1024))
    bucket = bucket_of_oss2(endpoint)

    assert bucket.put_object("a", b"a", headers=headers).status == 203
    # resumable_upload sends the callback of a small file, and drops that of one from its threshold on.
    upload = functools.partial(
        oss2.resumable_upload, bucket, "b", file, store=oss2.ResumableStore(root=folder), headers=headers)
    assert upload().status == 203
    assert upload(multipart_threshold=300 * 1024).status == 200
    assert oss2.defaults.multipart_threshold == 10 * 1024 * 1024
    assert oss2.defaults.connect_timeout == 60
    assert attempts(lambda closing: bucket_of_oss2(closing).put_object("a", b"a", headers=headers)) == 1

    client = client_of_v2(endpoint)
    request = oss.PutObjectRequest(bucket=BUCKET, key="c", body=b"c", callback=callback)
    result = client.put_object(request)
    assert result.status_code == 203 and "CallbackFailed" in result.callback_result
    assert attempts(lambda closing: client_of_v2(closing).put_object(request)) == 3
    request = oss.PutObjectRequest(bucket=BUCKET, key="d", callback=callback)
    result = client.uploader().upload_file(request, file)
    assert result.status_code == 203 and not hasattr(result, "callback_result")
    presigned = client.presign(request)
    assert "callback" not in presigned.url and presigned.signed_headers["x-oss-callback"] == callback


def main():
    names_exist()
    with socket.create_server(("127.0.0.1", 0)) as unused:
        callback_url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    command = [os.environ["LOCAL_OSS"], "--quiet", "--access-key-id", KEY[0], "--access-key-secret", KEY[1]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, tempfile.TemporaryDirectory() as folder:
        try:
            behaviour(server.stdout.readline().split()[1], callback_url, folder)
        finally:
            server.terminate()
    print("what docs/MIGRATING.md says of the Python SDKs is so")


main()
