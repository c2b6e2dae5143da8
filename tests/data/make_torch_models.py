#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the small TorchScript models of the tests into models/ beside this file. Needs the torch package."""

import io
import pathlib
import zipfile
from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor, nn

HERE = pathlib.Path(__file__).resolve().parent / "models"


class Same(nn.Module):
    """Gives back what it was given, so that any type and shape can be tried."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class Pair(nn.Module):
    """Sum and difference of what must be matrices of three columns, since each meets a weight."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.eye(3))

    def forward(self, a: Tensor, b: Tensor) -> Tuple[Tensor, Tensor]:
        left, right = torch.mm(a, self.weight), torch.mm(b, self.weight)
        return left + right, left - right


class Many(nn.Module):
    """Sums, differences, products and quotients, one inside the other."""

    def forward(self, a: Tensor, b: Tensor) -> Tuple[Tensor, List[Tensor], Dict[str, Tensor]]:
        return a + b, [a - b, a * b], {"quotient": a / b}


class Arguments(nn.Module):
    """All kinds of arguments that tensors can stand for."""

    def forward(self, x: Tensor, n: int, f: float, yes: bool, pair: Tuple[Tensor, Tensor], rest: List[Tensor],
                last: Tensor, more: Optional[Tensor] = None) -> Tensor:
        total = x * n + f + pair[0] - pair[1] + last * 100
        for one in rest:
            total = total + one
        if more is not None:
            total = total + more
        return total if yes else -total


class Numbers(nn.Module):
    """No tensors come out of it."""

    def forward(self, x: Tensor) -> Tuple[int, float, bool]:
        return x.size(0), float(x.sum()), bool(x.sum() > 0)


class Views(nn.Module):
    """Outputs that do not lie in memory as they are read: transposed, strided, empty, and a scalar."""

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
        return x.t(), x[:, ::2], x[:0], x.sum()


class Counter(nn.Module):
    """Counts its calls in three places, and has a weight that it does not change."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([2.0]))
        self.register_buffer("calls", torch.zeros(1))
        self.attribute = 0
        self.inner = Inner()

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.attribute += 1
        return x * self.weight + torch.cat([self.calls, torch.full([1], float(self.attribute)), self.inner()])


class Steps(nn.Module):
    """Two outputs, which grow with each call."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        self.calls += 1
        return x + self.calls, self.calls.clone()


class Inner(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))

    def forward(self) -> Tensor:
        self.calls += 1
        return self.calls.clone()


class Learns(nn.Module):
    """Changes a parameter."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        self.weight += x
        return self.weight.clone()


class Writes(nn.Module):
    """Writes into its input."""

    def forward(self, x: Tensor) -> Tensor:
        x += 1
        return x


class Members(nn.Module):
    """Writes into what its inputs are made of."""

    def forward(self, pair: Tuple[Tensor, Tensor], rest: List[Tensor]) -> Tensor:
        pair[1].mul_(10)
        for one in rest:
            one.add_(1)
        return pair[0] + pair[1] + rest[0]


class Keeps(nn.Module):
    """Keeps its inputs, and adds up what it had of the call before in an attribute and a list."""

    all: List[Tensor]

    def __init__(self):
        super().__init__()
        self.last = torch.zeros(1)
        self.all = []

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        total = x + self.last
        self.last = x.view(-1)
        self.all.append(x)
        return total, torch.stack(self.all).sum(0)


class Raises(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise ValueError("these numbers will not do")


class Huge(nn.Module):
    """120 GB of one number."""

    def forward(self, x: Tensor) -> Tensor:
        return x.repeat([30000000000])


class Spreads(nn.Module):
    """As much, which is not there before somebody wants to have it; and what can be had."""

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        return x, x.expand([30000000000])


class Creeps(nn.Module):
    """As much, a little at a time."""

    def forward(self, x: Tensor) -> Tensor:
        all: List[Tensor] = []
        for _ in range(1800):
            all.append(x.repeat([1 << 24]))
        return torch.stack([one[0] for one in all])


class Text(nn.Module):
    def forward(self, x: Tensor) -> Tuple[Tensor, str]:
        return x, "text"


class Complex(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.complex(x, x)


class Quantised(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.quantize_per_tensor(x, 0.5, 0, torch.quint8)


class Layers(nn.Module):
    """A network of the smallest kind, to measure what a call costs."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Other(nn.Module):
    @torch.jit.export
    def other(self, x: Tensor) -> Tensor:
        return x


def save(name, module, code="", instead=""):
    """Without what torch keeps for messages: it names the files of whoever ran this."""
    archive = zipfile.ZipFile(io.BytesIO(torch.jit.script(module).save_to_buffer()))
    with zipfile.ZipFile(HERE / f"{name}.pt", "w") as out:
        for entry in archive.infolist():
            data = archive.read(entry)
            if entry.filename.endswith(".py"):
                data = data.replace(code.encode(), instead.encode())
            if not entry.filename.endswith(".debug_pkl"):
                out.writestr(zipfile.ZipInfo(entry.filename.replace("archive/", f"{name}/")), data)


def main():
    torch.manual_seed(1)
    HERE.mkdir(parents=True, exist_ok=True)
    for kind in (Same, Pair, Many, Arguments, Numbers, Views, Counter, Learns, Writes, Raises, Huge, Creeps, Text, Complex,
                 Quantised, Layers, Other, Steps, Members, Keeps, Spreads):
        save(kind.__name__.lower(), kind())
    save("unknown", Same(), "return x", "return ops.nobodys.work(x)")
    torch.save({"weight": torch.zeros(2)}, HERE / "weights_alone.pt")


main()
