# SPDX-License-Identifier: Apache-2.0
"""Whoever must notice nothing of what others do to an agent, and what that must hold again afterwards."""

import contextlib
import hashlib
import pathlib
import ssl
import threading
import time

from peer import connect
from world import agent, descriptors_of, in_time, until

QUICK_S = 4.0  # what a call may take in the midst of it: less than who waits for a peer's time to be over


class Watch:
    """A well-behaved client that calls all the time; how long its slowest call took."""

    def __init__(self, address):
        self.peer = connect(address)
        self.session = self.peer.session()
        self.slowest, self.calls, self.over, self.failure = 0.0, 0, False, None
        self.thread = threading.Thread(target=self.call)

    def call(self):
        try:
            while not self.over:
                began = time.monotonic()
                self.peer.must("noop", self.session)
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.calls += 1
                time.sleep(0.002)
        except BaseException as failure:
            self.failure = failure

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over = True
        self.thread.join()
        self.peer.close()
        if kind is None:
            if self.failure:
                raise self.failure
            assert self.calls
            in_time(self.slowest, QUICK_S, f"one of {self.calls} calls")


def processes(world):
    """But the monitor, which answers the tests themselves."""
    others = {name: pid for name, pid in world.children().items() if name != "monitor"}
    return {"supervisor": world.process.pid} | others


class Held:
    """What an agent's processes hold, to be the same again."""

    def __init__(self, world):
        self.world = world
        self.before = until(self.rest, "that nothing is under way")

    def rest(self):
        before = self.count()
        time.sleep(0.2)
        return before == self.count() and before

    def count(self):
        return {name: descriptors_of(pid) for name, pid in processes(self.world).items()}

    def check(self):
        # Connections that nobody has accepted yet are still to come.
        with contextlib.suppress(AssertionError):
            until(lambda: self.rest() == self.before, "as many descriptors as before")
        now = self.rest()
        assert now == self.before, f"{now}, and before {self.before}"


def warm(world, *tenants):
    """A worker for each, with all the threads and the connection that a watch needs."""
    for tenant in tenants:
        with Watch(world.socket_of(tenant)):
            time.sleep(0.05)
    until(lambda: not world.metric("vaccel_connections"), "that nobody is connected")


def tls_files(directory):
    """Certificates, for a listener with TLS."""
    agent.make_certificates(pathlib.Path(directory))
    return {"cert": f"{directory}/localhost.pem", "key": f"{directory}/localhost.key",
            "client_ca": f"{directory}/ca.pem"}


def listeners(ports, directory):
    files = tls_files(directory)
    return [
        {"address": f"tcp://127.0.0.1:{ports['tcp']}", "tenant": "tcp", "policy": "test"},
        {"address": f"tls://127.0.0.1:{ports['tls']}", "tenant": "tls", "policy": "test"} | files,
        {"address": f"tls://127.0.0.1:{ports['relayed']}", "policy": "test"} | files,
    ]


def first_words():
    """What a client says first to begin a handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    said = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), said).do_handshake()
    return said.read()


def time_for(ask):
    began = time.monotonic()
    ask()
    return time.monotonic() - began


def file_of(data, name="data"):
    return {"name": name, "size": len(data), "in_memory": 0, "bytes": data.hex() if len(data) <= 4096 else None,
            "sha256": hashlib.sha256(data).hexdigest()}
