#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs a build, moves the tree elsewhere, and uses it there with an environment that knows nothing of it.

usage: check_stage.py BUILD_DIR PREFIX LIBDIR

There the examples run, headers compile alone, a program builds by
pkg-config, and the agent has what its service needs. Rows that need ONNX
Runtime are left to the tests of the examples: where it lies is up to the
machine.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "examples"), str(TESTS / "headers")]

import check_headers
import run_example
from table import ROWS


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def install(build, prefix, directory):
    """Installs below the directory, and moves what came to a place that the build has not heard of."""
    run("meson", "install", "-C", build, "--no-rebuild", "--quiet", env=os.environ | {"DESTDIR": str(directory / "dest")})
    tree = directory / "elsewhere"
    (directory / "dest" / prefix.lstrip("/")).rename(tree)
    return tree


def check_examples(tree, plugin_dir):
    examples = plugin_dir / "examples"
    words = run_example.words_for(
        examples / "libfunctions.so", tree / "share/vaccel/images", tree / "share/vaccel/models/classify"
    ) | {"url": run_example.serve(run_example.DIGITS)}
    for name in ROWS:
        program = tree / "bin/classify" if name == "classify" else examples / name
        run_example.check_example(name, program, words, {}, run_example.plugins_in(plugin_dir) - {"onnx"})


def check_program(tree, lib):
    """The installed source of an example, built by the installed pkg-config file alone."""
    environment = {"PATH": os.environ["PATH"], "PKG_CONFIG_PATH": str(lib / "pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "vaccel", env=environment).split()
    if f"{tree}/include" not in [os.path.normpath(flag.removeprefix("-I")) for flag in flags]:
        sys.exit(f"pkg-config does not say where the tree is now: {flags}")
    program = tree / "noop"
    run("cc", "-std=c11", tree / "share/vaccel/examples/noop.c", "-o", program, *flags, f"-Wl,-rpath,{lib}")
    run(program, env=environment)


def check_established_names(tree, lib):
    """What vAccel 0.8 had for forwarding is found under its names, and is one plugin."""
    if not (lib / "vaccel/libvaccel-remote.so").exists():
        return
    for name in ("libvaccel-rpc.so", "libvaccel-virtio.so", str(lib / "libvaccel-rpc.so")):
        said = run(tree / "bin/vaccel", "info", env={"VACCEL_PLUGINS": f"{name}:remote"})
        if said.count("forwards operations to an agent") != 1:
            sys.exit(f"VACCEL_PLUGINS={name}:remote gives\n{said}")


def check_agent(build, prefix, tree):
    """By both of its names, with the file to begin with, and as the service that systemd starts."""
    if not pathlib.Path(build, "agent/vaccel-agent").exists():
        return
    for name in ("vaccel-agent", "vaccel-rpc-agent"):
        run(tree / "bin" / name, "--config", tree / "share/vaccel/agent.yaml", "--check-config", env={})
    units = tree / "lib/systemd/system"
    for file in (units / "vaccel-agent.socket", tree / "lib/sysusers.d/vaccel.conf"):
        if not file.exists():
            sys.exit(f"there is no {file.relative_to(tree)}")
    if f"ExecStart={prefix}/bin/vaccel-agent " not in (units / "vaccel-agent.service").read_text():
        sys.exit("vaccel-agent.service does not start the installed agent")


def main(build, prefix, libdir):
    os.environ.pop("LD_LIBRARY_PATH", None)
    with tempfile.TemporaryDirectory() as directory:
        tree = install(build, prefix, pathlib.Path(directory).resolve())
        lib = tree / libdir
        count, problems = check_headers.check("gcc", "g++", [tree / "include"])
        if problems or count < 30:
            sys.exit("\n".join([f"{count} headers", *problems]))
        check_program(tree, lib)
        check_established_names(tree, lib)
        check_agent(build, prefix, tree)
        check_examples(tree, lib / "vaccel")
        for page in ("man/man1/vaccel.1", "man/man3/vaccel_noop.3", "man/man7/vaccel.7", "doc/vaccel/operations.md",
                     "doc/vaccel/plugins/remote.md", "doc/vaccel/LICENSE"):
            if not (tree / "share" / page).exists():
                sys.exit(f"there is no share/{page}")


if __name__ == "__main__":
    main(*sys.argv[1:])
