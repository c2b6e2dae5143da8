#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures model.onnx on the held-out samples, as an application would use it.

Every sample becomes a PNG (and a JPEG) file's bytes, which are decoded, stretched to the size on the
card and normalised as the card says; ONNX Runtime does the rest. Needs onnxruntime besides what
requirements.txt lists. Fails below 98.9 %, or if a picture in images/ is not what expected.json says.
"""

import io
import json
import pathlib
import sys

import numpy as np
import onnxruntime
from PIL import Image

from train import LABELS, held_out, picture, softmax

HERE = pathlib.Path(__file__).resolve().parent


def classify(session, card, file):
    size = card["input"]["width"], card["input"]["height"]
    image = Image.open(file).convert("RGB").resize(size, Image.Resampling.BILINEAR)
    x = (np.asarray(image, np.float32) - card["input"]["mean"]) * card["input"]["scale"]
    x = x.astype(np.float32).transpose(2, 0, 1)[None]
    return softmax(session.run(None, {session.get_inputs()[0].name: x})[0])[0]


def main():
    card = json.loads((HERE / "model.json").read_text())
    session = onnxruntime.InferenceSession(str(HERE / "model.onnx"), providers=["CPUExecutionProvider"])
    failed = False
    samples, truth = held_out()[1]
    for kind in ("PNG", "JPEG"):
        right = 0
        for sample, digit in zip(samples, truth):
            file = io.BytesIO()
            picture(sample).save(file, kind)
            right += classify(session, card, file).argmax() == digit
        print(f"{kind}: {right} of {len(truth)} held-out pictures right: {right / len(truth):.2%}")
        failed |= right / len(truth) < 0.989
    for name, expected in json.loads((HERE / "images/expected.json").read_text()).items():
        probabilities = classify(session, card, HERE / "images" / name)
        best = int(probabilities.argmax())
        print(f"{name}: {probabilities[best]:.3%} {LABELS[best]}")
        failed |= LABELS[best] != expected["label"]
        failed |= abs(probabilities[best] - expected["probability"]) > 0.01
    sys.exit(failed)


if __name__ == "__main__":
    main()
