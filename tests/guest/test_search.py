#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A guest in which no address is set, with one of the devices by which it may reach its host, or with none."""

import contextlib
import tempfile

from guest import Host, machine, run

RULES = {"deeds": {"plugins": ["exec"], "exec_uploads": ["any"]}}
ONE = {"vm": {"tenant": "deeds"}}


class Guest:
    """Programs in it, of which some may know that the work is to be done elsewhere."""

    def __init__(self, site, machine_):
        self.site, self.machine = site, machine_

    def run(self, script, **environment):
        return self.machine.run(script, LD_LIBRARY_PATH=self.site.lib, **environment)

    def works(self, **environment):
        done = self.run(f"patient {self.site.build.deeds} 1", **environment)
        assert done == (0, "done\n", ""), done

    def says(self, command, *sentences, **environment):
        _, output, errors = self.run(command, **environment)
        said = " ".join((output + errors).split())
        assert all(sentence in said for sentence in sentences), said


@contextlib.contextmanager
def one_device(site, carrier, address, sentence):
    """Which is used by programs that nobody has told of it."""
    with Host(site, ONE, RULES, carrier) as host, host.guest() as vm:
        guest = Guest(site, vm)
        guest.works()
        assert host.workers().keys() == {"tenant"}, host.workers()
        guest.says("vaccel doctor", sentence, f"the agent at {address} answers")
        guest.says("vaccel info", f"{address}: answers in")
        guest.says("vaccel ping --count 9", f"{address} answers", "9 round trips")
        yield guest


def test_device(site):
    with one_device(site, "virtio", "virtio:///dev/accel0", "the host's agent has the device /dev/accel0") as guest:
        guest.run("rmmod virtio_vaccel")
        guest.says("vaccel doctor", "there is no /dev/accel0, but a VirtIO device of our number without a driver",
                   "Load the driver, `modprobe virtio_vaccel`")


def test_drive(site):
    with one_device(site, "blk", "blk:///dev/vda", "the host's agent has the drive /dev/vda"):
        pass


def test_vsock(site):
    """It is used where the plugin is named, and otherwise only spoken of."""
    with Host(site, ONE, RULES, "vsock") as host, host.guest() as vm:
        guest = Guest(site, vm)
        guest.works()
        guest.says("vaccel doctor", "the host's vsock is tried only where VACCEL_PLUGINS names remote")
        assert not host.workers(), host.workers()
        guest.works(VACCEL_PLUGINS="remote")
        assert host.workers().keys() == {"tenant"}, host.workers()
        guest.says("vaccel doctor", "the agent at vsock://2:2048 answers", VACCEL_PLUGINS="remote")
        host.stop()
        guest.says(f"patient {site.build.deeds} 1", "connecting to vsock://2:2048: ",
                   "on the host vaccel-agent has to listen at vsock-uds:///PATH:PORT", VACCEL_PLUGINS="remote")


def test_nothing(site):
    """The work is done in the guest, or the program is told what was looked for."""
    sentence = ("none was found: there is no /run/vaccel/agent.sock; there is no /dev/accel0; no drive has the serial "
                "number vaccel-drive; there is no VirtIO vsock")
    with tempfile.TemporaryDirectory() as directory, machine.Machine(directory, site.image, arch=site.arch) as vm:
        guest = Guest(site, vm)
        guest.works()
        for command in (f"patient {site.build.deeds} 1", "vaccel doctor", "vaccel info"):
            guest.says(command, sentence, VACCEL_PLUGINS="remote")


run([test_device, test_drive, test_vsock, test_nothing])
