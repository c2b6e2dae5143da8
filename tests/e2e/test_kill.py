#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Workers and agents killed in the middle of calls, 200 times, and the front besides. Whatever the moment, a call
succeeds or fails once with a code before its deadline, what has an effect runs once at most, and memory of a call that has
returned stays as it is; the caller sees to the first and the last. Afterwards everything works on, and
nothing is left.
"""

import collections
import errno
import mmap
import os
import pathlib
import random
import signal
import statistics
import struct
import subprocess
import tempfile
import time

from world import Agent, agent, children_of, descriptors_of, run, until

AGENTS, WORKERS = 100, 100
FRONTS = 10  # in each half
LATE_MS, MANY = 100, 50  # past the deadline, of most calls that miss it for one reason, where so many do

# By tenant: how its callers reach the agent, and their deadline in ms. That of the last is one that many
# calls miss, so that answers come late.
TENANTS = {
    "unix": ("unix", 20000, {}),
    "spinning": ("unix", 20000, {"VACCEL_SPIN_US": "30"}),
    "tester": ("tls-relayed", 20000, {}),
    "hasty": ("unix", 10, {}),
}


class Caller:
    def __init__(self, world, tenant, number):
        self.tenant, self.number = tenant, number
        _, deadline, more = TENANTS[tenant]
        self.records = world.directory / f"{tenant}.records"
        progress = world.directory / f"{tenant}.progress"
        progress.write_bytes(bytes(8))
        environment = world.reach(tenant, VACCEL_TIMEOUT_MS=str(deadline)) | more
        self.process = subprocess.Popen(
            [world.build.caller, world.build.deeds, self.records, progress, str(number)],
            stdin=subprocess.PIPE, env=environment,
        )
        with open(progress, "rb") as file:
            self.counter = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)

    def progress(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the caller of {self.tenant} ended with {self.process.returncode}")
        return struct.unpack("<Q", self.counter)[0]

    def end(self):
        self.process.stdin.close()
        if self.process.wait(60):
            raise AssertionError(f"the caller of {self.tenant} ended with {self.process.returncode}")


class Ledger:
    """What ran, in which tenant's worker whatsoever."""

    def __init__(self):
        self.entries = collections.Counter()

    def take(self, world):
        for file in (world.directory / "run/vaccel").glob("agent-*/*/ledger"):
            data = file.read_bytes()
            assert len(data) % 8 == 0
            self.entries.update(struct.unpack(f"<{len(data) // 8}Q", data))
            file.unlink()  # the directory of a killed agent may stay for a while

    def compare(self, callers):
        results = collections.Counter()
        late = collections.defaultdict(list)
        known = set()
        for caller in callers:
            for line in caller.records.read_text().splitlines():
                number, code, took, words = line.split("\t", 3)
                number, code = int(number), int(code)
                results[caller.tenant, code] += 1
                if code == errno.ETIMEDOUT:
                    late[caller.tenant, words].append(int(took))
                if number == 0:
                    continue
                known.add(number)
                ran = self.entries[number]
                assert ran <= 1, f"call {number:x} ran {ran} times"
                assert ran == 1 or code, f"call {number:x} succeeded and has not run"
        assert known >= self.entries.keys(), "something ran that nobody has called"
        many = {key: took for key, took in late.items() if len(took) >= MANY}
        assert many, "few calls were late"
        for (tenant, words), took in many.items():
            most = TENANTS[tenant][1] + LATE_MS
            assert statistics.median(took) <= most, f"{tenant}, {words}: {sorted(took)[::MANY // 2]} ms"
        return results


def progressed(callers, before):
    return [c for c in callers if c.progress() > before[c.tenant]]


def kill_child(world, callers, before, randomly, front):
    """The worker of one that has answered since it was started, or the front, if that relays such a one's connections."""
    children = world.children()
    ready = [c for c in progressed(callers, before) if f"worker {c.tenant}" in children]
    if front:
        ready = [c for c in ready if TENANTS[c.tenant][0] == "tls-relayed"]
    if not ready:
        return False
    victim = randomly.choice(ready)
    process = "front" if front else f"worker {victim.tenant}"
    if process not in children:
        return False  # it is being started anew
    time.sleep(randomly.random() * 0.01)
    before[victim.tenant] = victim.progress()
    try:
        os.kill(children[process], signal.SIGKILL)
    except ProcessLookupError:
        return False  # it has just ended, with the one that was killed before
    return True


def kill_agent(world, callers, before, ledger, randomly):
    until(lambda: len(progressed(callers, before)) == len(callers), "answers to all callers")
    time.sleep(randomly.random() * 0.02)
    world.kill()
    until(lambda: not world.processes(), "that nothing of a killed agent is left")
    ledger.take(world)
    before.update({c.tenant: c.progress() for c in callers})
    world.start()


def kill_children(world, callers, before, randomly, workers, fronts):
    for front in [False] * workers + [True] * fronts:
        until(lambda: kill_child(world, callers, before, randomly, front), "an answer of what is to be killed")


def settled(world, callers, before):
    """Every tenant has a worker that answers; how many descriptors the agent has then."""
    until(lambda: len(world.workers()) == len(callers), "a worker of each tenant")
    before.update({c.tenant: c.progress() for c in callers})
    until(lambda: len(progressed(callers, before)) == len(callers), "answers to all callers")
    until(lambda: {"front", "monitor"} <= world.children().keys(), "all of the agent's processes")
    # Connections that are on their way to a worker are there for a moment.
    return min(descriptors_of(world.process.pid) for _ in range(50) if not time.sleep(0.005))


def check_nothing_left(world):
    """Once no caller is left; the workers are there still."""
    gauges = ("vaccel_sessions", "vaccel_region_bytes")
    until(lambda: not any(world.metric(name) for name in gauges), "that sessions and regions are gone")
    expected = children_of(world.process.pid)
    assert sorted(world.processes()) == sorted(expected), "processes are left"
    directories = list((world.directory / "run/vaccel").glob("agent-*"))
    assert len(directories) == 1, f"{directories} are left"
    for tenant in TENANTS:
        # What was uploaded is kept by its hash; of resources and uploads under way nothing is.
        left = [p for p in world.directory_of(tenant).rglob("*") if p.is_file() and p.name != "ledger"]
        assert all(len(p.name) == 64 for p in left), f"{left} are left"


def relayed(directory):
    """A listener that learns the tenant from the certificate; sets how its caller reaches it."""
    agent.make_certificates(pathlib.Path(directory))
    address = f"tls://127.0.0.1:{agent.free_port()}"
    TENANTS["tester"][2].update({
        "VACCEL_RPC_ADDRESS": address, "VACCEL_TLS_CERT": f"{directory}/tester.pem",
        "VACCEL_TLS_KEY": f"{directory}/tester.key", "VACCEL_TLS_CA": f"{directory}/ca.pem",
    })
    return {"address": address, "policy": "deeds", "cert": f"{directory}/localhost.pem",
            "key": f"{directory}/localhost.key", "client_ca": f"{directory}/ca.pem"}


def test_kill(build):
    seed = int.from_bytes(os.urandom(4), "little")
    randomly = random.Random(seed)
    print(f"seed {seed}", flush=True)
    policy = {
        "plugins": ["exec", "cpu"], "exec_libraries": [str(build.deeds)], "exec_uploads": ["any"], "spin": 4,
    }
    tenants = {name: "deeds" for name, (carrier, _, _) in TENANTS.items() if carrier == "unix"}
    with tempfile.TemporaryDirectory() as certificates, \
         Agent(build, tenants, {"deeds": policy}, [relayed(certificates)], log={"level": "error"}) as world:
        callers = [Caller(world, tenant, i) for i, tenant in enumerate(TENANTS)]
        before = {c.tenant: 0 for c in callers}
        ledger = Ledger()
        try:
            # Mixed; then workers of one and the same agent, whose descriptors must not become more.
            for i in range(AGENTS):
                kill_agent(world, callers, before, ledger, randomly)
                kill_children(world, callers, before, randomly, i % 2, i % 10 == 0)
            descriptors = settled(world, callers, before)
            for _ in range(FRONTS):
                kill_children(world, callers, before, randomly, (WORKERS - AGENTS // 2) // FRONTS, 1)
            until(lambda: settled(world, callers, before) <= descriptors, f"at most {descriptors} descriptors, as before")
            for caller in callers:
                caller.end()
            ledger.take(world)
            results = ledger.compare(callers)
            check_nothing_left(world)
        finally:
            for caller in callers:
                caller.process.kill()
                caller.process.wait()
        print(dict(results))


run([test_kill])
