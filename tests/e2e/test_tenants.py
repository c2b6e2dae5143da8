#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who names what is another's, tenant or client of the same tenant, is refused and counted, and the other
does not notice.
"""

import contextlib
import fcntl
import hashlib
import multiprocessing
import os
from resource import RLIMIT_NOFILE, prlimit

import peer
from peer import connect
from world import PATIENCE, Agent, Skipped, agent, run, running, until

TENANTS = {"alice": "test", "mallory": "test"}
DATA = b"what is alice's"


class Scene:
    """Alice has a session with a resource and a region; Mallory tries, by what @attack returns."""

    def __init__(self, world, attacker):
        self.world, self.attacker = world, attacker
        self.alice = connect(world.socket_of("alice"))
        # Of numbers that another tenant's worker has not given.
        self.session = [self.alice.session() for _ in range(9)][-1]
        for _ in range(8):
            offer(self.alice, DATA)
        self.resource = offer(self.alice, DATA)["resource"]
        self.alice.must("resource_register", resource=self.resource, session=self.session)
        self.region = 3
        add_region(self.alice, self.region)
        self.mallory = connect(world.socket_of(attacker))
        self.own_session = self.mallory.session()
        self.own_resource = offer(self.mallory, b"mallory's")["resource"]

    def refused(self, reason="foreign"):
        return self.world.metric("vaccel_refused_total", tenant=self.attacker, reason=reason)

    def tries(self, status, op, within=0, **arguments):
        before = self.refused()
        got, words = self.mallory.ask(op, within, **arguments)
        assert got == status, f"{op}: {got}: {words}"
        assert self.refused() == before + 1, f"{op} is not counted"
        assert not self.refused("malformed"), f"{op} is counted twice"

    def check_unharmed(self):
        self.alice.must("noop", self.session)
        synced = self.alice.must(
            "resource_sync", resource=self.resource, session=self.session, content=0,
            bytes={"room": len(DATA)},
        )
        assert bytes.fromhex(synced["bytes"]) == DATA
        self.alice.must("region_drop", region=self.region)


def offer(client, data, name="data"):
    return client.must("resource_offer", type=1, path_type=0, contents=[{
        "name": name, "size": len(data), "in_memory": 1,
        "sha256": hashlib.sha256(data).hexdigest(), "bytes": data.hex(),
    }])


@contextlib.contextmanager
def sealed(size=1 << 16):
    fd = os.memfd_create("region", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, bytes(size))
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    yield {"fds": [fd], "size": size, "read_only": 0}
    os.close(fd)


def add_region(client, number):
    client.must("region_expect")
    with sealed() as memory:
        client.must("region_add", region=number, **memory)


def try_all(scene):
    # Sessions and resources of another, and numbers that nobody has.
    for session in (scene.session, 0, -1, 1 << 62):
        scene.tries(peer.ESESS, "noop", session)
        scene.tries(peer.ESESS, "session_update", session=session, hint=0)
        scene.tries(peer.ESESS, "session_close", session=session)
        scene.tries(peer.ESESS, "resource_register", resource=scene.own_resource, session=session)
    for resource in (scene.resource, 0, -1, 1 << 62):
        for op in ("resource_register", "resource_unregister"):
            scene.tries(peer.EPERM, op, resource=resource, session=scene.own_session)
        scene.tries(peer.EPERM, "resource_sync", resource=resource, session=scene.own_session, content=0,
                    bytes={"room": len(DATA)})
        scene.tries(peer.EPERM, "resource_retype", resource=resource, type=0)
        scene.tries(peer.EPERM, "resource_release", resource=resource)
        scene.tries(peer.EPERM, "onnx_model_load", scene.own_session, model=resource)
    for region in (scene.region, 0, 0xffffffff):
        scene.tries(peer.EPERM, "region_drop", region=region)
        there = {"region": region, "offset": 0, "size": 16}
        scene.tries(peer.EPERM, "fpga_arraycopy", scene.own_session, a=there, out={"room": 16})
        scene.tries(peer.EPERM, "fpga_arraycopy", scene.own_session, a=[1, 2, 3, 4], out=there)


def test_another_tenant(build):
    with Agent(build, TENANTS) as world:
        scene = Scene(world, "mallory")
        try_all(scene)
        # A token opens nothing at another tenant, not even where the other knows it.
        before = scene.refused()
        with peer.Peer(world.socket_of("mallory")) as thief:
            status, words = thief.hello(token=scene.alice.token)
            assert status == peer.EACCES, words
            assert thief.is_over()
        assert scene.refused() == before + 1
        # Nor is content known by its hash.
        said = scene.mallory.must("resource_offer", type=1, path_type=0, contents=[{
            "name": "data", "size": 1 << 20, "in_memory": 1, "bytes": None,
            "sha256": put(scene.alice, bytes(1 << 20)),
        }])
        assert said["resource"] == 0 and said["missing"] == [0]
        # The worker's epoch is its own.
        scene.mallory.epoch = scene.alice.epoch
        status, words = scene.mallory.ask("noop", scene.own_session)
        assert status == peer.ESESS and scene.refused("stale") == 1, words
        scene.check_unharmed()
        assert not world.metric("vaccel_refused_total", tenant="alice")


def test_unannounced_descriptor(build):
    with Agent(build, TENANTS) as world:
        client = connect(world.socket_of("alice"))
        for _ in range(2):  # the second: after one that was announced
            with sealed() as memory:
                status, words = client.ask("region_add", region=1, **memory)
            assert status == peer.EINVAL and "region_expect" in words, words
            add_region(client, 2)
            client.must("region_drop", region=2)


def put(client, data):
    digest = hashlib.sha256(data).hexdigest()
    client.must("content_put", sha256=digest, size=len(data), offset=0, bytes=data.hex())
    return digest


def test_another_client(build):
    with Agent(build, TENANTS) as world:
        scene = Scene(world, "alice")
        try_all(scene)
        before = scene.refused()
        guess = bytearray.fromhex(scene.alice.token)
        guess[-1] ^= 1
        with peer.Peer(world.socket_of("alice")) as thief:
            status, words = thief.hello(token=guess.hex())
            assert status == peer.EACCES, words
        assert scene.refused() == before + 1
        scene.check_unharmed()


def test_requests(build):
    """Who cancels another's, one that runs and one that waits, or that of another connection, has done nothing."""
    policy = {"plugins": ["exec", "noop"], "exec_libraries": [str(build.deeds)], "calls": 1}
    with Agent(build, {"alice": "deeds", "mallory": "test"}, {"deeds": policy}) as world, contextlib.ExitStack() as stack:
        alice = stack.enter_context(connect(world.socket_of("alice")))
        session = alice.session()
        with running(world, "alice", alice, session):
            alice.send(alice.message("CALL", "noop", session))
            until(lambda: world.metric("vaccel_calls_waiting", tenant="alice"), "that a call waits")
            for name, token in (("alice", alice.token), ("alice", None), ("mallory", None)):
                before = world.metric("vaccel_refused_total", tenant=name, reason="foreign")
                other = stack.enter_context(connect(world.socket_of(name), token=token))
                for request in range(alice.request + 1):
                    other.send(other.frame("CANCEL", request=request))
                # Only what it cannot have meant its own by; and PING has used the number before those.
                counted = alice.request - other.request
                other.ping()
                for request in range(other.request + 1):
                    other.send(other.frame("CANCEL", request=request))
                other.ping()
                now = world.metric("vaccel_refused_total", tenant=name, reason="foreign")
                assert now == before + counted, f"{now - before} of {counted} are counted"
            assert world.metric("vaccel_calls_waiting", tenant="alice") == 1
            assert world.metric("vaccel_calls_running", tenant="alice") == 1
        done = alice.statuses(2)
        assert done == {alice.request - 1: peer.OK, alice.request: peer.OK}, done
        # Replies are not a client's to send.
        for kind in ("REPLY", "WELCOME", "GOAWAY"):
            before = world.metric("vaccel_refused_total", tenant="mallory", reason="malformed")
            other = stack.enter_context(connect(world.socket_of("mallory")))
            other.send(other.frame(kind, request=alice.request))
            assert other.is_over()
            assert world.metric("vaccel_refused_total", tenant="mallory", reason="malformed") == before + 1
        alice.must("noop", session)


def test_token_that_is_lost(build):
    """Who could not be told a listener's token lets nobody in by that listener."""
    with Agent(build, TENANTS) as world:
        address = ("127.0.0.1", agent.free_port())
        file = world.directory / "token"
        world.listeners = [{"address": f"tcp://127.0.0.1:{address[1]}", "tenant": "bob", "policy": "test",
                            "token_file": str(file)}]

        def ask_for(token):
            file.write_text(token)
            file.chmod(0o600)
            world.reload()

        ask_for("the-first-of-the-tokens")
        with peer.Peer(address) as first:
            assert first.hello(bearer="the-first-of-the-tokens")[0] == peer.OK
            worker = world.workers()["bob"]
            limits = prlimit(worker, RLIMIT_NOFILE)
            prlimit(worker, RLIMIT_NOFILE, (4, limits[1]))
            ask_for("the-second-of-the-tokens")
            with peer.Peer(address) as lost:
                assert lost.is_over()
            with contextlib.suppress(ProcessLookupError):
                prlimit(worker, RLIMIT_NOFILE, limits)
            for bearer, expected in ((None, peer.EACCES), ("the-first-of-the-tokens", peer.EACCES),
                                     ("the-second-of-the-tokens", peer.OK)):
                with peer.Peer(address) as client:
                    status, words = client.hello(bearer=bearer)
                    assert status == expected, f"{bearer}: {status}: {words}"


def try_as(uid, address, token, answers):
    os.setuid(uid)
    with peer.Peer(address) as thief:
        answers.put(thief.hello(token=token)[0])
    with connect(address) as own:
        answers.put(own.ask("noop", own.session())[0])


def test_users(build):
    """Of one socket that names no tenant: each user is one."""
    if os.geteuid():
        raise Skipped("only root can be somebody else")
    with Agent(build, {"alice": "test"}) as world:
        address = f"{world.directory}/all.sock"
        world.directory.chmod(0o711)
        world.listeners = [{"address": f"unix://{address}", "mode": "0666", "policy": "test"}]
        world.reload()
        with connect(address) as alice:
            answers = multiprocessing.Queue()
            other = multiprocessing.Process(target=try_as, args=(65534, address, alice.token, answers))
            other.start()
            said = [answers.get(timeout=PATIENCE) for _ in range(2)]
            other.join()
        assert said == [peer.EACCES, peer.OK], said
        assert world.metric("vaccel_refused_total", tenant="uid-65534", reason="foreign") == 1
        assert not world.metric("vaccel_refused_total", tenant="uid-0")


run([test_another_tenant, test_token_that_is_lost, test_unannounced_descriptor, test_another_client, test_requests,
     test_users])
