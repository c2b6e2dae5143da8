# SPDX-License-Identifier: Apache-2.0
"""An agent for what tools/ shows in virtual machines."""

import contextlib
import subprocess
import sys


@contextlib.contextmanager
def agent(stage, directory, *arguments):
    """That of a tree as `make build` leaves it, ready when the context is entered."""
    process = subprocess.Popen(
        [stage / "bin/vaccel-agent", "--runtime-dir", directory / "agent", *arguments],
        stderr=subprocess.PIPE, text=True,
    )
    said = ""
    try:
        for line in process.stderr:
            said += line
            if line.endswith(" ready\n"):
                break
        else:
            sys.exit(f"the agent does not start:\n{said}")
        yield
    finally:
        process.terminate()
        process.communicate()
