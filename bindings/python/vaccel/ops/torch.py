# SPDX-License-Identifier: Apache-2.0
"""TorchScript models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union, cast

import numpy.typing as npt

from .._generated import OpType
from .._generated import TorchType as TensorType
from ..aio import in_thread
from ..call import Caller
from ..resource import Resource
from ..tensor import BaseTensor
from .buffer import Buffer

__all__ = ["Buffer", "Tensor", "TensorType", "TorchMixin"]


class Tensor(BaseTensor, types=TensorType):
    """A tensor of PyTorch's."""


AnyTensor = Union[BaseTensor, npt.ArrayLike]


class TorchMixin(Caller):
    """Models of PyTorch."""

    def torch_model_load(self, resource: Resource) -> None:
        """Brings a model to where it runs."""
        self.call(OpType.TORCH_MODEL_LOAD, model=resource)

    def torch_model_run(
        self,
        resource: Resource,
        in_tensors: Sequence[AnyTensor],
        nr_out: int = 1,
        run_options: Buffer | None = None,
    ) -> list[Tensor]:
        """Runs a model on tensors or arrays, in the order of the arguments of forward()."""
        options = None if run_options is None else run_options.data
        (out,) = self.call(
            OpType.TORCH_MODEL_RUN, model=resource, run_options=options, in_=in_tensors, out=nr_out
        )
        return list(out)

    torch_jitload_forward = torch_model_run

    def torch_sgemm(
        self, a: AnyTensor, b: AnyTensor, c: AnyTensor, m: int, n: int, k: int
    ) -> Tensor:
        """Multiplies matrices of float32 with PyTorch: a b + c."""
        ((product,),) = self.call(OpType.TORCH_SGEMM, in_=[a, b, c], m=m, n=n, k=k, out=1)
        return cast(Tensor, product)

    atorch_model_load = in_thread(torch_model_load)
    atorch_model_run = in_thread(torch_model_run)
    atorch_sgemm = in_thread(torch_sgemm)
