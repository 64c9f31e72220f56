"""The ctypes signatures of oss_callback/_signatures.py, made of the header.

    python3 tests/python/signatures.py    writes them; test_signatures.py compares them
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADER = ROOT / "include/oss_callback.h"
TABLE = ROOT / "examples/python/oss_callback/_signatures.py"

# By their spelling without `const`. Everything else is a handle, an enumeration or a hook.
TYPES = {
    "void": "None",
    "bool": "c_bool",
    "int": "c_int",
    "int64_t": "c_int64",
    "uint32_t": "c_uint32",
    "uint64_t": "c_uint64",
    "size_t": "c_size_t",
    "char *": "c_char_p",
    "char * *": "POINTER(c_char_p)",
    "void *": "c_void_p",
    "uint8_t *": "c_void_p",
    "uint64_t *": "POINTER(c_uint64)",
    "size_t *": "POINTER(c_size_t)",
}


def table(header: str) -> str:
    """The module for a header."""
    guarded = "".join(re.findall(r"^#if !defined\(OSS_CALLBACK_SMALL\)$(.*?)^#endif", header, re.DOTALL | re.MULTILINE))
    not_in_small = re.findall(r"\b(oss_callback_\w+)\(", re.sub(r"/\*.*?\*/", "", guarded, flags=re.DOTALL))
    assert not_in_small
    header = re.sub(r"/\*.*?\*/|//[^\n]*|^#[^\n]*", "", header, flags=re.DOTALL | re.MULTILINE)
    enumerations = set(re.findall(r"\}\s*(\w+);", header))

    def type_of(declaration: str) -> str:
        text = " ".join(re.sub(r"\bconst\b", " ", declaration).replace("*", " * ").split())
        if text in TYPES:
            return TYPES[text]
        name, _, stars = text.partition(" ")
        if name in enumerations:
            return {"": "c_uint32", "*": "POINTER(c_uint32)"}[stars]
        if re.fullmatch(r"oss_callback_\w+_hook", text):
            return text.upper()
        if re.fullmatch(r"oss_callback_\w+", name):
            return {"*": "c_void_p", "* *": "POINTER(c_void_p)"}[stars]
        raise ValueError(f"no type for {declaration!r}")

    def parameters(text: str, in_hook: bool = False) -> list[str]:
        types = []
        for parameter in text.split(","):
            match = re.fullmatch(r"(.*?)(\w+)", parameter.strip(), flags=re.DOTALL)
            assert match, parameter
            if match.group(2) == "void":
                continue
            # What a hook writes to is an address; what it reads is text.
            writable = in_hook and "char" in match.group(1) and "const" not in match.group(1)
            types.append("c_void_p" if writable else type_of(match.group(1)))
        return types

    lines = [
        '"""The C functions and hooks. Made of include/oss_callback.h by tests/python/signatures.py: do not edit."""',
        "",
        "from ctypes import (",
        "    CFUNCTYPE,",
        "    POINTER,",
        *(f"    {name}," for name in sorted({t for t in TYPES.values() if re.fullmatch(r"c_\w+", t)})),
        ")",
        "from typing import Any",
        "",
    ]
    hooks = re.findall(r"typedef\s+([^;(]+?)\(\*(\w+)\)\(([^)]*)\);", header)
    for result, name, arguments in hooks:
        kinds = ", ".join([type_of(result), *parameters(arguments, in_hook=True)])
        lines.append(f"{name.upper()} = CFUNCTYPE({kinds})")
    lines += ["", "# Result and parameters by the function's name.", "FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {"]
    functions = re.sub(r"\bOSS_CALLBACK_MUST_USE\b", " ", header.partition('extern "C" {')[2])
    for result, name, arguments in re.findall(r"([\w\s*]+?)\b(oss_\w+)\(([^)]*)\);", functions):
        lines.append(f'    "{name}": ({type_of(result)}, [{", ".join(parameters(arguments))}]),')
    lines += ["}", "", "# What an application server calls: a small library has none of these."]
    lines += ["NOT_IN_SMALL = frozenset(", "    ("]
    lines += [f'        "{name}",' for name in not_in_small]
    lines += ["    )", ")", ""]
    return "\n".join(lines)


def enumerators(header: str, name: str) -> dict[str, int]:
    """The members of an enumeration without their prefix."""
    header = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    body = next(body for body, found in re.findall(r"typedef enum \{(.*?)\}\s*(\w+);", header, re.DOTALL) if found == name)
    prefix = name.upper() + "_"
    return {key.removeprefix(prefix): int(value) for key, value in re.findall(r"(\w+)\s*=\s*(\d+)", body)}


if __name__ == "__main__":
    TABLE.write_text(table(HEADER.read_text(encoding="utf-8")), encoding="utf-8")
