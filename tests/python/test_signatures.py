"""The signatures that ctypes uses are those of the header."""

from __future__ import annotations

import unittest
from typing import Any

import oss_callback
import signatures
from fixture import OssTestCase
from oss_callback import _library, _signatures
from oss_callback._library import library

HEADER = signatures.HEADER.read_text(encoding="utf-8")


class Signatures(OssTestCase):
    def test_the_table_is_that_of_the_header(self) -> None:
        self.assertEqual(
            signatures.TABLE.read_text(encoding="utf-8"),
            signatures.table(HEADER),
            "the table is not current: python3 tests/python/signatures.py",
        )

    def test_a_changed_signature_is_seen(self) -> None:
        table = signatures.table(HEADER)
        for before, after in (
            ("uint32_t oss_callback_version_number(void)", "uint64_t oss_callback_version_number(void)"),
            ("uint32_t part_number,\n", "uint64_t part_number,\n"),
            ("size_t body_len,", ""),
            ("bool cname", "int cname"),
            ("(*oss_callback_progress_hook)(uint64_t sent,", "(*oss_callback_progress_hook)(uint32_t sent,"),
        ):
            self.assertIn(before, HEADER)
            self.assertNotEqual(signatures.table(HEADER.replace(before, after)), table, before)

    def test_every_function_is_declared(self) -> None:
        symbols = (signatures.ROOT / "tests/symbols.txt").read_text(encoding="utf-8").split()
        self.assertEqual(sorted(_signatures.FUNCTIONS), sorted(name for name in symbols if name.startswith("oss_")))
        for name, (result, parameters) in _signatures.FUNCTIONS.items():
            function = getattr(library, name)
            self.assertEqual((function.restype, function.argtypes), (result, parameters), name)

    def test_a_library_may_be_small_but_not_old(self) -> None:
        def without(name: str) -> Any:
            class Library:
                oss_callback_version = library.oss_callback_version

                def __getattr__(self, wanted: str) -> Any:
                    if wanted.startswith(name):
                        raise AttributeError(wanted)
                    return getattr(library, wanted)

            return _library._declare(Library())

        self.assertIn("oss_callback_verifier_new", _signatures.NOT_IN_SMALL)
        self.assertNotIn("oss_callback_receipt_free", _signatures.NOT_IN_SMALL)
        with self.assertRaisesRegex(NotImplementedError, "small"):
            without("oss_callback_verif").oss_callback_verifier_new()
        with self.assertRaisesRegex(ImportError, "too old: it has no oss_callback_receipt_status"):
            without("oss_callback_receipt_status")

    def test_the_enumerations_are_those_of_the_header(self) -> None:
        codes = signatures.enumerators(HEADER, "oss_callback_code")
        codes.pop("OK")
        for enumeration, members in (
            (oss_callback.ErrorKind, codes),
            (oss_callback.Stored, signatures.enumerators(HEADER, "oss_callback_stored")),
            (oss_callback.Answered, signatures.enumerators(HEADER, "oss_callback_answered")),
            (oss_callback.Outcome, signatures.enumerators(HEADER, "oss_callback_outcome")),
            (oss_callback.Seen, signatures.enumerators(HEADER, "oss_callback_seen")),
        ):
            self.assertEqual({member.name: member.value for member in enumeration}, members)
        unknown = oss_callback.ErrorKind(97)
        self.assertEqual((unknown.name, unknown.value), ("CODE_97", 97))

    def test_the_version_is_that_of_the_header(self) -> None:
        self.assertIn(f'#define OSS_CALLBACK_VERSION "{oss_callback.version()}"', HEADER)
        self.assertEqual(oss_callback.__version__, oss_callback.version())


if __name__ == "__main__":
    unittest.main()
