# SPDX-License-Identifier: Apache-2.0
"""Drawing on pictures what operations found in them, in this process."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Sequence
from typing import Any, Callable

import numpy as np
import numpy.typing as npt

from ._generated import Area, Box, Point
from ._library import ffi, lib
from .array import as_input, pointer
from .error import check
from .ops.image import Mask, picture


class Drawing(bytes):
    """A PNG, which a notebook shows."""

    def _repr_png_(self) -> bytes:
        return bytes(self)

    def save(self, path: Any) -> None:
        """Writes it to a file."""
        pathlib.Path(path).write_bytes(self)


def _draw(image: Any, draw: Callable[..., int], *found: Any) -> Drawing:
    data = as_input(picture(image), np.uint8, "image")
    with tempfile.TemporaryDirectory(prefix="vaccel-draw-") as directory:
        path = pathlib.Path(directory) / "drawing.png"
        check(draw(pointer(data, "uint8_t"), data.size, *found, str(path).encode()))
        return Drawing(path.read_bytes())


def _rows(kind: str, items: Sequence[Any]) -> tuple[Any, list[Any]]:
    """Dataclasses as an array of C's structs, whose fields have the same names; and its texts."""
    rows = ffi.new(f"struct vaccel_{kind}[]", len(items))
    texts = []
    for row, item in zip(rows, items):
        for name, value in vars(item).items():
            if isinstance(value, str):
                value = ffi.new("char[]", value.encode())
                texts.append(value)
            setattr(row, name, value)
    return rows, texts


def draw_boxes(image: Any, boxes: Sequence[Box]) -> Drawing:
    """Draws boxes, each with its label and score."""
    rows, _texts = _rows("box", boxes)
    return _draw(image, lib.vaccel_draw_boxes, rows, len(boxes))


def draw_points(image: Any, points: Sequence[Point]) -> Drawing:
    """Draws the joints of people, and the limbs between them."""
    rows, _texts = _rows("point", points)
    return _draw(image, lib.vaccel_draw_points, rows, len(points))


def draw_mask(image: Any, mask: Mask) -> Drawing:
    """Colours a picture by class, with a legend."""
    areas: list[Area] = mask.areas
    rows, _texts = _rows("area", areas)
    pixels = pointer(as_input(mask.pixels, np.uint16, "mask"), "uint16_t")
    height, width = mask.pixels.shape
    c = ffi.new("struct vaccel_mask *", [width, height, pixels, rows, len(areas)])
    return _draw(image, lib.vaccel_draw_mask, c)


def draw_depth(image: Any, depth: npt.NDArray[np.float32]) -> Drawing:
    """Colours a picture by the numbers of a map, with a scale."""
    values = pointer(as_input(depth, np.float32, "depth"), "float")
    height, width = depth.shape
    return _draw(
        image, lib.vaccel_draw_depth, ffi.new("struct vaccel_depth *", [width, height, values])
    )
