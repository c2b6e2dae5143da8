#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command as a whole, and the commands that tell what there is."""

import re
import subprocess
import unittest

from command import FAKES, PLUGINS, SEVEN, SOURCE, VACCEL, CommandTest, environment, in_terminal

COMMANDS = ["info", "ops", "plugins", "config", "classify", "detect", "segment", "pose", "depth"]
COMMANDS += ["run", "bench", "ping", "top", "doctor", "completion", "help", "version"]
VERSION = re.search(r"version: '([\d.]+)'", (SOURCE / "meson.build").read_text())[1]


class Usage(CommandTest):
    def test_version(self):
        for form in (["version"], ["--version"], ["-V"]):
            self.assertEqual(self.run_vaccel(*form), (f"vaccel {VERSION}\n", ""))

    def test_help_lists_every_command(self):
        out, _ = self.run_vaccel("help")
        self.assertEqual(re.findall(r"^  (\w+)", out, re.MULTILINE), COMMANDS)
        self.assertEqual(self.run_vaccel("--help")[0], out)

    def test_help_says_where_a_default_model_is(self):
        for command in ("detect", "segment", "pose", "depth"):
            out, _ = self.run_vaccel("help", command)
            self.assertIn("none for this comes with vaccel", " ".join(out.split()))
        out, _ = self.run_vaccel("help", "classify")
        self.assertIn("the one that comes with vaccel knows written digits", " ".join(out.split()))

    def test_help_of_each_command(self):
        for command in COMMANDS:
            out, _ = self.run_vaccel("help", command)
            self.assertTrue(out.startswith(f"usage: vaccel {command}"))
            self.assertIn("--help", out)
            self.assertEqual(self.run_vaccel(command, "--help")[0], out)
            self.assertEqual(self.run_vaccel(command, "-h")[0], out)

    def test_wrong_use(self):
        for arguments, sentence in [
            ([], "which command? `vaccel help` lists them"),
            (["clasify"], "there is no command 'clasify'; did you mean 'classify'?"),
            (["xyzzy"], "there is no command 'xyzzy'; `vaccel help` lists them"),
            (["help", "inf"], "there is no command 'inf'; did you mean 'info'?"),
            (["classify", "--modle", "x"], "classify has no option '--modle'; did you mean '--model'?"),
            (["info", "-x"], "info has no option '-x'; `vaccel help info` lists them"),
            (["info", "--json=yes"], "info has no option '--json=yes'; `vaccel help info` lists them"),
            (["classify"], "usage: vaccel classify IMAGE...; `vaccel help classify` says more"),
            (["classify", "a", "--model"], "--model needs a value; `vaccel help classify` says which"),
            (["classify", "a", "-m"], "-m needs a value; `vaccel help classify` says which"),
            (["classify", "a", "--top", "0"], "--top is '0'; give a whole number from 1 to 1000000"),
            (["classify", "a", "-k5x"], "--top is '5x'; give a whole number from 1 to 1000000"),
            (["classify", "a", "-n", "9" * 30],
             f"--repeat is '{'9' * 30}'; give a whole number from 1 to 1000000"),
            (["info", "more"], "info does not know what to do with 'more'; `vaccel help info` says what it takes"),
            (["plugins", "shw", "x"], "usage: vaccel plugins show FILE..."),
            (["plugins", "show"], "usage: vaccel plugins show FILE..."),
            (["completion", "csh"], "completion knows bash, zsh and fish, not 'csh'"),
            (["bench", "calls"], "bench has the suites call, infer, sgemm, tf, tflite, torch, rpc and vm, not 'calls'"),
            (["ops", "minmx"], "there is no operation 'minmx'; did you mean 'minmax'?"),
            (["ops", "q" * 100], f"there is no operation '{'q' * 100}'; `vaccel ops` lists them"),
        ]:
            with self.subTest(arguments):
                self.assert_complains(sentence, *arguments)

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([VACCEL, "ops"], stdout=full, stderr=subprocess.PIPE, text=True, env=environment())
        self.assertEqual((done.returncode, done.stderr), (1, "vaccel: cannot write to the standard output\n"))

    def test_lines_fit(self):
        for columns in (40, 80):
            for command in COMMANDS:
                for line in in_terminal("stdout", columns, "help", command, NO_COLOR="1").splitlines():
                    self.assertLessEqual(len(line), columns, line)
        for line in self.run_vaccel("ops")[0].splitlines():
            self.assertLessEqual(len(line), 80, line)

    def test_colour_is_for_terminals(self):
        self.assertIn("\033[1m", in_terminal("stdout", 80, "help"))
        self.assertIn("\033[1m", in_terminal("stdout", 80, "help", NO_COLOR=""))
        self.assertNotIn("\033", in_terminal("stdout", 80, "help", NO_COLOR="1"))
        self.assertNotIn("\033", self.run_vaccel("help")[0])


def fnv(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def signature(op):
    """What both ends must agree on, as ops/describe.h spells it."""
    text = f"{op['name']}:"
    for arg in op["args"]:
        items = "".join(f"{f['kind']} {f['type']} {f['name']};" for f in arg.get("item", []))
        type_ = arg["type"] + (f"{{{items}}}" if arg["kind"] == "LIST" else "")
        text += f" {arg['dir']} {arg['kind']} {type_} {arg['name']} {'_'.join(arg['marks']) or 'NONE'};"
    return text


class Ops(CommandTest):
    def test_json_is_what_bindings_rely_on(self):
        ops = self.run_json("ops")
        described = []
        for header in (SOURCE / "ops").glob("*.h"):
            described += re.findall(r"^VACCEL_OP(?:_CHECKED)?\((\d+), \w+, (\w+), (\w+), (\w+),",
                                    header.read_text(), re.MULTILINE)
        found = [(str(op["number"]), op["name"], op["symbol"], op["repeat"]) for op in ops]
        self.assertEqual(found, sorted(described, key=lambda row: int(row[0])))
        for op in ops:
            self.assertEqual(list(op), ["number", "name", "symbol", "sentence", "repeat", "hash", "args"])
            self.assertIn(op["repeat"], ["EFFECT", "PURE", "LOAD", "UNLOAD"])
            self.assertTrue(op["sentence"])
            for arg in op["args"]:
                self.check_arg(arg)
            self.assertEqual(op["hash"], fnv(signature(op)), signature(op))

    def check_arg(self, arg):
        keys = ["name", "dir", "kind", "type", "marks", "sentence"]
        self.assertEqual(list(arg), keys + ["item"] * (arg["kind"] == "LIST"))
        self.assertIn(arg["dir"], ["IN", "OUT", "INOUT"])
        self.assertIn(arg["kind"], ["ONE", "SPAN", "TEXT", "LIST", "TENSORS", "ARGS", "RESOURCE"])
        self.assertLessEqual(set(arg["marks"]), {"OPTIONAL", "GROWS", "STABLE"})
        for field in arg.get("item", []):
            self.assertEqual(list(field), ["name", "kind", "type", "sentence"])

    def test_some(self):
        self.assertEqual([op["name"] for op in self.run_json("ops", "minmax", "exec")], ["minmax", "exec"])
        self.assertEqual(
            [op["name"] for op in self.run_json("ops", "sgemm", "vaccel_fpga_vadd")], ["blas_sgemm", "fpga_vectoradd"],
        )
        out, _ = self.run_vaccel("ops", "minmax")
        self.assertIn("OUT   SPAN f64", out)
        self.assertEqual(len(self.run_vaccel("ops", "noop")[0].splitlines()), 1)

    def test_works_without_a_library_that_is_ready(self):
        self.assertEqual(self.run_json("ops", VACCEL_PLUGINS="nothing"), self.run_json("ops"))


class Plugins(CommandTest):
    def test_list(self):
        plugins = {p["name"]: p for p in self.run_json("plugins")}
        self.assertEqual(plugins["cpu"]["state"], "loaded when needed")
        self.assertEqual(plugins["noop"]["state"], "not in use")
        self.assertEqual(plugins["noop"]["type"], ["debug"])
        self.assertEqual(plugins["noop"]["path"], str((PLUGINS / "libvaccel-noop.so").resolve()))
        self.assertEqual(len(plugins["noop"]["ops"]), len(self.run_json("ops")))
        self.assertEqual(list(plugins["cpu"]), ["name", "version", "type", "sentence", "path", "state", "ops"])
        out, _ = self.run_vaccel("plugins")
        self.assertIn(f"noop {VERSION} (debug): not in use\n", out)

    def test_list_says_what_is_loaded(self):
        plugins = {p["name"]: p["state"] for p in self.run_json("plugins", VACCEL_PLUGINS="noop")}
        self.assertEqual(plugins["noop"], "loaded")
        self.assertEqual(plugins["cpu"], "not in use")

    def test_list_where_the_configuration_fails(self):
        out, err = self.run_vaccel("plugins", VACCEL_PLUGINS="nothing")
        self.assertTrue(out.startswith("None is in use:\n    cannot load the plugin 'libvaccel-nothing.so'"), out)
        self.assertLessEqual(max(map(len, out.splitlines()[:3])), 80)
        self.assertIn("cpu", out)
        self.assertEqual(err, "")

    def test_list_of_none(self):
        out, err = self.run_vaccel("plugins", "--json", status=1, VACCEL_PLUGIN_DIR=str(self.directory))
        self.assertEqual(out.split(), ["[", "]"])
        self.assertIn(f"vaccel: no plugins (libvaccel-NAME.so) in the directory '{self.directory}'", err)

    def test_list_without_a_manifest(self):
        self.file("libvaccel-bare.so", b"no library")
        plugin, = self.run_json("plugins", VACCEL_PLUGINS="", VACCEL_PLUGIN_DIR=str(self.directory))
        self.assertEqual((plugin["name"], plugin["version"], plugin["ops"]), ("bare", None, []))

    def test_show(self):
        shown, = self.run_json("plugins", "show", "exec")
        self.assertEqual(list(shown), ["name", "version", "type", "sentence", "path", "vaccel_version", "ops", "knobs",
                                       "needs", "report"])
        self.assertEqual(shown["vaccel_version"], VERSION)
        self.assertIn("VACCEL_EXEC_DLOPEN_MODE", [knob["name"] for knob in shown["knobs"]])
        self.assertEqual(list(shown["needs"]),
                         ["read_paths", "write_paths", "devices", "system_calls", "jit", "children"])
        out, _ = self.run_vaccel("plugins", "show", shown["path"])
        self.assertIn("VACCEL_EXEC_DLOPEN_MODE", out)
        self.assertIn("exec_with_resource", out)

    def test_show_several(self):
        shown = self.run_json("plugins", "show", "noop", "cpu", VACCEL_PLUGINS="nothing")
        self.assertEqual([p["name"] for p in shown], ["noop", "cpu"])

    def test_show_what_is_none(self):
        text = self.file("text.so", b"not a library")
        _, err = self.run_vaccel("plugins", "show", text, status=1)
        self.assertIn(f"vaccel: cannot load the plugin '{text}'", err)
        _, err = self.run_vaccel("plugins", "show", "nothing", status=1)
        self.assertIn("vaccel: cannot load the plugin 'libvaccel-nothing.so'", err)


class Info(CommandTest):
    def test_info(self):
        info = self.run_json("info")
        self.assertEqual(list(info), ["version", "plugin_directory", "data_directory", "failure", "plugins"])
        self.assertEqual((info["version"], info["plugin_directory"]), (VERSION, str(PLUGINS)))
        self.assertIsNone(info["failure"])
        cpu, = [p for p in info["plugins"] if p["name"] == "cpu"]
        self.assertEqual((cpu["state"], cpu["failure"]), ("loaded", None))
        self.assertIn("minmax", cpu["ops"])
        self.assertNotIn("noop", [p["name"] for p in info["plugins"]])
        out, _ = self.run_vaccel("info")
        self.assertIn(f"cpu {VERSION} (cpu, software)", out)

    def test_report(self):
        for fact in [f for p in self.run_json("info")["plugins"] for f in p["report"]]:
            self.assertEqual(list(fact), ["key", "value"])

    def test_plugin_that_cannot_be_loaded(self):
        plugins = {p["name"]: p for p in self.run_json("info", VACCEL_PLUGIN_DIR=str(FAKES))["plugins"]}
        self.assertEqual(plugins["broken"]["state"], "failed")
        self.assertTrue(plugins["broken"]["failure"])
        out, _ = self.run_vaccel("info", VACCEL_PLUGIN_DIR=str(FAKES))
        self.assertIn("cannot be loaded", out)
        self.assertIn("because", out)

    def test_not_ready(self):
        info = self.run_json("info", VACCEL_PLUGINS="nothing")
        self.assertIn("libvaccel-nothing.so", info["failure"])
        self.assertEqual(info["plugins"], [])
        self.assertIn("not ready", self.run_vaccel("info", VACCEL_PLUGINS="nothing")[0])

    def test_bootstraps_where_the_library_must_not(self):
        self.assertTrue(self.run_json("info", VACCEL_BOOTSTRAP_ENABLED="0")["plugins"])


class Config(CommandTest):
    def knobs(self, **variables):
        return {knob["name"]: knob for knob in self.run_json("config", **variables)}

    def test_every_knob(self):
        knobs = self.knobs()
        for name, knob in knobs.items():
            bounds = ["least", "most"] * (knob["type"] == "number")
            self.assertEqual(list(knob),
                             ["name", "value", "source", "default", "type", *bounds, "sentence", "plugin"], name)
        self.assertEqual(knobs["VACCEL_LOG_LEVEL"]["value"], "1")
        self.assertIsNone(knobs["VACCEL_LOG_LEVEL"]["source"])
        self.assertIsNone(knobs["VACCEL_LOG_LEVEL"]["plugin"])
        self.assertEqual(knobs["VACCEL_EXEC_DLOPEN_MODE"]["plugin"], "exec")

    def test_where_values_come_from(self):
        knobs = self.knobs(VACCEL_LOG_LEVEL="2", VACCEL_BACKENDS="noop")
        self.assertEqual((knobs["VACCEL_LOG_LEVEL"]["value"], knobs["VACCEL_LOG_LEVEL"]["source"]),
                         ("2", "VACCEL_LOG_LEVEL"))
        self.assertEqual((knobs["VACCEL_PLUGINS"]["value"], knobs["VACCEL_PLUGINS"]["source"]),
                         ("noop", "VACCEL_BACKENDS"))
        out, _ = self.run_vaccel("config", VACCEL_BACKENDS="noop")
        self.assertIn("VACCEL_PLUGINS = noop  (by its old name, VACCEL_BACKENDS)\n", out)
        self.assertIn("VACCEL_LOG_LEVEL = 1  (default)\n", out)
        self.assertIn("VACCEL_LOG_FILE  (not set)\n", out)

    def test_works_where_the_configuration_does_not(self):
        for name, value in {"VACCEL_PLUGINS": "nothing", "VACCEL_LOG_LEVEL": "9",
                            "VACCEL_LOG_FILE": "/nowhere/log"}.items():
            out, err = self.run_vaccel("config", **{name: value})
            self.assertTrue(out.startswith("This does not work:\n    "), out)
            self.assertLessEqual(max(map(len, out.split("\n\n")[0].splitlines())), 80)
            self.assertEqual(err, "")
            knobs = self.knobs(**{name: value})
            self.assertEqual(knobs[name]["value"], value)
            self.assertIn("VACCEL_EXEC_DLOPEN_MODE", knobs)

    def test_bytes_that_are_no_text(self):
        def shown(value):
            return self.knobs(VACCEL_RPC_ADDRESS=value)["VACCEL_RPC_ADDRESS"]["value"]

        self.assertEqual(shown("a\u00e9\u20ac\U0001f600/\"\\\n"), "a\u00e9\u20ac\U0001f600/\"\\\n")
        bad = b"\xff \xc3 \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82".decode(errors="surrogateescape")
        self.assertEqual(shown(bad), "\ufffd \ufffd \ufffd\ufffd \ufffd\ufffd\ufffd \ufffd\ufffd\ufffd\ufffd \ufffd\ufffd")


class Bench(CommandTest):
    def test_failure(self):
        """What cannot be measured is said, and the JSON is whole all the same."""
        out, err = self.run_vaccel("bench", "infer", "/", "--json", status=1, VACCEL_PLUGIN_DIR="/nowhere")
        self.assertEqual(out.split(), ["[", "]"])
        self.assertRegex(err, r"(?m)^vaccel: ")

    def test_nothing_there(self):
        """A file that is missing is told before minutes are spent on the rows that come first."""
        for options, words in (["/nowhere"], "model '/nowhere'"), (["-p", "/lost"], "picture '/lost'"):
            _, err = self.run_vaccel("bench", "rpc", *options, status=1)
            self.assertEqual(err, f"vaccel: cannot read the {words}: No such file or directory\n")


if __name__ == "__main__":
    unittest.main()
