#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes what a guest boots: an initial RAM disk with busybox, kernel modules, a tree of vaccel and the
libraries that it takes; and a kernel in a form that QEMU starts at once.

usage: image.py [--arch ARCH] [--module NAME|PATH]... [--library NAME]... [--add FILE:PATH]... TREE OUTPUT

TREE, which is what `make build` left in build/stage or a copy of it, lies at /opt/vaccel in the guest,
without headers, documents, the agent and ONNX Runtime: the work is the host's. Modules are those of Debian's kernel,
or files; those that they need are found, and all are loaded by tools/vm/init. Libraries are what programs
open by name. The same input makes the same bytes.
"""

import argparse
import gzip
import io
import lzma
import os
import pathlib
import re
import stat
import subprocess
import sysconfig

TOP = pathlib.Path(__file__).resolve().parents[2]
FETCHED = TOP / ".deps/vm"
HOME = "opt/vaccel"
MODULES = ["virtio_pci", "virtio_mmio", "virtio_console", "virtio_blk", "vmw_vsock_virtio_transport"]
# What needs a framework is the host's to run, and the frameworks would fill a guest's memory.
FRAMEWORKS = ["blas", "onnx", "opencl", "tensorflow", "tf", "torch"]
UNWANTED = ["include", "share/doc", "share/man", "lib/systemd", "share/bash-completion", "share/fish", "share/zsh",
            "bin/*agent*", *(f"lib/**/vaccel/*{name}*" for name in FRAMEWORKS)]
TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}


def native_arch():
    triplet = sysconfig.get_config_var("MULTIARCH")
    return next((arch for arch, name in TRIPLETS.items() if name == triplet), None)


class Archive:
    """An archive as cpio makes it with the format newc, and as the kernel unpacks it."""

    def __init__(self):
        self.entries = {}

    def add(self, path, mode, content=b"", device=(0, 0)):
        path = path.strip("/")
        above = os.path.dirname(path)
        if above and above not in self.entries:
            self.add(above, stat.S_IFDIR | 0o755)
        self.entries[path] = (mode, content, device)

    def add_file(self, source, path):
        """A file, a symbolic link or a directory with all below it."""
        if source.is_symlink():
            self.add(path, stat.S_IFLNK | 0o777, os.readlink(source).encode())
        elif source.is_dir():
            for child in sorted(source.iterdir()):
                self.add_file(child, f"{path}/{child.name}")
        else:
            self.add(path, stat.S_IFREG | (0o755 if os.access(source, os.X_OK) else 0o644), source.read_bytes())

    def __bytes__(self):
        out = io.BytesIO()
        entries = [*self.entries.items(), ("TRAILER!!!", (0, b"", (0, 0)))]
        for inode, (path, (mode, content, device)) in enumerate(entries, 1):
            name = path.encode() + b"\0"
            fields = [inode, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name), 0]
            out.write(b"070701" + b"".join(b"%08X" % field for field in fields) + name)
            out.write(bytes(-out.tell() % 4) + content)
            out.write(bytes(-out.tell() % 4))
        return out.getvalue()


def linux_of(arch):
    """What was fetched of the kernel: Debian 12's, or of the version that VM_LINUX names."""
    version = os.environ.get("VM_LINUX")
    return FETCHED / f"linux-{arch}{f'-{version}' if version else ''}"


def modules_of(arch):
    linux = linux_of(arch)
    return next(path for lib in ("lib", "usr/lib") for path in (linux / lib / "modules").glob("*"))


def module_path(modules, name):
    """A module's file, by its path or its name, in which - and _ are the same; None if the kernel has it in it."""
    if "/" in name:
        return pathlib.Path(name)
    pattern = re.sub("[-_]", "[-_]", name)
    found = next(modules.rglob(f"{pattern}.ko*"), None)
    if not found and not re.search(rf"/{pattern}\.ko$", (modules / "modules.builtin").read_text(), re.MULTILINE):
        raise SystemExit(f"image: there is no module '{name}' in {modules}")
    return found


def module_bytes(path):
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()


def modules_in_order(modules, names):
    """The files of these modules and of those that they need, in the order in which they can be loaded."""
    order = []
    for name in names:
        path = module_path(modules, name)
        if not path:
            continue
        needs = re.search(rb"\0depends=([^\0]*)\0", module_bytes(path))[1].decode()
        order += modules_in_order(modules, filter(None, needs.split(",")))
        order.append(path)
    return list(dict.fromkeys(order))


def needed_by(files):
    """The names of the libraries, and of their loader, that these ELF files ask for."""
    out = subprocess.run(["readelf", "-d", "-l", *files], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]|program interpreter: (.*)\]", out))


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def library_directories(arch):
    """Where programs for this architecture find theirs: here, or in what `make cross` builds with."""
    triplet = TRIPLETS[arch]
    roots = [pathlib.Path("/")] if arch == native_arch() else [TOP / ".deps" / arch]
    return [root / path for root in roots for path in (f"lib/{triplet}", f"usr/lib/{triplet}", "lib", "usr/lib")]


def add_libraries(archive, arch, files, names):
    """Whatever these files and names need that the archive has not got."""
    directories = library_directories(arch)
    there = {os.path.basename(path) for path in archive.entries}
    wanted = {(name, "") for name in names} | needed_by(files)
    while wanted:
        found = []
        for name, loader in sorted(wanted):
            path = loader or f"/lib/{TRIPLETS[arch]}/{name}"
            base = os.path.basename(path)
            if base in there:
                continue
            source = next((directory / base for directory in directories if (directory / base).exists()), None)
            if not source:
                raise SystemExit(f"image: no library '{base}' in {' '.join(map(str, directories))}")
            archive.add_file(source.resolve(), path)
            there.add(base)
            found.append(source)
        wanted = needed_by(found) if found else set()


def unwanted(tree, path):
    return any(path == match or match in path.parents for pattern in UNWANTED for match in tree.glob(pattern))


def make_image(tree, output, arch=None, modules=(), libraries=(), add=(), kasan=False):
    """Writes the RAM disk; `add` has pairs of a file here and its path in the guest. With `kasan` it is for
    the kernel of tools/vm/kernel, which needs no modules.
    """
    tree, arch = pathlib.Path(tree), arch or native_arch()
    archive = Archive()
    archive.add_file(FETCHED / f"linux-{arch}/bin/busybox", "bin/busybox")
    archive.add_file(TOP / "tools/vm/init", "init")
    for name in ("dev", "proc", "sys", "tmp", "root"):
        archive.add(name, stat.S_IFDIR | 0o755)
    # Before there is a /dev, init has to have what it reads and writes.
    archive.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    names = [*([] if kasan else MODULES), *modules]
    order = {path.name.removesuffix(".xz"): path for path in modules_in_order(modules_of(arch), names)}
    for name, path in order.items():
        archive.add(f"modules/{name}", stat.S_IFREG | 0o644, module_bytes(path))
    archive.add("modules/order", stat.S_IFREG | 0o644, "".join(f"{name}\n" for name in order).encode())
    pairs = [(path, f"{HOME}/{path.relative_to(tree)}") for path in sorted(tree.rglob("*"))
             if not unwanted(tree, path) and (path.is_symlink() or not path.is_dir())]
    pairs += [(pathlib.Path(source), path) for source, path in add]
    for source, path in pairs:
        archive.add_file(source, path)
    programs = [source for source, _ in pairs if source.is_file() and is_elf(source)]
    add_libraries(archive, arch, programs, libraries)
    pathlib.Path(output).write_bytes(gzip.compress(bytes(archive), compresslevel=1, mtime=0))


def kernel(arch=None, kasan=False):
    """The kernel's file. That of a PC is unpacked first: QEMU starts it in a third of the time."""
    if kasan:
        return FETCHED / "kasan/vmlinuz"
    arch = arch or native_arch()
    modules = modules_of(arch)
    packed = next(path for where in (modules, linux_of(arch) / "boot") for path in where.glob("vmlinuz*"))
    start = packed.read_bytes().find(b"\xfd7zXZ\0")
    if arch != "amd64" or start < 0:
        return packed
    plain = FETCHED / f"vmlinux-{modules.name}"
    if not plain.exists():
        image = packed.read_bytes()
        part = lzma.LZMADecompressor().decompress(image[start:])
        draft = plain.with_name(f".{plain.name}.{os.getpid()}")
        draft.write_bytes(part)
        draft.rename(plain)
    return plain


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", choices=TRIPLETS, default=native_arch())
    parser.add_argument("--module", action="append", default=[])
    parser.add_argument("--library", action="append", default=[])
    parser.add_argument("--add", action="append", default=[], type=lambda text: text.rsplit(":", 1))
    parser.add_argument("tree")
    parser.add_argument("output")
    options = parser.parse_args()
    make_image(options.tree, options.output, options.arch, options.module, options.library, options.add)
    print(kernel(options.arch))


if __name__ == "__main__":
    main()
