#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""QEMU 7.2, which Debian 12 has: a drive and vsock work with it as with a newer one, and there a drive even outlives the
agent; a device for virtio it has none.
"""

import contextlib
import os
import signal

from guest import Host, machine, run
from world import Skipped

MACHINES = {"vm": {"tenant": "deeds"}}
LONG_MS = 600_000


class OldMachine(machine.Machine):
    def command(self, port):
        return [*machine.qemu(self.arch, "qemu-7.2"), *super().command(port)[len(machine.qemu(self.arch)):]]


class LastingDrive(machine.Drive):
    """QEMU connects again when there is another agent."""

    def __init__(self, path):
        super().__init__(path)
        self.options = [option + ",reconnect=1" * option.startswith("socket,") for option in self.options]


@contextlib.contextmanager
def old_qemu(site, carrier):
    if missing := machine.missing(site.arch, ["qemu-7.2"]):
        raise Skipped(f"not fetched; `tools/vm/fetch {missing[0]}` gets it")
    before = machine.Machine, machine.Drive
    machine.Machine, machine.Drive = OldMachine, LastingDrive
    modules = machine.FETCHED / f"qemu-7.2-{site.arch}/usr/lib" / machine.TRIPLETS[site.arch] / "qemu"
    os.environ["QEMU_MODULE_DIR"] = str(modules)
    try:
        with Host(site, MACHINES, {"deeds": {"plugins": ["exec"], "exec_uploads": ["any"]}}, carrier) as host:
            yield host
    finally:
        machine.Machine, machine.Drive = before
        del os.environ["QEMU_MODULE_DIR"]


def must_work(site, host, guest):
    done = guest.run(f"patient {site.build.deeds} 1", **host.environment("tenant"))
    assert done == (0, "done\n", ""), done


def test_drive(site):
    with old_qemu(site, "blk") as host, host.guest() as guest:
        must_work(site, host, guest)
        os.kill(host.workers()["tenant"], signal.SIGKILL)
        must_work(site, host, guest)


def test_agent_gone(site):
    """The guest's drive waits for the next one."""
    with old_qemu(site, "blk") as host, host.guest() as guest:
        must_work(site, host, guest)
        host.kill()
        guest.start(f"patient {site.build.deeds} 1", **host.environment("tenant"))
        host.start()
        assert guest.finish() == (0, "done\n", "")


def test_vsock(site):
    with old_qemu(site, "vsock") as host, host.guest() as guest:
        must_work(site, host, guest)


def test_virtio(site):
    """What the document says of it."""
    with old_qemu(site, "virtio") as host:
        try:
            with host.guest():
                pass
        except machine.MachineEnded as words:
            assert "'vhost-user-test-device-pci' is not a valid device model name" in str(words), words
        else:
            raise AssertionError("QEMU 7.2 has a device for virtio")


run([test_drive, test_agent_gone, test_vsock, test_virtio])
