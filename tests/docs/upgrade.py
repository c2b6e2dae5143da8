#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Replaces agents under load in the ways of docs/operations.md: no call may fail.

usage: upgrade.py AGENT PLUGIN_DIR CALLERS CARRIER...
"""

import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/support"))

from agent import Agent  # noqa: E402

TIMES = 4  # that an agent is replaced
POLICY = {"plugins": ["mbench", "noop"], "exec_libraries": ["/mbench"], "calls": 16}
# A service manager's way to start a service with a socket, which is this program's standard input.
ACTIVATED = ["sh", "-c", 'exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh"]


class Callers:
    def __init__(self, program, plugin_dir, agent, address):
        reach = agent.environment | {"VACCEL_RPC_ADDRESS": address, "VACCEL_PLUGIN_DIR": plugin_dir}
        self.process = subprocess.Popen(
            [program, "6"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | reach,
        )
        self.lines, self.changed = [], threading.Condition()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.strip())
                self.changed.notify()

    def wait_for_more(self):
        """Until some hundred calls more were made."""
        with self.changed:
            wanted = len(self.lines) + 3
            if not self.changed.wait_for(lambda: len(self.lines) >= wanted, 30):
                raise AssertionError("there were no more calls")

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(30)
        self.reader.join()
        print(self.lines[-1], flush=True)
        if status:
            raise AssertionError("\n".join(sorted(set(self.lines))))


class Newcomers:
    """Programs that start, call and end, one after the other."""

    def __init__(self, program, plugin_dir, agent, address):
        reach = agent.environment | {"VACCEL_RPC_ADDRESS": address, "VACCEL_PLUGIN_DIR": plugin_dir}
        self.command = [program, "1"]
        self.environment = os.environ | reach
        self.over, self.number, self.failures = False, 0, []
        self.thread = threading.Thread(target=self.come)
        self.thread.start()

    def come(self):
        while not self.over:
            done = subprocess.run(
                self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=self.environment,
            )
            self.number += 1
            if done.returncode:
                self.failures.append(done.stdout)

    def end(self):
        self.over = True
        self.thread.join()
        print(f"{self.number} newcomers", flush=True)
        if self.failures:
            raise AssertionError("\n".join(sorted(set(self.failures))))


def replace(agents, crowds):
    crowds[0].wait_for_more()
    for _ in range(TIMES):
        for agent in agents:
            if agent.stop():
                raise AssertionError("an agent failed as it ended")
            agent.start()
            crowds[0].wait_for_more()
    for crowd in crowds:
        crowd.end()


def with_a_socket_of_the_service_manager(binary, plugin_dir, program, carriers):
    with tempfile.TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX) as listener:
        address = f"unix://{directory}/agent.sock"
        listener.bind(f"{directory}/agent.sock")
        listener.listen(4096)
        os.dup2(listener.fileno(), 0)
        agent = Agent(binary, plugin_dir, "unix", POLICY, {"listeners": [{"address": address, "policy": "test"}]})
        agent.start_in = lambda _: ACTIVATED
        with agent:
            crowd = Callers(program, plugin_dir, agent, address)
            replace([agent], [crowd, Newcomers(program, plugin_dir, agent, address)])


def by_itself(binary, plugin_dir, program, carriers):
    for carrier in carriers:
        print(carrier, flush=True)
        with Agent(binary, plugin_dir, carrier, POLICY) as agent:
            replace([agent], [Callers(program, plugin_dir, agent, agent.address)])


def two_of_them(binary, plugin_dir, program, carriers):
    with Agent(binary, plugin_dir, "unix", POLICY) as one, Agent(binary, plugin_dir, "tcp", POLICY) as other:
        both = f"{one.address},{other.address}"
        crowd = Callers(program, plugin_dir, one, both)
        replace([one, other], [crowd, Newcomers(program, plugin_dir, one, both)])


if __name__ == "__main__":
    for way in (with_a_socket_of_the_service_manager, by_itself, two_of_them):
        print(way.__name__.replace("_", " "), flush=True)
        way(*sys.argv[1:4], sys.argv[4:])
