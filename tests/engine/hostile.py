"""Two hundred hostile or broken files, each with the code it must be answered with. Seeded, nothing on disk."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pillow_heif
from PIL import Image

COUNT = 200


class HostileFile(NamedTuple):
    """``name`` is unique and safe on any disk. A ``.zip`` holds a good picture, ``good.png``, beside the bad
    item, unless the code is ``bad_archive``; what is in it is judged by ``engine.archives`` and then ``decode``."""

    name: str
    data: bytes
    code: str


def hostile_files(seed: int = 0) -> list[HostileFile]:
    """Always ``COUNT`` files; the seed moves where they are cut, broken and what they claim.

    The same bytes every time, but for AVIF sequences: the encoder writes the hour into them.
    """
    rng = np.random.default_rng(seed)
    samples = _samples(rng)
    cases = [
        *_no_pictures(rng),
        *_giants(rng),
        *_too_much_inside(rng),
        *_moving(rng),
        *_measurements(),
        *_damaged(rng, samples),
        *_archives(rng, samples["png"]),
    ]
    forms = sorted(samples)
    while len(cases) < COUNT:
        form = forms[len(cases) % len(forms)]
        cases.append((f"cut.{form}", _cut(samples[form], rng.uniform(0.03, 0.9)), "truncated"))
    return [HostileFile(f"{i:03}-{name}", data, code) for i, (name, data, code) in enumerate(cases[:COUNT])]


Case = tuple[str, bytes, str]


def _samples(rng: np.random.Generator) -> dict[str, bytes]:
    """Valid small photographs-like pictures, by extension."""
    ramp = np.add.outer(np.arange(64), np.arange(96))[..., None] + np.array([0, 40, 80])
    picture = Image.fromarray((ramp + rng.integers(0, 24, (64, 96, 3))).astype(np.uint8))
    heic = io.BytesIO()
    pillow_heif.from_pillow(picture).save(heic, quality=80)
    return {
        "jpg": _saved(picture, "JPEG"),
        "progressive.jpg": _saved(picture, "JPEG", progressive=True),
        "png": _saved(picture, "PNG"),
        "webp": _saved(picture, "WEBP"),
        "lossless.webp": _saved(picture, "WEBP", lossless=True),
        "tif": _saved(picture, "TIFF"),
        "lzw.tif": _saved(picture, "TIFF", compression="tiff_lzw"),
        "gif": _saved(picture, "GIF"),
        "bmp": _saved(picture, "BMP"),
        "avif": _saved(picture, "AVIF"),
        "heic": heic.getvalue(),
    }


def _no_pictures(rng: np.random.Generator) -> Iterator[Case]:
    for ext in ("jpg", "png", "webp"):
        yield f"empty.{ext}", b"", "empty_file"
    words = {
        "text.jpg": b"This is not a photograph.\n",
        "bmw.bmp": b"BMW is a maker of cars, and this is a text about it, not a bitmap.\n" * 3,
        "utf16.png": "wide letters".encode("utf-16"),
        "page.jpg": b"<!doctype html><title>404</title><h1>Not found</h1>",
        "login.png": b"<html><body>Please sign in to download photo.png</body></html>",
        "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "drawing.png": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "entities.jpg": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        "labels.json": b'{"images": [], "annotations": []}',
        "table.csv": b"file,label\n1.jpg,cat\n",
        "paper.jpg": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n",
        "script.jpg": b"#!/bin/sh\nrm -rf /tmp/nothing\n",
        "postscript.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n",
        "magick.jpg": b"push graphic-context\nfill 'url(https://127.0.0.1/x)'\npop graphic-context\n",
        "program.png": b"\x7fELF\x02\x01\x01" + bytes(64),
        "program.jpg": b"MZ\x90\0" + bytes(60) + b"PE\0\0",
        "film.jpg": struct.pack(">I", 24) + b"ftypisom\0\0\2\0isomiso2mdat" + bytes(50),
        "song.jpg": b"ID3\x04\0\0\0\0\0\0" + bytes(99),
        "packed.jpg": b"\x1f\x8b\x08\0" + bytes(40),
        "icon.png": b"\0\0\1\0\1\0\x10\x10" + bytes(40),
        "photoshop.jpg": b"8BPS\0\1" + bytes(40),
        "wavelet.jpg": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40),
        "xl.jpg": b"\xff\x0a" + bytes(40),
        "sound.webp": b"RIFF\x24\0\0\0WAVEfmt " + bytes(30),
        "half.png": b"\x89PN",
        "half.jpg": b"\xff\xd8",
        "mended.png": b"\x89PNG\n\x1a\n" + bytes(60),  # a transfer in text mode ate the carriage return
        "zeros.jpg": bytes(4096),
        "ones.png": b"\xff" * 4096,
        "newlines.gif": b"\n" * 100,
    }
    for name, data in words.items():
        yield name, data, "not_an_image"
    for i in range(15):
        noise = b"\0" + rng.bytes(int(rng.integers(1, 5000)))
        yield f"noise-{i}.{('jpg', 'png', 'webp', 'tif', 'heic')[i % 5]}", noise, "not_an_image"


def _giants(rng: np.random.Generator) -> Iterator[Case]:
    code = "too_many_pixels"
    side = int(rng.integers(40_000, 60_000))
    yield "wide.png", _saved(Image.new("1", (40_000, 3)), "PNG"), code
    yield "tall.png", _saved(Image.new("L", (2, side)), "PNG"), code
    yield "wide.jpg", _saved(Image.new("L", (40_000, 8)), "JPEG"), code
    yield "tall.jpg", _saved(Image.new("RGB", (8, side)), "JPEG"), code
    yield "wide.tif", _saved(Image.new("L", (40_000, 2)), "TIFF", compression="tiff_lzw"), code
    yield "tall.bmp", _saved(Image.new("1", (8, side)), "BMP"), code
    yield "wide.gif", _saved(Image.new("P", (40_000, 2)), "GIF"), code
    yield "square.png", _saved(Image.new("1", (12_000, 12_000)), "PNG"), code
    yield "square.gif", _saved(Image.new("P", (8, 8)), "GIF").replace(struct.pack("<2H", 8, 8), b"\xff\xff" * 2), code
    for i, claimed in enumerate([(50_000, 50_000), (2**31 - 1, 1), (1, 2**31 - 1), (side, side), (10_001, 10_000)]):
        yield f"claims-{i}.png", _png(claimed, zlib.compress(bytes(100))), code
    small = _saved(Image.new("RGB", (16, 16)), "BMP")
    yield "claims.bmp", small[:18] + struct.pack("<2i", 50_000, 50_000) + small[26:], code
    yield "upside-down.bmp", small[:18] + struct.pack("<2i", 50_000, -50_000) + small[26:], code
    photo = _saved(Image.new("RGB", (16, 16)), "JPEG")
    size = photo.find(b"\xff\xc0") + 5
    yield "claims.jpg", photo[:size] + struct.pack(">2H", 65_500, 65_500) + photo[size + 4 :], code
    tiff = _saved(Image.new("L", (16, 17)), "TIFF")
    for tag, length in ((256, 16), (257, 17)):
        tiff = tiff.replace(struct.pack("<HHII", tag, 4, 1, length), struct.pack("<HHII", tag, 4, 1, side))
    yield "claims.tif", tiff, code
    lossless = _saved(Image.new("RGB", (16, 16)), "WEBP", lossless=True)
    at = lossless.find(b"VP8L") + 9
    yield "claims.webp", lossless[:at] + struct.pack("<I", 0x0FFFFFFF) + lossless[at + 4 :], code
    avif = _saved(Image.new("RGB", (64, 64)), "AVIF")
    honest, claim = struct.pack(">3I", 0, 64, 64), struct.pack(">3I", 0, 15_000, 15_000)
    yield "claims.avif", avif.replace(b"ispe" + honest, b"ispe" + claim), code


def _too_much_inside(rng: np.random.Generator) -> Iterator[Case]:
    """Small files whose side chunks unpack to hundreds of megabytes."""
    packer = zlib.compressobj(9)
    zeros = b"".join(packer.compress(bytes(2**20)) for _ in range(int(rng.integers(66, 80)))) + packer.flush()
    pixels = zlib.compress(bytes(4 * 13))
    chunks = {
        "comment.png": (b"zTXt", b"Comment\0\0" + zeros),
        "unicode.png": (b"iTXt", b"Comment\0\1\0\0\0" + zeros),
        "profile.png": (b"iCCP", b"icc\0\0" + zeros),
    }
    for name, (kind, body) in chunks.items():
        yield name, _png((4, 4), pixels, (kind, body)), "too_large"
    photo = _saved(Image.new("L", (64, 64), 120), "JPEG", progressive=True)
    yield "scans.jpg", photo[:-2] + photo[photo.rfind(b"\xff\xda") : -2] * 500 + b"\xff\xd9", "too_large"
    many = [(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1_000_000), 9))] * 70
    yield "comments.png", _png((4, 4), pixels, *many), "too_large"


def _moving(rng: np.random.Generator) -> Iterator[Case]:
    forms = {"gif": "GIF", "webp": "WEBP", "png": "PNG", "tif": "TIFF", "avif": "AVIF"}
    for ext, form in forms.items():
        for count in (2, int(rng.integers(3, 9))):
            frames = [Image.fromarray(rng.integers(0, 255, (16, 16, 3), np.uint8)) for _ in range(count)]
            data = _saved(frames[0], form, save_all=True, append_images=frames[1:], duration=50)
            yield f"frames-{count}.{ext}", data, "animated"


def _measurements() -> Iterator[Case]:
    code = "unsupported_mode"
    yield "float.tif", _saved(Image.new("F", (9, 9), 0.5), "TIFF"), code
    yield "integers.tif", _saved(Image.new("I", (9, 9), 70_000), "TIFF"), code
    tiff = bytearray(_saved(Image.new("L", (16, 16)), "TIFF"))
    at = tiff.find(struct.pack("<HHI", 262, 3, 1))
    for meaning in (9, 32_844, 32_845):  # ICC Lab and the two LogLuv encodings
        tiff[at + 8 : at + 12] = struct.pack("<I", meaning)
        yield f"photometric-{meaning}.tif", bytes(tiff), code
    deep = bytearray(_saved(Image.new("L", (16, 16)), "JPEG"))
    deep[deep.find(b"\xff\xc0") + 4] = 12
    yield "twelve-bit.jpg", bytes(deep), code


def _damaged(rng: np.random.Generator, samples: dict[str, bytes]) -> Iterator[Case]:
    code = "truncated"
    png, jpg = samples["png"], samples["jpg"]
    yield "crc.png", png[:29] + bytes([png[29] ^ 0xFF]) + png[30:], code
    middle = len(png) // 2
    yield "pixels.png", png[:middle] + rng.bytes(200) + png[middle + 200 :], code
    yield "zeros-inside.png", png[:middle] + bytes(len(png) - middle), code
    yield "no-size.png", _png((0, 9), zlib.compress(b"")), code
    yield "no-data.png", _png((9, 9), b""), code
    yield "wrong-order.png", png[:8] + png[33:] + png[8:33], code
    yield "padded.jpg", jpg[: len(jpg) // 2] + bytes(len(jpg)), code
    yield "no-scan.jpg", jpg[: jpg.find(b"\xff\xda")] + b"\xff\xd9", code
    yield "no-size.jpg", jpg[: (at := jpg.find(b"\xff\xc0") + 5)] + bytes(4) + jpg[at + 4 :], code
    yield "no-tables.jpg", jpg.replace(b"\xff\xdb", b"\xff\xef").replace(b"\xff\xc4", b"\xff\xef"), code
    lzw = samples["lzw.tif"]
    yield "pixels.tif", lzw[: len(lzw) // 2] + b"\xff" * (len(lzw) - len(lzw) // 2), code
    yield "nowhere.tif", b"II*\0" + struct.pack("<I", 2**31) + bytes(40), code
    yield "no-tags.tif", b"II*\0" + struct.pack("<IH", 8, 0) + bytes(4), code
    yield "many-tags.tif", b"II*\0" + struct.pack("<IH", 8, 65_535) + rng.bytes(4000), code
    yield "signature.gif", b"GIF89a", code
    yield "no-frame.gif", b"GIF89a" + struct.pack("<2H", 9, 9) + b"\0\0\0;", code
    webp = samples["lossless.webp"]
    yield "pixels.webp", webp[:40] + bytes(len(webp) - 40), code
    yield "no-size.bmp", samples["bmp"][:18] + bytes(8) + samples["bmp"][26:], code
    avif = samples["avif"]
    at = avif.find(b"mdat") + 4
    yield "pixels.avif", avif[:at] + bytes(len(avif) - at), code
    yield "boxes.heic", samples["heic"][:24] + rng.bytes(400), code
    for form, data in samples.items():
        for _ in range(3):
            yield f"cut.{form}", _cut(data, rng.uniform(0.03, 0.9)), code


def _archives(rng: np.random.Generator, good: bytes) -> Iterator[Case]:
    climbing = ["../up.png", "a/../../up.png", "/etc/up.png", "C:\\up.png", "..\\up.png", "a\\..\\..\\up.png"]
    for i, name in enumerate(climbing):
        yield f"path-{i}.zip", _zip(good, (name, good)), "unsafe_path"
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    yield "link.zip", _zip(good, (link, b"/etc/passwd")), "unsafe_path"
    locked = bytearray(_zip(good, ("locked.png", good)))
    yield "locked.zip", _flagged(locked, "locked.png", 6, 8, 1), "encrypted"
    yield "method.zip", _flagged(locked, "locked.png", 8, 10, 99), "truncated"
    for megabytes in (8, 24):
        yield f"bomb-{megabytes}.zip", _zip(good, ("bomb.png", bytes(megabytes * 2**20))), "too_large"
    yield "empty-member.zip", _zip(good, ("empty.png", b"")), "empty_file"
    yield "text-member.zip", _zip(good, ("notes.jpg", b"not a picture")), "not_an_image"
    yield "cut-member.zip", _zip(good, ("cut.png", _cut(good, rng.uniform(0.2, 0.9)))), "truncated"
    yield "nested.zip", _zip(good, ("inner.zip", _zip(good, ("a.png", good)))), "not_an_image"
    giant = _png((50_000, 50_000), zlib.compress(bytes(9)))
    yield "giant-member.zip", _zip(good, ("giant.png", giant)), "too_many_pixels"
    whole = _zip(good, ("other.png", good))
    spoilt = bytearray(whole)
    at = spoilt.find(good[-200:])
    spoilt[at : at + 40] = rng.bytes(40)
    yield "crc-member.zip", bytes(spoilt), "truncated"
    yield "cut.zip", _cut(whole, rng.uniform(0.1, 0.9)), "bad_archive"
    yield "head.zip", b"PK\x03\x04" + rng.bytes(300), "bad_archive"
    yield "end.zip", b"PK\x05\x06" + bytes(6), "bad_archive"


def _saved(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def _cut(data: bytes, share: float) -> bytes:
    """The beginning, with at least the signature of every format."""
    return data[: max(40, int(len(data) * share))]


def _png(size: tuple[int, int], pixels: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """A PNG (RGB, 8 bit) that claims this size, with any chunks before its pixels."""
    chunks = [(b"IHDR", struct.pack(">2I5B", *size, 8, 2, 0, 0, 0)), *more, (b"IDAT", pixels), (b"IEND", b"")]
    body = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def _zip(good: bytes, *others: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        for name, data in (*others, ("good.png", good)):
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)  # always 1980, never now
            packed = zipfile.ZIP_DEFLATED if len(data) > 2**20 else zipfile.ZIP_STORED
            archive.writestr(info, data, packed)
    return buffer.getvalue()


def _flagged(archive: bytearray, name: str, local_at: int, central_at: int, value: int) -> bytes:
    """The archive with one 16-bit field of a member changed in both of its headers."""
    out = bytearray(archive)
    local = out.find(name.encode()) - 30
    central = out.rfind(name.encode()) - 46
    out[local + local_at : local + local_at + 2] = struct.pack("<H", value)
    out[central + central_at : central + central_at + 2] = struct.pack("<H", value)
    return bytes(out)
