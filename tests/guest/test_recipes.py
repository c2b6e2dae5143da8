#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What deploy/vmm says: QEMU's recipe is run by the command that the document shows, and has to print what it
shows; the configuration of the agent and the machine of Firecracker's fit each other.
"""

import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import tempfile

from guest import TESTS, Host, run
from image import kernel, make_image, native_arch
from machine import FETCHED, PATIENCE, foreign, qemu
from world import Skipped

VMM = TESTS.parent / "deploy/vmm"
PICTURE = TESTS.parent / "models/digits/images/seven.png"


def write_script(path, command):
    path.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, command))} "$@"\n')
    path.chmod(0o755)


def shown():
    """The last word of the command, which is the kernel's command line, and what is printed then."""
    text = (VMM / "README.md").read_text()
    return re.search(r"^\$ deploy/vmm/qemu .*\\\n +'(.*)'\n((?:.*\n)*?)```", text, re.MULTILINE).groups()


def run_whole(command, environment):
    """The status and the output of a command that has ended with all that it started, in time or by us."""
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        text=True, start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise AssertionError(process.communicate()[0]) from None
    return process.returncode, said


def test_qemu(site):
    command_line, prints = shown()
    if native_arch() != "amd64" or "onnx" not in site.plugins():
        raise Skipped("QEMU's recipe is for a PC, and for what ONNX Runtime says of a picture")
    with Host(site, {"v": {"vm7": "guest"}}, {"guest": {"plugins": ["onnx"]}}) as host:
        image = host.directory / "guest.img"
        make_image(site.tree, image, add=[(PICTURE, "seven.png")])
        write_script(host.directory / "qemu-system-x86_64", qemu("amd64"))
        write_script(host.directory / "vhost-device-vsock", foreign(FETCHED / "vsock", "vhost-device-vsock"))
        status, said = run_whole(
            [VMM / "qemu", host.directory, kernel("amd64"), image, command_line],
            os.environ | {"PATH": f"{host.directory}:{os.environ['PATH']}", "ACCEL": "tcg"},
        )
        # The last digits of the arithmetic differ from processor to processor.
        pattern = re.sub(r"(\d+\\\.\d\d)\d", r"\1\\d", re.escape(prints))
        assert status == 0 and re.search(pattern, said), (status, said, prints)
        assert not (host.directory / "v.sock").exists()


def test_directories_fit(site):
    machine, agent = json.loads((VMM / "firecracker.json").read_text()), (VMM / "agent.yaml").read_text()
    with tempfile.TemporaryDirectory() as directory:
        here = pathlib.Path(directory) / "agent.yaml"
        here.write_text(agent.replace("/srv/vm7", directory))
        subprocess.run([site.build.agent, "--check-config", "--config", here], check=True,
                       env=os.environ | {"VACCEL_PLUGIN_DIR": str(site.build.plugins)})
    assert f"vsock-uds://{machine['vsock']['uds_path']}:2048\n" in agent
    assert f"vhost-user-blk://{machine['drives'][0]['socket']}\n" in agent


def test_links(site):
    links = re.findall(r"\]\((?!\w+:|#)([^)#]+)", (VMM / "README.md").read_text())
    assert links and not [link for link in links if not (VMM / link).exists()]


run([test_qemu, test_directories_fit, test_links])
