#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that are very many, or ask for very much: whoever does nothing of the kind is answered in time,
and afterwards all is as it was.
"""

import collections
import contextlib
import multiprocessing
import os
import resource
import socket
import ssl
import tempfile
import time

import peer
from patient import connect_patiently
from peer import Peer, connect
from watch import QUICK_S, Held, Watch, file_of, first_words, listeners, processes, time_for, warm
from world import PATIENCE, Agent, Late, agent, in_time, run, until

FLOOD_S = 3
HANDSHAKES = 3000
NOBODY = 65534
RATE = 100_000 / 60  # connects in a second
ARENAS = 16  # of one process's heap, at most; a huge page may come with each
FLOODED = 5  # times what a call takes alone it may take beside a flood that keeps all processors busy


def memory_of(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


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


def crowd(port, over):
    """As many connections as it can make; those that there are, with each that comes."""
    begun = collections.deque(maxlen=HANDSHAKES)
    while not over.is_set():
        one = socket.socket()
        one.setblocking(False)
        with contextlib.suppress(OSError):
            one.connect(("127.0.0.1", port))
        begun.append(one)
        yield begun


def begin_handshakes(port, over):
    """As many as it can, and goes on with none."""
    hello = first_words()
    for begun in crowd(port, over):
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
    for begun in crowd(port, over):
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


run([test_many_connects, test_handshakes, test_crowds_at_the_windows, test_floods_of_sessions_and_resources])
