#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every public header alone, as C11 and as C++14, with no warning.

usage: check_headers.py C_COMPILER CXX_COMPILER INCLUDE_DIR...

Each header is included twice, to see its guard work, and then everything.
Leaves with status 77 if there is no such compiler.
"""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only"]


def headers_in(directories):
    return sorted(
        {
            str(path.relative_to(directory))
            for directory in map(pathlib.Path, directories)
            for pattern in ("vaccel.h", "vaccel/*.h", "vaccel/*/*.h")
            for path in directory.glob(pattern)
        }
    )


def compile_alone(compiler, options, header, directories):
    """What the compiler says of the header."""
    done = subprocess.run(
        [compiler, *options, *STRICT, *(f"-I{directory}" for directory in directories), "-"],
        input=f"#include <{header}>\n#include <{header}>\n#include <vaccel.h>\nint main(void);\n",
        capture_output=True, text=True,
    )
    return f"{compiler} {' '.join(options)} <{header}>:\n{done.stderr}" if done.returncode else ""


def check(c_compiler, cxx_compiler, directories):
    """Returns how many headers there are, and what is wrong with them."""
    headers = headers_in(directories)
    languages = [(c_compiler, ["-std=c11", "-xc"]), (cxx_compiler, ["-std=c++14", "-xc++"])]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        words = pool.map(
            lambda job: compile_alone(*job),
            [(compiler, options, header, directories) for compiler, options in languages for header in headers],
        )
    return len(headers), [problem for problem in words if problem]


def main(c_compiler, cxx_compiler, *directories):
    for compiler in (c_compiler, cxx_compiler):
        if not shutil.which(compiler):
            print(f"SKIP: no {compiler}; `tools/deps sanitize` installs clang")
            sys.exit(77)
    count, problems = check(c_compiler, cxx_compiler, directories)
    print("\n".join(problems) or f"{count} headers")
    sys.exit(bool(problems) or count < 30)


if __name__ == "__main__":
    main(*sys.argv[1:])
