#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""In a guest: the whole conformance suite against each backend of the host, and every example, which has to
print what it prints everywhere.
"""

import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

from guest import HOME, MOST, Host, run
from run_example import DIGITS, ROWS, Runner, words_for

WEB = "http://127.0.0.1:8080"


class GuestRunner(Runner):
    """Runs an example in a guest; what is said of plugins holds for the agent, by a tenant of that name."""

    def __init__(self, guest, host, name, words, directory):
        super().__init__(name, f"{host.site.lib}/vaccel/examples/{name}", words, {}, directory)
        if name == "classify":
            self.program = name
        self.guest, self.host = guest, host

    def run(self, args, environment):
        settings = dict(environment)
        if not self.local:
            settings |= self.host.environment(settings.pop("VACCEL_PLUGINS", "all"))
        command = shlex.join([str(self.program), *map(self.fill, args)])
        return subprocess.CompletedProcess(command, *self.guest.run(command, MOST, **settings))

    def check(self, row):
        self.local = row.get("no_session", False)
        super().check(row)


def report(name, began):
    print(f"  {name}: ok ({time.monotonic() - began:.1f} s)", flush=True)


def check_conformance(site, host, guest):
    for name, promises in site.backends:
        began = time.monotonic()
        status, output, errors = guest.run(
            f"conform {promises} --library {site.library} --models /{HOME}/models", MOST, **host.environment(name),
        )
        assert status == 0, f"conform {name}: status {status}\n{output}{errors}"
        report(f"conform {name}", began)


def check_examples(site, host, guest):
    guest.run("httpd -p 127.0.0.1:8080 -h share/vaccel/models/classify")
    words = words_for(site.functions, DIGITS / "images", DIGITS) | {
        "images": f"/{HOME}/share/vaccel/images",
        "model": f"/{HOME}/share/vaccel/models/classify",
        "labels": f"/{HOME}/share/vaccel/models/classify/labels.txt",
        "url": WEB,
    }
    for name, rows in ROWS.items():
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as directory:
            runner = GuestRunner(guest, host, name, words, pathlib.Path(directory))
            for row in rows:
                if row.get("needs") in {None} | site.plugins():
                    runner.check(row)
        report(f"example {name}", began)


def policies(site):
    libraries = {"exec_libraries": [site.library, str(site.functions), "/no/such/lib.so"], "exec_uploads": ["any"]}
    return {name: libraries | {"plugins": [name]} for name, _ in site.backends} | {"all": libraries}


def test_programs(site):
    rules = policies(site)
    host = Host(site, {"vm": {name: name for name in rules}}, rules, site.carrier)
    host.extra |= {"VACCEL_MODEL_PATH": str(site.models), "VACCEL_OPENCL_DEVICE": "cpu"}
    with host, host.guest() as guest:
        print(f"  booted, in the guest's time after {guest.uptime} s", flush=True)
        check_conformance(site, host, guest)
        check_examples(site, host, guest)


run([test_programs])
