#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes seeds of the protocol's vectors. fuzz/corpus/message has a file for each, a reply behind its
call; corpus/agent what a client says on a connection; corpus/client what an agent answers there; corpus/vhost what a
virtual machine and its monitor do; corpus/drive what a guest does with a drive; corpus/children what the agent's supervisor hears of its children.

usage: make_seeds.py [--check]     --check makes none, and tells whether those that are there are the same"""

import hashlib
import json
import pathlib
import re
import struct
import sys

TOP = pathlib.Path(__file__).parent
sys.path.insert(0, str(TOP / "../tests/wire"))
import codec  # noqa: E402

CALL, REPLY = 3, 4
CONTROL_FIRST = 256
DATA, MODEL = 1, 2  # types of resources
BYTES = bytes.fromhex("64617461ff")  # what the vectors' resources are made of
LARGE = bytes(range(256)) * 20


def content(name, data, small):
    return {"name": name, "size": len(data), "in_memory": int(name == "data"),
            "sha256": hashlib.sha256(data).hexdigest(), "bytes": data.hex() if small else None}


def put(data, offset, size):
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "offset": offset,
            "bytes": data[offset:offset + size].hex()}


class Vectors:
    def __init__(self):
        self.list = json.loads((TOP / "../tests/wire/vectors.json").read_text())
        self.by_name = {vector["name"]: vector for vector in self.list}

    def bytes(self, name, **changes):
        """The message of that name, with some of its arguments changed."""
        vector = dict(self.by_name[name])
        if "form" not in vector:
            return codec.frame_pack(vector["frame"])
        if changes:
            vector["arguments"] = {**vector["arguments"], **changes}
        head, payload = codec.encode(vector)
        sizes = {"head_size": len(head), "payload_size": len(payload)}
        return codec.frame_pack({**vector["frame"], **sizes}) + head + payload

    def ops(self):
        """All operations that vectors are of, as HELLO and WELCOME list them."""
        signatures = {vector["frame"]["op"]: vector["signature"] for vector in self.list
                      if vector["frame"]["kind"] == CALL and vector["frame"]["op"] < CONTROL_FIRST}
        return [{"number": op, "hash": fnv1a(text)} for op, text in sorted(signatures.items())]

    def pairs(self):
        seeds = {}
        for vector in self.list:
            name = re.sub(r" (call|reply)$", "", vector["name"])
            seeds[name] = seeds.get(name, b"") + self.bytes(vector["name"])
        seeds["exec of nothing"] = self.bytes("exec without arguments call", library=None, symbol=None)
        return seeds

    def each(self, kind, beginning):
        """A conversation for each operation; @beginning is told whether it needs a resource."""
        return {vector["name"]: beginning(" RESOURCE " in vector["signature"])
                + self.bytes(vector["name"]) for vector in self.list
                if vector["frame"]["kind"] == kind and vector["frame"]["op"] < CONTROL_FIRST}


def fnv1a(text):
    value = 0xcbf29ce484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001b3 % 2**64
    return value


def by_client(vectors):
    get = vectors.bytes
    begin = get("first hello") + get("session_open call")
    register = get("resource_register call")

    def offer(kind):
        return get("resource_offer call", type=kind, contents=[content("data", BYTES, True)])

    seeds = vectors.each(CALL, lambda resource: begin + (offer(MODEL) + register if resource else b"")
                         + get("region_expect call") + get("region_add call", read_only=0))
    seeds["resources"] = (
        begin + offer(DATA) + register + get("resource_retype call")
        + get("resource_sync call", content=0, bytes={"room": len(BYTES)})
        + get("resource_unregister call") + get("resource_release call"))
    files = [content("data", BYTES, True), content("sub/x", b"", True), content("large", LARGE, False)]
    directory = get("resource_offer of what the agent lacks call", contents=files)
    seeds["uploads"] = (
        begin + directory + get("content_put call", **put(LARGE, 0, 4096))
        + get("content_put call", **put(LARGE, 4096, 4096)) + directory + register
        + get("resource_release call"))
    seeds["regions"] = (
        begin + get("region_expect call") + get("region_add call")
        + get("region_expect call") + get("region_add call", region=8, read_only=0)
        + get("exec with arguments in a region call") + get("region_drop call")
        + get("exec with arguments in a region call"))
    seeds["mailbox"] = (
        begin + get("region_expect call") + get("region_add call", region=8, size=16384, read_only=0)
        + get("mailbox_open call")
        + get("noop call") + get("ping") + get("noop call"))
    seeds["sessions"] = (
        begin + get("session_update call") + get("ping") + get("cancel") + get("noop call")
        + get("session_close call") + get("a session of an earlier epoch"))
    seeds["hello in a region"] = get("first hello", token={"region": 7, "offset": 0, "size": 16})
    seeds["hello again"] = get("hello of a further connection, after a lost one")
    return seeds


def by_agent(vectors):
    get = vectors.bytes
    welcome = get("its welcome", common=vectors.ops(), spin_us=0)
    begin = welcome + get("session_open reply")
    model = get("resource_offer reply")
    seeds = vectors.each(REPLY, lambda resource: begin + (model if resource else b""))
    lost = get("first hello")  # no agent's to send: the connection ends there
    seeds["resources"] = (
        begin + get("resource_offer of what the agent lacks reply", missing=[0])
        + get("resource_offer reply") + get("resource_sync reply", bytes=BYTES.hex())
        + get("onnx_model_load reply") + get("onnx_model_run reply") + get("resource_release reply"))
    seeds["lost"] = (
        begin + get("noop reply") + lost
        + get("its welcome, with the former worker's fate", common=vectors.ops())
        + get("session_open reply") + get("noop reply"))
    seeds["region"] = begin + get("minmax reply", out={"region": 1, "offset": 32768, "size": 32768})
    seeds["silent"] = begin + get("noop reply") + get("cancel") + get("noop reply") + get("noop reply")
    seeds["mailbox"] = (
        get("its welcome", common=vectors.ops()) + get("mailbox_open reply")
        + get("session_open reply") + get("noop reply") + get("noop reply"))
    seeds["asked and sent away"] = begin + get("ping") + get("noop reply") + get("goaway") + lost + begin
    seeds["refused"] = get("welcome that is none")
    return seeds


def monitor_says(request, body=b"", passed=0):
    return bytes([passed]) + struct.pack("<III", request, 1, len(body)) + body


def by_monitor():
    region = struct.pack("<QQQQ", 0, 1 << 20, 1 << 30, 0)
    begin = (
        b"M" + monitor_says(1) + monitor_says(15) + monitor_says(16, struct.pack("<Q", 0xb209))
        + monitor_says(3) + monitor_says(2, struct.pack("<Q", 0x170000000))
        + monitor_says(5, struct.pack("<II", 1, 0) + region, 1)
        + monitor_says(8, struct.pack("<II", 0, 256)) + monitor_says(10, struct.pack("<II", 0, 0))
        + monitor_says(9, struct.pack("<IIQQQQ", 0, 0, 1 << 30, (1 << 30) + 8192, (1 << 30) + 4096, 0)))
    inflight = struct.pack("<QQHHI", 1 << 20, 0, 2, 256, 0)
    run = monitor_says(12, bytes(8), 1) + monitor_says(13, bytes(8), 1) + monitor_says(18, struct.pack("<II", 0, 1))
    return {
        "monitor": begin + run + monitor_says(11, bytes(8)),
        "monitor and inflight": begin + monitor_says(31, inflight) + monitor_says(32, inflight, 1) + run,
        "monitor and slots": (begin + monitor_says(36) + monitor_says(37, bytes(8) + region.replace(bytes(8), b"\1" * 8), 1)
                              + monitor_says(24, struct.pack("<III", 0, 64, 0) + bytes(64)) + monitor_says(34)),
    }


def guest_memory(*chains):
    """Memory with a queue of eight, and chains of two descriptors: header with bytes, and room."""
    descriptors, available, more = b"", struct.pack("<HH", 0, len(chains)), b""
    for i, (header, message, room) in enumerate(chains):
        readable = struct.pack("<HHIIIQQQQQQ", *header) + message
        at = 1024 + len(more)
        more += readable + bytes(-len(readable) % 1024 + 1024)
        descriptors += struct.pack("<QIHHQIHH", at, len(readable), 1, 2 * i + 1, at + 1024, 32 + room, 2, 0)
        available += struct.pack("<H", 2 * i)
    return descriptors.ljust(256, b"\0") + available.ljust(1024 - 256, b"\0") + more


def by_guest(vectors):
    def message(request, data):
        return (1, 3, 0, 0, 0, 1, request, 0, len(data), 992, 0), data, 992

    hello, call, ping = (vectors.bytes(name) for name in ("first hello", "session_open call", "ping"))
    part = (1, 1, 0, 0, 0, 1, 2, 0, len(call), 992, 0), call[:64], 0
    rest = (1, 2, 0, 0, 0, 1, 2, 64, len(call), 992, 0), call[64:], 900
    fetch = (1, 11, 0, 0, 0, 1, 1, 0, 0, 992, 0), b"", 992
    lost = struct.pack("<QHHHH", 0, 1, 8, 0, 0) + struct.pack("<B5xHQ", 1, 0, 7) + bytes(16) + struct.pack("<B5xHQ", 1, 0, 3)
    return {
        "guest after a lost worker": b"I" + lost.ljust(192, b"\0") + guest_memory(
            message(1, hello), message(2, call), message(3, hello)),
        "guest": guest_memory(message(1, hello), message(2, call), message(3, ping)),
        "guest in parts": guest_memory(message(1, hello), part, rest, fetch),
        "guest that echoes and closes": guest_memory(
            ((4, 3, 0, 0, 0, 1, 1, 0, 5, 992, 0), b"hello", 992),
            ((2, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0), b"", 0), ((3, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0), b"", 0)),
    }


def by_drive():
    def parcel(block, size, sectors_from=0, sectors=0, read=0):
        return struct.pack(">BBHBBB", 1, block, size, read, sectors_from, sectors)

    answer, keep, release, hang_up = b"\6", b"\0\2\1", b"\0\3\0", b"\7\0"
    read = b"\5\0"
    return {
        "calls": parcel(0, 100) + answer + read + parcel(1, 4032, read=1) + answer + b"\5\1" + keep + hang_up,
        "pieces": parcel(0, 20000, 30, 10) + parcel(0, 20000, 8, 22) + parcel(0, 20000, 0, 8) + read + answer
                  + b"\x1d\0" + parcel(0, 20000),
        "ends": b"\0\1\0" + read + parcel(1, 10) + parcel(0, 10) + answer + release + b"\x80\1\0\x0f\7",
        "places": b"\3\1\0\0\2\0\0" + bytes(600) + b"\4\2\0\0\x40\0\xff" + bytes(8),
    }


def by_children():
    monitor, front, worker = 0, 1, 2  # in the order in which they are started
    listed = (TOP / "../agent/base/ipc.h").read_text().split("enum ipc_kind {")[1].split("};")[0]
    kinds = re.findall(r"IPC_(\w+)", re.sub(r"/\*.*?\*/", "", listed, flags=re.DOTALL))
    ready, failed, peer, busy, alive = (
        1 + kinds.index(kind) for kind in ("READY", "FAILED", "PEER", "BUSY", "ALIVE"))

    def says(child, kind, listener=0, passes=0, carrier=b"", name=b"", text=b""):
        parts = b"".join(bytes([len(part)]) + part for part in (carrier, name, text))
        return bytes([0, child, kind, listener, passes]) + parts

    nonsense = b"\1" + bytes([worker, 3]) + b"???"
    connects, connects_to_front, time = b"\4\0", b"\4\1", b"\5"
    begin = says(monitor, ready) + says(front, ready) + connects + says(worker, ready)

    def dies(child, status):
        return bytes([2, child, status])

    return {
        "worker": begin + connects + says(worker, alive) + time + says(worker, alive) + time,
        "worker that dies": begin + connects + says(worker, busy) + dies(worker, 2 * 11 + 1) + time + connects,
        "worker that cannot start": connects + says(worker, failed, text=b"no plugin fits") + dies(worker, 2),
        "worker that is silent": begin + 6 * time,
        "worker that overruns": begin + b"\6\xff\xff\1\1" + says(worker, busy) + time + time,
        "front": begin + connects_to_front + says(front, peer, 2, 2, b"tcp", b"10.0.0.1:1", b"alice") + time,
        "front that lies": begin + b"".join(
            says(front, peer, listener, passes, b"tcp", b"", name)
            for listener in (1, 2, 3) for passes in (0, 2) for name in (b"uid-0", b"fuzz", b"../x", b"")),
        "front that dies": begin + says(front, failed, text=b"no") + time + dies(front, 0) + time + connects_to_front,
        "monitor": begin + b"".join(says(monitor, kind, 1, 2, b"", b"fuzz", b"admin") for kind in range(16)),
        "nonsense": begin + nonsense + time + b"\3\0\1" + time,
    }


def check(directory, files):
    """What is not as it would be made."""
    have = {path.name: path.read_bytes() for path in directory.glob("vector_*")}
    return sorted(name for name in have.keys() | files.keys() if have.get(name) != files.get(name))


def write(directory, files):
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("vector_*"):
        old.unlink()
    for name, data in files.items():
        (directory / name).write_bytes(data)


def main():
    vectors, others = Vectors(), []
    for target, seeds in {
        "message": vectors.pairs(), "agent": by_client(vectors), "client": by_agent(vectors),
        "vhost": by_monitor() | by_guest(vectors), "drive": by_drive(), "children": by_children(),
    }.items():
        files = {"vector_" + re.sub(r"\W+", "_", name): data for name, data in seeds.items()}
        if sys.argv[1:] == ["--check"]:
            others += [f"{target}/{name}" for name in check(TOP / "corpus" / target, files)]
        else:
            write(TOP / "corpus" / target, files)
    if others:
        sys.exit(f"fuzz/make_seeds.py would make others of these in fuzz/corpus: {' '.join(others)}")


if __name__ == "__main__":
    main()
