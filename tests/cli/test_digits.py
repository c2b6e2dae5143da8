#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vaccel classify with the onnx plugin and our own model."""

import json
import sys
import unittest

from command import DIGITS, HAS_ONNX, SEVEN, CommandTest

EXPECTED = json.loads((DIGITS / "images" / "expected.json").read_text())


class Digits(CommandTest):
    def setUp(self):
        super().setUp()
        models = self.directory / "models"
        models.mkdir()
        (models / "classify").symlink_to(DIGITS)
        self.data = str(self.directory)

    def test_every_picture(self):
        pictures = [str(DIGITS / "images" / name) for name in EXPECTED]
        answers = self.run_json("classify", *pictures, "--model", str(DIGITS), "--top", "3")
        self.assertEqual([answer["image"] for answer in answers], pictures)
        for answer, expected in zip(answers, EXPECTED.values()):
            self.assertEqual(len(answer["top"]), 3)
            self.assertEqual(answer["top"][0]["label"], expected["label"])
            self.assertAlmostEqual(answer["top"][0]["probability"], expected["probability"], delta=0.01)
            odds = [row["probability"] for row in answer["top"]]
            self.assertEqual(odds, sorted(odds, reverse=True))

    def test_default_model(self):
        out, _ = self.run_vaccel("classify", SEVEN, "-k1", VACCEL_DATA_DIR=self.data)
        self.assertRegex(out, r"99\.\d{3}%  seven\n$")

    def test_labels_that_are_fewer_than_classes(self):
        labels = self.file("labels.txt", b"a\nb\n")
        out, err = self.run_vaccel("classify", SEVEN, SEVEN, "-l", labels, status=1, VACCEL_DATA_DIR=self.data)
        self.assertEqual(out, "")
        self.assertEqual(err, f"vaccel: {SEVEN}: '{labels}' has 2 labels and the model has a class number 7, "
                              "counted from 0; give the labels of this model\n")

    def test_scores_that_are_no_numbers(self):
        model = self.directory / "overflows"
        model.mkdir()
        (model / "model.onnx").symlink_to(DIGITS / "model.onnx")
        card = json.loads((DIGITS / "model.json").read_text())
        card["input"]["scale"] = [3e38, 3e38, 3e38]
        (model / "model.json").write_text(json.dumps(card))
        top = self.run_json("classify", SEVEN, "--model", str(model))[0]["top"]
        self.assertIn(None, [row["probability"] for row in top])

    def test_bad_pictures(self):
        text = self.file("text.png", b"not a picture")
        cut = self.file("cut.png", open(SEVEN, "rb").read()[:60])
        answers = self.run_json("classify", text, SEVEN, cut, status=1, VACCEL_DATA_DIR=self.data)
        self.assertEqual([answer["image"] for answer in answers], [SEVEN])

    def test_doctor_is_content(self):
        out, err = self.run_vaccel("doctor", VACCEL_DATA_DIR=self.data)
        self.assertIn("a picture can be classified", out)
        self.assertTrue(out.endswith("\nAll is well.\n"), out)
        self.assertEqual(err, "")

    def test_doctor_misses_the_model(self):
        findings = self.run_json("doctor", status=1, VACCEL_DATA_DIR="/nowhere")
        self.assertEqual([f["verdict"] for f in findings if "cannot be classified" in f["sentence"]], ["wrong"])


if __name__ == "__main__":
    if not HAS_ONNX:
        print("SKIP: the onnx plugin is not built")
        sys.exit(77)
    unittest.main()
