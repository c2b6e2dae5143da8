#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Has the suite of backends recorded, and makes one file of what each plugin did; see cases.md.

usage: make_cases.py CONFORM_RECORDED LIBRARY FILE

To be started in the build directory.
"""

import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

# Plugins, how the suite is told of them, and what they may be off by on another machine.
RUNS = [("noop", ["--echo"], None), ("cpu", [], 1e-5), ("exec", [], None)]


def record(program, plugin, options):
    """The calls of a run, which must succeed."""
    with tempfile.NamedTemporaryFile("r") as file:
        environment = os.environ | {"VACCEL_PLUGINS": plugin, "CONFORM_RECORD": file.name}
        done = subprocess.run([program, *options], env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"the suite fails with {plugin}:\n{done.stdout}{done.stderr}")
        return [json.loads(line) for line in file]


def relative(call):
    """The call, with files that other machines can have elsewhere."""
    for value in call["args"].values():
        if isinstance(value, dict) and "files" in value:
            value["files"] = [os.path.relpath(file) for file in value["files"]]
    return call


def main():
    program, library, output = sys.argv[1:]
    cases, failures = [], set()
    for plugin, options, tolerance in RUNS:
        counts = collections.Counter()
        for call in map(relative, record(program, plugin, [*options, "--library", library])):
            # What every plugin refuses is told once.
            text = json.dumps(call)
            if call["code"] and text in failures:
                continue
            failures.add(text)
            counts[call["op"]] += 1
            case = {"name": f"{plugin}: {call['op']} {counts[call['op']]}", "plugin": plugin} | call
            if tolerance and not call["code"]:
                case["tolerance"] = tolerance
            cases.append(json.dumps(case))
    lines = ",\n".join(cases)
    pathlib.Path(output).write_text(f'{{"cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
