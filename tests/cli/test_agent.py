#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vaccel top and vaccel ping: with an agent, and with what only looks like one."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import unittest

from command import PLUGINS, SOURCE, VACCEL, CommandTest, environment, in_terminal

sys.path.insert(0, str(SOURCE / "tests" / "support"))
from agent import Agent  # noqa: E402

AGENT = os.environ["AGENT"]
NOBODY = 65534
LATE_S = 0.2
TENANT = {"name": "uid-7", "calls": 5, "busy": 1, "queued": 0, "sessions": 2, "errors": 0, "restarts": 0,
          "resident_bytes": 5 << 20, "latency_us_log2": [0, 0, 5]}
DOCUMENT = {"version": "9.9", "pid": 77, "uptime_seconds": 90, "state": "serving", "time_ns": 0,
            "listeners": [{"address": "unix:///x"}], "tenants": [TENANT]}
SUMMARY = "vaccel-agent 9.9, process 77, serving, up 1 min"


class Admin:
    """Stands in for an agent's admin socket: says one thing to each who connects, then nothing at all."""

    def __init__(self, path, *sayings):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self.serve, args=(sayings,), daemon=True).start()

    def serve(self, sayings):
        for saying in sayings:
            client, _ = self.listener.accept()
            with client, contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for block in [saying] if isinstance(saying, bytes) else saying:
                    client.sendall(block)
        self.listener.close()


class Slow:
    """On the way to an agent: its first answers come late."""

    def __init__(self, address, answers, seconds):
        self.agent, self.answers, self.seconds = address, answers, seconds
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                agent = socket.create_connection(self.agent)
                for ends in ((client, agent, 0), (agent, client, self.answers)):
                    threading.Thread(target=self.relay, args=ends, daemon=True).start()

    def relay(self, source, sink, late):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if late:
                    time.sleep(self.seconds)
                    late -= 1
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def document(**members):
    return json.dumps(DOCUMENT | members).encode()


def later(**members):
    """The agent a second after, with a thousand calls more."""
    tenant = TENANT | {"calls": 1005, "latency_us_log2": [0, 0, 905, 100]}
    return document(**{"time_ns": 1000000000, "tenants": [tenant]} | members)


class StandIn(CommandTest):
    def stand_in(self, *sayings):
        Admin(str(self.directory / "admin"), *sayings)
        return "--socket", str(self.directory / "admin")

    def test_table(self):
        out, err = self.run_vaccel("top", *self.stand_in(document(), later()))
        self.assertEqual(err, "")
        summary, _, titles, row = out.splitlines()
        self.assertEqual(summary, f"{SUMMARY}, 1.00k calls/s")
        self.assertEqual(titles.split()[:4], ["TENANT", "CALLS/S", "P50", "P99"])
        # Of the calls between, 900 took 2 to 4 us, and 100 took 4 to 8.
        self.assertEqual(row.split()[:4] + row.split()[6:7], ["uid-7", "1.00k", "3.11us", "7.60us", "5.00M"])

    def test_errors_are_of_the_interval(self):
        failures = {"tenants": [TENANT | {"errors": 7}]}
        for before, shown in (document(), "7"), (document(**failures), "0"):
            with self.subTest(shown):
                _, _, titles, row = self.run_vaccel("top", *self.stand_in(before, later(**failures)))[0].splitlines()
                self.assertEqual(row.split()[titles.split().index("ERRORS")], shown)
            (self.directory / "admin").unlink()

    def test_json(self):
        self.assertEqual(self.run_json("top", *self.stand_in(document())), DOCUMENT)

    def test_ping(self):
        out, _ = self.run_vaccel("ping", *self.stand_in(document()))
        self.assertEqual(out.splitlines()[0], f"{SUMMARY}, 1 tenant")
        self.assertIn("unix:///x", out)
        (self.directory / "admin").unlink()
        out, _ = self.run_vaccel("ping", *self.stand_in(document(tenants=[TENANT, TENANT])))
        self.assertEqual(out.splitlines()[0], f"{SUMMARY}, 2 tenants")
        (self.directory / "admin").unlink()
        nobody = TENANT | {"name": "(nobody)"}
        self.assertEqual(self.run_json("ping", *self.stand_in(document(tenants=[nobody, TENANT])))["tenants"], 1)

    def test_narrow_terminal(self):
        """Lines that are too long are cut; the cursor stays where it is thought to be."""
        where = self.stand_in(document(), later())
        out = in_terminal("stdout", 40, "top", *where, NO_COLOR="1")
        frame = out[out.index("\033[?7l"):out.index("\033[?7h")]
        self.assertIn("uid-7", frame)
        for line in re.sub(r"\033\[[?\d]*\w", "", frame).splitlines()[2:]:
            # In the last column it would be cleared, since the cursor stays there.
            self.assertLess(len(line), 40, line)

    def test_control_characters(self):
        bad = "\033]0;owned\007\r\n\x9b31m"
        evil = TENANT | {"name": bad, "last_failure": bad}
        evil = document(tenants=[evil], version=bad, state=bad, listeners=[{"address": bad}])
        for command, *sayings in ("top", evil, evil), ("ping", evil):
            with self.subTest(command):
                out, _ = self.run_vaccel(command, *self.stand_in(*sayings))
                self.assertFalse(set("\033\007\r\x9b") & set(out), out)
                (self.directory / "admin").unlink()

    def test_nonsense_members(self):
        for members in ({"tenants": 5}, {"tenants": [None, 7, "x", []]}, {"uptime_seconds": -1e300},
                        {"uptime_seconds": 1e300, "pid": -1}, {"version": None, "listeners": {}},
                        {"tenants": [TENANT | {"latency_us_log2": [2**63] * 500, "calls": -1, "busy": 1e308}]}):
            with self.subTest(members):
                self.run_vaccel("top", *self.stand_in(document(**members), later(**members)))
                (self.directory / "admin").unlink()

    def test_no_document(self):
        for saying in (b"HTTP/1.0 400 Bad Request\r\n\r\n", b"[]", b"{" * 100000, document()[:-9]):
            with self.subTest(saying[:20]):
                where = self.stand_in(saying)
                _, err = self.run_vaccel("top", *where, status=1)
                self.assertIn("is no admin socket of an agent; give the one that admin.socket", err)
                (self.directory / "admin").unlink()

    def test_refusal(self):
        _, err = self.run_vaccel("ping", *self.stand_in(b""), status=1)
        self.assertIn("its agent tells only root and the user that it runs as", err)

    def test_without_end(self):
        def blanks():
            while True:
                yield b" " * (1 << 20)

        _, err = self.run_vaccel("top", *self.stand_in(blanks()), status=1)
        self.assertIn("does not answer: what it says has no end", err)

    def test_slow(self):
        """A byte now and then does not keep it waiting for ever."""
        def drops():
            while True:
                yield b" "
                threading.Event().wait(0.2)

        _, err = self.run_vaccel("ping", *self.stand_in(drops()), status=1)
        self.assertIn("does not answer: it takes too long", err)

    def test_silent(self):
        """As where an agent listens for programs, which speak first; or its monitor is stopped."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.directory / "programs"))
            listener.listen()
            _, err = self.run_vaccel("top", "--socket", str(self.directory / "programs"), status=1)
        self.assertIn("it says nothing: either it hangs, or this is a socket for programs, who speak first; then give "
                      "its admin socket, which admin.socket in its configuration names", err)

    def test_agent_that_goes_meanwhile(self):
        out, err = self.run_vaccel("top", *self.stand_in(document()), status=1)
        self.assertEqual(out, "")
        self.assertIn("Connection refused; start vaccel-agent", err)

    def test_nobody_there(self):
        for command in ("ping", "top"):
            self.assert_complains(
                f"no agent answers at '{self.directory}/none': No such file or directory; start vaccel-agent, or "
                "see admin.socket in its configuration",
                command, "--socket", f"{self.directory}/none", status=1)


class Unreachable(CommandTest):
    def test_sentences(self):
        """Each says once what is wrong, and what to do."""
        gone = f"unix://{self.directory}/gone"
        stale = self.directory / "stale"
        socket.socket(socket.AF_UNIX).bind(str(stale))
        for address, sentence in (
            (gone, f"connecting to {gone}: there is no such socket file; start vaccel-agent there, or correct the "
                   "address"),
            (f"unix://{stale}", f"connecting to unix://{stale}: nobody listens; start vaccel-agent there, or correct "
                                "the address"),
            ("tcp://127.0.0.1:1", "connecting to tcp://127.0.0.1:1 (127.0.0.1): nobody listens; start vaccel-agent "
                                  "there, or correct the address"),
            (",", "VACCEL_RPC_ADDRESS is empty; set it to where an agent listens, or unset it"),
            ("tcp://host", "'tcp://host' is no address of the form tcp://HOST:PORT: the port is missing"),
        ):
            with self.subTest(address):
                out, err = self.run_vaccel("ping", address, status=1)
                self.assertEqual((out, err), ("", f"vaccel: {sentence}\n"))

    def test_who_hangs_up(self):
        def hang_up():
            listener.accept()[0].close()

        with socket.create_server(("127.0.0.1", 0)) as listener:
            for _ in range(2):
                threading.Thread(target=hang_up, daemon=True).start()
            address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
            _, err = self.run_vaccel("ping", address, status=1, VACCEL_TIMEOUT_MS="5000")
        self.assertRegex(err, rf"^vaccel: {re.escape(address)}.*: the .*; the agent's log tells more\n$")

    @unittest.skipIf(os.getuid(), "only root can become somebody else")
    def test_socket_file_of_others(self):
        if subprocess.run(["test", "-x", VACCEL], user=65534, check=False).returncode:
            self.skipTest("nobody else may run what was built here")
        path = self.directory / "agent.sock"
        socket.socket(socket.AF_UNIX).bind(str(path))
        path.chmod(0o600)
        self.directory.chmod(0o755)
        done = subprocess.run([VACCEL, "ping", f"unix://{path}"], user=65534, env=environment(), text=True, timeout=60,
                              capture_output=True, check=False)
        self.assertIn("this user may not; whoever may write to the socket file", done.stderr)

    def test_info(self):
        out, _ = self.run_vaccel("info", VACCEL_RPC_ADDRESS=f"unix://{self.directory}/gone")
        self.assertIn("start vaccel-agent there, or correct the address", " ".join(out.split()))

class Search(CommandTest):
    """An agent that nobody has named, looked for by a user other than root."""

    def setUp(self):
        super().setUp()
        if os.path.exists("/run/vaccel/agent.sock") or os.path.exists("/dev/accel0"):
            self.skipTest("this machine has an agent")
        if os.getuid() == 0 and subprocess.run(["test", "-x", VACCEL], user=NOBODY, check=False).returncode:
            self.skipTest("nobody else may run what was built here")
        self.own = self.directory / "vaccel"
        self.own.mkdir(mode=0o700)
        if os.getuid() == 0:
            os.chown(self.directory, NOBODY, -1)
            os.chown(self.own, NOBODY, -1)

    def ask(self, *arguments, **variables):
        """What it prints, in one line, and on stderr."""
        done = subprocess.run([VACCEL, *arguments], env=environment(XDG_RUNTIME_DIR=str(self.directory), **variables),
                              user=NOBODY if os.getuid() == 0 else None, text=True, timeout=60,
                              capture_output=True, check=False)
        return " ".join(done.stdout.split()), done.stderr

    def start_agent(self):
        """Where it listens if it is not told; returns when it does."""
        agent = subprocess.Popen([AGENT, "--vaccel-config", "plugins=noop"], stderr=subprocess.PIPE, text=True,
                                 env=environment(XDG_RUNTIME_DIR=str(self.directory)),
                                 user=NOBODY if os.getuid() == 0 else None)
        self.addCleanup(agent.communicate)
        self.addCleanup(agent.kill)
        for line in agent.stderr:
            if " ready" in line:
                return agent
        self.fail("the agent has ended")

    def test_found_as_long_as_it_lives(self):
        agent = self.start_agent()
        address = f"unix://{self.own}/agent.sock"
        for plugins in "auto", "remote":
            out, _ = self.ask("info", VACCEL_PLUGINS=plugins)
            self.assertIn(f"agent {address}: answers in", out)
            out, _ = self.ask("doctor", VACCEL_PLUGINS=plugins)
            self.assertIn(f"the agent at {address} answers", out)
        agent.kill()
        agent.wait()
        out, _ = self.ask("info", VACCEL_PLUGINS="remote")
        self.assertIn(f"none was found: nobody listens at {self.own}/agent.sock", out)
        out, _ = self.ask("doctor", VACCEL_PLUGINS="noop")
        self.assertNotIn("wrong", out)

    def leave_socket(self):
        path = self.own / "agent.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
        if os.getuid() == 0:
            os.chown(path, NOBODY, -1)
        return path

    def test_none(self):
        for command in "info", "doctor":
            out, _ = self.ask(command)
            self.assertIn(f"none was found: there is no {self.own}/agent.sock; there is no /run/vaccel/agent.sock; "
                          "there is no /dev/accel0; no drive has", out)

    def test_left_behind(self):
        """It does not stand in the way of the plugins here."""
        path = self.leave_socket()
        _, err = self.ask("info", VACCEL_LOG_LEVEL="2")
        self.assertIn(f"nobody listens at {path}, which an agent has left behind; it is passed over", err)
        out, _ = self.ask("info")
        self.assertLess(out.index("libvaccel-cpu.so"), out.index("libvaccel-remote.so"))
        out, _ = self.ask("doctor")
        self.assertIn(f"doubtful nobody listens at {path}, which an agent has left behind Start vaccel-agent again, or "
                      "remove the file.", out)

    @unittest.skipIf(os.getuid(), "only root has files that are not for others")
    def test_device_of_others(self):
        path = self.directory / "accel0"
        path.touch(mode=0o600)
        _, err = self.ask("ping", f"virtio://{path}")
        self.assertIn(f"virtio://{path}: Permission denied; join the group", err)

    @unittest.skipIf(os.getuid(), "only root has sockets that are not for others")
    def test_admin_socket_of_others(self):
        path = self.own / "admin.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            path.chmod(0o600)
            for command in "ping", "top":
                _, err = self.ask(command)
                self.assertIn(f"the agent's admin socket {path} is for root and the user that it runs as alone; ", err)
                self.assertIn(f"`vaccel ping unix://{self.own}/agent.sock`", err)
                self.assertNotIn("no agent", err)

    def test_one_that_says_nothing(self):
        path = self.leave_socket()
        path.unlink()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            path.chmod(0o666)
            listener.listen()
            out, _ = self.ask("doctor", VACCEL_TIMEOUT_MS="100")
        self.assertIn(f"an agent listens at {path}", out)
        self.assertIn("Mend that, or set VACCEL_RPC_ADDRESS to where another agent listens.", out)


class WithAgent(CommandTest):
    def setUp(self):
        super().setUp()
        self.agent = Agent(AGENT, PLUGINS, policy={"plugins": ["noop"]})
        self.agent.__enter__()
        self.addCleanup(self.agent.__exit__, None, None, None)
        self.socket = str(self.agent.directory / "admin.sock")

    def test_ping_then_top(self):
        out, _ = self.run_vaccel("ping", "--count", "50", self.agent.address, VACCEL_PLUGINS="remote")
        self.assertRegex(out, r"answers, first after [\d.]+ ms\n50 round trips: least [\d.]+ us, median")
        trips = [float(us) for us in re.findall(r"([\d.]+) us", out)]
        self.assertEqual(trips, sorted(trips))
        out, _ = self.run_vaccel("top", "--socket", self.socket)
        self.assertIn(f"uid-{os.getuid()}", out)
        tenant, = self.run_json("top", "--socket", self.socket)["tenants"]
        self.assertGreaterEqual(tenant["calls"], 51)

    def test_agent_that_classifies_nothing(self):
        """What is to be done is not to be done here."""
        with Agent(AGENT, PLUGINS, policy={"plugins": ["cpu"]}) as agent:
            out, _ = self.run_vaccel("doctor", VACCEL_PLUGINS="auto", VACCEL_RPC_ADDRESS=agent.address)
        self.assertIn("doubtful pictures cannot be classified: ", out)
        self.assertIn("the agent needs the plugin onnx, and a policy that loads it.", " ".join(out.split()))
        self.assertNotIn("VACCEL_PLUGINS", out)

    def test_ping_has_the_slowest_first(self):
        with Agent(AGENT, PLUGINS, carrier="tcp", policy={"plugins": ["noop"]}) as agent:
            host, port = agent.address.removeprefix("tcp://").split(":")
            slow = Slow((host, int(port)), 10, LATE_S)
            told = self.run_json("ping", "--count", "50", slow.address)
            slow.listener.close()
        self.assertLess(told["median_us"], LATE_S * 1e6)
        self.assertLessEqual(told["least_us"], told["median_us"])
        self.assertGreaterEqual(told["p99_us"], LATE_S * 1e6)

    def test_ping_needs_no_plugin(self):
        with Agent(AGENT, PLUGINS, policy={"plugins": ["cpu"]}) as agent:
            out, _ = self.run_vaccel("ping", "--count", "5", agent.address)
        self.assertIn("5 round trips", out)

    def test_ping_by_a_program_with_a_long_name(self):
        done = subprocess.run(["x" * 8192, "ping", "--count", "5", self.agent.address], executable=VACCEL,
                              env=environment(), text=True, timeout=60, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_ping_of_this_host(self):
        out, _ = self.run_vaccel("ping", "--socket", self.socket)
        self.assertIn(self.agent.address, out)

    def test_several_addresses(self):
        """One that answers does not stand for one that does not."""
        gone = f"unix://{self.agent.directory}/gone"
        both = f"{gone},{self.agent.address}"
        findings = self.run_json("doctor", VACCEL_RPC_ADDRESS=both, VACCEL_PLUGINS="remote")
        verdicts = {f["sentence"]: (f["verdict"], f["what_to_do"]) for f in findings}
        self.assertEqual(verdicts[f"the agent at {self.agent.address} answers"], ("fine", None))
        self.assertIn(("doubtful", "Mend that, or take it out of VACCEL_RPC_ADDRESS."),
                      [v for s, v in verdicts.items() if s.startswith(f"connecting to {gone}: ")])
        out, err = self.run_vaccel("ping", "--count", "5", VACCEL_RPC_ADDRESS=both)
        self.assertTrue(out.startswith(f"{self.agent.address} answers, "), out)
        self.assertIn(f"connecting to {gone}: ", err)
        out, err = self.run_vaccel("ping", f"{gone},{gone}2", status=1)
        self.assertEqual((out, err.count("connecting to ")), ("", 1))
        twice = f"{self.agent.address},{self.agent.address}"
        self.assertEqual([told["address"] for told in self.run_json("ping", twice)], [self.agent.address] * 2)
        self.assertEqual(self.run_json("ping", self.agent.address)["address"], self.agent.address)

    def test_doctor(self):
        findings = self.run_json("doctor", VACCEL_RPC_ADDRESS=self.agent.address, VACCEL_PLUGINS="remote")
        self.assertIn(f"the agent at {self.agent.address} answers", [f["sentence"] for f in findings])

    @unittest.skipIf(os.getuid(), "only root can become somebody else")
    def test_another_user(self):
        os.chmod(self.agent.directory, 0o755)
        os.chmod(self.socket, 0o666)
        with socket.socket(socket.AF_UNIX) as ours:
            ours.connect(self.socket)
            self.assertTrue(ours.recv(1))
        answer = subprocess.run(
            [sys.executable, "-c", "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); "
             "s.connect(sys.argv[1]); sys.stdout.buffer.write(s.recv(1))", self.socket],
            stdout=subprocess.PIPE, check=False).stdout
        self.assertEqual(answer, b"")


if __name__ == "__main__":
    unittest.main()
