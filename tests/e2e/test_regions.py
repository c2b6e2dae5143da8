#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Large arguments over a unix socket: right to the last byte, in regions that are counted and given back;
and small ones through mailboxes, as many as the policy lets.
"""

import subprocess

from world import Agent, run, until

MIB = 1 << 20
MAILBOX = 16384
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


run([test_large_arguments, test_a_program_that_is_killed, test_spinning])
