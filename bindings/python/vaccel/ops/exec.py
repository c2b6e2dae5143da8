# SPDX-License-Identifier: Apache-2.0
"""Functions of libraries, and any operation by a list of arguments."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from .._generated import OpType
from .._library import ffi, lib
from ..aio import in_thread
from ..arg import as_arg
from ..call import Caller
from ..compat import also_known
from ..error import check
from ..resource import Resource


class ExecMixin(Caller):
    """Operations whose arguments are the program's own."""

    @also_known(arg_read="read", arg_write="write")
    def exec(
        self,
        library: str | os.PathLike[str],
        symbol: str,
        read: Sequence[Any] | None = None,
        write: Sequence[Any] | None = None,
    ) -> list[Any] | None:
        """Runs a function of a library that lies where the work is done.

        Arguments are values or `Arg`s. Returned are those that it writes, as they are then.
        """
        (written,) = self.call(OpType.EXEC, library=library, symbol=symbol, read=read, write=write)
        return None if write is None else list(written)

    @also_known(arg_read="read", arg_write="write")
    def exec_with_resource(
        self,
        resource: Resource,
        symbol: str,
        read: Sequence[Any] | None = None,
        write: Sequence[Any] | None = None,
    ) -> list[Any] | None:
        """Runs a function of a library that the program brings; else as `exec()`."""
        (written,) = self.call(
            OpType.EXEC_WITH_RESOURCE, library=resource, symbol=symbol, read=read, write=write
        )
        return None if write is None else list(written)

    def opencv(
        self, read: Sequence[Any] | None = None, write: Sequence[Any] | None = None
    ) -> list[Any] | None:
        """Runs a function of OpenCV's, where a plugin has them."""
        (written,) = self.call(OpType.OPENCV, read=read, write=write)
        return None if write is None else list(written)

    @also_known(arg_read="read", arg_write="write")
    def genop(self, read: Sequence[Any], write: Sequence[Any] = ()) -> None:
        """Runs an operation given by its number, the first argument, and a list of arguments.

        Arguments are values or `Arg`s. Those of `write` are written in place: give arrays,
        bytearrays, or `Arg`s and see their `buf` afterwards.

        >>> import vaccel
        >>> from vaccel import Arg, ArgType, OpType
        >>> total = Arg([0.0, 0.0], ArgType.FLOAT32_ARRAY)
        >>> with vaccel.Session() as session:
        ...     session.genop(
        ...         [
        ...             Arg(OpType.FPGA_VECTORADD, ArgType.UINT8),
        ...             Arg([1.0, 2.0], ArgType.FLOAT32_ARRAY),
        ...             Arg([3.0, 4.0], ArgType.FLOAT32_ARRAY),
        ...         ],
        ...         [total],
        ...     )
        >>> total.buf
        [4.0, 6.0]
        """
        inputs = ffi.new("struct vaccel_arg[]", len(read))
        outputs = ffi.new("struct vaccel_arg[]", len(write))
        keep = [as_arg(arg)._fill(inputs[i]) for i, arg in enumerate(read)]
        written = [as_arg(arg) for arg in write]
        for i, arg in enumerate(written):
            arg._writable()
            keep.append(arg._fill(outputs[i]))
        check(lib.vaccel_genop(self._use(), inputs, len(read), outputs, len(write)))
        del keep
        for i, arg in enumerate(written):
            arg._size = int(outputs[i].size)

    aexec = in_thread(exec)
    aexec_with_resource = in_thread(exec_with_resource)
    aopencv = in_thread(opencv)
    agenop = in_thread(genop)
