# SPDX-License-Identifier: Apache-2.0
"""The operations, read from their descriptions with the compiler's preprocessor."""

import dataclasses
import re
import subprocess

OP = re.compile(r'^VACCEL_OP(?:_CHECKED)?\((\d+), (\w+), (\w+), (\w+), (\w+),\s*"([^"]*)"\)', re.MULTILINE)
ROWS = '#define ROW(op, dir, kind, type, name, marks, sentence) "row" op #name #dir #kind #type #marks sentence'
STRING = re.compile(r'"([^"]*)"')


@dataclasses.dataclass
class Operation:
    number: int
    upper: str
    name: str
    symbol: str
    repeat: str
    sentence: str
    arguments: list = dataclasses.field(default_factory=list)


def read(compiler, directories, headers):
    """All operations in the order of their numbers, with (name, direction, kind, type, marks, sentence) rows."""
    found = [Operation(int(row[0]), *row[1:]) for header in headers
             for row in OP.findall(header.source) if header.name != "vaccel/ops/describe.h"]
    found.sort(key=lambda op: op.number)
    lines = ["#include <vaccel.h>", ROWS]
    lines += [f'@ {op.number} VACCEL_{op.upper}_ARGS(ROW, {op.name}) @' for op in found]
    done = subprocess.run(
        [*compiler, "-std=c11", "-E", "-P", *(f"-I{d}" for d in directories), "-xc", "-"],
        input="\n".join(lines) + "\n", capture_output=True, text=True, check=True,
    )
    rows = {int(number): text for number, text in re.findall(r"@ (\d+)(.*?) @", done.stdout, re.DOTALL)}
    for op in found:
        for row in rows[op.number].split('"row"')[1:]:
            op.arguments.append(tuple(STRING.findall(row)))
    return found
