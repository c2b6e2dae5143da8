# SPDX-License-Identifier: Apache-2.0
"""What a program is told at a listener that asks for a token: by VACCEL_TOKEN_FILE it has the right one,
another one, none, or a file that is not there, or that others can read.

usage: test_token.py AGENT PLUGIN_DIR PROGRAM     PROGRAM opens a session and makes a call"""

import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "support"))
from agent import Agent  # noqa: E402

TOKEN = "of-twenty-characters-or-more"


class AgentWithToken(Agent):
    def listener(self, directory):
        return super().listener(directory) | {"token_file": str(token(directory, "token", TOKEN))}


def token(directory, name, text, mode=0o600):
    file = pathlib.Path(directory) / name
    file.write_text(text + "\n")
    file.chmod(mode)
    return file


def told(program, agent, file):
    """Its status and what it says, with VACCEL_TOKEN_FILE or without."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VACCEL_")} | agent.environment
    environment["VACCEL_PLUGIN_DIR"] = agent.plugin_dir
    if file:
        environment["VACCEL_TOKEN_FILE"] = str(file)
    run = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=60)
    return run.returncode, run.stderr


def main(binary, plugins, program):
    for carrier in ("tcp", "tls"):
        with AgentWithToken(binary, plugins, carrier=carrier, policy={"plugins": ["noop"]}) as agent:
            where = agent.directory
            status, words = told(program, agent, where / "token")
            assert status == 0, words
            for file, code, expected in (
                (None, "EACCES", "this agent asks for a token; set VACCEL_TOKEN_FILE"),
                (token(where, "other", TOKEN[1:]), "EACCES", "this agent asks for another token"),
                (where / "none", "ENOENT", f"token: '{where}/none': No such file or directory"),
                (token(where, "open", TOKEN, 0o644), "EACCES", f"'{where}/open' has mode 0644"),
            ):
                status, words = told(program, agent, file)
                assert status == 1, (carrier, file, status, words)
                for part in (code, agent.address, expected):
                    assert part in words, (carrier, file, part, words)
                assert TOKEN[1:] not in words, words
            # The agent's administrator learns who it was; of the second, in the same second, only that.
            assert agent.stop() == 0, agent.words()
            told_by_log = r"warning: tenant \S+: 127\.0\.0\.1:\d+: refused: it shows no token, and"
            assert re.search(told_by_log, agent.words()), agent.words()
            assert "VACCEL_TOKEN_FILE" not in agent.words(), agent.words()


main(*sys.argv[1:])
