#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the layers point down only: who includes whom, and who reads the environment.

usage: check_layers.py SOURCE_DIR
"""

import os
import pathlib
import re
import sys

# What each part may include of the others; "installed" is <vaccel/...>, and
# every part may include itself. A backend is a part of its own.
ALLOWED = {
    "include": {"installed"},
    "ops": {"installed"},
    "lib": {"installed"},
    # What the driver shows of itself to programs.
    "transport": {"installed", "lib", "kernel/uapi"},
    "plugins": {"installed", "plugins/model", "plugins/vision"},
    "plugins/vision": {"installed", "plugins/model"},
    "plugins/model": {"installed"},
    "plugins/remote": {"installed", "lib", "transport"},
    "agent": {"installed", "lib", "transport"},
    # Its ten thousand idle connections are links without a program.
    # And TensorFlow Lite's functions are declared by the plugin, for want of headers.
    "bench": {
        "installed", "plugins/model", "plugins/vision", "plugins/tflite", "lib", "transport", "kernel/uapi",
    },
    "cli": {"installed", "bench"},
    "examples": {"installed"},
}

# The folders of lib, the lowest first, and what of a higher one is as low as types can be.
LIB_FOLDERS = ["base", "value", "file", "plugin", "object", "codec", "call", "."]
LIB_TYPES = {"call/op.h", "call/call.h"}

# Parts that need the C library and the compiler alone, but for one library in files of one kind.
LIBC_ONLY = {"include", "ops", "lib", "transport", "examples"}
MORE = {"transport": (re.compile(r"transport/tls\w*\.[ch]"), "openssl/")}
LIBC = set(
    """assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign
    stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string threads time uchar wchar
    dirent dlfcn fcntl fnmatch getopt glob grp libgen netdb poll pthread pwd sched semaphore spawn
    strings syslog termios ucontext unistd link elf endian byteswap error malloc
    arpa/inet net/if netinet/in netinet/tcp linux/vm_sockets linux/memfd linux/futex linux/limits linux/magic
    linux/aio_abi linux/fs emmintrin
    sys/epoll sys/eventfd sys/file sys/ioctl sys/mman sys/random sys/resource sys/select sys/sendfile
    sys/signalfd sys/socket sys/stat sys/statfs sys/statvfs sys/syscall sys/sysmacros sys/time sys/timerfd sys/types
    sys/uio sys/vfs sys/un sys/utsname sys/wait sys/xattr sys/prctl sys/auxv""".split()
)
CXX_STANDARD = re.compile(r"^\w+$")

# The one place that reads the environment for the library and its plugins.
ENVIRONMENT = {"lib/base/knob.c"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
GETENV = re.compile(r"\b(?:secure_)?getenv[ \t]*\(")
SUFFIXES = {".c", ".h", ".cc", ".cpp"}


def part_of(path):
    """The part that a file, relative to the top, belongs to."""
    top = path.parts[0]
    if top in ("plugins", "kernel") and len(path.parts) > 2:
        return "/".join(path.parts[:2])
    return top


def allowed_to(part):
    return ALLOWED.get(part) or ALLOWED[part.split("/")[0]]


def resolve(source, path, name):
    """The file that #include "name" in path means, relative to the top."""
    for root in (path.parent, path.parts[0], "", "lib", "plugins", "agent", "transport"):
        target = pathlib.Path(os.path.normpath(pathlib.Path(root) / name))
        if (source / target).is_file():
            return target
    return None


def check_quoted(source, path, name):
    part, target = part_of(path), resolve(source, path, name)
    if target is None:
        return f'includes "{name}", which is nowhere'
    theirs = part_of(target)
    if theirs != part and theirs not in allowed_to(part):
        return f'includes "{name}" of {theirs}'
    if part == theirs == "lib":
        return check_lib(path.relative_to("lib"), target.relative_to("lib"))
    return None


def check_lib(path, target):
    folders = [str(file.parent) for file in (path, target)]
    if not set(folders) <= set(LIB_FOLDERS):
        return f'includes "{target}"; give the new folder its place in LIB_FOLDERS here'
    ours, theirs = map(LIB_FOLDERS.index, folders)
    if theirs > ours and str(target) not in LIB_TYPES:
        return f'includes "{target}" of a higher folder'
    return None


def check_angled(path, name):
    part = part_of(path)
    if name == "vaccel.h" or name.startswith("vaccel/"):
        return None
    files, folder = MORE.get(part, (None, None))
    if files and files.fullmatch(str(path)) and name.startswith(folder):
        return None
    if part in LIBC_ONLY and name.removesuffix(".h") not in LIBC:
        if path.suffix != ".cpp" or not CXX_STANDARD.match(name):
            return f"includes <{name}>, which is not of the C library"
    return None


def problems_of(source, path):
    text = (source / path).read_text()
    for match in INCLUDE.finditer(text):
        quote, name = match.groups()
        problem = check_quoted(source, path, name) if quote == '"' else check_angled(path, name)
        if problem:
            yield text.count("\n", 0, match.start()) + 1, problem
    if str(path) not in ENVIRONMENT and GETENV.search(COMMENT.sub("", text)):
        yield 0, "reads the environment; make it a knob, see lib/base/knob.c"


def main(top):
    source = pathlib.Path(top)
    parts = [source / part for part in ALLOWED if "/" not in part]
    files = [
        path.relative_to(source)
        for part in parts
        for path in sorted(part.rglob("*"))
        if path.suffix in SUFFIXES and path.is_file()
    ]
    problems = [f"{path}:{line}: {words}" for path in files for line, words in problems_of(source, path)]
    print("\n".join(problems) or f"{len(files)} files, all includes point down")
    sys.exit(bool(problems) or len(files) < 50)


if __name__ == "__main__":
    main(*sys.argv[1:])
