# SPDX-License-Identifier: Apache-2.0
"""Functions of libraries, and any operation by a list of arguments."""

from __future__ import annotations

import os
from typing import Any, List, Optional, Sequence, Union

from .._generated import OpType
from .._library import ffi, lib
from ..aio import in_thread
from ..arg import Arg
from ..call import Caller
from ..error import check
from ..resource import Resource


class ExecMixin(Caller):
    """Operations whose arguments are the program's own."""

    def exec(
        self,
        library: Union[str, "os.PathLike[str]"],
        symbol: str,
        arg_read: Optional[Sequence[Any]] = None,
        arg_write: Optional[Sequence[Any]] = None,
    ) -> Optional[List[Any]]:
        """Runs a function of a library that lies where the work is done.

        Arguments are values or `Arg`s. Returned are those that it writes, as they are then.
        """
        (written,) = self.call(OpType.EXEC, library=library, symbol=symbol, read=arg_read, write=arg_write)
        return None if arg_write is None else list(written)

    def exec_with_resource(
        self,
        resource: Resource,
        symbol: str,
        arg_read: Optional[Sequence[Any]] = None,
        arg_write: Optional[Sequence[Any]] = None,
    ) -> Optional[List[Any]]:
        """Runs a function of a library that the program brings; else as `exec()`."""
        (written,) = self.call(
            OpType.EXEC_WITH_RESOURCE, library=resource, symbol=symbol, read=arg_read, write=arg_write
        )
        return None if arg_write is None else list(written)

    def opencv(
        self, arg_read: Optional[Sequence[Any]] = None, arg_write: Optional[Sequence[Any]] = None
    ) -> Optional[List[Any]]:
        """Runs a function of OpenCV's, where a plugin has them."""
        (written,) = self.call(OpType.OPENCV, read=arg_read, write=arg_write)
        return None if arg_write is None else list(written)

    def genop(self, arg_read: Sequence[Arg], arg_write: Sequence[Arg] = ()) -> None:
        """Runs an operation given by its number, the first argument, and a list of arguments.

        Those of `arg_write` are written in place: see their `buf` afterwards.

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
        read = ffi.new("struct vaccel_arg[]", len(arg_read))
        write = ffi.new("struct vaccel_arg[]", len(arg_write))
        keep = [arg._fill(read[i]) for i, arg in enumerate(arg_read)]
        for i, arg in enumerate(arg_write):
            arg._writable()
            keep.append(arg._fill(write[i]))
        check(lib.vaccel_genop(self._use(), read, len(arg_read), write, len(arg_write)))
        del keep
        for i, arg in enumerate(arg_write):
            arg._size = int(write[i].size)

    aexec = in_thread(exec)
    aexec_with_resource = in_thread(exec_with_resource)
    aopencv = in_thread(opencv)
    agenop = in_thread(genop)
