# SPDX-License-Identifier: Apache-2.0
"""The same, done by an agent over a unix socket."""

import numpy as np
import pytest
from conftest import SEVEN

import vaccel
from vaccel.error import FFIError


@pytest.fixture
def remote(plugins, agent, monkeypatch):
    """Opens a session with an agent that has certain plugins."""

    def open_session(*names, **policy):
        for name, value in agent(*names, **policy).environment.items():
            monkeypatch.setenv(name, value)
        return plugins("remote")

    return open_session


def test_a_picture(remote, has_plugin):
    has_plugin("onnx")
    session = remote("onnx")
    assert session.is_remote and session.remote_id > 0
    assert session.classify(SEVEN)[0].endswith("% seven")
    assert session.classify_top(SEVEN, 2)[0].label == "seven"


def test_numbers(remote):
    session = remote("cpu")
    assert session.fpga_vadd([1.0, 2.0], [3.0, 4.0]) == [4.0, 6.0]
    assert session.sgemm(1, 1, 2, 1.0, [1.0, 2.0], 2, [3.0, 4.0], 1, 0.0, 1) == [11.0]


@pytest.mark.parametrize("make", [np.empty, vaccel.empty], ids=["numpy", "shared"])
def test_a_large_array(remote, make):
    """64 MiB there and back."""
    session = remote("cpu")
    values, back = make(1 << 24, np.int32), np.empty(1 << 24, np.int32)
    values[:] = np.arange(1 << 24)
    for _ in range(2):
        back[:] = 0
        session.fpga_arraycopy(values, back)
        assert np.array_equal(values, back)


def test_the_hosts_words(remote):
    session = remote("cpu")
    with pytest.raises(FFIError) as caught:
        session.fpga_mmult([1.0, 2.0], [1.0, 2.0])
    assert caught.value.code == 22 and "no square matrix" in caught.value.message
    with pytest.raises(FFIError) as caught:
        session.exec("/no/such/library.so", "function")
    assert caught.value.message


def test_functions(remote, functions):
    session = remote("exec", exec_libraries=[functions], exec_uploads=["any"])
    assert session.exec(functions, "functions_double", [[1, 2, 3]], [[0, 0, 0]]) == [[2, 4, 6]]
    library = vaccel.Resource(functions, vaccel.ResourceType.LIB)
    library.register(session)
    assert session.exec_with_resource(library, "functions_double", [[4, 5]], [[0, 0]]) == [[8, 10]]
    # It writes six bytes into room for ten, and says so.
    text = vaccel.Arg(bytearray(10), vaccel.ArgType.BUFFER)
    joined = session.exec(functions, "functions_join", [b"abc", b"def"], [bytes(10), 0])
    assert joined == [b"abcdef", 0] and text.buf == bytes(10)


def test_a_resource_that_is_changed_elsewhere(remote):
    session = remote("noop")
    values = np.arange(1000, dtype=np.float32)
    with vaccel.Resource.from_numpy(values) as resource, resource.registered(session):
        resource.sync(session)
        assert resource.remote_id > 0
    assert np.array_equal(values, np.arange(1000))


def test_an_agent_that_is_gone(plugins, agent, monkeypatch):
    started = agent("cpu")
    for name, value in started.environment.items():
        monkeypatch.setenv(name, value)
    session = plugins("remote")
    assert session.fpga_vadd([1.0], [2.0]) == [3.0]
    started.stop()
    with pytest.raises(FFIError) as caught:
        session.fpga_vadd([1.0], [2.0])
    assert caught.value.message
    session.close()
