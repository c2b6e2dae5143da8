#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The driver in kernel/ in a guest, with a device of ours that answers well, badly, late and never.

usage: test_driver.py MODULE ACCEL [TEST]...

MODULE is virtio_vaccel.ko, which is built first if need be, ACCEL the program of accel.c.
"""

import contextlib
import os
import pathlib
import queue
import re
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parents[1] / "tools/vm")]

from backend import (  # noqa: E402
    BAD, BEGIN, BUSY, CANCEL, CANCELED, CLOSE, ECHO, END, FETCH, GOAWAY, GONE, MESSAGE, MORE, NOSPACE, OK, ROOM,
    STALE, Backend, pattern,
)
from image import make_image  # noqa: E402
from machine import Machine, missing  # noqa: E402

PATIENCE = 20  # seconds that a chain may take to come
SEGMENTS = 126  # of a ring of 128, two of which are left for CANCEL

# Until so many threads of the guest's sleep in ioctl(), which is 16 on x86_64, 29 on arm64.
ALL_IN_IOCTL = "until [ $(cat /proc/[0-9]*/task/*/syscall 2>/dev/null | grep -c '^16 \\|^29 ') = {} ]; do :; done"


def answer_well(chain):
    """What a device without faults does; its answers fill all the room there is."""
    if chain.type == ECHO:
        data = chain.data[:chain.room]
        chain.back(used=len(data), data=data)
    elif chain.type == MESSAGE and chain.flags & (END | ROOM):
        at = chain.offset if chain.flags & ROOM else 0
        more = at + chain.room < chain.all_writable
        chain.back(flags=MORE if more else 0, used=0 if chain.flags & ROOM else chain.all_writable,
                   data=pattern(chain.room, at))
    else:
        chain.back()


class Guest:
    """A machine with the driver, and the chains that come from it."""

    def __init__(self, machine, device):
        self.machine, self.device = machine, device
        self.forget()

    def forget(self):
        self.chains = queue.Queue()
        self.well = True

    def answer(self, _, chain):
        self.chains.put(chain)
        if self.well:
            answer_well(chain)

    def take(self, kind=None):
        """The next chain, or the next of a type."""
        while True:
            chain = self.chains.get(timeout=PATIENCE)
            if kind in (None, chain.type):
                return chain

    def sh(self, script, patience=PATIENCE):
        status, output, errors = self.machine.run(script, patience)
        return status, output + errors

    def finish(self):
        """What a script that was started has said of its calls, each as a dictionary."""
        return [dict(word.split("=") for word in line.split())
                for line in self.machine.finish(PATIENCE)[1].splitlines() if "=" in line]

    def call(self, *words):
        self.start(*words)
        return self.finish()[0]

    def start(self, *words):
        self.machine.start("accel " + " ".join(map(str, words)))

    def log(self):
        """What the kernel has said since the last time; it must have no complaint."""
        words = self.sh("dmesg -c")[1]
        assert not re.search("WARNING|BUG:|wrong timeout", words), words
        return words

    def bind_anew(self):
        where = "/sys/bus/virtio/drivers/virtio_vaccel"
        status, words = self.sh(f"""
            name=$(basename {where}/virtio*)
            echo $name >{where}/unbind
            echo $name >{where}/bind
            test -c /dev/accel0""")
        assert status == 0, words


def expect(result, **wanted):
    found = {name: result.get(name) for name in wanted}
    assert found == {name: str(value) for name, value in wanted.items()}, result


def in_pieces(guest):
    """Whatever memory the bytes are in, the device reads them, and writes them, in their order."""
    expect(guest.call("--info", "--in", 1), version=1, features=1, queues=2, segments=SEGMENTS)
    for words in ("--in 1 --out 1", "--in 4096 --out 4097 --skew 1", "--in 70000 --out 70000 --pieces 16 --skew 4095",
                  "--in 5000 --out 3 --pieces 50", "--out 9", "--in 8"):
        guest.forget()
        result = guest.call(words)
        chain = guest.take()
        assert (chain.type, chain.flags, chain.offset) == (MESSAGE, BEGIN | END, 0)
        assert chain.data == pattern(chain.all_readable)
        assert chain.room == chain.all_writable, (words, chain.segments, chain.room)
        expect(result, error=0, code=0, used=chain.room, right=1)
        assert guest.take().type == CLOSE


def echo(guest):
    expect(guest.call("--echo --in 300 --out 200"), error=0, used=200, right=1)
    expect(guest.call("--echo --in 3000000 --out 200 --pieces 200"), error="E2BIG")
    assert guest.take(ECHO).size == 300


def from_32_bits(guest):
    """A program of 32 bits makes the same calls with the same structs."""
    assert guest.sh("test -e /bin/accel32")[0] or guest.sh("accel32") == (0, "")


def who_calls(guest):
    for _ in range(2):
        guest.call("--in 8 --lock-kib 64")
    first, second = guest.take(MESSAGE), guest.take(MESSAGE)
    assert first.uid == 65534 and first.pid not in (0, second.pid)
    assert second.file > first.file and second.request > first.request


def several_chains(guest):
    """A request that is larger than a chain comes in several, those of two not mixed on a queue."""
    guest.start("--in 3000000 --out 100000 --pieces 200 --processes 3 --timeout-ms 20000")
    for result in guest.finish():
        expect(result, error=0, code=0, used=100000, right=1)
    gathered, complete = {}, 0
    while complete < 3:
        chain = guest.take(MESSAGE)
        if chain.flags & ROOM:
            continue
        request, have = gathered.get(chain.queue, (chain.request, b""))
        assert bool(chain.flags & BEGIN) == (not have)
        assert (chain.request, chain.offset) == (request, len(have))
        assert chain.segments <= SEGMENTS and (chain.flags & END or not chain.room)
        gathered[chain.queue] = request, have + chain.data
        if chain.flags & END:
            assert gathered.pop(chain.queue)[1] == pattern(3000000)
            complete += 1


def more_room(guest):
    """An answer that is larger than the room of a chain comes in several, without holes."""
    expect(guest.call("--in 8 --out 2000000 --pieces 250"), error=0, used=2000000, right=1)
    first = guest.take()
    assert (first.flags, first.offset, first.all_writable) == (BEGIN | END, 0, 2000000)
    have, chains = first.room, 1
    while (chain := guest.take()).type == MESSAGE:
        assert (chain.flags, chain.offset, chain.size) == (ROOM, have, 0)
        have, chains = have + chain.room, chains + 1
    assert have == 2000000 and chains >= 3


def no_space(guest):
    guest.well = False
    guest.start("--in 8 --out 16")
    guest.take().back(NOSPACE, wanted=5000)
    result = guest.finish()[0]
    expect(result, error=0, code=NOSPACE, wanted=5000, used=0)
    guest.take(CLOSE).back()
    guest.start("--fetch --out 5000 --request", result["request"])
    chain = guest.take()
    assert chain.flags == BEGIN | END | FETCH and chain.request == int(result["request"])
    answer_well(chain)
    expect(guest.finish()[0], error=0, used=5000, right=1)


def codes(guest):
    guest.well = False
    for code, error in (STALE, 0), (BUSY, 0), (GONE, 0), (CANCELED, 0), (BAD, "EPROTO"):
        guest.start("--in 8 --out 16")
        guest.take(MESSAGE).back(code)
        expect(guest.finish()[0], error=error, code=code)


def early_refusal(guest):
    """A request refused by its first chain sends no more, and nothing hangs."""
    guest.well = False
    guest.start("--in 20000000 --pieces 256")
    first = guest.take()
    first.back(BUSY)
    while (chain := guest.take()).type == MESSAGE:
        assert chain.request == first.request
        chain.back(BUSY)
    expect(guest.finish()[0], error=0, code=BUSY)
    assert chain.type == CLOSE


def go_away(guest):
    guest.well = False
    guest.start("--in 8 --out 16 --poll")
    guest.take().back(flags=GOAWAY)
    call, poll = guest.finish()
    expect(call, error=0, flags=1)
    expect(poll, **{"in": 1, "out": 1, "rdhup": 1, "hup": 0})


def go_away_to_who_waits(guest):
    """poll() returns with the answer that says so."""
    guest.well = False
    guest.machine.start("""
        accel --in 8 --out 16 --await &
        until cat $(pidof accel | sed 's:[0-9][0-9]*:/proc/&/task/*/syscall:g') 2>/dev/null | grep -q '^7 \\|^73 '; do :; done
        accel --echo --in 8
        wait""")
    chain, echo = guest.take(MESSAGE), guest.take(ECHO)
    echo.back()
    chain.back(flags=GOAWAY)
    results = guest.finish()
    expect(next(result for result in results if "rdhup" in result), **{"in": 1, "hup": 0})
    assert sorted(result["flags"] for result in results if "flags" in result) == ["0", "1"]


def locked_memory(guest):
    """What a process may not pin at once travels in more chains."""
    expect(guest.call("--in 300000 --out 10000 --lock-kib 64"), error=0, used=10000, right=1)
    sizes = []
    while (chain := guest.take()).type == MESSAGE:
        sizes.append(chain.size)
    # It leaves as much to other calls.
    assert max(sizes) == 32 * 1024 and sum(sizes) == 300000
    expect(guest.call("--in 8 --lock-kib 0"), error="ENOMEM")
    guest.sh("echo 1 >/sys/module/virtio_vaccel/parameters/pinned_max")
    expect(guest.call("--in 30000000 --out 10000 --huge"), error=0, used=10000, right=1)
    guest.sh("echo 256 >/sys/module/virtio_vaccel/parameters/pinned_max")
    status, pinned = guest.sh("grep -h VmPin /proc/self/status")
    assert status == 0 and pinned.split()[1] == "0"


def locked_by_others(guest):
    """Calls for which the process can pin nothing more just then wait for the others', as far as they have the time."""
    guest.start("--in 300000 --out 10000 --lock-kib 64 --threads 16")
    results = guest.finish()
    assert len(results) == 16
    for result in results:
        expect(result, error=0, used=10000, right=1)

    guest.forget()
    guest.well = False
    guest.start("--in 8 --lock-kib 4 --threads 2 --timeout-ms 2000")
    chain, cancel = guest.take(), guest.take()
    assert cancel.request == chain.request, "two have a page, though there is but one"
    guest.well = True
    cancel.back()
    chain.back(CANCELED)
    assert {result["error"] for result in guest.finish()} <= {"ETIMEDOUT", "0"}


def locked_for_long(guest):
    """What a process has pinned by other means, no call waits for; but for other calls, which take turns."""
    for kib in 64, 68:
        expect(guest.call("--in 8 --lock-kib 64 --fixed-kib", kib), error="ENOMEM")
    guest.start("--in 8 --out 16 --lock-kib 72 --fixed-kib 64 --threads 16 --repeat 20")
    results = guest.finish()
    assert len(results) == 320
    for result in results:
        expect(result, error=0, used=16, right=1)


def unlocked_in_silence(guest):
    """A call that waits notices that it may pin more, though no other has given anything back."""
    guest.well = False
    guest.machine.start(f"""
        cd /sys/module/virtio_vaccel/parameters
        echo 1 >pinned_max
        accel --out 600000 --threads 16 &
        {ALL_IN_IOCTL.format(16)}
        echo 256 >pinned_max
        wait""")
    chains = [guest.take(MESSAGE) for _ in range(16)]
    guest.well = True
    assert len({chain.request for chain in chains}) == 16
    for chain in chains:
        answer_well(chain)
    for result in guest.finish():
        expect(result, error=0, used=600000, right=1)


def bad_arguments(guest):
    expect(guest.call("--in 8 --out 16 --read-only"), error="EFAULT")
    expect(guest.call("--in 34000000"), error="E2BIG")
    expect(guest.call("--fetch --in 8 --request 1"), error="EINVAL")
    expect(guest.call("--fetch --echo --out 8 --request 1"), error="EINVAL")
    assert guest.chains.empty() or guest.take().type == CLOSE


def deadline(guest):
    """A call whose time is over is canceled, and returns once the device has given it back."""
    guest.well = False
    guest.start("--in 8 --out 16 --timeout-ms 300")
    chain, cancel = guest.take(), guest.take()
    assert 0 < chain.timeout_ns <= 300e6
    assert (cancel.type, cancel.file, cancel.request) == (CANCEL, chain.file, chain.request)
    cancel.back()
    time.sleep(1)
    chain.back(CANCELED)
    result = guest.finish()[0]
    expect(result, error="ETIMEDOUT")
    assert int(result["ms"]) >= 1000

    # One that was done just then is done.
    guest.start("--in 8 --out 16 --timeout-ms 300")
    chain = guest.take(MESSAGE)
    guest.take(CANCEL).back()
    answer_well(chain)
    expect(guest.finish()[0], error=0, used=16, right=1)


def deadline_of_parts(guest):
    """One that never came whole is canceled too."""
    guest.well = False
    guest.start("--in 3000000 --pieces 256 --timeout-ms 300")
    parts = [guest.take(), guest.take()]
    cancel = guest.take(CANCEL)
    assert cancel.request == parts[0].request
    cancel.back()
    for part in parts:
        part.back()
    expect(guest.finish()[0], error="ETIMEDOUT")
    guest.take(CLOSE).back()
    guest.well = True
    expect(guest.call("--in 3000000 --pieces 256 --out 8"), error=0, used=8)


def killed(guest):
    guest.well = False
    guest.start("--in 8 --out 16 --kill-ms 2000")
    chain, cancel = guest.take(), guest.take()
    assert cancel.type == CANCEL
    cancel.back()
    time.sleep(0.5)
    assert guest.chains.empty(), "closed before the call was back"
    chain.back(CANCELED)
    assert "killed by 9" in guest.machine.finish(PATIENCE)[1]
    assert guest.take().type == CLOSE


def silent(guest):
    """A device that does not even answer ECHO is lost, and what it has stays its own until it gives it back."""
    guest.well = False
    guest.start("--in 8 --out 16 --patience-ms 900 --leave --poll")
    chain, probe, cancel = guest.take(), guest.take(), guest.take()
    assert (chain.type, probe.type, probe.flags, probe.size, probe.room) == (MESSAGE, ECHO, BEGIN | END, 0, 0)
    assert (cancel.type, cancel.request) == (CANCEL, chain.request)
    result, poll = guest.finish()
    expect(result, error="EHOSTDOWN", flags=4)
    expect(poll, hup=0, out=1)
    assert int(result["ms"]) >= 900
    cancel.back()
    answer_well(chain)
    time.sleep(0.3)
    assert guest.chains.empty(), "closed before all was back"
    probe.back()
    assert guest.take().type == CLOSE


def silent_and_wanted(guest):
    """Whose memory must not be left waits for the reset."""
    guest.well = False
    guest.sh("echo 1 >/sys/module/virtio_vaccel/parameters/reset_after")
    guest.start("--in 8 --out 16 --patience-ms 900")
    result = guest.finish()[0]
    expect(result, error="EHOSTDOWN", flags=0)
    assert int(result["ms"]) >= 1900
    assert "resetting the device" in guest.log()
    guest.sh("echo 30 >/sys/module/virtio_vaccel/parameters/reset_after")


def slow_but_alive(guest):
    """As long as ECHO comes back, a call may take its time."""
    guest.well = False
    guest.start("--in 8 --out 16 --patience-ms 900 --leave")
    chain = guest.take(MESSAGE)
    for _ in range(4):
        guest.take(ECHO).back()
    answer_well(chain)
    expect(guest.finish()[0], error=0, used=16, flags=0, right=1)

    # An answer that comes before ECHO does is one, and its memory is back.
    guest.forget()
    guest.well = False
    guest.start("--in 8 --out 16 --patience-ms 900 --leave")
    chain, probe = guest.take(MESSAGE), guest.take(ECHO)
    answer_well(chain)
    expect(guest.finish()[0], error=0, used=16, flags=0, right=1)
    probe.back()
    assert guest.take().type == CLOSE


def left_at_the_end(guest):
    """A call that may be left ends with its program, or soon after its deadline."""
    guest.well = False
    guest.start("--in 3000000 --out 16 --pieces 250 --kill-ms 3000 --patience-ms 600000 --leave")
    assert "killed by 9" in guest.machine.finish(PATIENCE)[1]
    held = []
    while (chain := guest.take()).type != CANCEL:
        held.append(chain)
    for chain in [*held, chain]:
        chain.back(CANCELED if chain in held else OK)
    assert guest.take().type == CLOSE
    guest.start("--in 8 --out 16 --timeout-ms 300 --patience-ms 300 --leave")
    expect(guest.finish()[0], error="ETIMEDOUT", flags=4)
    chain = guest.take(MESSAGE)
    guest.take(CANCEL).back()
    # What is still left when the module goes is given back by that.
    status, words = guest.sh("rmmod virtio_vaccel && insmod /modules/virtio_vaccel.ko")
    assert status == 0, words
    guest.forget()
    expect(guest.call("--in 8 --out 16"), error=0, used=16)


def full_ring(guest):
    """More calls than the rings hold: CANCEL gets through, and all are answered in the end."""
    guest.well = False
    guest.start("--in 8 --out 16 --processes 300 & accel --in 8 --processes 100 --timeout-ms 3000; wait")
    held, canceled = [], 0
    while True:
        try:
            chain = guest.chains.get(timeout=8)
        except queue.Empty:
            break
        if chain.type == CANCEL:
            canceled += 1
            chain.back()
            for other in held:
                if other.request == chain.request:
                    other.back(CANCELED)
            held = [other for other in held if other.request != chain.request]
        elif chain.type == CLOSE:
            chain.back()
        else:
            held.append(chain)
    assert SEGMENTS <= len(held) < 300, (len(held), canceled)
    guest.well = True
    for chain in held:
        answer_well(chain)
    results = guest.finish()
    assert len(results) == 400
    assert sum(result["error"] == "0" for result in results) == 300
    assert sum(result["error"] == "ETIMEDOUT" for result in results) == 100


def many_opens(guest):
    status, words = guest.sh("i=0; while [ $i -lt 10000 ]; do : </dev/accel0 || exit 1; i=$((i+1)); done", 120)
    assert status == 0, words
    expect(guest.call("--in 8"), error=0)
    assert guest.take(MESSAGE).file > 10000


def nonsense(guest):
    """A device that answers nonsense is not used again before it was bound anew."""
    cases = {
        "a length": [{"length": 31}, {"length": 49}, {"length": 1 << 31}],
        "an unknown code": [{"code": 7}, {"code": 1 << 31}],
        "unknown flags": [{"flags": 4}, {"reserved": 1}],
        "more than": [{"flags": MORE}],
        "bytes used in": [{"code": BUSY, "used": 1}],
        "more bytes used": [{"used": 17, "length": 48}, {"used": 16, "length": 47}, {"used": 1 << 63, "length": 48}],
        "bytes wanted": [{"wanted": 1}],
    }
    for words, answers in cases.items():
        for answer in answers:
            guest.well = False
            guest.log()
            guest.start("--in 8 --out 16 --poll")
            guest.take(MESSAGE).back(**answer)
            expect(guest.finish()[0], error="EPROTO")
            log = guest.log()
            assert f"answers with {words}" in log, log
            assert "bind the driver anew" in log
            guest.bind_anew()
    guest.forget()
    expect(guest.call("--in 8 --out 16"), error=0, used=16)


def broken_ring(guest):
    """Nor is one that gives back an entry out of its ring, or one that it does not have; the calls that it has end."""
    for wrong in 4096, 5:
        guest.well = False
        guest.log()
        guest.start("--in 8 --out 16 --poll")
        chain = guest.take(MESSAGE)
        chain.queue.give_back(chain.head ^ wrong, 32)
        call, poll = guest.finish()
        expect(call, error=0, code=STALE, flags=0)
        expect(poll, hup=1)
        assert "answers with an entry of its ring that is none" in guest.log()
        guest.bind_anew()
    guest.forget()
    expect(guest.call("--in 8 --out 16"), error=0, used=16)


def never_back(guest):
    """A device that does not even give back what is canceled is reset; files opened then work."""
    guest.well = False
    guest.sh("echo 1 >/sys/module/virtio_vaccel/parameters/reset_after")
    guest.log()
    guest.start("--in 8 --out 16 & sleep 1; accel --in 8 --out 16 --timeout-ms 200 --poll; wait")
    results = guest.finish()
    assert sorted(r["error"] for r in results if "error" in r) == ["0", "ETIMEDOUT"], results
    assert [r["code"] for r in results if r.get("error") == "0"] == [str(STALE)]
    assert [r["hup"] for r in results if "hup" in r] == ["1"]
    assert "resetting the device" in guest.log()
    guest.sh("echo 30 >/sys/module/virtio_vaccel/parameters/reset_after")
    guest.forget()
    expect(guest.call("--in 8 --out 16"), error=0, used=16)


def suspend(guest):
    """What is under way when the machine suspends is STALE; new files work after it."""
    guest.well = False
    guest.machine.start("""
        accel --in 8 --out 16 --poll &
        sleep 1
        echo devices >/sys/power/pm_test
        echo mem >/sys/power/state || echo "suspended=no"
        wait""")
    call, poll = guest.finish()
    expect(call, error=0, code=STALE)
    expect(poll, hup=1)
    guest.forget()
    expect(guest.call("--in 8 --out 16"), error=0, used=16)


def in_use(guest):
    """The module stays as long as a file is open."""
    status, words = guest.sh("exec 9</dev/accel0; rmmod virtio_vaccel 2>&1 && echo unloaded; exec 9<&-")
    assert "temporarily unavailable" in words and "unloaded" not in words, words


def unplugged(guest):
    """A call under way fails; the node is gone; the file can still be asked, and closed."""
    guest.well = False
    guest.log()
    guest.machine.start("""
        accel --in 8 --out 16 --repeat 2 --poll &
        sleep 1
        path=$(readlink -f /sys/class/misc/accel0/device/..)
        echo 1 >$path/remove
        wait
        test -e /dev/accel0 && echo "error=still"
        echo 1 >/sys/bus/pci/rescan; sleep 1""")
    first, second, poll = guest.finish()
    expect(first, error="ENODEV")
    expect(second, error="ENODEV")
    expect(poll, hup=1)
    guest.forget()
    expect(guest.call("--in 8 --out 16"), error=0, used=16)


def unloaded(guest):
    status, words = guest.sh("rmmod virtio_vaccel && ! test -e /dev/accel0 && insmod /modules/virtio_vaccel.ko")
    assert status == 0, words
    expect(guest.call("--in 8 --out 16"), error=0, used=16)


TESTS = [
    in_pieces, echo, from_32_bits, who_calls, several_chains, more_room, no_space, codes, early_refusal, go_away,
    go_away_to_who_waits, locked_memory,
    locked_by_others, locked_for_long, unlocked_in_silence, bad_arguments, deadline, deadline_of_parts, killed, silent,
    silent_and_wanted, slow_but_alive, left_at_the_end, full_ring, many_opens, nonsense, broken_ring, never_back, suspend, in_use,
    unplugged, unloaded,
]


def run_one(guest, test):
    guest.forget()
    began = time.monotonic()
    try:
        test(guest)
        assert guest.device.failure is None, guest.device.failure
        guest.log()
        verdict = "ok"
    except Exception:
        traceback.print_exc()
        verdict = "FAILED"
    print(f"{test.__name__}: {verdict} ({time.monotonic() - began:.1f} s)", flush=True)
    return verdict == "ok"


def two_devices(directory, image):
    """A page that a call by one device gives back is there for one by another."""
    guests = []
    with contextlib.ExitStack() as stack:
        devices = [
            stack.enter_context(
                Backend(directory / name, lambda *arguments: guests[0].answer(*arguments), name=name))
            for name in ("first", "second")
        ]
        machine = stack.enter_context(Machine(directory, image, devices))
        guests.append(guest := Guest(machine, devices[0]))
        guest.well = False
        guest.machine.start(f"""
            accel --in 8 --lock-kib 4 --threads 2 --devices 2 &
            {ALL_IN_IOCTL.format(2)}
            accel --echo --in 8
            wait""")
        chain, echo = guest.take(MESSAGE), guest.take(ECHO)
        answer_well(chain)
        guest.take(MESSAGE).back()
        guest.well = True
        echo.back()
        results = guest.finish()
        assert len(results) == 3
        for result in results:
            expect(result, error=0)


def boundless(directory, image):
    """A device that takes any number of bytes gets none that are none, and whoever offers them goes on."""
    with Backend(directory / "device", lambda *_: None, readable=2**64 - 1, writable=2**64 - 1) as device, \
            Machine(directory, image, [device]) as machine:
        guest = Guest(machine, device)
        for direction in "in", "out":
            expect(guest.call(f"--{direction} {2**64 - 1} --nowhere"), error="E2BIG")
            expect(guest.call(f"--{direction} {2**56} --nowhere"), error="EFAULT")


def refused(directory, image):
    """Devices that are none of ours, or too new, say so, and there is no node."""
    cases = {
        "no device of vaccel's": {"magic": 0},
        "is of version 2": {"version": 2},
        "limits are below": {"segments": 3},
        "too few entries": {"entries": 4},
    }
    for words, settings in cases.items():
        with Backend(directory / "device", lambda *_: None, **settings) as device, \
                Machine(directory, image, [device]) as machine:
            status, log, _ = machine.run("test -e /dev/accel0 && echo there; dmesg")
            assert words in log and "there\n" not in log, log


def main():
    module, accel, *names = sys.argv[1:]
    if not_there := missing():
        print(f"SKIP: not fetched: {' '.join(not_there)}; tools/vm/fetch gets what machines are run with")
        sys.exit(77)
    if "VM_LINUX" not in os.environ:
        subprocess.run([HERE.parents[1] / "tools/vm/module", module], check=True)
    tests = [test for test in TESTS if not names or test.__name__ in names]
    if suspend in tests and os.environ.get("VM_LINUX") == "newest":
        tests.remove(suspend)
        print("suspend: not run, since the port by which a guest is talked to does not come back in 7.3")
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        image = directory / "image"
        empty = directory / "opt"
        empty.mkdir()
        (empty / "README").write_text("nothing is installed here\n")
        programs = [(accel, "bin/accel")]
        if (accel32 := pathlib.Path(accel).with_name("accel32")).exists():
            programs.append((accel32, "bin/accel32"))
        else:
            print("from_32_bits: not run, since this compiler makes no programs of 32 bits")
        make_image(empty, image, modules=[str(pathlib.Path(module).resolve())], add=programs)
        guests = []
        with Backend(directory / "device", lambda *arguments: guests[0].answer(*arguments),
                     readable=1 << 25) as device, \
                Machine(directory, image, [device], cpus=2) as machine:
            guests.append(Guest(machine, device))
            # After one that failed the machine is in no known state.
            passed = all(run_one(guests[0], test) for test in tests)
        if passed and (not names or "refused" in names):
            refused(directory, image)
            print("refused: ok")
        if passed and (not names or "boundless" in names):
            boundless(directory, image)
            print("boundless: ok")
        if passed and (not names or "two_devices" in names):
            two_devices(directory, image)
            print("two_devices: ok")
    sys.exit(not passed)


if __name__ == "__main__":
    main()
