# SPDX-License-Identifier: Apache-2.0
"""ONNX models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Union

import numpy.typing as npt

from .._generated import OnnxType as TensorType
from .._generated import OpType
from ..aio import in_thread
from ..call import Caller
from ..resource import Resource
from ..tensor import BaseTensor

__all__ = ["OnnxMixin", "Tensor", "TensorType"]


class Tensor(BaseTensor, types=TensorType):
    """A tensor of an ONNX type."""


Inputs = Sequence[Union[BaseTensor, npt.ArrayLike]]


class OnnxMixin(Caller):
    """Models in ONNX files."""

    def onnx_model_load(self, resource: Resource) -> None:
        """Brings a model to where it runs; a run does so by itself."""
        self.call(OpType.ONNX_MODEL_LOAD, model=resource)

    def onnx_model_unload(self, resource: Resource) -> None:
        """Takes it away again."""
        self.call(OpType.ONNX_MODEL_UNLOAD, model=resource)

    def onnx_model_run(
        self,
        resource: Resource,
        in_tensors: Inputs | Mapping[str, BaseTensor | npt.ArrayLike],
        nr_out: int = 1,
        out_names: Sequence[str] | None = None,
    ) -> list[Tensor]:
        """Runs a model on tensors or arrays, in its order or by the names of its inputs.

        Returned are the outputs of those names, or else the first `nr_out`.
        """
        names = None
        if isinstance(in_tensors, Mapping):
            names, in_tensors = list(in_tensors), list(in_tensors.values())
        if out_names is not None:
            nr_out = len(out_names)
        (out,) = self.call(
            OpType.ONNX_MODEL_RUN,
            model=resource,
            in_names=names,
            in_=in_tensors,
            out_names=out_names,
            out=nr_out,
        )
        return list(out)

    aonnx_model_load = in_thread(onnx_model_load)
    aonnx_model_unload = in_thread(onnx_model_unload)
    aonnx_model_run = in_thread(onnx_model_run)
