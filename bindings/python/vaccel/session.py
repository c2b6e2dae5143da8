# SPDX-License-Identifier: Apache-2.0
"""Sessions: a program's side of whatever does its work."""

from __future__ import annotations

from ._generated import Operations, PluginType
from ._library import ffi, lib
from .aio import in_thread
from .error import check
from .handle import library_stays, may_open
from .ops.exec import ExecMixin
from .ops.image import ImageMixin
from .ops.numbers import NumbersMixin
from .ops.onnx import OnnxMixin
from .ops.tf import TFMixin
from .ops.tf.lite import TFLiteMixin
from .ops.torch import TorchMixin
from .resource import Resource


class Session(ExecMixin, ImageMixin, NumbersMixin, OnnxMixin, TFMixin, TFLiteMixin, TorchMixin):
    """A session, in which operations run: here, or at an agent.

    Which plugin does the work is the environment's affair; `flags` prefer a kind of plugin. A
    session may be used from several threads at once, and calls give up the GIL. Each operation
    has a coroutine of the same name with an "a" before it.

    >>> import vaccel
    >>> with vaccel.Session() as session:
    ...     session.noop()
    ...     session.fpga_vadd([1.0, 2.0], [10.0, 20.0])
    [11.0, 22.0]
    """

    def __init__(self, flags: int = 0) -> None:
        super().__init__()
        may_open()
        made = ffi.new("struct vaccel_session **")
        with library_stays():
            check(lib.vaccel_session_new(made, int(flags)))
            self._own(made[0], lib.vaccel_session_delete)
        self._resources: set[Resource] = set()

    @property
    def ops(self) -> Operations:
        """Every operation by its name in `vaccel ops`."""
        return Operations(self)

    @property
    def flags(self) -> PluginType:
        """The kinds of plugin that it prefers."""
        return PluginType(self._use().hint)

    @property
    def is_remote(self) -> bool:
        """Whether an agent does its work."""
        return bool(self._use().is_virtio)

    def update(self, flags: int) -> None:
        """Changes what it prefers, while it has no resources."""
        check(lib.vaccel_session_update(self._use(), int(flags)))

    @property
    def plugin(self) -> str:
        """The plugin that fits its flags."""
        c = self._use()
        name: bytes = ffi.string(c.plugin.info.name)
        return name.decode()

    def has_resource(self, resource: Resource) -> bool:
        """Whether a resource is registered with it."""
        return bool(lib.vaccel_session_has_resource(self._use(), resource._use()))

    def noop(self) -> None:
        """Does nothing, wherever the session's work is done: what a call costs."""
        check(lib.vaccel_noop(self._use()))

    anoop = in_thread(noop)

    def close(self) -> None:
        """Closes it, or lets the last call that is using it do so. Again is fine."""
        super().close()
        self._resources.clear()

    def __repr__(self) -> str:
        if self.closed:
            return "<Session (closed)>"
        return f"<Session id={self.id} remote_id={self.remote_id} flags={self.flags!r}>"
