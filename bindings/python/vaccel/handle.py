# SPDX-License-Identifier: Apache-2.0
"""What owns an object of the library's: sessions and resources.

A handle's memory is given back when nobody refers to it any more. A call refers to it while it
runs, so that an object may be closed in one thread while it is in use in another: the last one
out gives it back.

A child of fork() has its parent's memory, but none of its threads, and what a plugin's threads
were about to do is never done. So what the parent has opened is closed in the child without a
word to the library, and once a session has been opened the children open none.
"""

from __future__ import annotations

import os
import weakref
from typing import Any, Callable, NoReturn

from ._library import ffi, lib
from .error import FFIError

AFTER_FORK = (
    "this process is a child of fork(), and its parent had opened sessions by then; start it "
    "with multiprocessing's method 'spawn' or 'forkserver', or open the first session in the child"
)


class _Fork:
    """What is known of forks in this process."""

    used = False
    refused = False


_live: weakref.WeakSet[Handle] = weakref.WeakSet()


class Handle:
    """An object of the library's, until it is closed."""

    _kind = "object"

    def __init__(self) -> None:
        self._c: Any = None
        self._closed = f"the {self._kind} is closed"

    def _own(self, c: Any, delete: Callable[[Any], int], *keep: Any) -> None:
        """Owns an object that `delete` gives back; `keep` lives as long as it does."""

        def destroy(pointer: Any, keep: tuple[Any, ...] = keep) -> None:
            # Its structs are the parent's as well, but their threads are gone.
            if not _Fork.refused:
                delete(pointer)

        self._c = ffi.gc(c, destroy)
        _live.add(self)

    def _use(self) -> Any:
        """The object; whoever holds on to what this returns keeps it open."""
        c = self._c
        if c is None:
            self._refuse()
        return c

    def _refuse(self) -> NoReturn:
        raise FFIError(lib.VACCEL_ESESS, self._closed)

    def close(self) -> None:
        """Closes it, or lets the last call that is using it do so. Again is fine."""
        self._c = None

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._c is None

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"a {self._kind} of vaccel cannot be pickled or copied: it belongs to this process; "
            f"open another one where it is needed"
        )


def close_all(why: str) -> None:
    """Closes what is open, before the library does so under a call's feet.

    What a call is using stays open, and is an error.
    """
    for handle in list(_live):
        if handle.closed:
            continue
        c, handle._c = weakref.ref(handle._c), None
        used = c()
        if used is not None:
            handle._c = used
            raise FFIError(
                lib.VACCEL_EBUSY, f"a call is using {handle!r}; wait until all calls have returned"
            )
        handle._closed = f"the {handle._kind} was closed by {why}"


def may_open() -> None:
    """Called before a session is opened."""
    if _Fork.refused:
        raise FFIError(lib.VACCEL_ESESS, AFTER_FORK)
    _Fork.used = True


def _after_fork_in_child() -> None:
    _Fork.refused = _Fork.used
    if _Fork.refused:
        for handle in list(_live):
            handle._c, handle._closed = None, AFTER_FORK


os.register_at_fork(after_in_child=_after_fork_in_child)
