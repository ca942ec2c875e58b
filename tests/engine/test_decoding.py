"""Files made here from known pixels, decoded and compared with that truth; limits and refusals."""

import io

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.decoding import BadPicture, Limits, decode
from tests.engine.odd_files import exif, saved, scene, stored_for, worst


def code_of(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(BadPicture) as caught:
        decode(data, limits=limits)
    assert str(caught.value).endswith(".")
    return caught.value.code


@pytest.mark.parametrize("orientation", range(9))
@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_every_orientation_comes_out_upright(form: str, orientation: int) -> None:
    stored = np.ascontiguousarray(stored_for(scene(), orientation or 1))
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(form, {})
    decoded = decode(saved(stored, form, exif=exif(orientation), **options))
    assert decoded.exif_orientation == orientation
    assert worst(decoded.image_hwc, scene()) <= (6 if form == "JPEG" else 0)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_avif_and_heic_come_out_upright(orientation: int) -> None:
    stored = Image.fromarray(np.ascontiguousarray(stored_for(scene(), orientation)))
    avif = saved(stored, "AVIF", quality=100, subsampling="4:4:4", exif=exif(orientation))
    heif = io.BytesIO()
    pillow_heif.from_pillow(stored).save(heif, quality=-1, chroma=444, exif=exif(orientation).tobytes())
    for data, name in ((avif, "AVIF"), (heif.getvalue(), "HEIF")):
        decoded = decode(data)
        assert decoded.format == name
        assert worst(decoded.image_hwc, scene()) <= 6


@pytest.mark.parametrize("orientation", [9, 77, 65535])
def test_an_orientation_that_means_nothing_is_passed_over(orientation: int) -> None:
    decoded = decode(saved(scene(), "PNG", exif=exif(orientation)))
    assert (decoded.exif_orientation, worst(decoded.image_hwc, scene())) == (0, 0)


def test_broken_exif_does_not_spoil_the_picture() -> None:
    data = saved(scene(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + bytes(30), quality=100)
    assert decode(data).exif_orientation == 0


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_tiff_compressions_give_the_same_pixels(compression: str) -> None:
    assert worst(decode(saved(scene(), "TIFF", compression=compression)).image_hwc, scene()) == 0


def test_reduced_pages_of_a_tiff_do_not_count() -> None:
    small = Image.fromarray(scene()).resize((24, 16))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    data = saved(scene(), "TIFF", save_all=True, append_images=[small])
    assert worst(decode(data).image_hwc, scene()) == 0


def test_several_full_pages_are_refused() -> None:
    assert code_of(saved(scene(), "TIFF", save_all=True, append_images=[Image.fromarray(scene())])) == "animated"


def test_the_first_picture_of_a_multi_picture_jpeg_is_taken() -> None:
    other = Image.fromarray(np.zeros_like(scene()))
    decoded = decode(saved(scene(), "MPO", save_all=True, append_images=[other], quality=100, subsampling=0))
    assert decoded.format == "JPEG"
    assert worst(decoded.image_hwc, scene()) <= 6


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "AVIF"])
def test_animations_are_refused_and_single_frames_are_not(form: str) -> None:
    frames = [Image.fromarray(np.roll(scene(), 5 * i, axis=1)) for i in range(3)]
    moving = saved(frames[0], form, save_all=True, append_images=frames[1:], duration=100)
    assert code_of(moving) == "animated"
    assert decode(saved(frames[0], form)).width == 48


@pytest.mark.parametrize("limits", [Limits(max_pixels=48 * 32 - 1), Limits(max_side_px=47)])
def test_size_limits_hold_exactly(limits: Limits) -> None:
    assert code_of(saved(scene(), "PNG"), limits) == "too_many_pixels"
    assert decode(saved(scene(), "PNG"), limits=Limits(max_pixels=48 * 32, max_side_px=48)).height == 32


def test_byte_limit_holds_exactly() -> None:
    data = saved(scene(), "PNG")
    assert code_of(data, Limits(max_bytes=len(data) - 1)) == "too_large"
    assert decode(data, limits=Limits(max_bytes=len(data))).width == 48


def test_a_jpeg_padded_with_zeros_is_truncated() -> None:
    data = saved(scene(480, 320), "JPEG", exif=exif(1))
    assert code_of(data[: len(data) // 2] + bytes(len(data))) == "truncated"


def test_something_behind_a_jpeg_does_no_harm() -> None:
    data = saved(scene(), "JPEG", quality=100, subsampling=0) + b"\xff\xda motion photo " + bytes(500)
    assert worst(decode(data).image_hwc, scene()) <= 6


@pytest.mark.parametrize("mode", ["F", "I"])
def test_measurements_are_not_pictures(mode: str) -> None:
    assert code_of(saved(Image.new(mode, (8, 8)), "TIFF")) == "unsupported_mode"


_SAMPLES = {form: saved(scene(), form) for form in ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF")}


@given(
    st.binary(max_size=400),
    st.integers(0, 3000),
    st.sampled_from(sorted(_SAMPLES)),
)
@settings(max_examples=200, deadline=None)
def test_damaged_bytes_give_a_picture_or_a_refusal(noise: bytes, at: int, form: str) -> None:
    data = bytearray(_SAMPLES[form])
    at %= len(data)
    data[at : at + len(noise)] = noise
    try:
        decoded = decode(bytes(data), limits=Limits(max_pixels=1_000_000))
    except BadPicture:
        return
    assert decoded.image_hwc.dtype == np.uint8
    assert decoded.image_hwc.shape == (decoded.height, decoded.width, 3)
