#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A backend that goes wrong takes its own tenant's calls along, as a code and a sentence, and is back soon.
Another tenant, which classifies meanwhile, sees nothing of it.
"""

import contextlib
import errno
import os
import re
import subprocess
import threading

from world import EBACKEND, PATIENCE, Agent, Skipped, run, until

DEADLINE_MS, OVERRUN_MS = 500, 1000
BACK_MS, NOISE_MS = 1000, 500  # and what the backend takes to load: the best of the last three of several
SLACK_MS = 5000  # of a machine that does other things


class Classifier:
    """A program that classifies one picture after the other, each rightly."""

    def __init__(self, world):
        if not (world.build.plugins / "libvaccel-onnx.so").exists():
            raise Skipped("the onnx plugin is left out")
        models = world.build.source / "models/digits"
        # A terminal, so that each line comes at once.
        mine, its = os.openpty()
        self.process = subprocess.Popen(
            [world.build.root / "examples/classify", "-m", models, models / "images/nine.png", "1000000000"],
            env=world.reach("good"), stdout=its, stderr=its,
        )
        os.close(its)
        self.output = os.fdopen(mine, encoding="utf-8", errors="replace")
        self.right, self.last = 0, ""
        self.thread = threading.Thread(target=self.read)
        self.thread.start()
        self.wait_for(10)

    def read(self):
        with contextlib.suppress(OSError):
            for line in self.output:
                self.last = line
                self.right += line.startswith("classification tags: ") and "nine" in line

    def count(self):
        assert self.process.poll() is None, f"it ended: {self.last}"
        return self.right

    def wait_for(self, nr):
        wanted = nr + self.count()
        until(lambda: self.count() >= wanted, "pictures are classified")

    def end(self):
        self.process.kill()
        self.process.wait()
        self.thread.join()
        self.output.close()


@contextlib.contextmanager
def scene(build, **policy):
    policies = {
        "classify": {"plugins": ["onnx"]},
        "deeds": {"plugins": ["exec"], "exec_libraries": [str(build.deeds)]} | policy,
    }
    with Agent(build, {"good": "classify", "bad": "deeds"}, policies) as world:
        classifier = Classifier(world)
        try:
            yield world
            classifier.wait_for(10)
            assert not world.metric("vaccel_worker_restarts_total", tenant="good")
            called = r'vaccel_calls_total{tenant="good",op="image_classify",code="(\w+)"}'
            codes = re.findall(called, world.metrics())
            assert codes == ["OK"], codes
        finally:
            classifier.end()


def commit(world, *deeds, lasts=0):
    """What each came to: code, ms, words. A call succeeds soon after the deed, which lasts so many ms; None: that varies."""
    done = subprocess.run(
        [world.build.root / "tests/e2e/culprit", world.build.deeds, *deeds],
        env=world.reach("bad"), capture_output=True, text=True, timeout=PATIENCE * len(deeds),
    )
    assert done.returncode == 0, done.stderr
    load, *lines = done.stdout.splitlines()
    done = [line.split("\t") for line in lines]
    # A call that fails may have waited for the next worker, to be told how the last one ended.
    away = [int(back) + (0 if lasts is None else int(took) - lasts) for _, took, back, _ in done]
    print(f"the worker was away for {away} ms, and takes {load} to load", flush=True)
    assert min(away[-3:]) <= BACK_MS + int(load) + NOISE_MS, away
    return [(int(code), int(took), words) for code, took, _, words in done]


def test_abort(build):
    with scene(build) as world:
        # Again and again: also one that ends young is back within a second.
        for code, _, words in commit(world, *["deed_abort"] * 9):
            assert code == EBACKEND, words
            assert "ended by signal 6 (Aborted) while it ran exec" in words, words
        assert world.metric("vaccel_worker_restarts_total", tenant="bad") == 9


def test_loop(build):
    with scene(build, deadline=f"{DEADLINE_MS}ms") as world:
        for code, took, words in commit(world, *["deed_loop"] * 3, lasts=DEADLINE_MS + OVERRUN_MS):
            assert code == errno.ETIMEDOUT, words
            assert "overran the deadline of policy 'deeds' in exec" in words, words
            assert DEADLINE_MS <= took <= DEADLINE_MS + OVERRUN_MS + SLACK_MS, took


def test_eat(build):
    if build.sanitized:
        raise Skipped("with sanitizers memory has no limit")
    with scene(build, memory="192MiB") as world:
        for code, _, words in commit(world, *["deed_eat"] * 3, lasts=None):
            assert code == errno.ENOMEM, words
            assert "ran out of memory, 192 MiB by policy 'deeds', while it ran exec" in words, words


def test_forbidden(build):
    with scene(build) as world:
        for code, _, words in commit(world, *["deed_forbidden"] * 3):
            assert code == errno.EPERM, words
            assert "forbidden system call (SIGSYS) while it ran exec" in words, words
        world.saw("tenant bad: worker made a forbidden system call (SIGSYS) while it ran exec")


run([test_abort, test_loop, test_eat, test_forbidden])
