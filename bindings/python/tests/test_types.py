# SPDX-License-Identifier: Apache-2.0
"""The package and programs that use it, by mypy's strict rules."""

import pathlib

import pytest

import vaccel

api = pytest.importorskip("mypy.api", reason="no mypy")

GOOD = """
import numpy as np
import vaccel
from vaccel.ops import tf

async def main() -> None:
    with vaccel.Session(vaccel.PluginType.GPU) as session:
        text: str = (await session.aclassify("a.png"))[0]
        labels = [found.label.upper() for found in session.classify_top(b"", 3)]
        widths = [box.right - box.left for box in session.detect_boxes("a.png")]
        total: list[float] = session.fpga_vadd([1.0], [2.0])
        array = session.fpga_vadd(np.ones(3, np.float32), np.ones(3, np.float32))
        largest: float = session.ops.minmax([1.0], 1, 0, 2, out=1).max
        dims: list[int] = session.onnx_model_run(vaccel.Resource("m", 2), [array])[0].dims
        print(text, labels, widths, total, array.dtype, largest, dims, tf.Node("a", 0).name)
"""
BAD = """
import vaccel
session = vaccel.Session()
session.classify()  # E
session.fpga_vadd([1.0], "text")  # E
number: int = session.classify_top(b"")[0].label  # E
session.ops.minmax([1.0], "n", 0, 2, out=1)  # E
session.ops.nonsense()  # E
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Where mypy keeps what it knows of NumPy, which takes it longest."""
    return tmp_path_factory.mktemp("cache")


def check(cache, *words):
    options = ["--strict", "--no-error-summary", f"--cache-dir={cache}"]
    out, errors, status = api.run([*options, *map(str, words)])
    assert not errors, errors
    return out, status


def test_the_package(cache):
    out, status = check(cache, pathlib.Path(vaccel.__file__).parent)
    assert not status, out


def test_programs(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("MYPYPATH", str(pathlib.Path(vaccel.__file__).parents[1]))
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_text(BAD)
    out, status = check(cache, "--follow-imports=silent", tmp_path / "good.py")
    assert not status, out
    out, _ = check(cache, "--follow-imports=silent", tmp_path / "bad.py")
    told = {int(line.split(":")[1]) for line in out.splitlines() if ": error:" in line}
    assert told == {
        number for number, line in enumerate(BAD.splitlines(), 1) if line.endswith("# E")
    }, out
