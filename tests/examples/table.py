# SPDX-License-Identifier: Apache-2.0
"""What each example is to print.

A row has its arguments, its environment and what it prints, in which {word} is
filled in by run_example.py, and <number> or <regular expression> stands for what
varies.
`says` is the same for standard error; `needs` names a plugin without which the
row cannot be run. The first row of an example is also run with no plugins at
all, to see it fail in words, unless it has `no_session`.
"""

NOOP = {"VACCEL_PLUGINS": "noop"}

# Arguments that make no sense.
NONSENSE = {
    "classify": [["{images}/seven.png", "many"], ["{images}/seven.png", "0"], ["--help"]],
    "classify_top": [["{images}/seven.png", "-1"]],
}

ROWS = {
    "args": [
        {
            "args": [],
            "no_session": True,
            "prints": "5 arguments\nnumber is 21 now\n3 values, the last is 3\n'some text'\n"
            "a point of 8 bytes\nat 3, 4\n0 arguments left\n",
        },
    ],
    "boxes": [
        {
            "args": ["{images}/seven.png"],
            "env": NOOP,
            "prints": "100.0% This is a dummy classification tag!, from 0, 0 to 1, 1\n",
        },
    ],
    "classify": [
        {
            "args": ["{images}/seven.png", "2"],
            "env": NOOP,
            "prints": "Initialized session with id: 1\nImage size: {picture_size}B\n"
            + 2 * "classification tags: This is a dummy classification tag!\n",
        },
        {
            "args": ["{images}/seven.png", "1"],
            "needs": "onnx",
            "prints": "Initialized session with id: 1\nImage size: {picture_size}B\n"
            "classification tags: <99\\.9[0-9][0-9]>% seven\n",
        },
        {
            "args": ["{images}/nine.jpg", "-m", "{model}"],
            "needs": "onnx",
            "prints": "Initialized session with id: 1\nImage size: <number>B\n"
            "classification tags: <99\\.[0-9][0-9][0-9]>% nine\n",
        },
    ],
    "classify_top": [
        {
            "args": ["{images}/seven.png"],
            "env": NOOP,
            "prints": "100.000% class 0: This is a dummy classification tag!\n",
        },
        {
            "args": ["{images}/three.png", "2"],
            "needs": "onnx",
            "prints": " < ?99\\.9[0-9][0-9]>% class 3: three\n  <0\\.[0-9]+>% class <[0-9]>: <\\w+>\n",
        },
    ],
    "config": [
        {
            "args": ["noop:cpu"],
            "no_session": True,
            "prints": "plugin noop: <.+>\nplugin cpu: <.+>\na session prefers noop\n",
        },
    ],
    "exec": [{"args": ["{library}"], "prints": "mean: 3\n"}],
    "exec_with_resource": [{"args": ["{library}"], "prints": "WHEREVER THE HARDWARE IS (25 bytes)\n"}],
    "fpga": [
        {
            "args": [],
            "prints": "arraycopy: 1 2 3 4\nmmult: 19 22 43 50\nparallel, sum: 6 8 10 12\n"
            "parallel, product: 5 12 21 32\nvadd: 6 8 10 12\n",
        },
    ],
    "genop": [{"args": [], "prints": "operation 22: min -7, max 12\n"}],
    "image": [
        {"args": ["detect", "{images}/seven.png"], "env": NOOP, "prints": "annotated picture: This is a dummy imgname!\n"},
        {"args": ["segment", "{images}/seven.png"], "env": NOOP, "prints": "annotated picture: This is a dummy imgname!\n"},
        {"args": ["pose", "{images}/seven.png"], "env": NOOP, "prints": "annotated picture: This is a dummy imgname!\n"},
        {"args": ["depth", "{images}/seven.png"], "env": NOOP, "prints": "annotated picture: This is a dummy imgname!\n"},
    ],
    "minmax": [
        {
            "args": ["-10", "100", "3", "-7", "12", "5", "400"],
            "prints": "min -7, max 12, within: 3 -7 12 5 100\n",
        },
    ],
    "noop": [{"args": [], "prints": "Initialized session with id: 1\ndid nothing\n"}],
    "onnx": [
        {"args": ["{model}/model.onnx"], "env": NOOP, "prints": "that is a 0, of 192 digits\n"},
        {"args": ["{model}/model.onnx"], "needs": "onnx", "prints": "that is a 0, of 10 digits\n"},
    ],
    "opencv": [{"args": [], "env": NOOP, "prints": "<4|8> values in <16|32> bytes\n"}],
    "profiling": [
        {"args": [], "prints": "profiling is off: VACCEL_PROFILING_ENABLED=1 turns it on, VACCEL_LOG_LEVEL=3 shows it\n"},
        {
            "args": [],
            "env": {"VACCEL_PROFILING_ENABLED": "1", "VACCEL_LOG_LEVEL": "3"},
            "prints": "",
            "says": "<anything>[prof] sessions: total_time: <number> nsec nr_entries: 1\n"
            "<anything>[prof] calls: total_time: <number> nsec nr_entries: 100\n<anything>",
        },
    ],
    "resources": [
        {
            "args": ["{model}", "{labels}", "file://{labels}", "{url}/labels.txt"],
            "prints": "a buffer is resource 1:\n  words, 27 bytes\n"
            "{model} is resource 2:\n  labels.txt, {labels_size} bytes\n"
            "  model.json, {card_size} bytes\n  model.onnx, {model_size} bytes\n"
            "{labels} is resource 3:\n  labels.txt, {labels_size} bytes\n"
            "file://{labels} is resource 4:\n  labels.txt, {labels_size} bytes\n"
            "{url}/labels.txt is resource 5:\n  labels.txt, {labels_size} bytes\n",
        },
    ],
    "sgemm": [{"args": [], "prints": "18 20\n30 32\n"}],
    "tf": [
        {"args": ["{model}/model.onnx", "in", "out"], "env": NOOP, "prints": "status 0 '', 2 dimensions, 16 bytes\n"},
    ],
    "tflite": [
        {"args": ["{model}/model.onnx"], "env": NOOP, "prints": "status 0, 2 dimensions, 16 bytes\n"},
    ],
    "torch": [
        {"args": ["{model}/model.onnx"], "env": NOOP, "prints": "model: 1 2 3 4\nsgemm: 0 0 0 0\n"},
    ],
    "vadd": [{"args": [], "prints": "11\n22\n33\n"}],
}
