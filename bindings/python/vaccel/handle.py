# SPDX-License-Identifier: Apache-2.0
"""What owns an object of the library's: sessions and resources.

A handle's memory is given back when nobody refers to it any more. A call refers to it while it
runs, so that an object may be closed in one thread while it is in use in another: the last one
out gives it back.

What is opened and closed is the library's as well, whose end no call may see. So a handle's users
hold a view of its object, which only they and the handle refer to: if the handle gives up its own
and it is gone, there are none.

A child of fork() has its parent's memory, but none of its threads, and what a plugin's threads
were about to do is never done. So what the parent has opened is closed in the child without a
word to the library, and once a session has been opened the children open none.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any, Callable, NoReturn, TypeVar

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


HandleT = TypeVar("HandleT", bound="Handle")

# Guards what is below, and which handles are open. Who begins or ends the library holds it.
_lock = threading.Condition()
_live: weakref.WeakSet[Handle] = weakref.WeakSet()


class _Library:
    """What is under way in the library besides calls."""

    users = 0


@contextlib.contextmanager
def library_stays() -> Iterator[None]:
    """While something is opened or closed."""
    with _lock:
        _Library.users += 1
    try:
        yield
    finally:
        with _lock:
            _Library.users -= 1
            _lock.notify_all()


@contextlib.contextmanager
def library_alone(why: str) -> Iterator[None]:
    """While the library begins or ends: nothing is open, and nothing can be opened.

    What a call is using cannot be closed, and is an error.
    """
    with _lock:
        _lock.wait_for(lambda: not _Library.users)
        used = _close_all(why)
        if used is not None:
            raise FFIError(
                lib.VACCEL_EBUSY, f"a call is using {used!r}; wait until all calls have returned"
            )
        yield


class Handle:
    """An object of the library's that has a number, until it is closed."""

    _kind = "object"

    def __init__(self) -> None:
        self._c: Any = None
        self._owner: Callable[[], Any] = lambda: None
        self._closed = f"the {self._kind} is closed"

    def _own(self, c: Any, delete: Callable[[Any], int], *keep: Any) -> None:
        """Owns an object that `delete` gives back; `keep` lives as long as it does.

        The library stays until this has returned.
        """

        def destroy(pointer: Any, keep: tuple[Any, ...] = keep) -> None:
            # Its structs are the parent's as well, but their threads are gone.
            if _Fork.refused:
                return
            # At the exit other threads have stopped where they were, with the lock perhaps.
            with contextlib.nullcontext() if sys.is_finalizing() else library_stays():
                delete(pointer)

        owner = ffi.gc(c, destroy)
        with _lock:
            self._owner = weakref.ref(owner)
            self._c = _view(owner)
            _live.add(self)

    def _look(self) -> Any:
        """The object, None if it is closed."""
        c = self._c
        if c is None:
            # Whoever looks for users may have it just now, and give it back.
            with _lock:
                c = self._c
        return c

    def _use(self) -> Any:
        """The object; whoever holds on to this and the handle keeps it open."""
        c = self._look()
        if c is None:
            self._refuse()
        return c

    def _refuse(self) -> NoReturn:
        raise FFIError(lib.VACCEL_ESESS, self._closed)

    def close(self) -> None:
        """Closes it, or lets the last call that is using it do so. Again is fine."""
        with _lock:
            c, self._c = self._c, None
        # Which may take its time.
        del c

    @property
    def id(self) -> int:
        """Its number, 1 and up."""
        return int(self._use().id)

    @property
    def remote_id(self) -> int:
        """Its number at the agent that does the work, else 0."""
        return int(self._use().remote_id)

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._look() is None

    def __enter__(self: HandleT) -> HandleT:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"a {self._kind} of vaccel cannot be pickled or copied: it belongs to this process; "
            f"open another one where it is needed"
        )


def _view(owner: Any) -> Any:
    """A pointer of its own that keeps the owner alive."""
    return ffi.gc(owner, lambda pointer: None)


def _close_all(why: str) -> Handle | None:
    """Closes what is open; or returns what a call is using, and all is as it was.

    A handle that was closed is in use as long as its object is there.
    """
    closed: list[tuple[Handle, Any]] = []
    for handle in list(_live):
        owner = handle._owner()
        if owner is None:
            continue
        if handle._c is not None:
            view, handle._c = weakref.ref(handle._c), None
            handle._c = view()
            if handle._c is None:
                closed.append((handle, owner))
                continue
        for unused, its in closed:
            unused._c = _view(its)
        return handle
    for handle, _ in closed:
        handle._closed = f"the {handle._kind} was closed by {why}"
    return None


def fork_refused() -> bool:
    """Whether the library is the parent's, and nothing is to be done with it."""
    return _Fork.refused


def refuse_after_fork() -> None:
    """Called before the library is asked for what a child of fork() cannot have."""
    if _Fork.refused:
        raise FFIError(lib.VACCEL_ESESS, AFTER_FORK)


def may_open() -> None:
    """Called before a session is opened."""
    refuse_after_fork()
    _Fork.used = True


def _after_fork_in_child() -> None:
    # Of what other threads were about to do nothing ends here.
    _Library.users = 0
    _Fork.refused = _Fork.used
    if _Fork.refused:
        for handle in list(_live):
            handle._c, handle._closed = None, AFTER_FORK
    _lock.release()


os.register_at_fork(
    before=_lock.acquire,
    after_in_parent=_lock.release,
    after_in_child=_after_fork_in_child,
)
