#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models that an agent has: loaded before the first call, and not sent again by who brings the same; and
how much memory all may take.
"""

import os
import subprocess

from world import PATIENCE, Agent, Skipped, run


def classify(world, tenant):
    models = world.build.source / "models/digits"
    return subprocess.run(
        [world.build.root / "examples/classify", "-m", models, models / "images/nine.png"],
        env=world.reach(tenant), capture_output=True, text=True, timeout=PATIENCE,
    )


def check_onnx(build):
    if not (build.plugins / "libvaccel-onnx.so").exists():
        raise Skipped("the onnx plugin is left out")


def received(world, tenant):
    return world.metric("vaccel_payload_bytes_total", tenant=tenant, direction="in")


def test_preload(build):
    check_onnx(build)
    models = {"path": str(build.source / "models"), "preload": ["digits", "nothing"]}
    with Agent(build, {"good": "onnx"}, {"onnx": {"plugins": ["onnx"]}}, models=models) as world:
        done = classify(world, "good")
        assert "nine" in done.stdout, done
        world.saw("model 'nothing' is not loaded")
        assert "model 'digits' is not loaded" not in world.words(), world.words()
        assert world.metric("vaccel_models_resident", tenant="good") == 1
        size = os.path.getsize(build.source / "models/digits/model.onnx")
        assert received(world, "good") < size, "the model was sent though the agent has it"
    with Agent(build, {"good": "onnx"}, {"onnx": {"plugins": ["onnx"]}}) as world:
        assert "nine" in classify(world, "good").stdout
        assert received(world, "good") > size


def test_memory(build):
    check_onnx(build)
    with Agent(build, {"good": "onnx"}, {"onnx": {"plugins": ["onnx"]}}, models={"memory": "1KiB"}) as world:
        done = classify(world, "good")
        assert done.returncode, done
        assert "this agent permits 1024 of models at once" in done.stdout + done.stderr, done
        assert world.metric("vaccel_refused_total", tenant="good", reason="quota") >= 1


run([test_preload, test_memory])
