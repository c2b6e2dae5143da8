#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the API's documentation and the library say the same.

usage: check_api.py symbols LIBRARY DOCS_DIR APIDOC_ARGUMENT...
       check_api.py roff DOCS_DIR

symbols: every function that the library exports is declared in a public header
and has a manual page; every name with a page is exported, or inline or a macro
in its header; what pages refer to is there. roff: groff and mandoc have nothing
to say of the pages.
"""

import pathlib
import re
import shutil
import subprocess
import sys

APIDOC = pathlib.Path(__file__).resolve().parents[2] / "tools/apidoc"
# An operation's description and the log's level are data, not functions.
DATA = re.compile(r"vaccel_op_\w+|vaccel_log_threshold")


def exported_by(library):
    """Names of the functions, and of the data."""
    lines = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True)
    symbols = [line.split()[-2:] for line in lines.stdout.splitlines()]
    functions = {name.partition("@")[0] for kind, name in symbols if kind in "TWi"}
    data = {name.partition("@")[0] for kind, name in symbols if kind in "DRBV"}
    return functions, data


def listed(arguments):
    done = subprocess.run([sys.executable, APIDOC, "--list", *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return set(done.stdout.split())


def without_symbol(names, headers):
    """Those that are neither inline functions nor macros."""
    source = "\n".join(path.read_text() for path in headers)
    defined = set(re.findall(r"^(?:static inline [\w \*]+?|#define )(vaccel_\w+)\(", source, re.MULTILINE))
    return names - defined


def check_symbols(library, docs, *arguments):
    functions, data = exported_by(library)
    documented = listed(arguments)
    include = pathlib.Path(arguments[arguments.index("--include") + 1])
    pages = {path.stem for path in (pathlib.Path(docs) / "man3").glob("*.3")}
    text = "\n".join(path.read_text() for path in (pathlib.Path(docs) / "man3").glob("*.3"))
    referred = set(re.findall(r"\\fB(vaccel_\w+)\\fP\(3\)", text))
    problems = {
        "exported, but in no public header or without a comment": functions - documented,
        "exported data that no header explains": {name for name in data if not DATA.fullmatch(name)},
        "documented, but not exported": without_symbol(documented - functions, include.rglob("*.h")),
        "without a manual page": documented - pages,
        "manual pages of nothing": pages - documented,
        "referred to, but without a page": referred - pages,
    }
    for what, names in problems.items():
        if names:
            print(f"{what}: {' '.join(sorted(names))}")
    print(f"{len(functions)} functions, {len(pages)} manual pages")
    sys.exit(any(problems.values()) or len(functions) < 100)


def check_roff(docs):
    pages = sorted(pathlib.Path(docs).glob("man3/*.3"))
    # mandoc follows links from where the pages are installed only.
    own = [page for page in pages if not page.read_text().startswith(".so ")]
    said = ""
    for command, read in (["groff", "-man", "-ww", "-z", "-Tutf8"], pages), (["mandoc", "-Tlint", "-Wwarning"], own):
        if not shutil.which(command[0]):
            print(f"SKIP: no {command[0]} to read the manual pages with")
            sys.exit(77)
        done = subprocess.run([*command, *read], cwd=docs, capture_output=True, text=True)
        said += done.stdout + done.stderr
    print(said)
    sys.exit(bool(said))


if __name__ == "__main__":
    {"symbols": check_symbols, "roff": check_roff}[sys.argv[1]](*sys.argv[2:])
