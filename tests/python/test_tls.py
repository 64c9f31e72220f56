"""A client that says who it is, to a server that asks."""

from __future__ import annotations

import os
import pathlib
import unittest
from typing import Any

from fixture import BUCKET

import oss_callback


@unittest.skipUnless("OSS_TLS_ENDPOINT" in os.environ, "OSS_TLS_ENDPOINT is not set: cargo test --test faces python::")
class ClientCertificates(unittest.TestCase):
    def setUp(self) -> None:
        self.authority = pathlib.Path(os.environ["OSS_TLS_AUTHORITY"])
        self.own = pathlib.Path(os.environ["OSS_TLS_CLIENT"])

    def client(self, **options: Any) -> oss_callback.Client:
        options.setdefault("ca_bundle_file", self.authority)
        client = oss_callback.Client(
            os.environ["OSS_TLS_ENDPOINT"], region="cn-hangzhou", root_certificates="none", **options
        )
        self.addCleanup(client.close)
        return client

    def test_files_and_bytes_are_shown(self) -> None:
        pem = self.own.read_bytes()
        for options in (
            {"client_certificate_files": (self.own, str(self.own))},
            {"client_certificate": (pem, pem)},
            {"client_certificate": (pem, bytearray(pem)), "ca_bundle": self.authority.read_bytes()},
        ):
            self.client(**options).put_object(BUCKET, "a", b"1")

    def test_a_client_that_shows_nothing_stores_nothing(self) -> None:
        with self.assertRaises(oss_callback.OssCallbackError) as raised:
            self.client().put_object(BUCKET, "a", b"1")
        error = raised.exception
        self.assertEqual(
            (error.kind, error.stored, error.attempts), (oss_callback.ErrorKind.TLS, oss_callback.Stored.NO, 1)
        )
        self.assertIn("`client_certificate`", str(error))

    def test_what_does_not_fit_is_named(self) -> None:
        pem = self.own.read_bytes()
        for message, options in (
            ("`client_key` holds no private key", {"client_certificate_files": (self.own, self.authority)}),
            ("`client_key` holds no private key: it is empty", {"client_certificate": (pem, b"")}),
            ("`client_certificate` holds no certificate: it is empty", {"client_certificate": (b"", pem)}),
            ("`ca_bundle`: read /: it is not a regular file", {"ca_bundle_file": "/"}),
        ):
            with self.assertRaisesRegex(oss_callback.InvalidArgument, message):
                self.client(**options)
        for value in (pem, (pem,), (pem, pem, pem), (1, 2)):
            with self.assertRaises((TypeError, ValueError)):
                self.client(client_certificate=value)


if __name__ == "__main__":
    unittest.main()
