import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from engine.perceptual_hash import NEAR_DUPLICATE_BITS, hamming, perceptual_hash

BIGINT = st.integers(-(2**63), 2**63 - 1)
PHOTOS = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket()]


def versions(photo: np.ndarray) -> list[np.ndarray]:
    picture = Image.fromarray(photo)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=30)
    sizes = [(picture.width // 2, picture.height // 2), (picture.width // 5, picture.height // 5)]
    resized = [np.asarray(picture.resize(size)) for size in sizes]
    return [np.asarray(Image.open(buffer)), *resized]


def test_the_same_photo_smaller_or_compressed_is_near() -> None:
    for photo in PHOTOS:
        original = perceptual_hash(photo)
        assert max(hamming(original, perceptual_hash(v)) for v in versions(photo)) <= NEAR_DUPLICATE_BITS // 2


def test_different_photos_are_far() -> None:
    hashes = [perceptual_hash(photo) for photo in PHOTOS]
    assert min(hamming(a, b) for i, a in enumerate(hashes) for b in hashes[:i]) > NEAR_DUPLICATE_BITS + 4


def test_a_mirrored_photo_is_another_photo() -> None:
    assert hamming(perceptual_hash(PHOTOS[0]), perceptual_hash(PHOTOS[0][:, ::-1])) > NEAR_DUPLICATE_BITS


def test_the_hash_fits_a_signed_bigint() -> None:
    assert all(-(2**63) <= perceptual_hash(np.roll(PHOTOS[0], 40 * i, axis=1)) < 2**63 for i in range(8))


def test_pictures_of_any_size_have_a_hash() -> None:
    assert perceptual_hash(np.zeros((1, 1, 3), np.uint8)) == perceptual_hash(np.zeros((1, 3000, 3), np.uint8))


@given(BIGINT, BIGINT, BIGINT)
def test_hamming_is_a_distance(a: int, b: int, c: int) -> None:
    assert hamming(a, a) == 0
    assert hamming(a, b) == hamming(b, a) == bin((a ^ b) % 2**64).count("1")
    assert hamming(a, c) <= hamming(a, b) + hamming(b, c)
