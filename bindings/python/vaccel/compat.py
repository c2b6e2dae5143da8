# SPDX-License-Identifier: Apache-2.0
"""For programs of vAccel's own package."""

from __future__ import annotations

import functools
from typing import Any, Callable, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


def also_known(**names: str) -> Callable[[Function], Function]:
    """Lets callers use other names of keywords, too: `also_known(type_="type")`."""

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            for name in names.keys() & kwargs.keys():
                kwargs[names[name]] = kwargs.pop(name)
            return function(*args, **kwargs)

        return cast(Function, call)

    return decorate
