# SPDX-License-Identifier: Apache-2.0
"""Finds libvaccel and loads it, before the compiled module that needs it is imported.

A library that the system's linker finds (LD_LIBRARY_PATH, /etc/ld.so.conf) comes first, so that
a program uses the plugins of the installation; the one that the package carries comes second.
What is loaded by then satisfies the module's own need for `libvaccel.so.0`.
"""

import ctypes
import pathlib

from ._version import __version__

SONAME = "libvaccel.so.0"
BUNDLED = pathlib.Path(__file__).parent / "_bundle" / "lib" / SONAME


def _load() -> ctypes.CDLL:
    try:
        return ctypes.CDLL(SONAME)
    except OSError as missing:
        if BUNDLED.exists():
            return ctypes.CDLL(str(BUNDLED))
        raise ImportError(
            f"{missing}. This package carries no library of its own: install vaccel, or name "
            "its lib directory in LD_LIBRARY_PATH"
        ) from missing


def _place() -> str:
    """Where the library that is loaded lies."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        return next(
            (line.split(maxsplit=5)[5].strip() for line in maps if "/libvaccel.so" in line), SONAME
        )


def _check(library: ctypes.CDLL) -> None:
    """Refuses a library whose structs and functions may not be those that this was built for."""
    try:
        function = library.vaccel_version
    except AttributeError:
        found = "an older one"
    else:
        function.restype = ctypes.c_char_p
        found = function().decode()
        if found.split(".")[:2] == __version__.split(".")[:2]:
            return
    raise ImportError(
        f"this package was built for libvaccel {__version__}, and {_place()} is {found}: "
        "build the package again (pip install ./bindings/python), or take that library out of "
        "LD_LIBRARY_PATH"
    )


_check(_load())

from ._native import ffi, lib  # noqa: E402 (it needs the library)

__all__ = ["ffi", "lib"]
