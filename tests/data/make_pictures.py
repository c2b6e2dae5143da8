#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the pictures beside this script, and what they look like.

For each NAME.jpg or NAME.png there is NAME.ppm with the pixels that Pillow
decodes from it, turned upright; resize_WxH.ppm is resize_source.png at another
size. Needs Pillow 13 or newer, whose resize is ours.

    python3 tests/data/make_pictures.py
"""

import io
import pathlib
import struct
import zlib

import PIL
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).resolve().parent / "pictures"
WIDTH, HEIGHT = 17, 7
ORIENTATION = 0x0112


def scene(width=WIDTH, height=HEIGHT):
    """Smooth colours with a few edges, no two corners alike."""
    picture = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            edge = 90 if x > width // 2 and y < height // 3 else 0
            picture.putpixel((x, y), (x * 255 // width, y * 255 // height, 40 + 2 * x + edge))
    return picture


def keep(name, data, expected=None):
    (HERE / name).write_bytes(data)
    if expected is None:
        expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    expected.save(HERE / f"{name.rsplit('.')[0]}.ppm")


def encode(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def exif(orientation, endian):
    """A TIFF of one directory with two entries, the second of them ours."""
    mark = b"II" if endian == "<" else b"MM"
    return mark + struct.pack(
        endian + "HIH HHIHH HHIHH I", 42, 8, 2,
        0x0103, 3, 1, 6, 0, ORIENTATION, 3, 1, orientation, 0, 0)


def jpegs():
    picture = scene()
    small = scene(7, 4)
    inks = Image.merge("CMYK", (*picture.split(), Image.linear_gradient("L").resize(picture.size)))
    cmyk = encode(inks, "JPEG", quality=60, optimize=True)
    marker = cmyk.index(b"\xff\xee")
    return {
        "jpeg_444.jpg": encode(picture, "JPEG", quality=80, subsampling=0, optimize=True),
        "jpeg_422.jpg": encode(picture, "JPEG", quality=60, subsampling=1, optimize=True),
        "jpeg_420.jpg": encode(picture, "JPEG", quality=60, subsampling=2, optimize=True),
        "jpeg_progressive.jpg": encode(picture, "JPEG", quality=60, progressive=True),
        "jpeg_rgb.jpg": encode(picture, "JPEG", quality=60, keep_rgb=True, optimize=True),
        "jpeg_grey.jpg": encode(picture.convert("L"), "JPEG", quality=60, optimize=True),
        "jpeg_cmyk.jpg": cmyk,
        # The same bytes read as Y, Cb, Cr and K: only the meaning changes.
        "jpeg_ycck.jpg": cmyk[:marker + 15] + b"\2" + cmyk[marker + 16:],
        "jpeg_cmyk_plain.jpg": cmyk[:marker] + cmyk[marker + 16:],
        **{f"exif_{n}.jpg": encode(small, "JPEG", quality=50, subsampling=0, optimize=True,
                                   exif=b"Exif\0\0" + exif(n, "<>"[n % 2]))
           for n in range(1, 9)},
    }


def chunk(name, data):
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(colour_type, depth, rows, *chunks, interlace=0, size=(WIDTH, HEIGHT)):
    """A PNG with rows as they are in the file, for kinds that Pillow cannot write."""
    header = struct.pack(">IIBBBBB", *size, depth, colour_type, 0, 0, interlace)
    return b"".join([
        b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), *chunks,
        chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 9)),
        chunk(b"IEND", b"")])


def adam7(pixels):
    """The rows of the seven passes of an interlaced RGB picture."""
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
                           (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        for row in pixels[y0::dy]:
            if row[x0::dx]:
                yield b"".join(row[x0::dx])


def pngs():
    picture = scene()
    alpha = Image.linear_gradient("L").resize(picture.size)
    pixels = [[bytes(picture.getpixel((x, y))) for x in range(WIDTH)] for y in range(HEIGHT)]
    grey16 = [[x * 3449 + y * 77 for x in range(WIDTH)] for y in range(HEIGHT)]
    palette = picture.quantize(13)
    see_through = encode(palette, "PNG", transparency=bytes(range(0, 130, 10)), optimize=True)
    expected16 = Image.new("L", picture.size)
    expected16.putdata([value >> 8 for row in grey16 for value in row])
    made = {
        "png_rgb.png": encode(picture, "PNG", optimize=True),
        "png_rgba.png": encode(Image.merge("RGBA", (*picture.split(), alpha)), "PNG",
                               optimize=True),
        "png_grey.png": encode(picture.convert("L"), "PNG", optimize=True),
        "png_grey_alpha.png": encode(Image.merge("LA", (picture.convert("L"), alpha)), "PNG",
                                     optimize=True),
        "png_1bit.png": encode(picture.convert("1"), "PNG", optimize=True),
        "png_palette.png": encode(palette, "PNG", optimize=True),
        "png_palette_alpha.png": see_through,
        "png_interlaced.png": png(2, 8, adam7(pixels), interlace=1),
        "png_rgb16.png": png(2, 16, [b"".join(bytes((c, 255 - c)) for p in row for c in p)
                                     for row in pixels]),
        "png_exif_6.png": png(2, 8, [b"".join(row) for row in pixels],
                              chunk(b"eXIf", exif(6, ">"))),
    }
    for name, data in made.items():
        keep(name, data)
    keep("png_grey16.png", png(0, 16, [struct.pack(f">{WIDTH}H", *row) for row in grey16]),
         expected16.convert("RGB"))


def resized():
    source = scene(23, 17)
    source.save(HERE / "resize_source.png", optimize=True)
    for size in (5, 4), (23, 9), (29, 17), (40, 3), (3, 30), (21, 12), (20, 11), (1, 1):
        expected = source.resize(size, Image.Resampling.BILINEAR)
        expected.save(HERE / f"resize_{size[0]}x{size[1]}.ppm")


def main():
    if int(PIL.__version__.split(".")[0]) < 13:
        raise SystemExit("Pillow older than 13 resizes in another order: use a newer one")
    HERE.mkdir(exist_ok=True)
    for name, data in jpegs().items():
        keep(name, data)
    pngs()
    resized()


main()
