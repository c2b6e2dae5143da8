#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A worker that is killed again and again while a program in a guest classifies: each time one call fails or runs
twice at most, the program goes on, and the agent keeps nothing of it. --kills says how often.
"""

import os
import random
import re
import signal
import time

from guest import Host, TESTS, run
from world import Skipped, descriptors_of, until

PICTURE = TESTS.parent / "models/digits/images/seven.png"
PATIENCE = 60  # seconds, until a new worker has loaded its plugins and answers
BETWEEN = 5  # calls that are answered before the next worker is killed


def answered(host):
    return host.metric("vaccel_calls_total", tenant="tenant", op="image_classify", code="OK")


def await_answers(host):
    """Returns once there are some more."""
    enough = answered(host) + BETWEEN
    until(lambda: answered(host) >= enough, "that calls are answered", PATIENCE)


def descriptors(host):
    """Without those that are on their way to a worker."""
    return min(descriptors_of(host.process.pid) for _ in range(50) if not time.sleep(0.005))


def kill_worker(host, randomly):
    await_answers(host)
    time.sleep(randomly.random() * 0.01)
    os.kill(host.workers()["tenant"], signal.SIGKILL)


def host_of(site):
    if "onnx" not in site.plugins():
        raise Skipped("only ONNX Runtime classifies a picture in earnest")
    return Host(site, {"vm": {"tenant": "deeds"}}, {"deeds": {"plugins": ["onnx"]}}, site.carrier)


def begin(host, guest):
    guest.start("steady seven.png", **host.environment("tenant"))
    await_answers(host)


def finish(host, guest):
    """How many calls were answered and how many failed, and the words; nobody classifies any more."""
    host.policies["deeds"]["plugins"] = ["exec"]
    host.reload()
    status, output, errors = guest.finish()
    assert status == 0, (output, errors)
    good, failed = map(int, re.fullmatch(r"(\d+) answered, (\d+) failed\n", output).groups())
    return good, failed, errors


def test_kills(site):
    seed = int.from_bytes(os.urandom(4), "little")
    randomly = random.Random(seed)
    with host_of(site) as host, host.guest() as guest:
        begin(host, guest)
        before = descriptors(host)
        for _ in range(site.kills):
            kill_worker(host, randomly)
        await_answers(host)
        now = descriptors(host)
        assert now <= before, f"the agent has {now} descriptors, and had {before}"
        good, failed, errors = finish(host, guest)
        assert failed <= site.kills, (seed, errors)
        # Some that a worker had answered it has not counted when it is killed; what ran twice counts twice.
        assert answered(host) <= good + site.kills, (seed, good, answered(host))
        print(f"  {site.kills} kills, {good} answered, {failed} failed, {before} descriptors, then {now}")


run([test_kills])
