"""The application server: receives callbacks under WSGI, ASGI or http.server."""

from __future__ import annotations

import asyncio
import ctypes
import http.server
import json
import urllib.parse
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Callable

from ._handles import encoded, invalid, made
from ._library import lent, library
from .errors import OssCallbackError, check
from .sealer import ReplayGuard, SealedCallback, Sealer, Seen
from .verifier import Headers, Text, VerifiedCallback, Verifier


@dataclass(frozen=True)
class Callback:
    """What `serve` receives."""

    verified: VerifiedCallback
    """What OSS sent."""
    sealed: SealedCallback | None
    """What was permitted; None if there is no sealer."""
    seen: Seen
    """`FIRST`, or `REPEATED` for the same callback again: answer as before, and do nothing else. Without a replay
    guard it is always `FIRST`."""


@dataclass(frozen=True)
class Reply:
    """An answer to a request; its Content-Type is application/json."""

    status: int
    body: bytes


class Replayed(Exception):
    """A permission was used a second time, for another callback."""


class CallbackReceiver:
    """Receives callbacks: verifies the request, the seal and that the callback is new, and answers in the form that OSS
    expects.

    `serve` handles a callback. What it returns becomes JSON, which OSS passes to the uploader. If it raises, OSS
    receives a 500 and the uploader learns that the callback failed; the callback may then come again as `FIRST`.
    Without a `sealer`, every customer of OSS can have `serve` called, with any body, any number of times: you must ask
    for that with `unsealed`. `refused` receives the reason why a request was refused, or the exception from `serve`,
    for a log; the peer does not learn it.
    """

    def __init__(
        self,
        verifier: Verifier,
        sealer: Sealer | None,
        serve: Callable[[Callback], Any],
        *,
        replay_guard: ReplayGuard | None = None,
        unsealed: bool = False,
        refused: Callable[[Exception], object] | None = None,
    ) -> None:
        if sealer is None and not unsealed:
            raise invalid("`sealer` is None: every customer of OSS could call this server")
        if sealer is None and replay_guard is not None:
            raise invalid("`replay_guard` needs a sealer")
        self._verifier, self._sealer, self._guard = verifier, sealer, replay_guard
        self._serve, self._refused = serve, refused

    def answer(self, method: str, target: Text, headers: Headers, body: bytes) -> Reply:
        """Returns the answer to a request as received, before anything decodes it: see `Verifier.verify`."""
        try:
            callback = self._accept(method, target, headers, body)
        except Exception as e:
            self._tell(e)
            return Reply(403, b"{}") if isinstance(e, Replayed) else _refusal(e)
        try:
            return self._served(callback)
        except Exception as e:
            self._tell(e)
            return Reply(500, b'{"Status":"failed"}')

    def _tell(self, failure: Exception) -> None:
        if self._refused is not None:
            self._refused(failure)

    def _accept(self, method: str, target: Text, headers: Headers, body: bytes) -> Callback:
        verified = self._verifier.verify(method, target, headers, body)
        if self._sealer is None:
            return Callback(verified, None, Seen.FIRST)
        sealed = self._sealer.check(verified)
        seen = Seen.FIRST if self._guard is None else self._guard.check(sealed)
        if seen is Seen.REPLAYED:
            raise Replayed("the permission was used before, for another callback")
        return Callback(verified, sealed, seen)

    def _served(self, callback: Callback) -> Reply:
        try:
            text = encoded("answer", json.dumps(self._serve(callback), ensure_ascii=False, separators=(",", ":")))
            reply = made(library.oss_callback_reply_new_ok, text)
        except BaseException:
            if self._guard is not None and callback.sealed is not None and callback.seen is Seen.FIRST:
                self._guard.forget(callback.sealed)
            raise
        return _taken(reply)

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """A WSGI application. If the server does not pass on the original target, in REQUEST_URI or RAW_URI, the
        decoded one is encoded again. Apache passes on Authorization only with WSGIPassAuthorization."""
        headers = [
            (name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_")
        ]
        headers.append(("Content-Type", environ.get("CONTENT_TYPE", "")))
        target = environ.get("REQUEST_URI") or environ.get("RAW_URI")
        if not target:
            path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
            query = environ.get("QUERY_STRING", "")
            target = urllib.parse.quote(path.encode("latin-1")) + ("?" + query if query else "")
        # One byte more than the limit, so that the verifier notices a body that is too large.
        most = self._verifier.max_body_len + 1
        if not environ.get("wsgi.input_terminated"):
            most = min(most, _length(environ.get("CONTENT_LENGTH")))
        reply = self.answer(environ["REQUEST_METHOD"], target, headers, _read(environ["wsgi.input"], most))
        status = f"{reply.status} {HTTPStatus(reply.status).phrase}"
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(reply.body)))])
        return [reply.body]

    async def asgi(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """An ASGI application for asyncio. `serve` runs on another thread."""
        if scope["type"] != "http":
            raise ValueError(f"`scope` is of the type {scope['type']!r}")
        body, more = bytearray(), True
        while more and len(body) <= self._verifier.max_body_len:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        target = scope.get("raw_path") or urllib.parse.quote(scope["path"]).encode()
        if scope.get("query_string"):
            target += b"?" + scope["query_string"]
        reply = await asyncio.get_running_loop().run_in_executor(
            None, self.answer, scope["method"], target, scope["headers"], bytes(body)
        )
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(reply.body)).encode())]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    def handle(self, request: http.server.BaseHTTPRequestHandler) -> None:
        """Answers a request of http.server: call it in `do_POST`."""
        most = min(self._verifier.max_body_len + 1, _length(request.headers.get("Content-Length")))
        body = _read(request.rfile, most)
        # Not `path`, which Python changes.
        target = request.requestline.split()[1]
        reply = self.answer(request.command, target, request.headers.items(), body)
        request.send_response(reply.status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(reply.body)))
        # The unread rest of a body that is too large must not be mistaken for a request.
        request.close_connection = True
        request.end_headers()
        request.wfile.write(reply.body)


def _length(text: str | None) -> int:
    """A Content-Length; without a valid one there is no body."""
    return int(text) if text and text.isascii() and text.isdigit() else 0


def _read(stream: Any, most: int) -> bytes:
    blocks = []
    while most > 0:
        block = stream.read(most)
        if not block:
            break
        blocks.append(block)
        most -= len(block)
    return b"".join(blocks)


def _refusal(failure: Exception) -> Reply:
    """A status that fits the error, without giving the reason."""
    handle = failure._handle if isinstance(failure, OssCallbackError) else None
    reply = ctypes.c_void_p()
    if handle is not None:
        with handle as error:
            check(library.oss_callback_reply_new_refused(error, ctypes.byref(reply)))
    elif isinstance(failure, OssCallbackError):
        return Reply(400, b"{}")
    else:
        check(library.oss_callback_reply_new_refused(None, ctypes.byref(reply)))
    assert reply.value is not None
    return _taken(reply.value)


def _taken(reply: int) -> Reply:
    try:
        return Reply(library.oss_callback_reply_status(reply), lent(library.oss_callback_reply_body, reply))
    finally:
        library.oss_callback_reply_free(reply)
