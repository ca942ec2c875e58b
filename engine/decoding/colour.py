"""From loaded pixels of any mode to 8-bit sRGB and alpha."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from engine.decoding import profiles
from engine.decoding.picture import BadPicture
from engine.records import Picture

_SRGB = ImageCms.createProfile("sRGB")
_LAB = ImageCms.createProfile("LAB")
_PROFILE_SPACE = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
_MIN_IS_WHITE = 0


@dataclass(frozen=True, slots=True, eq=False)
class Colours:
    """``rgb_hwc`` uint8 sRGB; ``alpha_hw`` uint8 or ``None`` when opaque; how it was reached."""

    rgb_hwc: Picture
    alpha_hw: Picture | None
    colour: str
    icc_name: str


def to_srgb(picture: Image.Image, data: bytes, bits: int) -> Colours:
    """Raises ``BadPicture`` (``unsupported_mode``) for pixels that are measurements, not colours."""
    if picture.mode in ("F", "I", "I;16S"):
        raise BadPicture("unsupported_mode", f"Pixels of mode {picture.mode} have no defined black and white.")
    deep = _deep_values(picture, data, bits)
    if deep is not None:
        return _from_deep(picture, *deep)
    return _from_eight_bits(picture)


def _deep_values(
    picture: Image.Image, data: bytes, bits: int
) -> tuple[NDArray[np.uint16], NDArray[np.uint16] | None] | None:
    """16-bit grey ``[H,W]`` or RGB ``[H,W,3]`` and alpha; ``None`` when eight bits are all there is."""
    if picture.mode.startswith("I;16"):
        grey: NDArray[np.uint16] = np.asarray(picture).astype(np.uint16)
        if bits < 16:
            grey = np.rint(grey * (65_535.0 / (2**bits - 1))).astype(np.uint16)
        if picture.format == "TIFF" and picture.tag_v2.get(262) == _MIN_IS_WHITE:  # type: ignore[attr-defined]
            grey = np.invert(grey)
        return grey, _keyed_alpha(grey, picture.info.get("transparency"))
    if bits != 16 or picture.mode not in ("RGB", "RGBA", "RGBX", "LA"):
        return None
    # Pillow has already read the same bytes without complaint; OpenCV is asked for the lower halves.
    values: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3 or values.shape[1::-1] != picture.size:
        return None
    rgb = np.ascontiguousarray(values[..., 2::-1])
    if picture.mode in ("RGBA", "LA") and values.shape[2] == 4:
        return rgb, values[..., 3]
    return rgb, _keyed_alpha(rgb, picture.info.get("transparency"))


def _keyed_alpha(values: NDArray[np.uint16], key: Any) -> NDArray[np.uint16] | None:
    """PNG's tRNS for 16-bit pictures: one colour is transparent."""
    if not isinstance(key, int | tuple):
        return None
    differs = values != np.array(key)
    return np.where(differs.any(axis=-1) if values.ndim == 3 else differs, 65_535, 0).astype(np.uint16)


def _from_deep(picture: Image.Image, values: NDArray[np.uint16], alpha: NDArray[np.uint16] | None) -> Colours:
    icc: bytes | None = picture.info.get("icc_profile")
    name = _profile_name(icc)
    space = profiles.from_icc(icc) if icc else _png_space(picture)
    grey = values.ndim == 2
    if space is not None and grey == (space.to_srgb is None):
        rgb, colour = space.convert(values), "icc" if icc else "gamma"
    else:
        eight = Image.fromarray(_to_eight(values))
        rgb, colour = _through_icc(eight, icc)
    rgb = np.repeat(rgb[..., None], 3, axis=2) if rgb.ndim == 2 else rgb
    return Colours(rgb, None if alpha is None else _to_eight(alpha), colour, name)


def _from_eight_bits(picture: Image.Image) -> Colours:
    icc: bytes | None = picture.info.get("icc_profile")
    name = _profile_name(icc)
    plain, alpha = _split_alpha(picture)
    if plain.mode == "LAB":
        transform = ImageCms.buildTransform(_LAB, _SRGB, "LAB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
        rgb, colour = np.asarray(ImageCms.applyTransform(plain, transform)), "lab"
    else:
        space = None if icc else _png_space(picture)
        if space is not None:
            codes = np.asarray(plain.convert("RGB")).astype(np.uint16) * 257
            rgb, colour = space.convert(codes), "gamma"
        else:
            rgb, colour = _through_icc(plain, icc)
    return Colours(rgb, alpha, colour, name)


def _split_alpha(picture: Image.Image) -> tuple[Image.Image, Picture | None]:
    """The picture as L, RGB, CMYK or LAB, and its alpha."""
    mode = picture.mode
    if "transparency" in picture.info or mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        grey = mode in ("L", "LA", "La", "1")
        if mode in ("RGBa", "La"):
            picture = picture.convert("RGBA" if mode == "RGBa" else "LA")
        whole = picture if picture.mode == "LA" else picture.convert("RGBA")
        plain = whole.convert("L" if grey else "RGB")
        return plain, np.asarray(whole.getchannel("A"))
    if mode in ("L", "RGB", "CMYK", "LAB"):
        return picture, None
    return picture.convert("L" if mode == "1" else "RGB"), None


def _through_icc(picture: Image.Image, icc: bytes | None) -> tuple[Picture, str]:
    """L, RGB or CMYK through its profile, relative colorimetric with black-point compensation.

    A profile that is broken or made for other channels is passed over: the pixels are then sRGB,
    or inks without a profile.
    """
    unprofiled = "cmyk" if picture.mode == "CMYK" else "srgb"
    if icc:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            if profile.profile.xcolor_space.strip() == _PROFILE_SPACE[picture.mode]:
                transform = ImageCms.buildTransform(
                    profile,
                    _SRGB,
                    picture.mode,
                    "RGB",
                    ImageCms.Intent.RELATIVE_COLORIMETRIC,
                    ImageCms.Flags.BLACKPOINTCOMPENSATION,
                )
                return np.asarray(ImageCms.applyTransform(picture, transform)), "icc"
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
        unprofiled = "cmyk" if picture.mode == "CMYK" else "icc_ignored"
    return np.asarray(picture.convert("RGB")), unprofiled


def _profile_name(icc: bytes | None) -> str:
    if not icc:
        return ""
    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc))).strip()[:200]
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return ""


def _png_space(picture: Image.Image) -> profiles.ColourSpace | None:
    """What gAMA and cHRM say, when they say something else than sRGB (PNG, third edition, 4.3)."""
    gamma, xy = picture.info.get("gamma"), picture.info.get("chromaticity")
    if picture.format != "PNG" or "srgb" in picture.info or not gamma or not 0.05 <= gamma <= 5.0:
        return None
    if picture.mode in ("L", "LA", "1", "I;16"):
        xy = None
    known = (gamma,) if xy is None else (gamma, tuple(xy))
    if profiles.is_srgb_like(*known):
        return None
    try:
        return profiles.from_chromaticities(*known)
    except (ZeroDivisionError, ValueError, np.linalg.LinAlgError):
        return None


def _to_eight(values: NDArray[np.uint16]) -> Picture:
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
