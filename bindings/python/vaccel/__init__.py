# SPDX-License-Identifier: Apache-2.0
"""vaccel: whole operations on hardware that the program may not reach itself.

>>> import vaccel
>>> with vaccel.Session() as session:
...     session.minmax(memoryview(bytes(16)), 2, -1, 1)[1:]
(0.0, 0.0)
"""

from . import ops
from ._generated import (
    Area,
    ArgType,
    Box,
    Class,
    OpType,
    PluginType,
    Point,
    ResourceType,
)
from ._version import __version__
from .arg import Arg
from .array import empty
from .config import Config, bootstrap, cleanup
from .draw import Drawing, draw_boxes, draw_depth, draw_mask, draw_points
from .error import FFIError, NullPointerError
from .ops.image import Mask
from .resource import Resource
from .session import Session

__all__ = [
    "Area",
    "Arg",
    "ArgType",
    "Box",
    "Class",
    "Config",
    "Drawing",
    "FFIError",
    "Mask",
    "NullPointerError",
    "OpType",
    "PluginType",
    "Point",
    "Resource",
    "ResourceType",
    "Session",
    "__version__",
    "bootstrap",
    "cleanup",
    "draw_boxes",
    "draw_depth",
    "draw_mask",
    "draw_points",
    "empty",
    "ops",
]
