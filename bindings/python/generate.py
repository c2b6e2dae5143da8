# SPDX-License-Identifier: Apache-2.0
"""What of the package follows from the library: made when it is built, never by hand.

From the public headers come the declarations for cffi and the enums; from the table of
operations (`vaccel ops --json`) a typed method for each operation, in `_generated.py`. A new
operation is therefore in the package as soon as it is in the library.

usage: generate.py INCLUDE_DIRS LIBRARY_DIR VACCEL OUTPUT_DIR

INCLUDE_DIRS are joined by ":", VACCEL is the command. OUTPUT_DIR gets a copy of the package with
all that it needs but the library.
"""

from __future__ import annotations

import json
import keyword
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from typing import Any

import cffi

LINE_MARKER = re.compile(r'# \d+ "([^"]*)"')
VERSION = re.compile(r'^#define VACCEL_VERSION "([^"]+)"', re.MULTILINE)

# Helpers of programs' own: inline functions, which cffi cannot declare.
LEFT_OUT = "list.h"

# The enums of the headers, as classes of Python: class, its base, C type, prefix of its members.
ENUMS = [
    ("ArgType", "IntEnum", "vaccel_arg_type_t", "VACCEL_ARG_"),
    ("OpType", "IntEnum", "vaccel_op_type_t", "VACCEL_OP_"),
    ("PluginType", "IntFlag", "vaccel_plugin_type_t", "VACCEL_PLUGIN_"),
    ("ResourceType", "IntEnum", "vaccel_resource_type_t", "VACCEL_RESOURCE_"),
    ("OnnxType", "IntEnum", "enum vaccel_tensor_type", "VACCEL_TENSOR_"),
    ("TFType", "IntEnum", "enum vaccel_tf_data_type", "VACCEL_TF_"),
    ("TFLiteType", "IntEnum", "enum vaccel_tflite_data_type", "VACCEL_TFLITE_"),
    ("TorchType", "IntEnum", "enum vaccel_torch_data_type", "VACCEL_TORCH_"),
]

# What each C type of an argument is in Python, and in arrays of NumPy.
SCALARS = {"f32": "float", "f64": "float", "char": "str"}
DTYPES = {
    "i8": "int8",
    "i16": "int16",
    "i32": "int32",
    "i64": "int64",
    "u8": "uint8",
    "u16": "uint16",
    "u32": "uint32",
    "u64": "uint64",
    "f32": "float32",
    "f64": "float64",
    "char": "int8",
}

HEAD = '''\
# SPDX-License-Identifier: Apache-2.0
"""Made from vaccel's headers and its table of operations by generate.py."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple, Sequence, cast

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .call import Caller
    from .resource import Resource
    from .tensor import BaseTensor
'''


def preprocess(include_dirs: list[str]) -> str:
    """The public headers without their macros: the declarations, and nothing of the system's."""
    command = os.environ.get("CC", "cc").split()
    command += [
        "-E",
        "-D__attribute__(x)=",
        *(f"-I{path}" for path in include_dirs),
        "-x",
        "c",
        "-",
    ]
    if not shutil.which(command[0]):
        sys.exit(
            f"there is no C compiler '{command[0]}'; install one and Python's headers "
            "(Debian: gcc, python3-dev), or name it in CC"
        )
    text = subprocess.run(
        command, input="#include <vaccel.h>\n", stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    kept = []
    ours = False
    for line in text.splitlines():
        marker = LINE_MARKER.match(line)
        if marker:
            path = pathlib.Path(marker[1])
            ours = "vaccel" in path.parts[-3:-1] and path.name != LEFT_OUT
        elif ours and line.strip():
            kept.append(line)
    return "\n".join(kept) + "\nvoid free(void *);\n"


def make_ffi(include_dirs: list[str], library_dir: str) -> cffi.FFI:
    """What cffi compiles."""
    ffi = cffi.FFI()
    ffi.cdef(preprocess(include_dirs))
    ffi.set_source(
        "vaccel._native",
        "#include <stdlib.h>\n#include <vaccel.h>\n",
        include_dirs=include_dirs,
        library_dirs=[library_dir],
        libraries=["vaccel"],
        # Names of older programs have their wrappers, too; nobody debugs any of them.
        extra_compile_args=["-Wno-deprecated-declarations", "-g0"],
        py_limited_api=True,
    )
    return ffi


def safe(name: str) -> str:
    return name + "_" if keyword.iskeyword(name) else name


def camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def enum_class(ffi: cffi.FFI, name: str, base: str, c_type: str, prefix: str) -> str:
    members = {
        member[len(prefix) :]: value
        for member, value in ffi.typeof(c_type).relements.items()
        if member != prefix + "MAX"
    }
    # Of two names for a number the longer one is its own, the other an alias.
    rows = sorted(members.items(), key=lambda row: (row[1], -len(row[0])))
    return f"\n\nclass {name}({base}):\n" + "".join(f"    {row} = {value}\n" for row, value in rows)


def item_class(name: str, fields: list[dict[str, Any]]) -> str:
    rows = "".join(
        f'    {safe(field["name"])}: {output_type(field)}\n    """{field["sentence"]}"""\n'
        for field in fields
    )
    return f"\n\n@dataclass(frozen=True)\nclass {camel(name)}:\n{rows}"


def input_type(arg: dict[str, Any]) -> str:
    """What a caller may pass for an argument that is read."""
    kind = arg["kind"]
    if kind == "ONE":
        return SCALARS.get(arg["type"], "int")
    if kind == "SPAN":
        return "npt.ArrayLike"
    if kind == "TEXT":
        return "str | PathLike[str]"
    if kind == "LIST":
        return "Sequence[str]" if len(arg["item"]) == 1 else "Sequence[Any]"
    if kind == "TENSORS":
        return "Sequence[BaseTensor | npt.ArrayLike]"
    if kind == "ARGS":
        return "Sequence[Any]"
    return "Resource"


def output_type(arg: dict[str, Any]) -> str:
    kind = arg["kind"]
    if kind == "ONE":
        return SCALARS.get(arg["type"], "int")
    if kind == "SPAN":
        return f"npt.NDArray[np.{DTYPES[arg['type']]}]"
    if kind == "TEXT":
        return "str"
    if kind == "LIST":
        return f"list[{camel(arg['type'])}]"
    if kind == "TENSORS":
        return "list[BaseTensor]"
    return "list[Any]"


def room_parameter(arg: dict[str, Any]) -> str:
    """The parameter that makes room for an output whose size the backend does not decide."""
    name, kind = safe(arg["name"]), arg["kind"]
    if kind == "TENSORS":
        return f"{name}: int = 1"
    if "GROWS" in arg["marks"] or kind == "ONE":
        return ""
    if kind == "TEXT":
        return f"{name}: int = 1024"
    return f"{name}: int | {output_type(arg)}"


def sentence_of(arg: dict[str, Any]) -> str:
    room = {
        "SPAN": "; how many, or an array to fill",
        "TEXT": "; room for it, in bytes",
        "TENSORS": "; how many",
    }
    text = f"{safe(arg['name'])}: {arg['sentence']}"
    return text + (room.get(arg["kind"], "") if arg["dir"] == "OUT" else "")


def result_class(op: dict[str, Any], outputs: list[dict[str, Any]]) -> tuple[str, str]:
    """What an operation returns: its name, and the class for it if it needs one."""
    if not outputs:
        return "None", ""
    if len(outputs) == 1:
        return output_type(outputs[0]), ""
    name = camel(op["name"]) + "Result"
    rows = "".join(f"    {safe(arg['name'])}: {output_type(arg)}\n" for arg in outputs)
    return name, f"\n\nclass {name}(NamedTuple):\n{rows}"


def input_parameter(arg: dict[str, Any]) -> str:
    optional = " | None = None" if "OPTIONAL" in arg["marks"] else ""
    return f"{safe(arg['name'])}: {input_type(arg)}{optional}"


def documentation(op: dict[str, Any], said: list[dict[str, Any]]) -> list[str]:
    """An operation's sentence, and one for each of its parameters."""
    doc = op["sentence"][0].upper() + op["sentence"][1:] + "."
    if said:
        doc += "\n\n" + "\n".join(map(sentence_of, said))
    return f'"""{doc}\n"""'.splitlines()


def call_line(op: dict[str, Any], said: list[dict[str, Any]], returned: str, nr: int) -> str:
    """The call, and what becomes of as many outputs."""
    passed = "".join(f", {safe(arg['name'])}={safe(arg['name'])}" for arg in said)
    call = f"self._caller.call({op['number']}{passed})"
    if not nr:
        return call
    return f'return cast("{returned}", {call}[0])' if nr == 1 else f"return {returned}(*{call})"


def method(op: dict[str, Any]) -> tuple[str, str]:
    """An operation's result class, if it needs one, and its method."""
    outputs = [arg for arg in op["args"] if arg["dir"] != "IN"]
    returned, result = result_class(op, outputs)
    inputs = [arg for arg in op["args"] if arg["dir"] != "OUT"]
    room = [arg for arg in outputs if arg["dir"] == "OUT" and room_parameter(arg)]
    said = [arg for arg in op["args"] if arg in inputs or arg in room]
    # Python wants parameters without a default first.
    inputs.sort(key=lambda arg: "OPTIONAL" in arg["marks"])
    parameters = ["self", *map(input_parameter, inputs)]
    if room:
        parameters += ["*", *map(room_parameter, room)]
    lines = [
        f"def {safe(op['name'])}(",
        *(f"    {parameter}," for parameter in parameters),
        f") -> {returned}:",
        *(f"    {line}" if line else "" for line in documentation(op, said)),
        f"    {call_line(op, said, returned, len(outputs))}",
    ]
    return result, "\n" + textwrap.indent("\n".join(lines), "    ") + "\n"


OPERATIONS = '''

class Operations:
    """Every operation of the library by its name in `vaccel ops`: `session.ops`.

    Outputs are returned in the order of the operation's description: one as it is, several
    as a named tuple.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
'''


def version_of(include_dirs: list[str]) -> str:
    """The version of the headers, by which a library that does not fit is told."""
    for path in include_dirs:
        header = pathlib.Path(path) / "vaccel/version.h"
        if header.exists():
            return VERSION.search(header.read_text())[1]
    sys.exit("no vaccel/version.h in " + ":".join(include_dirs))


def version_module(include_dirs: list[str]) -> str:
    return f'# SPDX-License-Identifier: Apache-2.0\n__version__ = "{version_of(include_dirs)}"\n'


def generated_module(ffi: cffi.FFI, ops: list[dict[str, Any]]) -> str:
    """The text of `_generated.py`."""
    items = {arg["type"]: arg["item"] for op in ops for arg in op["args"] if arg.get("item")}
    results, methods = zip(*map(method, ops))
    item_classes = {name: item_class(name, fields) for name, fields in items.items()}
    table = "".join(f'    "{name}": {camel(name)},\n' for name in items)
    return "".join(
        [
            HEAD,
            *(enum_class(ffi, *row) for row in ENUMS),
            *item_classes.values(),
            f"\n\nITEMS = {{\n{table}}}\n",
            *results,
            OPERATIONS,
            *methods,
        ]
    )


def read_ops(vaccel: str) -> list[dict[str, Any]]:
    """The table of operations, of which the command tells."""
    text = subprocess.run(
        [vaccel, "ops", "--json"], stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    ops: list[dict[str, Any]] = json.loads(text)
    return ops


def write_modules(
    ffi: cffi.FFI, include_dirs: list[str], vaccel: str, package: pathlib.Path
) -> None:
    """Writes what is generated as Python into a package."""
    (package / "_generated.py").write_text(generated_module(ffi, read_ops(vaccel)))
    (package / "_version.py").write_text(version_module(include_dirs))


def main(include_dirs: str, library_dir: str, vaccel: str, output_dir: str) -> None:
    """Makes the package without setuptools' ways of packaging."""
    ffi = make_ffi(include_dirs.split(":"), library_dir)
    package = pathlib.Path(output_dir) / "vaccel"
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree(
        pathlib.Path(__file__).parent / "vaccel",
        package,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    write_modules(ffi, include_dirs.split(":"), vaccel, package)
    with tempfile.TemporaryDirectory() as scratch:
        compiled = pathlib.Path(ffi.compile(tmpdir=scratch))
        shutil.copy(compiled, package / "_native.abi3.so")


if __name__ == "__main__":
    main(*sys.argv[1:])
