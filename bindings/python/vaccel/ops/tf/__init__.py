# SPDX-License-Identifier: Apache-2.0
"""TensorFlow models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy.typing as npt

from ..._generated import OpType
from ..._generated import TFType as TensorType
from ...aio import in_thread
from ...call import Caller
from ...resource import Resource
from ...tensor import BaseTensor
from ..buffer import Buffer

__all__ = ["Buffer", "Node", "Status", "TFMixin", "Tensor", "TensorType"]


class Tensor(BaseTensor, types=TensorType):
    """A tensor of TensorFlow's."""


@dataclass(frozen=True)
class Node:
    """An operation of a graph, and which of its outputs."""

    name: str
    id: int = 0


@dataclass(frozen=True)
class Status:
    """What TensorFlow said of a call: a TF_Code, 0 if all went well, and its words."""

    code: int = 0
    message: str = ""


class TFMixin(Caller):
    """Models of TensorFlow."""

    def tf_model_load(self, resource: Resource) -> Status:
        """Brings the directory of a SavedModel or the file of a frozen graph to where it runs."""
        return Status(*self.call(OpType.TF_MODEL_LOAD, model=resource))

    def tf_model_unload(self, resource: Resource) -> Status:
        """Takes it away again."""
        return Status(*self.call(OpType.TF_MODEL_UNLOAD, model=resource))

    def tf_model_run(
        self,
        resource: Resource,
        in_nodes: Sequence[Node],
        in_tensors: Sequence[BaseTensor | npt.ArrayLike],
        out_nodes: Sequence[Node],
        run_options: Buffer | None = None,
    ) -> tuple[list[Tensor], Status]:
        """Runs a model on tensors or arrays, one for each input node."""
        out, code, message = self.call(
            OpType.TF_MODEL_RUN,
            model=resource,
            run_options=None if run_options is None else run_options.data,
            in_nodes=in_nodes,
            in_=in_tensors,
            out_nodes=out_nodes,
            out=len(out_nodes),
        )
        return list(out), Status(code, message)

    atf_model_load = in_thread(tf_model_load)
    atf_model_unload = in_thread(tf_model_unload)
    atf_model_run = in_thread(tf_model_run)
