#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares docs/operations.md, docs/security.md and deploy/agent.yaml with the agent.

usage: check_agent.py examples AGENT              certificates and configurations, as they are written there
       check_agent.py metrics AGENT VACCEL DIR    the table of metrics; DIR: where the plugins are
       check_agent.py words                       messages, limits, system calls and tests that are named
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/support"))

from agent import Agent, free_port  # noqa: E402

OPERATIONS = (TOP / "docs/operations.md").read_text()
SECURITY = (TOP / "docs/security.md").read_text()
EXAMPLE = (TOP / "deploy/agent.yaml").read_text()
MANUAL = (TOP / "docs/man/vaccel-agent.yaml.5").read_text()


def expect(condition, words):
    if not condition:
        sys.exit(words)


def same(what, here, there, documented, real):
    """Two sets that must be the same."""
    expect(not documented - real, f"{what}: {here} has {sorted(documented - real)}, which {there} has not")
    expect(not real - documented, f"{what}: {there} has {sorted(real - documented)}, which {here} has not")


def table_after(text, header):
    """The rows of a table, as lists of cells without their backticks."""
    lines = text[text.index(header) :].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("`", "") for cell in line.strip("|").split("|")])
    return rows


# Certificates and configurations


def make_secrets(directory):
    """What the commands "$ openssl …" make, and "$ sudo install …" brings to the directory of the agent."""
    made = directory / "made"
    made.mkdir()
    for block in re.findall(r"^```\n(\$ (?:openssl|echo|sudo install -m).*?)^```", OPERATIONS, re.M | re.DOTALL):
        commands = re.sub(r"^\$ ", "", block, flags=re.MULTILINE).replace("-o vaccel ", "").replace("sudo ", "")
        commands = commands.replace("/etc/vaccel", str(directory))
        done = subprocess.run(["sh", "-ec", commands], cwd=made, capture_output=True, text=True)
        expect(not done.returncode, f"{commands}\n{done.stderr}")
    for certificate in ("agent.pem", "team-a.pem"):
        subprocess.run(["openssl", "verify", "-CAfile", "ca.pem", certificate], cwd=made, check=True)


def check_config(agent, directory, name, text):
    path = directory / "agent.yaml"
    path.write_text(text.replace("/etc/vaccel", str(directory)).replace("/srv/vm7", str(directory)))
    done = subprocess.run([agent, "--check-config", "--config", path], capture_output=True, text=True)
    expect(not done.returncode, f"{name}: {done.stderr}\n{text}")


def check_examples(agent):
    everything = re.sub(r"^( *)#(?=[^ ]|  )", r"\1", EXAMPLE, flags=re.MULTILINE)
    keys = set(re.findall(r"^ *(?:- )?([a-z_]+):", everything, re.MULTILINE)) - {"default", "service"}
    documented = set(re.findall(r"^\.(?:It Ic|Ss) ([a-z_]+)$", MANUAL, re.MULTILINE))
    same("keys", "deploy/agent.yaml", "the manual", keys, documented)
    blocks = re.findall(r"^```yaml\n(listeners:.*?)^```", OPERATIONS, re.MULTILINE | re.DOTALL)
    expect(len(blocks) >= 5, "docs/operations.md has lost its examples")
    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        make_secrets(directory)
        check_config(agent, directory, "deploy/agent.yaml", EXAMPLE)
        check_config(agent, directory, "deploy/agent.yaml with all keys", everything)
        for block in blocks:
            policies = set(re.findall(r"policy: (\w+)", block)) - set(re.findall(r"^  (\w+):$", block, re.M))
            more = "".join(f"  {name}: {{calls: 1}}\n" for name in policies)
            check_config(agent, directory, "docs/operations.md", block + (f"policies:\n{more}" if more else ""))


# Metrics


def check_metrics(agent_binary, vaccel, plugin_dir):
    port = free_port()
    with Agent(agent_binary, plugin_dir, "unix", {"plugins": ["noop"]}, {"metrics": {"address": port}}) as agent:
        environment = os.environ | agent.environment | {"VACCEL_PLUGIN_DIR": plugin_dir}
        subprocess.run([vaccel, "ping", agent.address, "-n", "3"], env=environment, check=True)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
        for path, words in (("healthz", "alive"), ("readyz", "serving")):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}") as answer:
                expect(answer.read().decode().strip() == words, f"/{path} does not say {words}")
    real = {}
    for name in re.findall(r"^# TYPE (\w+)", text, re.MULTILINE):
        samples = re.findall(rf"^{name}(?:_bucket|_sum|_count)?(?:{{(.*?)}})? ", text, re.MULTILINE)
        expect(samples, f"{name} has no sample")
        real[name] = {label for sample in samples for label in re.findall(r'(\w+)="', sample)} - {"le"}
    rows = table_after(OPERATIONS, "| metric |")
    same("metrics", "docs/operations.md", "the agent", {row[0] for row in rows}, set(real))
    for name, labels, *_ in rows:
        same(name, "docs/operations.md", "the agent", set(re.findall(r"\w+", labels)), real[name])
    reasons = {row[0] for row in table_after(OPERATIONS, "| reason |")}
    same("reasons", "docs/operations.md", "the agent", reasons, set(re.findall(r'reason="(\w+)"', text)))


# Words


def sentences_of_sources():
    """What the sources say: the pieces of each string put together, with '…' for what is filled in."""
    texts = []
    for folder in ("agent", "transport", "plugins/remote", "plugins/exec", "lib"):
        for path in sorted((TOP / folder).rglob("*.c")):
            text = re.sub(r'"\s*(?:PRI[udx]\d+\s*)?"', "", path.read_text())
            texts.append(re.sub(r"%\d*(?:\.(?:\d+|\*))?[lz]*[sduox]?", "…", text))
    return "\n".join(texts)


def check_messages(sentences):
    """Messages of two tables: whole, or of the first table as far as they are quoted in the second."""
    quoted = [row[0] for row in table_after(OPERATIONS, "| message |")]
    for row in table_after(OPERATIONS, "| key of the policy |"):
        quoted += re.findall(r"“(.*?)”", row[2])
    expect(len(quoted) > 20, "docs/operations.md has lost its messages")
    for words in quoted:
        expect(words in sentences, f"docs/operations.md: no source says '{words}'")


def check_words():
    check_groups()
    sentences = sentences_of_sources()
    check_messages(sentences)
    policies = MANUAL[MANUAL.index(".Ss policies") : MANUAL.index(".Ss models")]
    limits = {row[0] for row in table_after(OPERATIONS, "| key of the policy |")}
    same("limits", "docs/operations.md", "the manual", limits, set(re.findall(r"^\.It Ic (\w+)$", policies, re.M)))
    for name in re.findall(r"(?:tests|fuzz)/[\w/]+\.(?:py|c)", SECURITY):
        expect((TOP / name).exists(), f"docs/security.md: there is no {name}")
    table = (TOP / "agent/sandbox/system_calls.c").read_text()
    kills = "\n".join(re.findall(r'{"([a-z0-9_ "\n\t]+)", NOBODY,\s*KILL', table))
    for name in re.findall(r"`(\w+)`", re.search(r"kill the process: (.*?)\.", SECURITY)[1]):
        expect(re.search(rf"\b{name}", kills), f"docs/security.md: {name} does not kill")


def check_groups():
    """Clients are not in the agent's group, which may read its keys."""
    deploy = {name: (TOP / "deploy" / name).read_text() for name in
              ("sysusers.conf", "vaccel-agent.socket", "vaccel-agent.service.in")}
    clients = re.search(r"^SocketGroup=(.*)$", deploy["vaccel-agent.socket"], re.M)[1]
    agent = re.search(r"^User=(.*)$", deploy["vaccel-agent.service.in"], re.M)[1]
    expect(clients != agent, f"clients are in the agent's group '{agent}'")
    for line in (f"u {agent} ", f"g {clients} "):
        expect(f"\n{line}" in deploy["sysusers.conf"], f"deploy/sysusers.conf has no '{line}'")
    for words in (f"usermod -aG {clients} ", f"groupadd --system {clients}\n", f"install -d -o {agent} -g {clients} "):
        expect(words in OPERATIONS, f"docs/operations.md does not say '{words}'")


if __name__ == "__main__":
    {"examples": check_examples, "metrics": check_metrics, "words": check_words}[sys.argv[1]](*sys.argv[2:])
