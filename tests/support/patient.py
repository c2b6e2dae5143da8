# SPDX-License-Identifier: Apache-2.0
"""Connects to a socket file where others do, too."""

import socket
import struct


def connect_patiently(path, seconds):
    """A connection, of which each step may take that long.

    With a timeout of Python's alone connect() would not wait for room in the listener's queue: there is
    none in the midst of a crowd, and it would fail with EAGAIN.
    """
    one = socket.socket(socket.AF_UNIX)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", seconds, 0))
        one.connect(str(path))
        one.settimeout(seconds)
    except BaseException:
        one.close()
        raise
    return one
