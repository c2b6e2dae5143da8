#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that say no more and still listen: they have answers or an end, and soon nothing of theirs is left."""

import contextlib

import peer
from peer import Peer
from world import PATIENCE, Agent, agent, descriptors_of, run, until

import codec


def rest(client):
    """Frames until the end; what ends in the midst of one is none."""
    client.socket.settimeout(PATIENCE)
    frames = []
    with contextlib.suppress(peer.Ended):
        while True:
            first = client.receive(1)
            try:
                frames.append(codec.frame_unpack(first + client.receive(codec.FRAME.size - 1)))
                client.receive(frames[-1]["head_size"] + frames[-1]["payload_size"])
            except peer.Ended as end:
                raise AssertionError("a part of an answer") from end
    return frames


def ends_its_side(address, begin):
    """Says what @begin returns, for a session, and then no more."""
    with Peer(address) as client:
        assert client.hello()[0] == peer.OK
        client.send(begin(client, client.session()))
        last = client.request
        client.socket.shutdown(peer.socket.SHUT_WR)
        frames = rest(client)
    assert len(frames) <= 1, frames
    for frame in frames:
        assert frame["kind"] == peer.KIND["REPLY"] and frame["request"] == last and not frame["status"], frame


def noop(client, session):
    return client.message("CALL", "noop", session)


def half(client, session):
    return noop(client, session)[:-1]


def large(client, session):
    return client.message("CALL", "fpga_arraycopy", session, a=[7] * 500_000, out={"room": 2_000_000})


def test_half_closed(build):
    port = agent.free_port()
    listener = {"address": f"tcp://127.0.0.1:{port}", "tenant": "good", "policy": "test"}
    with Agent(build, {"good": "test"}, listeners=[listener]) as world:
        # So that the worker has its threads; and it is left as it was before, not only less.
        for begin in noop, large:
            ends_its_side(world.socket_of("good"), begin)
        until(lambda: not world.metric("vaccel_connections"), "that nobody is connected")
        before = descriptors_of(world.workers()["good"])
        for address in world.socket_of("good"), ("127.0.0.1", port):
            for begin in noop, half, large:
                for _ in range(5):
                    ends_its_side(address, begin)
        for name in "connections", "sessions", "calls_running", "calls_waiting":
            until(lambda: not world.metric(f"vaccel_{name}"), f"that there are no {name}")
        now = lambda: descriptors_of(world.workers()["good"])
        until(lambda: now() <= before, f"no more than {before} descriptors")
        assert not world.metric("vaccel_worker_restarts_total")


run([test_half_closed])
