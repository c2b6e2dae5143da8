#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vaccel-agent as it is typed: what its options do, and what it says to what makes no sense; and an agent
whose front and monitor die, or whose certificates are renewed.

usage: test_command.py BUILD_DIR [TEST]...
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent
sys.path += [str(HERE.parent / "e2e"), str(HERE.parent / "support")]

import agent  # noqa: E402
from peer import Ended, Peer, connect  # noqa: E402
from world import children_of, until  # noqa: E402

BUILD = pathlib.Path(sys.argv.pop(1))
AGENT = BUILD / "agent/vaccel-agent"
MANUAL = HERE.parent.parent / "docs/man/vaccel-agent.8"
PATIENCE = 30
BARE = {k: v for k, v in os.environ.items() if k == "PATH" or k.endswith("SAN_OPTIONS")}


def run(*arguments, program=AGENT):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE,
                          env=BARE | {"VACCEL_PLUGIN_DIR": str(BUILD / "plugins")})


class Directory(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.path = pathlib.Path(self.temporary.name)

    def write(self, name, text, mode=0o600):
        path = self.path / name
        path.write_text(text)
        path.chmod(mode)
        return path


class Help(unittest.TestCase):
    def test_help_has_the_options_of_the_manual(self):
        said = run("--help")
        self.assertEqual((said.returncode, said.stderr), (0, ""))
        self.assertEqual(said.stdout, run("-h").stdout)
        told = set(re.findall(r"--([a-z-]+)", said.stdout))
        written = set(re.findall(r"^\.It.*Fl -([a-z-]+)", MANUAL.read_text(), re.M))
        self.assertEqual(told, written)
        self.assertTrue(all(len(line) <= 100 for line in said.stdout.splitlines()))

    def test_version(self):
        said = run("--version")
        self.assertEqual(said.returncode, 0)
        self.assertRegex(said.stdout, r"^vaccel-agent \d+\.\d+\.\d+\n$")
        self.assertEqual(run("-V").stdout, said.stdout)

    def test_wrong_use(self):
        for arguments, words in [
            (["--no-such-option"], "--help tells of all options"),
            (["-a"], "--help tells of all options"),
            (["unix:///a"], "an argument without its option means nothing; give an address as -a ADDRESS"),
            (["--config", "/x", "-a", "unix:///a"], "with --config all else is said in the file"),
            (["--config", "/x", "--vaccel-config", "log_level=1"], "with --config all else"),
            (["--runtime-dir", "run"], "--runtime-dir takes a whole path, from '/' on"),
            (["--vaccel-config", "plugins=noop", "--vaccel-config", "log_level=3"], "--vaccel-config is there twice"),
            (["--config", "/x", "-c", "/x"], "--config is there twice"),
            (["-a", "nowhere"], "'nowhere' is no address"),
            (["-a", "tcp://0.0.0.0:1"], "unencrypted; use tls://, or add ',insecure=true' to it if that is meant"),
            (["-a", "tls://0.0.0.0:1,tenant=a,cert=/c,key=/k"], "or add ',insecure=true' to it if that is meant"),
            (["--vaccel-config", "colour=red"], "knows plugins and log_level, not 'colour=red'"),
            (["--vaccel-config", "plugins="], "policies.default.plugins: nothing at all would be of no use"),
            (["--vaccel-config", "log_level=7"], "'7' is none of error, warning, info and debug"),
        ]:
            with self.subTest(arguments):
                said = run(*arguments)
                self.assertEqual((said.returncode, said.stdout), (2, ""))
                self.assertIn(words, said.stderr)
                self.assertIn("vaccel-agent: ", said.stderr)


class CheckConfig(Directory):
    def check(self, text):
        return run("--config", self.write("agent.yaml", text), "--check-config")

    def test_what_makes_sense(self):
        said = self.check(f"listeners: [{{address: 'unix://{self.path}/a.sock'}}]\n")
        self.assertEqual((said.returncode, said.stdout), (0, f"{self.path}/agent.yaml: ok\n"))
        for listener in [], ["-a", "tcp://0.0.0.0:1,insecure=true"]:
            self.assertEqual(run("--check-config", *listener).stdout, "command line: ok\n")
        # Nothing is done.
        self.assertEqual(os.listdir(self.path), ["agent.yaml"])

    def test_each_mistake_has_its_line_key_and_what_to_write(self):
        for text, line, words in [
            ("listeners:\n  - adress: unix:///a\n", 2, "listeners[0].adress: there is no such key; "
             "did you mean 'address'?"),
            ("policies:\n  gold:\n    memory: 4GB\n", 3,
             "policies.gold.memory: '4GB' has no unit that is known; write for example 512MiB or 4GiB"),
            ("policies:\n  gold:\n    memory: 4\n", 3, "policies.gold.memory: '4' has no unit that is known"),
            ("policies:\n  gold:\n    ops:\n      - nop\n", 4,
             "policies.gold.ops[0]: there is no operation 'nop'; did you mean 'noop'?"),
            ("log:\n  level: loud\n", 2, "log.level: 'loud' is none of error, warning, info and debug"),
            ("listeners:\n  - address: tcp://0.0.0.0:1\n    tenant: a\n", 2,
             "use tls://, or write 'insecure: true' if that is meant"),
            ("drain: 1s\n\ndrain: 2s\n", 3, "drain: is there twice"),
            ("listener:\n  - address: unix:///a\n", 1, "listener: there is no such key; did you mean 'listeners'?"),
            ("listeners: [\n\n", 3, "did not find expected"),
            ("\tlog: x\n", 1, "there is a tab; YAML is indented by spaces alone"),
            ("# ä\nlog:\n\tlevel: info\n", 3, "there is a tab; YAML is indented by spaces alone"),
            ("log: {level: %x}\n", 1, "found character that cannot start any token"),
        ]:
            with self.subTest(text):
                said = self.check(text)
                self.assertEqual((said.returncode, said.stdout), (2, ""))
                self.assertIn(f"vaccel-agent: {self.path}/agent.yaml:{line}: ", said.stderr)
                self.assertIn(words, said.stderr)

    def test_files_that_it_names_are_read(self):
        agent.make_certificates(self.path)
        good, bad = self.path / "localhost.pem", self.write("bad.pem", "no certificate\n")
        key, other = self.path / "localhost.key", self.path / "tester.key"
        open_ = self.write("open", "x" * 40, 0o644)

        def listener(cert=good, key=key, token=None, ca=None):
            return (f"listeners: [{{address: 'tls://127.0.0.1:1', tenant: t,\n cert: {cert},\n key: {key},\n "
                    + (f"token_file: {token}}}]" if token else f"client_ca: {ca}}}]" if ca else "insecure: true}]"))

        self.assertEqual(self.check(listener()).returncode, 0)
        for text, words in [
            (listener(cert="/no/cert"), "2: listeners[0].cert: certificate: '/no/cert'"),
            (listener(cert=bad), "2: listeners[0].cert: TLS: the certificate: there is no certificate in the file"),
            (listener(ca=bad), "4: listeners[0].client_ca: TLS: the CA: there is no certificate in the file"),
            (listener(key=other), "2: listeners[0].cert: TLS: "),
            (listener(key=open_), f"3: listeners[0].key: private key: '{open_}'"),
            (listener(token="/no/token"), "4: listeners[0].token_file: token: '/no/token'"),
            (listener(token=open_), f"4: listeners[0].token_file: token: '{open_}'"),
        ]:
            with self.subTest(text):
                said = self.check(text)
                self.assertEqual(said.returncode, 2)
                self.assertIn(f"vaccel-agent: {self.path}/agent.yaml:{words}", said.stderr)

    def test_what_is_not_there_yet(self):
        said = self.check("policies: {gold: {plugins: [noop, onxx, libmine.so], exec_libraries: [/bin/sh, /no/such.so]}}"
                          "\nmodels: {path: /no/models}\n")
        self.assertEqual(said.returncode, 0)
        plugin, library, models = said.stderr.splitlines()
        self.assertIn("policy 'gold': there is no plugin 'onxx' in '", plugin)
        self.assertIn("policy 'gold': exec_libraries '/no/such.so': No such file", library)
        self.assertIn("models.path '/no/models': No such file", models)
        (self.path / "here").mkdir()
        said = self.check(f"models: {{path: {self.path}, preload: [here, nope]}}\n")
        self.assertEqual(said.returncode, 0)
        (model,) = said.stderr.splitlines()
        self.assertIn("models.preload 'nope': No such file", model)

    def test_directories_of_socket_files(self):
        file = self.write("file", "")
        for directory, reason in [(self.path / "no", "No such file or directory"), (file, "Not a directory")]:
            words = f"directory '{directory}' for the socket file: {reason}; make it, or take another"
            for text, line in [
                (f"listeners:\n  - address: unix://{directory}/a.sock\n", "2: listeners[0].address"),
                (f"listeners:\n  - tenant: t\n    address: vsock-uds://{directory}/v:7\n", "3: listeners[0].address"),
                (f"drain: 1s\nadmin:\n  socket: {directory}/admin.sock\n", "3: admin.socket"),
            ]:
                with self.subTest(text):
                    said = self.check(text)
                    self.assertEqual((said.returncode, said.stdout), (2, ""))
                    self.assertIn(f"vaccel-agent: {self.path}/agent.yaml:{line}: {words}", said.stderr)
        # The agent makes its own directory; systemd the service's, and those of others as they start.
        own = self.write("agent.yaml", f"listeners: [{{address: 'unix://{self.path}/run/a.sock'}},\n"
                         "{address: 'unix:///run/vaccel/a.sock', tenant: a},\n"
                         "{address: 'unix:///run/no-such-service/a.sock', tenant: b}]\n")
        for base in f"{self.path}/run", f"{self.path}//run/":
            said = run("--config", own, "--check-config", "--runtime-dir", base)
            self.assertEqual((said.returncode, said.stdout), (0, f"{own}: ok\n"), said.stderr)
            (warned,) = said.stderr.splitlines()
            self.assertIn(f"{own}:3: listeners[2].address: directory '/run/no-such-service'", warned)
            self.assertIn("it must be there when the agent starts", warned)
        for base in f"{self.path}/ru", f"{self.path}/run/run":
            self.assertEqual(run("--config", own, "--check-config", "--runtime-dir", base).returncode, 2)

    def test_certificate_that_has_expired(self):
        agent.make_certificates(self.path)
        subprocess.run(["openssl", "x509", "-in", "localhost.pem", "-signkey", "localhost.key", "-days", "-1", "-out",
                        "old.pem"], cwd=self.path, check=True, capture_output=True)
        config = self.write("agent.yaml", "listeners: [{address: 'tls://192.0.2.1:1', tenant: t, insecure: true,\n"
                            f"cert: {self.path}/old.pem, key: {self.path}/localhost.key}}]\n")
        # Nobody can listen there.
        for option, status in ("--check-config", 0), (f"--runtime-dir={self.path}/run", 1):
            with self.subTest(option):
                said = run("--config", config, option)
                self.assertEqual(said.returncode, status, said.stderr)
                self.assertIn(f"vaccel-agent warning: {config}:2: listeners[0].cert: the certificate has expired; "
                              "clients will refuse it\n", said.stderr)

    def test_no_file(self):
        said = run("--config", "/no/such.yaml", "--check-config")
        self.assertEqual(said.returncode, 2)
        self.assertIn("'/no/such.yaml'", said.stderr)


class Listening(Directory):
    def test_where_one_cannot(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            for address, words in [
                (f"tcp://127.0.0.1:{taken.getsockname()[1]}", "another process listens there; end it, or take another"),
                ("tcp://192.0.2.1:1,insecure=true", "no network of this machine has the address"),
                ("tcp://no-host.invalid:1,insecure=true", "listening at tcp://no-host.invalid:1: "),
                (f"unix://{self.path}/no/a.sock", "take a directory that is there and that this user may write to"),
            ]:
                with self.subTest(address):
                    said = run("-a", address, "--runtime-dir", self.path / "run")
                    self.assertEqual(said.returncode, 1)
                    self.assertIn(words, said.stderr)

    def test_two_listeners_of_one_socket(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        for one, other in ((f"tcp://127.0.0.1:{port}", f"tcp://localhost:{port}"),
                           (f"unix://{self.path}/a.sock", f"unix://{self.path}/./a.sock")):
            with self.subTest(one):
                said = run("-a", one, "-a", other, "--runtime-dir", self.path / "run")
                self.assertEqual(said.returncode, 1)
                self.assertIn(f"listening at {other}: the listener of {one} has it; take another", said.stderr)

    def test_metrics_where_another_process_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            said = run("--config", self.write("agent.yaml", f"listeners: [{{address: 'unix://{self.path}/a.sock'}}]\n"
                                              f"metrics: {{address: {taken.getsockname()[1]}}}\n"),
                       "--runtime-dir", self.path / "run")
        self.assertEqual(said.returncode, 1)
        self.assertIn("metrics.address: listening at tcp://127.0.0.1:", said.stderr)

    def test_whose_the_directory_is(self):
        open_ = self.path / "open"
        open_.mkdir()
        open_.chmod(0o777)
        others = self.path / "others"
        others.mkdir()
        owner = "root, uid 0"
        if os.geteuid():
            others = pathlib.Path("/usr")
        else:
            os.chown(others, 987654, -1)
            others.chmod(0o2755)
            owner = "uid 987654"
        for directory, words in [
            (open_, f"directory '{open_}' can be written to by others; name another with --runtime-dir"),
            (others, f"directory '{others}' belongs to {owner}; start the agent as that user, or name another"),
        ]:
            with self.subTest(directory):
                said = run("-a", f"unix://{self.path}/a.sock", "--runtime-dir", directory)
                self.assertEqual(said.returncode, 1)
                self.assertIn(words, said.stderr)

    def test_a_failure_is_logged_as_the_file_has_it(self):
        config = self.write("agent.yaml", f"listeners: [{{address: 'unix://{self.path}/no/a.sock'}}]\n"
                            "log: {format: json}\n")
        said = run("--config", config, "--runtime-dir", self.path / "run")
        self.assertEqual(said.returncode, 1)
        self.assertEqual(json.loads(said.stderr)["level"], "error")


class Serving(Directory):
    @contextlib.contextmanager
    def serving(self, *arguments, program=AGENT, plugins=BUILD / "plugins"):
        log = open(self.path / "log", "w+")
        process = subprocess.Popen(
            [program, *map(str, arguments), "--runtime-dir", self.path / "run"], stderr=log,
            env=BARE | {"VACCEL_PLUGIN_DIR": str(plugins)},
        )
        try:
            until(lambda: process.poll() is not None or " ready\n" in self.log(), "an agent that is ready")
            yield process
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(PATIENCE), 0, self.log())
            self.assertFalse((self.path / "run").exists())
        finally:
            process.kill()
            process.wait()
            log.close()

    def log(self):
        return (self.path / "log").read_text()

    def call(self, address):
        with connect(address) as peer:
            peer.must("noop", peer.session())

    def test_established_flags_and_name(self):
        """As programs and units of earlier versions start it."""
        program = self.path / "vaccel-rpc-agent"
        program.symlink_to(AGENT)
        with self.serving("-a", f"unix://{self.path}/a.sock", "--vaccel-config", "plugins=noop,log_level=4",
                          program=program):
            self.call(f"{self.path}/a.sock")
            until(lambda: re.search("debug: tenant uid-.*: session 1: opened", self.log()), "lines of that level")

    def test_several_addresses(self):
        with self.serving("-a", f"unix://{self.path}/a.sock,mode=0600", "-a", "tcp://127.0.0.1:0,tenant=net",
                          "--server-address", f"unix://{self.path}/b.sock,tenant=named",
                          "--vaccel-config", "plugins=noop"):
            self.call(f"{self.path}/a.sock")
            self.call(f"{self.path}/b.sock")
            port = re.search(r"tenant net: listening at tcp://127\.0\.0\.1:(\d+)", self.log())[1]
            self.call(("127.0.0.1", int(port)))
            self.assertEqual((self.path / "a.sock").stat().st_mode & 0o777, 0o600)
            self.assertRegex(self.log(), "tenant named: worker .* started")

    def test_whatever_its_starter_ignores(self):
        """How a worker ended is known all the same."""
        program = self.write("start", f"#!/bin/sh\nexec env --ignore-signal=CHLD {AGENT} \"$@\"\n", 0o700)
        with self.serving("-a", f"unix://{self.path}/a.sock", "--vaccel-config", "plugins=noop", program=program):
            self.call(f"{self.path}/a.sock")
            os.kill(int(re.search(r"worker (\d+) started", self.log())[1]), signal.SIGKILL)
            until(lambda: "worker was ended by signal 9" in self.log(), "its end")

    def test_plugins_that_are_not_there(self):
        with self.serving("-a", f"unix://{self.path}/a.sock", "--vaccel-config", "plugins=nosuch"):
            with Peer(f"{self.path}/a.sock") as peer, self.assertRaises(Ended):
                peer.hello()
            until(lambda: re.search("worker cannot start: .*nosuch", self.log()), "the reason")

    def test_metrics_without_their_module(self):
        plugins = self.path / "plugins"
        plugins.mkdir()
        (plugins / "libvaccel-noop.so").symlink_to(BUILD / "plugins/libvaccel-noop.so")
        config = self.path / "agent.yaml"
        config.write_text(f"listeners: [{{address: 'unix://{self.path}/a.sock', policy: p}}]\n"
                          "policies: {p: {plugins: [noop]}}\nmetrics: {address: '127.0.0.1:0'}\n")
        with self.serving("--config", config, plugins=plugins):
            self.call(f"{self.path}/a.sock")
            self.assertRegex(self.log(), r"info: metrics at http://127\.0\.0\.1:[1-9]\d*/metrics\n")
            until(lambda: "monitor: cannot serve metrics: " in self.log(), "what it lacks")
            self.assertRegex(self.log(), "agent-http.so: .*; install libmicrohttpd, or leave metrics out")


class Children(unittest.TestCase):
    def test_a_front_that_dies(self):
        """Programs over TLS call on through the next one; connections that are not its own stay."""
        with agent.Agent(AGENT, BUILD / "plugins", "tls-relayed", {"plugins": ["noop"]}) as world:
            world.config["listeners"].append({"address": f"unix://{world.directory}/a.sock", "policy": "test"})
            world.write_config()
            world.process.send_signal(signal.SIGHUP)
            until(lambda: "in force" in world.words(), "the second listener")
            with connect(f"{world.directory}/a.sock") as local:
                session = local.session()
                for _ in range(3):
                    before = until(lambda: self.child_of(world, b"front"), "a front")
                    os.kill(before, signal.SIGKILL)
                    local.must("noop", session)
                    until(lambda: self.child_of(world, b"front") not in (None, before), "another front")
                    self.call(world)
                    local.must("noop", session)

    def test_who_shows_no_certificate_is_counted(self):
        with agent.Agent(AGENT, BUILD / "plugins", "tls-relayed", {"plugins": ["noop"]}) as world:
            host, port = world.address.removeprefix("tls://").split(":")
            for _ in range(3):
                with socket.create_connection((host, int(port)), PATIENCE) as stranger:
                    stranger.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    while stranger.recv(100):
                        pass
            admin = f"{world.directory}/admin.sock"
            until(lambda: self.refused(admin) == 3, "that they are counted")
            # A line for the first of a second, and soon after it one for all others.
            until(lambda: len(re.findall(r"warning: 127\.0\.0\.1:\d+: ", world.words()))
                  + sum(map(int, re.findall(r"warning: (\d+) more (?:was|were) refused", world.words()))) == 3,
                  "that they are in the log")

    def test_a_certificate_that_is_renewed(self):
        """A reload has new connections see it; one that fits no key changes nothing."""
        for carrier in "tls", "tls-relayed":
            with self.subTest(carrier), agent.Agent(AGENT, BUILD / "plugins", carrier,
                                                    {"plugins": ["noop"]}) as world:
                before = self.shown_by(world)
                self.assertEqual(self.shown_by(world), before)
                key = (world.directory / "localhost.key").read_text()
                (world.directory / "localhost.key").write_text("no key\n")
                self.assertIn("stays as it was", self.reload(world))
                self.assertEqual(self.shown_by(world), before)
                agent.make_certificates(world.directory)
                self.assertNotEqual((world.directory / "localhost.key").read_text(), key)
                self.assertIn("is in force", self.reload(world))
                self.assertNotEqual(self.shown_by(world), before)
                self.call(world)

    @staticmethod
    def reload(world):
        """What the log says of it."""
        before = len(world.words())
        world.process.send_signal(signal.SIGHUP)
        return until(lambda: re.search("the configuration .*", world.words()[before:]), "a reload")[0]

    @staticmethod
    def shown_by(world):
        """The certificate that the agent shows, also to those who have none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        host, port = world.address.removeprefix("tls://").split(":")
        with socket.create_connection((host, int(port)), PATIENCE) as plain, context.wrap_socket(plain) as tls:
            return tls.getpeercert(binary_form=True)

    def test_a_monitor_that_dies(self):
        with agent.Agent(AGENT, BUILD / "plugins", "unix", {"plugins": ["noop"]}) as world:
            before = until(lambda: self.child_of(world, b"monitor"), "a monitor")
            os.kill(before, signal.SIGKILL)
            until(lambda: self.child_of(world, b"monitor") not in (None, before), "another monitor")
            self.assertEqual(self.refused(f"{world.directory}/admin.sock"), 0)

    def test_a_monitor_that_dies_while_a_tenant_has_no_worker(self):
        """What was counted of it is not forgotten."""
        with agent.Agent(AGENT, BUILD / "plugins", "unix", {"plugins": ["noop"], "worker_idle": "10ms"}) as world:
            self.call(world)
            until(lambda: not self.child_of(world, b"worker"), "that the worker ends")
            before = self.child_of(world, b"monitor")
            os.kill(before, signal.SIGKILL)
            until(lambda: self.child_of(world, b"monitor") not in (None, before), "another monitor")
            tenant, = self.tenants(f"{world.directory}/admin.sock")
            self.assertGreater(tenant["calls"], 0)
            self.assertIsNone(tenant["worker"])

    def test_nobody_is_shown_wherever_there_is_tls(self):
        for carrier, shown in (("tls", 1), ("unix", 0)):
            with agent.Agent(AGENT, BUILD / "plugins", carrier, {"plugins": ["noop"]}) as world:
                names = [tenant["name"] for tenant in self.tenants(f"{world.directory}/admin.sock")]
                self.assertEqual(names.count("(nobody)"), shown)

    @staticmethod
    def tenants(admin):
        """By the agent's own document."""
        said = subprocess.run([BUILD / "cli/vaccel", "top", "--socket", admin, "--json"], capture_output=True,
                              text=True, timeout=PATIENCE)
        return json.loads(said.stdout)["tenants"]

    def refused(self, admin):
        """Of nobody in particular."""
        return sum(sum(tenant["refused"].values()) for tenant in self.tenants(admin) if tenant["name"] == "(nobody)")

    @staticmethod
    def child_of(world, role):
        for pid in children_of(world.process.pid):
            with contextlib.suppress(OSError):
                if pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"vaccel-agent: " + role):
                    return pid
        return None

    def call(self, world):
        said = subprocess.run([BUILD / "cli/vaccel", "ping", world.address], capture_output=True, text=True,
                              timeout=PATIENCE, env=os.environ | world.environment | {
                                  "VACCEL_PLUGIN_DIR": str(BUILD / "plugins")})
        self.assertEqual(said.returncode, 0, said.stdout + said.stderr)


if __name__ == "__main__":
    unittest.main()
