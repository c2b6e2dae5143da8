#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The driver in a kernel that looks for faults at each access, lock and allocation: the tests of
test_driver.py, then storms of calls with everything that can happen to programs and to a device.

usage: test_kasan.py MODULE ACCEL STORM [TEST]...

MODULE is virtio_vaccel.ko for the kernel of tools/vm/kernel; both are built first if need be. ACCEL and STORM
are the programs of accel.c and storm.c.
"""

import json
import pathlib
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

import test_driver
from backend import BUSY, CANCEL, CANCELED, CLOSE, END, GOAWAY, GONE, MESSAGE, NOSPACE, ROOM, STALE, Backend
from image import make_image
from machine import Machine, missing
from test_driver import Guest, answer_well, run_one

TOP = test_driver.HERE.parents[1]
MOST = 1200  # seconds that anything may take: it is slow, and the machine may be busy
ENTRIES = 1024
USUAL = {"ok", "EBADF", "ETIMEDOUT", "ENODEV"}
FAILING = USUAL | {"ENOMEM", "EFAULT"}
FAIL_ALL = """
    mount -t debugfs none /sys/kernel/debug 2>/dev/null
    for kind in failslab fail_page_alloc; do
        cd /sys/kernel/debug/$kind
        echo N >ignore-gfp-wait; echo 0 >verbose; echo Y >task-filter; echo -1 >times
        echo {percent} >probability
    done
    echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
    echo N >/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem
    cd /opt/vaccel
"""


class Moody(Backend):
    """A device that answers as it likes, and late, but each chain in the end. It is taken out by unplug()."""

    def __init__(self, path, **options):
        super().__init__(path, self.react, queues=4, entries=ENTRIES, **options)
        self.chance, self.lock, self.held, self.longest = random.Random(1), threading.RLock(), [], 0.2
        self.ended = threading.Event()
        self.control = path.with_name("control")
        self.device = dict(part.split("=") for part in f"driver={self.options[3]}".split(","))
        self.options += ["-qmp", f"unix:{self.control},server=on,wait=off"]

    def __enter__(self):
        super().__enter__()
        self.late = threading.Thread(target=self.answer_late, daemon=True)
        self.late.start()
        return self

    def __exit__(self, *words):
        self.ended.set()
        self.late.join()
        super().__exit__(*words)

    def react(self, _, chain):
        with self.lock:
            if chain.type == CANCEL:
                chain.back()
                self.give_up(chain)
            elif chain.type == CLOSE or self.chance.random() < 0.4:
                self.answer_somehow(chain)
            else:
                self.held.append((time.monotonic() + self.longest * self.chance.random(), chain))

    def give_up(self, cancel):
        for due, chain in self.held[:]:
            if chain.request == cancel.request and self.chance.random() < 0.9:
                self.held.remove((due, chain))
                chain.back(CANCELED)

    def answer_somehow(self, chain):
        mood = self.chance.random()
        if chain.type != MESSAGE or mood < 0.8:
            answer_well(chain)
        elif mood < 0.9:
            chain.back(self.chance.choice((STALE, BUSY, GONE, CANCELED)))
        elif mood < 0.95 or chain.flags & ROOM or not chain.flags & END:
            chain.back(BUSY, flags=GOAWAY)
        else:
            chain.back(NOSPACE, wanted=chain.all_writable + 1)

    def answer_late(self):
        while not self.ended.wait(0.005):
            with self.lock:
                now = time.monotonic()
                due = [chain for at, chain in self.held if at <= now]
                self.held = [(at, chain) for at, chain in self.held if at > now]
                for chain in due:
                    self.answer_somehow(chain)

    def stop(self, index):
        """What is not answered before this must not be answered at all."""
        with self.lock:
            self.held = [(at, chain) for at, chain in self.held if chain.queue is not self.queues[index]]
            return super().stop(index)


class Control:
    """QEMU's monitor."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(MOST)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile()
        self.lines.readline()
        self.ask("qmp_capabilities")

    def until(self, name):
        while name not in (said := json.loads(self.lines.readline())) and name != said.get("event"):
            assert "error" not in said, said

    def ask(self, command, **arguments):
        self.socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        self.until("return")


def unplug(device, control):
    name = device.device["id"]
    control.ask("device_del", id=name)
    control.until("DEVICE_DELETED")
    control.ask("chardev-remove", id=name)
    path = {"type": "unix", "data": {"path": str(device.path)}}
    control.ask("chardev-add", id=name, backend={"type": "socket", "data": {"addr": path, "server": False}})
    numbers = {key: int(value) if value.isdigit() else value for key, value in device.device.items()}
    control.ask("device_add", **numbers)


def storm(guest, options, meanwhile="", usual=USUAL, disturb=None):
    """Calls in a storm, with what the guest does, and somebody else, meanwhile."""
    guest.device.answer = guest.device.react
    guest.machine.start(f"storm {options} & {meanwhile}\nwait")
    if disturb:
        disturb()
    status, words, errors = guest.machine.finish(MOST)
    counts = dict(word.split("=") for word in words.split() if "=" in word)
    print(f"  {words.strip()}", flush=True)
    assert not status and int(counts.get("ok", 0)) and int(counts["killed"]), (status, words, errors)
    names = counts.keys() - {"ended", "killed", "lost"}
    assert names <= usual and (usual is FAILING or counts["lost"] == "0"), words


def storm_alone(guest):
    storm(guest, "--seconds 40")


def storm_suspend(guest):
    storm(guest, "--seconds 30", """
        echo 1 >/sys/module/suspend/parameters/pm_test_delay
        echo devices >/sys/power/pm_test
        for i in 1 2 3 4 5; do sleep 3; echo mem >/sys/power/state || echo "suspended=no"; done
        echo none >/sys/power/pm_test""")


def storm_unplug(guest):
    control = Control(guest.device.control)

    def disturb():
        for _ in range(2):
            time.sleep(3)
            unplug(guest.device, control)

    storm(guest, "--seconds 60", disturb=disturb)


def storm_bind(guest):
    where = "/sys/bus/virtio/drivers/virtio_vaccel"
    storm(guest, "--seconds 30", f"""
        name=$(basename {where}/virtio*)
        for i in 1 2 3 4 5 6 7 8; do sleep 2; echo $name >{where}/unbind; echo $name >{where}/bind; done
        test -c /dev/accel0 || echo gone=1""")


def storm_reset(guest):
    """Some chains come back so late that the driver resets the device meanwhile."""
    guest.sh("echo 1 >/sys/module/virtio_vaccel/parameters/reset_after")
    guest.device.longest = 4
    storm(guest, "--seconds 30")
    guest.device.longest = 0.2
    guest.sh("echo 30 >/sys/module/virtio_vaccel/parameters/reset_after")


def storm_failing(guest):
    """Allocations fail by chance."""
    guest.sh(FAIL_ALL.format(percent=3))
    storm(guest, "--seconds 30 --failing", usual=FAILING)
    guest.sh(FAIL_ALL.format(percent=0))


def each_allocation_fails(guest):
    """Whichever allocation or copy of an open and a call fails, the call does, or goes on without it."""
    guest.sh(FAIL_ALL.format(percent=0))
    guest.device.answer = lambda _, chain: answer_well(chain)
    for size in 8, 9000, 1 << 20:
        status, words, errors = guest.machine.run(f"storm --nth {size}", MOST)
        print(f"  {words.strip()}", flush=True)
        assert not status and not errors and len(words.splitlines()) == 1, (status, words, errors)
        assert not re.search("(ENOMEM|EFAULT)=0", words)


def each_allocation_of_probe_fails(guest):
    """The device is bound, or it is not, and then can be."""
    guest.sh(FAIL_ALL.format(percent=0))
    where = "/sys/bus/virtio/drivers/virtio_vaccel"
    status, words, errors = guest.machine.run(f"""
        exec 2>/dev/null
        name=$(basename {where}/virtio*)
        failed=0 nth=0 left=0
        while [ $left = 0 ]; do
            nth=$((nth + 1))
            echo $name >{where}/unbind
            echo $nth >/proc/self/fail-nth
            echo $name >{where}/bind
            read left </proc/self/fail-nth || left=0
            echo 0 >/proc/self/fail-nth
            test -e {where}/$name || failed=$((failed + 1))
        done
        echo tried=$nth failed=$failed
        test -c /dev/accel0""", MOST)
    print(f"  {words.strip()}", flush=True)
    assert not status and "failed=0" not in words, (status, words, errors)


def no_large_allocation(guest):
    """Nothing of more than 64 KiB has to be contiguous, however large the call."""
    guest.device.answer = lambda _, chain: answer_well(chain)
    status, words, errors = guest.machine.run("""
        mount -t tracefs none /sys/kernel/tracing 2>/dev/null
        cd /sys/kernel/tracing
        echo 'order > 0' >events/kmem/mm_page_alloc/filter
        echo 1 >options/event-fork
        echo $$ >set_event_pid
        echo 1 >events/kmem/mm_page_alloc/enable
        accel --in 30000000 --out 30000000 --pieces 256
        echo 0 >events/kmem/mm_page_alloc/enable
        grep -c . trace
        grep accel trace""", MOST)
    orders = [int(order) for order in re.findall(r"mm_page_alloc: .* order=(\d+)", words)]
    print(f"  orders: {sorted(set(orders))}", flush=True)
    assert "error=0 code=0" in words and orders and max(orders) <= 4, (status, words, errors)


def no_lock_held(guest):
    """Calls that wait, for an answer, for others to be gathered, or for what they have canceled, hold no lock."""
    kept, answering = [], False

    def keep(_, chain):
        if answering or chain.type == CLOSE:
            answer_well(chain)
        else:
            kept.append(chain)

    guest.device.answer = keep
    before = len(guest.machine.words())
    guest.machine.start("""
        echo 4 >/proc/sys/kernel/printk
        accel --in 8 --out 16 --processes 2 &
        accel --in 20000000 --pieces 200 --processes 6 &
        accel --in 8 --timeout-ms 200 &
        until [ $(grep -l 'State:.D' $(grep -l 'Name:.accel' /proc/[0-9]*/status) | grep -c .) = 9 ]; do
            usleep 100000
        done 2>/dev/null
        echo d >/proc/sysrq-trigger
        echo listed
        wait""")
    end = "=============="
    until(lambda: end in guest.machine.words()[before:].partition("Showing all locks held")[2])
    answering = True
    for chain in kept:
        answer_well(chain)
    status, words, errors = guest.machine.finish(MOST)
    listed = guest.machine.words()[before:].partition("Showing all locks held")[2].partition(end)[0]
    assert "listed" in words and re.search(r"held by (?!accel)", listed), (words, listed)
    assert "held by accel" not in listed, listed


def until(condition):
    end = time.monotonic() + MOST
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def run_all(guest, tests):
    began = time.monotonic()
    for test in tests:
        assert run_one(guest, test)
        faults = guest.machine.faults()
        assert not faults, faults
    guest.machine.check()
    print(f"no complaint, and nothing lost ({time.monotonic() - began:.0f} s)", flush=True)


def driver(directory, image, tests):
    """What the driver is tested for in every kernel."""
    guests = []
    with Backend(directory / "device", lambda *arguments: guests[0].answer(*arguments), readable=1 << 25) as device, \
            Machine(directory, image, [device], cpus=2, memory="1G", kasan=True) as machine:
        guests.append(Guest(machine, device))
        run_all(guests[0], tests)


def storms(directory, image, tests):
    with Moody(directory / "device", segments=ENTRIES) as device, \
            Machine(directory, image, [device], cpus=4, memory="1G", kasan=True) as machine:
        run_all(Guest(machine, device), tests)


STORMS = [
    each_allocation_fails, each_allocation_of_probe_fails, no_large_allocation, no_lock_held, storm_alone,
    storm_failing, storm_reset, storm_suspend, storm_bind, storm_unplug,
]


def chosen(tests, names):
    return [test for test in tests if not names or test.__name__ in names]


def main():
    module, accel, storm_program, *names = sys.argv[1:]
    if not_there := missing():
        print(f"SKIP: not fetched: {' '.join(not_there)}; tools/vm/fetch gets what machines are run with")
        sys.exit(77)
    subprocess.run([TOP / "tools/vm/module", "--for", "kasan", module], check=True)
    test_driver.PATIENCE = 300
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        image, empty = directory / "image", directory / "opt"
        empty.mkdir()
        (empty / "README").write_text("nothing is installed here\n")
        make_image(empty, image, modules=[str(pathlib.Path(module).resolve())], kasan=True,
                   add=[(accel, "bin/accel"), (storm_program, "bin/storm")])
        for run, tests in (driver, test_driver.TESTS), (storms, STORMS):
            if tests := chosen(tests, names):
                run(directory, image, tests)


if __name__ == "__main__":
    main()
