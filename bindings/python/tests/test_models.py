# SPDX-License-Identifier: Apache-2.0
"""Real models on real pictures, by each framework, against the figures of their own packages."""

import json

import numpy as np
import pytest
from conftest import SEVEN, TOP

import vaccel
from vaccel import Resource, ResourceType
from vaccel.ops import tf, torch

Image = pytest.importorskip("PIL.Image")

EIGHT = TOP / "models/digits/model.onnx"


def expected(data, model, picture):
    return json.loads((data / "expected.json").read_text())["results"][model][picture][0]


def pixels(data, picture, side):
    """A picture as expected.json says that models got it."""
    image = (
        Image.open(data / "images" / picture).convert("RGB").resize((side, side), Image.BILINEAR)
    )
    return np.asarray(image)[np.newaxis]


def check_best(scores, wanted):
    # Pillow's resizing differs in the last bit from version to version.
    assert int(np.argmax(scores)) == wanted["index"]
    assert abs(float(np.max(scores)) - wanted["p"]) < 0.03


def registered(session, path):
    model = Resource(path, ResourceType.MODEL)
    model.register(session)
    return model


PICTURES = ["banana_0.jpg", "cat_720p.jpg"]


@pytest.mark.parametrize("picture", PICTURES)
def test_onnx(plugins, has_plugin, data, picture):
    has_plugin("onnx")
    session = plugins("onnx")
    model = registered(session, data / "models/onnx/mobilenet_v1_0.25_128_f32.onnx")
    values = ((pixels(data, picture, 128).astype(np.float32) - 128) / 128).transpose(0, 3, 1, 2)
    session.onnx_model_load(model)
    (found,) = session.onnx_model_run(model, [values])
    check_best(found.as_numpy(), expected(data, "onnx/mobilenet_v1_0.25_128_f32", picture))
    session.onnx_model_unload(model)


@pytest.mark.parametrize("picture", PICTURES)
def test_torch(plugins, has_plugin, data, picture):
    has_plugin("torch")
    session = plugins("torch")
    model = registered(session, data / "models/torch/mobilenet_v1_0.25_128_f32.pt")
    values = ((pixels(data, picture, 128).astype(np.float32) - 128) / 128).transpose(0, 3, 1, 2)
    session.torch_model_load(model)
    (found,) = session.torch_model_run(model, [torch.Tensor.from_numpy(values)])
    check_best(found.as_numpy(), expected(data, "torch/mobilenet_v1_0.25_128_f32", picture))


@pytest.mark.parametrize("picture", PICTURES)
def test_tflite(plugins, has_plugin, data, picture):
    has_plugin("tflite")
    session = plugins("tflite")
    model = registered(session, data / "models/tflite/mobilenet_v1_0.25_128_quant.tflite")
    session.tflite_model_load(model)
    (found,), status = session.tflite_model_run(model, [pixels(data, picture, 128)])
    assert status == 0 and found.data_type == vaccel.ops.tf.lite.TensorType.UINT8
    check_best(
        found.as_numpy() / 256, expected(data, "tflite/mobilenet_v1_0.25_128_quant", picture)
    )
    session.tflite_model_unload(model)


def test_tf(plugins, has_plugin, data):
    has_plugin("tf")
    session = plugins("tf")
    model = registered(session, data / "models/tf/mobilenet_v1_0.25_128_savedmodel")
    values = (pixels(data, PICTURES[0], 128).astype(np.float32) - 128) / 128
    assert session.tf_model_load(model) == tf.Status(0, "")
    (found,), status = session.tf_model_run(
        model, [tf.Node("input")], [values], [tf.Node("output")]
    )
    assert status.code == 0
    check_best(found.as_numpy(), expected(data, "tf/mobilenet_v1_0.25_128_savedmodel", PICTURES[0]))
    session.tf_model_unload(model)


def test_a_model_by_the_names_of_its_inputs(plugins, has_plugin):
    has_plugin("onnx")
    session = plugins("onnx")
    model = registered(session, EIGHT)
    white = np.ones((1, 3, 8, 8), np.float32)
    (by_name,) = session.onnx_model_run(model, {"input": white}, out_names=["logits"])
    (by_order,) = session.onnx_model_run(model, [white])
    assert by_name.dims == [1, 10] and np.array_equal(by_name.as_numpy(), by_order.as_numpy())
    with pytest.raises(vaccel.FFIError, match="float"):
        session.onnx_model_run(model, [white.astype(np.float64)])
    with pytest.raises(vaccel.FFIError):
        session.onnx_model_run(model, [white], out_names=["nonsense"])


@pytest.mark.parametrize(
    "form", ["path", "text", "bytes", "bytearray", "memoryview", "array", "PIL"]
)
def test_pictures_in_every_form(plugins, has_plugin, form):
    has_plugin("onnx")
    raw = SEVEN.read_bytes()
    image = {
        "path": SEVEN,
        "text": str(SEVEN),
        "bytes": raw,
        "bytearray": bytearray(raw),
        "memoryview": memoryview(raw),
        "array": np.frombuffer(raw, np.uint8),
        "PIL": Image.open(SEVEN),
    }[form]
    session = plugins("onnx")
    top = session.classify_top(image, 3)
    assert [found.label for found in top][0] == "seven" and len(top) == 3
    assert top[0].probability > 0.99 and top[0].index == 7
    text, name = session.classify(image)
    assert text.endswith("% seven") and name == ""


def test_no_picture(plugins, has_plugin):
    has_plugin("onnx")
    session = plugins("onnx")
    with pytest.raises(vaccel.FFIError):
        session.classify(b"no picture")
    with pytest.raises(FileNotFoundError):
        session.classify("/no/such/picture.png")
    with pytest.raises(TypeError, match="PIL"):
        session.classify(np.zeros((8, 8, 3), np.uint8))


def test_boxes(plugins, has_plugin, data, detector, tmp_path):
    has_plugin("onnx")
    session = plugins("onnx")
    registered(session, detector)
    street = data / "images/street_fastestdet_3.jpg"
    boxes = session.detect_boxes(street)
    wanted = json.loads((data / "expected.json").read_text())["results"][
        "onnx/FastestDet (352x352 NCHW BGR/255; nms 0.45, thr 0.65)"
    ]["street_fastestdet_3.jpg"]
    assert len(boxes) == len(wanted) and [box.label for box in boxes] == [
        one["label"] for one in wanted
    ]
    width, height = Image.open(street).size
    for box, one in zip(boxes, wanted):
        place = np.array(
            [box.left / width, box.top / height, box.right / width, box.bottom / height]
        )
        assert abs(box.score - one["score"]) < 0.02
        assert np.abs(place - one["box_x0_y0_x1_y1"]).max() < 0.02
    has_plugin("draw")
    drawing = vaccel.draw_boxes(street, boxes)
    assert drawing.startswith(b"\x89PNG") and drawing._repr_png_() == bytes(drawing)
    drawing.save(tmp_path / "drawing.png")
    assert Image.open(tmp_path / "drawing.png").size == (width, height)
    assert Image.open(session.detect(street)).size == (width, height)


def test_drawings_of_what_was_found(noop, has_plugin):
    """Of what the noop plugin finds, which is one of each."""
    has_plugin("draw")
    boxes, points = noop.detect_boxes(b"x"), noop.pose_points(b"x")
    mask, depth = noop.segment_mask(b"x"), noop.depth_map(b"x")
    assert boxes[0].label == "This is a dummy classification tag!" and boxes[0].right == 1
    assert points[0].person == 0 and mask.pixels.shape == (1, 1) and mask.areas[0].pixels == 1
    assert depth.shape == (1, 1) and depth.dtype == np.float32
    for drawing in (
        vaccel.draw_boxes(SEVEN, boxes),
        vaccel.draw_points(SEVEN, points),
        vaccel.draw_mask(SEVEN, mask),
        vaccel.draw_depth(SEVEN, depth),
    ):
        assert drawing.startswith(b"\x89PNG")
    with pytest.raises(vaccel.FFIError):
        vaccel.draw_boxes(b"no picture", boxes)
