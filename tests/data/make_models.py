#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the small ONNX models of the tests into models/ beside this file. Needs the onnx package.

Some are run on tensors; some classify pictures by their mean colour, so that a red picture is class 0,
a green one class 1, a blue one class 2; and some are what a classifier must not be.
"""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent / "models"
node = helper.make_node


def value(name, dims, kind=T.FLOAT):
    return helper.make_tensor_value_info(name, kind, dims)


def constant(name, array, kind):
    return numpy_helper.from_array(np.array(array, kind), name)


def save(name, nodes, inputs, outputs, constants=(), opset=13, **options):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(constants))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    model.producer_name = "vaccel tests"
    path = HERE / f"{name}.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save_model(model, path, **options)


def runs():
    save("pair", [node("Add", ["a", "b"], ["sum"]), node("Sub", ["a", "b"], ["difference"])],
         [value("a", ["n", 3]), value("b", ["n", 3])],
         [value("sum", ["n", 3]), value("difference", ["n", 3])])
    save("kinds", [node("Identity", [f"{n}_in"], [n]) for n in ("whole", "flag", "scalar")],
         [value("whole_in", ["n"], T.INT64), value("flag_in", [2], T.BOOL), value("scalar_in", [], T.DOUBLE)],
         [value("whole", ["n"], T.INT64), value("flag", [2], T.BOOL), value("scalar", [], T.DOUBLE)])
    save("default", [node("Mul", ["x", "factor"], ["y"])], [value("x", [2]), value("factor", [1])],
         [value("y", [2])], [constant("factor", [10], np.float32)])
    save("strings", [node("Identity", ["x"], ["y"])], [value("x", [1], T.STRING)], [value("y", [1], T.STRING)])
    save("sequence", [node("SequenceConstruct", ["x"], ["list"]), node("Neg", ["x"], ["y"])], [value("x", [2])],
         [helper.make_tensor_sequence_value_info("list", T.FLOAT, [2]), value("y", [2])])
    save("square", [node("Reshape", ["x", "shape"], ["y"])], [value("x", ["n"])], [value("y", [2, 2])],
         [constant("shape", [2, 2], np.int64)])
    save("weights", [node("Add", ["x", "w"], ["y"])], [value("x", [3])], [value("y", [3])],
         [constant("w", [1, 2, 3], np.float32)], save_as_external_data=True, all_tensors_to_one_file=True,
         location="weights.bin", size_threshold=0, convert_attribute=False)
    # The tests write weights of their own.
    (HERE / "weights.bin").unlink()
    save("unknown", [node("NoSuchOperator", ["x"], ["y"])], [value("x", [2])], [value("y", [2])])


def mean(axes, keep=0, into="y", source="x"):
    return node("ReduceMean", [source], [into], axes=axes, keepdims=keep)


def classifiers():
    shape = [1, 3, 2, 2]
    save("nhwc", [mean([1, 2])], [value("x", [1, 2, 2, 3])], [value("y", [1, 3])])
    save("any", [mean([2, 3], keep=1)], [value("x", ["n", 3, "h", "w"])], [value("y", ["n", 3, 1, 1])])
    save("flat", [mean([0, 2, 3])], [value("x", shape)], [value("y", [3])])
    save("open", [mean([2, 3], into="m"), node("Greater", ["m", "least"], ["p"]), node("Reshape", ["p", "all"], ["q"]),
                  node("Compress", ["m", "q"], ["y"], axis=1)],
         [value("x", shape)], [value("y", [1, "classes"])],
         [constant("least", -1000, np.float32), constant("all", [-1], np.int64)])
    # None of these classifies.
    save("batch", [mean([2, 3])], [value("x", [2, 3, 2, 2])], [value("y", [2, 3])])
    save("grey", [mean([2, 3])], [value("x", [1, 1, 2, 2])], [value("y", [1, 1])])
    save("half", [mean([2, 3])], [value("x", shape, T.FLOAT16)], [value("y", [1, 3], T.FLOAT16)])
    save("boxes", [mean([3])], [value("x", shape)], [value("y", [1, 3, 2])])
    save("none", [mean([2, 3], into="m"), node("Less", ["m", "least"], ["p"]), node("Reshape", ["p", "all"], ["q"]),
                  node("Compress", ["m", "q"], ["y"], axis=1)],
         [value("x", shape)], [value("y", [1, "classes"])],
         [constant("least", -1000, np.float32), constant("all", [-1], np.int64)])


if __name__ == "__main__":
    runs()
    classifiers()
