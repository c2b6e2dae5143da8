#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the digits network and writes all that lies beside this script but prose and scripts.

usage: train.py [DIRECTORY]      (where to write; by default, where this script is)

Needs what requirements.txt lists. On one machine it writes the same bytes every time: one thread, one
seed, and a number of epochs that the held-out samples have no say in. README.md describes the network,
the data and their licence.
"""

import json
import os
import pathlib
import sys

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

LABELS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
SHOWN = [0, 3, 7, 9]  # the digits of which images/ has pictures
SIDE = 8  # the network sees SIDE x SIDE
PICTURE = 128  # what we draw for people is PICTURE x PICTURE
MEAN, SCALE = 128, 1 / 128
PAPER = (255 - MEAN) * SCALE  # white, as the network sees it
CHANNELS = 12, 24  # of the two convolutions
SEED, HELD_OUT = 1, 0.25
EPOCHS, BATCH, RATE = 30, 50, 4e-3
DOUBT = 0.01  # of each label's certainty is spread over all: keeps probabilities below a flat 100 %
TURN, SHIFT, STRETCH = 0.15, 0.6, 0.1  # jitter, at most: radians, pixels, logarithm of a factor


def picture(sample):
    """A sample (8x8, ink 0 to 16) as a scan would show it: dark ink on white paper."""
    paper = np.round(255 - sample * (255 / 16)).astype(np.uint8)
    return Image.fromarray(paper).resize((PICTURE, PICTURE), Image.Resampling.BICUBIC)


def network_input(image):
    """What preprocessing makes of a grey picture, for one of its three equal channels."""
    small = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return (np.asarray(small, np.float32) - MEAN) * np.float32(SCALE)


def held_out():
    """Samples and their digits: (for training, held out), each a pair."""
    digits = load_digits()
    x, x_out, y, y_out = train_test_split(
        digits.images, digits.target, test_size=HELD_OUT, stratify=digits.target, random_state=SEED)
    return (x, y), (x_out, y_out)


def jitter(x, rng):
    """Each of x (N,8,8) turned, shifted and stretched a little; what comes in from outside is paper."""
    n, middle = len(x), (SIDE - 1) / 2
    angle = rng.uniform(-TURN, TURN, (n, 1, 1))
    stretch = np.exp(rng.uniform(-STRETCH, STRETCH, (n, 1, 1)))
    shift = rng.uniform(-SHIFT, SHIFT, (2, n, 1, 1))
    v, u = np.mgrid[:SIDE, :SIDE] - middle
    row = stretch * (np.cos(angle) * v - np.sin(angle) * u) + shift[0] + middle
    col = stretch * (np.sin(angle) * v + np.cos(angle) * u) + shift[1] + middle

    # Bilinear, in a frame of paper one pixel wide (two on the far side, for the right-hand neighbour).
    framed = np.pad(x, ((0, 0), (1, 2), (1, 2)), constant_values=PAPER)
    row, col = np.clip(row, -1, SIDE) + 1, np.clip(col, -1, SIDE) + 1
    k, i, j = np.arange(n)[:, None, None], row.astype(int), col.astype(int)
    fi, fj = (row - i).astype(np.float32), (col - j).astype(np.float32)
    above = (1 - fj) * framed[k, i, j] + fj * framed[k, i, j + 1]
    below = (1 - fj) * framed[k, i + 1, j] + fj * framed[k, i + 1, j + 1]
    return (1 - fi) * above + fi * below


# The network: 3x3 convolution, ReLU, 3x3 convolution, ReLU, the largest of each 2x2, dense.
# While training, pictures are (N, H, W, C) with one grey channel, and weights are matrices.


def patches(x):
    """Every pixel's 3x3 neighbourhood, zero beyond the edge: (N,H,W,C) to (N,H,W,9C)."""
    h, w = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return np.concatenate([padded[:, i:i + h, j:j + w] for i in range(3) for j in range(3)], axis=3)


def patches_back(g):
    """The gradient of what patches() was given, from the gradient of what it returned."""
    n, h, w, c = g.shape[0], *g.shape[1:3], g.shape[3] // 9
    padded = np.zeros((n, h + 2, w + 2, c), np.float32)
    for k in range(9):
        i, j = divmod(k, 3)
        padded[:, i:i + h, j:j + w] += g[..., k * c:(k + 1) * c]
    return padded[:, 1:-1, 1:-1]


def initial_weights(rng):
    c1, c2 = CHANNELS
    flat = c2 * (SIDE // 2) ** 2
    shapes = [(9, c1), (9 * c1, c2), (flat, len(LABELS))]
    weights = []
    for shape in shapes:
        weights += [rng.normal(0, np.sqrt(2 / shape[0]), shape), np.zeros(shape[1])]
    return [w.astype(np.float32) for w in weights]


def forward(x, weights):
    """The logits of x (N,8,8), and what backward() needs."""
    w1, b1, w2, b2, w3, b3 = weights
    n, half, c = len(x), SIDE // 2, CHANNELS[1]
    p1 = patches(x[..., None])
    h1 = np.maximum(p1 @ w1 + b1, 0)
    p2 = patches(h1)
    h2 = np.maximum(p2 @ w2 + b2, 0)
    blocks = h2.reshape(n, half, 2, half, 2, c).transpose(0, 5, 1, 3, 2, 4).reshape(n, c, half, half, 4)
    flat = blocks.max(4).reshape(n, -1)  # in the order of (C, H, W), as Flatten has it in NCHW
    return flat @ w3 + b3, (p1, h1, p2, h2, blocks.argmax(4), flat)


def backward(g, weights, kept):
    """The gradients of the weights, from that of the logits."""
    _, _, w2, _, w3, _ = weights
    p1, h1, p2, h2, largest, flat = kept
    n, half, (c1, c2) = len(g), SIDE // 2, CHANNELS
    dense = [flat.T @ g, g.sum(0)]
    blocks = np.zeros((*largest.shape, 4), np.float32)
    np.put_along_axis(blocks, largest[..., None], (g @ w3.T).reshape(*largest.shape, 1), 4)
    g = blocks.reshape(n, c2, half, half, 2, 2).transpose(0, 2, 4, 3, 5, 1).reshape(h2.shape) * (h2 > 0)
    second = [p2.reshape(-1, 9 * c1).T @ g.reshape(-1, c2), g.sum((0, 1, 2))]
    g = patches_back(g @ w2.T) * (h1 > 0)
    first = [p1.reshape(-1, 9).T @ g.reshape(-1, c1), g.sum((0, 1, 2))]
    return first + second + dense


def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def train(x, y):
    """Adam on the cross entropy, with a rate that falls to nothing along a cosine."""
    rng = np.random.default_rng(SEED)
    weights = initial_weights(rng)
    mean = [np.zeros_like(w) for w in weights]
    square = [np.zeros_like(w) for w in weights]
    steps, done = EPOCHS * (len(x) // BATCH), 0
    truth = ((1 - DOUBT) * np.eye(len(LABELS)) + DOUBT / len(LABELS)).astype(np.float32)[y]
    for _ in range(EPOCHS):
        jittered = jitter(x, rng)
        order = rng.permutation(len(x))
        for batch in np.split(order[:len(x) // BATCH * BATCH], len(x) // BATCH):
            logits, kept = forward(jittered[batch], weights)
            grads = backward((softmax(logits) - truth[batch]) / BATCH, weights, kept)
            done += 1
            rate = RATE * (1 + np.cos(np.pi * done / steps)) / 2
            for w, g, m, s in zip(weights, grads, mean, square):
                m += 0.1 * (g - m)
                s += 0.01 * (g * g - s)
                w -= rate * (m / (1 - 0.9 ** done)) / (np.sqrt(s / (1 - 0.99 ** done)) + 1e-8)
    return weights


def named_weights(weights):
    """The weights as frameworks name and lay them out; the input has three channels, grey their mean."""
    w1, b1, w2, b2, w3, b3 = weights
    c1, c2 = CHANNELS
    conv1 = w1.reshape(3, 3, 1, c1).transpose(3, 2, 0, 1)
    return {
        "conv1.weight": np.ascontiguousarray(np.repeat(conv1 / 3, 3, axis=1), np.float32),
        "conv1.bias": b1,
        "conv2.weight": np.ascontiguousarray(w2.reshape(3, 3, c1, c2).transpose(3, 2, 0, 1)),
        "conv2.bias": b2,
        "dense.weight": np.ascontiguousarray(w3.T),
        "dense.bias": b3,
    }


def onnx_model(named):
    conv = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["input", "conv1.weight", "conv1.bias"], ["conv1"], **conv),
        helper.make_node("Relu", ["conv1"], ["relu1"]),
        helper.make_node("Conv", ["relu1", "conv2.weight", "conv2.bias"], ["conv2"], **conv),
        helper.make_node("Relu", ["conv2"], ["relu2"]),
        helper.make_node("MaxPool", ["relu2"], ["pool"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("Gemm", ["flat", "dense.weight", "dense.bias"], ["logits"], transB=1),
    ]
    graph = helper.make_graph(
        nodes, "digits",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", len(LABELS)])],
        [numpy_helper.from_array(w, name) for name, w in named.items()])
    model = helper.make_model(
        graph, producer_name="vaccel", ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def write_json(path, members):
    """One line for each member, so that people can read it."""
    lines = (f"\t{json.dumps(name)}: {json.dumps(value)}" for name, value in members.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def card():
    return {
        "task": "classify",
        "input": {"width": SIDE, "height": SIDE, "layout": "NCHW", "color": "RGB",
                  "mean": [MEAN] * 3, "scale": [SCALE] * 3},
        "output": {"softmax": True},
    }


def write_pictures(directory, samples, y, probabilities):
    """Of each digit shown, the held-out sample that is most like the others, as PNG and as JPEG."""
    directory.mkdir(exist_ok=True)
    expected = {}
    for digit in SHOWN:
        unlike = ((samples - samples[y == digit].mean(axis=0)) ** 2).sum(axis=(1, 2))
        chosen = np.where(y == digit, unlike, np.inf).argmin()
        grey = picture(samples[chosen])
        grey.save(directory / f"{LABELS[digit]}.png", optimize=True)
        grey.convert("RGB").save(directory / f"{LABELS[digit]}.jpg", quality=90)
        for suffix in ("png", "jpg"):
            expected[f"{LABELS[digit]}.{suffix}"] = {
                "label": LABELS[digit], "probability": round(float(probabilities[chosen, digit]), 5)}
    write_json(directory / "expected.json", expected)


def main():
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__ + "/..").resolve()
    (samples, y), (samples_out, y_out) = held_out()
    x, x_out = (np.stack([network_input(picture(s)) for s in part]) for part in (samples, samples_out))
    weights = train(x, y)
    probabilities = softmax(forward(x_out, weights)[0])
    wrong = int((probabilities.argmax(1) != y_out).sum())
    print(f"{len(y_out) - wrong} of {len(y_out)} held-out pictures right: {1 - wrong / len(y_out):.2%}")

    named = named_weights(weights)
    (directory / "model.onnx").write_bytes(onnx_model(named))
    write_json(directory / "model.json", card())
    (directory / "labels.txt").write_text("\n".join(LABELS) + "\n")
    np.savez(directory / "weights.npz", **named)
    write_pictures(directory / "images", samples_out, y_out, probabilities)


if __name__ == "__main__":
    main()
