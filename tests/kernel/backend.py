# SPDX-License-Identifier: Apache-2.0
"""The device of docs/virtio.md as a vhost-user back end that answers what a test wants it to: late, wrongly,
or not at all. It is slow, and knows nothing of messages.

    with Backend(path, answer) as device, Machine(directory, image, [device]) as machine: …

answer(device, chain) is called for each chain, in a thread of the device's; it gives the chain back
by chain.back(), or keeps it to do so later.
"""

import array
import mmap
import os
import selectors
import socket
import struct
import threading

MESSAGE, CANCEL, CLOSE, ECHO = 1, 2, 3, 4
BEGIN, END, ROOM, FETCH = 1, 2, 4, 8
OK, BAD, NOSPACE, CANCELED, STALE, BUSY, GONE = range(7)
GOAWAY, MORE = 1, 2
PATTERN = bytes(range(251))
HEADER = struct.Struct("<HHIIIQQQQQQ")
FEATURES = 1 << 28 | 1 << 30 | 1 << 32  # indirect descriptors, protocol features, VirtIO 1
PROTOCOL = 1 << 0 | 1 << 3 | 1 << 9  # several queues, acknowledgements, configuration


def pattern(size, offset=0):
    start = offset % len(PATTERN)
    return (PATTERN * ((start + size) // len(PATTERN) + 1))[start:start + size]


class Chain:
    def __init__(self, queue, head, readable, writable):
        self.queue, self.head, self.readable, self.writable = queue, head, readable, writable
        (self.type, self.flags, self.uid, self.pid, _, self.file, self.request, self.offset, self.all_readable,
         self.all_writable, self.timeout_ns) = HEADER.unpack(self.read(0, HEADER.size))
        self.segments = len(readable) + len(writable)
        self.size = sum(size for _, size in readable) - HEADER.size
        self.room = sum(size for _, size in writable) - 32
        self.data = self.read(HEADER.size, self.size)

    def read(self, offset, size):
        return b"".join(view[at:at + n] for view, at, n in self.parts(self.readable, offset, size))

    def write(self, offset, data):
        done = 0
        for view, at, n in self.parts(self.writable, offset, len(data)):
            view[at:at + n] = data[done:done + n]
            done += n

    def parts(self, segments, offset, size):
        for address, length in segments:
            if offset < length and size:
                n = min(size, length - offset)
                yield *self.queue.device.memory_at(address + offset, n), n
                offset, size = offset + n, size - n
            offset = max(0, offset - length)

    def back(self, code=OK, flags=0, used=0, wanted=0, reserved=0, data=b"", length=None):
        self.write(0, struct.pack("<IIQQQ", code, flags, used, wanted, reserved))
        self.write(32, data)
        self.queue.give_back(self.head, 32 + len(data) if length is None else length)


class Queue:
    def __init__(self, device):
        self.device, self.kick, self.call = device, None, None
        self.size = self.seen = self.used_index = 0
        self.lock = threading.Lock()

    def start(self, descriptors, used, available):
        self.descriptors, self.used, self.available = map(self.device.guest_address, (descriptors, used, available))

    def u16(self, address):
        """A number in an array of its own, read and written at once, as struct does not: the driver may be at it."""
        view, at = self.device.memory_at(address, 2)
        return memoryview(view)[at:at + 2].cast("H")

    def table(self, address, first):
        """The segments of a chain of descriptors in the table at this address."""
        readable, writable, index = [], [], first
        while True:
            view, at = self.device.memory_at(address + 16 * index, 16)
            where, size, flags, following = struct.unpack_from("<QIHH", view, at)
            if flags & 4:
                return self.table(where, 0)
            (writable if flags & 2 else readable).append((where, size))
            if not flags & 1:
                return readable, writable
            index = following

    def chains(self):
        while self.seen != self.u16(self.available + 2)[0]:
            head = self.u16(self.available + 4 + 2 * (self.seen % self.size))[0]
            self.seen = (self.seen + 1) % (1 << 16)
            yield Chain(self, head, *self.table(self.descriptors, head))

    def give_back(self, head, length):
        with self.lock:
            view, at = self.device.memory_at(self.used + 4 + 8 * (self.used_index % self.size), 8)
            struct.pack_into("<II", view, at, head, length)
            self.used_index = (self.used_index + 1) % (1 << 16)
            self.u16(self.used + 2)[0] = self.used_index
            if self.call is not None:
                os.eventfd_write(self.call, 1)


class Backend:
    def __init__(self, path, answer, queues=2, entries=128, magic=0x4C434356, version=1, features=1,
                 segments=1024, readable=1 << 30, writable=1 << 30, virtio_id=21, name="vaccel"):
        self.path, self.answer = path, answer
        self.config = struct.pack("<IHHIIQQ", magic, version, queues, features, segments, readable,
                                  writable).ljust(64, b"\0")
        self.queues = [Queue(self) for _ in range(queues)]
        self.regions = []
        self.failure = None
        self.options = [
            "-chardev", f"socket,id={name},path={path}",
            "-device", f"vhost-user-test-device-pci,virtio-id={virtio_id},num_vqs={queues},vq_size={entries},"
                       f"config_size=64,chardev={name},id={name}",
        ]

    def __enter__(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(1)
        self.selector = selectors.DefaultSelector()
        self.over = os.eventfd(0)
        self.selector.register(self.over, selectors.EVENT_READ, None)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        os.eventfd_write(self.over, 1)
        self.thread.join()
        self.listener.close()
        self.path.unlink()

    def serve(self):
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    return
                try:
                    key.data(key.fileobj)
                except Exception as error:  # a test looks at it; the device goes on
                    self.failure = self.failure or error

    def accept(self, listener):
        self.front, _ = listener.accept()
        self.selector.register(self.front, selectors.EVENT_READ, self.message)

    def memory_at(self, address, size):
        for guest, _, length, view, offset in self.regions:
            if guest <= address and address + size <= guest + length:
                return view, address - guest + offset
        raise ValueError(f"no memory of {size} bytes at {address:#x}")

    def guest_address(self, address):
        return next(guest + address - front for guest, front, length, _, _ in self.regions
                    if front <= address < front + length)

    def message(self, front):
        data, ancillary, _, _ = front.recvmsg(12, 1024)
        if len(data) < 12:
            self.selector.unregister(front)
            return front.close()
        fds = array.array("i")
        for _, _, content in ancillary:
            fds.frombytes(content)
        request, flags, size = struct.unpack("<III", data)
        payload = front.recv(size, socket.MSG_WAITALL) if size else b""
        reply = self.handle(request, payload, list(fds))
        if reply is None and flags & 8:
            reply = bytes(8)
        if reply is not None:
            front.sendall(struct.pack("<III", request, 5, len(reply)) + reply)

    def handle(self, request, payload, fds):
        u64 = struct.unpack_from("<Q", payload)[0] if len(payload) >= 8 else 0
        index, number = struct.unpack_from("<II", payload) if len(payload) >= 8 else (0, 0)
        match request:
            case 1:
                return struct.pack("<Q", FEATURES)
            case 15:
                return struct.pack("<Q", PROTOCOL)
            case 17:
                return struct.pack("<Q", len(self.queues))
            case 24:
                offset, length, flags = struct.unpack_from("<III", payload)
                return struct.pack("<III", offset, length, flags) + self.config[offset:offset + length]
            case 5:
                self.map(payload, fds)
            case 8:
                self.queues[index].size = number
            case 9:
                self.queues[index].start(*struct.unpack_from("<QQQ", payload, 8))
            case 10:
                self.queues[index].seen = self.queues[index].used_index = number
            case 11:
                return self.stop(index)
            case 12:
                self.kick(u64 & 0xFF, fds)
            case 13:
                self.queues[u64 & 0xFF].call = fds[0] if fds else None
        return None

    def map(self, payload, fds):
        self.regions = []
        for i, fd in enumerate(fds):
            guest, size, front, offset = struct.unpack_from("<QQQQ", payload, 8 + 32 * i)
            self.regions.append((guest, front, size, mmap.mmap(fd, size + offset), offset))
            os.close(fd)

    def kick(self, index, fds):
        queue = self.queues[index]
        queue.kick = fds[0]
        self.selector.register(queue.kick, selectors.EVENT_READ, lambda fd: self.walk(queue, fd))

    def walk(self, queue, fd):
        os.eventfd_read(fd)
        for chain in queue.chains():
            self.answer(self, chain)

    def stop(self, index):
        queue = self.queues[index]
        if queue.kick is not None:
            self.selector.unregister(queue.kick)
            os.close(queue.kick)
            queue.kick = None
        return struct.pack("<II", index, queue.seen)
