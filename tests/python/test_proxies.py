"""A proxy is named by an option, or by the environment if that is asked for."""

from __future__ import annotations

import base64
import http.client
import http.server
import os
import threading
import unittest
import unittest.mock
import urllib.parse

import oss_callback
from fixture import BUCKET, ENDPOINT, OssTestCase


class Proxy:
    """Passes requests in absolute form on to the server of these tests, whatever host they name."""

    def __init__(self, login: str) -> None:
        self.lines: list[str] = []
        outer = self
        wanted = "Basic " + base64.b64encode(login.encode()).decode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                outer.lines.append(self.requestline)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Proxy-Authorization"] != wanted:
                    self.send_response(407)
                    self.send_header("Proxy-Authenticate", 'Basic realm="office"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                server = http.client.HTTPConnection(urllib.parse.urlsplit(ENDPOINT).netloc)
                headers = {name: value for name, value in self.headers.items() if name != "Proxy-Authorization"}
                server.request("PUT", urllib.parse.urlsplit(self.path).path, body, headers)
                answer = server.getresponse()
                content = answer.read()
                server.close()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Proxies(OssTestCase):
    def test_a_proxy_is_named_by_an_option_or_by_the_environment_when_asked(self) -> None:
        proxy = Proxy("me:p@ss")
        self.addCleanup(proxy.close)
        right, wrong = f"http://me:p%40ss@{proxy.address}", f"http://me:geheim@{proxy.address}"

        def put(**options: str | bool) -> None:
            endpoint, region = "http://oss.example.test", os.environ["OSS_REGION"]
            options["path_style"] = True
            with oss_callback.Client(endpoint, region=region, **options) as client:  # type: ignore[arg-type]
                client.put_object(BUCKET, "python/proxy", b"x")

        put(proxy=right)
        self.assertEqual(len(proxy.lines), 1)
        self.assertIn(" http://oss.example.test/", proxy.lines[0])
        with self.assertRaises(oss_callback.OssCallbackError) as raised:
            put(proxy=wrong)
        self.expect(raised.exception, "CONNECT", "NO")
        self.assertEqual((raised.exception.status, len(proxy.lines)), (407, 2))
        self.assertNotIn("geheim", str(raised.exception))

        variables = {name: "" for name in ("http_proxy", "no_proxy", "NO_PROXY")}
        with unittest.mock.patch.dict(os.environ, {**variables, "HTTP_PROXY": right}):
            put(proxy_from_env=True)
            self.assertEqual(len(proxy.lines), 3)
        with unittest.mock.patch.dict(os.environ, {**variables, "HTTP_PROXY": "socks5://me:geheim@proxy"}):
            with self.assertRaises(oss_callback.InvalidArgument) as refused:
                put(proxy_from_env=True)
            self.assertIn("`HTTP_PROXY` is a SOCKS proxy", str(refused.exception))
            put(proxy_from_env=True, proxy=right)
            self.assertEqual(len(proxy.lines), 4)


if __name__ == "__main__":
    unittest.main()
