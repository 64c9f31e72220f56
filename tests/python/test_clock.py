"""A clock that is wrong: OSS says what the time is, and the next request goes by it."""

from __future__ import annotations

import datetime
import email.utils
import http.server
import io
import threading
import time
import unittest

import oss_callback
from fixture import BUCKET, OssTestCase

MONTH = 30 * 86_400


class MonthAgo:
    """A server in OSS's place whose clock is a month behind, and which says so in this header or in its document."""

    def __init__(self, in_document: bool) -> None:
        self.dates: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                date = self.headers["x-oss-date"]
                outer.dates.append(date)
                sent = datetime.datetime.strptime(date + "+0000", "%Y%m%dT%H%M%SZ%z").timestamp()
                now = time.time() - MONTH
                stamp = datetime.datetime.fromtimestamp(now, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
                said = f"<ServerTime>{stamp}</ServerTime>" if in_document else ""
                error = f"<Error><Code>RequestTimeTooSkewed</Code>{said}</Error>".encode()
                agreed = abs(sent - now) <= 900
                self.send_response_only(200 if agreed else 403)
                # A box in between may write its own time.
                self.send_header("Date", email.utils.formatdate(time.time() if in_document else now, usegmt=True))
                self.send_header("x-oss-request-id", "1")
                self.send_header("ETag", '"A"')
                self.send_header("Content-Length", "0" if agreed else str(len(error)))
                self.end_headers()
                if not agreed:
                    self.wfile.write(error)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Clock(OssTestCase):
    def month_ago(self, in_document: bool) -> MonthAgo:
        server = MonthAgo(in_document)
        self.addCleanup(server.close)
        return server

    def test_an_upload_from_a_file_object_teaches_the_next_one(self) -> None:
        for in_document in (False, True):
            server = self.month_ago(in_document)
            client = self.client_for(server.endpoint, oss_callback.KeyPair("id", "secret"))
            with self.assertRaises(oss_callback.OssCallbackError) as raised:
                client.put_object(BUCKET, self.object, io.BytesIO(b"x"))
            e = self.expect(raised.exception, "ACCESS_DENIED", "NO")
            self.assertEqual((e.oss_code, e.attempts), ("RequestTimeTooSkewed", 1))
            self.assertIn("clock", e.diagnosis or "")
            for _ in range(2):
                self.assertEqual(client.put_object(BUCKET, self.object, io.BytesIO(b"x")).attempts, 1)
            self.assertEqual(len(server.dates), 3)

            # Bytes can be sent again.
            client = self.client_for(server.endpoint, oss_callback.KeyPair("id", "secret"))
            self.assertEqual(client.put_object(BUCKET, self.object, b"x").attempts, 2)


if __name__ == "__main__":
    unittest.main()
