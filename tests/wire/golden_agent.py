#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An agent that knows the messages of vectors.json and no others: it shows that a program in any language
puts those bytes on the wire, and understands those that come back.

usage: golden_agent.py [--without VECTOR]... COMMAND ARGS...

The command, with @CASES@ replaced by a file, is to make the calls of that file by the plugin `remote`, and to
succeed if the results are right; tests/conform/cases.md says how it looks. TEST_CASES names it as well.
--without: a call that the language cannot say.
"""

import argparse
import errno
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

import codec

VECTORS = json.loads((pathlib.Path(__file__).parent / "vectors.json").read_text())
KIND = {name: i + 1 for i, name in enumerate(codec.KINDS)}
NAMES = "LIB", "DATA", "MODEL"
FIRST_RESOURCE, FIRST_CONTROL = 100, 256
EINVAL = 1
CODES = {5: errno.EBUSY, 14: errno.EPERM, 28: errno.EPROTO}
# Failures, and the calls that they answer; one that has a reply as well has it the first time.
REFUSALS = {
    "exec refused": "exec without arguments call",
    "exec failed": "exec with arguments call",
    "tf_model_run failed": "tf_model_run that fails call",
}
# What no program can say: where its memory comes to lie, and what the library refuses.
UNSAYABLE = ["exec with arguments in a region call", "tf_model_run call"]


def named(name):
    return next(vector for vector in VECTORS if vector["name"] == name)


def turns(without):
    """Calls and what they are answered with, in the order of the cases."""
    names = {vector["name"] for vector in VECTORS if vector["frame"]["op"] < FIRST_CONTROL}
    calls = [vector["name"] for vector in VECTORS
             if vector["name"] in names and vector["frame"]["kind"] == KIND["CALL"]]
    pairs = [(call, call.removesuffix("call") + "reply") for call in calls]
    pairs = [pair for pair in pairs if pair[1] in names]
    pairs += [(call, refusal) for refusal, call in REFUSALS.items()]
    return [(named(call), named(answer)) for call, answer in pairs if call not in UNSAYABLE + without]


def case(call, answer):
    fields = {field.name: field for field in codec.fields_of(call["signature"])}
    args = dict(call["arguments"])
    for name in args:
        if fields[name].kind == "RESOURCE":
            args[name] = {"type": NAMES[args[name] - FIRST_RESOURCE], "bytes": args[name].to_bytes(1, "big").hex()}
    made = {"name": f"{call['name']}, answered by {answer['name']}", "plugin": "remote",
            "op": call["signature"].split(":")[0], "args": args}
    if answer["frame"]["status"]:
        return made | {"code": CODES[answer["frame"]["status"]], "words": answer["words"]}
    return made | {"code": 0, "results": answer["arguments"]}


def message(vector, request):
    """A vector's bytes with another request number, which is all that may differ."""
    return (codec.frame_pack(vector["frame"] | {"request": request}),
            bytes.fromhex(vector["bytes"]["head"]), bytes.fromhex(vector["bytes"]["payload"]))


class GoldenAgent:
    def __init__(self, path, expected):
        self.left = list(expected)
        self.strange = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(path, family=socket.AF_UNIX)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection.makefile("rwb"),), daemon=True).start()

    def serve(self, stream):
        while frame := stream.read(codec.FRAME.size):
            fields = codec.frame_unpack(frame)
            head, payload = stream.read(fields["head_size"]), stream.read(fields["payload_size"])
            stream.write(b"".join(self.answer(fields, (frame, head, payload))))
            stream.flush()

    def answer(self, frame, parts):
        if frame["kind"] == KIND["PING"]:
            return message(named("pong"), frame["request"])
        if frame["kind"] == KIND["HELLO"] or frame["op"] >= FIRST_CONTROL:
            return self.control(frame, parts)
        with self.lock:
            for i, (call, answer) in enumerate(self.left):
                if message(call, frame["request"]) == parts:
                    del self.left[i]
                    return message(answer, frame["request"])
            self.strange.append([part.hex() for part in parts])
        return self.reply(frame, {"signature": named("noop call")["signature"], "form": "failure",
                                  "words": "no vector has these bytes"}, EINVAL)

    def control(self, frame, parts):
        signature = next(v["signature"] for v in VECTORS if "signature" in v and (
            v["frame"]["kind"] == frame["kind"] and v["frame"]["op"] == frame["op"]))
        _, asked = codec.decode({"signature": signature, "form": "request"}, *parts[1:])
        name = signature.split(":")[0]
        arguments = {}
        if name == "hello":
            arguments = named("its welcome")["arguments"] | {
                "now": named("noop call")["frame"]["epoch"], "common": asked["ops"], "spin_us": 0, "region_max": 0}
        elif name == "session_open":
            arguments = {"session": named("noop call")["frame"]["session"]}
        elif name == "resource_offer":
            arguments = {"resource": FIRST_RESOURCE + asked["type"], "missing": []}
        return self.reply(frame, {"signature": signature, "form": "reply", "arguments": arguments})

    @staticmethod
    def reply(frame, vector, status=0):
        head, payload = codec.encode(vector)
        kind = "WELCOME" if frame["kind"] == KIND["HELLO"] else "REPLY"
        return codec.frame_pack(frame | {"kind": KIND[kind], "epoch": 0, "status": status, "head_size": len(head),
                                         "payload_size": len(payload)}), head, payload


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    expected = turns(options.without)
    with tempfile.TemporaryDirectory() as directory:
        agent = GoldenAgent(f"{directory}/agent.sock", expected)
        cases = pathlib.Path(directory) / "cases.json"
        cases.write_text(json.dumps({"cases": [case(*turn) for turn in expected]}))
        environment = os.environ | {"TEST_CASES": str(cases), "VACCEL_PLUGINS": "remote",
                                    "VACCEL_RPC_ADDRESS": f"unix://{directory}/agent.sock"}
        command = [part.replace("@CASES@", str(cases)) for part in options.command]
        status = subprocess.run(command, env=environment).returncode
    for call, answer in agent.left:
        print(f"nobody has sent '{call['name']}', to be answered by '{answer['name']}'")
    for parts in agent.strange:
        print("no vector has the bytes", *parts)
    if status or agent.left or agent.strange:
        sys.exit(f"the command ended with {status}")
    print(f"{len(expected)} calls had the bytes of vectors")


if __name__ == "__main__":
    main()
