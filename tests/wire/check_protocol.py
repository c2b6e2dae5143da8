#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that docs/protocol.md describes the control operations as transport/control.h does.

usage: check_protocol.py DESCRIBE_CONTROL PROTOCOL_MD [--write]

Each has a heading, "### 257 session_open", followed by tables of its request and its reply, which are made
here; what the page says of it after the tables is its own. --write puts the tables in place.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys

# What runs programs that were built for another machine.
WRAPPER = shlex.split(os.environ.get("MESON_EXE_WRAPPER", ""))


def form(arg):
    """How an argument looks in a message that carries it."""
    kind, type_ = arg["kind"], arg["type"]
    if kind == "ONE":
        return "8", f"{type_} and zeros" if type_ not in ("u64", "i64") else type_
    if kind == "LIST":
        return "8 + n × " + str(sum(int(form(f)[0]) for f in arg["fields"])), "count n, then for each:"
    text = {"SPAN": f"reference to {type_} values", "TEXT": "reference to text"}[kind]
    return "24", text + (", or none" if "OPTIONAL" in arg["marks"] or "GROWS" in arg["marks"] else "")


def rows(arg, request):
    size, words = form(arg)
    if request and arg["dir"] == "OUT":
        size, words = "24", "room"
    if not request and arg["kind"] == "LIST":
        size, words = "8 + " + size, "presence, " + words
    yield f"| {size} | `{arg['name']}` | {words} | {arg['sentence']} |\n"
    for field in arg["fields"]:
        yield f"| · {form(field)[0]} | · `{field['name']}` | {form(field)[1]} | {field['sentence']} |\n"


def table(title, args, request):
    lines = [line for arg in args for line in rows(arg, request)]
    return f"\n| bytes | {title} | | |\n|---|---|---|---|\n" + "".join(lines) if lines else ""


def block(op):
    # An output has an item in a request if there is room to be told.
    asked = [a for a in op["args"] if a["dir"] == "IN" or a["kind"] == "SPAN" and "GROWS" not in a["marks"]]
    told = [a for a in op["args"] if a["dir"] == "OUT"]
    tables = table("request", asked, True) + table("reply", told, False)
    none = "" if told else "\nThe reply has nothing to say.\n"
    return f"### {op['number']} {op['name']}\n\nTo {op['sentence']}.\n{tables}{none}"


def parse(lines):
    ops = []
    for word, *rest in (line.split("\t") for line in lines):
        if word == "op":
            ops.append(dict(zip(("number", "name", "sentence"), rest), args=[]))
            continue
        arg = dict(zip(("dir", "kind", "type", "name", "marks", "sentence"), rest), fields=[])
        (ops[-1]["args"] if word == "arg" else ops[-1]["args"][-1]["fields"]).append(arg)
    return ops


def put_in_place(page, op):
    old = re.compile(rf"### {op['number']} {op['name']}\n\nTo [^\n]*\n(\n(\|[^\n]*\n)+)*(\nThe reply has nothing to say.\n)?")
    if not old.search(page):
        sys.exit(f"the page has no heading '### {op['number']} {op['name']}' with a line 'To ….' behind it")
    return old.sub(lambda _: block(op), page)


def main():
    described = subprocess.run([*WRAPPER, sys.argv[1]], check=True, capture_output=True, text=True).stdout
    file = pathlib.Path(sys.argv[2])
    ops = parse(described.splitlines())
    page = file.read_text()
    if "--write" in sys.argv:
        for op in ops:
            page = put_in_place(page, op)
        file.write_text(page)
    stale = [op["name"] for op in ops if block(op) not in page]
    headings = re.findall(r"^### \d+ (\w+)$", page, re.MULTILINE)
    unknown = [name for name in headings if name not in [op["name"] for op in ops]]
    if stale or unknown:
        sys.exit(f"docs/protocol.md does not describe {', '.join(stale + unknown)} as control.h does; "
                 "run tests/wire/check_protocol.py with --write")
    print(f"{len(ops)} control operations are described as they are")


if __name__ == "__main__":
    main()
