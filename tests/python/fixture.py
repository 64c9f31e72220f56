"""What the tests share: a client for the server of the environment, application servers, and networks that fail.

    OSS_CALLBACK_LIBRARY=… PYTHONPATH=examples/python cargo run --example with_local_oss -- \\
        python3 -m unittest discover tests/python
"""

from __future__ import annotations

import http.server
import io
import os
import socket
import threading
import time
import unittest

import oss_callback

ENDPOINT = os.environ["OSS_ENDPOINT"]
BUCKET = os.environ["OSS_BUCKET"]
AGREED = b'{"Status":"OK"}'
# More than any test takes, less than the library's own time limits.
PATIENCE = 20


class Application:
    """An application server that answers every callback in the same way."""

    def __init__(self, status: int = 200, answer: bytes = AGREED) -> None:
        self.requests: list[tuple[http.server.BaseHTTPRequestHandler, bytes]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.requests.append((self, self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Silent:
    """Takes connections, and never reads nor answers."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = "http://{}:{}".format(*self.listener.getsockname())
        self.connected = threading.Event()
        self.kept: list[socket.socket] = []
        self.thread = threading.Thread(target=self._accept)
        self.thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.kept.append(connection)
            self.connected.set()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        for connection in self.kept:
            connection.close()


class Mangling:
    """Stands between a client and the server, and takes so many bytes from the end of each answer; None: all."""

    def __init__(self, missing: int | None) -> None:
        self.missing = missing
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = "http://{}:{}".format(*self.listener.getsockname())
        self.connections = 0
        self.thread = threading.Thread(target=self._accept)
        self.thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with client, socket.create_connection(_address(ENDPOINT)) as server:
                threading.Thread(target=_pump, args=(client, server), daemon=True).start()
                answer = _answer(server)
                if self.missing is not None:
                    client.sendall(answer[: -self.missing])
                for connection in (client, server):  # which the pump is reading still
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()


class Slow:
    """A line to the server that carries so many bytes a second; the rest waits where it was sent."""

    def __init__(self, bytes_per_second: int) -> None:
        self.bytes_per_second = bytes_per_second
        self.taken = 0
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)  # connections inherit it
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.endpoint = "http://{}:{}".format(*self.listener.getsockname())
        self.thread = threading.Thread(target=self._accept)
        self.thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, socket.create_connection(_address(ENDPOINT)) as server:
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                while block := client.recv(2048):
                    self.taken += len(block)
                    server.sendall(block)
                    time.sleep(len(block) / self.bytes_per_second)

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()


def _address(endpoint: str) -> tuple[str, int]:
    host, _, port = endpoint.removeprefix("http://").partition(":")
    return host, int(port)


def _pump(source: socket.socket, destination: socket.socket) -> None:
    try:
        while block := source.recv(65536):
            destination.sendall(block)
    except OSError:
        pass  # it is over


def _answer(server: socket.socket) -> bytes:
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += server.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(lines.get(b"content-length", b"0")):
        block = server.recv(65536)
        answer, body = answer + block, body + block
    return answer


class OssTestCase(unittest.TestCase):
    """Each test has an object of its own."""

    def setUp(self) -> None:
        self.object = f"python/{self.id()}"
        self.client = self.client_for(ENDPOINT)

    def client_for(self, endpoint: str, credentials: oss_callback.Credentials | None = None) -> oss_callback.Client:
        client = oss_callback.Client(endpoint, credentials, region=os.environ["OSS_REGION"])
        self.addCleanup(client.close)
        return client

    def application(self, status: int = 200, answer: bytes = AGREED) -> Application:
        application = Application(status, answer)
        self.addCleanup(application.close)
        return application

    def silent(self) -> Silent:
        silent = Silent()
        self.addCleanup(silent.close)
        return silent

    def mangling(self, missing: int | None) -> Mangling:
        mangling = Mangling(missing)
        self.addCleanup(mangling.close)
        return mangling

    def slow(self, bytes_per_second: int) -> Slow:
        slow = Slow(bytes_per_second)
        self.addCleanup(slow.close)
        return slow

    def spec(self, url: str) -> oss_callback.CallbackSpec:
        return oss_callback.CallbackSpec(url, "object=${object}&size=${size}")

    def contents(self, name: str | None = None) -> bytes:
        """Of an object, from the server."""
        buffer = io.BytesIO()
        self.client.get_object(BUCKET, name or self.object, buffer)
        return buffer.getvalue()

    def is_stored(self) -> bool:
        try:
            self.client.head_object(BUCKET, self.object)
        except oss_callback.OssCallbackError as e:
            if e.kind is not oss_callback.ErrorKind.NOT_FOUND:
                raise
            return False
        return True

    def expect(
        self, e: BaseException, kind: str, stored: str, answered: str = "NOT_REQUESTED"
    ) -> oss_callback.OssCallbackError:
        assert isinstance(e, oss_callback.OssCallbackError), repr(e)
        self.assertEqual((e.kind.name, e.stored.name, e.answered.name), (kind, stored, answered), str(e))
        return e
