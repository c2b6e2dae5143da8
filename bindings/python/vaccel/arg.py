# SPDX-License-Identifier: Apache-2.0
"""Typed arguments: of functions that `exec` runs, and of `genop`."""

from __future__ import annotations

import os
from typing import Any, Callable

import numpy as np
import numpy.typing as npt

from ._generated import ArgType
from ._library import ffi
from .array import Array, as_input, check_dtype, check_writable, pointer
from .compat import also_known

# What one element of a type is; of the others it is a byte.
_DTYPES: dict[str, str] = {
    "FLOAT32": "float32",
    "FLOAT64": "float64",
    "BOOL": "bool",
    "CHAR": "int8",
    "UCHAR": "uint8",
}

_FLOATS = (float, np.floating)


def _dtype_of(arg_type: ArgType, fallback: npt.DTypeLike) -> np.dtype[Any]:
    name = arg_type.name[: -len("_ARRAY")] if arg_type.name.endswith("_ARRAY") else arg_type.name
    if "INT" in name:
        return np.dtype(name.lower())
    return np.dtype(_DTYPES.get(name, fallback))


class Arg:
    """A value of a type: a number, a list of numbers, text, bytes or an array.

    Without a type (RAW) integers are C's int and others its float, as in vAccel's own package.
    Lists, text and bytes are copied; arrays and bytearrays are used where they lie, and written
    there. After a call `buf` is the value as it is then.

    >>> from vaccel import Arg, ArgType
    >>> Arg([1, 2, 3], ArgType.FLOAT64_ARRAY).buf
    [1.0, 2.0, 3.0]
    >>> Arg("text", ArgType.STRING).buf
    'text'
    """

    @also_known(type_="type", custom_type_id="custom_id")
    def __init__(self, data: Any, type: int = ArgType.RAW, custom_id: int = 0) -> None:
        self.type = ArgType(type)
        self.custom_id = int(custom_id)
        self._given: Any = data
        self._size: int | None = None
        self._array, self._read = self._stored(data)

    def _stored(self, data: Any) -> tuple[Array, Callable[[Array], Any]]:
        """The value as an array, and how it is read from there."""
        if data is None:
            return np.empty(0, np.uint8), lambda array: None
        if isinstance(data, (str, os.PathLike)):
            text = np.frombuffer(os.fsencode(data) + b"\0", np.uint8)
            return text, lambda array: bytes(array).split(b"\0")[0].decode(errors="replace")
        if isinstance(data, bytes):
            return np.frombuffer(data, np.uint8), bytes
        if isinstance(data, (bytearray, memoryview)):
            if isinstance(data, memoryview) and data.format not in ("B", "b", "c"):
                self._check_dtype(np.asarray(data).dtype)
            return np.frombuffer(data, np.uint8), lambda array: data
        if isinstance(data, np.ndarray):
            self._check_dtype(data.dtype)
            return data, lambda array: data
        if isinstance(data, (list, tuple)):
            kind = "float32" if any(isinstance(value, _FLOATS) for value in data) else "int32"
            values = as_input(list(data), _dtype_of(self.type, kind), "Arg")
            return values, lambda array: array.tolist()
        kind = "float32" if isinstance(data, _FLOATS) else "int32"
        dtype = _dtype_of(self.type, bool if isinstance(data, (bool, np.bool_)) else kind)
        if not isinstance(data, (bool, int, float, np.generic)):
            raise TypeError(f"Arg: no value of C for {data!r}")
        return as_input([data], dtype, "Arg"), lambda array: array[0].item() if array.size else None

    def _check_dtype(self, given: np.dtype[Any]) -> None:
        """Refuses an array that is not of the type that it is said to have."""
        # Characters are bytes, signed or not.
        if "CHAR" not in self.type.name or given.itemsize != 1:
            check_dtype(given, _dtype_of(self.type, given), "Arg")

    def _writable(self) -> None:
        """Makes sure that what is written is seen: in the caller's array, or in a copy."""
        if self._array.flags.writeable and self._array.flags.c_contiguous:
            return
        if isinstance(self._given, (np.ndarray, memoryview)):
            check_writable(self._array, "Arg")
        self._array = self._array.copy()

    def _fill(self, c: Any) -> Any:
        """Describes it in a struct vaccel_arg; returns what has to live as long as that."""
        array = np.ascontiguousarray(self._array)
        memory = pointer(array, "char") if array.size else ffi.NULL
        c.buf, c.size, c.owned = memory, array.nbytes, False
        c.type, c.custom_type_id = int(self.type), self.custom_id
        return memory

    @property
    def buf(self) -> Any:
        """The value; of fewer elements than before if the function that wrote it said so."""
        if self._size is None or self._size >= self._array.nbytes:
            return self._read(self._array)
        return self._read(self._array.reshape(-1)[: self._size // self._array.itemsize])

    def __repr__(self) -> str:
        return f"<Arg type={self.type.name} size={self._array.nbytes}>"


def as_arg(value: Any) -> Arg:
    """A value as an argument of no particular type, or an argument as it is."""
    return value if isinstance(value, Arg) else Arg(value)
