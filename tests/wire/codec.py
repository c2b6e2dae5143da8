# SPDX-License-Identifier: Apache-2.0
"""docs/protocol.md once more, in another language and by its words alone: what the test of the vectors
reads and writes messages with. A message is a frame, a head and a payload section; its arguments are the
values of vectors.json.
"""

import re
import struct

KINDS = "HELLO WELCOME CALL REPLY CANCEL PING PONG GOAWAY DOORBELL".split()
FRAME = struct.Struct("<4sHHIIQqQIIQQ")
SCALARS = {"i8": "b", "i16": "h", "i32": "i", "i64": "q", "u8": "B", "u16": "H", "u32": "I", "u64": "Q",
           "f32": "f", "f64": "d", "char": "B"}
NONE, INLINE, REGION = 0, 1, 2


class Malformed(Exception):
    pass


class Field:
    def __init__(self, words):
        self.dir, self.kind, self.type, self.items, self.name, self.marks = words

    @property
    def grows(self):
        return "GROWS" in self.marks

    @property
    def has_presence(self):
        return "OPTIONAL" in self.marks or (self.kind == "LIST" and self.grows)

    @property
    def size(self):
        return struct.calcsize(SCALARS[self.type])


def fields_of(signature):
    """"minmax: IN SPAN f64 samples NONE; IN ..." as fields."""
    found = re.findall(r" (IN|OUT|INOUT) (\w+) (\w+?)(\{.*?\})? (\w+) (\w+);", signature)
    fields = []
    for direction, kind, type_, items, name, marks in found:
        inner = [Field((None, k, t, None, n, "")) for k, t, n in re.findall(r"(\w+) (\w+) (\w+);", items)]
        fields.append(Field((direction, kind, type_, inner, name, marks)))
    return fields


def frame_pack(frame):
    return FRAME.pack(b"VCCL", 1, frame["kind"], 0, frame["op"], frame["request"], frame["session"],
                      frame["epoch"], frame["status"], 0, frame["head_size"], frame["payload_size"])


def frame_unpack(data):
    magic, version, kind, flags, op, request, session, epoch, status, zero, head, payload = FRAME.unpack(data)
    if (magic, version, flags, zero) != (b"VCCL", 1, 0, 0) or not 1 <= kind <= len(KINDS):
        raise Malformed("no frame")
    return {"kind": kind, "op": op, "request": request, "session": session, "epoch": epoch,
            "status": status, "head_size": head, "payload_size": payload}


def pad(data):
    return data + bytes(-len(data) % 8)


class Writer:
    def __init__(self):
        self.head, self.payload = b"", b""

    def put(self, form, *values):
        self.head += pad(struct.pack("<" + form, *values))

    def number(self, value):
        self.put("Q", value)

    def reference(self, value):
        """Bytes, nothing, or a place in a region."""
        if value is None:
            self.put("QIIQ", 0, NONE, 0, 0)
        elif isinstance(value, dict):
            self.put("QIIQ", value["size"], REGION, value["region"], value["offset"])
        else:
            self.put("QIIQ", len(value), INLINE, 0, len(self.payload))
            self.payload += pad(value)

    def span(self, field, value):
        if isinstance(value, str):
            value = bytes.fromhex(value)
        elif isinstance(value, list):
            value = struct.pack(f"<{len(value)}{SCALARS[field.type]}", *value)
        self.reference(value)

    def text(self, value):
        self.reference(value if value is None else value.encode())

    def data(self, value):
        self.reference(bytes.fromhex(value) if isinstance(value, str) else value)

    def element(self, field, value):
        if field.kind == "LIST":
            for inner in field.items:
                self.single(inner, value[inner.name])
        elif field.kind == "TENSORS":
            self.put("iI", value["type"], len(value["dims"]))
            for size in value["dims"]:
                self.put("q", size)
            self.data(value["data"])
        else:
            self.put("II", value["type"], value["custom_type"])
            self.data(value["data"])

    def single(self, field, value):
        if field.kind == "ONE":
            self.put(SCALARS[field.type], value)
        elif field.kind == "RESOURCE":
            self.put("q", value)
        elif field.kind == "TEXT":
            self.text(value)
        else:
            self.span(field, value)

    def content(self, field, value):
        optional = field.has_presence and (field.kind in ("LIST", "TENSORS", "ARGS") or
                                           field.kind == "ONE")
        if optional:
            self.number(value is not None)
            if value is None:
                return
        if field.kind in ("LIST", "TENSORS", "ARGS"):
            self.number(len(value))
            for element in value:
                self.element(field, element)
        else:
            self.single(field, value)

    def wish(self, field, value):
        if field.kind == "ONE":
            self.number(value)
        elif field.kind == "TENSORS":
            if field.has_presence:
                self.number(value is not None)
            if value is not None:
                self.number(value)
        elif value is None:
            self.put("QIIQ", 0, NONE, 0, 0)
        elif "region" in value:
            self.put("QIIQ", value["size"], REGION, value["region"], value["offset"])
        else:
            self.put("QIIQ", value["room"], INLINE, 0, 0)


class Reader:
    def __init__(self, head, payload):
        self.head, self.payload, self.used = head, payload, 0

    def get(self, form):
        size = struct.calcsize("<" + form)
        item, padding = self.head[:size], self.head[size:size + -size % 8]
        if len(item) + len(padding) < size + -size % 8 or any(padding):
            raise Malformed("an item is cut short, or its padding is not zero")
        self.head = self.head[size + len(padding):]
        return struct.unpack("<" + form, item)

    def number(self):
        return self.get("Q")[0]

    def reference(self):
        size, place, region, offset = self.get("QIIQ")
        if place == NONE:
            if size or region or offset:
                raise Malformed("something that is nowhere")
            return None
        if place == REGION:
            return {"region": region, "offset": offset, "size": size}
        if place != INLINE or region or offset != self.used:
            raise Malformed("a payload where none can be")
        self.used += size + -size % 8
        if self.used > len(self.payload):
            raise Malformed("a payload is cut short")
        return self.payload[offset:offset + size]

    def span(self, field):
        value = self.reference()
        if not isinstance(value, bytes):
            return value
        if field.size == 1:
            return value.hex()
        return list(struct.unpack(f"<{len(value) // field.size}{SCALARS[field.type]}", value))

    def text(self):
        value = self.reference()
        return value if value is None else value.decode()

    def data(self):
        value = self.reference()
        return value.hex() if isinstance(value, bytes) else value

    def element(self, field):
        if field.kind == "LIST":
            return {inner.name: self.single(inner) for inner in field.items}
        if field.kind == "TENSORS":
            type_, dims = self.get("iI")
            return {"type": type_, "dims": [self.get("q")[0] for _ in range(dims)], "data": self.data()}
        type_, custom = self.get("II")
        return {"type": type_, "custom_type": custom, "data": self.data()}

    def single(self, field):
        if field.kind == "ONE":
            return self.get(SCALARS[field.type])[0]
        if field.kind == "RESOURCE":
            return self.get("q")[0]
        return self.text() if field.kind == "TEXT" else self.span(field)

    def content(self, field):
        many = field.kind in ("LIST", "TENSORS", "ARGS")
        if field.has_presence and (many or field.kind == "ONE") and not self.number():
            return None
        if many:
            return [self.element(field) for _ in range(self.number())]
        return self.single(field)

    def wish(self, field):
        if field.kind == "ONE":
            return bool(self.number())
        if field.kind == "TENSORS":
            return self.number() if not field.has_presence or self.number() else None
        size, place, region, offset = self.get("QIIQ")
        if place == NONE:
            return None
        return {"room": size} if place == INLINE else {"region": region, "offset": offset, "size": size}

    def end(self):
        if self.head or self.used != len(self.payload):
            raise Malformed("something is left over")


def said(signature, form):
    """The fields that a message of this form has something to say of, and whether it is their content."""
    for field in fields_of(signature):
        has_in, has_out = field.dir in ("IN", "INOUT"), field.dir in ("OUT", "INOUT")
        if form == "request" and has_in or form == "reply" and has_out:
            yield field, True
        elif form == "failure" and has_out and (has_in or field.kind == "ONE"):
            yield field, True
        elif form == "request" and (field.has_presence if field.kind == "ONE" else
                                    field.kind == "TENSORS" or not field.grows):
            yield field, False


def encode(vector):
    writer = Writer()
    if vector["form"] == "failure":
        words = vector["words"].encode()
        writer.number(len(words))
        writer.head += pad(words)
    for field, content in said(vector["signature"], vector["form"]) if "arguments" in vector else ():
        (writer.content if content else writer.wish)(field, vector["arguments"][field.name])
    return writer.head, writer.payload


def decode(vector, head, payload):
    """The words of a failure, else None; and the arguments, else None."""
    reader, words = Reader(head, payload), None
    if vector["form"] == "failure":
        size = reader.number()
        words, reader.head = reader.head[:size].decode(), reader.head[size + -size % 8:]
        if not reader.head:
            reader.end()
            return words, None
    arguments = {field.name: reader.content(field) if content else reader.wish(field)
                 for field, content in said(vector["signature"], vector["form"])}
    reader.end()
    return words, arguments
