"""Strangers' picture files become upright sRGB arrays, or a refusal with a code."""

from __future__ import annotations

import warnings

import numpy as np

from engine.decoding.colour import to_srgb
from engine.decoding.opening import bits_of, check_size, open_checked, orientation_of
from engine.decoding.picture import FORMATS, BadPicture, DecodedPicture, Limits
from engine.records import Picture

__all__ = ["FORMATS", "BadPicture", "DecodedPicture", "Limits", "decode"]


def decode(data: bytes, *, limits: Limits | None = None) -> DecodedPicture:
    """Decode one still picture, judged by its content: its name and extension are never asked.

    Rules: EXIF orientation is applied; ICC, PNG gAMA/cHRM, CMYK and LAB are converted to sRGB
    (relative colorimetric, black-point compensation); 16 bits are reduced last; alpha is laid over
    white, as browsers and printers show it; of an HDR or stereo JPEG the base picture is taken;
    a TIFF with several full-size pages and every animation are refused; a GIF with one frame is a
    picture; 32-bit integer and float pixels are refused.

    Raises ``BadPicture`` and nothing else, whatever the bytes are.
    """
    limits = limits or Limits()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _decode(data, limits)
        except BadPicture:
            raise
        except MemoryError as error:
            raise BadPicture("too_many_pixels", "The picture does not fit into memory.") from error
        except Exception as error:  # decoders fail in every way there is, and a file must not end a batch
            if "too large" in str(error) or "Too much memory" in str(error):  # Pillow's words for packed chunks
                raise BadPicture("too_large", f"The file unpacks to too much data: {error}.") from error
            raise BadPicture("truncated", f"The file is cut short or damaged: {error}.") from error


def _decode(data: bytes, limits: Limits) -> DecodedPicture:
    with open_checked(data, limits) as picture:
        name, mode, bits = picture.format or "", picture.mode, bits_of(picture, data)
        orientation = orientation_of(picture)
        picture.load()
        check_size(*picture.size, limits)
        colours = to_srgb(picture, data, bits)
    rgb, had_alpha = colours.rgb_hwc, False
    if colours.alpha_hw is not None:
        had_alpha = bool((colours.alpha_hw < 255).any())
        rgb = _over_white(rgb, colours.alpha_hw) if had_alpha else rgb
    if name != "TIFF":  # Pillow turns TIFF itself, and libheif HEIF
        rgb = _upright(rgb, orientation)
    return DecodedPicture(
        image_hwc=np.ascontiguousarray(rgb),
        format="JPEG" if name == "MPO" else name,
        mode=mode,
        bits=16 if bits > 8 else 8,
        had_alpha=had_alpha,
        colour=colours.colour,
        icc_name=colours.icc_name,
        exif_orientation=orientation,
    )


def _over_white(rgb_hwc: Picture, alpha_hw: Picture) -> Picture:
    """Blend in integers, in sRGB as browsers do: 255 - round((255 - colour) * alpha / 255)."""
    lost = (255 - rgb_hwc).astype(np.uint16) * alpha_hw[..., None]
    return (255 - (lost + 127) // 255).astype(np.uint8)


def _upright(image_hwc: Picture, orientation: int) -> Picture:
    """EXIF 2.3, tag 0x0112."""
    if orientation in (5, 6, 7, 8):
        image_hwc = image_hwc.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image_hwc = image_hwc[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image_hwc = image_hwc[::-1]
    return image_hwc
