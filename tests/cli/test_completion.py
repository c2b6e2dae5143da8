#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scripts of vaccel completion, in the shells that are here."""

import shutil
import subprocess
import unittest

from command import CommandTest, environment

BASH = """
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_vaccel
printf '%s\\n' "${COMPREPLY[@]}"
"""


class Completion(CommandTest):
    def setUp(self):
        super().setUp()
        self.here = self.directory / "here"
        self.here.mkdir()
        for name in ("a picture.png", "b.onnx"):
            self.file(f"here/{name}", b"")

    def script(self, shell):
        return self.file(f"script.{shell}", self.run_vaccel("completion", shell)[0].encode())

    def complete_bash(self, *words):
        done = subprocess.run(["bash", "-c", BASH, "bash", self.script("bash"), "vaccel", *words], cwd=self.here,
                              stdout=subprocess.PIPE, text=True, check=True)
        return sorted(filter(None, done.stdout.split("\n")))

    def complete_fish(self, line):
        done = subprocess.run(["fish", "--no-config", "-c", f"source {self.script('fish')}; complete -C '{line}'"],
                              stdout=subprocess.PIPE, text=True, check=True, cwd=self.here,
                              env=environment(HOME=str(self.directory)))
        return sorted(row.split("\t")[0] for row in done.stdout.splitlines())

    def test_bash(self):
        files = ["a picture.png", "b.onnx"]
        for words, expected in [
            (["c"], ["classify", "completion", "config"]),
            (["--v"], ["--version"]),
            (["classify", "--"], ["--help", "--json", "--labels", "--model", "--repeat", "--top"]),
            (["classify", ""], files),
            (["classify", "a"], files[:1]),
            (["classify", "--model", "b"], files[1:]),
            (["classify", "--model", "=", "b"], files[1:]),
            (["classify", "--model", "="], files),
            (["classify", "-n", ""], []),
            (["bench", ""], ["call", "infer"]),
            (["bench", "-p", ""], files),
            (["completion", "z"], ["zsh"]),
            (["help", "d"], ["doctor"]),
            (["plugins", "s"], ["show"]),
            (["plugins", "show", "b"], files[1:]),
            (["info", ""], []),
            (["nonsense", ""], []),
        ]:
            with self.subTest(words):
                self.assertEqual(self.complete_bash(*words), expected)

    def test_zsh_reads_it(self):
        if not shutil.which("zsh"):
            self.skipTest("zsh is not here")
        run = "autoload -U compinit; compinit -u -D; source $1; print $_comps[vaccel]"
        done = subprocess.run(["zsh", "-f", "-c", run, "zsh", self.script("zsh")], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.stdout, "_vaccel\n")

    def test_fish(self):
        if not shutil.which("fish"):
            self.skipTest("fish is not here")
        self.assertEqual(self.complete_fish("vaccel c"), ["classify", "completion", "config"])
        self.assertEqual(self.complete_fish("vaccel classify --m"), ["--model"])
        self.assertEqual(self.complete_fish("vaccel bench "), ["call", "infer"])
        self.assertEqual(self.complete_fish("vaccel classify b"), ["b.onnx"])


if __name__ == "__main__":
    unittest.main()
