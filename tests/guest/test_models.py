#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""In a guest: real models of each framework and real photographs, against what is known of them. The programs
are those that do the same here; models and pictures travel from the guest to the host.
"""

import os
import pathlib
import time

from guest import HOME, MOST, TESTS, Host, run, skip, world

ROOT = TESTS.parent
DATA = pathlib.Path(os.path.normpath(ROOT / "../shared/data"))
SETTINGS = {"VACCEL_BOOTSTRAP_ENABLED": "0", "TEST_PLUGINS": "remote"}
FRAMEWORKS = ["onnx", "tf", "tflite", "torch"]


def program(build, name):
    return build / f"tests/frameworks/test_{name}_reference"


def linked(path, name):
    """The library of that name that a program here is linked with."""
    with os.popen(f"ldd '{path}'") as lines:
        return [pathlib.Path(line.split()[2]) for line in lines if line.strip().startswith(name)]


def files(build):
    """What the image has more. The programs know the paths of this machine; that of the data leads through a
    directory of the repository.
    """
    remote = build / "plugins/libvaccel-remote.so"
    add = [(path, str(path)) for path in (remote, DATA, ROOT / "LICENSE")]
    for name in FRAMEWORKS:
        if program(build, name).exists():
            add.append((program(build, name), f"{HOME}/bin/{name}-reference"))
            # That of tflite asks TensorFlow Lite itself, too.
            add += [(path, f"lib/{path.name}") for path in linked(program(build, name), "libtensorflowlite_c.so")]
    return add


def test_models(site):
    names = [name for name in FRAMEWORKS if name in site.plugins()]
    if not names:
        raise world.Skipped("no plugin of a framework was built")
    policies = {name: {"plugins": [name]} for name in names}
    with Host(site, {"vm": {name: name for name in names}}, policies, site.carrier) as host, host.guest() as guest:
        for name in names:
            began = time.monotonic()
            environment = SETTINGS | host.environment(name)
            status, output, errors = guest.run(f"{name}-reference", MOST, **environment)
            assert status == 0, f"{name}: status {status}\n{output}{errors}"
            print(f"  {name}: ok ({time.monotonic() - began:.1f} s)", flush=True)


if not DATA.is_dir():
    skip(f"the photographs and models to compare with are not part of the repository; they would lie in {DATA}")
run([test_models], files)
