# SPDX-License-Identifier: Apache-2.0
"""What is in a picture.

A picture is the bytes of a JPEG or PNG file, the path of one, or an image of PIL's. The model is
the first one registered with the session, or else the default of the task.
"""

from __future__ import annotations

import io
import os
import pathlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._generated import Area, Box, Class, OpType, Point
from ..aio import in_thread
from ..call import Caller

# Room for an answer in text, and for the name of a picture.
_TEXT = 1024
_NAME = 4096


@dataclass(frozen=True)
class Mask:
    """The class of each pixel of a picture, by rows, and how much of it is of which."""

    pixels: npt.NDArray[np.uint16]
    areas: list[Area]


def picture(image: Any) -> Any:
    """The bytes of a picture's file, whatever it is given as."""
    if isinstance(image, (str, os.PathLike)):
        return pathlib.Path(image).read_bytes()
    if isinstance(image, (int, float)):
        raise TypeError(
            f"{image} is no picture; give the bytes of a file, a path or an image of PIL's"
        )
    if isinstance(image, np.ndarray) and image.ndim != 1:
        raise TypeError(
            f"an array of {image.shape} is no file of a picture; encode it as one, "
            "for instance with PIL.Image.fromarray(array)"
        )
    if hasattr(image, "save") and hasattr(image, "mode"):
        file = io.BytesIO()
        image.save(file, format="PNG", compress_level=1)
        return file.getvalue()
    return image


class ImageMixin(Caller):
    """Pictures."""

    def classify(self, image: Any) -> tuple[str, str]:
        """Says what a picture shows: "99.812% seven", and "" for the name of no drawing."""
        name, text = self.call(
            OpType.IMAGE_CLASSIFY, image=picture(image), imgname=_NAME, text=_TEXT
        )
        return text, name

    def classify_top(self, image: Any, k: int = 5) -> list[Class]:
        """The `k` most likely classes, the most likely first."""
        (top,) = self.call(OpType.IMAGE_CLASSIFY_TOP, image=picture(image), k=k)
        return list(top)

    def detect(self, image: Any) -> str:
        """Draws boxes around what is in a picture; the path of the drawing.

        The drawing is a PNG that goes with the session.
        """
        (name,) = self.call(OpType.IMAGE_DETECT, image=picture(image), imgname=_NAME)
        return str(name)

    def segment(self, image: Any) -> str:
        """Colours a picture by the class of each pixel; the path of the drawing."""
        (name,) = self.call(OpType.IMAGE_SEGMENT, image=picture(image), imgname=_NAME)
        return str(name)

    def pose(self, image: Any) -> str:
        """Draws people's skeletons; the path of the drawing."""
        (name,) = self.call(OpType.IMAGE_POSE, image=picture(image), imgname=_NAME)
        return str(name)

    def depth(self, image: Any) -> str:
        """Colours a picture by how far away each pixel is; the path of the drawing."""
        (name,) = self.call(OpType.IMAGE_DEPTH, image=picture(image), imgname=_NAME)
        return str(name)

    def detect_boxes(self, image: Any) -> list[Box]:
        """The objects in a picture and where they are, in its pixels, the surest first."""
        (boxes,) = self.call(OpType.IMAGE_DETECT_BOXES, image=picture(image))
        return list(boxes)

    def segment_mask(self, image: Any) -> Mask:
        """The class of each pixel; the mask covers the whole picture, in the model's own size."""
        width, height, mask, areas = self.call(OpType.IMAGE_SEGMENT_MASK, image=picture(image))
        return Mask(mask.reshape(height, width), list(areas))

    def pose_points(self, image: Any) -> list[Point]:
        """The joints of the people in a picture, in its pixels."""
        (points,) = self.call(OpType.IMAGE_POSE_POINTS, image=picture(image))
        return list(points)

    def depth_map(self, image: Any) -> npt.NDArray[np.float32]:
        """The model's number for each pixel, by rows; what it means is the model's affair."""
        width, height, depth = self.call(OpType.IMAGE_DEPTH_MAP, image=picture(image))
        values: npt.NDArray[np.float32] = depth.reshape(height, width)
        return values

    aclassify = in_thread(classify)
    aclassify_top = in_thread(classify_top)
    adetect = in_thread(detect)
    asegment = in_thread(segment)
    apose = in_thread(pose)
    adepth = in_thread(depth)
    adetect_boxes = in_thread(detect_boxes)
    asegment_mask = in_thread(segment_mask)
    apose_points = in_thread(pose_points)
    adepth_map = in_thread(depth_map)
