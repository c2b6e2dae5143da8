#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Large arguments over a unix socket: right to the last byte, in regions that are counted and given back,
and whose pages are never the agent's; and small ones through mailboxes, as many as the policy lets.
"""

import contextlib
import fcntl
import mmap
import os
import subprocess

import peer
from world import Agent, run, until

MIB = 1 << 20
MAILBOX = 16384
FIXED = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
POLICIES = {
    "shares": {"plugins": ["noop"], "exec_libraries": ["/any.so"], "spin": 1},
}
TENANTS = {"alice": "shares"}


class Program:
    def __init__(self, world, program, **environment):
        self.world = world
        self.process = subprocess.Popen(
            [program], env=world.reach("alice", **environment), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )

    def step(self, name, regions):
        self.wait(name, regions)
        self.go_on()

    def wait(self, name, regions):
        """It has come to that step, and the agent has so many bytes of regions."""
        said = self.process.stdout.readline().strip()
        assert said == name, f"'{said}', not '{name}': {self.process.stderr.read()}"
        bytes_ = self.world.metric("vaccel_region_bytes", tenant="alice")
        assert bytes_ == regions, f"{name}: {bytes_} bytes of regions, not {regions}"

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self):
        _, words = self.process.communicate()
        assert self.process.returncode == 0, words
        return words


def given_back(world):
    until(lambda: not world.metric("vaccel_region_bytes", tenant="alice"), "all regions given back")


def test_large_arguments(build):
    with Agent(build, TENANTS, POLICIES) as world:
        program = Program(world, build.regions)
        program.step("begun", 0)
        # A room for what is read and one for what is written; of the program's own memory the input.
        program.step("plain", 128 * MIB)
        program.wait("shared", 192 * MIB)
        # Six calls; what is written may also be read.
        for direction, times in (("in", 12), ("out", 6)):
            passed = world.metric("vaccel_payload_bytes_total", tenant="alice", direction=direction)
            assert times * 64 * MIB <= passed < times * 65 * MIB, f"{passed} bytes {direction}"
        program.go_on()
        # What so many calls had no use for.
        program.step("noops", 0)
        program.end()
        given_back(world)


def test_a_program_that_is_killed(build):
    with Agent(build, TENANTS, POLICIES) as world:
        program = Program(world, build.regions)
        program.step("begun", 0)
        program.step("plain", 128 * MIB)
        program.process.kill()
        program.process.communicate()
        given_back(world)


def test_spinning(build):
    with Agent(build, TENANTS, POLICIES) as world:
        first = Program(world, build.regions, VACCEL_SPIN_US="50")
        first.step("begun", MAILBOX)
        first.step("plain", MAILBOX + 128 * MIB)
        first.step("shared", MAILBOX + 192 * MIB)
        # The policy lets one connection spin. The second works without, and leaves nothing.
        first.wait("noops", MAILBOX)
        second = Program(world, build.regions, VACCEL_SPIN_US="50", VACCEL_LOG_LEVEL="3")
        second.wait("begun", MAILBOX)
        first.go_on()
        first.end()
        given_back(world)
        second.go_on()
        second.step("plain", 128 * MIB)
        second.step("shared", 192 * MIB)
        second.step("noops", 0)
        assert "no spinning: policy 'shares' lets 1 connections spin" in second.end()
        given_back(world)
        assert world.metric("vaccel_refused_total", tenant="alice", reason="quota") == 1
        # The place is free again.
        third = Program(world, build.regions, VACCEL_SPIN_US="50")
        third.step("begun", MAILBOX)
        third.process.kill()
        third.process.communicate()
        given_back(world)


@contextlib.contextmanager
def memfd(filled, seals=FIXED):
    """Of a MiB, whose first bytes have been written."""
    fd = os.memfd_create("region", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, bytes(filled))
    os.ftruncate(fd, MIB)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    yield fd
    os.close(fd)


def add_region(client, fd, read_only=0):
    client.must("region_expect")
    return client.ask("region_add", region=1, size=MIB, read_only=read_only, fds=[fd])


def copy_within(client, session):
    half = {"region": 1, "size": MIB // 2}
    return client.ask("fpga_arraycopy", session, a=half | {"offset": 0}, out=half | {"offset": MIB // 2})[0]


def test_pages_that_are_lacking(build):
    """Whoever touches one first has it charged to him, and this is not the agent."""
    holes, no_seal = "has holes; write to each of its pages", "cannot be sealed by F_SEAL_FUTURE_WRITE"
    with Agent(build, TENANTS, POLICIES) as world, peer.connect(world.socket_of("alice")) as client:
        session, refused = client.session(), 0
        for filled, seals, expected in ((0, FIXED, holes), (MIB - mmap.PAGESIZE, FIXED, holes),
                                        (MIB, FIXED | fcntl.F_SEAL_SEAL, no_seal)):
            for read_only in 0, 1:
                with memfd(filled, seals) as fd:
                    status, words = add_region(client, fd, read_only)
                    assert status == peer.EINVAL and expected in words, words
                    assert copy_within(client, session) == peer.EPERM
                    assert os.fstat(fd).st_blocks * 512 == filled
                refused += 1
                assert world.metric("vaccel_refused_total", tenant="alice", reason="malformed") == refused
        assert not world.metric("vaccel_region_bytes", tenant="alice")


def forbidden(memory):
    try:
        memory.madvise(mmap.MADV_REMOVE)
    except PermissionError:
        return True
    return False


def test_pages_that_are_taken_away(build):
    with Agent(build, TENANTS, POLICIES) as world, peer.connect(world.socket_of("alice")) as client:
        session = client.session()
        with memfd(MIB) as fd, mmap.mmap(fd, MIB) as memory:
            status, words = add_region(client, fd)
            assert status == peer.OK, words
            assert forbidden(memory)
            # What was mapped before is still written by both.
            memory[0] = memory[MIB - 1] = 1
            assert copy_within(client, session) == peer.OK
            client.must("region_drop", region=1)
            assert forbidden(memory)


run([test_large_arguments, test_a_program_that_is_killed, test_spinning, test_pages_that_are_lacking,
     test_pages_that_are_taken_away])
