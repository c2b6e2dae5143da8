#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the plugins of docs/writing-a-plugin.md as it says, with each compiler here, and uses them.

usage: examples.py DOCUMENT CALLER

Blocks "```LANGUAGE file=NAME" are written to NAME, the commands of blocks "```sh build" are run. CALLER is
run with the plugins that come of it. CPATH, LIBRARY_PATH and so on lead to vaccel's headers and library.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w+) (?:file=(\S+)|build)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMPILERS = {"cc": ["gcc", "clang", "clang-14"], "c++": ["g++", "clang++", "clang++-14"]}


def build(command, directory):
    """Runs a command of the document with each compiler that it may mean."""
    name, rest = command.split(maxsplit=1)
    compilers = [c for c in COMPILERS[name] if shutil.which(c)]
    if not compilers:
        sys.exit(f"there is no compiler for '{name}'")
    for compiler in compilers:
        print(f"{compiler} {rest}", flush=True)
        subprocess.run(f"{compiler} -Werror {rest}", shell=True, cwd=directory, check=True)
        yield compiler


def main(document, caller):
    if not shutil.which("pkg-config"):
        print("SKIP: pkg-config is missing; install it")
        sys.exit(77)
    blocks = BLOCK.findall(pathlib.Path(document).read_text())
    files = {name: text for _, name, text in blocks if name}
    commands = [line for _, name, text in blocks if not name for line in text.splitlines()]
    if not files or len(files) != len(commands):
        sys.exit(f"{document}: {len(files)} files, {len(commands)} commands to build them")
    with tempfile.TemporaryDirectory() as directory:
        for name, text in files.items():
            (pathlib.Path(directory) / name).write_text(text)
        for command in commands:
            plugin = re.search(r"-o (\S+)", command).group(1)
            for compiler in build(command, directory):
                subprocess.run([caller, os.path.join(directory, plugin)], check=True)
                (pathlib.Path(directory) / plugin).unlink()


if __name__ == "__main__":
    main(*sys.argv[1:])
