# SPDX-License-Identifier: Apache-2.0
"""Builds the package: `pip install ./bindings/python`.

It is built from a tree of vaccel's: the one that VACCEL_STAGE names, the one that this file lies
in (share/vaccel/python), or build/stage of these sources, which `make build` leaves; that tree's
library, plugins and models go with the package. Without one it is built for the vaccel that
pkg-config finds, and carries none.

VACCEL_LEAVE_OUT names files of the tree's lib/vaccel that are not to go with it, as patterns with
":" between them: without TensorFlow, 'libtensorflow_*:tensorflow.so:*-tf.*', the package is a
seventh as large.
"""

import fnmatch
import os
import pathlib
import shutil
import subprocess
import sys

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from generate import make_ffi, version_of, write_modules  # noqa: E402

# What of lib/vaccel is for the command and not for programs.
NOT_FOR_PROGRAMS = ["bench-*", "examples", "agent-*"]


class Tree:
    """Where vaccel lies."""

    def __init__(
        self, include: pathlib.Path, lib: pathlib.Path, command: pathlib.Path, carried: bool
    ) -> None:
        self.include, self.lib, self.command, self.carried = include, lib, command, carried


def pkg_config(variable: str) -> pathlib.Path:
    words = ["pkg-config", f"--variable={variable}", "vaccel"]
    return pathlib.Path(
        subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    )


def find_tree() -> Tree:
    named = os.environ.get("VACCEL_STAGE")
    stage = HERE.parents[1] / "build/stage"
    for place in [pathlib.Path(named)] if named else [HERE.parents[2], stage]:
        if (place / "lib/libvaccel.so").exists():
            return Tree(place / "include", place / "lib", place / "bin/vaccel", True)
    if named:
        sys.exit(f"VACCEL_STAGE is {named}, and there is no lib/libvaccel.so")
    try:
        return Tree(
            pkg_config("includedir"),
            pkg_config("libdir"),
            pkg_config("prefix") / "bin/vaccel",
            False,
        )
    except (OSError, subprocess.CalledProcessError):
        sys.exit(
            f"vaccel is not built: there is no {stage}, and pkg-config finds none installed. "
            "Run `make build` at the top of the sources, or name a tree in VACCEL_STAGE"
        )


def carry(tree: Tree, bundle: pathlib.Path) -> None:
    """Copies what programs need of a tree."""
    left_out = NOT_FOR_PROGRAMS + os.environ.get("VACCEL_LEAVE_OUT", "").split(":")
    shutil.rmtree(bundle, ignore_errors=True)
    (bundle / "lib/vaccel").mkdir(parents=True)
    shutil.copy(tree.lib / "libvaccel.so.0", bundle / "lib")
    for file in sorted((tree.lib / "vaccel").iterdir()):
        if not any(fnmatch.fnmatch(file.name, pattern) for pattern in left_out):
            shutil.copy(file, bundle / "lib/vaccel")
    models = tree.lib.parent / "share/vaccel/models"
    if models.is_dir():
        shutil.copytree(models, bundle / "share/vaccel/models")


class BuildPackage(build_py):
    """The package, with what is generated and carried."""

    def run(self) -> None:
        super().run()
        package = pathlib.Path(self.build_lib) / "vaccel"
        write_modules(ffi, [str(tree.include)], str(tree.command), package)
        if tree.carried:
            carry(tree, package / "_bundle")


tree = find_tree()
ffi = make_ffi([str(tree.include)], str(tree.lib))
setup(
    version=version_of([str(tree.include)]),
    ext_modules=[ffi.distutils_extension(tmpdir=str(HERE / "build/native"))],
    cmdclass={"build_py": BuildPackage},
    # One for all versions of Python from 3.9 on.
    options={"bdist_wheel": {"py_limited_api": "cp39"}},
)
