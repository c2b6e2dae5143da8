#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the suite rpc of `vaccel bench` for a moment: every row is there, and what it moves is right; and those of
frameworks. How fast it is, no test says.

usage: check_bench.py SOURCE_DIR BUILD_DIR PREFIX LIBDIR

The suites themselves look at the data: what is echoed, what is seen in a picture, what a model makes of its inputs.
It runs in an installed tree, where its modules lie beside the plugins.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from check_stage import install

TIMES = [
    *(f"{row}, {cores}" for row in ("noop, unix, 1000 idle", "session open and close") for cores in ("one core", "two cores")),
    "noop, unix, 8 threads",
    "64 MiB in, unix",
    "64 MiB echoed, unix",
    *(f"64 MiB in, unix, vaccel_alloc, {cores}" for cores in ("one core", "two cores")),
    "64 MiB in, tcp",
    "noop, unix, 1000 idle, spinning",
    *(f"noop, {way}, {cores}" for way in ("tcp", "tls", "tls relayed") for cores in ("one core", "two cores")),
]
MEMORY = [
    "supervisor at rest",
    *(f"worker's most, 64 MiB {how}, {way}" for how in ("in", "echoed") for way in ("unix", "tcp")),
    *(f"100 idle, {way}, {figure}" for way in ("unix", "tls", "tls relayed") for figure in ("each", "busy in 2 s")),
]
# Of each framework, the libraries that its plugin needs beside it.
FRAMEWORKS = {"tf": "tensorflow/tensorflow/libtensorflow_*.so.2", "tflite": "tensorflow-lite/*.so", "torch": ""}
CLASSIFY = [f"classify, {way}, {cores}" for way in ("unix", "tcp", "tls") for cores in ("one core", "two cores")]


def expected(rows, skipped):
    """The rows of a machine that lacks what these skipped rows name."""
    for row in rows:
        if not any(row == name or row.startswith(f"{name},") for name in skipped):
            yield row


def check(rows, has_onnx):
    skipped = {row["name"]: row["skipped"] for row in rows if "skipped" in row}
    wanted = TIMES + MEMORY + (CLASSIFY if has_onnx else [])
    there = [row["name"] for row in rows if "skipped" not in row]
    gone = {name.replace("idle,", "100 idle,") for name in skipped}
    assert there == list(expected(wanted, gone)), (there, skipped)
    assert all(skipped.values()) and "mobilenet_v2" in skipped or not has_onnx, skipped
    for row in rows:
        if "skipped" in row:
            continue
        assert row["unit"] in ("us", "ms", "GB/s", "calls/s", "MiB", "KiB"), row
        assert row["value"] > 0 or row["unit"] == "ms" and row["name"] in MEMORY, row
        # The worker has looked at all that it echoed.
        assert row["value"] > 128 or "worker's most, 64 MiB echoed" not in row["name"], row
        assert row["name"] in MEMORY or row["limit"] > 0, row
        assert row["name"] in CLASSIFY or isinstance(row["reached"], bool), row


def tree_to_measure(source, build, prefix, libdir, directory):
    """The installed tree, with what the onnx plugin needs; and whether that plugin can be measured."""
    runtime = pathlib.Path(source, ".deps/onnxruntime/lib/libonnxruntime.so.1")
    tree = install(build, prefix, pathlib.Path(directory))
    plugins = tree / libdir / "vaccel"
    onnx = plugins / "libvaccel-onnx.so"
    if runtime.exists() and onnx.exists():
        shutil.copy(runtime, plugins)
    else:
        onnx.unlink(missing_ok=True)
    return tree, onnx.exists()


def check_settings(bench):
    """A model in the bench has the huge pages that workers have."""
    environ, settings = pathlib.Path(f"/proc/{bench.pid}/environ"), []
    while not settings and bench.poll() is None:
        settings = [line for line in environ.read_text().split("\0") if line.startswith("GLIBC_TUNABLES=")]
        time.sleep(0.01)
    assert settings == ["GLIBC_TUNABLES=glibc.malloc.hugetlb=1"], settings


def rows_of(*command, talks=False, watch=None):
    bench = subprocess.Popen(
        [*command, "--brief", "--json"], env={"PATH": os.environ["PATH"]}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )
    if watch:
        watch(bench)
    output, errors = bench.communicate()
    if bench.returncode or errors and not talks:
        sys.exit(f"status {bench.returncode}: {errors}")
    return json.loads(output)


def check_frameworks(source, tree, libdir):
    plugins = tree / libdir / "vaccel"
    for name, libraries in FRAMEWORKS.items():
        if not (plugins / f"bench-{name}.so").exists():
            continue
        for library in pathlib.Path(source, ".deps").glob(libraries) if libraries else []:
            (plugins / library.name).symlink_to(library)
        # What TensorFlow itself has to say goes to stderr.
        (row,) = rows_of(tree / "bin/vaccel", "bench", name, talks=name == "tf")
        assert row["name"] == "the smallest model" and row["value"] > 0 and row["limit"] > 0, row


def main(source, build, prefix, libdir):
    with tempfile.TemporaryDirectory() as directory:
        tree, has_onnx = tree_to_measure(source, build, prefix, libdir, directory)
        check(rows_of(tree / "bin/vaccel", "bench", "rpc", watch=check_settings), has_onnx)
        check_frameworks(source, tree, libdir)


if __name__ == "__main__":
    main(*sys.argv[1:])
