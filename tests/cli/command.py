# SPDX-License-Identifier: Apache-2.0
"""Running the command vaccel of a build tree, as every test here does.

VACCEL is the command; BUILD and SOURCE are the two trees.
"""

import fcntl
import json
import os
import pathlib
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import unittest

VACCEL = os.environ["VACCEL"]
BUILD = pathlib.Path(os.environ["BUILD"])
SOURCE = pathlib.Path(os.environ["SOURCE"])

PLUGINS = BUILD / "plugins"
FAKES = BUILD / "tests" / "plugins"
DIGITS = SOURCE / "models" / "digits"
SEVEN = str(DIGITS / "images" / "seven.png")
HAS_ONNX = (PLUGINS / "libvaccel-onnx.so").exists()
HAS_REMOTE = (PLUGINS / "libvaccel-remote.so").exists()


def environment(**variables):
    """This process's environment with no settings of vaccel but those given."""
    drop = {"NO_COLOR", "LD_LIBRARY_PATH"}
    ours = {k: v for k, v in os.environ.items() if not k.startswith("VACCEL") and k not in drop}
    return ours | {"LC_ALL": "C.UTF-8", "VACCEL_PLUGIN_DIR": str(PLUGINS)} | variables


def in_terminal(stream, columns, *arguments, **variables):
    """Runs it with one stream being a terminal of so many columns. Returns what arrived there."""
    try:
        ours, its = pty.openpty()
    except OSError as error:
        raise unittest.SkipTest(f"there are no terminals here: {error}") from error
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: its}
    with subprocess.Popen([VACCEL, *arguments], env=environment(**variables), **streams):
        os.close(its)
        arrived = b""
        try:
            while block := os.read(ours, 4096):
                arrived += block
        except OSError:
            pass  # the other end is closed
    os.close(ours)
    return arrived.decode()


class CommandTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def run_vaccel(self, *arguments, status=0, **variables):
        """Runs it, checks the status, and returns what it printed: stdout, stderr."""
        done = subprocess.run([VACCEL, *arguments], env=environment(**variables), text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="surrogateescape")
        self.assertEqual(done.returncode, status, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout, done.stderr

    def run_json(self, *arguments, **options):
        return json.loads(self.run_vaccel(*arguments, "--json", **options)[0])

    def assert_complains(self, sentence, *arguments, status=2, **variables):
        """It prints nothing but this sentence, on stderr."""
        out, err = self.run_vaccel(*arguments, status=status, **variables)
        self.assertEqual((out, err), ("", f"vaccel: {sentence}\n"))

    def file(self, name, content):
        path = self.directory / name
        path.write_bytes(content)
        return str(path)


def run_tests(needed):
    """The tests of the calling file that the first argument names, if the program they need is here."""
    if needed and not shutil.which(needed):
        print(f"SKIP: {needed} is not here")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], defaultTest=sys.argv[1])
