#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs an example as table.py says and compares what it prints.

usage: run_example.py NAME PROGRAM LIBRARY PLUGIN_DIR [AGENT]
       run_example.py --complete NAME...

LIBRARY is what exec and exec_with_resource run. With AGENT that program does what a row's
plugins would do, over each carrier, and the example has to print the same. With --complete
it checks that every source in examples/ is among the NAMEs and has rows in the table.
"""

import functools
import http.server
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from agent import CARRIERS, Agent  # noqa: E402
from table import NONSENSE, ROWS  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2]
DIGITS = SOURCE / "models/digits"
NO_PROGRAMS = {"functions"}
NAMED = {"number": "[0-9]+", "anything": "(?s:.*)"}


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serve(directory):
    handler = functools.partial(QuietHandler, directory=str(directory))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


class Runner:
    """Runs one example with an environment of its own, below a directory that goes with it."""

    def __init__(self, name, program, words, environment, directory):
        self.name, self.program, self.words = name, program, words
        kept = {k: v for k, v in os.environ.items() if not k.startswith("VACCEL_")}
        runtime = directory / "run"
        runtime.mkdir(mode=0o700)
        self.environment = kept | environment | {"XDG_RUNTIME_DIR": str(runtime), "LC_ALL": "C.UTF-8"}
        self.runtime = runtime

    def fill(self, text):
        return re.sub(r"\{(\w+)\}", lambda m: str(self.words[m[1]]), text)

    def pattern(self, text):
        """The regular expression for a text with <patterns> in it."""
        parts = re.split("<(.+?)>", text)
        parts[0::2] = (re.escape(self.fill(part)) for part in parts[0::2])
        parts[1::2] = (f"(?:{NAMED.get(part, part)})" for part in parts[1::2])
        return "".join(parts)

    def check_through_agent(self, row, binary, carrier):
        settings = dict(row.get("env", {}))
        policy = {"exec_libraries": [str(self.words["library"])], "exec_uploads": ["any"]}
        if "VACCEL_PLUGINS" in settings:
            policy["plugins"] = [settings.pop("VACCEL_PLUGINS")]
        data = {"VACCEL_DATA_DIR": self.environment["VACCEL_DATA_DIR"]}
        with Agent(binary, self.environment["VACCEL_PLUGIN_DIR"], carrier, policy, environment=data) as agent:
            self.check(row | {"env": settings | agent.environment})

    def run(self, args, environment):
        return subprocess.run(
            [str(self.program), *map(self.fill, args)],
            env=self.environment | environment, capture_output=True, text=True, timeout=120,
        )

    def expect(self, condition, row, done):
        if not condition:
            sys.exit(
                f"{self.name} {' '.join(row['args'])}: status {done.returncode}\n"
                f"--- printed\n{done.stdout}--- said\n{done.stderr}--- expected\n{row.get('prints')}"
            )

    def check(self, row):
        done = self.run(row["args"], row.get("env", {}))
        self.expect(done.returncode == 0, row, done)
        self.expect(re.fullmatch(self.pattern(row["prints"]), done.stdout), row, done)
        self.expect(re.fullmatch(self.pattern(row.get("says", "")), done.stderr), row, done)

    def check_misuse(self, takes_arguments):
        self.expect_usage([] if takes_arguments else ["too", "many"])
        for arguments in NONSENSE.get(self.name, []):
            self.expect_usage(arguments)

    def expect_usage(self, arguments):
        row = {"args": arguments, "prints": "a usage line, status 2"}
        done = self.run(row["args"], {})
        self.expect(done.returncode == 2 and done.stderr.startswith(f"usage: {self.name}"), row, done)

    def check_failure(self, row):
        """Every example that opens a session ends with the library's words if it cannot."""
        done = self.run(row["args"], {"VACCEL_PLUGINS": ""})
        words = "VACCEL_ENOTSUP: no plugin"
        self.expect(done.returncode == 1 and words in done.stderr, row | {"prints": words}, done)

    def check_tidy(self):
        left = sorted(map(str, self.runtime.rglob("*")))
        if left:
            sys.exit(f"{self.name} left files behind: {' '.join(left)}")


def check_rows_through_agent(runner, rows, binary):
    for carrier in CARRIERS:
        for row in rows:
            if not row.get("no_session"):
                runner.check_through_agent(row, binary, carrier)
    runner.check_tidy()


def check_example(name, program, words, environment, installed, agent=None):
    """Checks every row whose plugin is installed; returns the plugins that were missing."""
    rows = ROWS[name]
    missing = {row["needs"] for row in rows if "needs" in row} - installed
    with tempfile.TemporaryDirectory() as directory:
        runner = Runner(name, program, words, environment, pathlib.Path(directory))
        possible = [row for row in rows if row.get("needs") not in missing]
        if agent:
            check_rows_through_agent(runner, possible, agent)
            return missing
        for row in possible:
            runner.check(row)
        runner.check_misuse(bool(rows[0]["args"]))
        if not rows[0].get("no_session"):
            runner.check_failure(rows[0])
        runner.check_tidy()
    return missing


def words_for(library, images, model):
    return {
        "library": library,
        "images": images,
        "model": model,
        "labels": DIGITS / "labels.txt",
        "model_size": (model / "model.onnx").stat().st_size,
        "card_size": (model / "model.json").stat().st_size,
        "labels_size": (model / "labels.txt").stat().st_size,
        "picture_size": (images / "seven.png").stat().st_size,
    }


def plugins_in(directory):
    return {path.stem.removeprefix("libvaccel-") for path in pathlib.Path(directory).glob("libvaccel-*.so")}


def check_complete(names):
    sources = {path.stem for path in (SOURCE / "examples").iterdir() if path.suffix in {".c", ".cpp"}}
    for what, unknown in (
        ("not built", sources - NO_PROGRAMS - set(names)),
        ("built without a source", set(names) - sources),
        ("without a row in table.py", set(names) - set(ROWS)),
        ("in table.py but not built", set(ROWS) - set(names)),
    ):
        if unknown:
            sys.exit(f"examples {what}: {' '.join(sorted(unknown))}")


def main():
    if sys.argv[1] == "--complete":
        return check_complete(sys.argv[2:])
    name, program, library, plugin_dir, *agent = sys.argv[1:]
    with tempfile.TemporaryDirectory() as data:
        model = pathlib.Path(data) / "models/classify"
        model.mkdir(parents=True)
        for file in ("model.onnx", "model.json", "labels.txt"):
            shutil.copy(DIGITS / file, model)
        words = words_for(library, DIGITS / "images", model) | {"url": serve(DIGITS)}
        environment = {"VACCEL_PLUGIN_DIR": plugin_dir, "VACCEL_DATA_DIR": data}
        missing = check_example(name, program, words, environment, plugins_in(plugin_dir), *agent)
    if missing:
        print(f"SKIP: the rows that need the plugin {' '.join(missing)}, which is not built")
        sys.exit(77)


if __name__ == "__main__":
    main()
