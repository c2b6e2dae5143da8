# SPDX-License-Identifier: Apache-2.0
"""A write() to a file that takes no end, for which others who write() there wait."""

import contextlib
import ctypes
import fcntl
import mmap
import os
import platform
import struct
import threading

USERFAULTFD = {"x86_64": 323, "aarch64": 282}
API, REGISTER, MISSING = 0xC018AA3F, 0xC020AA00, 1


def userfaultfd():
    """OSError where there is none, or not for this user."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(USERFAULTFD.get(platform.machine(), -1), os.O_CLOEXEC)
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    fcntl.ioctl(fd, API, bytearray(struct.pack("<QQQ", 0xAA, 0, 0)))
    return fd


@contextlib.contextmanager
def writing(fd):
    """As long as this goes on: what it writes is in a page that does not come."""
    faults = userfaultfd()
    page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    place = ctypes.addressof(ctypes.c_char.from_buffer(page))
    fcntl.ioctl(faults, REGISTER, bytearray(struct.pack("<QQQQ", place, mmap.PAGESIZE, MISSING, 0)))
    writer = threading.Thread(target=os.pwrite, args=(fd, memoryview(page)[:1], 0))
    writer.start()
    os.read(faults, 32)
    try:
        yield
    finally:
        os.close(faults)
        writer.join()
