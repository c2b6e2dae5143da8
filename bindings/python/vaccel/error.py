# SPDX-License-Identifier: Apache-2.0
"""Errors of the library, with the words of whoever knew of them first."""

import errno

from ._library import ffi, lib


class FFIError(RuntimeError):
    """A call of the library failed.

    `code` is one of the errno module's numbers (ESESS is ECONNRESET, EBACKEND is EPROTO), `message`
    says what is wrong and what to do; for a call that ran elsewhere these are the host's words.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"[errno {self.code}] {errno.errorcode.get(self.code, 'unknown')}: {self.message}"


class NullPointerError(RuntimeError):
    """Something is used that has no data yet, such as a tensor of `Tensor.empty()`."""

    def __init__(self, context: str) -> None:
        super().__init__(f"{context} is empty")


def last_words() -> str:
    """What the library said of this thread's last error."""
    text: bytes = ffi.string(lib.vaccel_error_text())
    return text.decode(errors="replace")


def check(code: int) -> None:
    """Raises what a function of the library returned.

    The words are the calling thread's, so nothing may come between the call and this.
    """
    if code:
        raise FFIError(code, last_words())
