#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Machines that are set up wrongly, or lose their agent: who can act on it is told what to do, and nothing hangs."""

import contextlib
import os
import pathlib
import subprocess
import tempfile
import threading

from guest import Host, machine, run
from world import Skipped, until

RULES = {"deeds": {"plugins": ["exec", "noop"], "exec_uploads": ["any"]}}
ONE = {"vm": {"tenant": "deeds"}}
LONG_MS = 600_000
BUSY = 120  # seconds that a machine may take to begin, where others are at work
DEVICES = {"virtio": "accelerator", "blk": "drive"}


class Private(machine.Machine):
    """Whose memory nobody else can see."""

    def command(self, port):
        return [word.replace("share=on", "share=off") if isinstance(word, str) else word
                for word in super().command(port)]


class OldPrivate(Private):
    """By QEMU 7.2, which hands over what it has a private copy of."""

    def command(self, port):
        return [*machine.qemu(self.arch, "qemu-7.2"), *super().command(port)[len(machine.qemu(self.arch)):]]


def device(carrier, directory):
    make = {"virtio": machine.Accelerator, "blk": machine.Drive}[carrier]
    return make(directory / f"tenant.{DEVICES[carrier]}")


def no_agent(site, carrier):
    """QEMU ends, and says which socket file it is."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        try:
            with machine.Machine(directory, site.image, [device(carrier, directory)], site.arch):
                raise AssertionError("it has booted")
        except machine.MachineEnded as words:
            assert f"Failed to connect to '{directory}/tenant.{DEVICES[carrier]}'" in str(words), words


def private_memory(site, carrier):
    with Host(site, ONE, RULES, carrier) as host:
        try:
            with Private(host.directory, site.image, [device(carrier, host.directory)], site.arch):
                pass
        except machine.MachineEnded:
            pass
        host.saw("the machine's memory is not shared; start QEMU with -object memory-backend-memfd", BUSY)


def second_agent(site, carrier):
    """It leaves the first one alone, and ends."""
    with Host(site, ONE, RULES, carrier) as host:
        done = subprocess.run(
            [site.build.agent, "-a", f"{host.address('tenant')},tenant=other", "--runtime-dir",
             host.directory / "other"],
            env=os.environ | {"VACCEL_PLUGIN_DIR": str(site.build.plugins)}, capture_output=True, text=True,
        )
        assert done.returncode == 1 and "another agent listens at" in done.stderr, done


def test_no_agent(site):
    for carrier in DEVICES:
        no_agent(site, carrier)


def test_private_memory(site):
    for carrier in DEVICES:
        private_memory(site, carrier)


def test_private_memory_of_an_old_qemu(site):
    """The machine waits for its drive, of which nothing was ever asked."""
    if missing := machine.missing(site.arch, ["qemu-7.2"]):
        raise Skipped(f"not fetched; `tools/vm/fetch {missing[0]}` gets it")
    modules = machine.FETCHED / f"qemu-7.2-{site.arch}/usr/lib" / machine.TRIPLETS[site.arch] / "qemu"
    os.environ["QEMU_MODULE_DIR"] = str(modules)
    with Host(site, ONE, RULES, "blk") as host:
        guest = OldPrivate(host.directory, site.image, [device("blk", host.directory)], site.arch)

        def boot():
            with contextlib.suppress(machine.MachineEnded), guest:
                pass

        waiting = threading.Thread(target=boot)
        waiting.start()
        try:
            host.saw("if it waits, its memory is not shared: start QEMU with", BUSY)
        finally:
            guest.process.kill()
            waiting.join()
            del os.environ["QEMU_MODULE_DIR"]


def test_second_agent(site):
    for carrier in DEVICES:
        second_agent(site, carrier)


def begin(site, host, guest):
    guest.start(f"patient {site.build.deeds} {LONG_MS}", **host.environment("tenant"))
    until(lambda: host.metric("vaccel_calls_running", tenant="tenant") == 1, "that the call runs", BUSY)
    # The machine, and the program's file or range.
    assert host.metric("vaccel_connections", tenant="tenant") == 2


def test_agent_gone(site):
    """In mid-call: its program is told, and the next one is, as soon as nobody answers."""
    with Host(site, ONE, RULES, "virtio") as host, host.guest() as guest:
        begin(site, host, guest)
        host.kill()
        for _ in range(2):
            status, output, errors = guest.finish(BUSY)
            assert status == 1 and not output and "agent" in errors, (status, output, errors)
            guest.start(f"patient {site.build.deeds} 1", **host.environment("tenant"))
        host.start()


def test_agent_started_anew(site):
    """A monitor that connects again goes on with the next agent, and the call that ran is lost."""
    with Host(site, ONE, RULES, "blk") as host:
        drive = device("blk", host.directory)
        drive.options[1] += ",reconnect-ms=200"
        with machine.Machine(host.directory, site.image, [drive], site.arch) as guest:
            begin(site, host, guest)
            host.kill()
            host.start()
            status, output, errors = guest.finish(BUSY)
            assert status == 1 and not output and "whether it ran is not known" in errors, (status, output, errors)
            done = guest.run(f"patient {site.build.deeds} 1", BUSY, **host.environment("tenant"))
            assert done == (0, "done\n", ""), done


if __name__ == "__main__":
    run([
        test_no_agent, test_private_memory, test_private_memory_of_an_old_qemu, test_second_agent, test_agent_gone,
        test_agent_started_anew,
    ])
