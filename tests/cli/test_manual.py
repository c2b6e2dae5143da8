#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual pages tell of every command, option and setting, and of no others."""

import re
import subprocess
import sys
import unittest

from command import SOURCE, CommandTest, run_tests

MANUAL = SOURCE / "docs" / "man"


def options_in_help(text):
    """(-m, --model, MODEL) for each row of the help but --help."""
    rows = re.findall(r"^  (?:-(\w), |    )--(\w+)(?: ([A-Z]+))?  ", text, re.MULTILINE)
    return {row for row in rows if row[1] != "help"}


def options_in_manual(section):
    rows = re.findall(r"^\.It (?:Fl (\w) , )?Fl -(\w+)(?: Ar ([A-Z]+))?$", section, re.MULTILINE)
    return set(rows)


class contents(CommandTest):
    def test_every_command_and_option(self):
        page = (MANUAL / "vaccel.1").read_text()
        sections = dict(re.findall(r"^\.Ss vaccel (\w+).*?\n(.*?)(?=^\.S[hs] )", page, re.MULTILINE | re.DOTALL))
        commands = re.findall(r"^  (\w+)", self.run_vaccel("help")[0], re.MULTILINE)
        self.assertEqual(list(sections), commands)
        for command in commands:
            self.assertEqual(options_in_manual(sections[command]),
                             options_in_help(self.run_vaccel("help", command)[0]), command)

    def test_every_setting_of_the_library(self):
        page = (MANUAL / "vaccel.7").read_text()
        knobs = [knob["name"] for knob in self.run_json("config") if not knob["plugin"]]
        self.assertEqual(re.findall(r"^\.It Ev (\w+)$", page, re.MULTILINE), knobs)


class mandoc(unittest.TestCase):
    def test_pages_are_well_formed(self):
        for page in ("vaccel.1", "vaccel.7"):
            done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", MANUAL / page], stdout=subprocess.PIPE, text=True)
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    run_tests(needed="mandoc" if sys.argv[1] == "mandoc" else None)
