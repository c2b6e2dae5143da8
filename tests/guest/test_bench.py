#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs `vaccel bench vm` for a moment, as `make bench-vm` does: every row is there. How fast it is, no test says.

usage: test_bench.py SOURCE_DIR BUILD_DIR PREFIX LIBDIR
"""

import pathlib
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / part) for part in ("stage", "../tools/vm")]

from check_bench import rows_of, tree_to_measure  # noqa: E402
from image import native_arch  # noqa: E402
from machine import missing  # noqa: E402

NOOP = ["noop", "noop beside vsock", "the least beside vsock"]
ROWS = {
    "virtio": [*NOOP, "4 MiB in beside memcpy", "4 MiB in beside vsock"],
    "blk": [*NOOP, "4 MiB in beside vsock", "4 MiB at best beside vsock"],
}
CLASSIFY = ["classify", "classify without the backend"]


def check(rows, has_onnx):
    skipped = {row["name"]: row["skipped"] for row in rows if "skipped" in row}
    there = [row["name"] for row in rows if "skipped" not in row]
    wanted = [f"{row}, {carrier}" for carrier, own in ROWS.items() for row in own + CLASSIFY * has_onnx]
    assert there == wanted, (there, skipped)
    assert bool(skipped) != has_onnx, skipped
    assert all(row["value"] > 0 for row in rows if "skipped" not in row), rows


def main(source, build, prefix, libdir):
    if lacking := missing(native_arch(), ["qemu", "linux", "vsock", "headers"]):
        print(f"SKIP: not fetched; `tools/vm/fetch {' '.join(lacking)}` gets what machines are run with")
        sys.exit(77)
    source, module = pathlib.Path(source), pathlib.Path(build, "kernel/virtio_vaccel.ko")
    subprocess.run([source / "tools/vm/module", module], check=True)
    with tempfile.TemporaryDirectory() as directory:
        tree, has_onnx = tree_to_measure(source, build, prefix, libdir, directory)
        check(rows_of(source / "tools/vm/bench", tree, module), has_onnx)


if __name__ == "__main__":
    main(*sys.argv[1:])
