#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that are slow or silent, a disk that is full, and no descriptor left: whoever does nothing of
the kind is answered in time, errors are told, and afterwards all is as it was.
"""

import contextlib
import hashlib
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time

import peer
from lingering import lingering
from peer import Peer, connect
from watch import QUICK_S, Held, Watch, file_of, first_words, listeners, time_for, tls_files, warm
from world import PATIENCE, Agent, Late, Skipped, agent, in_time, run, until

HELLO_S, PROGRESS_S = 10, 30  # what the agent gives a peer, see agent/worker/connection/connection.c
SLACK_S = 4
HELLO_HEAD, HELLO_PAYLOAD = 8192, 4096  # what a HELLO may be
STRANGERS = 2048
HOST_BURST = 200  # connects that one host may make at once, and some more
THREADS = 24  # of a worker that may run and keep eight calls each


def slow_peers(address):
    """Peers that go no further, by where they stopped."""
    def greeted():
        return connect(address)

    silent = Peer(address)
    halfway = Peer(address)
    halfway.send(halfway.message("HELLO", "hello", version=1, program="", token=None, bearer=None,
                                 epoch=0, ops=[])[:40])
    in_frame = greeted()
    in_frame.send(in_frame.frame("PING")[:63])
    in_head = greeted()
    in_head.send(in_head.message("CALL", "session_open", hint=0)[:-1])
    in_payload = greeted()
    session = in_payload.session()
    in_payload.send(in_payload.message("CALL", "fpga_arraycopy", session, a=[0] * 1024,
                                       out={"room": 4096})[:-1])
    return {"silent": silent, "half a HELLO": halfway, "half a frame": in_frame, "half a head": in_head,
            "half a payload": in_payload}


def ends_within(slow, since, least, most):
    """That long after they were to come at the earliest, and from now at the latest."""
    began = time.monotonic()
    for name, one in slow.items():
        assert one.is_over(), name
        now = time.monotonic()
        assert now - since >= least, f"{name}: ended after {now - since:.1f} s"
        in_time(now - began, most, f"{name}: its end")
        one.close()


def test_slow_peers(build):
    """Each ends when its time is over: to say HELLO, or to go on with what it has begun."""
    ports = {name: agent.free_port() for name in ("tcp", "tls", "relayed")}
    with tempfile.TemporaryDirectory() as certificates, \
         Agent(build, {"good": "test", "bad": "test"}, listeners=listeners(ports, certificates)) as world:
        warm(world, "good", "bad")
        for port in ports.values():
            Peer(("127.0.0.1", port)).close()
        for tenant in "tcp", "tls":
            world.saw(f"tenant {tenant}: worker")
        held = Held(world)
        with Watch(world.socket_of("good")), Watch(world.socket_of("bad")):
            since = time.monotonic()
            slow = slow_peers(world.socket_of("bad"))
            strangers = {name: slow.pop(name) for name in ("silent", "half a HELLO")}
            for name, port in ports.items():
                strangers[f"silent, {name}"] = Peer(("127.0.0.1", port))
                strangers[f"half a handshake, {name}"] = half = Peer(("127.0.0.1", port))
                half.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            # Who does not take its answer keeps none from others.
            deaf = [connect(world.socket_of("bad")) for _ in range(9)]
            for one in deaf:
                one.send(one.message("CALL", "fpga_arraycopy", one.session(), a=[7] * 500_000,
                                     out={"room": 2_000_000}))
            ends_within(strangers, since, HELLO_S - SLACK_S, HELLO_S + SLACK_S)
            ends_within(slow, since, PROGRESS_S - SLACK_S, PROGRESS_S + SLACK_S)
            for one in deaf:
                one.close()
        held.check()


def test_deaf_peers(build):
    """As many as there are threads, who take no answers: another client of their tenant has one soon."""
    policy = {"plugins": ["noop"], "calls": 8, "queue": 8}
    with Agent(build, {"good": "few"}, {"few": policy}) as world, contextlib.ExitStack() as stack:
        warm(world, "good")
        with Watch(world.socket_of("good")):
            for _ in range(3 * THREADS // 2):
                deaf = stack.enter_context(connect(world.socket_of("good")))
                deaf.send(deaf.message("CALL", "fpga_arraycopy", deaf.session(), a=[7] * 500_000, out={"room": 2_000_000}))
            time.sleep(1)


def test_idle_timeout(build):
    policy = {"plugins": ["noop"], "idle_timeout": "3s"}
    with Agent(build, {"good": "idle"}, {"idle": policy}) as world:
        warm(world, "good")
        held = Held(world)
        try:
            with Watch(world.socket_of("good")):
                since = time.monotonic()
                idle = connect(world.socket_of("good"))
                idle.session()
                ends_within(slow_peers(world.socket_of("good")) | {"idle": idle}, since, 2, 3 + SLACK_S)
        except peer.Ended as why:
            raise Late("the machine kept somebody from calling") from why
        held.check()


def put(client, data):
    """Status and words; in parts, as clients do."""
    digest = hashlib.sha256(data).hexdigest()
    for at in range(0, len(data), 1 << 20):
        status, said = client.ask("content_put", sha256=digest, size=len(data), offset=at,
                                  bytes=data[at:at + (1 << 20)].hex())
        if status:
            return status, said
    return peer.OK, ""


def test_full_disk(build):
    if not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
        raise Skipped("a file system of its own needs root, and unshare")
    world = Agent(build, {"good": "test", "late": "test"})
    mount = 'mount -t tmpfs -o size=4m none "$0" && exec "$@"'
    with contextlib.ExitStack() as stack:
        # The directory is known only once it has been made.
        world.start_in = lambda directory: ["unshare", "-m", "sh", "-c", mount, f"{directory}/run"]
        stack.enter_context(world)
        client = stack.enter_context(connect(world.socket_of("good")))
        session = client.session()
        status, words = put(client, os.urandom(8 << 20))
        assert status == peer.ENOSPC and "write a file: No space left on device" in words, words
        # What had come of it is gone: there is room for half of that.
        content = os.urandom(2 << 20)
        assert put(client, content)[0] == peer.OK
        held = client.must("resource_offer", type=2, path_type=0, contents=[file_of(content)])["resource"]
        status, words = put(client, os.urandom(3 << 20))
        assert status == peer.ENOSPC, words
        # Small ones, each a file, until there is room for no more; and the others work on.
        taken = []
        for i in range(10000):
            status, said = client.ask("resource_offer", type=1, path_type=0,
                                      contents=[file_of(i.to_bytes(4, "little") * 1000)])
            if status:
                break
            taken.append(said["resource"])
        assert taken and status == peer.ENOSPC and "No space left on device" in said, said
        client.must("noop", session)
        client.must("resource_register", resource=held, session=session)
        # Another tenant's worker starts, too, and has no room for content either.
        assert "late" not in world.workers()
        late = stack.enter_context(connect(world.socket_of("late")))
        late.must("noop", late.session())
        assert put(late, os.urandom(2 << 20))[0] == peer.ENOSPC
        for one in taken:
            client.must("resource_release", resource=one)
        again = client.must("resource_offer", type=1, path_type=0, contents=[file_of(b"again")])
        client.must("resource_release", resource=again["resource"])
        client.must("noop", session)


def test_no_descriptors(build):
    limit = 48
    world = Agent(build, {"good": "test", "bad": "test"})
    world.prepare = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    if not os.geteuid():
        if not shutil.which("setpriv"):
            raise Skipped("root may raise its limits, but for setpriv")
        world.start_in = lambda _: ["setpriv", "--bounding-set", "-sys_resource"]
    with world:
        warm(world, "good", "bad")
        held = Held(world)
        with Watch(world.socket_of("good")):
            many = []
            refused = 0
            for _ in range(2 * limit):
                one = Peer(world.socket_of("bad"))
                many.append(one)
                try:
                    assert one.hello()[0] == peer.OK
                except peer.Ended:
                    refused += 1
            assert refused >= limit, f"{refused} of {2 * limit} are refused"
            world.saw("no descriptor left for a connection; raise the limit of open files")
            for one in many:
                one.close()
        until(lambda: not world.metric("vaccel_connections"), "that nobody is connected")
        with Watch(world.socket_of("bad")):
            time.sleep(0.1)
        held.check()


def test_strangers(build):
    """Those who have not said who they are leave room for others, however many they are."""
    policy = {"plugins": ["noop"], "connections": 16}
    with Agent(build, {"good": "few"}, {"few": policy}) as world, contextlib.ExitStack() as stack:
        warm(world, "good")
        for _ in range(64):
            stack.enter_context(Peer(world.socket_of("good")))
            stack.enter_context(connect(world.socket_of("good"))).close()


def half_a_hello(address, stack):
    for _ in range(STRANGERS):
        stranger = stack.enter_context(Peer(address))
        stranger.send(stranger.frame("HELLO", head_size=HELLO_HEAD, payload_size=HELLO_PAYLOAD) +
                      bytes(HELLO_HEAD + HELLO_PAYLOAD - 1))


def half_a_handshake(port, stack):
    """From several hosts, since one may not come so often."""
    words = first_words()[:-1]
    for i in range(STRANGERS):
        stack.enter_context(Peer(("127.0.0.1", port), f"127.0.0.{2 + i // HOST_BURST}")).send(words)


def test_strangers_of_a_small_tenant(build):
    """As many as there may be, each with as much as it may send before it is known, have none of the tenant's memory."""
    policy = {"plugins": ["noop"], "connections": 2 * STRANGERS, "memory": "4MiB", "calls": 1, "queue": 0}
    numbers = {"a": [7] * 100_000, "out": {"room": 400_000}}
    port = agent.free_port()
    with tempfile.TemporaryDirectory() as certificates:
        tls = {"address": f"tls://127.0.0.1:{port}", "tenant": "good", "policy": "small"} | tls_files(certificates)
        for is_tls in False, True:
            with Agent(build, {"good": "small"}, {"small": policy}, listeners=[tls]) as world, \
                 contextlib.ExitStack() as stack:
                if is_tls:
                    half_a_handshake(port, stack)
                else:
                    half_a_hello(world.socket_of("good"), stack)
                most = STRANGERS // 12 if is_tls else STRANGERS
                until(lambda: world.metric("vaccel_connections") == most, "that all are connected for whom there is room")
                for _ in range(8):
                    client = stack.enter_context(connect(world.socket_of("good")))
                    client.must("fpga_arraycopy", client.session(), **numbers)


def leave_lingering(address, stack):
    """Connects, and leaves such a descriptor in the connection."""
    one, other = lingering()
    stack.enter_context(other)
    with one:
        stack.enter_context(left := Peer(address))
        left.send(b"V", [one.fileno()])


def test_descriptors_that_linger(build):
    """Who is refused leaves what takes an hour to close; the supervisor does not wait for it."""
    with contextlib.ExitStack() as stack, \
         Agent(build, {"good": "test", "bad": "few"}, {"few": {"plugins": ["noop"], "connections": 1}}) as world:
        warm(world, "good")
        stack.enter_context(connect(world.socket_of("bad")))
        # So that the last close of each is the agent's, and not this program's.
        world.process.send_signal(signal.SIGSTOP)
        for _ in range(20):
            leave_lingering(world.socket_of("bad"), stack)
        world.process.send_signal(signal.SIGCONT)
        world.saw("permits 1 connections; more are refused")
        for _ in range(100):
            in_time(time_for(lambda: connect(world.socket_of("good")).close()), QUICK_S, "to connect")
        world.process.send_signal(signal.SIGTERM)
        world.process.wait(PATIENCE)


run([test_slow_peers, test_deaf_peers, test_idle_timeout, test_full_disk, test_no_descriptors, test_strangers,
     test_strangers_of_a_small_tenant, test_descriptors_that_linger])
