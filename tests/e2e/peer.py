# SPDX-License-Identifier: Apache-2.0
"""A client that says whatever a test has it say, by docs/protocol.md alone."""

import json
import socket

from world import HERE, PATIENCE

import codec
from patient import connect_patiently

VECTORS = json.loads((HERE.parent / "wire/vectors.json").read_text())
SIGNATURES = {v["signature"].split(":")[0]: v["signature"] for v in VECTORS if "signature" in v}
NUMBERS = {v["signature"].split(":")[0]: v["frame"]["op"] for v in VECTORS if v.get("form") == "request"}
SIGNATURES["exec_with_resource"] = ("exec_with_resource: IN RESOURCE LIB library NONE; IN TEXT char symbol NONE; "
                                    "IN ARGS arg read OPTIONAL; INOUT ARGS arg write OPTIONAL;")
NUMBERS["exec_with_resource"] = 2
KIND = {name: i + 1 for i, name in enumerate(codec.KINDS)}
OK, EINVAL, ENAMETOOLONG, EPERM, ENOSPC, EACCES, ESESS, EDQUOT = 0, 1, 12, 14, 17, 20, 27, 30


class Ended(Exception):
    """The agent has closed the connection."""


class Peer:
    def __init__(self, address, source=None, tls=None):
        if isinstance(address, str):
            self.socket = connect_patiently(address, PATIENCE)
        else:
            self.socket = socket.create_connection(address, PATIENCE, source and (source, 0))
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.request = self.epoch = 0
        self.token = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def frame(self, kind, **fields):
        return codec.frame_pack({
            "kind": KIND[kind], "op": 0, "request": 0, "session": 0, "epoch": 0, "status": 0,
            "head_size": 0, "payload_size": 0,
        } | fields)

    def message(self, kind, op, within=0, **arguments):
        self.request += 1
        head, payload = codec.encode({
            "signature": SIGNATURES[op], "form": "request", "arguments": arguments,
        })
        return self.frame(
            kind, op=0 if op == "hello" else NUMBERS[op], request=self.request, session=within,
            epoch=self.epoch, head_size=len(head), payload_size=len(payload),
        ) + head + payload

    def send(self, data, fds=()):
        try:
            if fds:
                sent = socket.send_fds(self.socket, [data], fds)
                data = data[sent:]
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Ended from error

    def receive(self, size):
        data = b""
        while len(data) < size:
            try:
                more = self.socket.recv(size - len(data))
            except ConnectionResetError as error:
                raise Ended from error
            if not more:
                raise Ended
            data += more
        return data

    def answer(self, op):
        """Status, and the arguments of a reply or the words of a failure."""
        frame = codec.frame_unpack(self.receive(codec.FRAME.size))
        head, payload = self.receive(frame["head_size"]), self.receive(frame["payload_size"])
        assert frame["request"] == self.request, frame
        form = "failure" if frame["status"] else "reply"
        words, arguments = codec.decode({"signature": SIGNATURES[op], "form": form}, head, payload)
        return frame["status"], words if frame["status"] else arguments

    def statuses(self, nr):
        """Of as many answers, in whatever order they come, by the request's number."""
        found = {}
        for _ in range(nr):
            frame = codec.frame_unpack(self.receive(codec.FRAME.size))
            self.receive(frame["head_size"] + frame["payload_size"])
            assert frame["kind"] == KIND["REPLY"] and frame["request"] not in found, frame
            found[frame["request"]] = frame["status"]
        return found

    def ask(self, op, within=0, fds=(), **arguments):
        self.send(self.message("CALL", op, within, **arguments), fds)
        return self.answer(op)

    def hello(self, token=None, epoch=0, bearer=None):
        self.send(self.message(
            "HELLO", "hello", version=1, program="peer", token=token, bearer=bearer, epoch=epoch, ops=[],
        ))
        status, said = self.answer("hello")
        if not status:
            self.token, self.epoch = said["client"], said["now"]
        return status, said

    def ping(self):
        self.request += 1
        self.send(self.frame("PING", request=self.request))
        answer = codec.frame_unpack(self.receive(codec.FRAME.size))
        assert answer["kind"] == KIND["PONG"] and answer["request"] == self.request, answer

    def is_over(self):
        """Waits for the agent to close the connection."""
        try:
            while True:
                self.receive(1)
        except Ended:
            return True

    def must(self, op, within=0, fds=(), **arguments):
        status, said = self.ask(op, within, fds, **arguments)
        assert status == OK, f"{op}: {said}"
        return said

    def session(self):
        return self.must("session_open", hint=0)["session"]


def connect(address, **hello):
    peer = Peer(address)
    status, said = peer.hello(**hello)
    assert status == OK, said
    return peer
