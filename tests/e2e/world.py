# SPDX-License-Identifier: Apache-2.0
"""What the tests of whole systems share: an agent with tenants of its test's making, what its processes
are and hold, its metrics, and how tests are run and counted."""

import argparse
import contextlib
import errno
import os
import pathlib
import re
import signal
import sys
import time
import traceback
import urllib.request

HERE = pathlib.Path(__file__).parent
sys.path += [str(HERE.parent / "support"), str(HERE.parent / "wire")]

import agent  # noqa: E402

EBACKEND, ESESS = errno.EPROTO, errno.ECONNRESET
PATIENCE = 60  # seconds; long on purpose, for machines that do other things


TRIES = 3


class Skipped(Exception):
    pass


class Late(Exception):
    """What should be quick was not. It may be the machine, that did other things: the test is tried again."""


def in_time(took, most, what):
    if took > most:
        raise Late(f"{what} took {took:.1f} s")


class Build:
    def __init__(self, root, sanitized):
        self.root, self.sanitized = pathlib.Path(root), sanitized
        self.agent = self.root / "agent/vaccel-agent"
        self.vaccel = self.root / "cli/vaccel"
        self.plugins = self.root / "plugins"
        self.deeds = self.root / "tests/e2e/libdeeds.so"
        self.caller = self.root / "tests/e2e/caller"
        self.regions = self.root / "tests/e2e/regions"
        self.source = HERE.parent.parent


def until(condition, what, patience=PATIENCE):
    """What condition() returns, once that is anything."""
    end = time.monotonic() + patience
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(0.002)
    return found


class Agent(agent.Agent):
    """With a unix listener for each tenant, or those that a test lists; metrics over HTTP."""

    def __init__(self, build, tenants=(), policies=None, listeners=None, **config):
        super().__init__(build.agent, build.plugins)
        self.build, self.tenants, self.listeners = build, tenants, listeners or []
        self.policies = policies or {}
        self.more = config

    def listener(self, directory):
        return None

    def __enter__(self):
        self.port = agent.free_port()
        self.config = {
            "policies": {"test": {"plugins": ["noop"]}} | self.policies,
            "metrics": {"address": f"127.0.0.1:{self.port}"},
        } | self.more
        return super().__enter__()

    def write_config(self):
        self.config["listeners"] = self.listeners + [
            {"address": f"unix://{self.directory}/{name}.sock", "tenant": name, "policy": policy}
            for name, policy in dict(self.tenants).items()
        ]
        super().write_config()

    def reload(self):
        """By a configuration that may have changed; what it says of it in the end."""
        self.write_config()
        self.process.send_signal(signal.SIGHUP)
        self.await_notice("RELOADING=1")
        return self.await_notice("READY=1")

    def reach(self, tenant, **more):
        """The environment of a program of this tenant."""
        return os.environ | {
            "VACCEL_PLUGINS": "remote",
            "VACCEL_PLUGIN_DIR": self.plugin_dir,
            "VACCEL_RPC_ADDRESS": f"unix://{self.directory}/{tenant}.sock",
        } | more

    def socket_of(self, tenant):
        return f"{self.directory}/{tenant}.sock"

    def children(self):
        """Its processes: "monitor", "front", "worker alice"."""
        found = {}
        for pid in children_of(self.process.pid):
            with contextlib.suppress(OSError):
                name = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode()
                if name.startswith("vaccel-agent: "):
                    found[name.removeprefix("vaccel-agent: ")] = pid
        return found

    def workers(self):
        """The process of each tenant's worker."""
        return {name.split()[1]: pid for name, pid in self.children().items() if name.startswith("worker ")}

    def processes(self):
        """All that have their directory where this agent and those before it keep theirs."""
        mine = str(self.directory / "run")
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.readlink(process / "cwd").startswith(mine):
                    found.append(int(process.name))
        return found

    def directory_of(self, tenant):
        (found,) = (self.directory / "run/vaccel").glob(f"agent-*/{tenant}.*")
        return found

    def metric(self, name, **labels):
        """The sum of the samples with these labels."""
        total = 0.0
        for line in self.metrics().splitlines():
            found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if found and found[1] == name:
                has = dict(re.findall(r'(\w+)="(.*?)"', found[2] or ""))
                if labels.items() <= has.items():
                    total += float(found[3])
        return total

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=PATIENCE) as answer:
            return answer.read().decode()

    def saw(self, words, patience=PATIENCE):
        return until(lambda: words in self.words(), f"'{words}' in the log", patience)


def opened(gate):
    """To write; None as long as nobody reads there."""
    with contextlib.suppress(OSError):
        return os.fdopen(os.open(gate, os.O_WRONLY | os.O_NONBLOCK), "wb")
    return None


@contextlib.contextmanager
def running(world, tenant, client, session):
    """A call that runs until the end of the block; its answer is to be taken after that."""
    gate = world.directory_of(tenant) / "gate"
    os.mkfifo(gate)
    client.send(client.message("CALL", "exec", session, library=str(world.build.deeds), symbol="deed_wait",
                               read=[], write=[]))
    with until(lambda: opened(gate), "that it runs"):
        yield


def children_of(pid):
    """Whichever of its threads has started them."""
    found = []
    for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, children.read_text().split())
    return found


def descriptors_of(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def try_it(test, build):
    for _ in range(TRIES - 1):
        try:
            return test(build)
        except Late as why:
            print(f"{test.__name__}: once more: {why}", flush=True)
    return test(build)


def run(tests):
    """Runs the functions with a Build each; those of the command line, if it names some."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--sanitized", action="store_true", help="of a build with sanitizers")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    unknown = set(options.names) - {test.__name__ for test in tests}
    if unknown:
        parser.error(f"no test is called {', '.join(sorted(unknown))}")
    failed = skipped = 0
    for test in tests:
        if options.names and test.__name__ not in options.names:
            continue
        began = time.monotonic()
        try:
            try_it(test, Build(options.build, options.sanitized))
            verdict = "ok"
        except Skipped as why:
            skipped += 1
            verdict = f"SKIP: {why}"
        except Exception:
            failed += 1
            traceback.print_exc()
            verdict = "FAILED"
        print(f"{test.__name__}: {verdict} ({time.monotonic() - began:.1f} s)", flush=True)
    sys.exit(1 if failed else 77 if skipped == len(tests) else 0)
