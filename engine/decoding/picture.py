"""What decoding takes and gives: the limits, the decoded picture, the refusal."""

from __future__ import annotations

from dataclasses import dataclass

from engine.records import Picture

FORMATS = ("JPEG", "PNG", "WebP", "TIFF", "HEIC", "AVIF", "BMP", "GIF")
"""What is accepted, in words for people."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a stranger's file is worth opening. Pixels and sides are checked before decoding."""

    max_bytes: int = 200 * 2**20
    max_pixels: int = 100_000_000
    max_side_px: int = 32_767
    """OpenCV addresses pixels with signed 16-bit numbers in its geometry functions."""


class BadPicture(ValueError):
    """A file that is refused: ``code`` for programs, the message is one sentence for people.

    Codes of a picture: ``empty_file``, ``not_an_image`` (no known signature), ``truncated`` (known
    signature, but cut short or damaged), ``too_large`` (bytes), ``too_many_pixels``, ``animated``
    (more than one full-size picture), ``unsupported_mode``. ``engine.archives`` adds its own.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPicture:
    """An upright opaque sRGB picture, ``image_hwc`` uint8 RGB, and what the file said about itself."""

    image_hwc: Picture
    format: str
    """``JPEG``, ``PNG``, ``WEBP``, ``TIFF``, ``HEIF``, ``AVIF``, ``BMP`` or ``GIF``, by content."""
    mode: str
    """Pillow's name of the stored pixels: ``RGB``, ``CMYK``, ``I;16``, ``P`` ..."""
    bits: int
    """Bits per channel that were used: 8 or 16."""
    had_alpha: bool
    """Some pixel was not opaque; it was laid over white."""
    colour: str
    """How sRGB was reached: ``srgb`` (nothing said otherwise), ``icc``, ``gamma`` (PNG gAMA and cHRM),
    ``icc_ignored`` (profile broken or for other channels), ``cmyk`` (no usable profile), ``lab``."""
    icc_name: str
    """The profile's own description, empty without one."""
    exif_orientation: int
    """1..8 as stored, already applied to ``image_hwc``; 0 when absent or out of range."""

    @property
    def width(self) -> int:
        return int(self.image_hwc.shape[1])

    @property
    def height(self) -> int:
        return int(self.image_hwc.shape[0])
