# SPDX-License-Identifier: Apache-2.0
"""Virtual machines by QEMU, emulated and so without /dev/kvm, from what tools/vm/fetch has fetched.

    with Vsock(directory / "vm.sock") as vsock, Machine(directory, image, [vsock]) as machine:
        status, output, errors = machine.run("classify images/seven.png 1")

A device is a context manager whose `options` are QEMU's; QEMU must be able to connect to it once it is
entered. Machines that share a directory must differ in their names.
"""

import base64
import pathlib
import re
import socket
import subprocess
import time

from image import FETCHED, HOME, TRIPLETS, kernel, native_arch

PATIENCE = 60  # seconds; emulated machines are slow, and so are busy ones
# A PC's kernel gives up at its start if the timer's interrupts come late, as they do on a busy machine.
QEMU = {
    "amd64": ("qemu-system-x86_64", "pc", "console=ttyS0 no_timer_check"),
    "arm64": ("qemu-system-aarch64", "virt", "console=ttyAMA0"),
}
KASAN_PATIENCE = 10  # times as much for a kernel that looks at each access
FAULTS = re.compile(r"BUG:|WARNING:|KASAN|UBSAN|Oops|general protection|blocked for more than")


class MachineEnded(Exception):
    pass


def missing(arch=None, parts=("qemu", "linux", "vsock")):
    """Which of these parts are to be fetched before there can be machines; empty when all are there."""
    arch = arch or native_arch()
    places = {part: part if part == "vsock" else f"{part}-{arch}" for part in parts}
    return [part for part, name in places.items() if not (FETCHED / name / ".fetched").exists()]


def foreign(tree, program):
    """The command that runs a program of a fetched tree with the libraries of that tree."""
    libraries = [path for part in ("usr/lib", "lib") for path in tree.glob(f"{part}/*-linux-gnu")]
    loader = next(path for place in libraries for path in place.glob("ld-linux*.so.*"))
    return [loader, "--library-path", ":".join(map(str, libraries)), tree / "usr/bin" / program]


def qemu(arch=None, part="qemu"):
    """The command that runs QEMU for machines of this architecture."""
    arch = arch or native_arch()
    tree = FETCHED / f"{part}-{arch}"
    firmware = [part for name in ("qemu", "seabios") for part in ("-L", tree / "usr/share" / name)]
    return [*foreign(tree, QEMU[arch][0]), *firmware]


class Vsock:
    """A vsock device: what listens at PATH_PORT here is port PORT of the host to the guest."""

    def __init__(self, path, cid=3):
        self.path, self.cid = pathlib.Path(path), cid
        self.socket = self.path.with_name(f"{self.path.name}.device")
        self.options = [
            "-chardev", f"socket,id=vsock,path={self.socket}",
            "-device", "vhost-user-vsock-pci,chardev=vsock",
        ]

    def __enter__(self):
        self.process = subprocess.Popen(
            [*foreign(FETCHED / "vsock", "vhost-device-vsock"), "--guest-cid", str(self.cid),
             "--socket", self.socket, "--uds-path", self.path],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + PATIENCE
        while not self.socket.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise MachineEnded("vhost-device-vsock does not listen")
            time.sleep(0.005)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.path.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)


class Drive:
    """A drive that the agent serves at vhost-user-blk://PATH, where it must listen already."""

    def __init__(self, path):
        name = pathlib.Path(path).name
        self.options = [
            "-chardev", f"socket,id={name},path={path}",
            "-device", f"vhost-user-blk-pci,chardev={name},num-queues=1",
        ]


class Accelerator:
    """The device of docs/virtio.md that the agent serves at vhost-user://PATH, where it must listen already."""

    def __init__(self, path, queues=1):
        name = pathlib.Path(path).name
        self.options = [
            "-chardev", f"socket,id={name},path={path}",
            "-device", f"vhost-user-test-device-pci,virtio-id=21,num_vqs={queues},vq_size=256,config_size=64,"
                       f"chardev={name}",
        ]


class Machine:
    """A guest that does what it is told by run(), until the end of the context."""

    def __init__(self, directory, image, devices=(), arch=None, name="machine", cpus=1, memory="512M", options=(),
                 kasan=False):
        self.arch, self.kasan = arch or native_arch(), kasan
        self.patience = PATIENCE * (KASAN_PATIENCE if kasan else 1)
        self.image, self.devices, self.name = image, devices, name
        self.directory = pathlib.Path(directory)
        self.console = self.directory / f"{name}.console"
        self.cpus, self.memory, self.options = cpus, memory, options
        self.unread = b""

    def command(self, port):
        _, board, console = QEMU[self.arch]
        cpu = ["-cpu", "cortex-a57"] if self.arch == "arm64" else []
        talk = "ignore_loglevel oops=panic panic_on_warn=1" if self.kasan else "quiet"
        return [
            *qemu(self.arch), *cpu,
            "-accel", "tcg", "-machine", f"{board},memory-backend=memory", "-smp", str(self.cpus),
            "-m", self.memory, "-object", f"memory-backend-memfd,id=memory,size={self.memory},share=on",
            "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
            "-serial", f"file:{self.console}", "-kernel", kernel(self.arch, self.kasan), "-initrd", self.image,
            "-append", f"{console} {talk} panic=-1",
            "-device", "virtio-serial-pci", "-chardev", f"socket,id=port,path={port}",
            "-device", "virtserialport,chardev=port",
            *(option for device in self.devices for option in device.options), *self.options,
        ]

    def __enter__(self):
        path = self.directory / f"{self.name}.port"
        self.log = open(self.directory / f"{self.name}.log", "w+")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(1)
            self.process = subprocess.Popen(
                self.command(path), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            )
            try:
                self.port = self.accept(listener)
            finally:
                path.unlink()
        self.port.settimeout(self.patience)
        try:
            self.uptime = float(self.line().split()[1])
        except BaseException:
            self.kill()
            raise
        return self

    def accept(self, listener):
        """QEMU's connection, unless it has ended before."""
        end = time.monotonic() + self.patience
        listener.settimeout(0.1)
        while self.process.poll() is None and time.monotonic() < end:
            try:
                return listener.accept()[0]
            except TimeoutError:
                continue
        self.kill()
        raise MachineEnded(self.words())

    def receive(self):
        try:
            data = self.port.recv(1 << 16)
        except (TimeoutError, ConnectionError):
            data = b""
        if not data:
            raise MachineEnded(self.words())
        self.unread += data

    def line(self):
        while b"\n" not in self.unread:
            self.receive()
        line, self.unread = self.unread.split(b"\n", 1)
        return line.decode()

    def bytes(self, size):
        while len(self.unread) < size:
            self.receive()
        data, self.unread = self.unread[:size], self.unread[size:]
        return data.decode(errors="replace")

    def start(self, script, **environment):
        """Has the guest's shell begin with a script; finish() must follow."""
        settings = "".join(f"export {name}='{value}'\n" for name, value in environment.items())
        script = f"cd /{HOME} && PATH=/{HOME}/bin:$PATH\n{settings}{script}\n"
        self.port.sendall(base64.b64encode(script.encode()) + b"\n")

    def finish(self, patience=PATIENCE):
        """The status of the script and what it wrote to standard output and standard error."""
        self.port.settimeout(max(patience, self.patience))
        status, output, errors = map(int, self.line().split())
        return status, self.bytes(output), self.bytes(errors)

    def run(self, script, patience=PATIENCE, **environment):
        self.start(script, **environment)
        return self.finish(patience)

    def faults(self):
        """The lines in which the guest's kernel complains of itself, each with some of what follows."""
        lines = self.console.read_text(errors="replace").splitlines()
        return "\n".join("\n".join(lines[i:i + 25]) for i, line in enumerate(lines) if FAULTS.search(line))

    def leaks(self):
        """What a kernel with kmemleak has lost, and whether pages are still pinned."""
        _, words, errors = self.run("""
            mount -t debugfs none /sys/kernel/debug 2>/dev/null
            cd /sys/kernel/debug
            sleep 6
            for i in 1 2; do echo scan >kmemleak; sleep 1; done
            cat kmemleak
            cat /proc/sys/vm/stat_refresh
            grep nr_foll_pin /proc/vmstat""")
        pinned = re.findall(r"nr_foll_pin_\w+ (\d+)\n", words)
        well = not errors and "unreferenced" not in words and len(pinned) == 2 and pinned[0] == pinned[1]
        return "" if well else words + errors

    def check(self):
        """Fails unless the kernel has had no complaint and lost nothing, even once the driver is gone."""
        if self.process.poll() is None:
            status, output, errors = self.run("! grep -q ^virtio_vaccel /proc/modules || rmmod virtio_vaccel")
            assert status == 0, output + errors
            leaks = self.leaks()
            assert not leaks, leaks
        faults = self.faults()
        assert not faults, faults

    def words(self):
        """What QEMU and the guest's kernel have to say."""
        self.log.seek(0)
        return self.log.read() + (self.console.read_text(errors="replace") if self.console.exists() else "")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __exit__(self, *_):
        # Nothing in it is worth an orderly end.
        self.kill()
        self.port.close()
        self.log.close()
