#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""In a guest: a program in Go makes the calls that the suite of backends has recorded, each by the host's
plugin that it was recorded with.
"""

import json
import pathlib
import time

from guest import HOME, MOST, Host, run, skip

CASES = "tests/conform/cases.json"
PROGRAM = "bindings/go/go-conform"
DIRECTORY = "cases"  # what is the build directory in the guest


def files(build):
    if not (build / PROGRAM).exists():
        skip("the program in Go is not built; `tools/deps test` gets what that takes")
    resources = {
        pathlib.Path(file)
        for case in json.loads((build / CASES).read_text())["cases"]
        for value in case["args"].values() if isinstance(value, dict)
        for file in value.get("files", [])
    }
    return [(build / PROGRAM, f"{HOME}/bin/go-conform")] + [
        (build / path, f"{DIRECTORY}/{path}") for path in (CASES, *sorted(resources))
    ]


def test_cases(site):
    names = list(dict.fromkeys(
        case["plugin"] for case in json.loads((site.build.root / CASES).read_text())["cases"]
    ))
    libraries = {"exec_libraries": [site.library, "/no/such/lib.so"], "exec_uploads": ["any"]}
    policies = {name: libraries | {"plugins": [name]} for name in names}
    host = Host(site, {"vm": {name: name for name in names}}, policies, site.carrier)
    host.extra["VACCEL_MODEL_PATH"] = str(site.models)
    with host, host.guest() as guest:
        print(f"  booted, in the guest's time after {guest.uptime} s", flush=True)
        for name in names:
            began = time.monotonic()
            command = f"cd /{DIRECTORY} && go-conform -plugin {name} {CASES}"
            status, output, errors = guest.run(command, MOST, **host.environment(name))
            assert status == 0, f"{name}: status {status}\n{output}{errors}"
            print(f"  {name}: {output.splitlines()[-1]} ({time.monotonic() - began:.1f} s)", flush=True)


run([test_cases], files)
