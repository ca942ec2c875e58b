"""Odd but valid picture files made from known pixels, and the colour science to know what they show."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

SRGB = ImageCms.createProfile("sRGB")
P3_XY = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)


def scene(width: int = 48, height: int = 32) -> np.ndarray:
    """Smooth colours, and a different corner in every corner: no turn or mirror leaves it the same."""
    ys, xs = np.mgrid[0:height, 0:width]
    picture = np.stack([40 + 150 * xs // width, 60 + 120 * ys // height, 200 - 100 * xs // width], -1).astype(np.uint8)
    corners = [(0, 0, (250, 20, 20)), (0, 1, (20, 250, 20)), (1, 0, (20, 20, 250)), (1, 1, (240, 240, 30))]
    for down, right, colour in corners:
        rows = slice(height - 8, None) if down else slice(0, 8)
        cols = slice(width - 12, None) if right else slice(0, 12)
        picture[rows, cols] = colour
    return picture


def saved(picture: Image.Image | np.ndarray, form: str, **options: object) -> bytes:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def stored_for(upright: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels a camera would store so that this orientation shows ``upright`` (EXIF 2.3, by its words)."""
    return {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),  # row 0 is the right side: shown turned clockwise
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def s15(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(v * 65536) for v in values))


def icc_profile(xy: tuple[float, ...], gamma: float) -> bytes:
    """A matrix profile built by hand: primaries adapted to D50 by Bradford's method, one power curve."""
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    xyz = np.array([[x / y, 1, (1 - x - y) / y] for x, y in zip(xy[::2], xy[1::2], strict=True)]).T
    scaled = xyz[:, 1:] * np.linalg.solve(xyz[:, 1:], xyz[:, 0])
    gain = (bradford @ [0.9642, 1.0, 0.8249]) / (bradford @ xyz[:, 0])
    columns = np.linalg.inv(bradford) @ np.diag(gain) @ bradford @ scaled
    curve = b"para" + bytes(4) + struct.pack(">HH", 0, 0) + s15(gamma)
    tags = [(n, b"XYZ " + bytes(4) + s15(*columns[:, i])) for i, n in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))]
    tags += [(n, curve) for n in (b"rTRC", b"gTRC", b"bTRC")]
    return packed_icc(b"RGB ", b"XYZ ", tags)


def ink_profile(full_cyan_lab: tuple[int, int, int]) -> bytes:
    """Four inks on white paper by a 2 x 2 x 2 x 2 table (ICC ``mft1``): any ink but pure cyan is black."""
    nodes = np.zeros((2, 2, 2, 2, 3))
    nodes[0, 0, 0, 0] = 100, 0, 0
    nodes[1, 0, 0, 0] = full_cyan_lab
    table = np.rint(nodes * [2.55, 1, 1] + [0, 128, 128]).astype(np.uint8).tobytes()
    straight = bytes(range(256))
    head = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + s15(1, 0, 0, 0, 1, 0, 0, 0, 1)
    lut = head + straight * 4 + table + straight * 3
    return packed_icc(b"CMYK", b"Lab ", [(b"A2B0", lut), (b"A2B1", lut)])


def packed_icc(space: bytes, connection: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = [(b"desc", text), (b"wtpt", b"XYZ " + bytes(4) + s15(0.9642, 1.0, 0.8249)), *tags]
    offset, table, body = 132 + 12 * len(tags), b"", b""
    for name, value in tags:
        value += bytes(-len(value) % 4)
        table += struct.pack(">4sII", name, offset + len(body), len(value))
        body += value
    kind = b"mntr" if space == b"RGB " else b"prtr"
    head = struct.pack(">I4sI4s4s4s", offset + len(body), b"lcms", 0x02400000, kind, space, connection)
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + s15(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def srgb_encode(linear: np.ndarray) -> np.ndarray:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def srgb_decode(value: np.ndarray) -> np.ndarray:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def p3_to_srgb(linear: np.ndarray) -> np.ndarray:
    """Published matrix (CSS Color 4, display-p3 to srgb, linear light)."""
    matrix = [[1.2249401, -0.2249404, 0.0], [-0.0420569, 1.0420571, 0.0], [-0.0196376, -0.0786361, 1.0982735]]
    return linear @ np.array(matrix).T


def lab_to_linear_srgb(lightness: float, a: float, b: float) -> np.ndarray:
    """CIE 1976 under D50, then Lindbloom's published matrix (D50, Bradford)."""
    y = (lightness + 16) / 116
    xyz = np.array([(y + a / 500) ** 3 * 0.9642, y**3, (y - b / 200) ** 3 * 0.8249])
    matrix = [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
    return np.array(matrix) @ xyz


def worst(decoded: np.ndarray, truth: np.ndarray) -> int:
    assert decoded.shape == truth.shape
    return int(np.abs(decoded.astype(int) - truth.astype(int)).max())


def png_with(data: bytes, name: bytes, body: bytes) -> bytes:
    """A chunk put right behind the header of a PNG."""
    chunk = struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return data[:33] + chunk + data[33:]
