#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Has the suite of backends recorded, and makes one file of what each plugin did; see cases.md.

usage: make_cases.py FILE PLUGIN,... PROGRAM ARGS...

To be started in the build directory. The program is the suite that is recorded.
"""

import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

# What results may be off by elsewhere.
TOLERANCE = {"cpu": 1e-5, "onnx": 1e-3, "tf": 1e-3, "tflite": 1e-3, "torch": 1e-3}


def record(command, plugin):
    """The calls of a run, which must succeed."""
    options = ["--echo"] if plugin == "noop" else []
    with tempfile.NamedTemporaryFile("r") as file:
        # Whoever builds may have an agent elsewhere.
        environment = os.environ | {"VACCEL_PLUGINS": plugin, "VACCEL_RPC_ADDRESS": "", "CONFORM_RECORD": file.name}
        done = subprocess.run([*command, *options], env=environment, capture_output=True, text=True)
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
    output, plugins, *command = sys.argv[1:]
    cases, told = [], set()
    for plugin in plugins.split(","):
        counts = collections.Counter()
        for call in map(relative, record(command, plugin)):
            # What every plugin refuses is told once, and an agent answers noop for all of its plugins.
            text = json.dumps(call)
            if call["code"] and (text in told or call["op"] == "noop"):
                continue
            told.add(text)
            counts[call["op"]] += 1
            case = {"name": f"{plugin}: {call['op']} {counts[call['op']]}", "plugin": plugin} | call
            if plugin in TOLERANCE and not call["code"]:
                case["tolerance"] = TOLERANCE[plugin]
            cases.append(json.dumps(case))
    lines = ",\n".join(cases)
    pathlib.Path(output).write_text(f'{{"cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
