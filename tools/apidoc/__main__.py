# SPDX-License-Identifier: Apache-2.0
"""Makes the API's documentation from the comments in the public headers.

usage: apidoc --include DIR... --version X.Y.Z [--man DIR] [--markdown DIR] [--depfile FILE] [--list] -- COMPILER...

--man and --markdown replace the directory; --depfile writes, for ninja, what
they were made of; --list prints each documented name.
Fails, naming them, if functions are declared that no comment documents.
"""

import argparse
import pathlib
import shutil
import sys

import man
import markdown
import model
import operations


def fresh(path):
    """The directory's path, with nothing there."""
    shutil.rmtree(path, ignore_errors=True)
    return pathlib.Path(path)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--include", nargs="+", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--man")
    parser.add_argument("--markdown")
    parser.add_argument("--depfile")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("compiler", nargs="+")
    options = parser.parse_args()

    headers, functions, undocumented = model.read(options.compiler, options.include)
    if options.list:
        print("\n".join(sorted(name for header in headers for page in header.pages for name in page.functions)))
    if options.man:
        man.write(fresh(options.man), headers, functions, options.version)
    if options.markdown:
        rows = operations.read(options.compiler, options.include, headers)
        markdown.write(fresh(options.markdown), headers, functions, rows, options.version)
    if options.depfile:
        paths = " ".join(str(path) for path in model.headers_in(options.include).values())
        pathlib.Path(options.depfile).write_text(f"{options.man}: {paths}\n")
    if undocumented:
        sys.exit(f"functions without a comment: {' '.join(undocumented)}")


if __name__ == "__main__":
    main()
