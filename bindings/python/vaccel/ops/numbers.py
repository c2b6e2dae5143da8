# SPDX-License-Identifier: Apache-2.0
"""Operations on numbers. Lists are answered with lists, arrays with arrays."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from .._generated import OpType
from ..aio import in_thread
from ..array import as_input
from ..call import Caller
from ..compat import also_known

Floats = TypeVar("Floats", list[float], npt.NDArray[np.float32])
Ints = TypeVar("Ints", list[int], npt.NDArray[np.int32])


def _alike(given: Any, found: npt.NDArray[Any]) -> Any:
    """What was found, as an array of the given one's shape, or as a list where that is one."""
    if isinstance(given, (list, tuple)):
        return found.tolist()
    if isinstance(given, np.ndarray) and given.size == found.size:
        return found.reshape(given.shape)
    return found


class NumbersMixin(Caller):
    """Matrices and arrays."""

    def sgemm(
        self,
        m: int,
        n: int,
        k: int,
        alpha: float,
        a: Floats,
        lda: int,
        b: Floats,
        ldb: int,
        beta: float,
        ldc: int,
        c: Floats | None = None,
    ) -> Floats:
        """Multiplies matrices: alpha a b + beta c, the rows of each one after the other.

        `c` has m rows of `ldc` values and is zero if it is not given; an array is written in place.

        >>> import vaccel
        >>> with vaccel.Session() as session:
        ...     session.sgemm(1, 1, 2, 1.0, [1.0, 2.0], 2, [3.0, 4.0], 1, 0.0, 1)
        [11.0]
        """
        into: Any = np.zeros(m * ldc, np.float32) if c is None else c
        (found,) = self.call(
            OpType.BLAS_SGEMM,
            m=m,
            n=n,
            k=k,
            alpha=alpha,
            a=a,
            lda=lda,
            b=b,
            ldb=ldb,
            beta=beta,
            c=into,
            ldc=ldc,
        )
        return cast(Floats, _alike(a if c is None else c, found))

    @also_known(indata="data", ndata="n", low_threshold="low", high_threshold="high")
    def minmax(self, data: Any, n: int, low: int, high: int) -> tuple[Any, float, float]:
        """The values brought within two thresholds, and the smallest and the largest within.

        `data` are doubles: their bytes, which are answered with bytes, a list or an array.
        """
        samples = as_input(data, np.float64, "data")
        out, smallest, largest = self.call(
            OpType.MINMAX, samples=samples, n=n, low=low, high=high, out=n
        )
        if isinstance(data, (bytes, bytearray, memoryview)):
            return out.tobytes(), smallest, largest
        return _alike(data, out), smallest, largest

    def fpga_arraycopy(self, a: Ints, out: npt.NDArray[np.int32] | None = None) -> Ints:
        """Copies an array, into `out` if that is given."""
        values = as_input(a, np.int32, "a")
        room: Any = values.size if out is None else out
        (found,) = self.call(OpType.FPGA_ARRAYCOPY, a=values, out=room)
        return cast(Ints, found if out is not None else _alike(a, found))

    def fpga_mmult(self, a: Floats, b: Floats) -> Floats:
        """Multiplies two square matrices."""
        values = as_input(a, np.float32, "a")
        (c,) = self.call(OpType.FPGA_MMULT, a=values, b=b, c=values.size)
        return cast(Floats, _alike(a, c))

    def fpga_parallel(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        """Adds and multiplies two arrays, element by element."""
        values = as_input(a, np.float32, "a")
        total, product = self.call(
            OpType.FPGA_PARALLEL, a=values, b=b, sum=values.size, product=values.size
        )
        return cast(Floats, _alike(a, total)), cast(Floats, _alike(a, product))

    def fpga_vadd(self, a: Floats, b: Floats) -> Floats:
        """Adds two arrays, element by element."""
        values = as_input(a, np.float32, "a")
        (c,) = self.call(OpType.FPGA_VECTORADD, a=values, b=b, c=values.size)
        return cast(Floats, _alike(a, c))

    asgemm = in_thread(sgemm)
    aminmax = in_thread(minmax)
    afpga_arraycopy = in_thread(fpga_arraycopy)
    afpga_mmult = in_thread(fpga_mmult)
    afpga_parallel = in_thread(fpga_parallel)
    afpga_vadd = in_thread(fpga_vadd)
