#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models that an agent has: loaded before the first call, and not sent again by who brings the same; how
much memory all may take; and what comes of those that want more than there is.
"""

import json
import os
import shutil
import struct
import subprocess
import tempfile

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


def test_preload_whatever_clients_may_do(build):
    """Operations are a list for clients; and a model that cannot be loaded has the words of its own framework."""
    check_onnx(build)
    with tempfile.TemporaryDirectory() as directory:
        shutil.copytree(build.source / "models/digits", f"{directory}/digits")
        shutil.copytree(build.source / "models/digits", f"{directory}/broken")
        os.truncate(f"{directory}/broken/model.onnx", 3000)
        policies = {
            "few": {"ops": ["noop", "image_classify"]},
            "all": {},
            "none": {"plugins": ["cpu"]},
        }
        tenants = {name: name for name in policies}
        with Agent(build, tenants, policies, models={"path": directory, "preload": ["digits", "broken"]}) as world:
            for tenant in tenants:
                subprocess.run([build.root / "cli/vaccel", "ping"], env=world.reach(tenant), check=True,
                               stdout=subprocess.DEVNULL, timeout=PATIENCE)
            for tenant, number in ("few", 1), ("all", 1), ("none", 0):
                assert world.metric("vaccel_models_resident", tenant=tenant) == number, tenant
            world.saw("info: tenant none: model 'digits' is not loaded: no plugin of policy 'none' loads models")
            for tenant in "few", "all":
                world.saw(f"warning: tenant {tenant}: model 'broken' is not loaded: ")
            assert "model.pt" not in world.words() and "torch" not in world.words(), world.words()


def test_memory(build):
    check_onnx(build)
    with Agent(build, {"good": "onnx"}, {"onnx": {"plugins": ["onnx"]}}, models={"memory": "1KiB"}) as world:
        done = classify(world, "good")
        assert done.returncode, done
        assert "this agent permits 1024 of models at once" in done.stdout + done.stderr, done
        assert world.metric("vaccel_refused_total", tenant="good", reason="quota") >= 1


# For each plugin: how its files end, what a model is named by that wants 120 GB, and how pairs are fetched.
FRAMEWORKS = {
    "onnx": (".onnx", "Expand node", []),
    "tf": (".pb", "shape[100000,300000]", ["--fetch", "{}"]),
    "tflite": (".tflite", "tensor 'much' takes 120000000000 bytes", []),
    "torch": (".pt", "torch.repeat", []),
}


def write_array(path, *numbers):
    """A file of NumPy's with floats in one row."""
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {(1, len(numbers)) if numbers[1:] else (1,)}, }}"
    head += " " * (-(len(head) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode()
                     + struct.pack(f"<{len(numbers)}f", *numbers))


class Runner:
    def __init__(self, world, plugin):
        self.world, self.plugin = world, plugin
        self.suffix, _, self.fetch = FRAMEWORKS[plugin]
        write_array(world.directory / "ab.npy", 1, 2, 3)
        write_array(world.directory / "x.npy", 1)

    def start(self, tenant, model, inputs, output):
        named = self.plugin in ("onnx", "tf")
        file = self.world.directory / f"{inputs}.npy"
        arrays = [f"--input={name}={file}" if named else f"--input={file}" for name in inputs]
        return subprocess.Popen(
            [self.world.build.vaccel, "run", "--json", self.world.build.source / f"tests/data/models/{model}{self.suffix}",
             *arrays, *[text.format(output) for text in self.fetch]],
            env=self.world.reach(tenant), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )

    def check_pair(self, tenant):
        process = self.start(tenant, "pair", "ab", "sum")
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
        assert json.loads(out)["outputs"][0]["data"] == [2, 4, 6], out

    def check_greedy(self, model, words):
        """The neighbour's calls are answered meanwhile, by the same worker."""
        self.check_pair("good")
        worker = self.world.workers()["good"]
        process = self.start("greedy", model, "x", "y")
        while process.poll() is None:
            self.check_pair("good")
        out, err = process.communicate()
        assert process.returncode and any(text in err for text in words), (process.returncode, out, err)
        assert self.world.workers()["good"] == worker
        self.check_pair("greedy")
        self.check_pair("good")


def test_greedy_models(build):
    found = [name for name in FRAMEWORKS if (build.plugins / f"libvaccel-{name}.so").exists()]
    if build.sanitized and "onnx" in found:
        found.remove("onnx")  # a sanitizer's new ends the process where another one throws
    if not found:
        raise Skipped("the plugins that run models are left out")
    for name in found:
        policy = {name: {"plugins": [name], "memory": "2GiB"}}
        with Agent(build, {"good": name, "greedy": name}, policy) as world:
            runner = Runner(world, name)
            runner.check_greedy("huge", [FRAMEWORKS[name][1]])
            if name == "torch":
                # It is refused the piece that is too much, or dies of it.
                runner.check_greedy("creeps", ["torch.repeat", "ran out of memory"])


run([test_preload, test_preload_whatever_clients_may_do, test_memory, test_greedy_models])
