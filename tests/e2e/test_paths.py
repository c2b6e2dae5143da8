#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No name leads out of a tenant's directory: not that of a resource, not a symbolic link, nor what a function
does that was run. And no function is run unless the policy lists its library.
"""

import hashlib
import os
import struct
import subprocess

import peer
from peer import connect
from world import PATIENCE, Agent, run

# Each is refused, whatever else a resource has.
TRICKS = [
    "../x", "..", ".", "", "/", "/etc/passwd", "/x", "a/../../x", "a/..", "../" * 20 + "etc/passwd", "a/./b", "./x",
    "a//b", "a/", "//x", "a\0b", "\0", "a/\0/../../x", "x" * 300, "/".join(["d"] * 40),
]
# Each lies where it says.
NAMES = ["x", "..x", "x..", "...", "sub/x", "sub/deep/er/x", "a b", "ä", "\\..\\x", "%2e%2e/x"]

PATH, MODEL = 0, 2  # of a resource: how it was given, and what it is


def offered(client, names, in_memory=0, data=b"data"):
    return client.ask("resource_offer", type=MODEL, path_type=PATH, contents=[{
        "name": name, "size": len(data), "in_memory": in_memory, "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": data.hex(),
    } for name in names])


def files_of(directory):
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*"))


def test_names(build):
    with Agent(build, {"mallory": "test"}) as world, connect(world.socket_of("mallory")) as client:
        mine = world.directory_of("mallory")
        _, said = offered(client, ["x"])
        client.must("resource_release", resource=said["resource"])
        before = files_of(world.directory / "run")
        refused = world.metric("vaccel_refused_total", tenant="mallory")
        for name in TRICKS:
            for names in ([name], ["first", name, "last"]):
                for in_memory in (0, 1):
                    status, words = offered(client, names, in_memory)
                    # What makes no file may have a name that is too long for one.
                    if status == peer.OK and in_memory and len(name) > 64:
                        client.must("resource_release", resource=words["resource"])
                        continue
                    assert status in (peer.EINVAL, peer.ENAMETOOLONG), f"{name!r}: {status}: {words}"
        assert world.metric("vaccel_refused_total", tenant="mallory") > refused
        left = set(files_of(world.directory / "run")) - set(before)
        assert not left, f"{left} is left of what was refused"
        for name in NAMES:
            status, said = offered(client, [name])
            assert status == peer.OK, f"{name!r}: {said}"
            (file,) = [p for p in mine.rglob("*") if p.is_file() and p.parent.name != "content"]
            assert file.read_bytes() == b"data"
            assert str(file).endswith("/0/" + name), file
            client.must("resource_release", resource=said["resource"])


def test_symbolic_links(build):
    """Some of them planted by whoever could: the sandbox holds what the worker's own care would not."""
    with Agent(build, {"mallory": "test"}) as world, connect(world.socket_of("mallory")) as client:
        client.session()
        outside = world.directory / "outside"
        outside.mkdir()
        mine = world.directory_of("mallory")
        status, said = offered(client, ["x"])
        client.must("resource_release", resource=said["resource"])
        for name in ("resources", "content"):
            if (mine / name).is_dir():
                (mine / name).rename(mine / (name + "~"))
            (mine / name).symlink_to(outside)
        status, words = offered(client, ["sub/x"])
        assert status == peer.EACCES and str(outside) not in words, words
        data = os.urandom(5000)
        status, words = client.ask(
            "content_put", sha256=hashlib.sha256(data).hexdigest(), size=len(data), offset=0, bytes=data.hex(),
        )
        assert status == peer.EACCES and str(outside) not in words, words
        assert not files_of(outside)
        for name in ("resources", "content"):
            (mine / name).unlink()


def argument(data):
    return {"type": 27, "custom_type": 0, "data": data}


def test_functions(build):
    """That what is run reaches nothing outside either."""
    policies = {"deeds": {"plugins": ["exec"], "exec_libraries": [str(build.deeds)]}}
    with Agent(build, {"alice": "deeds", "mallory": "deeds"}, policies) as world:
        with connect(world.socket_of("alice")) as alice, connect(world.socket_of("mallory")) as mallory:
            alice.must("exec", alice.session(), library=str(build.deeds), symbol="deed_mark",
                       read=[argument(struct.pack("<QQ", 1, 0)), argument(b"")], write=[argument(b"")])
            session = mallory.session()
            precious = world.directory / "precious"
            precious.write_text("precious")
            theirs = world.directory_of("alice")
            link = world.directory_of("mallory") / "way-out"
            link.symlink_to(theirs)
            for path in (precious, world.directory / "new", theirs / "ledger", theirs / "new", "../alice/ledger",
                         "way-out/ledger", "/etc/shadow", "/proc/1/environ", f"/proc/{os.getpid()}/mem",
                         world.socket_of("alice"), world.directory / "agent.yaml"):
                status, words = mallory.ask(
                    "exec", session, library=str(build.deeds), symbol="deed_escape",
                    read=[argument(os.fsencode(str(path)) + b"\0")], write=[],
                )
                assert status == peer.OK, f"{path}: {words}"
            link.unlink()
            assert precious.read_text() == "precious"
            assert (theirs / "ledger").stat().st_size == 8
            assert sorted(p.name for p in theirs.iterdir() if "new" in p.name) == []


def run_upload(client, library, symbol, read, write):
    """Sends a library, and has a function of it run: the answer."""
    session, digest = client.session(), hashlib.sha256(library).hexdigest()
    client.must("content_put", sha256=digest, size=len(library), offset=0, bytes=library.hex())
    made = client.must("resource_offer", type=0, path_type=0, contents=[
        {"name": "lib.so", "size": len(library), "in_memory": 0, "sha256": digest, "bytes": None},
    ])
    client.must("resource_register", resource=made["resource"], session=session)
    return client.ask("exec_with_resource", session, library=made["resource"], symbol=symbol, read=read, write=write)


def test_exec_is_off(build):
    """By default; and what is listed permits no more than that."""
    policies = {"plain": {"plugins": ["exec"]},
                "listed": {"plugins": ["exec"], "exec_libraries": ["/no/such.so"], "exec_uploads": ["00" * 32]},
                "few": {"plugins": ["exec"], "ops": ["noop"]},
                "some": {"plugins": ["exec"], "ops": ["noop"], "exec_libraries": ["/no/such.so"]}}
    with Agent(build, {name: name for name in policies}, policies) as world:
        may_add = "; the agent's administrator may add "
        for tenant, words in [
            # The path is the client's own word, and is told whole.
            ("listed", f"exec of the library '/no/other/such.so'{may_add}it to its list exec_libraries"),
            ("plain", f"exec{may_add}the library to its list exec_libraries"),
            ("few", f"exec{may_add}exec to its list ops, and the library to exec_libraries"),
            ("some", f"exec{may_add}exec to its list ops"),
        ]:
            with connect(world.socket_of(tenant)) as client:
                told = client.ask("exec", client.session(), library="/no/other/such.so", symbol="x", read=[], write=[])
                assert told == (peer.EPERM, f"policy '{tenant}' does not permit {words}"), told
        for tenant in ("plain", "listed"):
            done = subprocess.run(
                [build.root / "tests/e2e/culprit", build.deeds, "deed_abort"],
                env=world.reach(tenant), capture_output=True, text=True, timeout=PATIENCE,
            )
            assert done.returncode == 0, done.stderr
            code, _, _, words = done.stdout.splitlines()[-1].split("\t")
            assert int(code) == 1 and f"policy '{tenant}' does not permit exec" in words, done.stdout  # EPERM
            with connect(world.socket_of(tenant)) as client:
                status, words = run_upload(client, build.deeds.read_bytes(), "deed_abort", [], [])
                assert status == peer.EPERM, words
                assert f"policy '{tenant}' does not permit exec_with_resource" in words, words
            assert world.metric("vaccel_refused_total", tenant=tenant, reason="policy") == 3
            assert not world.metric("vaccel_worker_restarts_total", tenant=tenant)


def test_uploads_by_hash(build):
    """A library that is listed runs, however its hash is written; one that differs from it by a byte does not."""
    library = build.deeds.read_bytes()
    policies = {"listed": {"plugins": ["exec"], "exec_uploads": [hashlib.sha256(library).hexdigest().upper()]}}
    with Agent(build, {"alice": "listed"}, policies) as world, connect(world.socket_of("alice")) as client:
        mark = "deed_mark", [argument(struct.pack("<QQ", 1, 0)), argument(b"")], [argument(b"")]
        status, words = run_upload(client, library, *mark)
        assert status == peer.OK, words
        status, words = run_upload(client, library + b"\0", *mark)
        assert status == peer.EPERM and "policy 'listed' does not permit exec_with_resource" in words, words


run([test_names, test_symbolic_links, test_functions, test_exec_is_off, test_uploads_by_hash])
