#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vaccel run, with files of NumPy made and read here by what the format says of itself."""

import ast
import pathlib
import struct
import unittest

from command import BUILD, HAS_ONNX, PLUGINS, SOURCE, CommandTest

MODELS = SOURCE / "tests" / "data" / "models"
HAS_TFLITE = (PLUGINS / "libvaccel-tflite.so").exists()
HAS_TORCH = (PLUGINS / "libvaccel-torch.so").exists()
HAS_TF = (PLUGINS / "libvaccel-tf.so").exists()


def field(number, value):
    """One of a protocol buffer: bytes, or a small number."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value)]) + value


def graph_of_strings(*strings):
    """A graph of TensorFlow's with one node, 'words', which gives these."""
    shape = field(2, field(2, field(1, len(strings))))
    tensor = field(1, 7) + shape + b"".join(field(8, string) for string in strings)
    attributes = b"".join(field(5, field(1, name) + field(2, value))
                          for name, value in [(b"dtype", field(6, 7)), (b"value", field(8, tensor))])
    return field(1, field(1, b"words") + field(2, b"Const") + attributes)


def npy(numbers, descr="<f4", shape=None, order=False, version=1, head=None):
    """The bytes of such a file."""
    shape = (len(numbers),) if shape is None else shape
    head = head or f"{{'descr': {descr!r}, 'fortran_order': {order}, 'shape': {shape}, }}"
    code = {"f4": "f", "f8": "d", "i8": "q", "u1": "B", "b1": "?"}.get(descr[1:], "f")
    start = struct.pack("<6sBBH", b"\x93NUMPY", 1, 0, len(head) + 1) if version == 1 else \
        struct.pack("<6sBBI", b"\x93NUMPY", version, 0, len(head) + 1)
    return start + head.encode() + b"\n" + struct.pack(f"<{len(numbers)}{code}", *numbers)


def read_npy(path):
    data = pathlib.Path(path).read_bytes()
    magic, size = struct.unpack("<8sH", data[:10])
    assert magic == b"\x93NUMPY\x01\x00" and (10 + size) % 64 == 0 and data[9 + size : 10 + size] == b"\n"
    head = ast.literal_eval(data[10 : 10 + size].decode())
    assert head["fortran_order"] is False
    code = {"<f4": "f", "<i8": "q"}[head["descr"]]
    return head["shape"], [number for (number,) in struct.iter_unpack(f"<{code}", data[10 + size :])]


class Run(CommandTest):
    def setUp(self):
        super().setUp()
        self.a = self.file("a.npy", npy([1, 2, 3, 4, 5, 6], shape=(2, 3)))
        self.b = self.file("b.npy", npy([1] * 6, shape=(2, 3), version=2))

    def refuse(self, words, *arguments):
        out, err = self.run_vaccel("run", *arguments, status=1, VACCEL_PLUGINS="noop")
        self.assertEqual(out, "")
        self.assertIn(words, err)

    def test_what_is_no_array(self):
        model = self.file("m.onnx", b"not looked at")
        for words, data in [
            ("begins otherwise", b""),
            ("begins otherwise", b"\x93NUMPX" + npy([1])[6:]),
            ("version is none of", npy([1])[:6] + b"\x09" + npy([1])[7:]),
            ("head is not", npy([1])[:30]),
            ("head is not", npy([1], head="{'descr': '<f4', 'fortran_order': False}")),
            ("head is not", npy([1], head="{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}")),
            ("head is not", npy([1], head="{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}")),
            ("head is not", npy([1], head="{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}")),
            ("head is not", npy([1], head="__import__('os')")),
            ("larger than memory", npy([1], shape=(1 << 40, 1 << 40))),
            ("not as many numbers", npy([1, 2], shape=(3,))),
            ("not as many numbers", npy([1, 2], shape=(1,))),
            ("Fortran", npy([1, 2], order=True)),
            ("'>f4'", npy([1], ">f4")),
            ("'<U1'", npy([1], "<U1")),
        ]:
            with self.subTest(words):
                self.refuse(words, model, "-i", self.file("x.npy", data))
        self.refuse("cannot read '/nowhere'", model, "-i", "/nowhere")

    def test_what_is_no_model(self):
        self.refuse("cannot read the model '/nowhere'", "/nowhere", "-i", self.a)
        self.refuse("no framework that can be told", self.file("m", b"text"), "-i", self.a)
        self.refuse("no framework that can be told", str(self.directory), "-i", self.a)

    def test_names_and_places(self):
        onnx, tflite = self.file("m.onnx", b"x"), self.file("m", b"\x1c\0\0\0TFL3")
        self.refuse("name all", onnx, "-i", f"a={self.a}", "-i", self.b)
        self.refuse("by their places", tflite, "-i", f"a={self.a}")
        self.refuse("by their places", tflite, "-i", f"0={self.a}", "-i", f"0={self.b}")
        self.refuse("by their places", tflite, "-i", f"1={self.a}")
        self.refuse("no place left", tflite, "-i", f"1={self.a}", "-i", self.b)
        self.refuse("have no names", tflite, "-i", self.a, "-f", "y")
        self.refuse("--fetch NAME", self.file("m.pb", b"x"), "-i", f"a={self.a}")

    def test_echo(self):
        """The noop plugin gives its inputs back, of whatever framework the model is."""
        for name in "m.onnx", "m.tflite", "m.pt":
            got = self.run_json("run", self.file(name, b"x"), "-i", self.a, "-i", self.b, VACCEL_PLUGINS="noop")
            self.assertEqual([output["data"] for output in got["outputs"]], [[1, 2, 3, 4, 5, 6], [1] * 6])
            self.assertEqual(got["outputs"][0] | {"data": 0},
                             {"name": "output-0", "type": "float32", "shape": [2, 3], "data": 0})
        got = self.run_json("run", self.file("m.pb", b"x"), "-i", f"x={self.a}", "-f", "y:0", VACCEL_PLUGINS="noop")
        self.assertEqual(got["outputs"][0]["name"], "y:0")

    def test_types(self):
        for descr, numbers in [("<f8", [1.5, -2]), ("<i8", [-(1 << 62), 3]), ("|u1", [0, 255]), ("|b1", [True, False])]:
            path = self.file("t.npy", npy(numbers, descr))
            got = self.run_json("run", self.file("m.onnx", b"x"), "-i", path, VACCEL_PLUGINS="noop")
            self.assertEqual(got["outputs"][0]["data"], numbers)

    def test_files(self):
        out = self.directory / "out"
        got = self.run_json("run", self.file("m.onnx", b"x"), "-i", self.a, "-f", "../y", "-o", str(out),
                            VACCEL_PLUGINS="noop")
        self.assertEqual(got["outputs"][0]["file"], f"{out}/.._y.npy")
        self.assertNotIn("data", got["outputs"][0])
        self.assertEqual(read_npy(out / ".._y.npy"), ((2, 3), [1, 2, 3, 4, 5, 6]))
        self.refuse("cannot make the directory", self.file("m.onnx", b"x"), "-i", self.a, "-o", "/proc/x")

    @unittest.skipUnless(HAS_ONNX, "the onnx plugin was not built")
    def test_onnx(self):
        pair = str(MODELS / "pair.onnx")
        text, _ = self.run_vaccel("run", pair, "-i", f"b={self.b}", "-i", f"a={self.a}", VACCEL_PLUGINS="onnx")
        self.assertEqual(text, "output-0  float32 [2, 3]\n  2 3 4 5 6 7\noutput-1  float32 [2, 3]\n  0 1 2 3 4 5\n")
        got = self.run_json("run", pair, "-i", self.a, "-i", self.b, "-f", "difference", VACCEL_PLUGINS="onnx")
        self.assertEqual([(o["name"], o["data"]) for o in got["outputs"]], [("difference", [0, 1, 2, 3, 4, 5])])
        _, err = self.run_vaccel("run", pair, "-i", self.a, status=1, VACCEL_PLUGINS="onnx")
        self.assertIn("'b' is missing", err)

    @unittest.skipUnless(HAS_TFLITE, "the tflite plugin was not built")
    def test_tflite(self):
        got = self.run_json("run", str(MODELS / "pair.tflite"), "-i", self.a, "-i", self.b, VACCEL_PLUGINS="tflite")
        self.assertEqual(len(got["outputs"]), 2)

    @unittest.skipUnless(HAS_TORCH, "the torch plugin was not built")
    def test_torch(self):
        """However often it is run to find its outputs, a model that counts has counted once."""
        got = self.run_json("run", str(MODELS / "steps.pt"), "-i", self.b, VACCEL_PLUGINS="torch")
        self.assertEqual([output["data"] for output in got["outputs"]], [[2] * 6, [1]])
        got = self.run_json("run", str(MODELS / "text.pt"), "-i", self.b, VACCEL_PLUGINS="torch")
        self.assertEqual([output["data"] for output in got["outputs"]], [[1] * 6])

    @unittest.skipUnless(HAS_TORCH, "the torch plugin was not built")
    def test_an_output_that_fails(self):
        """That the second one cannot be had now does not mean that there is none."""
        _, err = self.run_vaccel("run", str(MODELS / "spreads.pt"), "-i", self.file("x.npy", npy([1])), status=1,
                                 VACCEL_PLUGINS="torch")
        self.assertIn("allocate 120000000000 bytes", err)

    @unittest.skipUnless(HAS_TF, "the tf plugin was not built")
    def test_tf(self):
        """Strings are shown; who names a node that is not there learns of those that are."""
        words = self.file("words.pb", graph_of_strings(b"one", b"t\xffwo", b""))
        got = self.run_json("run", words, "-f", "words", VACCEL_PLUGINS="tf")
        self.assertEqual(got["outputs"], [{"name": "words", "type": "string", "shape": [3],
                                           "data": ["one", "t\ufffdwo", ""]}])
        text, _ = self.run_vaccel("run", words, "-f", "words", VACCEL_PLUGINS="tf")
        self.assertEqual(text.splitlines()[0], "words  string [3]")
        for arguments, names in [(["-i", f"x={self.a}", "-f", "sum"], "an input, .* there is 'a', 'b'"),
                                 (["-i", f"a={self.a}", "-f", "x"], "an output, .* there is 'sum', 'difference'")]:
            _, err = self.run_vaccel("run", str(MODELS / "pair.pb"), *arguments, status=1, VACCEL_PLUGINS="tf")
            self.assertRegex(err, "no node 'x' for " + names)


class Look(CommandTest):
    """detect, segment, pose and depth."""

    TAG = "This is a dummy classification tag!"

    def test_text(self):
        picture = self.file("x", b"x")
        for command, line in [
            ("detect", f"  100.0%      0     0 to     1     1  {self.TAG}"),
            ("segment", f"  100.0%  {self.TAG}"),
            ("pose", f"  100.0%      0     0  {self.TAG}"),
            ("depth", "  least 0 at 0% of the width, 0% of the height"),
        ]:
            out, err = self.run_vaccel(command, picture, VACCEL_PLUGINS="noop")
            self.assertEqual((out.splitlines()[:2], err), ([picture, line], ""))

    def test_json(self):
        picture = self.file("x", b"x")
        label = {"index": 0, "label": self.TAG}
        corners = {"left": 0, "top": 0, "right": 1, "bottom": 1}
        for command, rest in [
            ("detect", {"boxes": [label | {"score": 1} | corners]}),
            ("segment", {"width": 1, "height": 1, "areas": [label | {"pixels": 1}]}),
            ("pose", {"points": [label | {"person": 0, "score": 1, "x": 0, "y": 0}]}),
            ("depth", {"width": 1, "height": 1, "least": 0, "most": 0}),
        ]:
            self.assertEqual(self.run_json(command, picture, VACCEL_PLUGINS="noop"), {"image": picture} | rest)

    def test_what_goes_wrong(self):
        picture = self.file("x", b"x")
        for command in "detect", "segment", "pose", "depth":
            for words, arguments in [("/nowhere", ["/nowhere"]), ("/nowhere", [picture, "-m", "/nowhere"]),
                                     ("neither a JPEG nor a PNG|nothing can be drawn", [picture, "-o", "/tmp/x.png"])]:
                out, err = self.run_vaccel(command, *arguments, status=1, VACCEL_PLUGINS="noop")
                self.assertEqual(out, "")
                self.assertRegex(err, words)

    def test_drawings_are_png(self):
        _, err = self.run_vaccel("depth", self.file("x", b"x"), "-o", "x.JPG", status=1, VACCEL_PLUGINS="noop")
        self.assertIn("'x.JPG': drawings are PNG", err)

    def test_no_pixels(self):
        """A plugin, or an agent, may answer what makes no sense."""
        answers = str(BUILD / "tests" / "call" / "libvaccel-answers.so")
        _, err = self.run_vaccel("depth", self.file("x", b"x"), status=1, VACCEL_PLUGINS=answers)
        self.assertIn("a map of no pixels", err)

    @unittest.skipUnless(HAS_ONNX and (PLUGINS / "draw.so").exists(), "the onnx plugin or draw.so was not built")
    def test_drawing(self):
        picture = str(SOURCE / "models" / "digits" / "images" / "seven.png")
        for command, model in ("segment", "mask"), ("pose", "joints"), ("depth", "depth"):
            path = self.directory / f"{command}.png"
            self.run_vaccel(command, picture, "-m", str(MODELS / f"{model}.onnx"), "-o", str(path),
                            VACCEL_PLUGINS="onnx")
            self.assertEqual(path.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        _, err = self.run_vaccel("depth", picture, "-m", str(MODELS / "depth.onnx"), "-o", "/nowhere/x.png", status=1,
                                 VACCEL_PLUGINS="onnx")
        self.assertIn("cannot write the picture '/nowhere/x.png': No such file", err)


if __name__ == "__main__":
    unittest.main()
