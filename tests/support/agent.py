# SPDX-License-Identifier: Apache-2.0
"""An agent of its own for a test: started, known to be ready, and seen to end with nothing left.

    with Agent(binary, plugin_dir, carrier="tls", policy={"plugins": ["noop"]}) as agent:
        subprocess.run(program, env=os.environ | agent.environment)
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading

CARRIERS = ["unix", "tcp", "tls", "tls-relayed", "vsock-uds"]
PATIENCE = 30  # seconds that a start or an end may take on a busy machine


class NotReady(Exception):
    pass


held = []


def free_port():
    """One that nobody else is given while this program runs: it is held, without listening, which is no
    hindrance to an agent that listens there.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    held.append(holder)
    return holder.getsockname()[1]


class Hypervisor:
    """Stands in for Firecracker: a socket file on which CONNECT PORT leads to PATH_PORT."""

    def __init__(self, path):
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        line = b""
        while not line.endswith(b"\n"):
            byte = client.recv(1)
            if not byte:
                return client.close()
            line += byte
        guest = socket.socket(socket.AF_UNIX)
        try:
            guest.connect(f"{self.path}_{int(line.split()[1])}")
        except OSError:
            guest.close()
            return client.close()
        client.sendall(b"OK 1073741824\n")
        for source, sink in ((client, guest), (guest, client)):
            threading.Thread(target=self.relay, args=(source, sink), daemon=True).start()

    @staticmethod
    def relay(source, sink):
        try:
            while data := source.recv(1 << 18):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


def make_certificates(directory):
    """A throw-away authority, and certificates of localhost and of the tenant "tester"."""

    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=directory, check=True, capture_output=True)

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority")
    for name in ("localhost", "tester"):
        openssl("req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (directory / "names").write_text(f"subjectAltName=DNS:{name},IP:127.0.0.1\n")
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", "names", "-out", f"{name}.pem",
        )
        (directory / f"{name}.key").chmod(0o600)


class Agent:
    def __init__(self, binary, plugin_dir, carrier="unix", policy=None, config=None, environment=None):
        self.binary, self.plugin_dir, self.carrier = str(binary), str(plugin_dir), carrier
        self.policy, self.config = policy or {}, config or {}
        self.extra = environment or {}
        self.hypervisor = self.ready = None
        self.starts = 0
        self.start_in = lambda directory: []  # the command by which it is started
        self.prepare = None  # what its process does first
        self.pass_fds = ()  # what it keeps open

    def listener(self, directory):
        """The agent's listener; sets what a client needs to reach it."""
        reach = {}
        if self.carrier == "unix":
            listener = {"address": f"unix://{directory}/agent.sock"}
        elif self.carrier == "tcp":
            listener = {"address": f"tcp://127.0.0.1:{free_port()}", "tenant": "tester"}
        elif self.carrier == "vsock-uds":
            listener = {"address": f"vsock-uds://{directory}/vm.sock:2048", "tenant": "tester"}
            self.hypervisor = Hypervisor(f"{directory}/vm.sock")
        elif self.carrier in ("tls", "tls-relayed"):
            make_certificates(directory)
            listener = {
                "address": f"tls://127.0.0.1:{free_port()}",
                "cert": f"{directory}/localhost.pem",
                "key": f"{directory}/localhost.key",
                "client_ca": f"{directory}/ca.pem",
            }
            if self.carrier == "tls":
                listener["tenant"] = "tester"
            reach = {
                "VACCEL_TLS_CERT": f"{directory}/tester.pem",
                "VACCEL_TLS_KEY": f"{directory}/tester.key",
                "VACCEL_TLS_CA": f"{directory}/ca.pem",
            }
        else:
            raise ValueError(f"no carrier {self.carrier}")
        self.address = listener["address"]
        self.environment = {"VACCEL_PLUGINS": "remote", "VACCEL_RPC_ADDRESS": self.address} | reach
        return listener | {"policy": "test"}

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory()
        directory = pathlib.Path(self.temporary.name)
        self.directory = directory
        self.config = {
            "listeners": [self.listener(directory)],
            "policies": {"test": self.policy},
            "admin": {"socket": f"{directory}/admin.sock"},
        } | self.config
        self.write_config()
        (directory / "run").mkdir(mode=0o700)
        self.log = open(directory / "log", "a+")
        self.start()
        return self

    def write_config(self):
        # YAML is a superset of JSON.
        (self.directory / "agent.yaml").write_text(json.dumps(self.config, indent=1))

    def start(self):
        """Starts it; after kill() also again, at the same addresses."""
        # Each time another, lest the end of one process is taken for that of the next.
        self.starts += 1
        notify = self.directory / f"notify-{self.starts}"
        if self.ready:
            self.ready.close()
        ready = self.ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ready.bind(str(notify))
        ready.settimeout(PATIENCE)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("VACCEL_")}
        self.process = subprocess.Popen(
            [
                *self.start_in(self.directory), self.binary, "--config", str(self.directory / "agent.yaml"),
                "--runtime-dir", str(self.directory / "run/vaccel"),
            ],
            stderr=self.log, stdout=self.log, preexec_fn=self.prepare, pass_fds=self.pass_fds,
            env=kept | {
                "NOTIFY_SOCKET": str(notify),
                "VACCEL_PLUGIN_DIR": self.plugin_dir,
            } | self.extra,
        )
        watcher = threading.Thread(target=lambda: (self.process.wait(), self.poke(ready)), daemon=True)
        watcher.start()
        try:
            self.await_notice("READY=1")
        except NotReady:
            self.process.kill()
            raise

    def await_notice(self, what):
        """The next notice to systemd that has this line."""
        while True:
            try:
                said = self.ready.recv(4096).decode()
            except socket.timeout:
                said = ""
            if what in said.split("\n"):
                return said
            if not said or said == "ended":
                raise NotReady(self.words())

    @staticmethod
    def poke(ready):
        try:
            name = ready.getsockname()
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as poker:
                poker.sendto(b"ended", name)
        except OSError:
            pass

    def words(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends it by SIGTERM; returns its status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def __exit__(self, kind, value, trace):
        try:
            status = self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = "killed after its patience"
        words = self.words()
        self.log.close()
        self.ready.close()
        if self.hypervisor:
            self.hypervisor.close()
        left = sorted(str(p) for p in (self.directory / "run").rglob("*")) if kind is None else []
        self.temporary.cleanup()
        if kind is None and (status or left):
            raise AssertionError(f"the agent ended with {status} and left {left}\n{words}")
        if kind is not None:
            print(f"--- the agent said\n{words}", flush=True)
        return False
