"""Colour of matrix-and-curve spaces in 16 bits: ICC.1:2022 annex F.3, and PNG's gAMA and cHRM.

LittleCMS through Pillow works on 8 bits. That is fine for 8-bit pictures, but a 16-bit picture in a
linear space, the usual reason for 16 bits, would lose most of its shadows before the conversion.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.records import Picture

Curve = NDArray[np.float32]
"""65,536 samples: linear light 0..1 of every 16-bit code value."""

_SRGB_XY = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_D50 = np.array([0.96422, 1.0, 0.82521])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_CODES = np.linspace(0.0, 1.0, 65_536)
_ROWS_AT_ONCE = 256


def _encode_srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


_SRGB_LEVELS = np.rint(_encode_srgb(_CODES) * 255.0).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class ColourSpace:
    """One curve per channel (one for grey) and, for colour, the matrix to linear sRGB."""

    curves: tuple[Curve, ...]
    to_srgb: NDArray[np.float64] | None

    def convert(self, values: NDArray[np.uint16]) -> Picture:
        """``[H,W,3]`` or ``[H,W]`` 16-bit code values to 8-bit sRGB of the same shape; out-of-gamut is clipped."""
        out = np.empty(values.shape, np.uint8)
        for start in range(0, values.shape[0], _ROWS_AT_ONCE):
            rows = values[start : start + _ROWS_AT_ONCE]
            if self.to_srgb is None:
                linear = self.curves[0][rows]
            else:
                linear = np.stack([curve[rows[..., c]] for c, curve in enumerate(self.curves)], axis=-1)
                linear = linear @ self.to_srgb.T.astype(np.float32)
            codes = np.rint(np.clip(linear, 0.0, 1.0) * 65_535.0).astype(np.uint16)
            out[start : start + _ROWS_AT_ONCE] = _SRGB_LEVELS[codes]
        return out


def from_chromaticities(gamma: float, xy: tuple[float, ...] = _SRGB_XY) -> ColourSpace:
    """PNG gAMA (the encoding exponent, 1/2.2 = 0.45455) and cHRM (white, red, green, blue as x, y)."""
    curve = (_CODES ** (1.0 / gamma)).astype(np.float32)
    return ColourSpace((curve, curve, curve), _SRGB_FROM_D50 @ _primaries_to_d50(xy))


def is_srgb_like(gamma: float, xy: tuple[float, ...] = _SRGB_XY) -> bool:
    """Within libpng's 5 % for the exponent, and a hair for the primaries: then nothing needs converting."""
    near = abs(gamma * 2.2 - 1.0) < 0.05
    return near and len(xy) == 8 and max(abs(a - b) for a, b in zip(xy, _SRGB_XY, strict=True)) < 0.002


def from_icc(profile: bytes) -> ColourSpace | None:
    """A grey or RGB profile made of curves and a matrix; ``None`` for any other, or a broken one."""
    try:
        space, connection = profile[16:20], profile[20:24]
        tags = _tags(profile)
        if space == b"GRAY" and b"kTRC" in tags:
            return ColourSpace((_curve(tags[b"kTRC"]),), None)
        if space != b"RGB " or connection != b"XYZ " or b"A2B0" in tags:
            return None
        to_d50 = np.stack([_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1)
        curves = tuple(_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
        return ColourSpace(curves, _SRGB_FROM_D50 @ to_d50)
    except (struct.error, KeyError, ValueError, IndexError):
        return None


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = [struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(min(count, 100))]
    return {name: profile[offset : offset + size] for name, offset, size in entries}


def _xyz(tag: bytes) -> NDArray[np.float64]:
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65_536.0


def _curve(tag: bytes) -> Curve:
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return _CODES.astype(np.float32)
        points = np.frombuffer(tag, ">u2", count, 12)
        if count == 1:
            return (_CODES ** (points[0] / 256.0)).astype(np.float32)
        return np.interp(_CODES, np.linspace(0.0, 1.0, count), points / 65_535.0).astype(np.float32)
    if tag[:4] != b"para":
        raise ValueError("unknown curve type")
    (kind,) = struct.unpack_from(">H", tag, 8)
    numbers = np.array(struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12)) / 65_536.0
    return _parametric(kind, *numbers)


def _parametric(
    kind: int, g: float, a: float = 1.0, b: float = 0.0, c: float = 0.0, d: float = 0.0, e: float = 0.0, f: float = 0.0
) -> Curve:
    """ICC.1:2022 table 68; kinds 1 and 2 break at ``-b/a`` and hold ``c`` below it."""
    if kind in (1, 2):
        d, e, f = -b / a, c, c
        c = 0.0
    base = np.maximum(a * _CODES + b, 0.0) ** g + e
    return np.clip(np.where(d <= _CODES, base, c * _CODES + f), 0.0, 1.0).astype(np.float32)


def _primaries_to_d50(xy: tuple[float, ...]) -> NDArray[np.float64]:
    """RGB to XYZ under D50 (the ICC connection space), adapted from the given white by Bradford's method."""
    columns = np.array([[x / y, 1.0, (1.0 - x - y) / y] for x, y in zip(xy[::2], xy[1::2], strict=True)]).T
    white, primaries = columns[:, 0], columns[:, 1:]
    to_xyz = primaries * np.linalg.solve(primaries, white)
    gain = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    return np.linalg.inv(_BRADFORD) @ np.diag(gain) @ _BRADFORD @ to_xyz


_SRGB_FROM_D50 = np.linalg.inv(_primaries_to_d50(_SRGB_XY))
