# SPDX-License-Identifier: Apache-2.0
"""A program that uses the operation that the test adds, in Python: it is there, and it runs."""

import inspect

import vaccel

with vaccel.Session() as session:
    scaled = session.ops.scale([1.0, 2.0, 3.0], 2.0, scaled=3)
    assert scaled.tolist() == [2.0, 4.0, 6.0], scaled
    assert list(inspect.signature(session.ops.scale).parameters) == ["samples", "factor", "scaled"]
    assert vaccel.OpType.SCALE == 90
print("operation 90 runs in Python")
