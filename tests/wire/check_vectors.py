#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks vectors.json: that it is what the library encodes, and that it says what docs/protocol.md does.

usage: check_vectors.py WIRE_VECTORS [--write]

WIRE_VECTORS is the program that prints the file; --write puts what it prints in its place.
"""

import difflib
import json
import os
import pathlib
import shlex
import subprocess
import sys

import codec

# What runs programs that were built for another machine.
WRAPPER = shlex.split(os.environ.get("MESON_EXE_WRAPPER", ""))
FILE = pathlib.Path(__file__).parent / "vectors.json"


def check(vector):
    """What is wrong with a vector: a sentence, or None."""
    frame, head, payload = (bytes.fromhex(vector["bytes"][part]) for part in ("frame", "head", "payload"))
    if codec.frame_unpack(frame) != vector["frame"]:
        return f"the frame says {codec.frame_unpack(frame)}"
    if codec.frame_pack(vector["frame"]) != frame:
        return "the frame has other bytes"
    if (len(head), len(payload)) != (vector["frame"]["head_size"], vector["frame"]["payload_size"]):
        return "the frame has other sizes"
    if "form" not in vector:
        return "there is something behind the frame" if head or payload else None
    words, arguments = codec.decode(vector, head, payload)
    if (words, arguments) != (vector.get("words"), vector.get("arguments")):
        return f"the bytes say {words!r}, {arguments}"
    if codec.encode(vector) != (head, payload):
        return f"it has the bytes {[part.hex() for part in codec.encode(vector)]}"
    return None


def main():
    now = subprocess.run([*WRAPPER, sys.argv[1]], check=True, capture_output=True, text=True).stdout
    if "--write" in sys.argv:
        FILE.write_text(now)
    then = FILE.read_text()
    if now != then:
        sys.stdout.writelines(difflib.unified_diff(then.splitlines(True), now.splitlines(True), "file", "library"))
        sys.exit("vectors.json is not what the library encodes. What is released never changes; for what "
                 f"is not: {sys.argv[0]} {sys.argv[1]} --write")
    vectors = json.loads(then)
    wrong = [f"{v['name']}: {words}" for v in vectors if (words := check(v))]
    names = [v["name"] for v in vectors]
    wrong += [f"two are named '{name}'" for name in set(names) if names.count(name) > 1]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(vectors)} messages have the bytes that the protocol gives them")


if __name__ == "__main__":
    main()
