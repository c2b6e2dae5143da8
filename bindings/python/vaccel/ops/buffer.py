# SPDX-License-Identifier: Apache-2.0
"""Bytes for a framework, such as serialized options of a run."""

from __future__ import annotations


class Buffer:
    """Bytes for a framework."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self.data = bytes(data)

    @property
    def size(self) -> int:
        """How many."""
        return len(self.data)

    def __repr__(self) -> str:
        return f"<Buffer size={self.size}>"
