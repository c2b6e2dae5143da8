# SPDX-License-Identifier: Apache-2.0
"""The cases of the C suite of backends, in Python: here, and through an agent.

tests/conform/cases.md says how they look. TEST_CASES names the file, in the build directory.
"""

import json
import os
import pathlib

import numpy as np
import pytest

import vaccel
from vaccel.call import op_of
from vaccel.error import FFIError

CASES = pathlib.Path(os.environ.get("TEST_CASES", "cases.json"))
BUILD = CASES.parent.parent.parent
BYTES = ("u8", "char")
SPECIAL = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}


def load():
    if not CASES.exists():
        return {}
    by_plugin = {}
    for case in json.loads(CASES.read_text())["cases"]:
        by_plugin.setdefault(case["plugin"], []).append(case)
    return by_plugin


BY_PLUGIN = load()
NUMBERS = {vaccel.call.op_of(number).name: number for number in vaccel.OpType}
SPAN, TEXT, LIST, TENSORS, ARGS, RESOURCE = range(1, 7)  # enum vaccel_kind


class Runner:
    """Does the cases of one plugin in one session."""

    def __init__(self, session):
        self.session = session
        self.resources = {}

    def resource(self, value):
        key = json.dumps(value, sort_keys=True)
        if key not in self.resources:
            kind = vaccel.ResourceType[value["type"]]
            if "bytes" in value:
                made = vaccel.Resource.from_buffer(bytes.fromhex(value["bytes"]), kind)
            else:
                made = vaccel.Resource([BUILD / path for path in value["files"]], kind)
            if value.get("registered", True):
                made.register(self.session)
            self.resources[key] = made
        return self.resources[key]

    def tensor(self, value, kind):
        """Also such as no framework would make, which is why it is not made by the constructor."""
        tensor = kind.empty()
        tensor._data_type, tensor._dims = value["type"], value["dims"]
        tensor._array = np.frombuffer(bytes.fromhex(value["data"] or ""), np.uint8)
        return tensor

    def give(self, op, field, value):
        """A value of the file as an argument of the call."""
        if value is None:
            return None
        if field.kind == RESOURCE:
            return self.resource(value)
        if isinstance(value, dict) and "room" in value:
            return value["room"] // (np.dtype(field.dtype).itemsize if field.kind == SPAN else 1)
        if not field.reads:
            return value
        if field.kind == SPAN:
            if isinstance(value, str):
                return bytes.fromhex(value)
            return np.array([SPECIAL.get(one, one) for one in value], field.dtype)
        if field.kind == LIST:
            single = len(field.item) == 1
            rows = [[one[part.name] for part in field.item] for one in value]
            return [row[0] for row in rows] if single else rows
        if field.kind == TENSORS:
            return [self.tensor(one, op.tensors) for one in value]
        if field.kind == ARGS:
            return [
                vaccel.Arg(bytes.fromhex(one["data"] or ""), one["type"], one["custom_type"])
                for one in value
            ]
        return SPECIAL.get(value, value) if isinstance(value, str) and field.kind != TEXT else value

    def run(self, case):
        op = op_of(NUMBERS[case["op"]])
        values = {
            field.key: self.give(op, field, case["args"].get(field.name)) for field in op.fields
        }
        try:
            found = self.session.call(NUMBERS[case["op"]], **values)
        except FFIError as error:
            assert error.code == case["code"] and error.message, error
            assert case.get("words", error.message) == error.message
            return
        # An agent answers this one itself, whatever its plugins are.
        assert not case["code"] or (self.session.is_remote and case["op"] == "noop"), (
            "it did not fail"
        )
        written = [field for field in op.fields if field.writes]
        assert len(found) == len(written)
        for field, value in zip(written, found):
            # An optional number that was not asked for.
            if case.get("results", {}).get(field.name) is not None:
                check(field, value, case["results"][field.name], case.get("tolerance", 0))


def check(field, found, wanted, tolerance):
    if field.kind == TENSORS:
        assert [[one.data_type, one.dims, one.to_bytes().hex()] for one in found] == [
            [one["type"], one["dims"], one["data"] or ""] for one in wanted
        ]
    elif field.kind == ARGS:
        assert [one.hex() for one in found] == [one["data"] or "" for one in wanted]
    elif field.kind == LIST:
        assert len(found) == len(wanted)
        for mine, theirs in zip(found, wanted):
            for part in field.item:
                check(part, getattr(mine, part.key), theirs[part.name], tolerance)
    elif isinstance(wanted, str) and wanted not in SPECIAL:
        assert (found.tobytes().hex() if isinstance(found, np.ndarray) else found) == wanted
    else:
        values = wanted if isinstance(wanted, list) else [wanted]
        values = np.array([SPECIAL.get(one, one) for one in values], field.dtype)
        found = np.ravel(found)
        if field.dtype.startswith("float"):
            with np.errstate(invalid="ignore"):  # of infinities
                near = np.abs(found - values) <= tolerance * np.maximum(1, np.abs(values))
            assert (near | (found == values) | (np.isnan(found) & np.isnan(values))).all()
        else:
            assert np.array_equal(found, values)


def run_all(session, plugin):
    runner = Runner(session)
    failed = []
    for case in BY_PLUGIN[plugin]:
        try:
            runner.run(case)
        except Exception as error:  # all are told, not the first alone
            failed.append(f"{case['name']}: {error!r}"[:300])
    for resource in runner.resources.values():
        resource.close()
    assert not failed, f"{len(failed)} of {len(BY_PLUGIN[plugin])}:\n" + "\n".join(failed[:20])


@pytest.fixture(autouse=True)
def models(monkeypatch):
    if not BY_PLUGIN:
        pytest.skip(f"no {CASES}")
    monkeypatch.setenv("VACCEL_MODEL_PATH", str(CASES.parent / "models"))


@pytest.mark.parametrize("plugin", BY_PLUGIN)
def test_here(plugin, plugins):
    run_all(plugins(plugin), plugin)


@pytest.mark.parametrize("plugin", BY_PLUGIN)
def test_through_an_agent(plugin, plugins, agent, monkeypatch):
    libraries = [os.environ["TEST_FUNCTIONS"], "/no/such/lib.so"]
    started = agent(plugin, exec_libraries=libraries, exec_uploads=["any"])
    for name, value in started.environment.items():
        monkeypatch.setenv(name, value)
    run_all(plugins("remote"), plugin)
