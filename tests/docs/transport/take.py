#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes the carrier out of docs/writing-a-transport.md.

usage: take.py DOCUMENT SOURCE_DIR OUTPUT_DIR

Writes each block "```c file=NAME", and what the lines of "```diff file=NAME" make of the files that they name.
"""

import pathlib
import re
import sys

BLOCK = re.compile(r"^```(\w+) file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHANGE = re.compile(r"^--- (\S+)\n-(.*\n)\+(.*\n)", re.MULTILINE)


def main(document, source, output):
    source, output = pathlib.Path(source), pathlib.Path(output)
    for language, name, text in BLOCK.findall(pathlib.Path(document).read_text()):
        if language == "c":
            (output / name).write_text(text)
            continue
        for file, old, new in CHANGE.findall(text):
            before = (source / file).read_text()
            if before.count(old) != 1:
                sys.exit(f"{document}: {file} has no such line:\n{old}")
            (output / pathlib.Path(file).name).write_text(before.replace(old, new))


if __name__ == "__main__":
    main(*sys.argv[1:])
