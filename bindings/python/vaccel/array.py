# SPDX-License-Identifier: Apache-2.0
"""Arrays of NumPy as the library takes and gives them, without a copy if that can be; texts."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ._library import ffi, lib
from .error import FFIError, last_words

Array = npt.NDArray[Any]


def from_memory(memory: Any, count: int, dtype: npt.DTypeLike) -> Array:
    """An array over C memory, which lives as long as the array or a view of it does."""
    size = count * np.dtype(dtype).itemsize
    return np.frombuffer(ffi.buffer(memory, size), dtype) if size else np.empty(0, dtype)


def adopt(pointer: Any, count: int, dtype: npt.DTypeLike) -> Array:
    """An array over memory that the library has given away with malloc()."""
    return from_memory(ffi.gc(pointer, lib.free), count, dtype)


def empty(shape: int | Sequence[int], dtype: npt.DTypeLike = np.float32) -> Array:
    """An array in memory that an agent on this host can be shown.

    A call to such an agent does not copy it, which is what arrays of many megabytes are worth.
    It can be used as any other array; what is in it is undefined, as with `numpy.empty()`.

    >>> import vaccel
    >>> a = vaccel.empty((2, 3), "int32")
    >>> a[:] = 7
    >>> int(a.sum())
    42
    """
    dims: tuple[int, ...] = (shape,) if isinstance(shape, int) else tuple(shape)
    count = math.prod(dims)
    memory = lib.vaccel_alloc(count * np.dtype(dtype).itemsize)
    if memory == ffi.NULL:
        raise FFIError(lib.VACCEL_ENOMEM, last_words())
    return from_memory(ffi.gc(memory, lib.vaccel_free), count, dtype).reshape(dims)


def as_input(value: Any, dtype: npt.DTypeLike, name: str) -> Array:
    """What a call reads: contiguous, of that very type; lists are converted, arrays are not.

    An array of another type is refused, since converting it behind the caller's back would cost
    a copy and perhaps digits; one with gaps between its elements is copied once.
    """
    wanted = np.dtype(dtype)
    if isinstance(value, (bytes, bytearray)):
        value = _from_bytes(value, wanted, name)
    elif isinstance(value, memoryview) and value.format in ("B", "b", "c"):
        value = _from_bytes(value.cast("B"), wanted, name)
    elif isinstance(value, (list, tuple, int, float)):
        return _converted(value, wanted, name)
    elif not isinstance(value, np.ndarray):
        value = np.from_dlpack(value) if hasattr(value, "__dlpack__") else np.asarray(value)
    check_dtype(value.dtype, wanted, name)
    return np.ascontiguousarray(value)


def check_dtype(given: np.dtype[Any], wanted: np.dtype[Any], name: str) -> None:
    """Refuses an array of another type."""
    if given != wanted:
        raise TypeError(
            f"{name}: an array of {given} where {wanted} is wanted; "
            f"convert it with .astype('{wanted}')"
        )


def _from_bytes(value: Any, wanted: np.dtype[Any], name: str) -> Array:
    if memoryview(value).nbytes % wanted.itemsize:
        raise ValueError(f"{name}: {len(value)} bytes are no whole number of {wanted}")
    return np.frombuffer(value, wanted)


def _converted(value: Any, wanted: np.dtype[Any], name: str) -> Array:
    found = np.asarray(value)
    if not found.size:
        return np.empty(0, wanted)
    if not np.can_cast(found.dtype, wanted, "same_kind") and found.dtype.kind not in "iu":
        raise TypeError(f"{name}: values of {found.dtype} where {wanted} is wanted")
    converted = found.astype(wanted)
    if wanted.kind in "iu" and not np.array_equal(converted, found):
        raise OverflowError(f"{name}: a value does not fit into {wanted}")
    return converted


def as_output(value: Any, dtype: npt.DTypeLike, name: str) -> Array:
    """What a call writes: an array to fill, or how many elements a new one is to have."""
    if isinstance(value, (int, np.integer)):
        return np.empty(int(value), dtype)
    if not isinstance(value, np.ndarray):
        raise TypeError(
            f"{name}: give a number of elements or an array, not {type(value).__name__}"
        )
    if value.dtype != np.dtype(dtype):
        raise TypeError(f"{name}: an array of {value.dtype} cannot take {np.dtype(dtype)}")
    check_writable(value, name)
    return value


def check_writable(array: Array, name: str) -> None:
    """Refuses what cannot be written in place: a copy would be written instead, and be lost."""
    if not array.flags.c_contiguous:
        raise ValueError(f"{name}: an array with gaps between its elements cannot be written")
    if not array.flags.writeable:
        raise ValueError(f"{name}: the array is read-only")


def pointer(array: Array, c_type: str) -> Any:
    """The array's memory for C, which holds on to the array."""
    if array.dtype.hasobject:
        raise TypeError(
            f"an array of {array.dtype} has objects of Python's in it, which are nothing for C"
        )
    return ffi.from_buffer(f"{c_type}[]", array)


def c_text(value: str | bytes | os.PathLike[str]) -> Any:
    """A text or a path for C, which would take a NUL for its end."""
    encoded = os.fsencode(value)
    if b"\0" in encoded:
        raise ValueError(f"{value!r} has a NUL in it")
    return ffi.new("char[]", encoded)
