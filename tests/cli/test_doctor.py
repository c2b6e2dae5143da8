#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vaccel doctor: one thing wrong at a time, and what it says."""

import os
import subprocess
import unittest

from command import FAKES, HAS_ONNX, HAS_REMOTE, PLUGINS, CommandTest


class Doctor(CommandTest):
    def setUp(self):
        super().setUp()
        self.settings = {"VACCEL_PLUGINS": "noop"}

    def examine(self, status=1, **variables):
        """What is not fine, as (verdict, sentence, what_to_do)."""
        findings = self.run_json("doctor", status=status, **self.settings | variables)
        for finding in findings:
            self.assertEqual(list(finding), ["verdict", "sentence", "what_to_do"])
        return [tuple(finding.values()) for finding in findings if finding["verdict"] != "fine"]

    def assert_finds(self, verdict, sentence, what_to_do, status=1, **variables):
        found, = self.examine(status, **variables)
        self.assertEqual(found[0], verdict)
        self.assertIn(sentence, found[1])
        self.assertEqual(found[2], what_to_do)

    def test_all_is_well(self):
        self.assertEqual(self.examine(status=0), [])
        out, _ = self.run_vaccel("doctor", **self.settings)
        self.assertTrue(out.endswith("\nAll is well.\n"), out)
        self.assertIn("the plugin noop can be loaded", out)

    def test_misspelt_variable(self):
        self.assert_finds("wrong", "VACCEL_LOG_LEVL is set, and nothing reads it",
                          "Did you mean VACCEL_LOG_LEVEL? Otherwise unset it.", VACCEL_LOG_LEVL="4")
        self.assert_finds("wrong", "VACCEL_NOTHING_OF_OURS is set, and nothing reads it",
                          "Unset it; `vaccel config` lists what there is.", VACCEL_NOTHING_OF_OURS="4")

    def test_variable_of_a_plugin(self):
        self.assertEqual(self.examine(status=0, VACCEL_EXEC_DLOPEN_MODE="lazy"), [])
        self.assert_finds("wrong", "VACCEL_EXEC_DLOPEN_MODUS is set, and nothing reads it",
                          "Did you mean VACCEL_EXEC_DLOPEN_MODE? Otherwise unset it.",
                          VACCEL_EXEC_DLOPEN_MODUS="lazy")

    def test_variable_of_a_plugin_that_cannot_be_loaded(self):
        found = self.examine(VACCEL_PLUGIN_DIR=str(FAKES), VACCEL_BROKEN_THING="1", VACCEL_PLUGINS="cpu")
        self.assertNotIn("VACCEL_BROKEN_THING", str(found))

    @unittest.skipUnless(HAS_REMOTE, "no remote plugin")
    def test_setting_that_its_plugin_refuses(self):
        """What is wrong with it is said, and not that nothing reads it, or that the plugin's name is wrong."""
        remote = self.file("libvaccel-remote.so", (PLUGINS / "libvaccel-remote.so").read_bytes())
        (self.directory / "others").mkdir()
        (self.directory / "others" / "libvaccel-noop.so").symlink_to(PLUGINS / "libvaccel-noop.so")
        elsewhere = {"VACCEL_PLUGINS": remote, "VACCEL_PLUGIN_DIR": str(self.directory / "others")}
        for variables in {}, {"VACCEL_PLUGINS": "remote"}, elsewhere:
            with self.subTest(variables):
                found, = self.examine(VACCEL_TIMEOUT_MS="soon", VACCEL_SPIN_US="1", **variables)
                self.assertIn("VACCEL_TIMEOUT_MS is 'soon'; set it to", found[1])
                self.assertIsNone(found[2])

    @unittest.skipUnless(HAS_REMOTE, "no remote plugin")
    def test_tls_files(self):
        """The variables are named, and the files."""
        nope, text = str(self.directory / "nope.pem"), self.file("text.pem", b"no certificate")
        for variables, sentence in (
            ({"VACCEL_TLS_CERT": text},
             "TLS: there is a certificate without its private key; both must be given; "
             f"VACCEL_TLS_CERT is '{text}'"),
            ({"VACCEL_TLS_CA": text}, "TLS: the CA: there is no certificate in the file; PEM begins with "
             f"-----BEGIN CERTIFICATE-----; VACCEL_TLS_CA is '{text}'"),
            ({"VACCEL_TLS_CA": nope}, f"VACCEL_TLS_CA: '{nope}': No such file or directory"),
        ):
            with self.subTest(sentence):
                found, = self.examine(VACCEL_PLUGINS="auto", VACCEL_RPC_ADDRESS="tls://127.0.0.1:1", **variables)
                if "this build has no TLS" in found[1]:
                    self.skipTest("no TLS")
                self.assertIn(sentence, found[1])

    def test_old_name(self):
        self.assert_finds("doubtful", "VACCEL_DEBUG_LEVEL is the old name of a setting",
                          "Set VACCEL_LOG_LEVEL instead.", status=0, VACCEL_DEBUG_LEVEL="1")
        out, _ = self.run_vaccel("doctor", VACCEL_DEBUG_LEVEL="1", **self.settings)
        self.assertTrue(out.endswith("\nNothing is wrong, though something is doubtful.\n"), out)

    def test_setting_that_makes_no_sense(self):
        self.assert_finds("wrong", "VACCEL_LOG_LEVEL is 'loud'; set it to a whole number from 1 to 4", None,
                          VACCEL_LOG_LEVEL="loud")

    def test_log_file(self):
        log = self.directory / "log"
        self.assertEqual(self.examine(status=0, VACCEL_LOG_FILE=str(log)), [])
        self.assert_finds("wrong", f"the log file '{self.directory}' cannot be written: Is a directory",
                          "Set VACCEL_LOG_FILE to a file that can be written.",
                          VACCEL_LOG_FILE=str(self.directory))

    def test_run_directory(self):
        blocked = self.file("file", b"")
        found = self.examine(XDG_RUNTIME_DIR=blocked, TMPDIR=blocked)
        self.assertEqual(found[0][2], "Set XDG_RUNTIME_DIR or TMPDIR to a directory of yours.")

    def test_plugin_that_is_named_and_not_there(self):
        self.assert_finds("wrong", "libvaccel-nothing.so",
                          "Correct VACCEL_PLUGINS, or unset it to use what is installed.",
                          VACCEL_PLUGINS="noop::nothing")

    def test_no_plugins(self):
        found = self.examine(VACCEL_PLUGIN_DIR=str(self.directory), VACCEL_PLUGINS=str(PLUGINS / "libvaccel-noop.so"))
        self.assertEqual(found, [("wrong", f"no plugins (libvaccel-NAME.so) in the directory '{self.directory}'",
                                  "Install vaccel anew, or set VACCEL_PLUGIN_DIR to where its plugins lie.")])

    def test_plugin_that_is_none(self):
        self.file("libvaccel-text.so", b"not a library")
        noop = str(PLUGINS / "libvaccel-noop.so")
        found, = self.examine(VACCEL_PLUGIN_DIR=str(self.directory), VACCEL_PLUGINS=noop)
        self.assertIn("libvaccel-text.so", found[1])

    def test_plugin_that_is_cut_short(self):
        """It is not opened: what is missing would end the command."""
        name = "libvaccel-cpu.so"
        whole = (PLUGINS / name).read_bytes()
        self.file(name, whole[:len(whole) // 4])
        for manifest in PLUGINS.glob("libvaccel-cpu.manifest"):
            self.file(manifest.name, manifest.read_bytes())
        found, = self.examine(VACCEL_PLUGIN_DIR=str(self.directory), VACCEL_PLUGINS=str(PLUGINS / "libvaccel-noop.so"))
        self.assertIn("is cut short", found[1])

    def test_plugin_that_misses_a_library(self):
        compile_ = [os.environ["CC"], "-shared", "-fPIC", "-x", "c", "-"]
        gone, needy = self.directory / "libgone.so", self.directory / "libvaccel-needy.so"
        subprocess.run([*compile_, "-o", gone], input=b"int gone;", check=True)
        subprocess.run([*compile_, "-o", needy, "-Wl,--no-as-needed", "-x", "none", gone],
                       input=b"extern int gone; int *use(void) { return &gone; }", check=True)
        gone.unlink()
        found, = self.examine(VACCEL_PLUGIN_DIR=str(self.directory), VACCEL_PLUGINS=str(PLUGINS / "libvaccel-noop.so"))
        self.assertIn("libgone.so", found[1])
        self.assertTrue(found[2].startswith("Install the library that is missing"), found)

    def test_agent_without_remote_plugin(self):
        (self.directory / "libvaccel-noop.so").symlink_to(PLUGINS / "libvaccel-noop.so")
        self.assert_finds("wrong", "an agent is set, unix:///nowhere, and no plugin here can reach one",
                          "Install the plugin remote, or unset VACCEL_RPC_ADDRESS.",
                          VACCEL_PLUGIN_DIR=str(self.directory), VACCEL_RPC_ADDRESS="unix:///nowhere")

    @unittest.skipUnless(HAS_REMOTE, "no remote plugin")
    def test_agent_that_does_not_answer(self):
        self.assert_finds("wrong", "connecting to unix:///nowhere: there is no such socket file",
                          "Mend that, or correct or unset VACCEL_RPC_ADDRESS.",
                          VACCEL_PLUGINS="remote", VACCEL_RPC_ADDRESS="unix:///nowhere")

    @unittest.skipUnless(HAS_REMOTE, "no remote plugin")
    def test_address_that_is_none(self):
        found, = self.examine(VACCEL_PLUGINS="auto", VACCEL_RPC_ADDRESS="http://nowhere")
        self.assertIn("'http://nowhere' is no address; the forms are unix:///PATH", found[1])

    @unittest.skipUnless(HAS_REMOTE, "no remote plugin")
    def test_agent_that_is_not_asked(self):
        self.assert_finds("doubtful", "an agent is set, unix:///nowhere, and the plugin remote is not in use",
                          "Name remote in VACCEL_PLUGINS too, or unset VACCEL_RPC_ADDRESS.", status=0,
                          VACCEL_RPC_ADDRESS="unix:///nowhere")

    def test_nothing_classifies(self):
        (self.directory / "libvaccel-cpu.so").symlink_to(PLUGINS / "libvaccel-cpu.so")
        self.assert_finds("doubtful", "pictures cannot be classified",
                          "If pictures are to be classified, install the plugin onnx.", status=0,
                          VACCEL_PLUGIN_DIR=str(self.directory), VACCEL_PLUGINS="cpu")

    @unittest.skipUnless(HAS_ONNX, "no onnx plugin")
    def test_nothing_chosen_classifies(self):
        self.assert_finds("doubtful", "pictures cannot be classified",
                          "If pictures are to be classified, name onnx in VACCEL_PLUGINS too, or unset it.",
                          status=0, VACCEL_PLUGINS="cpu")

    def test_what_follows_from_something_wrong_is_not_said(self):
        found, = self.examine(VACCEL_PLUGINS="cpu", VACCEL_LOG_LEVL="4")
        self.assertIn("VACCEL_LOG_LEVL", found[1])

    def test_count(self):
        out, _ = self.run_vaccel("doctor", status=1, VACCEL_LOG_LEVL="4", VACCEL_LOG_FLE="x", **self.settings)
        self.assertRegex(out, r"\n2 of \d+ checks found something wrong\.\n$")


if __name__ == "__main__":
    unittest.main()
