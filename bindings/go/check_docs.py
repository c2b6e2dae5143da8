#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds and runs the programs in Go that documents show, and compares what they print with what is said.

usage: check_docs.py GO PACKAGE DOCUMENT...
"""

import pathlib
import re
import subprocess
import sys
import tempfile

PROGRAM = re.compile(r"^```go\n(package main\n.*?)^```\n\nIt prints `(.*?)`", re.MULTILINE | re.DOTALL)


def main(go, package, *documents):
    for document in documents:
        programs = PROGRAM.findall(pathlib.Path(document).read_text())
        if not programs:
            sys.exit(f"{document} shows no program in Go and what it prints")
        for source, said in programs:
            with tempfile.TemporaryDirectory() as directory:
                (pathlib.Path(directory) / "main.go").write_text(source)
                (pathlib.Path(directory) / "go.mod").write_text(
                    f"module program\n\ngo 1.22\n\nrequire vaccel v0.0.0\n\nreplace vaccel => {package}\n"
                )
                printed = subprocess.run([go, "run", "."], cwd=directory, check=True, capture_output=True, text=True)
            if printed.stdout.strip() != said:
                sys.exit(f"{document}: the program printed {printed.stdout!r}, and not what is said")


if __name__ == "__main__":
    main(*sys.argv[1:])
