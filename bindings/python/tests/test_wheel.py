# SPDX-License-Identifier: Apache-2.0
"""`pip install`: what is in the wheel, which library it takes, and what is said without one.

TEST_BUILD is a build directory; TEST_VACCEL its command.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest
from conftest import TOP

import vaccel

pytest.importorskip("pip", reason="no pip")
pytest.importorskip("wheel", reason="no wheel")

BUILD = pathlib.Path(os.environ["TEST_BUILD"])
CARRIED = ["cpu", "noop", "exec"]


def run(*command, **settings):
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VACCEL_", "LD_", "PYTHONPATH"))
    }
    return subprocess.run(
        list(map(str, command)), env={**kept, **settings}, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of the sources, since setuptools writes beside them."""
    copy = tmp_path_factory.mktemp("sources") / "bindings/python"
    shutil.copytree(
        TOP / "bindings/python",
        copy,
        ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"),
    )
    return copy


@pytest.fixture(scope="module")
def stage(sources, tmp_path_factory):
    """A small tree such as `make build` leaves."""
    tree = tmp_path_factory.mktemp("stage")
    shutil.copytree(TOP / "include", tree / "include")
    shutil.copytree(TOP / "ops", tree / "include/vaccel/ops", dirs_exist_ok=True)
    for header in (BUILD / "include/vaccel").glob("*.h"):
        shutil.copy(header, tree / "include/vaccel")
    (tree / "lib/vaccel").mkdir(parents=True)
    for name in ("libvaccel.so", "libvaccel.so.0"):
        shutil.copy(BUILD / "lib" / name, tree / "lib")
    for name in CARRIED:
        for file in (BUILD / "plugins").glob(f"libvaccel-{name}.*"):
            if file.is_file():
                shutil.copy(file, tree / "lib/vaccel")
    (tree / "lib/vaccel/libvaccel-large.so").write_text("left out")
    (tree / "bin").mkdir()
    (tree / "bin/vaccel").symlink_to(os.environ["TEST_VACCEL"])
    shutil.copytree(TOP / "models/digits", tree / "share/vaccel/models/classify")
    shutil.copytree(sources, tree / "share/vaccel/python")
    return tree


@pytest.fixture(scope="module")
def wheel(stage, tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    words = ["wheel", "-q", "--no-build-isolation", "--no-deps", "--no-index", "-w", out]
    source = stage / "share/vaccel/python"
    done = run(sys.executable, "-m", "pip", *words, source, VACCEL_LEAVE_OUT="*-large.so:*.nothing")
    assert not done.returncode, done.stdout + done.stderr
    (found,) = out.iterdir()
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    place = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    return place


def test_what_is_in_it(wheel):
    assert wheel.name.startswith(f"vaccel-{vaccel.__version__}-cp39-abi3-linux_")
    names = set(zipfile.ZipFile(wheel).namelist())
    carried = [
        f"vaccel/_bundle/lib/vaccel/libvaccel-{name}.{end}"
        for name in CARRIED
        for end in ("so", "manifest")
    ]
    wanted = [
        "vaccel/py.typed",
        "vaccel/_native.pyi",
        "vaccel/_native.abi3.so",
        "vaccel/_generated.py",
    ]
    wanted += [
        "vaccel/_bundle/lib/libvaccel.so.0",
        "vaccel/_bundle/share/vaccel/models/classify/model.json",
    ]
    assert not {*wanted, *carried} - names
    assert not [name for name in names if "large" in name or "bench" in name or "test" in name]


PROGRAM = """
import vaccel
with vaccel.Session() as session:
    print(session.fpga_vadd([1.0], [2.0]))
print({line.split()[-1] for line in open('/proc/self/maps') if '/libvaccel.so' in line})
"""


def test_the_library_that_it_carries(installed):
    done = run(sys.executable, "-c", PROGRAM, PYTHONPATH=str(installed))
    assert done.stdout.splitlines() == [
        "[3.0]",
        str({f"{installed}/vaccel/_bundle/lib/libvaccel.so.0"}),
    ], done.stderr


def test_a_library_that_is_found_comes_first(installed):
    settings = {"LD_LIBRARY_PATH": str(BUILD / "lib"), "VACCEL_PLUGIN_DIR": str(BUILD / "plugins")}
    done = run(sys.executable, "-c", PROGRAM, PYTHONPATH=str(installed), **settings)
    assert (
        "[3.0]" in done.stdout and f"{BUILD}/lib/" in done.stdout and "_bundle" not in done.stdout
    ), done.stderr


def test_nothing_is_built(sources):
    words = [sys.executable, sources / "setup.py", "--name"]
    done = run(*words, PKG_CONFIG_LIBDIR="/nowhere")
    assert (
        done.returncode
        and "vaccel is not built" in done.stderr
        and "Run `make build`" in done.stderr
    )
    done = run(*words, VACCEL_STAGE="/nowhere")
    assert done.returncode and "VACCEL_STAGE is /nowhere" in done.stderr
