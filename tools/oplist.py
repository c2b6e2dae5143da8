#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write the two headers that follow from the list of operations.

usage: oplist.py OP_LIST_H OP_HEADERS_H HEADER...

OP_LIST_H gets the rows from which the enum and the table are made, in the
order of the numbers; OP_HEADERS_H includes every operation's header. Each
operation is one line, VACCEL_OP(number, NAME, name, ...) or VACCEL_OP_CHECKED.
"""

import pathlib
import re
import sys

LINE = re.compile(r"^VACCEL_OP(?:_CHECKED)?\((\d+), (\w+), (\w+),", re.MULTILINE)

HEAD = """/* SPDX-License-Identifier: Apache-2.0 */
/* Made from the headers under ops/ by tools/oplist.py. */
"""


def main(list_path, headers_path, *inputs):
    ops = sorted(
        (int(number), upper, lower, path)
        for path in map(pathlib.Path, inputs)
        for number, upper, lower in LINE.findall(path.read_text())
    )
    for one, other in zip(ops, ops[1:]):
        if one[0] == other[0]:
            sys.exit(f"{other[3]}: number {other[0]} is {one[1]}'s in {one[3]}; take a new one")

    types = "".join(f" \\\n\tX(VACCEL_OP_{upper}, {number})" for number, upper, _, _ in ops)
    names = "".join(f" \\\n\tX({lower}, {upper})" for _, upper, lower, _ in ops)
    pathlib.Path(list_path).write_text(
        f"{HEAD}#ifndef VACCEL_OP_LIST_H\n#define VACCEL_OP_LIST_H\n\n"
        f"/* X(VACCEL_OP_NAME, number) */\n#define VACCEL_OP_TYPE_LIST(X){types}\n\n"
        f"/* X(name, NAME) */\n#define VACCEL_OP_NAME_LIST(X){names}\n\n#endif\n"
    )
    includes = "".join(f"#include <vaccel/ops/{pathlib.Path(p).name}>\n" for p in sorted(inputs))
    pathlib.Path(headers_path).write_text(
        f"{HEAD}#ifndef VACCEL_OP_HEADERS_H\n#define VACCEL_OP_HEADERS_H\n\n{includes}\n#endif\n"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
