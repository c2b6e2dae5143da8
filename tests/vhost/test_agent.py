#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A machine's monitor at a running agent: what it is told, what it has when its worker is lost, and what
is refused. usage: test_agent.py BUILD"""

import array
import contextlib
import mmap
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from lingering import lingering
from patient import connect_patiently
from writing import writing

BUILD = pathlib.Path(sys.argv.pop(1))
PATIENCE = 60
SIZE, MEMORY, FRONT = 8, 1 << 20, 1 << 40
DESCRIPTORS, AVAILABLE, USED, BYTES = 0, 4096, 8192, 16384
LOST = 12288  # the bytes of a chain that a worker had
MESSAGE, ECHO, BEGIN_END, OK, STALE = 1, 4, 3, 0, 4


class Monitor:
    """The front end, and the guest of which all memory is one region."""

    def __init__(self, path):
        self.socket = connect_patiently(path, PATIENCE)
        self.index = 0

    def say(self, request, body=b"", fds=(), flags=1):
        passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.socket.sendmsg([struct.pack("<III", request, flags, len(body)) + body], passed)

    def ask(self, request, body=b""):
        self.say(request, body)
        header = self.socket.recv(12, socket.MSG_WAITALL)
        return self.socket.recv(struct.unpack("<III", header)[2], socket.MSG_WAITALL)

    def is_closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def begin(self, memory=None):
        features = struct.unpack("<Q", self.ask(1))[0]
        self.say(16, self.ask(15))
        self.say(3)
        self.say(2, struct.pack("<Q", features))
        self.fd = os.memfd_create("machine")
        os.ftruncate(self.fd, MEMORY)
        self.memory = mmap.mmap(self.fd, MEMORY)
        region = struct.pack("<QQQQ", 0, MEMORY, FRONT, 0)
        self.say(5, struct.pack("<II", 1, 0) + region, [self.fd if memory is None else memory])
        self.kick, self.call = os.eventfd(0), os.eventfd(0)

    def start(self):
        self.say(8, struct.pack("<II", 0, SIZE))
        self.say(10, struct.pack("<II", 0, self.index))
        self.say(9, struct.pack("<IIQQQQ", 0, 0, FRONT + DESCRIPTORS, FRONT + USED, FRONT + AVAILABLE, 0))
        self.say(12, bytes(8), [self.kick])
        self.say(13, bytes(8), [self.call])
        self.say(18, struct.pack("<II", 0, 1))

    def lend_inflight(self):
        """Memory for requests under way that is the monitor's: one queue's. Its descriptor."""
        fd = os.memfd_create("inflight")
        os.ftruncate(fd, 4096)
        self.say(32, struct.pack("<QQHHI", 4096, 0, 1, SIZE, 0), [fd])
        return fd

    def borrow_inflight(self):
        """Such memory of the agent's. Its descriptor, and what it is mapped to."""
        self.say(31, struct.pack("<QQHHI", 0, 0, 1, SIZE, 0))
        answer, fds, _, _ = socket.recv_fds(self.socket, 12 + 24, 1)
        return fds[0], mmap.mmap(fds[0], struct.unpack_from("<Q", answer, 12)[0])

    def put(self, kind, head, place, data):
        """A chain of two descriptors, with its bytes at that place and its room behind them."""
        header = struct.pack("<HHIIIQQQQQQ", kind, BEGIN_END, 0, 0, 0, 1, 1, 0, len(data), len(data), 0)
        self.memory[place:place + 64 + len(data)] = header + data
        self.memory[16 * head:16 * head + 32] = struct.pack(
            "<QIHHQIHH", place, 64 + len(data), 1, head + 1, place + 2048, 32 + len(data), 2, 0)
        at = AVAILABLE + 4 + 2 * (self.index % SIZE)
        self.memory[at:at + 2] = struct.pack("<H", head)
        self.index = (self.index + 1) % 65536
        self.memory[AVAILABLE + 2:AVAILABLE + 4] = struct.pack("<H", self.index)
        os.eventfd_write(self.kick, 1)

    def used(self):
        return struct.unpack("<H", self.memory[USED + 2:USED + 4])[0]

    def answer(self, place, patience=PATIENCE):
        """When all chains are back: what is in the room of the one there."""
        end = time.monotonic() + patience
        while self.used() != self.index:
            if time.monotonic() > end:
                raise TimeoutError("the chain does not come back")
            time.sleep(0.0005)
        room = place + 2048
        code, _, used = struct.unpack("<IIQ", self.memory[room:room + 16])
        return code, self.memory[room + 32:room + 32 + used]

    def echo(self, data, patience=PATIENCE):
        """A chain by which the device gives back what it is given."""
        self.put(ECHO, 0, BYTES, data)
        return self.answer(BYTES, patience)

    def reset(self):
        """What the next driver finds."""
        self.memory[:BYTES] = bytes(BYTES)
        self.index = 0

    def base(self):
        return struct.unpack("<II", self.socket.recv(20, socket.MSG_WAITALL)[12:])[1]

    def stop(self):
        self.say(11, bytes(8))
        return self.base()

    def close(self):
        self.socket.close()


class Agent:
    def __init__(self, directory):
        self.path, self.other = directory / "vm.sock", directory / "other.sock"
        self.config = directory / "agent.yaml"
        self.plugin = directory / "libvaccel-noop.so"
        self.plugin.symlink_to(BUILD.resolve() / "plugins/libvaccel-noop.so")
        self.write_config("vm1", "vm2")
        self.process = subprocess.Popen(
            [BUILD / "agent/vaccel-agent", "--runtime-dir", directory / "run", "--config", self.config],
            stderr=subprocess.PIPE, text=True,
            # A sanitizer would make something else of the signal that memory makes that is gone.
            env=os.environ | {
                "VACCEL_PLUGIN_DIR": str(BUILD / "plugins"), "VACCEL_BOOTSTRAP_ENABLED": "0",
            } | {
                name: f"{os.environ.get(name, '')}:handle_sigbus=0" for name in ("ASAN_OPTIONS", "TSAN_OPTIONS")
            },
        )
        self.said = ""
        self.read_until(" ready\n")

    def write_config(self, tenant, other):
        self.config.write_text(
            f"listeners:\n  - {{address: 'vhost-user://{self.path}', tenant: {tenant}}}\n"
            f"  - {{address: 'vhost-user://{self.other}', tenant: {other}}}\n"
            f"policies: {{default: {{plugins: ['{self.plugin}']}}}}\n")

    def read_until(self, words):
        """All that it has said since; it blocks until the words come."""
        said = ""
        while words not in said:
            line = self.process.stderr.readline()
            if not line:
                raise EOFError(f"'{words}' is not in: {self.said}")
            said += line
            self.said += line
        return said

    def worker(self, tenant="vm1"):
        return int(re.findall(rf"tenant {tenant}: worker (\d+) started", self.said)[-1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def freeze_worker(self, tenant="vm1"):
        """Returns when none of its threads runs any more."""
        os.kill(self.worker(tenant), signal.SIGSTOP)
        tasks = pathlib.Path(f"/proc/{self.worker(tenant)}/task")
        while any(task.read_text().rsplit(") ", 1)[1][0] != "T" for task in tasks.glob("*/stat")):
            time.sleep(0.001)

    def write_down(self, head):
        """As if a worker had taken that chain, of each machine."""
        for file in pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir():
            if "memfd:inflight" in os.readlink(file):
                with file.open("r+b", buffering=0) as inflight:
                    inflight.seek(16 + 16 * head)
                    inflight.write(b"\1")

    def close(self):
        self.process.terminate()
        self.process.communicate()


class Test(unittest.TestCase):
    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.agent = Agent(directory)
        stack.callback(self.agent.close)

    def monitor(self, path=None):
        monitor = Monitor(path or self.agent.path)
        self.addCleanup(monitor.close)
        return monitor

    def neighbour(self):
        """Another tenant's machine, which whatever one does is not to be felt by."""
        monitor = self.monitor(self.agent.other)
        monitor.begin()
        monitor.start()
        self.assertEqual(monitor.echo(b"hello"), (OK, b"hello"))
        return monitor

    def test_a_worker_is_lost(self):
        monitor = self.monitor()
        monitor.begin()
        monitor.start()
        self.assertEqual(monitor.echo(b"hello"), (OK, b"hello"))
        self.agent.read_until("started")
        for i in range(3):
            before = self.agent.worker()
            os.kill(before, signal.SIGKILL)
            self.assertEqual(monitor.echo(b"again %d" % i), (OK, b"again %d" % i))
            self.agent.read_until("started")
            self.assertNotEqual(self.agent.worker(), before)
        self.assertEqual(monitor.stop(), 4)
        monitor.start()
        self.assertEqual(monitor.echo(b"on"), (OK, b"on"))
        self.assertEqual(monitor.stop(), 5)

    def test_a_worker_that_stands_still(self):
        """It is ended, so that what it had, which may be memory of a program's, is given back."""
        monitor = self.monitor()
        monitor.begin()
        monitor.start()
        self.assertEqual(monitor.echo(b"x"), (OK, b"x"))
        self.agent.read_until("started")
        self.agent.freeze_worker()
        self.assertEqual(monitor.echo(b"again"), (OK, b"again"))
        self.agent.read_until("gave no sign of life")

    def test_a_worker_is_lost_while_a_queue_stops(self):
        monitor = self.monitor()
        monitor.begin()
        monitor.start()
        self.assertEqual(monitor.echo(b"x"), (OK, b"x"))
        self.agent.read_until("started")
        self.agent.freeze_worker()
        monitor.say(11, bytes(8))
        self.agent.read_until("its worker is ended")
        self.assertEqual(monitor.base(), 1)

    def test_no_worker_is_to_be_had_while_a_queue_stops(self):
        """What the lost ones had is given back later: to the driver that asked, not to the next one."""
        machines = {"vm1": self.monitor(), "vm2": self.monitor(self.agent.other)}
        for tenant, machine in machines.items():
            machine.begin()
            machine.start()
            self.assertEqual(machine.echo(b"x"), (OK, b"x"))
            self.agent.read_until(f"tenant {tenant}: worker")
            self.agent.freeze_worker(tenant)
            machine.put(MESSAGE, 2, LOST, bytes(64))
        self.agent.write_down(2)
        self.agent.plugin.rename(away := self.agent.plugin.with_name("away"))
        for machine in machines.values():
            machine.say(11, bytes(8))
        for machine in machines.values():
            self.assertEqual((machine.base(), machine.used()), (2, 1))
        machines["vm2"].reset()
        for machine in machines.values():
            machine.start()
        away.rename(self.agent.plugin)
        self.assertEqual(machines["vm1"].answer(LOST), (STALE, b""))
        for machine in machines.values():
            self.assertEqual(machine.echo(b"on"), (OK, b"on"))

    def test_one_at_a_time(self):
        first, second = self.monitor(), self.monitor()
        self.assertTrue(second.is_closed())
        self.assertIn("give each a listener of its own", self.agent.read_until("refused"))
        first.begin()
        first.close()
        self.agent.read_until("has closed the connection")
        self.monitor().begin()

    def test_one_that_comes_and_goes(self):
        """So often that others and the log would suffer, if it were let."""
        other, began = self.neighbour(), time.monotonic()
        for _ in range(5):
            self.monitor().close()
            self.agent.read_until("has closed the connection")
        self.assertGreater(time.monotonic() - began, 0.3)
        self.assertEqual(other.echo(b"unharmed"), (OK, b"unharmed"))

    def test_tenants_change_their_names(self):
        """A reload leaves no machine with the worker of a name that another one has now."""
        machines = {"vm1": self.monitor(), "vm2": self.monitor(self.agent.other)}
        workers = {}
        for tenant, machine in machines.items():
            machine.begin()
            machine.start()
            self.assertEqual(machine.echo(b"x"), (OK, b"x"))
            self.agent.read_until(f"tenant {tenant}: worker")
            workers[tenant] = self.agent.worker(tenant)
        self.agent.write_config("vm2", "vm1")
        self.agent.process.send_signal(signal.SIGHUP)
        said = self.agent.read_until("in force")
        self.assertEqual(said.count("its listener has another tenant now"), 2)
        for tenant, worker in workers.items():
            while self.agent.worker(tenant) == worker:
                self.agent.read_until("started")
        for machine in machines.values():
            self.assertEqual(machine.echo(b"on"), (OK, b"on"))
        for before, now in (("vm1", "vm2"), ("vm2", "vm1")):
            machines[before].close()
            self.assertIn(f"tenant {now}: ", self.agent.read_until("has closed the connection"))

    def test_memory_that_is_taken_away(self):
        """Its own worker ends by that, and alone."""
        other, monitor = self.neighbour(), self.monitor()
        monitor.begin()
        monitor.start()
        self.assertEqual(monitor.echo(b"x"), (OK, b"x"))
        self.agent.read_until("tenant vm1: worker")
        os.ftruncate(monitor.fd, 0)
        os.eventfd_write(monitor.kick, 1)
        said = self.agent.read_until("ended by signal 7")
        self.assertIn("tenant vm1: worker was ended by signal 7", said)
        self.assertEqual(other.echo(b"unharmed"), (OK, b"unharmed"))

    def test_inflight_memory_that_is_taken_away(self):
        other, monitor = self.neighbour(), self.monitor()
        monitor.begin()
        fd = monitor.lend_inflight()
        monitor.start()
        self.assertEqual(monitor.echo(b"x"), (OK, b"x"))
        os.ftruncate(fd, 0)
        os.eventfd_write(monitor.kick, 1)
        with self.assertRaises(TimeoutError):
            monitor.echo(b"x", patience=0.1)
        self.agent.read_until("ended by signal 7")
        monitor.close()
        self.agent.read_until("has closed the connection")
        self.assertEqual(other.echo(b"unharmed"), (OK, b"unharmed"))

    def test_inflight_memory_of_the_agents(self):
        """What is in it as a queue starts anew counts for nothing; and nobody waits for a monitor that writes there."""
        monitor = self.monitor()
        monitor.begin()
        fd, memory = monitor.borrow_inflight()
        self.addCleanup(os.close, fd)
        memory[:17] = struct.pack("<QHHHHB", 0, 1, SIZE, 0, 0, 1)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(writing(fd))
            except OSError as error:
                self.skipTest(f"no page can be made to stay away: {error}")
            monitor.start()
            self.assertEqual(monitor.echo(b"x"), (OK, b"x"))

    def test_a_flood_of_descriptors(self):
        """However many a monitor passes, few are held."""
        other, monitor = self.neighbour(), self.monitor()
        monitor.begin()
        monitor.start()
        self.assertEqual(monitor.echo(b"x"), (OK, b"x"))
        before = self.agent.descriptors()
        region = struct.pack("<QQQQ", 0, MEMORY, FRONT, 0)
        for _ in range(300):
            monitor.say(5, struct.pack("<II", 1, 0) + region, [monitor.fd])
            monitor.say(13, bytes(8), [monitor.call])
            monitor.say(14, bytes(8), [monitor.call])
            monitor.say(13, struct.pack("<Q", 1), [monitor.call])
        monitor.ask(1)
        self.assertEqual(other.echo(b"unharmed"), (OK, b"unharmed"))
        end = time.monotonic() + PATIENCE
        # What was replaced is closed by a thread; one for queue 1 and one for errors is new.
        while self.agent.descriptors() > before + 2:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)
        self.assertEqual(monitor.echo(b"on"), (OK, b"on"))

    def test_descriptors_that_linger(self):
        """Nobody waits for the close of those that nobody wants."""
        monitor, neighbour = self.monitor(), self.monitor(self.agent.other)
        one, other = lingering()
        self.addCleanup(other.close)
        # So that the last close is the agent's, and not this program's.
        self.agent.process.send_signal(signal.SIGSTOP)
        with one:
            monitor.say(5, bytes(8), [0] * 8 + [one.fileno()])
        self.agent.process.send_signal(signal.SIGCONT)
        self.assertEqual(len(neighbour.ask(1)), 8)
        self.assertIn("more descriptors than any", self.agent.read_until("vhost-user: a message"))

    def test_a_monitor_that_stops_in_mid_message(self):
        other, monitor = self.neighbour(), self.monitor()
        header = struct.pack("<III", 1, 1, 0)
        for byte in header:
            monitor.socket.send(bytes([byte]))
            self.assertEqual(other.echo(b"unharmed"), (OK, b"unharmed"))
        self.assertEqual(len(monitor.socket.recv(20, socket.MSG_WAITALL)), 20)

    def test_memory_that_is_not_shared(self):
        monitor = self.monitor()
        monitor.begin()
        monitor.say(5, struct.pack("<II", 1, 0) + struct.pack("<QQQQ", 0, MEMORY, FRONT, 0))
        self.assertTrue(monitor.is_closed())
        self.assertIn("memory-backend-memfd", self.agent.read_until("SET_MEM_TABLE"))

    def test_memory_of_which_the_machine_has_a_copy(self):
        """What the guest writes is nowhere to be seen, but that it has written is heard."""
        monitor, said = self.monitor(), threading.Event()
        copy = os.memfd_create("copy")
        os.ftruncate(copy, MEMORY)
        monitor.begin(copy)
        monitor.start()

        def kick():
            while not said.wait(0.1):
                os.eventfd_write(monitor.kick, 1)

        guest = threading.Thread(target=kick)
        guest.start()
        try:
            self.assertIn("memory-backend-memfd", self.agent.read_until("its memory is not shared"))
        finally:
            said.set()
            guest.join()

    def test_memory_that_cannot_be_mapped(self):
        monitor = self.monitor()
        monitor.begin(os.eventfd(0))
        self.assertTrue(monitor.is_closed())
        self.assertIn("memory-backend-memfd", self.agent.read_until("cannot be mapped"))


if __name__ == "__main__":
    unittest.main()
