#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Libraries that a tenant brings, with a policy that permits any, and which mean harm: as they are loaded, as they
run and as they go. Another tenant calls and connects meanwhile; the villain's tenant has a code, a sentence and a
worker again, and nothing is left.
"""

import contextlib
import hashlib
import pathlib
import threading
import time

import peer
from peer import Peer, connect
from world import PATIENCE, Agent, Skipped, in_time, run, until

DEADLINE = "500ms"
QUICK_S = 4.0  # what others may have to wait, on a machine that does other things
FROZEN_S = 10
LOG_S = 3
THREADS = 8 + 8 + 8 + 1  # calls, those that wait, some to spare, and the watcher
LOG_LINES_A_SECOND = 100  # of a child, see agent/base/log.h


class Bystander:
    """A client of another tenant that calls, and connects anew, all the time."""

    def __init__(self, address):
        self.address, self.slowest, self.rounds, self.over, self.failure = address, 0.0, 0, False, None
        self.thread = threading.Thread(target=self.go_on)

    def go_on(self):
        try:
            with connect(self.address) as client:
                session = client.session()
                while not self.over:
                    began = time.monotonic()
                    client.must("noop", session)
                    connect(self.address).close()
                    self.slowest = max(self.slowest, time.monotonic() - began)
                    self.rounds += 1
                    time.sleep(0.005)
        except BaseException as failure:
            self.failure = failure

    def __enter__(self):
        self.thread.start()
        until(lambda: self.rounds or self.failure, "that others are served")

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        assert not self.failure, repr(self.failure)
        in_time(self.slowest, QUICK_S, "what others do")


class Villain:
    """A client with the library, in a session."""

    def __init__(self, world):
        self.world = world
        self.client = connect(world.socket_of("bad"))
        self.session = self.client.session()
        data = (world.build.root / "tests/e2e/libvillain.so").read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        for at in range(0, len(data), 1 << 16):
            self.client.must("content_put", sha256=digest, size=len(data), offset=at,
                             bytes=data[at:at + (1 << 16)].hex())
        self.library = self.client.must("resource_offer", type=0, path_type=0, contents=[
            {"name": "lib.so", "size": len(data), "in_memory": 0, "sha256": digest, "bytes": None},
        ])["resource"]
        self.client.must("resource_register", resource=self.library, session=self.session)

    def order(self, words):
        (self.world.directory_of("bad") / "order").write_text(words)

    def do(self, name):
        return self.client.ask("exec_with_resource", self.session, library=self.library, symbol=name, read=[], write=[])

    def release(self):
        self.client.must("resource_unregister", resource=self.library, session=self.session)
        return self.client.ask("resource_release", resource=self.library)

    def dies(self, deed, *args):
        """The words for its worker's end, as the next one has them."""
        try:
            done = deed(*args)
        except peer.Ended:
            done = None
        assert done is None or done[0] == peer.OK, done  # what a deed that has returned may still do to its worker
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(peer.Ended, OSError), Peer(self.world.socket_of("bad")) as client:
                said = client.hello(epoch=self.client.epoch)[1]
                client.must("noop", client.session())
                if said["fate"]:
                    (self.world.directory_of("bad") / "order").unlink(missing_ok=True)
                    return said["fate_text"]
            assert time.monotonic() < end, "its worker is not replaced"
            time.sleep(0.02)


@contextlib.contextmanager
def scene(build, **policy):
    policies = {"bad": {"plugins": ["exec"], "exec_uploads": ["any"]} | policy}
    with Agent(build, {"good": "test", "bad": "bad"}, policies) as world:
        with Bystander(world.socket_of("good")):
            yield world
        assert not world.metric("vaccel_worker_restarts_total", tenant="good")


def threads_of(world, tenant):
    return len(list(pathlib.Path(f"/proc/{world.workers()[tenant]}/task").iterdir()))


def ask_all(clients, sessions):
    """All at once; False."""
    for client, session in zip(clients, sessions):
        client.send(client.message("CALL", "session_update", session=session, hint=0))
    for client in clients:
        client.answer("session_update")
    return False


def test_as_it_comes(build):
    ends = {"abort": "ended by signal 6", "crash": "ended by signal 4", "leave": "exited with status 0", "end": "exited with status 3"}
    with scene(build, deadline=DEADLINE) as world:
        for order, words in ends.items():
            villain = Villain(world)
            villain.order(f"as it comes, {order}")
            said = villain.dies(villain.do, "do_nothing")
            assert words in said and "exec_with_resource" in said, said
        villain = Villain(world)
        villain.order("as it comes, loop")
        said = villain.dies(villain.do, "do_nothing")
        assert "overran the deadline of policy 'bad' in exec_with_resource" in said, said


def test_as_it_goes(build):
    """What takes no end as it is unloaded overruns the deadline, too, whoever unloads it."""
    with scene(build, deadline=DEADLINE) as world:
        for how in ("release", "close"):
            villain = Villain(world)
            assert villain.do("do_nothing")[0] == peer.OK
            villain.order("as it goes, loop")
            said = villain.dies(villain.release if how == "release" else villain.client.close)
            assert "overran the deadline of policy 'bad' in resource_release" in said, said


def test_descriptors(build):
    with scene(build) as world:
        for deed in ("do_close_all", "do_close_others"):
            villain = Villain(world)
            said = villain.dies(villain.do, deed)
            # It ends itself, or is ended as the supervisor finds its connection closed.
            assert "exited with status 1" in said or "signal 9" in said, said


def test_floods(build):
    with scene(build, deadline=DEADLINE) as world:
        for deed in ("do_print", "do_babble"):
            villain = Villain(world)
            said = villain.dies(villain.do, deed)
            assert "overran the deadline of policy 'bad' in exec_with_resource" in said, said


def test_its_log(build):
    """Who writes to the log without end is heard some times a second, under its own name."""
    with scene(build, deadline=f"{LOG_S}s") as world:
        villain = Villain(world)
        began = time.monotonic()
        said = villain.dies(villain.do, "do_log")
        assert "overran the deadline" in said, said
        took = time.monotonic() - began
        lines = world.words().splitlines()
        own = [line for line in lines if "worker 1 is of good" in line or "forged" in line]
        assert LOG_LINES_A_SECOND <= len(own) <= LOG_LINES_A_SECOND * (took + 1), f"{len(own)} lines in {took} s"
        assert all(": tenant bad: " in line for line in own), own[0]
        assert any("tenant bad: " in line and "more lines of its log were left out" in line for line in lines)


def test_frozen(build):
    """One that is stopped is replaced, though no deadline holds; one that works for as long is left alone."""
    with scene(build) as world:
        villain = Villain(world)
        status, said = villain.do("do_work")
        assert status == peer.OK, said
        began = time.monotonic()
        villain.client.socket.settimeout(PATIENCE + FROZEN_S)
        said = villain.dies(villain.do, "do_stop")
        assert said.startswith("worker gave no sign of life while it ran exec_with_resource"), said
        assert time.monotonic() - began >= FROZEN_S


def test_a_full_directory(build):
    """Who writes without end, bytes or names, is ended, and begins with an empty directory."""
    with scene(build, content="8MiB") as world:
        villain = Villain(world)
        assert villain.do("do_write_long")[0] == peer.OK
        for deed in ("do_fill", "do_name"):
            villain = Villain(world)
            said = villain.dies(villain.do, deed)
            assert said == ("worker had more in its directory than the 8 MiB of content that policy 'bad' permits "
                            "while it ran exec_with_resource"), said
            assert not list(world.directory_of("bad").glob("f*"))
        villain = Villain(world)
        assert villain.do("do_nothing")[0] == peer.OK
        until(lambda: not list(world.directory_of("bad").parent.glob(".*")), "that all is removed")


def test_stacks(build):
    """Those of all threads that a worker may have leave room for what its policy permits."""
    if build.sanitized:
        raise Skipped("sanitizers have stacks and memory of their own")
    with scene(build, memory="64MiB", calls=8, queue=8) as world, contextlib.ExitStack() as stack:
        villain = Villain(world)
        assert villain.do("do_measure_stacks")[0] == peer.OK
        others = [stack.enter_context(connect(world.socket_of("bad"))) for _ in range(64)]
        sessions = [one.session() for one in others]
        until(lambda: threads_of(world, "bad") == THREADS or ask_all(others, sessions), "that all threads are there")
        status, said = villain.do("do_allocate")
        assert status == peer.OK, said


def test_it_leaves_nothing(build):
    with scene(build) as world:
        villain = Villain(world)
        with contextlib.suppress(peer.Ended):  # if it was surveyed meanwhile: what is so deep is too much
            assert villain.do("do_dig")[0] == peer.OK


run([test_as_it_comes, test_as_it_goes, test_descriptors, test_floods, test_its_log, test_frozen, test_a_full_directory,
     test_stacks, test_it_leaves_nothing])
