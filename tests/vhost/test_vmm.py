#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Machines of Firecracker's and Cloud Hypervisor's kind, played by test_vmm, at the agent of deploy/vmm/agent.yaml,
with the sockets and the queues that the recipes there name. usage: test_vmm.py BUILD"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(sys.argv.pop(1))
VMM = pathlib.Path(__file__).resolve().parents[2] / "deploy/vmm"
HOME = "/srv/vm7"

# What Firecracker permits of a drive that has a socket.
DRIVE_KEYS = {"drive_id", "partuuid", "is_root_device", "cache_type", "socket"}


def options_of(option):
    """What the document gives to this option of Cloud Hypervisor's, {key: value}."""
    line = re.search(rf"^--{option} (.*)$", (VMM / "README.md").read_text(), re.MULTILINE)[1]
    return dict(re.findall(r"(\w+)=(\[[^]]*\]|[^,]*)", line))


class Agent:
    def __init__(self, directory):
        self.directory = directory
        recipe = (VMM / "agent.yaml").read_text().replace(HOME, str(directory))
        # Answers that a test knows, from whatever is built.
        recipe = recipe.replace("  guest:\n", "  guest:\n    plugins: [noop]\n")
        (directory / "agent.yaml").write_text(recipe)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [BUILD / "agent/vaccel-agent", "--runtime-dir", self.directory / "run", "--config",
             self.directory / "agent.yaml"],
            stderr=subprocess.PIPE, text=True,
            env=os.environ | {"VACCEL_PLUGIN_DIR": str(BUILD / "plugins"), "VACCEL_BOOTSTRAP_ENABLED": "0"},
        )
        said = []
        for line in self.process.stderr:
            said.append(line)
            if line.endswith(" ready\n"):
                return
        raise EOFError("".join(said))

    def restart(self):
        self.process.kill()
        self.process.communicate()
        self.start()

    def close(self):
        self.process.terminate()
        _, said = self.process.communicate()
        assert self.process.returncode == 0 and "ended by signal" not in said, said


class Test(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.agent = Agent(self.directory)
        self.addCleanup(self.agent.close)

    def play(self, kind, path, queues, size):
        """A machine whose socket the recipe calls @path."""
        self.assertTrue(path.startswith(HOME))
        command = [BUILD / "tests/vhost/test_vmm", kind, path.replace(HOME, str(self.directory)), str(queues), str(size)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True) as process:
            said = []
            for line in process.stdout:
                said.append(line)
                if line == "restart\n":
                    self.agent.restart()
                    process.stdin.write("done\n")
                    process.stdin.flush()
        self.assertEqual(process.returncode, 0, "".join(said))

    def test_firecracker(self):
        drives = json.loads((VMM / "firecracker.json").read_text())["drives"]
        for drive in drives:
            self.assertLessEqual(drive.keys(), DRIVE_KEYS)
            self.play("firecracker", drive["socket"], 1, 256)

    def test_disk_of_cloud_hypervisor(self):
        options = options_of("disk")
        self.assertEqual(options["vhost_user"], "true")
        queues, size = int(options.get("num_queues", 1)), int(options.get("queue_size", 128))
        self.play("cloud-hypervisor-disk", options["socket"], queues, size)

    def test_disk_with_two_queues(self):
        self.play("cloud-hypervisor-disk", options_of("disk")["socket"], 2, 128)

    def test_device_of_cloud_hypervisor(self):
        options = options_of("generic-vhost-user")
        self.assertEqual(options["virtio_id"], "21")
        sizes = json.loads(options["queue_sizes"])
        self.assertEqual(len(set(sizes)), 1)
        self.play("cloud-hypervisor-device", options["socket"], len(sizes), sizes[0])


if __name__ == "__main__":
    unittest.main()
