#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a guest and an agent must survive of each other: an agent that is gone, a worker or a guest that is
killed in mid-call, another guest.
"""

import contextlib
import os
import signal
import time

from guest import Host, run
from peer import ESESS, connect
from world import until

SLOW_MS = 3000
LONG_MS = 600_000
ALONE = {"vm": {"tenant": "deeds"}}


def rules(site):
    return {"deeds": {"plugins": ["exec"], "exec_uploads": ["any"]}}


def patient(site, ms):
    return f"patient {site.build.deeds} {ms}"


def running(host, tenant):
    return host.metric("vaccel_calls_running", tenant=tenant) == 1


def calls(host, tenant):
    return host.metric("vaccel_calls_total", tenant=tenant, op="exec_with_resource", code="OK")


def must_work(site, host, guest, tenant):
    done = guest.run(patient(site, 1), **host.environment(tenant))
    assert done == (0, "done\n", ""), done


def begin(site, host, guest, tenant, ms):
    """A call that is under way."""
    guest.start(patient(site, ms), **host.environment(tenant))
    until(lambda: running(host, tenant), "that the call runs")


def must_fail(guest, *words):
    status, output, errors = guest.finish()
    assert status == 1 and not output, (status, output, errors)
    assert all(word in errors for word in words), errors


def test_no_agent_at_boot(site):
    """The guest is told, and served as soon as there is an agent."""
    with Host(site, ALONE, rules(site)) as host:
        assert host.stop() == 0
        with host.guest() as guest:
            guest.start(patient(site, 1), **host.environment("tenant"))
            must_fail(guest, "connecting to vsock://2:2048: ")
            host.start()
            must_work(site, host, guest, "tenant")


def test_agent_gone(site):
    """A call that may have had its effect is not repeated, and its program knows."""
    with Host(site, ALONE, rules(site)) as host, host.guest() as guest:
        begin(site, host, guest, "tenant", LONG_MS)
        host.kill()
        must_fail(guest, "lost the agent in the middle of it")
        host.start()
        must_work(site, host, guest, "tenant")


def test_worker_killed(site):
    with Host(site, ALONE, rules(site), site.carrier) as host, host.guest() as guest:
        begin(site, host, guest, "tenant", LONG_MS)
        os.kill(host.workers()["tenant"], signal.SIGKILL)
        must_fail(guest, "worker was ended by signal 9")
        must_work(site, host, guest, "tenant")


def test_program_killed(site):
    """One that is killed in mid-call ends, and its call no later than ten seconds after it."""
    with Host(site, ALONE, rules(site), site.carrier) as host, host.guest() as guest:
        guest.run(f"{patient(site, LONG_MS)} & echo $! >/tmp/program", **host.environment("tenant"))
        until(lambda: running(host, "tenant"), "that the call runs")
        guest.run("kill -9 $(cat /tmp/program); while readlink /proc/$(cat /tmp/program)/exe; do usleep 10000; done")
        until(lambda: not running(host, "tenant"), "that it runs no more")
        must_work(site, host, guest, "tenant")


def test_agent_frozen(site):
    """An agent that gives no sign of life is lost; when it goes on it serves who comes then."""
    with Host(site, ALONE, rules(site), site.carrier) as host, host.guest() as guest:
        # A program that has an access to a disk under way cannot end before that is answered.
        guest.start(f"{patient(site, LONG_MS)} 2>/tmp/words & until test -s /tmp/words; do usleep 10000; done; "
                    "cat /tmp/words >&2; exit 1", **host.environment("tenant"))
        until(lambda: running(host, "tenant"), "that the call runs")
        frozen = [host.process.pid, host.workers()["tenant"]]
        began = time.monotonic()
        for process in frozen:
            os.kill(process, signal.SIGSTOP)
        try:
            must_fail(guest, "lost the agent in the middle of it", "not been heard of for 1")
        finally:
            for process in reversed(frozen):
                os.kill(process, signal.SIGCONT)
        assert time.monotonic() - began >= 14
        must_work(site, host, guest, "tenant")
        if site.carrier == "virtio":
            until(lambda: not running(host, "tenant"), "that what was canceled runs no more")
        else:
            os.kill(host.workers()["tenant"], signal.SIGKILL)  # nothing else ends a call that runs


def test_worker_drained(site):
    """One of another policy takes its place once it has answered; who comes meanwhile waits, and who has had an
    answer before calls as if it were the same."""
    with Host(site, ALONE, rules(site), site.carrier) as host, host.guest() as guest:
        environment = host.environment("tenant")
        guest.run(f"{patient(site, 1)} /tmp/go >/tmp/idle 2>&1 &", **environment)
        until(lambda: calls(host, "tenant") == 1, "that one program has called")
        begin(site, host, guest, "tenant", SLOW_MS)
        before = host.workers()["tenant"]
        host.policies["deeds"]["calls"] = 3
        host.reload()
        said = guest.finish()
        assert said == (0, "done\n", ""), said
        must_work(site, host, guest, "tenant")
        assert host.workers()["tenant"] != before
        said = guest.run("touch /tmp/go; until test -s /tmp/idle; do usleep 10000; done; cat /tmp/idle")
        assert said == (0, "done\n", ""), said


def held(host, tenant):
    names = ("connections", "sessions", "resources", "region_bytes", "calls_running", "calls_waiting")
    return {name: value for name in names if (value := host.metric(f"vaccel_{name}", tenant=tenant))}


def test_guest_killed(site):
    """What the agent held for it is free once the call is over."""
    with Host(site, ALONE, rules(site), site.carrier) as host, contextlib.ExitStack() as stack:
        guest = stack.enter_context(host.guest())
        begin(site, host, guest, "tenant", SLOW_MS)
        assert {"connections", "sessions", "resources"} <= held(host, "tenant").keys()
        guest.kill()
        until(lambda: not held(host, "tenant"), "that nothing is held")
        stack.pop_all().close()
        with host.guest() as next_guest:
            must_work(site, host, next_guest, "tenant")


def test_two_guests(site):
    """Two tenants, of whom neither can use the other's session, nor is hurt by its end."""
    machines = {"one": {"alice": "deeds"}, "two": {"bob": "deeds"}}
    with Host(site, machines, rules(site)) as host, host.guest("one") as one, host.guest("two") as two:
        begin(site, host, one, "alice", SLOW_MS)
        begin(site, host, two, "bob", SLOW_MS)
        assert host.workers().keys() == {"alice", "bob"}
        assert host.metric("vaccel_sessions", tenant="alice") == host.metric("vaccel_sessions", tenant="bob") == 1
        with connect(host.socket_of("bob")) as stranger:
            for session in range(1, 10):
                status, words = stranger.ask("noop", session)
                assert status == ESESS, words
        assert host.metric("vaccel_refused_total", tenant="bob", reason="foreign") == 9
        one.kill()
        assert two.finish() == (0, "done\n", "")
        until(lambda: not held(host, "alice"), "that nothing is held")


run([
    test_no_agent_at_boot, test_agent_gone, test_worker_killed, test_worker_drained, test_program_killed,
    test_agent_frozen, test_guest_killed, test_two_guests,
])
