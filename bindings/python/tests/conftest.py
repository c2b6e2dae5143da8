# SPDX-License-Identifier: Apache-2.0
"""What the tests share: a choice of plugins, an agent, data, and a look at what is left behind.

The environment says where things are: PYTHONPATH the package, VACCEL_PLUGIN_DIR the plugins,
TEST_AGENT the agent, TEST_FUNCTIONS a library whose functions `exec` runs, TEST_DATA real models
and pictures.
"""

from __future__ import annotations

import gc
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any, Callable

import pytest

TOP = pathlib.Path(__file__).resolve().parents[3]
SEVEN = TOP / "models/digits/images/seven.png"

# The model of the sources as the default one, which the library looks for when it is loaded.
MODELS = tempfile.TemporaryDirectory(prefix="vaccel-models-")
shutil.copytree(TOP / "models/digits", pathlib.Path(MODELS.name) / "classify")
os.environ["VACCEL_MODEL_PATH"] = MODELS.name

sys.path.insert(0, str(TOP / "tests/support"))
from agent import Agent  # noqa: E402

import vaccel  # noqa: E402


@pytest.fixture
def plugins() -> Iterator[Callable[..., vaccel.Session]]:
    """Opens a session with certain plugins."""
    sessions: list[vaccel.Session] = []

    def open_session(names: str, flags: int = 0) -> vaccel.Session:
        vaccel.bootstrap(vaccel.Config(names))
        sessions.append(vaccel.Session(flags))
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()
    vaccel.bootstrap()


@pytest.fixture
def noop(plugins: Callable[..., vaccel.Session]) -> vaccel.Session:
    """A session whose operations answer without doing anything."""
    return plugins("noop")


@pytest.fixture
def cpu(plugins: Callable[..., vaccel.Session]) -> vaccel.Session:
    """A session with numbers and functions."""
    return plugins("cpu:exec")


@pytest.fixture
def functions() -> str:
    """A library of functions for exec."""
    return os.environ["TEST_FUNCTIONS"]


@pytest.fixture
def data() -> pathlib.Path:
    """Real models and pictures."""
    found = pathlib.Path(os.environ.get("TEST_DATA", TOP / "../shared/data"))
    if not found.is_dir():
        pytest.skip("no real models and pictures here")
    return found


@pytest.fixture
def detector(data: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """FastestDet with its card."""
    shutil.copy(data / "models/onnx/FastestDet.onnx", tmp_path / "model.onnx")
    shutil.copy(data / "labels/coco80.names", tmp_path / "labels.txt")
    scale = 1 / 255
    card = {
        "task": "detect",
        "input": {
            "width": 352,
            "height": 352,
            "layout": "NCHW",
            "color": "BGR",
            "mean": [0, 0, 0],
            "scale": [scale, scale, scale],
        },
        "output": {"decoder": "fastestdet", "threshold": 0.65, "nms": 0.45},
    }
    (tmp_path / "model.json").write_text(json.dumps(card))
    return tmp_path


@pytest.fixture
def has_plugin() -> Callable[[str], None]:
    """Skips a test whose plugin is not built."""

    def look(name: str) -> None:
        file = f"{name}.so" if name == "draw" else f"libvaccel-{name}.so"
        if not (pathlib.Path(os.environ["VACCEL_PLUGIN_DIR"]) / file).exists():
            pytest.skip(f"no {file}")

    return look


@pytest.fixture
def agent() -> Iterator[Callable[..., Any]]:
    """Starts an agent over a unix socket with certain plugins; gives its environment."""
    running: list[Any] = []

    def start(*names: str, **policy: Any) -> Any:
        place = os.environ["TEST_AGENT"], os.environ["VACCEL_PLUGIN_DIR"]
        settings = {"VACCEL_MODEL_PATH": os.environ["VACCEL_MODEL_PATH"]}
        started = Agent(
            *place, "unix", {"plugins": list(names), **policy}, environment=settings
        ).__enter__()
        running.append(started)
        return started

    yield start
    for one in running:
        one.__exit__(None, None, None)


@pytest.fixture
def run() -> Callable[..., str]:
    """Runs a program in a process of its own; what it prints."""

    def run_program(text: str, status: int = 0, **settings: str) -> str:
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-c", text],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == status, f"{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    return run_program


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """A test that leaves a descriptor, a thread or a child process behind fails."""
    before = left_behind()
    yield
    gc.collect()
    after = left_behind()
    assert all(now <= then for now, then in zip(after[1:], before[1:])), f"{before} became {after}"


def left_behind() -> list[int]:
    """Memory in pages, and how many descriptors and children this process has."""
    children = pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return [pages, len(os.listdir("/proc/self/fd")), len(children)]
