"""Every way a file can store colour, against the known truth in sRGB."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from engine.decoding import decode
from engine.decoding.profiles import from_chromaticities, from_icc
from tests.engine.odd_files import (
    P3_XY,
    SRGB,
    icc_profile,
    ink_profile,
    lab_to_linear_srgb,
    p3_to_srgb,
    png_with,
    saved,
    scene,
    srgb_decode,
    srgb_encode,
    worst,
)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bit_colour_is_rounded_not_cut(form: str, channels: int) -> None:
    deep = scene().astype(np.uint16) * 257 - (scene() > 0) * np.uint16(100)  # cutting would lose one level
    if channels == 4:
        deep = np.concatenate([deep, np.full((*deep.shape[:2], 1), 65535, np.uint16)], axis=-1)
    order = [2, 1, 0, 3][:channels]
    decoded = decode(cv2.imencode(".png" if form == "PNG" else ".tiff", deep[..., order])[1].tobytes())
    assert (decoded.bits, decoded.had_alpha) == (16, False)
    assert worst(decoded.image_hwc, scene()) == 0


def test_sixteen_bit_alpha_is_kept_until_the_end() -> None:
    deep = np.full((4, 4, 4), 65535, np.uint16)
    deep[..., :3] = 0
    deep[0, :, 3] = 0
    deep[1, :, 3] = 32768
    decoded = decode(cv2.imencode(".png", deep)[1].tobytes())
    assert decoded.image_hwc[:, 0, 0].tolist() == [255, 127, 0, 0]


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bit_grey_spans_black_to_white(form: str) -> None:
    grey = np.array([[0, 128, 257, 32896, 65535]], np.uint16).repeat(3, 0)
    decoded = decode(saved(Image.fromarray(grey), form))
    assert decoded.image_hwc[0, :, 1].tolist() == [0, 0, 1, 128, 255]


def test_grey_tiff_whose_zero_is_white_is_turned_round() -> None:
    data = bytearray(saved(Image.fromarray(np.array([[0, 65535]], np.uint16)), "TIFF"))
    entry = data.find(struct.pack("<HHIH", 262, 3, 1, 1))
    data[entry + 8] = 0
    assert decode(bytes(data)).image_hwc[0, :, 0].tolist() == [255, 0]


@pytest.mark.parametrize("form", ["PNG", "GIF", "BMP", "TIFF"])
def test_palette_pictures_keep_their_colours(form: str) -> None:
    quantised = Image.fromarray(scene()).quantize(200)
    decoded = decode(saved(quantised, form))
    assert worst(decoded.image_hwc, np.asarray(quantised.convert("RGB"))) == 0


@pytest.mark.parametrize("mode", ["L", "1"])
@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
def test_grey_and_bilevel_become_three_equal_channels(mode: str, form: str) -> None:
    grey = Image.fromarray(scene()).convert(mode)
    truth = np.asarray(grey.convert("L"))[..., None].repeat(3, axis=2)
    assert worst(decode(saved(grey, form)).image_hwc, truth) == 0


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_alpha_is_laid_over_white(form: str) -> None:
    alpha = np.linspace(0, 255, 48).astype(np.uint8)[None].repeat(32, 0)
    rgba = np.concatenate([scene(), alpha[..., None]], axis=-1)
    decoded = decode(saved(rgba, form, **({"lossless": True, "exact": True} if form == "WEBP" else {})))
    share = alpha[..., None] / 255.0
    assert decoded.had_alpha
    assert worst(decoded.image_hwc, np.rint(scene() * share + 255 * (1 - share))) <= 1


def test_grey_with_alpha_and_transparent_palette_are_laid_over_white() -> None:
    grey = Image.merge("LA", [Image.new("L", (4, 4), 100), Image.new("L", (4, 4), 0)])
    palette = Image.fromarray(scene()).quantize(8)
    background = palette.getpixel((0, 0))
    assert decode(saved(grey, "PNG")).image_hwc.min() == 255
    for form in ("PNG", "GIF"):
        assert decode(saved(palette, form, transparency=background)).image_hwc[0, 0].tolist() == [255] * 3


def test_a_transparent_colour_of_a_16_bit_png_is_found_at_16_bits() -> None:
    deep = np.array([[[1000, 2000, 3000], [1001, 2000, 3000]]], np.uint16)
    data = cv2.imencode(".png", deep[..., ::-1])[1].tobytes()
    decoded = decode(png_with(data, b"tRNS", struct.pack(">3H", 1000, 2000, 3000)))
    assert decoded.image_hwc[0].tolist() == [[255, 255, 255], [4, 8, 12]]


def test_an_opaque_alpha_channel_changes_nothing() -> None:
    decoded = decode(saved(Image.fromarray(scene()).convert("RGBA"), "PNG"))
    assert (decoded.had_alpha, worst(decoded.image_hwc, scene())) == (False, 0)


@pytest.mark.parametrize("bits", [8, 16])
def test_wide_gamut_pictures_are_converted_by_their_profile(bits: int) -> None:
    coded = scene() / 255.0
    truth = np.rint(255 * srgb_encode(p3_to_srgb(coded**2.2)))
    icc = icc_profile(P3_XY, 2.2)
    if bits == 8:
        data = saved(scene(), "PNG", icc_profile=icc)
    else:
        plain = cv2.imencode(".png", (scene().astype(np.uint16) * 257)[..., ::-1])[1].tobytes()
        data = png_with(plain, b"iCCP", b"p3\0\0" + zlib.compress(icc))
    decoded = decode(data)
    assert (decoded.colour, decoded.bits) == ("icc", bits)
    assert np.abs(truth - scene()).max() > 20  # the profile matters
    assert worst(decoded.image_hwc, truth) <= 2


def test_dark_tones_of_a_linear_16_bit_picture_survive() -> None:
    values = np.linspace(0, 2000, 64).astype(np.uint16)[None, :, None].repeat(3, 2).repeat(2, 0)
    srgb_xy = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
    plain = cv2.imencode(".png", values)[1].tobytes()
    decoded = decode(png_with(plain, b"iCCP", b"lin\0\0" + zlib.compress(icc_profile(srgb_xy, 1.0))))
    truth = np.rint(255 * srgb_encode(values / 65535.0))
    assert worst(decoded.image_hwc, truth) <= 1
    assert len(np.unique(decoded.image_hwc)) > 40


def test_own_profile_reader_agrees_with_littlecms() -> None:
    for icc in (ImageCms.ImageCmsProfile(SRGB).tobytes(), icc_profile(P3_XY, 1.8)):
        ours = from_icc(icc)
        assert ours is not None
        transform = ImageCms.buildTransform(io.BytesIO(icc), SRGB, "RGB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
        theirs = np.asarray(ImageCms.applyTransform(Image.fromarray(scene()), transform))
        assert worst(ours.convert(scene().astype(np.uint16) * 257), theirs) <= 1


@given(st.binary(max_size=300), st.integers(0, 600))
@settings(max_examples=50, deadline=None)
def test_a_damaged_profile_never_raises(noise: bytes, at: int) -> None:
    icc = bytearray(icc_profile(P3_XY, 2.2))
    icc[at : at + len(noise)] = noise
    decoded = decode(saved(scene(), "PNG", icc_profile=bytes(icc)))
    assert decoded.colour in ("icc", "icc_ignored")
    from_icc(bytes(icc))


@pytest.mark.parametrize("icc", [b"not a profile", icc_profile(P3_XY, 2.2)[:200]])
def test_a_broken_profile_is_taken_for_srgb_and_recorded(icc: bytes) -> None:
    decoded = decode(saved(scene(), "PNG", icc_profile=icc))
    assert (decoded.colour, worst(decoded.image_hwc, scene())) == ("icc_ignored", 0)


def test_png_gamma_and_chromaticities_are_honoured() -> None:
    data = png_with(saved(scene(), "PNG"), b"gAMA", struct.pack(">I", 100_000))
    assert worst(decode(data).image_hwc, np.rint(255 * srgb_encode(scene() / 255.0))) <= 1
    wide = png_with(data, b"cHRM", struct.pack(">8I", *(round(v * 100_000) for v in P3_XY)))
    truth = np.rint(255 * srgb_encode(p3_to_srgb(scene() / 255.0)))
    assert decode(wide).colour == "gamma"
    assert worst(decode(wide).image_hwc, truth) <= 1


def test_the_usual_png_gamma_changes_nothing() -> None:
    data = png_with(saved(scene(), "PNG"), b"gAMA", struct.pack(">I", 45_455))
    assert (decode(data).colour, worst(decode(data).image_hwc, scene())) == ("srgb", 0)


def test_srgb_primaries_give_the_identity() -> None:
    linear = from_chromaticities(1.0)
    levels = np.arange(256)
    codes = np.rint(65535 * srgb_decode(levels / 255.0)).astype(np.uint16)
    assert worst(linear.convert(np.stack([codes] * 3, -1)[None]), np.stack([levels] * 3, -1)[None]) <= 1


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_inks_without_a_profile_are_converted_the_plain_way(form: str) -> None:
    cmyk = Image.fromarray(scene()).convert("CMYK")
    decoded = decode(saved(cmyk, form, **({"quality": 100, "subsampling": 0} if form == "JPEG" else {})))
    assert (decoded.mode, decoded.colour) == ("CMYK", "cmyk")
    assert worst(decoded.image_hwc, scene()) <= (6 if form == "JPEG" else 0)


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_inks_are_converted_by_their_profile(form: str) -> None:
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    decoded = decode(saved(cyan, form, icc_profile=ink_profile((60, -20, -30))))
    truth = np.rint(255 * srgb_encode(lab_to_linear_srgb(60, -20, -30)))[None, None]
    assert decoded.colour == "icc"
    assert worst(decoded.image_hwc[:1, :1], truth) <= 3
    assert decode(saved(Image.new("CMYK", (16, 16)), form, icc_profile=ink_profile((60, 0, 0)))).image_hwc.min() >= 254


def test_inks_with_a_profile_for_light_are_converted_the_plain_way() -> None:
    cmyk = Image.fromarray(scene()).convert("CMYK")
    decoded = decode(saved(cmyk, "TIFF", icc_profile=icc_profile(P3_XY, 2.2)))
    assert worst(decoded.image_hwc, scene()) == 0


def test_lab_tiff_becomes_srgb() -> None:
    lab = ImageCms.createProfile("LAB")
    to_lab = ImageCms.buildTransform(SRGB, lab, "RGB", "LAB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
    soft = np.clip(scene(), 100, 170)  # eight bits of Lab are coarse far from grey
    decoded = decode(saved(ImageCms.applyTransform(Image.fromarray(soft), to_lab), "TIFF"))
    assert decoded.colour == "lab"
    assert worst(decoded.image_hwc, soft) <= 4
