# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt

from ..._generated import OpType
from ..._generated import TFLiteType as TensorType
from ...aio import in_thread
from ...call import Caller
from ...resource import Resource
from ...tensor import BaseTensor

__all__ = ["TFLiteMixin", "Tensor", "TensorType"]


class Tensor(BaseTensor, types=TensorType):
    """A tensor of TensorFlow Lite's."""


class TFLiteMixin(Caller):
    """Models of TensorFlow Lite."""

    def tflite_model_load(self, resource: Resource) -> None:
        """Brings a model to where it runs."""
        self.call(OpType.TFLITE_MODEL_LOAD, model=resource)

    def tflite_model_unload(self, resource: Resource) -> None:
        """Takes it away again."""
        self.call(OpType.TFLITE_MODEL_UNLOAD, model=resource)

    def tflite_model_run(
        self, resource: Resource, in_tensors: Sequence[BaseTensor | npt.ArrayLike], nr_out: int = 1
    ) -> tuple[list[Tensor], int]:
        """Runs a model on tensors or arrays in its order; the outputs, and a TfLiteStatus."""
        out, status = self.call(OpType.TFLITE_MODEL_RUN, model=resource, in_=in_tensors, out=nr_out)
        return list(out), int(status)

    atflite_model_load = in_thread(tflite_model_load)
    atflite_model_unload = in_thread(tflite_model_unload)
    atflite_model_run = in_thread(tflite_model_run)
