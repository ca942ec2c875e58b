"""From bytes to loaded pixels: signature, limits, animation, damage. No colour is touched here."""

from __future__ import annotations

import io
import struct
from typing import cast

import pillow_heif
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from engine.decoding.picture import FORMATS, BadPicture, Limits

pillow_heif.register_heif_opener()

_ORIENTATION = 0x0112
_TIFF_SUBFILE_TYPE = 254
_TIFF_PAGES_LOOKED_AT = 64
_MOST_JPEG_SCANS = 100
_BMP_HEADER_SIZES = tuple(struct.pack("<I", size) for size in (12, 40, 52, 56, 64, 108, 124))
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def sniff(data: bytes) -> str | None:
    """Pillow's name of the format by its signature alone; ``None`` for everything not accepted.

    Only this one plugin is then allowed to see the bytes, not the forty that Pillow carries.
    """
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if data[:2] == b"BM" and data[14:18] in _BMP_HEADER_SIZES:  # many a text begins with BM
        return "BMP"
    if data[4:8] == b"ftyp":
        brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
        if any(brand in brands for brand in _AVIF_BRANDS):
            return "AVIF"
        if any(brand in brands for brand in _HEIF_BRANDS):
            return "HEIF"
    return None


def open_checked(data: bytes, limits: Limits) -> Image.Image:
    """A picture whose header passed every limit, pixels not read yet. Raises ``BadPicture``."""
    if not data:
        raise BadPicture("empty_file", "The file is empty.")
    if len(data) > limits.max_bytes:
        raise BadPicture("too_large", f"The file has {len(data):,} bytes; at most {limits.max_bytes:,} are accepted.")
    name = sniff(data)
    if name is None:
        raise BadPicture("not_an_image", f"The content is none of {', '.join(FORMATS)}.")
    try:
        picture = Image.open(io.BytesIO(data), formats=[name])
        if name == "PNG":
            Image.open(io.BytesIO(data), formats=[name]).verify()  # loading does not look at the pixels' check sums
    except Image.DecompressionBombError as error:
        raise BadPicture("too_many_pixels", "The header claims far more pixels than are accepted.") from error
    except UnidentifiedImageError as error:
        raise _why_unreadable(data, name) from error
    check_size(*picture.size, limits)
    if _has_several_pictures(picture):
        raise BadPicture("animated", "The file holds an animation or several pages; one still picture is needed.")
    if name == "JPEG":
        _check_jpeg_scans(data)
    return picture


def check_size(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.max_pixels or max(width, height) > limits.max_side_px:
        raise BadPicture(
            "too_many_pixels",
            f"The picture is {width:,} x {height:,} pixels; at most {limits.max_pixels:,} pixels "
            f"and {limits.max_side_px:,} on a side are accepted.",
        )


def orientation_of(picture: Image.Image) -> int:
    """EXIF orientation 1..8, from EXIF, PNG eXIf or the TIFF tag; 0 when absent, odd or unreadable."""
    try:
        value = picture.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001  broken metadata has many shapes and none of them spoils the pixels
        return 0
    return value if isinstance(value, int) and 1 <= value <= 8 else 0


def bits_of(picture: Image.Image, data: bytes) -> int:
    """Stored bits per channel. Pillow cuts 16-bit colour to 8 without a word, so the header is asked."""
    if picture.format == "PNG":
        return data[24]
    if picture.format == "TIFF":
        stored = cast(TiffImagePlugin.TiffImageFile, picture).tag_v2.get(258, (8,))
        return int(stored[0] if isinstance(stored, tuple) else stored)
    return 16 if picture.mode.startswith("I;16") else 8


def _has_several_pictures(picture: Image.Image) -> bool:
    """Animations and multi-page files.

    A JPEG may carry a preview, a depth or a gain map behind its picture (MPF): the first is the
    picture. A TIFF may carry reduced copies of its page (a pyramid, a thumbnail): these do not count.
    """
    if picture.format in ("JPEG", "MPO"):
        return False
    if picture.format != "TIFF":
        return bool(getattr(picture, "is_animated", False))
    tiff = cast(TiffImagePlugin.TiffImageFile, picture)
    full_size = 0
    for index in range(_TIFF_PAGES_LOOKED_AT):  # counting all would follow a chain of a million empty pages
        try:
            tiff.seek(index)
        except EOFError:
            break
        full_size += not int(tiff.tag_v2.get(_TIFF_SUBFILE_TYPE, 0)) & 1
    tiff.seek(0)
    return full_size > 1


def _check_jpeg_scans(data: bytes) -> None:
    """The first scan must be followed by an end marker, and by few other scans.

    libjpeg fills what is missing with grey and only warns. Half-finished downloads are often padded
    with zeros, which Pillow takes for coded pixels. Every scan of a progressive JPEG may pass over all
    pixels: 500 tiny ones cost 40 seconds. Inside a scan neither marker can occur by chance.
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        is_fill = data[at + 1] == 0xFF
        at += 1 if is_fill else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    end = data.find(b"\xff\xd9", at)
    if data[at : at + 2] != b"\xff\xda" or end < 0:
        raise BadPicture("truncated", "The JPEG has no end: the file is cut short.")
    scans = data.count(b"\xff\xda", at, end)
    if scans > _MOST_JPEG_SCANS:
        raise BadPicture("too_large", f"The JPEG passes {scans:,} times over its pixels; ten times is usual.")


def _why_unreadable(data: bytes, name: str) -> BadPicture:
    """``Image.open`` hides the plugin's reason; ask the plugin itself."""
    factory, _ = Image.OPEN[name]
    try:
        factory(io.BytesIO(data), "")
    except (SyntaxError, struct.error, OSError, ValueError, KeyError, TypeError, IndexError) as error:
        reason = str(error)
        if "pixel mode" in reason or "-bit layers" in reason or "Unsupported BMP" in reason:
            return BadPicture("unsupported_mode", f"This kind of {name} is not supported: {reason}.")
    return BadPicture("truncated", f"The {name} header is cut short or damaged.")
