# SPDX-License-Identifier: Apache-2.0
"""Programs for vAccel's own package 0.3: the names, the signatures, and what comes back."""

import ctypes
import inspect
import pathlib

import numpy as np
import pytest
from conftest import SEVEN

import vaccel
from vaccel import (
    Arg,
    ArgType,
    Config,
    OpType,
    PluginType,
    Resource,
    ResourceType,
    Session,
    bootstrap,
    cleanup,
)
from vaccel.error import FFIError, NullPointerError
from vaccel.ops import tf, torch
from vaccel.ops.tf import lite

SIGNATURES = {
    Session: "flags",
    Session.noop: "self",
    Session.has_resource: "self resource",
    Session.genop: "self read write",
    Session.exec: "self library symbol read write",
    Session.exec_with_resource: "self resource symbol read write",
    Session.classify: "self image",
    Session.detect: "self image",
    Session.segment: "self image",
    Session.pose: "self image",
    Session.depth: "self image",
    Session.sgemm: "self m n k alpha a lda b ldb beta ldc",
    Session.minmax: "self data n low high",
    Session.fpga_arraycopy: "self a",
    Session.fpga_mmult: "self a b",
    Session.fpga_parallel: "self a b",
    Session.fpga_vadd: "self a b",
    Session.tf_model_load: "self resource",
    Session.tf_model_unload: "self resource",
    Session.tf_model_run: "self resource in_nodes in_tensors out_nodes run_options",
    Session.tflite_model_load: "self resource",
    Session.tflite_model_unload: "self resource",
    Session.tflite_model_run: "self resource in_tensors nr_out",
    Session.torch_model_load: "self resource",
    Session.torch_model_run: "self resource in_tensors nr_out run_options",
    Resource: "path type",
    Resource.from_buffer: "data type",
    Resource.from_numpy: "data",
    Resource.register: "self session",
    Resource.unregister: "self session",
    Resource.sync: "self session",
    Arg: "data type custom_id",
    Config: "plugins log_level log_file profiling_enabled version_ignore",
    tf.Tensor: "dims data_type data",
    tf.Tensor.from_buffer: "dims data_type data",
    tf.Tensor.from_numpy: "data",
    tf.Tensor.from_torch: "data",
    tf.Tensor.empty: "",
    tf.Buffer: "data",
    tf.Node: "name id",
    tf.Status: "code message",
    torch.Buffer: "data",
}


@pytest.mark.parametrize("function", SIGNATURES, ids=lambda function: function.__qualname__)
def test_signature(function):
    """What stands there may be followed by more, which has a default."""
    found = list(inspect.signature(function).parameters.values())
    wanted = SIGNATURES[function].split()
    assert [one.name for one in found[: len(wanted)]] == wanted
    assert all(one.default is not inspect.Parameter.empty for one in found[len(wanted) :])


def test_other_names_of_keywords(noop):
    """As the package itself has them, where the list above is shorter."""
    assert noop.exec("lib.so", "symbol", arg_read=[1], arg_write=[0]) == [1]
    resource = Resource.from_buffer(b"library", type_=ResourceType.LIB)
    resource.register(noop)
    assert noop.exec_with_resource(resource, "symbol", arg_read=[1], arg_write=[0]) == [1]
    assert Arg(b"x", type_=ArgType.CUSTOM, custom_type_id=3).custom_id == 3
    assert Resource(paths=[SEVEN], type_=ResourceType.DATA).type == ResourceType.DATA
    noop.genop(arg_read=[Arg(OpType.NOOP, ArgType.UINT8)], arg_write=[])
    data = np.array([1.0]).tobytes()
    assert noop.minmax(indata=data, ndata=1, low_threshold=0, high_threshold=2)[0] == data


def test_session(noop):
    assert noop.id > 0 and noop.flags == 0 and not noop.is_remote and noop.remote_id == 0
    second = Session(flags=1)
    assert second.id == noop.id + 1 and second.flags == 1
    third = Session(flags=PluginType.GENERIC | PluginType.DEBUG)
    assert third.flags == PluginType.GENERIC | PluginType.DEBUG
    third.noop()


def test_constants():
    assert OpType.NOOP == 0 and OpType.OPENCV == 23 and OpType.IMAGE_DEPTH_MAP == 73
    assert ResourceType.MODEL == 2 and PluginType.REMOTE == 0x4000
    assert ArgType.RAW == 0 and ArgType.FLOAT32_ARRAY == 18 and ArgType.CUSTOM == 29
    assert tf.TensorType.FLOAT == 1 and tf.TensorType.UINT64 == 23
    assert lite.TensorType.FLOAT32 == 1 and torch.TensorType.FLOAT == 7
    assert vaccel.__version__.count(".") == 2


def test_config(tmp_path):
    log = str(tmp_path / "log")
    config = Config("noop:cpu", 3, log, profiling_enabled=True, version_ignore=True)
    assert (config.plugins, config.log_level, config.log_file) == ("noop:cpu", 3, log)
    assert config.profiling_enabled and config.version_ignore
    assert Config().plugins == "libvaccel-noop.so"
    with pytest.raises(FFIError):
        Config("noop", log_level=99)
    bootstrap(Config("noop"))
    assert Session().classify(b"x") == (
        "This is a dummy classification tag!",
        "This is a dummy imgname!",
    )
    cleanup()
    with pytest.raises(FFIError) as caught:
        Session()
    assert caught.value.code == 104  # ESESS
    bootstrap()


def test_error():
    error = FFIError(22, "the words")
    assert isinstance(error, RuntimeError)
    assert (error.code, error.message) == (22, "the words")
    assert "EINVAL" in str(error) and "the words" in str(error)


@pytest.mark.parametrize("operation", ["detect", "segment", "pose", "depth"])
def test_drawings(noop, operation):
    assert getattr(noop, operation)(SEVEN.read_bytes()) == "This is a dummy imgname!"


def test_sgemm(cpu):
    a, b = [1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]
    assert cpu.sgemm(2, 2, 2, 1.0, a, 2, b, 2, 0.0, 2) == [19.0, 22.0, 43.0, 50.0]
    assert cpu.sgemm(1, 1, 2, 2.0, a, 2, b, 1, 1.0, 1, [100.0]) == [134.0]


def test_minmax(cpu):
    data = np.array([1.0, 5.0, 9.0]).tobytes()
    out, smallest, largest = cpu.minmax(data, 3, 2, 8)
    assert isinstance(out, bytes) and np.frombuffer(out).tolist() == [2.0, 5.0, 8.0]
    assert (smallest, largest) == (5.0, 5.0)


def test_fpga(cpu):
    assert cpu.fpga_arraycopy([1, 2, 3]) == [1, 2, 3]
    assert cpu.fpga_vadd([1.0, 2.0], [3.0, 4.0]) == [4.0, 6.0]
    assert cpu.fpga_parallel([1.0, 2.0], [3.0, 4.0]) == ([4.0, 6.0], [3.0, 8.0])
    assert cpu.fpga_mmult([1.0, 2.0, 3.0, 4.0], [1.0, 0.0, 0.0, 1.0]) == [1.0, 2.0, 3.0, 4.0]


def test_genop(cpu):
    read = [
        Arg(OpType.BLAS_SGEMM, ArgType.UINT8),
        *(Arg(size, ArgType.INT64) for size in (2, 2, 2)),
        Arg(1.0, ArgType.FLOAT32),
        Arg([1.0] * 4, ArgType.FLOAT32_ARRAY),
        Arg(2, ArgType.INT64),
        Arg([2.0] * 4, ArgType.FLOAT32_ARRAY),
        Arg(2, ArgType.INT64),
        Arg(0.0, ArgType.FLOAT32),
        Arg(2, ArgType.INT64),
    ]
    write = [Arg([0.0] * 4, ArgType.FLOAT32_ARRAY)]
    assert cpu.genop(read, write) is None
    assert write[0].buf == [4.0] * 4


def test_exec_answers_of_the_noop_plugin(noop):
    assert noop.exec("lib.so", "symbol", [[1, 2, 3]], [[0, 0, 0]]) == [[1, 2, 3]]
    assert noop.exec("lib.so", "symbol") is None
    assert noop.exec(pathlib.Path("lib.so"), "symbol", [b"abc"], [b"xyz"]) == [b"abc"]
    assert noop.exec("lib.so", "symbol", [Arg("abc", ArgType.STRING)], ["xyz"]) == ["abc"]
    resource = Resource.from_buffer(b"library", ResourceType.LIB)
    resource.register(noop)
    assert noop.exec_with_resource(resource, "symbol", [7], [0]) == [7]
    resource.unregister(noop)


@pytest.mark.parametrize(
    "value, kind, back",
    [
        (5, ArgType.INT32, 5),
        (-5, ArgType.INT64, -5),
        (200, ArgType.UINT8, 200),
        (1.5, ArgType.FLOAT32, 1.5),
        (1.5, ArgType.FLOAT64, 1.5),
        (True, ArgType.BOOL, True),
        ([1, 2], ArgType.UINT16_ARRAY, [1, 2]),
        ([1.5, 2], ArgType.FLOAT64_ARRAY, [1.5, 2.0]),
        ("text", ArgType.STRING, "text"),
        (b"bytes", ArgType.BUFFER, b"bytes"),
        (7, ArgType.RAW, 7),
        (0.5, ArgType.RAW, 0.5),
        ([1, 2], ArgType.RAW, [1, 2]),
        ([0.5], ArgType.RAW, [0.5]),
    ],
)
def test_arg(value, kind, back):
    arg = Arg(value, kind)
    assert arg.buf == back and type(arg.buf) is type(back) and arg.type == kind


def test_arg_of_a_type_of_ones_own():
    class Pair(ctypes.Structure):
        _fields_ = [("a", ctypes.c_int), ("b", ctypes.c_int)]

    arg = Arg(bytes(Pair(1, 2)), ArgType.CUSTOM, 7)
    assert Pair.from_buffer_copy(arg.buf).b == 2 and arg.custom_id == 7


def test_resource(noop):
    first = Resource(SEVEN, ResourceType.DATA)
    second = Resource([SEVEN, str(SEVEN)], ResourceType.DATA)
    assert second.id == first.id + 1 and first.remote_id == 0
    first.register(noop)
    assert noop.has_resource(first) and not noop.has_resource(second)
    first.unregister(noop)
    assert not noop.has_resource(first)


def test_resource_in_memory(noop):
    values = np.arange(30, dtype=np.float32)
    for resource in (
        Resource.from_buffer(values.tobytes(), ResourceType.DATA),
        Resource.from_numpy(values),
    ):
        assert resource.id > 0 and resource.data == values.tobytes()
        resource.register(noop)
        resource.sync(noop)
        resource.unregister(noop)


def check_tensor(tensor, kind):
    values = np.ones((1, 30), np.float32)
    assert tensor.dims == [1, 30] and tensor.shape == (1, 30) and tensor.data_type == kind
    assert tensor.data == [1.0] * 30 and tensor.to_bytes() == values.tobytes()
    assert tensor.as_bytelike() == values.tobytes() and tensor.as_memoryview() == values.tobytes()
    assert np.array_equal(tensor.as_numpy(), values)


@pytest.mark.parametrize(
    "module, kind",
    [(tf, tf.TensorType.FLOAT), (lite, lite.TensorType.FLOAT32), (torch, torch.TensorType.FLOAT)],
)
def test_tensor(module, kind):
    values = np.ones((1, 30), np.float32)
    check_tensor(module.Tensor([1, 30], kind, [1.0] * 30), kind)
    check_tensor(module.Tensor.from_buffer([1, 30], kind, values.tobytes()), kind)
    check_tensor(module.Tensor.from_numpy(values), kind)
    with pytest.raises(NullPointerError):
        module.Tensor.empty().dims


def test_models(noop):
    model = Resource(SEVEN, ResourceType.MODEL)
    model.register(noop)

    tensors = [tf.Tensor([1, 30], tf.TensorType.FLOAT, [1.0] * 30)]
    assert noop.tf_model_load(model) == tf.Status(0, "")
    found, status = noop.tf_model_run(
        model, [tf.Node("in", 0)], tensors, [tf.Node("out")], tf.Buffer(b"options")
    )
    check_tensor(found[0], tf.TensorType.FLOAT)
    assert isinstance(found[0], tf.Tensor) and status.code == 0
    assert noop.tf_model_unload(model).code == 0

    noop.tflite_model_load(model)
    found, status = noop.tflite_model_run(
        model, [lite.Tensor([1, 30], lite.TensorType.FLOAT32, [1.0] * 30)]
    )
    check_tensor(found[0], lite.TensorType.FLOAT32)
    assert isinstance(found[0], lite.Tensor) and status == 0
    noop.tflite_model_unload(model)

    noop.torch_model_load(model)
    tensors = [torch.Tensor([1, 30], torch.TensorType.FLOAT, [1.0] * 30)] * 2
    found = noop.torch_model_run(model, tensors, nr_out=2, run_options=torch.Buffer(b"none"))
    assert len(found) == 2 and isinstance(found[0], torch.Tensor)
    check_tensor(found[1], torch.TensorType.FLOAT)
