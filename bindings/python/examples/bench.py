# SPDX-License-Identifier: Apache-2.0
"""What Python costs beside the library's C functions: bench.py [--brief]

Each row beside its floor, which is measured in turns with it: the bare C function, called with
arguments that were made before. In microseconds: median and 99th percentile of both, and the
medians' ratio. Where VACCEL_RPC_ADDRESS names an agent, 64 MiB go to it and back.
"""

import os
import sys
import time

import numpy as np

import vaccel
from vaccel._library import lib
from vaccel.array import pointer

ELEMENTS = 16 << 20  # 64 MiB of int32


def microseconds(call, inner):
    start = time.perf_counter_ns()
    for _ in range(inner):
        call()
    return (time.perf_counter_ns() - start) / inner / 1000


def compare(name, python, floor, rounds, inner=1):
    """Measures both in turns, so that what else the machine does falls on both alike."""
    times = [], []
    for _ in range(rounds + 2):
        for call, kept in zip((python, floor), times):
            kept.append(microseconds(call, inner))
    rows = [sorted(kept[2:]) for kept in times]
    figures = [(row[len(row) // 2], row[int(len(row) * 0.99)]) for row in rows]
    (median, tail), (floor_median, floor_tail) = figures
    print(
        f"{name:28}{median:12.2f}{tail:12.2f}{floor_median:12.2f}{floor_tail:12.2f}"
        f"{median / floor_median:8.3f}"
    )


def main():
    brief = "--brief" in sys.argv
    print(f"{'':28}{'Python':>12}{'p99':>12}{'C':>12}{'p99':>12}{'ratio':>8}")
    with vaccel.Session() as session:
        c, run = session._use(), lib.vaccel_noop
        compare("noop", session.noop, lambda: run(c), 20 if brief else 500, 1000)

        a, b = np.ones(1024, np.float32), np.ones(1024, np.float32)
        out = np.empty(1024, np.float32)
        arrays = [pointer(one, "float") for one in (a, b, out)]
        compare(
            "fpga_vadd of 4 KiB",
            lambda: session.fpga_vadd(a, b),
            lambda: lib.vaccel_fpga_vadd(c, *arrays, 1024, 1024),
            20 if brief else 500,
            100,
        )
        if "VACCEL_RPC_ADDRESS" not in os.environ:
            return
        for name, make in (("numpy.empty()", np.empty), ("vaccel.empty()", vaccel.empty)):
            compare_large(session, name, make, 3 if brief else 40)


def compare_large(session, name, make, rounds):
    values, back = make(ELEMENTS, np.int32), np.empty(ELEMENTS, np.int32)
    values[:], back[:] = 1, 0
    c, there, here = session._use(), pointer(values, "int"), pointer(back, "int")
    compare(
        f"64 MiB of {name}",
        lambda: session.fpga_arraycopy(values, back),
        lambda: lib.vaccel_fpga_arraycopy(c, there, here, ELEMENTS),
        rounds,
    )
    if not np.array_equal(values, back):
        sys.exit("what came back is not what went there")


if __name__ == "__main__":
    main()
