#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the cases say of each operation how it succeeds and, if it takes anything, how it fails.

usage: check_cases.py CASES VACCEL [PLUGIN...]

VACCEL is the command, which knows the table of operations. Without these plugins no model of theirs fails.
"""

import json
import pathlib
import subprocess
import sys


def main():
    cases = json.loads(pathlib.Path(sys.argv[1]).read_text())["cases"]
    ops = json.loads(subprocess.run([sys.argv[2], "ops", "--json"], check=True, capture_output=True).stdout)
    known = {op["name"]: {arg["name"] for arg in op["args"]} for op in ops}
    good = {case["op"] for case in cases if not case["code"]}
    bad = {case["op"] for case in cases if case["code"]}
    wrong = [f"no case of {op} succeeds" for op in known.keys() - good]
    excused = {f"{plugin}_model_run" for plugin in sys.argv[3:]}
    wrong += [f"no case of {op} fails" for op, args in known.items() if args and op not in bad | excused]
    for case in cases:
        strangers = (case["args"].keys() | case.get("results", {}).keys()) - known[case["op"]]
        if strangers:
            wrong.append(f"{case['name']} has {strangers}, which are no arguments of it")
    names = [case["name"] for case in cases]
    wrong += [f"two are named '{name}'" for name in set(names) if names.count(name) > 1]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(cases)} cases of {len(known)} operations")


if __name__ == "__main__":
    main()
