# SPDX-License-Identifier: Apache-2.0
"""Arrays in and out: without a copy where that can be, refused where it would be a silent one."""

import array

import numpy as np
import pytest

import vaccel
from vaccel import ArgType
from vaccel._library import ffi, lib
from vaccel.array import as_input, as_output
from vaccel.error import NullPointerError
from vaccel.ops import onnx, tf, torch


def address(values):
    return values.__array_interface__["data"][0]


def test_an_input_is_not_copied():
    values = np.arange(6, dtype=np.float32)
    assert as_input(values, np.float32, "x") is values
    assert address(as_input(memoryview(values), np.float32, "x")) == address(values)
    raw = values.tobytes()
    assert as_input(raw, np.float32, "x").tolist() == values.tolist()
    assert as_input(array.array("f", [1, 2]), np.float32, "x").tolist() == [1, 2]


def test_gaps_are_copied_once():
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    dense = as_input(values[:, ::2], np.float32, "x")
    assert dense.flags.c_contiguous and dense.tolist() == values[:, ::2].tolist()
    assert as_input(values.T, np.float32, "x").tolist() == values.T.tolist()


@pytest.mark.parametrize(
    "value, dtype, error",
    [
        (np.zeros(2), np.float32, TypeError),
        (np.zeros(2, np.int64), np.int32, TypeError),
        (np.zeros(2, np.float32), np.int32, TypeError),
        (np.zeros(2, ">f4"), np.float32, TypeError),
        ([1.5], np.int32, TypeError),
        (["a"], np.float32, TypeError),
        ([2**40], np.int32, OverflowError),
        ([-1], np.uint8, OverflowError),
        (b"123", np.float32, ValueError),
        (object(), np.float32, TypeError),
    ],
)
def test_what_is_refused(value, dtype, error):
    with pytest.raises(error, match="x"):
        as_input(value, dtype, "x")


def test_lists():
    assert as_input([1, 2], np.float32, "x").tolist() == [1.0, 2.0]
    assert as_input([], np.float32, "x").size == 0
    assert as_input((1, 2), np.int32, "x").dtype == np.int32


def test_an_output_is_filled_in_place(cpu):
    out = np.zeros(3, np.float64)
    found = cpu.ops.minmax([1.0, 5.0, 9.0], 3, 2, 8, out=out)
    assert found.out is out and out.tolist() == [2.0, 5.0, 8.0]
    copy = vaccel.empty(4, np.int32)
    assert cpu.fpga_arraycopy(np.arange(4, dtype=np.int32), copy) is copy and copy.tolist() == [
        0,
        1,
        2,
        3,
    ]


@pytest.mark.parametrize(
    "out, error",
    [
        (np.zeros((3, 2))[:, 0], ValueError),
        (np.broadcast_to(np.zeros(1), 3), ValueError),
        (np.zeros(3, np.float32), TypeError),
        ([0.0, 0.0, 0.0], TypeError),
    ],
)
def test_what_cannot_be_written(cpu, out, error):
    with pytest.raises(error, match="out"):
        cpu.ops.minmax([1.0, 5.0, 9.0], 3, 2, 8, out=out)


def test_read_only_arrays_are_not_written():
    frozen = np.zeros(3)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        as_output(frozen, np.float64, "x")
    assert as_input(frozen, np.float64, "x") is frozen


def test_what_is_read_and_written(cpu):
    a, b = np.array([1.0, 2.0], np.float32), np.array([3.0, 4.0], np.float32)
    c = np.array([100.0], np.float32)
    assert cpu.sgemm(1, 1, 2, 1.0, a, 2, b, 1, 1.0, 1, c).tolist() == [111.0] and c[0] == 111.0
    gaps = np.zeros((2, 2), np.float32)[:, 0]
    with pytest.raises(ValueError, match="c:"):
        cpu.sgemm(2, 1, 1, 1.0, a, 1, b, 1, 1.0, 1, gaps)
    frozen = c.copy()
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="c:"):
        cpu.sgemm(1, 1, 2, 1.0, a, 2, b, 1, 1.0, 1, frozen)


def test_shapes_are_kept(cpu):
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.array_equal(cpu.fpga_vadd(values, values), 2 * values)
    assert cpu.fpga_arraycopy(np.ones((2, 2), np.int32)).shape == (2, 2)


class Elsewhere:
    """As another framework's tensor looks."""

    def __init__(self, values):
        self.values = values

    def __dlpack__(self, **how):
        return self.values.__dlpack__(**how)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, array.array, Elsewhere, list])
def test_what_counts_as_an_array(cpu, form):
    values = np.arange(4, dtype=np.float32)
    given = array.array("f", values) if form is array.array else form(values)
    assert list(cpu.fpga_vadd(given, values)) == [0, 2, 4, 6]
    assert list(cpu.fpga_mmult(given, values)) == [2, 3, 6, 11]
    total, product = cpu.fpga_parallel(given, values)
    assert list(total) == [0, 2, 4, 6] and list(product) == [0, 1, 4, 9]


def test_dlpack():
    values = np.arange(6, dtype=np.float32)
    assert address(as_input(Elsewhere(values), np.float32, "x")) == address(values)
    tensor = onnx.Tensor.from_numpy(values)
    assert address(np.from_dlpack(tensor)) == address(values)
    assert address(np.asarray(tensor)) == address(values)
    assert np.asarray(tensor, dtype=np.float64).dtype == np.float64


def test_torch():
    pytorch = pytest.importorskip("torch")
    values = pytorch.arange(6, dtype=pytorch.float32).reshape(2, 3)
    tensor = torch.Tensor.from_torch(values)
    assert tensor.dims == [2, 3] and tensor.as_torch().data_ptr() == values.data_ptr()


def test_a_tensor_has_the_callers_memory(noop):
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    tensor = tf.Tensor.from_numpy(values)
    assert address(tensor.as_numpy()) == address(values)
    values[0, 0] = 42
    assert tensor.data[0] == 42
    raw = bytearray(24)
    view = tf.Tensor.from_buffer([2, 3], tf.TensorType.FLOAT, raw).as_memoryview()
    view[0] = 1
    assert raw[0] == 1


@pytest.mark.parametrize("module", [tf, torch, onnx])
def test_types_of_tensors(module, noop):
    for number, dtype in module.Tensor._dtypes.items():
        values = np.ones((2, 2)).astype(dtype)
        tensor = module.Tensor.from_numpy(values)
        assert tensor.data_type == number and np.array_equal(tensor.as_numpy(), values)
    with pytest.raises(TypeError, match="no type"):
        module.Tensor.from_numpy(np.array(["text"]))


def test_a_type_that_numpy_has_not():
    tensor = tf.Tensor([2], tf.TensorType.BFLOAT16, b"\1\2\3\4")
    assert tensor.to_bytes() == b"\1\2\3\4" and tensor.data_type == tf.TensorType.BFLOAT16
    with pytest.raises(TypeError, match="BFLOAT16"):
        tensor.as_numpy()


@pytest.mark.parametrize("dims", [[-1, -3], [0, -1], [3] + [1] * 64])
def test_an_answer_that_is_no_array(dims):
    data = np.zeros(0 if 0 in dims else 3, np.float32).tobytes()
    c = ffi.new("struct vaccel_tensor *")
    assert not lib.vaccel_tensor_init(c, len(dims), dims, tf.TensorType.FLOAT)
    c.data, c.size = ffi.from_buffer("uint8_t[]", data), len(data)
    tensor = tf.Tensor._adopt(c)
    assert tensor.dims == dims and tensor.to_bytes() == data
    with pytest.raises(TypeError, match="no array"):
        tensor.as_numpy()


@pytest.mark.parametrize("dims", [[2, 2], [-1, -3], []])
def test_a_tensor_of_the_wrong_size(dims):
    with pytest.raises(ValueError, match="3 values"):
        tf.Tensor(dims, tf.TensorType.FLOAT, [1.0, 2.0, 3.0])


def test_scalars_and_nothing(noop):
    assert onnx.Tensor.from_numpy(np.float32(3)).dims == []
    assert onnx.Tensor.from_numpy(np.zeros((0, 3), np.float32)).dims == [0, 3]
    for values in (np.float32(3), np.zeros((0, 3), np.float32)):
        model = vaccel.Resource.from_buffer(b"model", vaccel.ResourceType.MODEL)
        model.register(noop)
        (found,) = noop.onnx_model_run(model, [values])
        assert found.shape == np.shape(values) and np.array_equal(found.as_numpy(), values)
        model.close()


def test_arrays_as_arguments(noop):
    given, back = np.arange(4, dtype=np.int32), np.zeros(4, np.int32)
    assert noop.exec("lib", "symbol", [given], [back])[0] is back and back.tolist() == [0, 1, 2, 3]
    raw = bytearray(4)
    assert noop.exec("lib", "symbol", [b"abcd"], [raw])[0] is raw and raw == b"abcd"
    with pytest.raises(ValueError, match="gaps"):
        noop.exec("lib", "symbol", [given], [np.zeros((4, 2), np.int32)[:, 0]])
    with pytest.raises(TypeError):
        noop.exec("lib", "symbol", [object()])
    with pytest.raises(OverflowError):
        vaccel.Arg(2**40)


@pytest.mark.parametrize(
    "dtype, kind",
    [
        (np.float64, ArgType.FLOAT32_ARRAY),
        (np.float32, ArgType.FLOAT64),
        (np.int64, ArgType.INT32_ARRAY),
        (np.uint8, ArgType.INT8_ARRAY),
        (np.uint8, ArgType.BOOL_ARRAY),
        (np.int32, ArgType.CHAR_ARRAY),
    ],
)
def test_an_argument_of_another_type_than_it_is_said_to_have(dtype, kind):
    values = np.array([1, 2], dtype)
    given = [values, memoryview(values)] if values.itemsize > 1 else [values]
    for one in given:
        with pytest.raises(TypeError, match=f"Arg: an array of {values.dtype} where"):
            vaccel.Arg(one, kind)


@pytest.mark.parametrize("kind", ["RAW", "BUFFER", "CUSTOM", "FLOAT64_ARRAY", "STRING"])
def test_an_argument_that_may_be_of_its_type(kind):
    values = np.array([1.0, 2.0])
    for one in (values, memoryview(values), values.tobytes()):
        assert vaccel.Arg(one, ArgType[kind])._array.nbytes == 16


@pytest.mark.parametrize("kind", [ArgType.CHAR_ARRAY, ArgType.UCHAR_ARRAY])
def test_characters_are_bytes(kind):
    for dtype in (np.int8, np.uint8, "S1"):
        values = np.frombuffer(b"text", dtype)
        assert vaccel.Arg(values, kind).buf is values


@pytest.mark.parametrize(
    "value, kind, dtype",
    [
        (np.float32(1.5), ArgType.RAW, np.float32),
        (np.float64(1.5), ArgType.RAW, np.float32),
        ([np.float32(1.5), 2], ArgType.RAW, np.float32),
        (np.float16(1.5), ArgType.FLOAT64, np.float64),
        (np.int64(7), ArgType.RAW, np.int32),
        (True, ArgType.RAW, bool),
        (np.bool_(True), ArgType.RAW, bool),
        (True, ArgType.INT32, np.int32),
    ],
)
def test_numbers_as_arguments(value, kind, dtype):
    arg = vaccel.Arg(value, kind)
    assert arg._array.dtype == dtype and arg.buf == value


def test_plain_values_for_any_operation(cpu):
    a, out = np.array([1.0, 2.0], np.float32), np.zeros(2, np.float32)
    number = vaccel.Arg(vaccel.OpType.FPGA_VECTORADD, ArgType.UINT8)
    raw = bytearray(8)
    for written in (out, raw):
        cpu.genop([number, a, [3.0, 4.0]], [written])
    assert out.tolist() == [4.0, 6.0] and bytes(raw) == out.tobytes()


def test_arrays_of_objects(noop):
    """C would be shown addresses, and could write others in their place."""
    objects = np.array([object(), object()])
    for use in (
        lambda: noop.exec("lib", "symbol", [objects]),
        lambda: noop.exec("lib", "symbol", None, [objects]),
        lambda: vaccel.Resource.from_numpy(objects),
    ):
        with pytest.raises(TypeError, match="objects of Python's"):
            use()


def test_texts_with_a_nul(noop):
    for use in (
        lambda: noop.exec("lib\0", "symbol"),
        lambda: vaccel.Resource("/etc/passwd\0", vaccel.ResourceType.DATA),
        lambda: vaccel.Resource.from_buffer(b"bytes", vaccel.ResourceType.DATA, "name\0"),
        lambda: vaccel.Config("noop\0"),
    ):
        with pytest.raises(ValueError, match="NUL"):
            use()


def test_tensors_of_another_framework(noop):
    model = vaccel.Resource.from_buffer(b"model", vaccel.ResourceType.MODEL)
    model.register(noop)
    with pytest.raises(TypeError, match="vaccel.ops.torch.Tensor"):
        noop.torch_model_run(model, [tf.Tensor.from_numpy(np.zeros(3))])
    with pytest.raises(NullPointerError):
        tf.Tensor.empty().as_numpy()
    model.close()


def test_bytes_are_never_written(noop):
    constant = b"xyz"
    assert noop.exec("lib", "symbol", [b"abc"], [constant]) == [b"abc"]
    assert constant == b"xyz"


def test_a_function_that_writes_less(cpu, functions):
    """functions_shorten() lowers the size of what it writes."""
    values = vaccel.Arg([1, 2, 3, 4])
    values._size = 8
    assert values.buf == [1, 2]


def test_resources_are_synced_into_the_callers_array(noop):
    values = np.arange(3, dtype=np.float32)
    resource = vaccel.Resource.from_numpy(values)
    values[0] = 5
    assert np.frombuffer(resource.data, np.float32)[0] == 5
    constant = b"constant"
    assert vaccel.Resource.from_buffer(constant, vaccel.ResourceType.DATA).data == constant
