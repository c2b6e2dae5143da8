# SPDX-License-Identifier: Apache-2.0
"""A descriptor that whoever closes it last is kept waiting by."""

import contextlib
import socket
import struct


def lingering():
    """A connection whose last close waits for an hour, and what keeps its peer from reading."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        other, _ = server.accept()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
    one.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            one.send(bytes(1 << 16))
    return one, other
