# SPDX-License-Identifier: Apache-2.0
"""Beginnings and ends: what is closed, forked, pickled, shared by threads, or left to the exit."""

import asyncio
import contextlib
import copy
import errno
import gc
import os
import pickle
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from conftest import SEVEN, left_behind

import vaccel
from vaccel.error import FFIError


def test_contexts(noop):
    with vaccel.Session() as session, vaccel.Resource(SEVEN, vaccel.ResourceType.DATA) as resource:
        with resource.registered(session):
            assert session.has_resource(resource)
        assert not session.has_resource(resource)
    assert session.closed and resource.closed
    session.close()
    resource.close()


def test_after_its_end(noop):
    session = vaccel.Session()
    resource = vaccel.Resource(SEVEN, vaccel.ResourceType.MODEL)
    session.close()
    for use in (
        session.noop,
        lambda: session.id,
        lambda: session.classify(b"x"),
        lambda: session.has_resource(resource),
        lambda: resource.register(session),
        lambda: session.genop([], []),
    ):
        with pytest.raises(FFIError, match="the session is closed"):
            use()
    resource.close()
    with pytest.raises(FFIError, match="the resource is closed"):
        resource.register(noop)
    with pytest.raises(FFIError, match="the resource is closed"):
        noop.onnx_model_load(resource)
    assert "closed" in repr(session) and "closed" in repr(resource)


def test_a_context_that_is_closed_inside(noop):
    with vaccel.Session() as session, vaccel.Resource(SEVEN, vaccel.ResourceType.DATA) as resource:
        with resource.registered(session):
            session.close()


def test_a_session_holds_on_to_its_resources(noop):
    vaccel.Resource.from_buffer(b"model", vaccel.ResourceType.MODEL).register(noop)
    gc.collect()
    (kept,) = noop._resources
    assert noop.has_resource(kept)
    kept.unregister(noop)
    assert not noop._resources


def test_sessions_that_a_bootstrap_has_closed(noop):
    resource = vaccel.Resource(SEVEN, vaccel.ResourceType.DATA)
    resource.register(noop)
    vaccel.bootstrap(vaccel.Config("noop"))
    with pytest.raises(FFIError, match=r"closed by vaccel.bootstrap\(\)"):
        noop.noop()
    with pytest.raises(FFIError, match=r"closed by vaccel.bootstrap\(\)"):
        resource.register(vaccel.Session())
    noop.close()


@pytest.mark.parametrize("end", [vaccel.cleanup, vaccel.bootstrap])
def test_no_end_while_a_call_is_running(noop, end):
    call = noop._use()  # as a call holds on to it
    with pytest.raises(FFIError, match="a call is using <Session"):
        end()
    noop.noop()
    del call
    end()
    vaccel.bootstrap()


def test_an_end_that_is_refused_closes_nothing(noop):
    sessions = [vaccel.Session() for _ in range(8)]
    call = sessions[4]._use()
    with pytest.raises(FFIError, match="a call is using") as caught:
        vaccel.cleanup()
    for session in sessions:
        session.noop()
    del call
    # Whoever looks at the error later keeps nothing open by that.
    vaccel.cleanup()
    assert caught.value.code == errno.EBUSY and all(session.closed for session in sessions)


def test_no_end_while_a_call_uses_what_is_closed(noop):
    call = noop._use()
    noop.close()
    with pytest.raises(FFIError, match=r"a call is using <Session \(closed\)>"):
        vaccel.cleanup()
    del call
    vaccel.cleanup()


@pytest.fixture
def hasty():
    """Threads take turns as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(count, work, meanwhile):
    """Runs one function again and again in threads while another one runs; what went wrong."""
    wrong, over = [], threading.Event()

    def repeat():
        try:
            while not over.is_set():
                work()
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=repeat) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        meanwhile()
    finally:
        over.set()
        for thread in threads:
            thread.join()
    return wrong


def test_calls_do_not_notice_an_end_that_is_refused(noop, hasty):
    busy = vaccel.Session()

    def end():
        call = busy._use()
        for _ in range(1000):
            with pytest.raises(FFIError, match="a call is using"):
                vaccel.cleanup()
        del call

    sessions = [vaccel.Session() for _ in range(20)]
    assert not in_threads(2, lambda: [session.noop() for session in sessions], end)


def test_many_ends_while_others_open_and_close(noop, hasty):
    """An end or a call may be refused, and that is all."""

    def work():
        with contextlib.suppress(FFIError), vaccel.Session() as session:
            for _ in range(20):
                data = vaccel.Resource.from_buffer(b"bytes", vaccel.ResourceType.DATA)
                data.register(session)
                session.noop()
                data.close()

    def end():
        for _ in range(3000):
            with contextlib.suppress(FFIError):
                vaccel.bootstrap(vaccel.Config("noop"))

    assert not in_threads(4, work, end)


def test_an_error_keeps_nothing_in_use(noop):
    model = vaccel.Resource.from_buffer(b"model", vaccel.ResourceType.MODEL)
    with pytest.raises(FFIError, match="not registered") as caught:
        noop.onnx_model_run(model, [np.zeros(1, np.float32)])
    vaccel.bootstrap()
    assert caught.value.code == errno.EPERM and model.closed


def test_no_such_things(noop):
    with pytest.raises(FFIError, match="/no/such"):
        vaccel.Resource("/no/such/file", vaccel.ResourceType.DATA)
    with pytest.raises(ValueError, match="no operation"):
        noop.call(99)
    with pytest.raises(TypeError, match="samples"):
        noop.call(vaccel.OpType.MINMAX)
    with pytest.raises(TypeError, match="no argument nonsense"):
        noop.call(vaccel.OpType.NOOP, nonsense=1)
    with pytest.raises(TypeError, match="Resource"):
        noop.onnx_model_load("a path")
    with pytest.raises(TypeError, match="Resource"):
        noop.onnx_model_load(noop)
    with pytest.raises(TypeError, match="no picture"):
        noop.classify(7)
    with pytest.raises(OverflowError):
        noop.ops.minmax([1.0], 2**40, 0, 1, out=1)
    with pytest.raises((TypeError, ValueError)):
        vaccel.Session("flags")


def test_errors_have_words(cpu):
    with pytest.raises(FFIError) as caught:
        cpu.fpga_mmult([1.0, 2.0], [1.0, 2.0])
    assert caught.value.code == 22 and "no square matrix" in caught.value.message
    with pytest.raises(FFIError) as caught:
        cpu.classify(b"x")
    assert caught.value.code == 95 and caught.value.message


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_pickling(noop, copied):
    resource = vaccel.Resource(SEVEN, vaccel.ResourceType.DATA)
    for one in (noop, resource):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            copied(one)


def test_errors_can_be_pickled():
    error = pickle.loads(pickle.dumps(FFIError(22, "words")))
    assert (error.code, error.message) == (22, "words")


def test_threads_share_a_session(cpu):
    values = np.arange(64, dtype=np.float32)
    wrong = []

    def work():
        for _ in range(200):
            if not np.array_equal(cpu.fpga_vadd(values, values), 2 * values):
                wrong.append(1)
            try:
                cpu.fpga_mmult([1.0, 2.0], [1.0, 2.0])
                wrong.append(2)
            except FFIError as error:
                if "no square matrix" not in error.message:
                    wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_calls_give_up_the_gil(plugins):
    """While one thread is in a call, another one runs Python."""
    session = plugins("mbench")
    ended = []
    call = threading.Thread(target=lambda: ended.append(session.exec("mbench", "mbench", ["1000"])))
    call.start()
    # In which milliseconds this thread was awake: in a few if the other one had the GIL.
    awake = set()
    while call.is_alive():
        awake.add(time.monotonic_ns() // 1000000)
    call.join()
    assert ended == [None] and len(awake) > 50


def test_a_session_closed_while_it_is_in_use(noop):
    """It stays open for the calls that run, and no later one begins."""
    started, ended = threading.Event(), []

    def work():
        try:
            while True:
                session.noop()
                started.set()
        except FFIError as error:
            ended.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    session = vaccel.Session()
    for thread in threads:
        thread.start()
    started.wait(30)
    session.close()
    for thread in threads:
        thread.join()
    assert len(ended) == 4 and all("closed" in words for words in ended)


def test_coroutines(noop):
    async def main():
        session = noop
        await session.anoop()
        answers = await asyncio.gather(*(session.aclassify(SEVEN) for _ in range(4)))
        assert answers == [session.classify(SEVEN)] * 4
        assert await session.afpga_vadd([1.0], [2.0]) == [3.0]
        with pytest.raises(FFIError):
            await session.afpga_mmult([1.0, 2.0], [1.0, 2.0])

    asyncio.run(main())
    assert vaccel.Session.aclassify.__name__ == "aclassify" and vaccel.Session.aclassify.__doc__


def test_every_operation_has_a_coroutine():
    plain = {"call", "close", "has_resource", "update"}
    for name, method in vars(vaccel.Session).items():
        assert name.startswith(("_", "a")) or not callable(method) or name in plain | {"noop"}
    for base in vaccel.Session.__mro__[1:-3]:
        for name, method in list(vars(base).items()):
            if callable(method) and not name.startswith("_") and name not in plain:
                twin = name in ("torch_jitload_forward",) or "a" + name in vars(base)
                assert twin or asyncio.iscoroutinefunction(method), name


FORK = """
import os, sys
import vaccel
{before}
child = os.fork()
if not child:
    try:
        {inside}
        said = "works"
    except vaccel.FFIError as error:
        said = error.message
    print(said, flush=True)
    {leave}
_, status = os.waitpid(child, 0)
print("status", status)
{after}
"""


@pytest.mark.parametrize("leave", ["os._exit(0)", "sys.exit(0)"])
@pytest.mark.parametrize(
    "use",
    [
        "session.noop()",
        "vaccel.Session().noop()",
        "data.register(session)",
        "vaccel.bootstrap()",
        "vaccel.cleanup(); assert vaccel.handle.lib.vaccel_is_initialized(); session.noop()",
    ],
)
def test_fork_with_an_open_session(run, use, leave):
    out = run(
        FORK.format(
            before="session = vaccel.Session(); session.noop()\n"
            "data = vaccel.Resource.from_buffer(b'x', vaccel.ResourceType.DATA)",
            inside=use,
            leave=leave,
            after="session.noop(); data.register(session); print('the parent goes on')",
        ),
        VACCEL_PLUGINS="noop",
    )
    assert "child of fork()" in out and "status 0" in out and "the parent goes on" in out


def test_fork_before_any_session(run):
    out = run(
        FORK.format(
            before="",
            inside="vaccel.Session().noop()",
            leave="sys.exit(0)",
            after="vaccel.Session().noop()",
        ),
        VACCEL_PLUGINS="noop",
    )
    assert "works" in out and "status 0" in out


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(run, tmp_path, method):
    program = tmp_path / "program.py"
    program.write_text(
        "import multiprocessing, vaccel\n"
        "def work(number):\n"
        "    try:\n"
        "        with vaccel.Session() as session:\n"
        "            return session.fpga_vadd([1.0], [float(number)])\n"
        "    except vaccel.FFIError as error:\n"
        "        return error.message\n"
        "if __name__ == '__main__':\n"
        "    session = vaccel.Session()\n"
        f"    with multiprocessing.get_context('{method}').Pool(2) as pool:\n"
        "        print(pool.map(work, range(2)))\n"
    )
    out = run(
        f"import runpy; runpy.run_path({str(program)!r}, run_name='__main__')", VACCEL_PLUGINS="cpu"
    )
    assert ("child of fork()" in out) if method == "fork" else ("[[1.0], [2.0]]" in out)


@pytest.mark.parametrize(
    "text",
    [
        "session = vaccel.Session(); session.noop()",
        "session = vaccel.Session(); vaccel.Resource.from_buffer(b'x', 1).register(session)",
        "session = vaccel.Session(); del vaccel",
        "session = vaccel.Session(); session.me = session",
        "import threading\n"
        "def work():\n"
        "    session = vaccel.Session()\n"
        "    while True: session.noop()\n"
        "[threading.Thread(target=work, daemon=True).start() for _ in range(4)]",
        "import atexit; session = vaccel.Session(); atexit.register(session.noop)",
        "vaccel.Session(); vaccel.cleanup()",
        "session = vaccel.Session(); vaccel.cleanup()",
    ],
)
def test_exit_with_what_is_open(run, text):
    assert run("import vaccel\n" + text, VACCEL_PLUGINS="noop") == ""


def test_a_library_of_another_version(run, tmp_path):
    package = tmp_path / "vaccel"
    package.mkdir()
    here = os.path.dirname(vaccel.__file__)
    for name in os.listdir(here):
        if name != "_version.py":
            (package / name).symlink_to(os.path.join(here, name))
    (package / "_version.py").write_text("__version__ = '77.1.0'\n")
    out = run("import vaccel", status=1, PYTHONPATH=str(tmp_path))
    assert "was built for libvaccel 77.1.0" in out and vaccel.__version__ in out


def test_a_library_of_vaccels_forebears(run, tmp_path):
    """It has the name of ours, and cannot even say which version it is."""
    library = tmp_path / "libvaccel.so.0"
    words = ["cc", "-shared", "-nostdlib", "-Wl,-soname,libvaccel.so.0", "-x", "c", os.devnull]
    subprocess.run([*words, "-o", str(library)], check=True)
    out = run("import vaccel", status=1, LD_LIBRARY_PATH=str(tmp_path))
    assert f"{library} is an older one" in out and "pip install" in out


def test_no_library(run):
    out = run("import vaccel", status=1, LD_LIBRARY_PATH="/nowhere")
    assert "carries no library of its own" in out


OPERATIONS = {
    "noop": lambda session: session.noop(),
    "tuple": lambda session: session.classify(b"picture"),
    "list": lambda session: session.detect_boxes(b"picture"),
    "arrays": lambda session: session.depth_map(b"picture"),
    "mask": lambda session: session.segment_mask(b"picture"),
    "numbers": lambda session: session.fpga_parallel([1.0], [2.0]),
    "arguments": lambda session: session.exec("lib", "symbol", [b"abc"], [b"abc"]),
    "error": lambda session: failing(session),
    "session": lambda session: vaccel.Session().close(),
    "resource": lambda session: vaccel.Resource.from_buffer(b"bytes", 1).close(),
    "shared memory": lambda session: vaccel.empty(100000),
    "tensors": lambda session: session.onnx_model_run(session.model, [np.zeros(1000, np.float32)]),
}


def failing(session):
    with pytest.raises(FFIError):
        session.fpga_mmult([1.0, 2.0], [1.0, 2.0])


@pytest.mark.parametrize("name", OPERATIONS)
def test_leaks(noop, name):
    """No memory is kept of LEAK_CALLS of each, so many that 32 bytes of each would be seen."""
    calls = int(os.environ.get("LEAK_CALLS", 40000))
    operation = OPERATIONS[name]
    noop.model = vaccel.Resource.from_buffer(b"model", vaccel.ResourceType.MODEL)
    noop.model.register(noop)
    for _ in range(calls // 3):
        operation(noop)
    gc.collect()
    gc.disable()
    try:
        before = left_behind()
        for _ in range(calls):
            operation(noop)
        after = left_behind()
        # What only the collector can free keeps its arrays until that comes by.
        assert gc.collect() < 100
    finally:
        gc.enable()
    noop.model.close()
    assert after[0] - before[0] < 100, f"{after[0] - before[0]} pages more"
    assert after[1:] == before[1:]
