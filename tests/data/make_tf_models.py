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


def variable():
    """A variable, what makes it 0, and a number to add."""
    return (
        node("v", "VarHandleOp", dtype=kind(FLOAT), shape=shape(), shared_name=field(2, "v"), container=field(2, "")),
        constant("zero", FLOAT, [], bytes(4)), node("assign", "AssignVariableOp", "v", "zero", dtype=kind(FLOAT)),
        placeholder("x", FLOAT),
    )


def counter():
    """Adds x to a variable and tells the sum, once it was started."""
    return graph(
        *variable(), node("start", "Identity", "zero", "^assign", T=kind(FLOAT)),
        node("adding", "AssignAddVariableOp", "v", "x", dtype=kind(FLOAT)),
        node("sum", "ReadVariableOp", "v", "^adding", dtype=kind(FLOAT)),
    )


def function(name, inputs, output, *nodes):
    """One with these inputs, each a name and a type, and one output, which is a float."""
    arguments = b"".join(field(2, field(1, text) + field(3, type)) for text, type in inputs)
    signature = field(1, name) + arguments + field(3, field(1, "out") + field(3, FLOAT)) + field(17, 1)
    # What is field 1 of a graph is field 3 of a function.
    body = b"".join(bytes([3 << 3 | 2]) + text[1:] for text in nodes)
    return field(1, field(1, signature) + body + field(4, entry("out", output)))


def call(name, function, inputs, types):
    def kinds(*types):
        return field(1, field(6, bytes(types)))

    return node(name, "StatefulPartitionedCall", *inputs, Tin=kinds(*types), Tout=kinds(FLOAT),
                f=field(10, field(1, function)))


def counting():
    """The counter in functions, started as it is loaded; and a look at the sum that changes nothing."""
    adds = function(
        "adds", [("v", RESOURCE), ("x", FLOAT)], "read:value:0",
        node("adding", "AssignAddVariableOp", "v", "x", dtype=kind(FLOAT)),
        node("read", "ReadVariableOp", "v", "^adding", dtype=kind(FLOAT)),
    )
    reads = function("reads", [("v", RESOURCE)], "read:value:0", node("read", "ReadVariableOp", "v", dtype=kind(FLOAT)))
    return graph(
        *variable(), call("sum", "adds", ["v", "x"], [RESOURCE, FLOAT]), call("now", "reads", ["v"], [RESOURCE]),
    ) + field(2, adds + reads)


def saved(graph, inputs, outputs, dims, init=None):
    """A SavedModel whose signature has these names for tensors."""
    def tensors(number, names):
        return b"".join(
            field(number, entry(name, field(1, tensor) + field(2, FLOAT) + field(3, shape_of(dims))))
            for name, tensor in names.items()
        )

    signature = tensors(1, inputs) + tensors(2, outputs) + field(3, "tensorflow/serving/predict")
    signatures = field(5, entry("serving_default", signature))
    if init:
        key = "__saved_model_init_op"
        signatures += field(5, entry(key, field(2, entry(key, field(1, init)))))
    meta_graph = field(1, field(4, "serve")) + field(2, graph) + signatures
    return field(1, 1) + field(2, meta_graph)


def main():
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "models")
    for make in (pair, strings, square, unknown, huge, counter):
        (directory / f"{make.__name__}.pb").write_bytes(make())
    for name, model in {
        "saved": saved(pair(), {"left": "a:0", "right": "b:0"}, {"total": "sum:0"}, [-1, 3]),
        "counting": saved(counting(), {"more": "x:0"}, {"total": "sum:0", "unchanged": "now:0"}, [], init="assign"),
    }.items():
        (directory / name).mkdir(exist_ok=True)
        (directory / name / "saved_model.pb").write_bytes(model)


main()
