# SPDX-License-Identifier: Apache-2.0
"""What is generated: each operation of the library, and one that it has not got yet."""

import importlib.util
import inspect
import json
import subprocess
import sys

import numpy as np
import pytest
from conftest import TOP
from vaccel._generated import ITEMS, Operations

import vaccel
from vaccel._library import ffi, lib
from vaccel.array import pointer
from vaccel.call import Frame, _content, _put_one, op_of

SCALE = {
    "number": 90,
    "name": "scale",
    "symbol": "vaccel_scale",
    "sentence": "multiply values by a factor",
    "args": [
        {
            "name": "samples",
            "dir": "IN",
            "kind": "SPAN",
            "type": "f32",
            "marks": [],
            "sentence": "values to scale",
        },
        {
            "name": "factor",
            "dir": "IN",
            "kind": "ONE",
            "type": "f32",
            "marks": [],
            "sentence": "what to multiply by",
        },
        {
            "name": "scaled",
            "dir": "OUT",
            "kind": "SPAN",
            "type": "f32",
            "marks": [],
            "sentence": "as many products",
        },
        {
            "name": "in",
            "dir": "OUT",
            "kind": "LIST",
            "type": "spot",
            "marks": ["GROWS"],
            "sentence": "spots",
            "item": [
                {"name": "x", "kind": "ONE", "type": "i32", "sentence": "where"},
                {"name": "label", "kind": "TEXT", "type": "char", "sentence": "what"},
            ],
        },
    ],
}


@pytest.fixture
def generate():
    spec = importlib.util.spec_from_file_location("generate", TOP / "bindings/python/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table():
    """The operations of the library that is loaded."""
    found, index = [], 0
    while (op := lib.vaccel_op_at(index)) != ffi.NULL:
        found.append(op_of(op.number))
        index += 1
    return found


@pytest.mark.parametrize("op", table(), ids=lambda op: op.name)
def test_every_operation_has_a_method(op):
    method = getattr(Operations, op.name)
    parameters = list(inspect.signature(method).parameters)[1:]
    needed = [field.key for field in op.fields if field.reads]
    room = [
        field.key
        for field in op.fields
        if not field.reads and not field.grows and field.kind in (1, 2, 4)
    ]
    assert sorted(set(parameters) - {"out"}) == sorted({*needed, *room} - {"out"})
    assert method.__doc__ and all(field.key in method.__doc__ for field in op.fields if field.reads)


def test_a_new_operation_appears(generate, tmp_path):
    """Its method, its result and the items of its lists follow from the table alone."""
    package = tmp_path / "newer"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "_generated.py").write_text(generate.generated_module(ffi, [SCALE]))
    program = (
        "import inspect, json\n"
        "from newer._generated import ITEMS, Operations, ScaleResult, Spot\n"
        "class Caller:\n"
        "    def call(self, number, **values):\n"
        "        return number, values\n"
        "method = Operations(Caller()).scale\n"
        "print(json.dumps([str(inspect.signature(method)), method.__doc__.split('\\n')[0],\n"
        "    method([1.0], 2.0, scaled=1), Spot(1, 'a').label, list(ITEMS),\n"
        "    ScaleResult._fields]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert not done.returncode, done.stderr
    signature, doc, result, label, items, fields = json.loads(done.stdout)
    assert signature == (
        "(samples: 'npt.ArrayLike', factor: 'float', *, "
        "scaled: 'int | npt.NDArray[np.float32]') -> 'ScaleResult'"
    )
    assert doc == "Multiply values by a factor."
    assert result == [90, {"samples": [1.0], "factor": 2.0, "scaled": 1}]
    assert (label, items, fields) == ("a", ["spot"], ["scaled", "in_"])


def test_items_have_the_fields_of_their_structs():
    for name, item in ITEMS.items():
        fields = [name for name, _ in ffi.typeof(f"struct vaccel_{name}").fields]
        assert list(item.__dataclass_fields__) == fields


def test_items_with_arrays_in_them():
    """No operation has such a list yet; arguments look the same in C."""
    args = ffi.new("struct vaccel_minmax_args *")
    values = np.arange(3.0)
    args.out = [pointer(values, "double"), 3]
    (out,) = (field for field in op_of(vaccel.OpType.MINMAX).fields if field.name == "out")
    found = _content(args, out)
    assert found.tolist() == [0.0, 1.0, 2.0] and found.base is None


def test_a_number_that_is_read_and_written():
    """Nor has any such a number."""
    op = op_of(vaccel.OpType.MINMAX)
    frame = Frame(op)
    (smallest,) = (field for field in op.fields if field.name == "min")
    _put_one(frame, smallest._replace(reads=True), 7.0)
    assert frame.args.min[0] == 7.0 and frame.outputs[0]() == 7.0


def test_operations_run_by_their_names(noop):
    ops = noop.ops
    assert ops.noop() is None
    assert ops.minmax([1.0, 2.0], 2, 0, 9, out=2).max == 10000.0
    assert ops.image_classify(b"picture").text == "This is a dummy classification tag!"
    assert ops.image_classify(b"picture", text=5).text == "This"
    assert ops.image_detect_boxes(b"picture")[0].score == 1
    assert ops.image_depth_map(b"picture").depth.tolist() == [0]
    assert ops.exec("lib", "symbol", [1], [0]) == [1]
    c = np.zeros(1, np.float32)
    assert ops.blas_sgemm(1, 1, 1, 1.0, 1, 1, 0.0, 1, [2.0], [3.0], c).shape == (1,)
    model = vaccel.Resource.from_buffer(b"model", vaccel.ResourceType.MODEL)
    model.register(noop)
    (found,) = ops.onnx_model_run(model, in_=[np.ones(3, np.float32)])
    assert found.data == [1.0, 1.0, 1.0]
    result = ops.tf_model_run(
        model, [("out", 0)], in_nodes=[("in", 0)], in_=[np.ones(3, np.float32)]
    )
    assert result.status == 0 and result.message == "" and result.out[0].data == [1.0, 1.0, 1.0]
    model.close()
