#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An agent's life: ended and started anew, reloaded, on sockets that were left or are taken, under systemd.
Programs that call all the time lose no call by what an administrator does.
"""

import contextlib
import hashlib
import json
import mmap
import os
import pathlib
import re
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import peer
from peer import connect
from world import PATIENCE, Agent, Skipped, agent, run, running, until

SLOW_US = 1_000_000


@contextlib.contextmanager
def calling(world, tenant, library):
    """A program that calls all the time; yields how often it has. Not one call may fail."""
    records, progress = world.directory / "records", world.directory / "progress"
    progress.write_bytes(bytes(8))
    caller = subprocess.Popen(
        [world.build.caller, library, records, progress, "1"],
        stdin=subprocess.PIPE, env=world.reach(tenant, VACCEL_TIMEOUT_MS="20000"),
    )

    with open(progress, "rb") as file:
        counter = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)

    def calls():
        assert caller.poll() is None, f"the caller ended with {caller.returncode}"
        return struct.unpack("<Q", counter)[0]

    try:
        yield calls
        caller.stdin.close()
        assert caller.wait(60) == 0
    finally:
        caller.kill()
        caller.wait()
    failed = [line for line in records.read_text().splitlines() if line.split("\t")[1] != "0"]
    assert not failed, f"{len(failed)} calls failed: {failed[:5]}"


def more(calls, nr=20):
    wanted = calls() + nr
    until(lambda: calls() >= wanted, "further calls")


def deeds(build, **rest):
    return {"deeds": {"plugins": ["exec", "cpu"], "exec_libraries": [str(build.deeds)],
                      "exec_uploads": ["any"]} | rest}


def mark(client, session, library, us, number=1):
    """The message of a call that takes a while."""
    return client.message(
        "CALL", "exec", session, library=str(library), symbol="deed_mark",
        read=[{"type": 27, "custom_type": 0, "data": struct.pack("<QQ", number, us)},
              {"type": 27, "custom_type": 0, "data": b"bytes"}],
        write=[{"type": 27, "custom_type": 0, "data": bytes(5)}],
    )


def waits_of(pid):
    """How often the main thread has gone to sleep."""
    return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1])


def test_long_call(build):
    """It is not disturbed a hundred times a second; and a PING behind it is answered before it is over."""
    with Agent(build, {"good": "deeds"}, deeds(build)) as world:
        client = connect(world.socket_of("good"))
        session = client.session()
        worker = world.workers()["good"]
        before, began = waits_of(worker), time.monotonic()
        client.send(mark(client, session, build.deeds, SLOW_US))
        call = client.request
        client.ping()
        client.request = call
        status, said = client.answer("exec")
        assert status == peer.OK, said
        times, took = waits_of(worker) - before, time.monotonic() - began
        assert times <= 25 * took, f"the worker's main thread woke {times} times in {took} s"


def test_upgrade(build):
    """Ended and started anew, five times, while programs call."""
    with Agent(build, {"good": "deeds"}, deeds(build)) as world:
        with calling(world, "good", build.deeds) as calls:
            for _ in range(5):
                more(calls)
                assert world.stop() == 0, world.words()
                assert not world.processes(), "processes are left"
                world.start()
            more(calls)


def health(world, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{world.port}/{path}", timeout=PATIENCE) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_frozen_supervisor(build):
    """Who asks for the agent's health hears of it, and calls go on."""
    with Agent(build, {"good": "deeds"}, deeds(build)) as world, calling(world, "good", build.deeds) as calls:
        more(calls)
        assert health(world, "healthz") == (200, b"alive\n")
        world.process.send_signal(signal.SIGSTOP)
        try:
            until(lambda: health(world, "healthz") == (503, b"stuck\n"), "that the agent is said to be stuck")
            assert health(world, "readyz") == (503, b"stuck\n")
            more(calls)
        finally:
            world.process.send_signal(signal.SIGCONT)
        until(lambda: health(world, "healthz") == (200, b"alive\n"), "that the agent is said to live")
        assert health(world, "readyz") == (200, b"serving\n")


def test_drain(build):
    """A call under way is answered; new connections are not taken; a second signal ends it at once."""
    with Agent(build, {"good": "deeds"}, deeds(build)) as world:
        client = connect(world.socket_of("good"))
        with running(world, "good", client, client.session()):
            world.process.send_signal(signal.SIGTERM)
            world.await_notice("STOPPING=1")
            goaway = client.receive(64)
            assert goaway[6] == peer.KIND["GOAWAY"], goaway
            try:
                connect(world.socket_of("good"))
                raise AssertionError("a new connection was taken")
            except (ConnectionRefusedError, FileNotFoundError):
                pass
        status, said = client.answer("exec")
        assert status == peer.OK, said
        client.close()
        assert world.process.wait(PATIENCE) == 0
        world.start()
        client = connect(world.socket_of("good"))
        client.send(mark(client, client.session(), build.deeds, 30_000_000, 2))
        until(lambda: world.metric("vaccel_call_queue_seconds_count", tenant="good"), "that the call runs")
        assert health(world, "readyz") == (200, b"serving\n")
        world.process.send_signal(signal.SIGTERM)
        world.await_notice("STOPPING=1")
        until(lambda: health(world, "readyz") == (503, b"draining\n"), "that the agent is said to end")
        assert health(world, "healthz") == (200, b"alive\n")
        world.process.send_signal(signal.SIGTERM)
        assert world.process.wait(PATIENCE) == 0
        assert client.is_over() is True
        until(lambda: not world.processes(), "that no process is left")


def test_drain_has_an_end(build):
    """A worker with a call that takes longer is killed."""
    with Agent(build, {"good": "deeds"}, deeds(build), drain="100ms") as world:
        client = connect(world.socket_of("good"))
        client.send(mark(client, client.session(), build.deeds, 10 * PATIENCE * 1_000_000))
        until(lambda: world.metric("vaccel_call_queue_seconds_count", tenant="good"), "that the call runs")
        worker = world.workers()["good"]
        assert world.stop() == 0
        assert f"worker {worker} does not end in time, and is killed" in world.words(), world.words()
        assert client.is_over() is True


def test_reload(build):
    """Other policies and listeners are in force at once, and programs go on; what is wrong changes nothing."""
    with Agent(build, {"good": "deeds", "other": "test"}, deeds(build)) as world:
        with calling(world, "good", build.deeds) as calls:
            more(calls)
            before = world.workers()["good"]
            with connect(world.socket_of("other")) as other:
                status, words = other.ask("exec", other.session(), library="/x", symbol="x", read=[], write=[])
                assert status == peer.EPERM and "policy 'test' does not permit exec" in words, words
            # A worker is replaced if its rules have changed, and only then.
            world.config["policies"]["deeds"]["sessions"] = 100
            world.tenants = world.tenants | {"new": "test"}
            until(lambda: "other" in world.workers(), "a worker")
            stays = world.workers()["other"]
            world.reload()
            until(lambda: world.workers().get("good", before) != before, "another worker")
            assert world.workers()["other"] == stays
            more(calls)
            with connect(world.socket_of("new")) as new:
                new.must("noop", new.session())
            # What makes no sense.
            world.config["policies"]["deeds"]["sessions"] = "many"
            said = world.reload()
            assert "sessions" in said, said
            world.saw("the configuration stays as it was")
            more(calls)
            world.config["policies"]["deeds"]["sessions"] = 100
            del world.tenants["new"]
            world.reload()
            assert not os.path.exists(world.socket_of("new"))
            world.saw(f"info: no longer listening at unix://{world.socket_of('new')}\n")
            assert world.words().count("no longer listening") == 1, world.words()
            more(calls)


def offer(client, data):
    """The client's resource of one file."""
    said = client.must("resource_offer", type=2, path_type=0, contents=[{
        "name": "x", "size": len(data), "in_memory": 0, "sha256": hashlib.sha256(data).hexdigest(), "bytes": data.hex(),
    }])
    return said["resource"]


def test_reload_leaves_resources(build):
    """A worker that leaves keeps its files until it has ended, and takes none of the next one's along."""
    with Agent(build, {"good": "deeds"}, deeds(build)) as world:
        def files():
            return {p for p in (world.directory / "run").rglob("good*/resources/*/*/x") if p.is_file()}

        with connect(world.socket_of("good")) as old:
            session = old.session()
            offer(old, b"old")
            (kept,) = files()
            with running(world, "good", old, session):
                world.config["policies"]["deeds"]["sessions"] = 100
                world.reload()
                assert old.receive(64)[6] == peer.KIND["GOAWAY"]
                new = connect(world.socket_of("good"))
                offer(new, b"new")
                assert kept.read_bytes() == b"old"
                (made,) = files() - {kept}
            status, said = old.answer("exec")
            assert status == peer.OK, said
        until(lambda: not kept.exists(), "that the worker has left")
        assert made.read_bytes() == b"new"
        new.close()


def test_reload_of_sockets(build):
    """Ones that are there already are served otherwise, or it is said that they cannot be."""
    with Agent(build, {"good": "test"}, admin={}) as world:
        admin = world.directory / "run/vaccel/admin.sock"

        def ask():
            subprocess.run([build.vaccel, "top", "--socket", admin, "--json"], check=True, capture_output=True,
                           timeout=PATIENCE)

        before = admin.stat()
        for mode in ("0640", "0600"):
            world.config["admin"] = {"mode": mode}
            world.reload()
            assert admin.stat().st_mode & 0o777 == int(mode, 8) and admin.stat().st_ino == before.st_ino
            ask()
        world.config["metrics"] = {"address": f"0.0.0.0:{world.port}"}
        said = world.reload()
        assert "this agent itself has it by tcp://127.0.0.1:" in said, said
        ask()
        world.config["metrics"] = {"address": f"127.0.0.1:{world.port}"}
        world.config["admin"] = {"socket": world.socket_of("good")}
        assert "its socket file is that of admin.socket" in world.reload()
        world.tenants = {"own": "test"}
        said = world.reload()
        assert f"this agent itself has it by unix://{world.socket_of('good')}" in said, said
        ask()


def test_log(build):
    """Each line says whom it is about; a reload changes its form, and how much of it there is."""
    with Agent(build, {"good": "test"}, log={"level": "debug", "format": "json"}) as world:
        def lines(message):
            whole = world.words().rpartition("\n")[0].splitlines()
            return [line for line in map(json.loads, whole) if message in line["message"]]

        with connect(world.socket_of("good")) as client:
            session = client.session()
            client.must("noop", session)
            status, words = client.ask("exec", session, library="/x", symbol="x", read=[], write=[])
            assert status == peer.EPERM, words
            about = {"tenant": "good", "session": session}
            (opened,) = until(lambda: lines("opened, prefers plugin"), "the session's line")
            assert opened.items() >= (about | {"level": "debug"}).items() and "request" not in opened, opened
            (failed,) = until(lambda: lines(f"exec: VACCEL_EPERM: {words}"), "the call's line")
            assert failed.items() >= (about | {"level": "info", "request": client.request}).items(), failed
            (ready,) = lines("ready")
            assert not ready.keys() & {"tenant", "session", "request"}, ready
        before = len(world.words())
        world.config["log"] = {"level": "warning"}
        world.reload()
        world.config["log"] = {"level": "info"}
        world.reload()
        said = [line for line in world.words()[before:].splitlines() if "in force" in line]
        assert len(said) == 1 and re.fullmatch(r"\S+Z vaccel-agent info: the configuration is in force", said[0]), said


def test_plugins_of_policies(build):
    """Where a policy names none, a worker loads those that have an operation which it permits; else one."""
    if not (build.plugins / "libvaccel-cpu.manifest").exists():
        raise Skipped("this build has no manifests of plugins, so that all are loaded")
    policies = {"all": {"memory": "8GiB"}, "runs": {"memory": "8GiB", "exec_uploads": ["any"]},
                "few": {"ops": ["noop", "minmax"]}, "none": {"ops": ["noop"]},
                "named": {"ops": ["noop", "minmax"], "plugins": ["exec"]}}
    with Agent(build, {name: name for name in policies}, policies, log={"level": "debug"}) as world:
        def loaded(tenant):
            return set(re.findall(f"tenant {tenant}: loaded plugin ([a-z]+) ", world.words()))

        for tenant in policies:
            with connect(world.socket_of(tenant)) as client:
                client.must("noop", client.session())
            world.saw(f"tenant {tenant}: session 1: opened")
        assert "cpu" in loaded("all") and "exec" not in loaded("all"), loaded("all")
        assert loaded("runs") == loaded("all") | {"exec"}, loaded("runs")
        assert loaded("few") == {"cpu"}, loaded("few")
        assert len(loaded("none")) == 1, loaded("none")
        assert loaded("named") == {"exec"}, loaded("named")


def greets(address, directory):
    """Over TLS, as a tenant that only the front knows."""
    tls = ssl.create_default_context(cafile=f"{directory}/ca.pem")
    tls.load_cert_chain(f"{directory}/tester.pem", f"{directory}/tester.key")
    with contextlib.suppress(peer.Ended, OSError), peer.Peer(address, tls=tls) as client:
        return client.hello()[0] == peer.OK
    return False


def test_frozen_helpers(build):
    """A front and a monitor that are stopped are replaced once there is something for them to do; calls go on."""
    port = agent.free_port()
    with tempfile.TemporaryDirectory() as certificates:
        agent.make_certificates(pathlib.Path(certificates))
        listener = {"address": f"tls://127.0.0.1:{port}", "policy": "test", "cert": f"{certificates}/localhost.pem",
                    "key": f"{certificates}/localhost.key", "client_ca": f"{certificates}/ca.pem"}
        with Agent(build, {"good": "test", "late": "test"}, listeners=[listener]) as world, \
             connect(world.socket_of("good")) as client:
            session = client.session()
            until(lambda: greets(("127.0.0.1", port), certificates), "an answer over TLS")
            before = until(lambda: (now := world.children()).keys() >= {"front", "monitor"} and now, "both")
            for name in "front", "monitor":
                os.kill(before[name], signal.SIGSTOP)
            # The one is passed a connection, the other is told of a tenant.
            waiting = socket.create_connection(("127.0.0.1", port), PATIENCE)
            connect(world.socket_of("late")).close()

            def replaced():
                client.must("noop", session)
                now = world.children()
                return all(now.get(name, before[name]) != before[name] for name in ("front", "monitor"))

            until(replaced, "that both are replaced")
            for name in "front", "monitor":
                world.saw(f"process {before[name]} gave no sign of life for 10 s, and is killed")
            waiting.close()
            until(lambda: greets(("127.0.0.1", port), certificates), "an answer over TLS")
            until(lambda: answers_metrics(world), "metrics")
            assert not world.metric("vaccel_worker_restarts_total")


def answers_metrics(world):
    with contextlib.suppress(OSError):
        return "vaccel_connections" in world.metrics()
    return False


def test_stale_socket(build):
    with Agent(build, {"good": "test"}) as world:
        world.kill()
        assert os.path.exists(world.socket_of("good"))
        until(lambda: not world.processes(), "that no process is left")
        world.start()
        with connect(world.socket_of("good")) as client:
            client.must("noop", client.session())


def test_live_socket(build):
    with Agent(build, {"good": "test"}) as world, connect(world.socket_of("good")) as client:
        session = client.session()
        second = subprocess.run(
            [build.agent, "-a", f"unix://{world.socket_of('good')}", "--runtime-dir", world.directory / "second"],
            capture_output=True, text=True, timeout=PATIENCE,
        )
        assert second.returncode == 1, second
        assert f"another agent listens at '{world.socket_of('good')}'" in second.stderr, second.stderr
        assert not (world.directory / "second").exists()
        client.must("noop", session)
        # A file that is no socket is nobody's to take over.
        file = world.directory / "file"
        file.write_text("precious")
        third = subprocess.run(
            [build.agent, "-a", f"unix://{file}", "--runtime-dir", world.directory / "third"],
            capture_output=True, text=True, timeout=PATIENCE,
        )
        assert third.returncode == 1 and "is there and no socket" in third.stderr, third
        assert file.read_text() == "precious"


def test_socket_activation(build):
    """Sockets that systemd holds: who connects before the agent is there, or while it is away, waits."""
    world = Agent(build, {"good": "test", "own": "test"})
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(socket.socket(socket.AF_UNIX))

        def place():
            # The third descriptor is where systemd puts the first one.
            os.dup2(held.fileno(), 3)

        def start_in(directory):
            if not os.path.exists(f"{directory}/good.sock"):
                held.bind(f"{directory}/good.sock")
                held.listen(16)
            return ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh"]

        world.start_in, world.prepare, world.pass_fds = start_in, place, (3,)
        stack.enter_context(world)
        with connect(world.socket_of("good")) as client:
            client.must("noop", client.session())
        with connect(world.socket_of("own")) as client:
            client.must("noop", client.session())
        assert world.stop() == 0
        assert os.path.exists(world.socket_of("good")), "the agent removed a socket that is not its own"
        assert not os.path.exists(world.socket_of("own"))
        early = peer.Peer(world.socket_of("good"))
        answer = []
        waits = threading.Thread(target=lambda: answer.append(early.hello()[0]))
        waits.start()
        world.start()
        waits.join()
        assert answer == [peer.OK]
        early.close()


run([test_long_call, test_upgrade, test_frozen_supervisor, test_drain, test_drain_has_an_end,
     test_reload, test_reload_leaves_resources, test_reload_of_sockets, test_log, test_plugins_of_policies, test_frozen_helpers,
     test_stale_socket, test_live_socket, test_socket_activation])
