#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vaccel classify with the noop plugin: all but what the pictures show."""

import re
import unittest

from command import SEVEN, CommandTest, in_terminal

TAG = "This is a dummy classification tag!"


class Classify(CommandTest):
    def classify(self, *arguments, **options):
        return self.run_vaccel("classify", *arguments, VACCEL_PLUGINS="noop", **options)

    def classify_json(self, *arguments, **options):
        return self.run_json("classify", *arguments, VACCEL_PLUGINS="noop", **options)

    def test_text(self):
        self.assertEqual(self.classify(SEVEN), (f"{SEVEN}\n  100.000%  {TAG}\n", ""))

    def test_json(self):
        one = {"image": SEVEN, "top": [{"index": 0, "label": TAG, "probability": 1}]}
        self.assertEqual(self.classify_json(SEVEN, SEVEN), [one, one])

    def test_name_that_is_no_text(self):
        path = self.file("x", b"x") + "\udcff"
        with open(path, "wb") as file:
            file.write(b"x")
        self.assertEqual(self.classify_json(path)[0]["image"], path.replace("\udcff", "\ufffd"))

    def test_escape_sequences_stay_out_of_terminals(self):
        path = self.file("x\033[2J\n", b"x")
        labels = self.file("labels", b"\033]0;title\007 \xff\n")
        out, err = self.classify(path, "--labels", labels)
        self.assertEqual(out, f"{path[:-5]}?[2J?\n  100.000%  ?]0;title? ?\n")
        self.assertEqual(err, "")
        _, err = self.classify("/nowhere\033[2J\n", status=1)
        self.assertRegex(err, r"\Avaccel: /nowhere\?\[2J\?: [ -~]+\n\Z")

    def test_bad_pictures_do_not_stop_others(self):
        empty = self.file("empty", b"")
        out, err = self.classify("/nowhere", SEVEN, empty, str(self.directory), SEVEN, status=1)
        self.assertEqual(out.count(TAG), 2)
        lines = err.splitlines()
        self.assertEqual(len(lines), 3, err)
        for line, name in zip(lines, ["/nowhere", empty, str(self.directory)]):
            self.assertTrue(line.startswith(f"vaccel: {name}: "), line)
        self.assertEqual(len(self.classify_json("/nowhere", SEVEN, status=1)), 1)

    def test_what_concerns_all_is_said_once(self):
        out, err = self.run_vaccel("classify", SEVEN, SEVEN, SEVEN, status=1, VACCEL_PLUGINS="cpu")
        self.assertEqual(out, "")
        self.assertEqual(err.count("vaccel: "), 1)
        self.assertIn("image_classify_top", err)

    def test_repeat(self):
        times = r"3 times: first \d+\.\d{3} ms, median \d+\.\d{3} ms, fastest \d+\.\d{3} ms"
        self.assertRegex(self.classify(SEVEN, "-n", "3")[0], times)
        ms = self.classify_json(SEVEN, "--repeat=3")[0]["ms"]
        self.assertEqual(list(ms), ["first", "median", "fastest"])
        self.assertGreaterEqual(ms["first"], ms["fastest"])
        self.assertGreaterEqual(ms["median"], ms["fastest"])

    def test_labels(self):
        labels = self.file("labels.txt", "zéro, null\r\none".encode())
        self.assertIn("%  zéro, null\n", self.classify(SEVEN, "--labels", labels)[0])
        self.assertEqual(self.classify_json(SEVEN, "-l", labels)[0]["top"][0]["label"], "zéro, null")
        unnamed = self.file("unnamed.txt", b"\n")
        self.assertIn("%  class 0\n", self.classify(SEVEN, "-l", unnamed)[0])

    def test_labels_that_do_not_work(self):
        for path, sentence in [
            ("/nowhere", "cannot read the labels '/nowhere': No such file or directory"),
            (str(self.directory), f"cannot read the labels '{self.directory}'"),
            (self.file("none", b""), f"there are no labels in '{self.directory}/none'"),
        ]:
            out, err = self.classify(SEVEN, "--labels", path, "--json", status=1)
            self.assertEqual((out, err), ("", f"vaccel: {sentence}\n"))

    def test_model_that_is_not_there(self):
        out, err = self.classify(SEVEN, "--model", "/nowhere", status=1)
        self.assertEqual(out, "")
        self.assertRegex(err, r"^vaccel: .*'/nowhere'")

    def test_not_ready(self):
        out, err = self.run_vaccel("classify", SEVEN, status=1, VACCEL_PLUGINS="nothing")
        self.assertEqual(out, "")
        self.assertRegex(err, r"(?m)^vaccel: cannot load the plugin 'libvaccel-nothing.so'")

    def test_progress_bar_is_for_terminals(self):
        shown = in_terminal("stderr", 80, "classify", *[SEVEN] * 5, VACCEL_PLUGINS="noop")
        self.assertRegex(shown, r"\[#{8}\.{32}\] 1/5, \d+ s left")
        self.assertTrue(shown.endswith("\r\033[K"), repr(shown))
        self.assertEqual(in_terminal("stderr", 80, "classify", SEVEN, VACCEL_PLUGINS="noop"), "")
        self.assertEqual(self.classify(*[SEVEN] * 5)[1], "")

    def test_progress_bar_makes_room_for_complaints(self):
        shown = in_terminal("stderr", 80, "classify", SEVEN, "/nowhere", SEVEN, SEVEN, VACCEL_PLUGINS="noop")
        self.assertRegex(shown, r"\r\033\[Kvaccel: /nowhere: .*\r\n")

    def test_progress_bar_fits(self):
        for columns in (20, 60, 200):
            shown = in_terminal("stderr", columns, "classify", *[SEVEN] * 3, VACCEL_PLUGINS="noop")
            bar, = set(map(len, re.findall(r"\[([#.]+)\]", shown)))
            self.assertEqual(bar, {20: 10, 60: 26, 200: 40}[columns])


if __name__ == "__main__":
    unittest.main()
