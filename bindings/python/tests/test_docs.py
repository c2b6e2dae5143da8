# SPDX-License-Identifier: Apache-2.0
"""What the documents and the examples show is what happens."""

import ast
import doctest
import importlib
import json
import pkgutil

import pytest
from conftest import TOP

import vaccel

MODULES = [
    info.name
    for info in pkgutil.walk_packages(vaccel.__path__, "vaccel.")
    if "_native" not in info.name
]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture(autouse=True)
def at_the_top(monkeypatch):
    monkeypatch.chdir(TOP)


@pytest.mark.parametrize("name", ["vaccel", *MODULES])
def test_examples_of_modules(name, plugins):
    plugins("cpu:exec")
    assert doctest.testmod(importlib.import_module(name), optionflags=FLAGS).failed == 0


@pytest.mark.parametrize("name", ["docs/python.md", "README.md", "bindings/python/README.md"])
def test_examples_of_documents(name, plugins, has_plugin):
    has_plugin("onnx")
    plugins("onnx:cpu")
    document = (TOP / name).read_text()
    if ">>>" in document:
        assert (
            doctest.testfile(str(TOP / name), module_relative=False, optionflags=FLAGS).failed == 0
        )
    for block in document.split("```python\n")[1:]:
        text = block.split("```")[0]
        if ">>>" not in text:
            ast.parse(text)


def test_the_measurement(run):
    out = run(
        f"import runpy, sys; sys.argv = ['bench.py', '--brief']\n"
        f"runpy.run_path({str(TOP / 'bindings/python/examples/bench.py')!r}, run_name='__main__')",
        VACCEL_PLUGINS="noop",
    )
    assert [line.split()[0] for line in out.splitlines()] == ["Python", "noop", "fpga_vadd"]


def test_names_in_the_document():
    """Every method in the table of docs/python.md is one, and has its coroutine."""
    document = (TOP / "docs/python.md").read_text()
    for name in [
        "noop",
        "classify_top",
        "detect_boxes",
        "segment_mask",
        "pose_points",
        "depth_map",
        "genop",
    ]:
        assert (
            f"`{name}(" in document
            and hasattr(vaccel.Session, name)
            and hasattr(vaccel.Session, "a" + name)
        )


def test_the_notebook(plugins, has_plugin, data, detector, monkeypatch, capsys):
    has_plugin("onnx")
    has_plugin("draw")
    plugins("onnx")
    monkeypatch.setenv("MODEL", str(detector))
    monkeypatch.setenv("PICTURE", str(data / "images/street_fastestdet_3.jpg"))
    notebook = json.loads((TOP / "bindings/python/examples/detect.ipynb").read_text())
    names = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert "person" in capsys.readouterr().out
    assert names["drawing"]._repr_png_().startswith(b"\x89PNG")
