#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that are slow, silent or very many, a disk that is full, and no descriptor left: whoever does
nothing of the kind is answered in time, errors are told, and afterwards all is as it was.
"""

import collections
import contextlib
import hashlib
import multiprocessing
import os
import pathlib
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import peer
from peer import Peer, connect
from world import PATIENCE, Agent, Late, Skipped, agent, descriptors_of, in_time, run, until

from lingering import lingering
from patient import connect_patiently

HELLO_S, PROGRESS_S = 10, 30  # what the agent gives a peer, see agent/worker/connection/connection.c
SLACK_S = 4
HELLO_HEAD, HELLO_PAYLOAD = 8192, 4096  # what a HELLO may be
STRANGERS = 2048
HOST_BURST = 200  # connects that one host may make at once, and some more
QUICK_S = 4.0  # what a call may take in the midst of it: less than who waits for a peer's time to be over
FLOOD_S = 3
HANDSHAKES = 3000
NOBODY = 65534
THREADS = 24  # of a worker that may run and keep eight calls each
RATE = 100_000 / 60  # connects in a second
ARENAS = 16  # of one process's heap, at most; a huge page may come with each
FLOODED = 5  # times what a call takes alone it may take beside a flood that keeps all processors busy


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


def memory_of(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


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


def flood(address, seconds, total):
    """Connects, and every now and then says something, sense or not."""
    end = time.monotonic() + seconds
    said = [b"", b"", b"", b"", b"GET / HTTP/1.0\r\n\r\n", b"VCCL\1\0\6\0" + bytes(56)]
    count = 0
    while time.monotonic() < end:
        one = socket.socket(socket.AF_UNIX)
        # A full backlog is the agent's right; trying again is ours.
        with contextlib.suppress(BlockingIOError, ConnectionError):
            one.connect(address)
            one.send(said[count % len(said)])
            count += 1
        one.close()
    with total.get_lock():
        total.value += count


def flood_of(world, tenant):
    total = multiprocessing.Value("L", 0)
    one = multiprocessing.Process(target=flood, args=(world.socket_of(tenant), FLOOD_S, total))
    one.start()
    one.join()
    return total.value


def test_many_connects(build):
    with Agent(build, {"good": "test", "bad": "test"}, log={"level": "error"}) as world:
        warm(world, "good", "bad")
        held = Held(world)
        floods = []
        with Watch(world.socket_of("good")) as good:
            floods.append(flood_of(world, "bad"))
            # A process grows by an arena's first huge page now and then; by what it leaks, in each flood.
            growing = set(processes(world))
            while growing and len(floods) <= ARENAS + 1:
                memory = {name: memory_of(pid) for name, pid in processes(world).items()}
                floods.append(flood_of(world, "bad"))
                grown = {name: memory_of(pid) - memory[name] for name, pid in processes(world).items()}
                growing = {name for name in growing if grown[name] > 1 << 20}
                if build.sanitized:  # sanitizers keep what was freed
                    growing = set()
        assert not growing, f"bytes grown in the last of {len(floods)} floods: {grown}"
        rate = max(floods) / FLOOD_S
        if rate < RATE:
            raise Late(f"{rate:.0f} connects in a second")
        held.check()
        with Watch(world.socket_of("bad")):
            time.sleep(0.1)
        print(f"{rate:.0f} connects in a second; the slowest call of others took "
              f"{good.slowest * 1000:.1f} ms", flush=True)


def first_words():
    """What a client says first to begin a handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    said = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), said).do_handshake()
    return said.read()


def begin_handshakes(port, over):
    """As many as it can, and goes on with none."""
    hello, begun = first_words(), collections.deque(maxlen=HANDSHAKES)
    while not over.is_set():
        one = socket.socket()
        one.setblocking(False)
        with contextlib.suppress(OSError):
            one.connect(("127.0.0.1", port))
        begun.append(one)
        with contextlib.suppress(OSError):
            begun[len(begun) // 2].send(hello)


def time_to_connect(port, directory):
    """From another address, and as one who may."""
    tls = ssl.create_default_context(cafile=f"{directory}/ca.pem")
    tls.load_cert_chain(f"{directory}/tester.pem", f"{directory}/tester.key")
    began = time.monotonic()
    with contextlib.suppress(peer.Ended, OSError), Peer(("127.0.0.1", port), "127.0.0.2", tls) as one:
        assert one.hello()[0] == peer.OK
        return time.monotonic() - began
    return PATIENCE


def test_handshakes(build):
    """A host that floods a listener with handshakes does not keep another from it."""
    ports = {name: agent.free_port() for name in ("tcp", "tls", "relayed")}
    with tempfile.TemporaryDirectory() as certificates, \
         Agent(build, listeners=listeners(ports, certificates)) as world:
        for name in ("tls", "relayed"):
            time_to_connect(ports[name], certificates)
            over = multiprocessing.Event()
            flooding = [multiprocessing.Process(target=begin_handshakes, args=(ports[name], over)) for _ in range(2)]
            for one in flooding:
                one.start()
            time.sleep(FLOOD_S)
            took = sorted(time_to_connect(ports[name], certificates) for _ in range(7))
            over.set()
            for one in flooding:
                one.join()
            print(f"{name}: it took {took[3] * 1000:.0f} ms to connect in the midst of it", flush=True)
            in_time(took[3], QUICK_S, "to connect")
        world.saw("connects more than 100 times a second, and is refused")
        assert world.metric("vaccel_refused_total", tenant="(nobody)", reason="busy")


def crowd_metrics(port, over):
    """Requests that are begun, as many as it can, of which some go on, byte after byte."""
    begun = collections.deque(maxlen=HANDSHAKES)
    while not over.is_set():
        one = socket.socket()
        one.setblocking(False)
        with contextlib.suppress(OSError):
            one.connect(("127.0.0.1", port))
        begun.append(one)
        with contextlib.suppress(OSError):
            begun[len(begun) // 2].send(b"GET /metrics HTTP/1.1\r\nX: ")
            begun[len(begun) // 4].send(b"x")


def crowd_admin(path, over):
    """By somebody who may connect, and has no answer."""
    if not os.geteuid():
        os.setresuid(NOBODY, NOBODY, NOBODY)
    while not over.is_set():
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as one:
            one.setblocking(False)
            one.connect(path)


def time_for(ask):
    began = time.monotonic()
    ask()
    return time.monotonic() - began


def read_admin(path):
    with connect_patiently(path, PATIENCE) as one:
        said = b""
        while more := one.recv(1 << 16):
            said += more
        assert b'"tenants"' in said, said


def test_crowds_at_the_windows(build):
    """Who floods the metrics or the admin socket keeps no others from them, nor calls waiting."""
    with Agent(build, {"good": "test"}) as world:
        admin = f"{world.directory}/admin.sock"
        world.directory.chmod(0o755)
        world.config["admin"]["mode"] = "0666"
        world.reload()
        monitor = until(lambda: world.children().get("monitor"), "that there is a monitor")
        warm(world, "good")
        asks = {"metrics": world.metrics, "admin": lambda: read_admin(admin)}
        over = multiprocessing.Event()
        crowds = [multiprocessing.Process(target=crowd_metrics, args=(world.port, over)),
                  multiprocessing.Process(target=crowd_admin, args=(admin, over))]
        for one in crowds:
            one.start()
        with Watch(world.socket_of("good")) as good:
            time.sleep(FLOOD_S)
            took = {name: sorted(time_for(ask) for _ in range(7)) for name, ask in asks.items()}
        over.set()
        for one in crowds:
            one.join()
        print(", ".join(f"{name} took {times[3] * 1000:.0f} ms, at most {times[6] * 1000:.0f}" for name, times in took.items()),
              f"and the slowest call {good.slowest * 1000:.0f} ms in the midst of it", flush=True)
        for name, times in took.items():
            in_time(times[3], QUICK_S, name)
        assert world.children()["monitor"] == monitor


def flood_control(address, over):
    """Sessions and resources, made and given up as fast as one connection takes it."""
    with connect(address) as client:
        session = client.session()
        while not over.is_set():
            other = client.session()
            made = client.must("resource_offer", type=2, path_type=0, contents=[file_of(b"x" * 4096)])["resource"]
            client.must("resource_register", resource=made, session=session)
            client.must("resource_unregister", resource=made, session=session)
            client.must("resource_release", resource=made)
            client.must("session_close", session=other)


def use_up(client, op, **arguments):
    """Makes them until there may be no more; what there is then, and the words."""
    made = []
    while True:
        status, said = client.ask(op, **arguments)
        if status:
            assert status == peer.EDQUOT, said
            return made, said
        made.append(next(iter(said.values())) if op == "session_open" else said["resource"])


def test_floods_of_sessions_and_resources(build):
    """One tenant has as many as it may, and makes more all the time; another calls as ever."""
    policy = {"plugins": ["noop"], "sessions": 100, "memory": "4MiB", "content": "4MiB"}
    with Agent(build, {"good": "test", "bad": "few"}, {"few": policy}) as world, contextlib.ExitStack() as stack:
        client = stack.enter_context(connect(world.socket_of("good")))
        session = client.session()

        def call():
            client.must("noop", session)

        def best_round():
            """By the median, so that neither a stall nor what else the machine does for a while counts."""
            return min((sorted(time_for(call) for _ in range(2000)) for _ in range(3)), key=lambda times: times[1000])

        alone = best_round()
        over = multiprocessing.Event()
        flooding = [multiprocessing.Process(target=flood_control, args=(world.socket_of("bad"), over), daemon=True)
                    for _ in range(4)]
        for one in flooding:
            one.start()
        until(lambda: world.metric("vaccel_sessions", tenant="bad"), "that they have begun")
        among = best_round()
        over.set()
        for one in flooding:
            one.join()
            assert not one.exitcode
        print(f"a call took {alone[1000] * 1e6:.0f} µs, 99 in 100 {alone[1980] * 1e6:.0f}; "
              f"in the midst of it {among[1000] * 1e6:.0f} and {among[1980] * 1e6:.0f}", flush=True)
        assert among[1000] <= FLOODED * alone[1000], f"{among[1000] * 1e6:.0f} µs, and {alone[1000] * 1e6:.0f} alone"
        bad = stack.enter_context(connect(world.socket_of("bad")))
        for op, arguments, words in (
                ("session_open", {"hint": 0}, "policy 'few' permits 100 sessions at once"),
                ("resource_offer", {"type": 2, "path_type": 0, "contents": [file_of(b"y" * 1000)]}, "policy 'few' permits 4194304")):
            made, said = use_up(bad, op, **arguments)
            assert made and words in said, said
            call()
        # Another client of the tenant has its share of nothing, until the first one goes.
        status, said = stack.enter_context(connect(world.socket_of("bad"))).ask("session_open", hint=0)
        assert status == peer.EDQUOT, said
        bad.close()
        last = stack.enter_context(connect(world.socket_of("bad")))
        until(lambda: not last.ask("session_open", hint=0)[0], "that there is room again")
        assert world.metric("vaccel_refused_total", tenant="bad", reason="quota") >= 3


def file_of(data, name="data"):
    return {"name": name, "size": len(data), "in_memory": 0, "bytes": data.hex() if len(data) <= 4096 else None,
            "sha256": hashlib.sha256(data).hexdigest()}


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


run([test_slow_peers, test_deaf_peers, test_idle_timeout, test_many_connects, test_handshakes,
     test_crowds_at_the_windows, test_floods_of_sessions_and_resources, test_full_disk, test_no_descriptors,
     test_strangers, test_strangers_of_a_small_tenant, test_descriptors_that_linger])
