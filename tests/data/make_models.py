#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the small ONNX models of the tests into models/ beside this file. Needs the onnx package.

Some are run on tensors; some classify pictures by their mean colour, so that a red picture is class 0,
a green one class 1, a blue one class 2; some are what a classifier must not be; and some tell what is where.
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
    save("gather", [node("Gather", ["x", "which"], ["y"])], [value("x", [4]), value("which", ["n"], T.INT64)],
         [value("y", ["n"])])
    save("weights", [node("Add", ["x", "w"], ["y"])], [value("x", [3])], [value("y", [3])],
         [constant("w", [1, 2, 3], np.float32)], save_as_external_data=True, all_tensors_to_one_file=True,
         location="weights.bin", size_threshold=0, convert_attribute=False)
    # The tests write weights of their own.
    (HERE / "weights.bin").unlink()
    # 120 GB of one number.
    save("huge", [node("Expand", ["x", "size"], ["y"])], [value("x", [1])], [value("y", [100000, 300000])],
         [constant("size", [100000, 300000], np.int64)])
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


def known(into, array, kind=np.float32):
    """An output that is the same for all pictures."""
    return node("Identity", [f"{into}_known"], [into]), constant(f"{into}_known", array, kind)


def nothing(name, picture, outputs, kind=T.FLOAT):
    """Outputs of these shapes, but that one of their dimensions, of 1, is seen to be 0 in a run."""
    nodes = [mean([0, 1, 2, 3], into="m"), node("Less", ["m", "least"], ["p"]), node("Reshape", ["p", "all"], ["q"])]
    constants = [constant("least", -1000, np.float32), constant("all", [-1], np.int64)]
    for into, dims, axis in outputs:
        nodes += [node("Add", ["m", f"{into}_ones"], [f"{into}_full"]),
                  node("Compress", [f"{into}_full", "q"], [f"{into}_none"], axis=axis),
                  node("Cast", [f"{into}_none"], [into], to=kind)]
        constants.append(constant(f"{into}_ones", np.ones(dims), np.float32))
    save(name, nodes, picture,
         [value(into, dims[:axis] + ["n"] + dims[axis + 1:], kind) for into, dims, axis in outputs], constants)


def looks():
    shape = [1, 3, 4, 4]
    picture = [value("x", shape)]
    # Boxes as parts of the sides; how sure it is goes with how red the picture is.
    boxes = known("boxes", [[[0.1, 0.2, 0.5, 0.6], [0.1, 0.2, 0.5, 0.65], [-0.5, 0.5, 0.5, 1.5], [0, 0, 1, 1]]])
    classes = known("classes", [[1, 1, 0, 7]])
    count = known("count", [3])
    save("ssd", [boxes[0], classes[0], count[0], node("Slice", ["x", "zero", "one", "one"], ["red"]),
                 node("ReduceMean", ["red"], ["how_red"], axes=[1, 2, 3], keepdims=0),
                 node("Mul", ["how_red", "sure"], ["scores"])],
         picture, [value("boxes", [1, 4, 4]), value("classes", [1, 4]), value("scores", [1, 4]), value("count", [1])],
         [boxes[1], classes[1], count[1], constant("sure", [[0.9, 0.7, 0.8, 1]], np.float32),
          constant("zero", [0], np.int64), constant("one", [1], np.int64)])
    # Two classes in 2x2 cells: two that see the same, one of the other class, one that is not sure.
    half = np.arctanh(0.5)
    cells = known("y", [[[[0.9, 0.8], [0.2, 0.7]], [[half, np.arctanh(-0.45)], [0, half]],
                         [[half, half], [0, half]], [[0, 0], [0, -20]], [[0, 0], [0, 0]],
                         [[0, 0], [1, 1]], [[1, 1], [0, 0]]]])
    save("cells", [cells[0]], picture, [value("y", [1, 7, 2, 2])], [cells[1]])
    save("mask", [node("Identity", ["x"], ["y"])], picture, [value("y", shape)])
    save("classes", [node("ArgMax", ["x"], ["y"], axis=1, keepdims=0)], picture, [value("y", [1, 4, 4], T.INT64)])
    save("depth", [mean([1])], picture, [value("y", [1, 4, 4])])
    joints = known("y", [[[[i / 20, 1 - i / 20, i / 16] for i in range(17)]]])
    # Of three people there are two; the row of each ends in a box and a score.
    rows = [[number for i in range(17) for number in (i / 20, person / 4, i / 16)] + [0, 0, 1, 1, score]
            for person, score in enumerate((0.9, 0.4, 0.6))]
    people = known("y", [rows])
    save("people", [people[0]], picture, [value("y", [1, 3, 56])], [people[1]])
    save("joints", [joints[0]], picture, [value("y", [1, 1, 17, 3])], [joints[1]])
    # Models that find nothing, and have nothing to tell of it.
    nothing("no_boxes", picture, [("boxes", [1, 1, 4], 1), ("classes", [1, 1], 1), ("scores", [1, 1], 1)])
    nothing("no_people", picture, [("y", [1, 56], 0)])
    nothing("no_cells", picture, [("y", [1, 7, 2, 2], 0)], T.DOUBLE)
    # A picture as bytes, as quantised models take it.
    save("bytes", [node("Cast", ["x"], ["f"], to=T.FLOAT), mean([1, 2], source="f")],
         [value("x", [1, 2, 2, 3], T.UINT8)], [value("y", [1, 3])])


if __name__ == "__main__":
    runs()
    classifiers()
    looks()
