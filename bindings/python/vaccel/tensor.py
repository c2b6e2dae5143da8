# SPDX-License-Identifier: Apache-2.0
"""Tensors: what those of all frameworks have in common.

They differ in the numbers of their types alone; the elements lie in an array of NumPy, which is
the caller's own where that can be, and the library's memory for what a model has answered.
"""

from __future__ import annotations

import contextlib
import importlib
import math
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from ._library import ffi, lib
from .array import Array, adopt, as_input, from_memory, pointer
from .error import NullPointerError

SomeTensor = TypeVar("SomeTensor", bound="BaseTensor")

# Names of types that are not NumPy's own.
_ALIASES = {
    "FLOAT": "float32",
    "DOUBLE": "float64",
    "HALF": "float16",
    "BYTE": "uint8",
    "CHAR": "int8",
    "SHORT": "int16",
    "INT": "int32",
    "LONG": "int64",
}
_NUMPY = {
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
}


def dtypes_of(types: type[IntEnum]) -> dict[int, np.dtype[Any]]:
    """Those of a framework's types that NumPy has, by their numbers."""
    names = {member.value: _ALIASES.get(member.name, member.name.lower()) for member in types}
    return {number: np.dtype(name) for number, name in names.items() if name in _NUMPY}


class BaseTensor:
    """A tensor; each framework has its own class, `vaccel.ops.tf.Tensor` and so on."""

    _types: ClassVar[type[IntEnum]]
    _dtypes: ClassVar[dict[int, np.dtype[Any]]]

    def __init_subclass__(cls, types: type[IntEnum]) -> None:
        cls._types = types
        cls._dtypes = dtypes_of(types)

    def __init__(self, dims: Sequence[int], data_type: int, data: Any) -> None:
        """A tensor of `data`: a flat list of as many values as `dims` has, an array, or bytes."""
        self._data_type: int | None = int(data_type)
        self._dims = [int(dim) for dim in dims]
        dtype = self._dtypes.get(int(data_type), np.dtype(np.uint8))
        self._array = as_input(data, dtype, "data")
        if int(data_type) not in self._dtypes:
            return
        count = math.prod(self._dims)
        if min(self._dims, default=0) < 0 or self._array.size != count:
            raise ValueError(f"{self._array.size} values do not fill a tensor of dims {self._dims}")
        self._array = self._array.reshape(self._dims)

    @classmethod
    def from_buffer(
        cls: type[SomeTensor],
        dims: Sequence[int],
        data_type: int,
        data: bytes | bytearray | memoryview,
    ) -> SomeTensor:
        """A tensor over bytes, which are not copied."""
        return cls(dims, data_type, memoryview(data).cast("B"))

    @classmethod
    def from_numpy(cls: type[SomeTensor], data: npt.ArrayLike) -> SomeTensor:
        """A tensor over an array, which is copied only if there are gaps between its elements."""
        array = np.asarray(data)
        return cls(array.shape, cls.type_of(array.dtype), array)

    @classmethod
    def from_torch(cls: type[SomeTensor], data: Any) -> SomeTensor:
        """A tensor over one of PyTorch's, which is copied only if it lies elsewhere than here."""
        return cls.from_numpy(data.detach().cpu().contiguous().numpy())

    @classmethod
    def empty(cls: type[SomeTensor]) -> SomeTensor:
        """A tensor without anything, a place for one."""
        tensor = cls.__new__(cls)
        tensor._data_type = None
        return tensor

    @classmethod
    def type_of(cls, dtype: npt.DTypeLike) -> int:
        """The framework's type for one of NumPy's."""
        for number, known in cls._dtypes.items():
            if known == dtype:
                return cls._types(number)
        raise TypeError(f"{cls._types.__name__} has no type for arrays of {np.dtype(dtype)}")

    @classmethod
    def _adopt(cls: type[SomeTensor], c: Any) -> SomeTensor:
        """Takes over what a call has put into a struct vaccel_tensor, which is empty then."""
        tensor = cls.empty()
        tensor._data_type = int(c.data_type)
        tensor._dims = ffi.unpack(c.dims, c.nr_dims) if c.nr_dims else []
        if c.owned:
            flat = adopt(c.data, c.size, np.uint8)
            c.owned = False
        else:
            flat = from_memory(c.data, c.size, np.uint8).copy()
        lib.vaccel_tensor_release(c)
        dtype = cls._dtypes.get(tensor._data_type)
        tensor._array = flat
        # What a backend answers is its affair: bytes that are no such array stay bytes. Nor does
        # NumPy have all numbers of dimensions.
        if dtype is not None and flat.size == math.prod(tensor._dims) * dtype.itemsize:
            with contextlib.suppress(ValueError):
                tensor._array = flat.view(dtype).reshape(tensor._dims)
        return tensor

    def _fill(self, c: Any) -> list[Any]:
        """Describes it in a struct vaccel_tensor; returns what has to live as long as that."""
        dims = ffi.new("int64_t[]", self.dims)
        data = pointer(self._array, "uint8_t") if self._array.nbytes else ffi.NULL
        c.data, c.size, c.owned = data, self._array.nbytes, False
        c.nr_dims, c.dims, c.data_type = len(self.dims), dims, self._type()
        return [dims, data]

    def _type(self) -> int:
        if self._data_type is None:
            raise NullPointerError(type(self).__name__)
        return self._data_type

    @property
    def data_type(self) -> int:
        """The type of the elements, a member of the framework's `TensorType` if that knows it."""
        number = self._type()
        return self._types(number) if number in set(self._types) else number

    @property
    def dims(self) -> list[int]:
        """The dimensions."""
        self._type()
        return list(self._dims)

    @property
    def shape(self) -> tuple[int, ...]:
        """The dimensions, as NumPy has them."""
        return tuple(self.dims)

    @property
    def data(self) -> list[Any]:
        """The elements as a flat list."""
        self._type()
        values: list[Any] = self._array.ravel().tolist()
        return values

    def as_numpy(self) -> Array:
        """The elements as an array, which is no copy."""
        number = self._type()
        if self._array.dtype != self._dtypes.get(number) or self._array.shape != self.shape:
            raise TypeError(f"NumPy has no array for {self!r}; see to_bytes()")
        return self._array

    def as_torch(self) -> Any:
        """The elements as a tensor of PyTorch, which is no copy."""
        # Here, since nothing else needs it.
        return importlib.import_module("torch").from_dlpack(self.as_numpy())

    def as_memoryview(self) -> memoryview:
        """The elements' bytes, which are no copy."""
        self._type()
        return self._array.reshape(-1).view(np.uint8).data

    def as_bytelike(self) -> memoryview:
        """The elements' bytes, which are no copy."""
        return self.as_memoryview()

    def to_bytes(self) -> bytes:
        """A copy of the elements' bytes."""
        return self.as_memoryview().tobytes()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        array = self.as_numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __dlpack__(self, **how: Any) -> Any:
        return self.as_numpy().__dlpack__(**how)

    def __dlpack_device__(self) -> tuple[int, int]:
        device: tuple[int, int] = self.as_numpy().__dlpack_device__()
        return device

    def __repr__(self) -> str:
        if self._data_type is None:
            return f"<{type(self).__name__} (empty)>"
        kind = getattr(self.data_type, "name", self.data_type)
        return f"<{type(self).__name__} dims={self.dims} data_type={kind}>"
