#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a program with its work done by an agent.

usage: through_agent.py --agent BINARY --plugin-dir DIR --carrier NAME [--policy JSON] [--settings JSON] PROGRAM ARGS...

The settings are variables for the agent.
"""

import argparse
import json
import os
import subprocess
import sys

from agent import CARRIERS, Agent


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--agent", required=True)
    parser.add_argument("--plugin-dir", required=True)
    parser.add_argument("--carrier", choices=CARRIERS, required=True)
    parser.add_argument("--policy", type=json.loads, default={})
    parser.add_argument("--settings", type=json.loads, default={})
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    place = options.agent, options.plugin_dir, options.carrier
    with Agent(*place, options.policy, environment=options.settings) as agent:
        environment = os.environ | agent.environment | {"VACCEL_PLUGIN_DIR": options.plugin_dir}
        status = subprocess.run(options.command, env=environment).returncode
        if status:
            print(f"--- the agent said\n{agent.words()}", flush=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
