# SPDX-License-Identifier: Apache-2.0
"""Runs any operation from its description, which the library has: nothing here knows one by name.

Each argument is put into the operation's struct of arguments by its kind, the library's
vaccel_call() runs it, and the outputs are read back from there. ops/describe.h of the library
says how each kind looks in C.
"""

from __future__ import annotations

import importlib
import keyword
from typing import Any, Callable, NamedTuple

import numpy as np

from ._generated import ITEMS, OpType
from ._library import ffi, lib
from .arg import as_arg
from .array import adopt, as_input, as_output, c_text, check_writable, from_memory, pointer
from .error import check
from .handle import Handle
from .tensor import BaseTensor

# The element types: in C, and in arrays.
_C_TYPES = {
    "i8": "int8_t",
    "i16": "int16_t",
    "i32": "int32_t",
    "i64": "int64_t",
    "u8": "uint8_t",
    "u16": "uint16_t",
    "u32": "uint32_t",
    "u64": "uint64_t",
    "f32": "float",
    "f64": "double",
    "char": "char",
}
_DTYPES = {"float": "float32", "double": "float64", "char": "int8"}

# Whose tensors an operation takes, by how its name begins; the others take ONNX's.
_TENSORS = {"tf": "vaccel.ops.tf", "tflite": "vaccel.ops.tf.lite", "torch": "vaccel.ops.torch"}


class Field(NamedTuple):
    """An argument of an operation, or a field of a list's items."""

    name: str
    key: str  # its name in Python
    type: str
    c_type: str
    dtype: str
    kind: int
    reads: bool
    writes: bool
    optional: bool
    grows: bool
    item: tuple[Any, ...]


class Frame:
    """A call under way: its arguments in C, what they point to, and how outputs are read.

    The functions that read outputs do not refer to it: a cycle would keep a call's arrays until
    the collector comes by.
    """

    def __init__(self, op: Op) -> None:
        self.op = op
        self.args = ffi.new(op.args)
        self.keep: list[Any] = []
        self.outputs: list[Callable[[], Any]] = []

    def put(self, field: Field, data: Any, count: int) -> None:
        """Sets a member that is a pointer and a count."""
        member = getattr(self.args, field.name)
        member.data, member.count = data, count
        self.keep.append(data)


class Op(NamedTuple):
    """An operation as the library describes it."""

    name: str
    c: Any
    args: Any  # the C type of a pointer to its arguments
    fields: tuple[Field, ...]
    tensors: type[BaseTensor]


def _text(c: Any) -> str:
    found: bytes = ffi.string(c) if c != ffi.NULL else b""
    return found.decode(errors="replace")


def _field(c: Any) -> Field:
    name, kind = _text(c.name), _text(c.type)
    c_type = _C_TYPES.get(kind, "")
    item = c.item
    return Field(
        name=name,
        key=name + "_" if keyword.iskeyword(name) else name,
        type=kind,
        c_type=c_type,
        dtype=_DTYPES.get(c_type, c_type.replace("_t", "")),
        kind=int(c.kind),
        reads=bool(c.dir & lib.VACCEL_DIR_IN),
        writes=bool(c.dir & lib.VACCEL_DIR_OUT),
        optional=bool(c.marks & lib.VACCEL_MARK_OPTIONAL),
        grows=bool(c.marks & lib.VACCEL_MARK_GROWS),
        item=tuple(_field(item.fields[i]) for i in range(item.nr_fields)) if item else (),
    )


_known: dict[int, Op] = {}


def op_of(number: int) -> Op:
    """An operation by its number."""
    op = _known.get(number)
    if op is None:
        c = lib.vaccel_op_by_number(number)
        if c == ffi.NULL:
            raise ValueError(f"the library has no operation {number}")
        name = _text(c.name)
        module = importlib.import_module(_TENSORS.get(name.split("_")[0], "vaccel.ops.onnx"))
        args = ffi.typeof(f"struct vaccel_{name}_args *")
        fields = tuple(_field(c.fields[i]) for i in range(c.nr_fields))
        op = _known[number] = Op(name, c, args, fields, module.Tensor)
    return op


_MISSING = object()

# What is read: each function puts one argument into the frame.


def _put_one(frame: Frame, field: Field, value: Any) -> None:
    if field.writes:
        _room_for_one(frame, field, None)
        getattr(frame.args, field.name)[0] = value
    else:
        setattr(frame.args, field.name, value)


def _put_span(frame: Frame, field: Field, value: Any) -> None:
    if value is None:
        if field.writes:
            frame.outputs.append(lambda: None)
        return
    array = as_input(value, field.dtype, field.key)
    if field.writes:
        # An array of the caller's is written in place, a list comes back as a new array.
        if array is value:
            check_writable(array, field.key)
        elif isinstance(value, np.ndarray) or not array.flags.writeable:
            raise ValueError(f"{field.key}: it is written, so give a contiguous array or a list")
        frame.outputs.append(lambda: array)
    frame.put(field, pointer(array, field.c_type), array.size)


def _put_text(frame: Frame, field: Field, value: Any) -> None:
    if value is not None:
        text = c_text(value)
        frame.keep.append(text)
        setattr(frame.args, field.name, text)


def _put_list(frame: Frame, field: Field, value: Any) -> None:
    if value is None:
        return
    rows = ffi.new(f"struct vaccel_{field.type}[]", len(value))
    for row, given in zip(rows, value):
        for place, part in enumerate(field.item):
            if len(field.item) == 1:
                content = given
            elif isinstance(given, (tuple, list)):
                content = given[place]
            else:
                content = getattr(given, part.key)
            if part.kind == lib.VACCEL_KIND_SPAN:
                array = as_input(content, part.dtype, part.key)
                frame.keep.append(array)
                content = [pointer(array, part.c_type), array.size]
            elif part.kind == lib.VACCEL_KIND_TEXT:
                content = c_text(content)
                frame.keep.append(content)
            setattr(row, part.name, content)
    frame.put(field, rows, len(value))


def _put_tensors(frame: Frame, field: Field, value: Any) -> None:
    if value is None:
        return
    own = frame.op.tensors
    tensors = [one if isinstance(one, BaseTensor) else own.from_numpy(one) for one in value]
    for tensor in tensors:
        # The numbers of its types would mean others here.
        if not isinstance(tensor, own):
            given = type(tensor).__module__
            raise TypeError(f"{field.key}: give a {own.__module__}.Tensor, not a {given}.Tensor")
    rows = ffi.new("struct vaccel_tensor[]", len(tensors))
    for i, tensor in enumerate(tensors):
        frame.keep.append(tensor._fill(rows[i]))
    frame.put(field, rows, len(tensors))


def _put_args(frame: Frame, field: Field, value: Any) -> None:
    args = [as_arg(one) for one in value or ()]
    rows = ffi.new("struct vaccel_arg[]", len(args))
    for i, arg in enumerate(args):
        if field.writes:
            arg._writable()
        frame.keep.append(arg._fill(rows[i]))
    if args:
        frame.put(field, rows, len(args))
    if field.writes:

        def read() -> list[Any]:
            for i, arg in enumerate(args):
                arg._size = int(rows[i].size)
            return [arg.buf for arg in args]

        frame.outputs.append(read)


def _put_resource(frame: Frame, field: Field, value: Any) -> None:
    if not isinstance(value, Handle) or value._kind != "resource":
        raise TypeError(f"{field.key}: give a Resource, not {type(value).__name__}")
    c = value._use()
    frame.keep += value, c
    setattr(frame.args, field.name, c)


# What is written only: each makes room, and says how to read what is there afterwards.


def _room_for_one(frame: Frame, field: Field, room: Any) -> None:
    value = ffi.new(f"{field.c_type} *")
    frame.keep.append(value)
    setattr(frame.args, field.name, value)
    frame.outputs.append(lambda: value[0])


def _room_for_span(frame: Frame, field: Field, room: Any) -> None:
    if field.grows:
        member = getattr(frame.args, field.name)
        frame.outputs.append(lambda: adopt(member.data, int(member.count), field.dtype))
        return
    array = as_output(room, field.dtype, field.key)
    frame.outputs.append(lambda: array)
    frame.put(field, pointer(array, field.c_type), array.size)


def _room_for_text(frame: Frame, field: Field, room: Any) -> None:
    member = getattr(frame.args, field.name)
    if field.grows:
        frame.outputs.append(lambda: _text(ffi.gc(member.data, lib.free)))
    elif room is None:
        frame.outputs.append(lambda: None)
    else:
        text = ffi.new("char[]", int(room))
        frame.keep.append(text)
        member.data, member.size = text, len(text)
        frame.outputs.append(lambda: _text(text))


def _room_for_list(frame: Frame, field: Field, room: Any) -> None:
    member = getattr(frame.args, field.name)
    item = ITEMS[field.type]

    def read() -> list[Any]:
        rows = ffi.gc(member.data, lib.free)  # their texts are in the same block
        return [
            item(*(_content(rows[i], part) for part in field.item)) for i in range(member.count)
        ]

    frame.outputs.append(read)


def _content(row: Any, part: Field) -> Any:
    value = getattr(row, part.name)
    if part.kind == lib.VACCEL_KIND_SPAN:
        return from_memory(value.data, int(value.count), part.dtype).copy()
    return _text(value) if part.kind == lib.VACCEL_KIND_TEXT else value


def _room_for_tensors(frame: Frame, field: Field, room: Any) -> None:
    rows = ffi.new("struct vaccel_tensor[]", int(room))
    tensors = frame.op.tensors
    frame.put(field, rows, len(rows))
    frame.outputs.append(lambda: [tensors._adopt(ffi.addressof(rows, i)) for i in range(len(rows))])


_PUT: dict[int, Callable[[Frame, Field, Any], None]] = {
    lib.VACCEL_KIND_ONE: _put_one,
    lib.VACCEL_KIND_SPAN: _put_span,
    lib.VACCEL_KIND_TEXT: _put_text,
    lib.VACCEL_KIND_LIST: _put_list,
    lib.VACCEL_KIND_TENSORS: _put_tensors,
    lib.VACCEL_KIND_ARGS: _put_args,
    lib.VACCEL_KIND_RESOURCE: _put_resource,
}
_ROOM: dict[int, Callable[[Frame, Field, Any], None]] = {
    lib.VACCEL_KIND_ONE: _room_for_one,
    lib.VACCEL_KIND_SPAN: _room_for_span,
    lib.VACCEL_KIND_TEXT: _room_for_text,
    lib.VACCEL_KIND_LIST: _room_for_list,
    lib.VACCEL_KIND_TENSORS: _room_for_tensors,
}

# These draw in this process where no plugin does, which is not vaccel_call()'s affair.
_DRAWN = {OpType.IMAGE_DETECT, OpType.IMAGE_SEGMENT, OpType.IMAGE_POSE, OpType.IMAGE_DEPTH}


class Caller(Handle):
    """What operations are called on: a session."""

    _kind = "session"

    def call(self, number: int, **values: Any) -> tuple[Any, ...]:
        """Runs the operation of that number; returns its outputs in their order.

        `session.ops` has a method with named and typed arguments for each.
        """
        op = op_of(number)
        frame = Frame(op)
        try:
            self._fill(frame, values)
            run = lib.vaccel_image_annotate if number in _DRAWN else lib.vaccel_call
            check(run(self._use(), op.c, frame.args))
            return tuple(read() for read in frame.outputs)
        finally:
            # An error's traceback has the frame, and lives as long as somebody looks at it.
            frame.keep.clear()

    @staticmethod
    def _fill(frame: Frame, values: dict[str, Any]) -> None:
        op = frame.op
        for field in op.fields:
            value = values.pop(field.key, _MISSING if field.reads and not field.optional else None)
            if value is _MISSING:
                raise TypeError(f"{op.name} needs an argument '{field.key}'")
            (_PUT if field.reads else _ROOM)[field.kind](frame, field, value)
        if values:
            raise TypeError(f"{op.name} has no argument {', '.join(sorted(values))}")
