#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes fuzz/corpus/message of the protocol's vectors: a file for each, a reply behind its call."""

import json
import pathlib
import re

TOP = pathlib.Path(__file__).parent


def main():
    seeds = {}
    for vector in json.loads((TOP / "../tests/wire/vectors.json").read_text()):
        name = re.sub(r" (call|reply)$", "", vector["name"])
        name = "vector_" + re.sub(r"\W+", "_", name)
        seeds[name] = seeds.get(name, b"") + bytes.fromhex("".join(vector["bytes"].values()))
    directory = TOP / "corpus/message"
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("vector_*"):
        old.unlink()
    for name, data in seeds.items():
        (directory / name).write_bytes(data)


if __name__ == "__main__":
    main()
