#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts what a new operation touches: its header, one line of the build, and the backend.

usage: check_new_op.py SOURCE_DIR

In a copy of the sources it adds the operation `scale` with those three and no
more, builds what is needed, and runs a program that uses it; where a Python has
what the package for it needs, also one in Python, and where there is Go, one in Go.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LEFT_OUT = ("tests", "fuzz", "build*", ".*", "__pycache__")
PYTHONS = ["python3", "/usr/bin/python3"]
BUILT = ["plugins/libvaccel-noop.so", "plugins/libvaccel-noop.manifest", "cli/vaccel"]


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def digests(tree):
    return {
        str(path.relative_to(tree)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in tree.rglob("*")
        if path.is_file() and "build" not in path.relative_to(tree).parts[:1]
    }


def add_before(path, mark, text):
    """Puts a text before the one line that begins with the mark."""
    lines = path.read_text().splitlines(keepends=True)
    places = [i for i, line in enumerate(lines) if line.startswith(mark)]
    if len(places) != 1:
        sys.exit(f"{path.name} has {len(places)} lines that begin with {mark!r}; give the test another mark")
    path.write_text("".join(lines[: places[0]]) + text + "".join(lines[places[0] :]))


def add_operation(tree):
    shutil.copy(HERE / "scale.h", tree / "ops")
    add_before(tree / "ops/meson.build", "  'tf.h',", "  'scale.h',\n")
    answer = (HERE / "scale_in_noop.c").read_text()
    add_before(tree / "plugins/noop/noop.c", "static const struct vaccel_plugin_info", answer)


def build(tree):
    run(
        "meson", "setup", "--libdir=lib", "-Dtests=false", "-Dbuildtype=plain",
        tree / "build", tree, cwd=tree,
    )
    run("ninja", "-C", tree / "build", *BUILT)
    run(
        "cc", "-std=c11", f"-I{tree}/include", f"-I{tree}/build/include", HERE / "use_scale.c",
        "-o", tree / "build/use_scale", f"-L{tree}/build/lib", "-lvaccel", f"-Wl,-rpath,{tree}/build/lib",
    )


def use_from_python(tree, environment):
    """The package for Python is made anew, and has it."""
    needed = ["-c", "import cffi, numpy, setuptools"]
    pythons = [p for p in PYTHONS if not subprocess.run([p, *needed], stderr=subprocess.DEVNULL).returncode]
    if not pythons:
        return print("no Python with cffi, NumPy and setuptools to use it from")
    python, build = pythons[0], tree / "build"
    generate = tree / "bindings/python/generate.py"
    paths = f"{tree}/include:{build}/include", build / "lib", build / "cli/vaccel", build
    run(python, generate, *paths, env=os.environ | environment)
    settings = {"PYTHONPATH": str(build), "LD_LIBRARY_PATH": str(build / "lib")}
    print(run(python, HERE / "use_scale.py", env=os.environ | environment | settings), end="")


def use_from_go(source, tree, environment):
    """The package for Go is generated anew, and has it."""
    go = next(filter(None, (shutil.which(name) for name in (source / ".deps/go/bin/go", "go"))), None)
    version = re.match(r"go1\.(\d+)", run(go, "env", "GOVERSION")) if go else None
    if not version or int(version[1]) < 22:
        return print("no Go of 1.22 or newer to use it from")
    build, package = tree / "build", tree / "build/go"
    shutil.copytree(tree / "bindings/go", package)
    (package / "cmd/use_scale").mkdir()
    shutil.copy(HERE / "use_scale.go", package / "cmd/use_scale/main.go")
    (build / "vaccel.pc").write_text(
        f"Name: vaccel\nDescription: vaccel\nVersion: 0\nCflags: -I{tree}/include -I{build}/include\n"
        f"Libs: -L{build}/lib -lvaccel\n"
    )
    settings = os.environ | environment | {
        "PKG_CONFIG_PATH": str(build), "LD_LIBRARY_PATH": str(build / "lib"),
        "GOFLAGS": "-buildvcs=false", "GOPROXY": "off", "GOTOOLCHAIN": "local",
    }
    run(go, "run", "./internal/opgen", "-vaccel", build / "cli/vaccel", "-o", "ops_gen.go", cwd=package, env=settings)
    print(run(go, "run", "./cmd/use_scale", cwd=package, env=settings), end="")


def main(source):
    with tempfile.TemporaryDirectory(prefix="vaccel-new-op-") as directory:
        tree = pathlib.Path(directory) / "tree"
        shutil.copytree(source, tree, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
        before = digests(tree)
        add_operation(tree)
        build(tree)
        environment = {"VACCEL_PLUGINS": "noop", "VACCEL_PLUGIN_DIR": str(tree / "build/plugins")}
        print(run(tree / "build/use_scale", env=environment), end="")
        listed = json.loads(run(tree / "build/cli/vaccel", "ops", "--json", env=environment))
        if not [op for op in listed if op["number"] == 90 and op["symbol"] == "vaccel_scale"]:
            sys.exit("`vaccel ops --json` does not list operation 90")
        use_from_python(tree, environment)
        use_from_go(pathlib.Path(source), tree, environment)
        after = digests(tree)
    touched = {name for name in before | after if before.get(name) != after.get(name)}
    print("touched:", *sorted(touched))
    sys.exit(touched != {"ops/scale.h", "ops/meson.build", "plugins/noop/noop.c"})


if __name__ == "__main__":
    main(*sys.argv[1:])
