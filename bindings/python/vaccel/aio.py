# SPDX-License-Identifier: Apache-2.0
"""The async forms of methods."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Callable, TypeVar

if TYPE_CHECKING:
    from typing_extensions import ParamSpec

    P = ParamSpec("P")
T = TypeVar("T")


def in_thread(method: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """The method as a coroutine: it runs in a thread of asyncio's, which waits without the GIL.

    To cancel the coroutine does not end the call, whose outcome is dropped then.
    """

    @functools.wraps(method)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(method, *args, **kwargs)

    run.__name__ = "a" + method.__name__
    run.__doc__ = f"As `{method.__name__}()`, to be awaited."
    return run
