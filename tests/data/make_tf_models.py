#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the TensorFlow models that tests/tf runs, with no more than Python.

    tests/data/make_tf_models.py [DIRECTORY]

A graph is a protocol buffer: a row of fields, each with its number. Variables would take a
checkpoint as well, so these models have none but those that a graph itself sets.
"""

import sys
from pathlib import Path

FLOAT, INT32, STRING, INT64, RESOURCE = 1, 3, 7, 9, 20


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, value):
    """A number, or bytes or text with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def entry(key, value):
    return field(1, key) + field(2, value)


def shape_of(dims):
    return b"".join(field(2, field(1, size) if size else b"") for size in dims)


def shape(*dims):
    return field(7, shape_of(dims))


def kind(number):
    return field(6, number)


def node(name, op, *inputs, **attributes):
    out = field(1, name) + field(2, op) + b"".join(field(3, text) for text in inputs)
    for key, value in sorted(attributes.items()):
        out += field(5, entry(key, value))
    return field(1, out)


def graph(*nodes):
    return b"".join(nodes) + field(4, field(1, 1087))


def constant(name, type, dims, data):
    tensor = field(1, type) + field(2, shape_of(dims)) + field(4, data)
    return node(name, "Const", dtype=kind(type), value=field(8, tensor))


def placeholder(name, type, *dims):
    return node(name, "Placeholder", dtype=kind(type), shape=shape(*dims))


def pair():
    """Two inputs of any number of rows; their sum and their difference."""
    return graph(
        placeholder("a", FLOAT, -1, 3), placeholder("b", FLOAT, -1, 3),
        node("sum", "AddV2", "a", "b", T=kind(FLOAT)), node("difference", "Sub", "a", "b", T=kind(FLOAT)),
    )


def strings():
    """Each text and the same one behind it."""
    return graph(
        placeholder("text", STRING, -1),
        node("twice", "StringJoin", "text", "text", N=field(3, 2), separator=field(2, "")),
    )


def square():
    """Four numbers as two by two; fails on any other number of them."""
    return graph(
        placeholder("x", FLOAT, -1), constant("two", INT32, [2], bytes([2, 0, 0, 0, 2, 0, 0, 0])),
        node("y", "Reshape", "x", "two", T=kind(FLOAT), Tshape=kind(INT32)),
    )


def unknown():
    """An operation that nobody has."""
    return graph(placeholder("x", FLOAT, 2), node("y", "NoSuchOperation", "x", T=kind(FLOAT)))


def huge():
    """120 GB of one number."""
    size = b"".join(value.to_bytes(4, "little") for value in (100000, 300000))
    return graph(
        placeholder("x", FLOAT), constant("size", INT32, [2], size),
        node("y", "Fill", "size", "x", T=kind(FLOAT), index_type=kind(INT32)),
    )


def saved():
    """The pair as a SavedModel whose signature has other names."""
    def tensor(name):
        return field(1, name) + field(2, FLOAT) + field(3, shape_of([-1, 3]))

    signature = field(1, entry("left", tensor("a:0"))) + field(1, entry("right", tensor("b:0")))
    signature += field(2, entry("total", tensor("sum:0"))) + field(3, "tensorflow/serving/predict")
    meta_graph = field(1, field(4, "serve")) + field(2, pair()) + field(5, entry("serving_default", signature))
    return field(1, 1) + field(2, meta_graph)


def main():
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "models")
    for make in (pair, strings, square, unknown, huge):
        (directory / f"{make.__name__}.pb").write_bytes(make())
    (directory / "saved").mkdir(exist_ok=True)
    (directory / "saved" / "saved_model.pb").write_bytes(saved())


main()
