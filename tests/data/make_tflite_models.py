#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the TensorFlow Lite models that tests/tflite runs, with no more than Python.

    tests/data/make_tflite_models.py [DIRECTORY]

A model file is a FlatBuffer: tables, strings and lists that refer to each other by offsets. It is
written here from its beginning to its end, parents before their children, and each reference is
filled in when it is known where what it refers to lies.
"""

import struct
import sys
from pathlib import Path

FLOAT, INT32, UINT8, INT64, STRING, BOOL, RESOURCE = 0, 2, 3, 4, 5, 6, 13
ADD, DEQUANTIZE, RNN, LOGICAL_NOT = 0, 6, 24, 87
GATHER, SUB, NEG, CUSTOM, BROADCAST_TO = 36, 41, 59, 32, 130
CALL_ONCE, VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE = 129, 142, 143, 144


class Table(dict):
    """Fields by number: a Table, a str, bytes, a list, or a packed number in a Number."""


class Number:
    def __init__(self, format, value):
        self.bytes = struct.pack("<" + format, value)


class Numbers:
    def __init__(self, format, values):
        self.size = struct.calcsize("<" + format)
        self.nr = len(values)
        self.bytes = struct.pack(f"<{len(values)}{format}", *values)


def u8(value):
    return Number("B", value)


def i32(value):
    return Number("i", value)


def ints(values):
    return Numbers("i", values)


class Writer:
    def __init__(self, root, identifier):
        self.out = bytearray(8)
        self.out[4:8] = identifier
        self.refer(0, root)

    def align(self, size):
        self.out += bytes(-len(self.out) % size)

    def refer(self, at, value):
        """Writes the value behind all else, and its place to what refers to it."""
        struct.pack_into("<I", self.out, at, self.write(value) - at)

    def write(self, value):
        if isinstance(value, Table):
            return self.write_table(value)
        if isinstance(value, str):
            return self.write_bytes(value.encode() + b"\0", len(value), 1)
        if isinstance(value, bytes):
            return self.write_bytes(value, len(value), 16)
        if isinstance(value, Numbers):
            return self.write_bytes(value.bytes, value.nr, value.size)
        return self.write_list(value)

    def write_bytes(self, data, count, alignment):
        while len(self.out) % 4 or (len(self.out) + 4) % alignment:
            self.out += b"\0"
        at = len(self.out)
        self.out += struct.pack("<I", count) + data
        return at

    def write_list(self, items):
        self.align(4)
        at = len(self.out)
        self.out += struct.pack("<I", len(items)) + bytes(4 * len(items))
        for i, item in enumerate(items):
            self.refer(at + 4 + 4 * i, item)
        return at

    def write_table(self, table):
        self.align(2)
        nr = max(table, default=-1) + 1
        places = [0] * nr
        size = 4
        for number, value in sorted(table.items()):
            width = len(value.bytes) if isinstance(value, Number) else 4
            size += -size % width
            places[number] = size
            size += width
        list_at = len(self.out)
        self.out += struct.pack(f"<{2 + nr}H", 4 + 2 * nr, size, *places)
        self.align(8)
        at = len(self.out)
        self.out += struct.pack("<i", at - list_at) + bytes(size - 4)
        for number, value in table.items():
            if isinstance(value, Number):
                self.out[at + places[number] : at + places[number] + len(value.bytes)] = value.bytes
            else:
                self.refer(at + places[number], value)
        return at


class Graph:
    """Tensors and operations; those of all graphs of a model share its lists."""

    def __init__(self, model):
        self.model, self.tensors, self.operations = model, [], []
        self.inputs, self.outputs = [], []

    def tensor(self, name, type, shape, data=None, signature=None, scale=None, zero_point=0, variable=False,
               sparse=False):
        table = Table({0: ints(shape), 1: u8(type), 2: Number("I", self.model.buffer(data)), 3: name})
        if scale is not None:
            table[4] = Table({2: Numbers("f", [scale]), 3: Numbers("q", [zero_point])})
        if variable:
            table[5] = u8(1)
        if sparse:
            dense = [Table({0: u8(0), 1: i32(size)}) for size in shape]
            table[6] = Table({0: ints(range(len(shape))), 2: dense})
        if signature is not None:
            table[7] = ints(signature)
        self.tensors.append(table)
        return len(self.tensors) - 1

    def input(self, *args, **named):
        self.inputs.append(self.tensor(*args, **named))
        return self.inputs[-1]

    def output(self, *args, **named):
        self.outputs.append(self.tensor(*args, **named))
        return self.outputs[-1]

    def operation(self, code, inputs, outputs, options=None, custom=None):
        table = Table({0: Number("I", self.model.code(code, custom)), 1: ints(inputs), 2: ints(outputs)})
        if options is not None:
            table[3], table[4] = u8(options[0]), options[1]
        self.operations.append(table)

    def table(self):
        return Table({0: self.tensors, 1: ints(self.inputs), 2: ints(self.outputs), 3: self.operations})


class Model:
    def __init__(self):
        self.buffers = [Table()]
        self.codes = []
        self.graphs = [Graph(self)]

    def buffer(self, data):
        if data is None:
            return 0
        self.buffers.append(Table({0: data}))
        return len(self.buffers) - 1

    def code(self, code, custom):
        if (code, custom) not in self.codes:
            self.codes.append((code, custom))
        return self.codes.index((code, custom))

    def bytes(self):
        codes = []
        for code, custom in self.codes:
            table = Table({0: u8(min(code, 127)), 2: i32(2 if code == BROADCAST_TO else 1), 3: i32(code)})
            if custom:
                table[1] = custom
            codes.append(table)
        graphs = [graph.table() for graph in self.graphs]
        root = Table({0: Number("I", 3), 1: codes, 2: graphs, 3: "for tests", 4: self.buffers})
        return bytes(Writer(root, b"TFL3").out)


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def words(*values):
    return struct.pack(f"<{len(values)}i", *values)


def pair(graph):
    """Two inputs of any number of rows; their sum and their difference."""
    a, b = (graph.input(name, FLOAT, [1, 3], signature=[-1, 3]) for name in "ab")
    for name, code, options in (("sum", ADD, 11), ("difference", SUB, 28)):
        graph.operation(code, [a, b], [graph.output(name, FLOAT, [1, 3], signature=[-1, 3])], (options, Table()))


def kinds(graph):
    """Of several types, with nothing done to them but what shows that they came."""
    whole = graph.input("whole", INT64, [3])
    flag = graph.input("flag", BOOL, [2])
    scalar = graph.input("scalar", FLOAT, [])
    graph.operation(ADD, [whole, whole], [graph.output("twice", INT64, [3])], (11, Table()))
    graph.operation(LOGICAL_NOT, [flag], [graph.output("not", BOOL, [2])], (0, Table()))
    graph.operation(NEG, [scalar], [graph.output("minus", FLOAT, [])], (0, Table()))


def quantised(graph):
    """Bytes that stand for numbers, added as such; and what they stand for."""
    x = graph.input("x", UINT8, [4], scale=0.5, zero_point=128)
    twice = graph.output("twice", UINT8, [4], scale=1.0, zero_point=128)
    graph.operation(ADD, [x, x], [twice], (11, Table()))
    graph.operation(DEQUANTIZE, [x], [graph.output("number", FLOAT, [4])])


def strings(graph):
    """The words that are asked for, by number."""
    text = graph.input("text", STRING, [1], signature=[-1])
    which = graph.input("which", INT32, [2])
    graph.operation(GATHER, [text, which], [graph.output("chosen", STRING, [2])], (23, Table()))


def twins(graph):
    """One of the words of each of two texts."""
    which = graph.tensor("which", INT32, [1], words(1))
    for name in "ab":
        text = graph.input(name, STRING, [1], signature=[-1])
        graph.operation(GATHER, [text, which], [graph.output(f"of_{name}", STRING, [1])], (23, Table()))


def flex(graph):
    """An operation that only TensorFlow has."""
    x = graph.input("x", FLOAT, [2])
    graph.operation(CUSTOM, [x], [graph.output("y", FLOAT, [2])], custom="FlexErf")


def strange(graph):
    """An operation that nobody has."""
    x = graph.input("x", FLOAT, [2])
    graph.operation(CUSTOM, [x], [graph.output("y", FLOAT, [2])], custom="Strange")


def sums(graph):
    """The sum of all inputs so far, kept in a variable: a cell of a recurrent network."""
    x = graph.input("x", FLOAT, [1, 2])
    one = [graph.tensor(name, FLOAT, [2, 2], floats(1, 0, 0, 1)) for name in ("weights", "recurrent")]
    bias = graph.tensor("bias", FLOAT, [2], floats(0, 0))
    state = graph.tensor("state", FLOAT, [1, 2], variable=True)
    graph.operation(RNN, [x, *one, bias, state], [graph.output("sum", FLOAT, [1, 2])], (7, Table()))


def keep_sum(graph, shape):
    """The sum of all inputs so far, kept by a handle that a graph of its own sets to 0 before the first run."""
    x = graph.input("x", FLOAT, shape)
    named = (111, Table({0: "", 1: "count"}))
    first = Graph(graph.model)
    graph.model.graphs.append(first)
    zero = first.tensor("zero", FLOAT, shape, floats(*[0] * shape[-1]))
    handle = first.tensor("handle", RESOURCE, [1])
    first.operation(VAR_HANDLE, [], [handle], named)
    first.operation(ASSIGN_VARIABLE, [handle, zero], [], (113, Table()))

    graph.operation(CALL_ONCE, [], [], (103, Table({0: i32(1)})))
    handle = graph.tensor("handle", RESOURCE, [1])
    before = graph.tensor("before", FLOAT, shape)
    count = graph.output("count", FLOAT, shape)
    graph.operation(VAR_HANDLE, [], [handle], named)
    graph.operation(READ_VARIABLE, [handle], [before], (112, Table()))
    graph.operation(ADD, [before, x], [count], (11, Table()))
    graph.operation(ASSIGN_VARIABLE, [handle, count], [], (113, Table()))


def counter(graph):
    """The sum of all inputs so far."""
    keep_sum(graph, [2])


def pick(graph):
    """Fails when it runs, if the number asked for is not there."""
    which = graph.input("which", INT32, [1])
    values = graph.tensor("values", FLOAT, [3], floats(10, 20, 30))
    graph.operation(GATHER, [values, which], [graph.output("value", FLOAT, [1])], (23, Table()))


def idle(graph):
    """It takes pictures, and nothing computes its output."""
    graph.input("x", FLOAT, [1, 4, 4, 3])
    graph.output("y", UINT8, [1, 3])


def short(graph):
    """It takes pictures, and its output is three scores of which it says that they are a thousand."""
    graph.input("x", FLOAT, [1, 4, 4, 3])
    graph.output("y", UINT8, [1, 1000], bytes([1, 2, 3]), sparse=True)


def moody(graph):
    """It takes a picture of one point, and adds its colours to those of all pictures before."""
    keep_sum(graph, [1, 1, 1, 3])


def huge(graph):
    """120 GB of one number."""
    x = graph.input("x", FLOAT, [1])
    shape = graph.tensor("shape", INT32, [2], words(100000, 300000))
    much = graph.tensor("much", FLOAT, [100000, 300000])
    graph.operation(BROADCAST_TO, [x, shape], [much])
    graph.operation(NEG, [much], [graph.output("minus", FLOAT, [100000, 300000])])


def main():
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "models")
    for make in (pair, kinds, quantised, strings, twins, flex, strange, sums, counter, pick, idle, short, moody, huge):
        model = Model()
        make(model.graphs[0])
        (directory / f"{make.__name__}.tflite").write_bytes(model.bytes())


main()
