# SPDX-License-Identifier: Apache-2.0
"""What the tests in virtual machines share: an image with the tree that a user installs and with the tests'
programs, machines that boot it, and an agent that they reach.

    run([test, …], files): each test(site) is run with what was made once. files(build) are pairs of a file
    here and its path in the image.
"""

import argparse
import contextlib
import pathlib
import string
import subprocess
import sys
import tempfile
import time
import traceback

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / part) for part in ("e2e", "examples", "stage", "../tools/vm")]

import check_stage  # noqa: E402
import machine  # noqa: E402
import world  # noqa: E402
from image import HOME, make_image, native_arch  # noqa: E402

PORT = 2048
MOST = 300  # seconds that a program in a guest may take


class Site:
    """What is there before any test: a build, its tree, and the image of a guest."""

    def __init__(self, options, directory, files):
        self.kills = options.kills
        self.build = world.Build(options.build, sanitized=False)
        self.library, self.backends, self.carrier = options.library, options.backend, options.carrier
        self.kasan = options.kasan
        self.models = self.build.root / "tests/conform/models"
        self.tree = check_stage.install(options.build, options.prefix, directory)
        self.functions = next(self.tree.rglob("libfunctions.so"))
        self.arch, guest, tree = native_arch(), self.build.root, self.tree
        if options.guest:
            self.arch, guest = options.guest[0], pathlib.Path(options.guest[1])
            (directory / "guest").mkdir()
            tree = check_stage.install(guest, options.prefix, directory / "guest")
        self.lib = f"/{HOME}/{next(tree.rglob('libvaccel.so.0')).parent.relative_to(tree)}"
        self.image = directory / "image"
        programs = {name: f"tests/guest/{name}" for name in ("patient", "steady")} | {"conform": "tests/conform/conform"}
        add = [(guest / path, f"{HOME}/bin/{name}") for name, path in programs.items()]
        add.append((TESTS.parent / "models/digits/images/seven.png", f"{HOME}/seven.png"))
        # A library that exec is to run has one path here and there, and is made for here.
        add += [(path, str(path)) for path in map(pathlib.Path, (self.library, self.functions, self.build.deeds))]
        add += [(path, f"{HOME}/models/{path.relative_to(self.models)}") for path in self.models.rglob("*.*")]
        add += files(guest)
        make_image(tree, self.image, self.arch, self.modules(options), ["libcurl.so.4"], add, options.kasan)

    def modules(self, options):
        """The driver of the device, which is not in Debian's kernel."""
        if options.carrier != "virtio":
            return []
        kernel = "kasan" if options.kasan else self.arch
        module = self.build.root / "kernel" / kernel / "virtio_vaccel.ko"
        subprocess.run([TESTS.parent / "tools/vm/module", "--for", kernel, module], check=True)
        return [str(module)]

    def plugins(self):
        return {path.stem.removeprefix("libvaccel-") for path in self.build.plugins.glob("libvaccel-*.so")}


class Host(world.Agent):
    """An agent with a listener for each tenant of a machine, {machine: {tenant: policy}}, all of one carrier."""

    def __init__(self, site, machines, policies, carrier="vsock"):
        super().__init__(site.build, policies=policies)
        self.site, self.machines, self.carrier = site, machines, carrier
        self.extra = {"VACCEL_DATA_DIR": str(site.tree / "share/vaccel")}
        self.places = {
            tenant: (name, index) for name, tenants in machines.items() for index, tenant in enumerate(tenants)
        }

    def address(self, tenant):
        """Where the agent listens."""
        name, index = self.places[tenant]
        return {
            "vsock": f"vsock-uds://{self.directory}/{name}.sock:{PORT + index}",
            "virtio": f"vhost-user://{self.directory}/{tenant}.accelerator",
            "blk": f"vhost-user-blk://{self.directory}/{tenant}.drive",
        }[self.carrier]

    def write_config(self):
        self.listeners = [
            {"address": self.address(tenant), "tenant": tenant, "policy": self.machines[name][tenant]}
            for tenant, (name, _) in self.places.items()
        ]
        super().write_config()

    @contextlib.contextmanager
    def guest(self, name="vm", **options):
        """The machine of this name. It has its vsock whether the agent listens or not."""
        tenants = self.machines[name]
        with contextlib.ExitStack() as stack:
            if self.carrier == "vsock":
                cid = 3 + list(self.machines).index(name)
                devices = [stack.enter_context(machine.Vsock(self.directory / f"{name}.sock", cid))]
            elif self.carrier == "virtio":
                devices = [machine.Accelerator(self.directory / f"{tenant}.accelerator") for tenant in tenants]
            else:
                devices = [machine.Drive(self.directory / f"{tenant}.drive") for tenant in tenants]
            guest = stack.enter_context(machine.Machine(
                self.directory, self.site.image, devices, self.site.arch, name, kasan=self.site.kasan, **options,
            ))
            yield guest
            if self.site.kasan:
                guest.check()

    def environment(self, tenant):
        """That of a program in this tenant's machine."""
        _, index = self.places[tenant]
        return {
            "VACCEL_PLUGINS": "remote",
            "VACCEL_RPC_ADDRESS": {
                "vsock": f"vsock://2:{PORT + index}",
                "virtio": f"virtio:///dev/accel{index}",
                "blk": f"blk:///dev/vd{string.ascii_lowercase[index]}",
            }[self.carrier],
            "LD_LIBRARY_PATH": self.site.lib,
        }

    def socket_of(self, tenant):
        """What the vsock device connects to."""
        name, index = self.places[tenant]
        return f"{self.directory}/{name}.sock_{PORT + index}"


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(77)


def run(tests, files=lambda build: []):
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--kills", type=int, default=3, help="of a worker, in the test of that")
    parser.add_argument("--library", required=True, help="what exec may run")
    parser.add_argument("--backend", nargs=2, action="append", default=[], metavar=("NAME", "PROMISES"))
    parser.add_argument("--carrier", choices=["vsock", "virtio", "blk"], default="vsock")
    parser.add_argument("--guest", nargs=2, metavar=("ARCH", "BUILD"), help="machines of another architecture")
    parser.add_argument("--kasan", action="store_true", help="machines boot the kernel of tools/vm/kernel")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    arch, build = options.guest or (native_arch(), options.build)
    parts = ["qemu", "linux", "vsock"] + ["headers"] * (options.carrier == "virtio")
    if missing := machine.missing(arch, parts):
        skip(f"not fetched; `tools/vm/fetch --arch {arch} {' '.join(missing)}` gets what machines are run with")
    if not (pathlib.Path(build) / "tests/guest/patient").exists():
        skip(f"nothing is built for {arch}; `make cross ARCH={arch}` does that")
    failed = skipped = 0
    with tempfile.TemporaryDirectory() as directory:
        site = Site(options, pathlib.Path(directory).resolve(), files)
        for test in tests:
            if options.names and test.__name__ not in options.names:
                continue
            began = time.monotonic()
            try:
                test(site)
                verdict = "ok"
            except world.Skipped as why:
                skipped += 1
                print(f"SKIP: {why}")
                verdict = "skipped"
            except Exception:
                failed += 1
                traceback.print_exc()
                verdict = "FAILED"
            print(f"{test.__name__}: {verdict} ({time.monotonic() - began:.1f} s)", flush=True)
    sys.exit(1 if failed else 77 if skipped else 0)
