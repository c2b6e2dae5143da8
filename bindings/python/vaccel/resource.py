# SPDX-License-Identifier: Apache-2.0
"""Resources: libraries, data and models that operations use."""

from __future__ import annotations

import builtins
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Union

import numpy as np
import numpy.typing as npt

from ._generated import ResourceType
from ._library import ffi, lib
from .array import Array, as_input, c_text, pointer
from .compat import also_known
from .error import check
from .handle import Handle, library_stays

if TYPE_CHECKING:
    from .session import Session

Path = Union[str, "os.PathLike[str]"]


class Resource(Handle):
    """A library, data or a model, from files, a directory, URLs or memory.

    It is registered with each session that is to use it, by `register()` or for a while:

    >>> import vaccel
    >>> data = vaccel.Resource.from_buffer(b"some bytes", vaccel.ResourceType.DATA)
    >>> with vaccel.Session() as session, data.registered(session):
    ...     session.has_resource(data)
    True
    """

    _kind = "resource"

    @also_known(paths="path", type_="type")
    def __init__(self, path: Path | Sequence[Path], type: int) -> None:
        super().__init__()
        paths = [path] if isinstance(path, (str, os.PathLike)) else list(path)
        texts = [c_text(one) for one in paths]
        made = ffi.new("struct vaccel_resource **")
        names = ffi.new("char *[]", texts)
        with library_stays():
            check(lib.vaccel_resource_multi_new(made, names, len(texts), int(type)))
            self._own(made[0], lib.vaccel_resource_delete)

    @classmethod
    @also_known(type_="type")
    def from_buffer(
        cls: builtins.type[Resource], data: Any, type: int, name: str | None = None
    ) -> Resource:
        """A resource of bytes in memory.

        What operations change in it comes back by `sync()`: into a bytearray or an array itself,
        into a copy of `bytes`, which is seen in `data`.
        """
        memory = as_input(memoryview(data).cast("B"), np.uint8, "data")
        return cls._from_memory(memory if memory.flags.writeable else memory.copy(), type, name)

    @classmethod
    def from_numpy(
        cls: builtins.type[Resource],
        data: npt.ArrayLike,
        type: int = ResourceType.DATA,
        name: str | None = None,
    ) -> Resource:
        """A resource of an array's elements, which are borrowed as in `from_buffer()`."""
        array = np.ascontiguousarray(data)
        return cls._from_memory(array if array.flags.writeable else array.copy(), type, name)

    @classmethod
    def _from_memory(cls, memory: Array, type: int, name: str | None) -> Resource:
        resource = cls.__new__(cls)
        Handle.__init__(resource)
        borrowed = pointer(memory, "uint8_t")
        made = ffi.new("struct vaccel_resource **")
        filename = ffi.NULL if name is None else c_text(name)
        with library_stays():
            check(
                lib.vaccel_resource_from_buf(
                    made, borrowed, memory.nbytes, int(type), filename, True
                )
            )
            resource._own(made[0], lib.vaccel_resource_delete, borrowed)
        return resource

    @property
    def type(self) -> ResourceType:
        """What it is."""
        return ResourceType(self._use().type)

    @property
    def data(self) -> bytes:
        """The bytes of its first file; of one made from paths once it is registered."""
        c = self._use()
        if not c.nr_blobs:
            return b""
        size = ffi.new("size_t *")
        bytes_of = lib.vaccel_blob_data(c.blobs[0], size)
        return bytes(ffi.buffer(bytes_of, size[0])) if bytes_of != ffi.NULL else b""

    def register(self, session: Session) -> None:
        """Lets a session use it, which then holds on to it; again is fine."""
        check(lib.vaccel_resource_register(self._use(), session._use()))
        session._resources.add(self)

    def unregister(self, session: Session) -> None:
        """Ends a session's use of it."""
        check(lib.vaccel_resource_unregister(self._use(), session._use()))
        session._resources.discard(self)

    def sync(self, session: Session) -> None:
        """Brings back what a session's operations changed in it."""
        check(lib.vaccel_resource_sync(self._use(), session._use()))

    def registered(self, session: Session) -> Registration:
        """Registers it, as a context that unregisters it."""
        self.register(session)
        return Registration(self, session)

    def __repr__(self) -> str:
        if self.closed:
            return "<Resource (closed)>"
        return f"<Resource id={self.id} type={self.type.name}>"


class Registration:
    """A resource's use by a session, which ends with the context."""

    def __init__(self, resource: Resource, session: Session) -> None:
        self.resource = resource
        self.session = session

    def __enter__(self) -> Resource:
        return self.resource

    def __exit__(self, *error: object) -> None:
        if not self.session.closed and not self.resource.closed:
            self.resource.unregister(self.session)
