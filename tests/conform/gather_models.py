#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts what the suite shows to computing backends into one directory, where a guest can have it, too.

usage: gather_models.py SOURCE_DIR DIR

It has a default model for each task, as VACCEL_MODEL_PATH takes them, a picture, and a model of each
framework that adds and subtracts.
"""

import json
import pathlib
import shutil
import sys

# A model of tests/data for each task, what its card says of its output, and its labels.
TASKS = {
    "detect": ("ssd", {"nms": 0.8, "threshold": 0.3, "first_label": 1}, ["???", "person", "car"]),
    "segment": ("classes", {}, ["red", "green", "blue"]),
    "pose": ("joints", {}, None),
    "depth": ("depth", {}, None),
}


def main():
    source, to = map(pathlib.Path, sys.argv[1:])
    models, digits = source / "tests/data/models", source / "models/digits"
    shutil.rmtree(to, ignore_errors=True)
    for task, (model, output, labels) in TASKS.items():
        (to / task).mkdir(parents=True)
        shutil.copy(models / f"{model}.onnx", to / task / "model.onnx")
        (to / task / "model.json").write_text(json.dumps({"task": task, "output": output}))
        if labels:
            (to / task / "labels.txt").write_text("\n".join(labels) + "\n")
    (to / "classify").mkdir()
    for name in "model.onnx", "model.json", "labels.txt":
        shutil.copy(digits / name, to / "classify")
    shutil.copy(digits / "images/seven.png", to)
    for pair in models.glob("pair.*"):
        shutil.copy(pair, to)


if __name__ == "__main__":
    main()
