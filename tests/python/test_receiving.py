"""The application server: what is taken and what is refused, under http.server, WSGI and ASGI."""

from __future__ import annotations

import asyncio
import base64
import http
import http.client
import http.server
import threading
import unittest
import urllib.parse
import urllib.request
import wsgiref.simple_server
from collections.abc import Iterable
from typing import Any, Callable

import oss_callback
from fixture import AGREED, BUCKET, OssTestCase

SECRET = b"a secret of thirty-two bytes ..."
Received = "tuple[str, str, list[tuple[str, str]], bytes]"


class Receiving(OssTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.object = "python/目.txt"
        self.verifier = oss_callback.Verifier(test_keys=self.trusted_keys(), max_body_len=4096)
        self.sealer = oss_callback.Sealer(oss_callback.SealKey("new", SECRET), oss_callback.SealKey("old", SECRET))
        self.seen: list[oss_callback.Seen] = []
        self.refusals: list[Exception] = []
        self.serve: Callable[[oss_callback.Callback], Any] = lambda callback: {"Status": "OK"}
        self.receiver = oss_callback.CallbackReceiver(
            self.verifier,
            self.sealer,
            self.served,
            replay_guard=oss_callback.ReplayGuard(100),
            refused=self.refusals.append,
        )

    def trusted_keys(self) -> dict[str, str]:
        """The key that the server's callbacks name, from the server."""
        application = self.application()
        self.client.put_object(BUCKET, "python/key", b"", callback=self.spec(application.url))
        url = base64.b64decode(application.requests[0][0].headers["x-oss-pub-key-url"]).decode()
        with urllib.request.urlopen(url) as answer:
            return {url: answer.read().decode()}


    def served(self, callback: oss_callback.Callback) -> Any:
        self.seen.append(callback.seen)
        return self.serve(callback)

    def seal(self, address: str, name: str | None = None) -> oss_callback.CallbackSpec:
        return self.sealer.seal(
            oss_callback.Permission(BUCKET, name or self.object, max_size=10, valid_for=600),
            f"http://{address}/call%20back/%E7%9B%AE?id=%41",
            "bucket=${bucket}&object=${object}&size=${size}&etag=${etag}&x:uid=${x:uid}&seal=${x:seal}",
            variables={"uid": "42"},
        )

    def start(self, server: Any) -> str:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def close() -> None:
            server.shutdown()
            thread.join()
            server.server_close()

        self.addCleanup(close)
        return f"127.0.0.1:{server.server_address[1]}"

    def http_server(self, received: list[Any]) -> str:
        receiver = self.receiver

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.handle(self)

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                received.append((self.command, self.requestline.split()[1], self.headers.items()))

        return self.start(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))

    def drive(self, address: str) -> None:
        """An upload, and the callback again in all the ways that are refused."""
        put = self.client.put_object
        kept: list[Any] = []
        inner = self.serve

        def serve(callback: oss_callback.Callback) -> Any:
            kept.append(callback)
            return inner(callback)

        self.serve = serve
        spec = self.seal(address)
        self.assertEqual(put(BUCKET, self.object, b"hello", callback=spec).answer, AGREED)
        callback = kept[0]
        sealed, verified = callback.sealed, callback.verified
        self.assertEqual((sealed.bucket, sealed.object, sealed.size, sealed.key_id), (BUCKET, self.object, 5, "new"))
        self.assertEqual((sealed.variable("uid"), sealed.variable("x:none")), ("42", None))
        self.assertEqual((len(sealed.nonce), len(sealed.body_digest)), (16, 32))
        self.assertEqual((verified.object, verified.size, verified.member("size")), (self.object, 5, "5"))
        self.assertEqual((verified.variable("uid"), verified.image_width, verified.vpc_id), ("42", None, None))
        verified.check_body()
        self.assertEqual(verified.confirm(self.client).content_length, 5)
        for name, other in ((self.object, spec), ("python/other", spec), ("python/plain", self.spec(f"http://{address}"))):
            with self.assertRaises(oss_callback.CallbackFailed) as raised:
                put(BUCKET, name, b"other", callback=other)
            self.assertEqual(raised.exception.oss_message, "Error status : 403.")

    def test_http_server_takes_what_was_permitted_once(self) -> None:
        received: list[Any] = []
        address = self.http_server(received)
        callbacks: list[oss_callback.Callback] = []
        self.serve = lambda callback: (callbacks.append(callback), {"Status": "OK"})[1]  # type: ignore[func-returns-value]
        self.drive(address)
        _, target, headers = received[0]
        body = callbacks[0].verified.body

        def send(method: str, body: bytes, without: str = "", length: str | None = None) -> int:
            self.refusals.clear()
            connection = http.client.HTTPConnection(address)
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                if name not in (without, "Content-Length"):
                    connection.putheader(name, value)
            connection.putheader("Content-Length", length or str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            if answer.status != 200:
                self.assertNotIn(b"ignature", answer.read())
            connection.close()
            return answer.status

        for name, arguments, status, kind in (
            ("repeated", ("POST", body), 200, None),
            ("forged", ("POST", body.replace(b"size=5", b"size=6")), 403, "BAD_SIGNATURE"),
            ("unsigned", ("POST", body, "Authorization"), 403, "MISSING_AUTHORIZATION"),
            ("too large", ("POST", b"a" * 4097), 413, "BODY_TOO_LARGE"),
            ("GET", ("GET", b""), 405, "WRONG_METHOD"),
            ("nonsense", ("POST", b"", "", "-5"), 403, "BAD_SIGNATURE"),
        ):
            with self.subTest(name):
                self.assertEqual(send(*arguments), status)
                kinds = [failure.kind.name for failure in self.refusals if hasattr(failure, "kind")]
                self.assertEqual(kinds, [kind] if kind else [])
        self.assertEqual([seen.name for seen in self.seen], ["FIRST", "REPEATED"])

    def test_wsgi_takes_what_was_permitted_once(self) -> None:
        class Quiet(wsgiref.simple_server.WSGIRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

        server = wsgiref.simple_server.make_server("127.0.0.1", 0, self.receiver.wsgi, handler_class=Quiet)
        self.drive(self.start(server))

    def test_wsgi_believes_the_raw_target(self) -> None:
        seen: list[Any] = []
        answer = self.receiver.answer

        def record(method: str, target: Any, headers: Any, body: bytes) -> oss_callback.Reply:
            seen.append((method, target, dict(headers), body))
            return answer(method, target, headers, body)

        self.receiver.answer = record  # type: ignore[method-assign]
        import io

        environ = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "/a",
            "PATH_INFO": "/ \xe7\x9b\xae",
            "QUERY_STRING": "id=%41",
            "CONTENT_LENGTH": "3",
            "HTTP_X_OSS_PUB_KEY_URL": "b",
            "wsgi.input": io.BytesIO(b"abcdef"),
        }
        started: list[Any] = []
        for extra in ({}, {"RAW_URI": "/raw"}, {"wsgi.input_terminated": True, "wsgi.input": io.BytesIO(b"a" * 5000)}):
            self.receiver.wsgi({**environ, **extra}, lambda *arguments: started.append(arguments))
        self.assertEqual([target for _, target, _, _ in seen], ["/a/%20%E7%9B%AE?id=%41", "/raw", "/a/%20%E7%9B%AE?id=%41"])
        self.assertEqual(seen[0][2]["X-OSS-PUB-KEY-URL"], "b")
        self.assertEqual([len(body) for _, _, _, body in seen], [3, 3, 4097])
        too_large = f"413 {http.HTTPStatus(413).phrase}"
        self.assertEqual([status for status, _ in started], ["403 Forbidden", "403 Forbidden", too_large])

    def test_asgi_takes_what_was_permitted_once(self) -> None:
        receiver = self.receiver

        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            """A WSGI application that asks an ASGI one: there is no server for these in Python's library."""
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            blocks = [body[:10], body[10:]]
            sent: list[dict[str, Any]] = []

            async def receive() -> dict[str, Any]:
                return {"type": "http.request", "body": blocks.pop(0), "more_body": bool(blocks)}

            async def send(message: dict[str, Any]) -> None:
                sent.append(message)

            path = environ["PATH_INFO"].encode("latin-1")
            scope = {
                "type": "http",
                "method": environ["REQUEST_METHOD"],
                "path": path.decode(),
                "raw_path": urllib.parse.quote(path).encode(),
                "query_string": environ["QUERY_STRING"].encode(),
                "headers": [
                    (name[5:].replace("_", "-").lower().encode(), value.encode("latin-1"))
                    for name, value in environ.items()
                    if name.startswith("HTTP_")
                ]
                + [(b"content-type", environ["CONTENT_TYPE"].encode())],
            }
            asyncio.run(receiver.asgi(scope, receive, send))
            start_response(f"{sent[0]['status']} Answer", [(n.decode(), v.decode()) for n, v in sent[0]["headers"]])
            return [sent[1]["body"]]

        class Quiet(wsgiref.simple_server.WSGIRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

        server = wsgiref.simple_server.make_server("127.0.0.1", 0, application, handler_class=Quiet)
        self.drive(self.start(server))

    def test_asgi_stops_reading_a_body_that_is_too_large(self) -> None:
        sent: list[dict[str, Any]] = []
        asked: list[int] = []

        async def receive() -> dict[str, Any]:
            asked.append(1)
            return {"type": "http.request", "body": b"a" * 1000, "more_body": True}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/a b", "query_string": b"", "headers": []}
        asyncio.run(self.receiver.asgi(scope, receive, send))
        self.assertEqual((sent[0]["status"], len(asked)), (413, 5))

    def test_a_callback_whose_handling_failed_may_come_again(self) -> None:
        address = self.http_server([])
        spec = self.seal(address)

        def fail(callback: oss_callback.Callback) -> Any:
            raise KeyError("the application's own")

        for serve in (fail, lambda callback: object()):
            self.serve = serve
            with self.assertRaises(oss_callback.CallbackFailed) as raised:
                self.client.put_object(BUCKET, self.object, b"hello", callback=spec)
            self.assertEqual(raised.exception.oss_message, "Error status : 500.")
        self.assertEqual([type(failure) for failure in self.refusals], [KeyError, TypeError])
        self.serve = lambda callback: {"Status": "OK"}
        self.assertEqual(self.client.put_object(BUCKET, self.object, b"hello", callback=spec).answer, AGREED)
        self.assertEqual({seen.name for seen in self.seen}, {"FIRST"})

    def test_a_receiver_without_a_sealer_must_be_asked_for(self) -> None:
        with self.assertRaisesRegex(oss_callback.InvalidArgument, "`sealer` is None"):
            oss_callback.CallbackReceiver(self.verifier, None, self.serve)
        with self.assertRaisesRegex(oss_callback.InvalidArgument, "needs a sealer"):
            guard = oss_callback.ReplayGuard(1)
            oss_callback.CallbackReceiver(self.verifier, None, self.serve, replay_guard=guard, unsealed=True)
        self.receiver = oss_callback.CallbackReceiver(self.verifier, None, self.served, unsealed=True)
        spec = self.spec(f"http://{self.http_server([])}")
        self.assertEqual(self.client.put_object(BUCKET, self.object, b"", callback=spec).answer, AGREED)

    def test_a_permission_is_of_one_kind(self) -> None:
        for permission in (
            oss_callback.Permission(BUCKET, max_size=1, valid_for=1),
            oss_callback.Permission(BUCKET, "a", "b", max_size=1, valid_for=1),
            oss_callback.Permission(BUCKET, "a", valid_for=1),
            oss_callback.Permission(BUCKET, "a", max_size=1),
            oss_callback.Permission(BUCKET, "a", max_size=-1, valid_for=1),
        ):
            with self.assertRaises(oss_callback.InvalidArgument):
                self.sealer.seal(permission, "http://a.example.com/", "${bucket}${object}${size}${x:seal}")

    def test_a_spec_says_what_oss_would_refuse_and_what_is_odd(self) -> None:
        with self.assertRaises(oss_callback.InvalidArgument) as raised:
            oss_callback.CallbackSpec("http://127.0.0.1/", "a", variables={"UID": "1"})
        self.expect(raised.exception, "INVALID_CALLBACK", "NO")
        spec = oss_callback.CallbackSpec(
            ["http://127.0.0.1/", "http://127.0.0.2/"],
            {"o": oss_callback.Variable("object"), "fixed": '"', "v": oss_callback.Variable("x:v")},
            json_body=True,
            variables={"v": "1"},
            host="a.example.com",
            sni=True,
            members={"callbackPolicy": "{}"},
        )
        spec.check()
        text = base64.b64decode(spec.callback)
        for word in (b"application/json", b"callbackPolicy", b"a.example.com", b"127.0.0.2"):
            self.assertIn(word, text)
        self.assertTrue(spec.warnings)
        copied = oss_callback.CallbackSpec.from_base64(spec.callback, spec.callback_var)
        self.assertEqual((copied.callback, copied.callback_var), (spec.callback, spec.callback_var))


if __name__ == "__main__":
    unittest.main()
