#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A guest with a drive: how it is found, several programs on one, workers that are killed, and disks that are none
of ours.
"""

import contextlib
import os
import pathlib
import signal

from guest import Host, machine, run
from world import until

PLAIN = 1 << 20  # bytes of another disk
KILLS = 5


class DriveHost(Host):
    """An agent whose tenants have a drive each of one machine, beside a disk that is not ours."""

    def __init__(self, site, policies):
        super().__init__(site, {}, policies)
        self.owners = list(policies)

    def write_config(self):
        self.listeners = [
            {"address": f"vhost-user-blk://{self.socket_of(name)}", "tenant": name, "policy": name}
            for name in self.owners
        ]
        super(Host, self).write_config()

    def socket_of(self, tenant):
        return f"{self.directory}/{tenant}.drive"

    @contextlib.contextmanager
    def guest(self):
        plain = pathlib.Path(self.directory) / "plain"
        plain.write_bytes(b"\x5a" * PLAIN)
        drives = [machine.Drive(self.socket_of(name)) for name in self.owners]
        options = ["-drive", f"file={plain},if=none,id=plain,format=raw",
                   "-device", "virtio-blk-pci,drive=plain,serial=plain"]
        with machine.Machine(self.directory, self.site.image, drives, self.site.arch, options=options) as guest:
            yield guest
        assert plain.read_bytes() == b"\x5a" * PLAIN, "another disk was written to"

    def device(self, tenant):
        return f"/dev/vd{chr(ord('a') + self.owners.index(tenant))}"

    def environment(self, tenant):
        return {
            "VACCEL_PLUGINS": "remote",
            "VACCEL_RPC_ADDRESS": f"blk://{self.device(tenant)}",
            "LD_LIBRARY_PATH": self.site.lib,
        }


def rules(*names):
    return {name: {"plugins": [name], "exec_uploads": ["any"]} for name in names}


def must(done, *words):
    status, output, errors = done
    assert status == 0, (status, output, errors)
    assert all(word in output for word in words), output


def must_not(done, *words):
    status, output, errors = done
    assert status != 0, (output, errors)
    assert all(word in errors for word in words), errors


def test_found_by_serial_number(site):
    with DriveHost(site, rules("noop")) as host, host.guest() as guest:
        must(guest.run("vaccel ping", **host.environment("noop") | {"VACCEL_RPC_ADDRESS": "blk:"}), "answers")


def test_other_disk(site):
    with DriveHost(site, rules("noop")) as host, host.guest() as guest:
        must_not(guest.run("vaccel ping blk:///dev/vdb", **host.environment("noop")),
                 "is another disk, and was not touched")


def test_no_file_system(site):
    with DriveHost(site, rules("noop")) as host, host.guest() as guest:
        for place in (0, 1, 1 << 20, (1 << 30) - 1):
            must_not(guest.run(f"dd if=/dev/zero of=/dev/vda bs=4096 count=1 seek={place} conv=fsync"))
        must_not(guest.run("mkdir -p /mnt && mount /dev/vda /mnt"))
        host.saw("writes to the drive as to a disk, and is refused")
        assert host.words().count("as to a disk") == 1, "it is said for each write"
        must(guest.run("vaccel ping", **host.environment("noop")), "answers")


def test_several_programs(site):
    pings = "for i in 1 2 3 4 5 6; do vaccel ping >/tmp/ping$i 2>&1 || echo no & done; wait; cat /tmp/ping*"
    with DriveHost(site, rules("noop")) as host, host.guest() as guest:
        status, output, _ = guest.run(pings, **host.environment("noop"))
        assert status == 0 and output.count("round trips") == 6 and "no\n" not in output, output
        # The machine itself counts as one.
        until(lambda: host.metric("vaccel_connections", tenant="noop") == 1, "that all ranges are released")


def test_workers_killed(site):
    with DriveHost(site, rules("noop")) as host, host.guest() as guest:
        for _ in range(KILLS):
            must(guest.run("vaccel ping", **host.environment("noop")), "answers")
            os.kill(host.workers()["noop"], signal.SIGKILL)
        must(guest.run("vaccel ping", **host.environment("noop")), "answers")


if __name__ == "__main__":
    run([
        test_found_by_serial_number, test_other_disk, test_no_file_system,
        test_several_programs, test_workers_killed,
    ])
