"""Puts the C library into the wheel, and declares the platform that the wheel is for."""

import os
import struct
import sysconfig
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# e_machine of ELF files, with the names that platform tags use.
MACHINES = {62: "x86_64", 183: "aarch64", 3: "i686", 40: "armv7l", 243: "riscv64", 22: "s390x", 21: "ppc64le"}


def machine_of(library: Path) -> str:
    """What machine a library runs on, from its own header: it may have been built for another one."""
    head = library.read_bytes()[:20]
    if head[:4] != b"\x7fELF":
        raise ValueError(f"{library} is no ELF library")
    (number,) = struct.unpack_from("<H" if head[5] == 1 else ">H", head, 18)
    return MACHINES[number]


class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        named = os.environ.get("OSS_CALLBACK_LIBRARY")
        if not named:
            raise ValueError("OSS_CALLBACK_LIBRARY must name the liboss_callback.so that goes into the wheel")
        library = Path(named).resolve(strict=True)
        build_data["force_include"][str(library)] = "oss_callback/liboss_callback.so"
        build_data["pure_python"] = False
        # Any Python 3, independent of Python's ABI, this kind of machine. The manylinux tag is not claimed here:
        # auditwheel checks which symbols of the C library are used, and writes it (`auditwheel repair`).
        system = sysconfig.get_platform().partition("-")[0]
        build_data["tag"] = f"py3-none-{system}_{machine_of(library)}"
