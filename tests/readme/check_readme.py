#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that what the documents show is what happens.

usage: check_readme.py program BUILD_DIR COMPILER...   the C example of README.md, compiled and run
       check_readme.py text BUILD_DIR                  `make help`, the demo, the table of plugins
       check_readme.py links                           files that documents refer to
       check_readme.py settings VACCEL PLUGIN_DIR      docs/configuration.md against `vaccel config`
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
README = (TOP / "README.md").read_text()


def environment(**settings):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VACCEL_")}
    return kept | settings


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def expect(condition, words):
    if not condition:
        sys.exit(words)


def check_program(build, *compiler):
    source = re.search(r"```c\n(.*?)```", README, re.DOTALL)[1]
    printed = re.search(r"It prints `(.*?)`", README)[1]
    with tempfile.TemporaryDirectory() as directory:
        program = pathlib.Path(directory) / "program"
        program.with_suffix(".c").write_text(source)
        run(
            *compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{TOP}/include", f"-I{build}/include",
            program.with_suffix(".c"), "-o", program, f"-L{build}/lib", "-lvaccel", f"-Wl,-rpath,{build}/lib",
        )
        out = run(program, env=environment(VACCEL_PLUGIN_DIR=f"{build}/plugins"))
    expect(out.strip() == printed, f"the C example printed {out!r}, not what README.md says")


def block_after(command):
    return re.search(rf"^\$ {re.escape(command)}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)[1]


def check_text(build):
    out = run("make", "--no-print-directory", "help", cwd=TOP, env=environment(MAKEFLAGS=""))
    expect(out == block_after("make help"), f"README.md shows another `make help` than this:\n{out}")

    plugins = set(re.findall(r"'name': '(\w+)'", "".join(p.read_text() for p in TOP.glob("plugins/*/meson.build"))))
    rows = set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE))
    expect(plugins == rows, f"README.md has rows for the plugins {sorted(rows)}, and there are {sorted(plugins)}")

    if not (pathlib.Path(build) / "plugins/libvaccel-onnx.so").exists():
        print("SKIP: no onnx plugin to compare the demo's output with")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as directory:
        stage = pathlib.Path(directory)
        shutil.copytree(TOP / "models/digits", stage / "classify")
        (stage / "bin").mkdir()
        for program in "examples/classify", "agent/vaccel-agent":
            (stage / "bin" / pathlib.Path(program).name).symlink_to(f"{build}/{program}")
        settings = {"VACCEL_MODEL_PATH": directory, "VACCEL_PLUGIN_DIR": f"{build}/plugins"}
        picture = TOP / "models/digits/images/seven.png"
        out = run(TOP / "tools/demo", stage, picture, env=environment(**settings))
    shown = block_after("make demo").removeprefix("…\n")
    # The last digits of the arithmetic differ from processor to processor.
    rounded = [re.sub(r"(\d+\.\d\d)\d%", r"\1%", text) for text in (out, shown)]
    expect(rounded[0] == rounded[1], f"README.md shows another demo than this:\n{out}")


def check_links():
    documents = [*TOP.glob("*.md"), *TOP.glob("docs/*.md"), *TOP.glob("models/*/*.md")]
    broken = [
        f"{document.relative_to(TOP)}: {link}"
        for document in documents
        for link in re.findall(r"\]\((?!\w+:|#)([^)#]+)", document.read_text())
        if not (document.parent / link).exists()
    ]
    expect(not broken and len(documents) > 5, "\n".join(["links to nothing:", *broken]))


def check_settings(vaccel, plugin_dir):
    text = (TOP / "docs/configuration.md").read_text()
    rows = {name: (default, sentence)
            for name, default, sentence in re.findall(r"^\| `(\w+)` \| ?(.*?) ?\| ([^`]*?) \|$", text, re.MULTILINE)}
    settings = {"VACCEL_PLUGIN_DIR": plugin_dir}
    knobs = json.loads(run(vaccel, "config", "--json", env=environment(**settings)))
    built = {knob["plugin"] for knob in knobs if knob["plugin"]}
    for knob in knobs:
        expected = (knob["default"] or "", knob["sentence"])
        # Plugins may share a setting.
        found = rows.get(knob["name"])
        expect(found == expected, f"{knob['name']}: docs/configuration.md says {found}, `vaccel config` {expected}")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)
    unbuilt = "".join(s for s in sections if s.startswith("Plugin ") and s.split()[1] not in built)
    known = {knob["name"] for knob in knobs}
    rows = {name for name in rows if name not in known and f"`{name}`" not in unbuilt}
    expect(not rows, f"docs/configuration.md lists what `vaccel config` does not know: {sorted(rows)}")
    for old, name in re.findall(r"^\| `(\w+)` \| `(\w+)` \|$", text, re.MULTILINE):
        knobs = json.loads(run(vaccel, "config", "--json", env=environment(**settings, **{old: "1"})))
        sources = {knob["name"]: knob["source"] for knob in knobs}
        expect(sources.get(name) == old or name not in sources, f"{old} is no older name of {name}")


if __name__ == "__main__":
    {
        "program": check_program,
        "text": check_text,
        "links": check_links,
        "settings": check_settings,
    }[sys.argv[1]](*sys.argv[2:])
