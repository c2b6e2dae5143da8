# SPDX-License-Identifier: Apache-2.0
"""The library's configuration, and its beginning and end.

It begins by itself when it is loaded, configured from the environment.
"""

from __future__ import annotations

from typing import Any

from ._library import ffi, lib
from .array import c_text
from .error import check
from .handle import fork_refused, library_alone, refuse_after_fork


class Config:
    """What a program may set: see `vaccel config` for what the names mean.

    >>> from vaccel import Config
    >>> Config("noop:cpu", log_level=2).plugins
    'noop:cpu'
    """

    def __init__(
        self,
        plugins: str | None = "libvaccel-noop.so",
        log_level: int = 1,
        log_file: str | None = None,
        profiling_enabled: bool = False,
        version_ignore: bool = False,
    ) -> None:
        made = ffi.new("struct vaccel_config **")
        check(
            lib.vaccel_config_new(
                made,
                _encoded(plugins),
                log_level,
                _encoded(log_file),
                profiling_enabled,
                version_ignore,
            )
        )
        self._c = ffi.gc(made[0], lib.vaccel_config_delete)

    @property
    def plugins(self) -> str | None:
        """Plugins to load, ":" between them; None for none, "auto" for all of the installation."""
        return _decoded(self._c.plugins)

    @property
    def log_level(self) -> int:
        """What the log shows, 1 (errors) to 4."""
        return int(self._c.log_level)

    @property
    def log_file(self) -> str | None:
        """Where it goes; None for stderr."""
        return _decoded(self._c.log_file)

    @property
    def profiling_enabled(self) -> bool:
        """Whether operations are measured."""
        return bool(self._c.profiling_enabled)

    @property
    def version_ignore(self) -> bool:
        """Whether plugins of other versions are loaded."""
        return bool(self._c.version_ignore)

    def __repr__(self) -> str:
        return f"<Config plugins={self.plugins!r} log_level={self.log_level}>"


def _encoded(text: str | None) -> Any:
    return ffi.NULL if text is None else c_text(text)


def _decoded(text: Any) -> str | None:
    return None if text == ffi.NULL else ffi.string(text).decode()


def bootstrap(config: Config | None = None) -> None:
    """Starts the library anew, as a configuration or else the environment says.

    Sessions and resources that are open are closed. While a call is running it is an error.
    """
    refuse_after_fork()
    with library_alone("vaccel.bootstrap()"):
        check(
            lib.vaccel_bootstrap()
            if config is None
            else lib.vaccel_bootstrap_with_config(config._c)
        )


def cleanup() -> None:
    """Closes all sessions and resources and unloads the plugins; refuses while a call runs."""
    if fork_refused():
        return
    with library_alone("vaccel.cleanup()"):
        check(lib.vaccel_cleanup())
