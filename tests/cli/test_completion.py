#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The script of vaccel completion for the shell that the argument names."""

import subprocess
import sys

from command import CommandTest, environment, run_tests

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


class bash(Completion):
    def complete(self, *words):
        done = subprocess.run(["bash", "-c", BASH, "bash", self.script("bash"), "vaccel", *words], cwd=self.here,
                              stdout=subprocess.PIPE, text=True, check=True)
        return sorted(filter(None, done.stdout.split("\n")))

    def test_what_is_offered(self):
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
            (["bench", "c"], ["call"]),
            (["bench", "infer", "b"], files[1:]),
            (["ops", "minmax", "onnx_model_u"], ["onnx_model_unload"]),
            (["bench", "-p", ""], files),
            (["ping", "--"], ["--count", "--help", "--json", "--socket"]),
            (["top", "--"], ["--help", "--interval", "--json", "--once", "--socket"]),
            (["top", "--socket", ""], files),
            (["top", "-i", ""], []),
            (["completion", "z"], ["zsh"]),
            (["help", "d"], ["depth", "detect", "doctor"]),
            (["plugins", "s"], ["show"]),
            (["plugins", "show", "b"], files[1:]),
            (["info", ""], []),
            (["nonsense", ""], []),
        ]:
            with self.subTest(words):
                self.assertEqual(self.complete(*words), expected)


class zsh(Completion):
    def test_it_is_read(self):
        run = "autoload -U compinit; compinit -u -D; source $1; print $_comps[vaccel]"
        done = subprocess.run(["zsh", "-f", "-c", run, "zsh", self.script("zsh")], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.stdout, "_vaccel\n")


class fish(Completion):
    def complete(self, line):
        done = subprocess.run(["fish", "--no-config", "-c", f"source {self.script('fish')}; complete -C '{line}'"],
                              stdout=subprocess.PIPE, text=True, check=True, cwd=self.here,
                              env=environment(HOME=str(self.directory)))
        return sorted(row.split("\t")[0] for row in done.stdout.splitlines())

    def test_what_is_offered(self):
        self.assertEqual(self.complete("vaccel c"), ["classify", "completion", "config"])
        self.assertEqual(self.complete("vaccel classify --m"), ["--model"])
        self.assertEqual(self.complete("vaccel bench c"), ["call"])
        self.assertEqual(self.complete("vaccel ops minm"), ["minmax"])
        self.assertEqual(self.complete("vaccel classify b"), ["b.onnx"])


if __name__ == "__main__":
    run_tests(needed=sys.argv[1])
