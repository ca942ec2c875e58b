"""Import of photographs: decode safely, recognise duplicates, store whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, F, Func, Q, Value

from engine.annotation_files import BadAnnotations, given_from_json, given_to_json, parse
from engine.archives import NamedBytes, display_name, is_zip, members
from engine.decoding import BadPicture, DecodedPicture, Limits, decode
from engine.imaging import encode_png, sha256, thumbnail_webp
from engine.models import Project, SourceImage
from engine.perceptual_hash import NEAR_DUPLICATE_BITS, perceptual_hash
from engine.records import GivenPrompt
from engine.refusals import Refusal
from engine.services.files import Stored, store_new

THUMBNAIL_PX = 480
EXTENSION = {"JPEG": "jpg", "TIFF": "tif"}


@dataclass(frozen=True, slots=True)
class Imported:
    image: SourceImage
    is_new: bool


@dataclass(frozen=True, slots=True)
class FileResult:
    """``outcome``: ``ok``, ``duplicate`` (the very bytes are there already), or an error code."""

    name: str
    outcome: str
    detail: str = ""
    image_id: str = ""
    sha256: str = ""

    def to_json(self) -> dict[str, str]:
        return {key: value for key, value in asdict(self).items() if value}


def limits() -> Limits:
    return Limits(max_bytes=settings.MAX_UPLOAD_MB * 1024 * 1024)


def import_image(
    *,
    project: Project,
    data: bytes,
    name: str,
    user: Any = None,
    given: Sequence[GivenPrompt] = (),
    credit: str = "",
    licence: str = "",
) -> Imported:
    """Store one photograph and its upright sRGB rendering.

    The same bytes again answer the image that is there; given prompts that come with them replace the old ones.
    A picture that only looks the same is stored and marked ``duplicate_of``. Raises ``Refusal`` with the decoder's
    code (``not_an_image``, ``truncated``, ``too_large``, ``too_many_pixels``, ``animated``, ``unsupported_mode``, ...).
    """
    digest = sha256(data)
    if (present := SourceImage.objects.filter(project=project, sha256=digest).first()) is not None:
        return Imported(_with_given(present, given), is_new=False)
    try:
        decoded = decode(data, limits=limits())
    except BadPicture as error:
        raise Refusal(error.code, str(error)) from error
    _check_masks_fit(given, decoded)
    look = perceptual_hash(decoded.image_hwc)
    files: list[Stored] = []
    put = partial(store_new, files=files)
    try:
        with transaction.atomic():
            image = SourceImage.objects.create(
                project=project,
                sha256=digest,
                perceptual_hash=look,
                duplicate_of=_look_alike(project, look),
                original_name=display_name(name)[:255],
                original_format=decoded.format,
                original=put("originals", data, EXTENSION.get(decoded.format, decoded.format.lower())),
                picture=put("pictures", encode_png(decoded.image_hwc), "png"),
                thumbnail=put("thumbnails", thumbnail_webp(decoded.image_hwc, THUMBNAIL_PX), "webp"),
                width=decoded.width,
                height=decoded.height,
                given_prompts=given_to_json(tuple(given)),
                facts=_facts(decoded),
                credit=credit[:300],
                licence=licence[:120],
                imported_by=user,
            )
    except IntegrityError:
        # Somebody stored the same bytes meanwhile: content-addressed files are theirs as much as ours.
        present = SourceImage.objects.get(project=project, sha256=digest)
        return Imported(_with_given(present, given), is_new=False)
    except BaseException:
        _take_back(files)
        raise
    return Imported(image, is_new=True)


def import_files(
    *,
    project: Project,
    files: Iterable[NamedBytes],
    annotations: bytes | None = None,
    user: Any = None,
) -> Iterator[FileResult]:
    """Import files one by one; yields what became of each. One bad file stops nothing. Zips go through ``unzipped``.

    Raises ``Refusal`` ``bad_annotations`` before the first file when the annotations cannot be read.
    """
    try:
        given_of: Mapping[str, tuple[GivenPrompt, ...]] = parse(annotations) if annotations else {}
    except BadAnnotations as error:
        raise Refusal(error.code, str(error)) from error
    return _import_each(project, files, given_of, user)


def _import_each(
    project: Project, files: Iterable[NamedBytes], given_of: Mapping[str, tuple[GivenPrompt, ...]], user: Any
) -> Iterator[FileResult]:
    for name, data in files:
        if isinstance(data, BadPicture):
            yield FileResult(name, data.code, str(data))
            continue
        given = given_of.get(PurePosixPath(name).name, ())
        try:
            imported = import_image(project=project, data=data, name=name, user=user, given=given)
        except Refusal as refusal:
            yield FileResult(name, refusal.code, str(refusal))
            continue
        image = imported.image
        outcome = "ok" if imported.is_new else "duplicate"
        yield FileResult(name, outcome, image_id=str(image.id), sha256=image.sha256)


def unzipped(files: Iterable[NamedBytes]) -> Iterator[NamedBytes]:
    """Uploaded files with the members of zips in their place; a zip inside a zip is not opened."""
    for name, data in files:
        if isinstance(data, bytes) and is_zip(data[:4]):
            for member, item in members(io.BytesIO(data), limits=limits()):
                yield (f"{name}/{member}" if member else name), item
        else:
            yield name, data


def _check_masks_fit(given: Sequence[GivenPrompt], decoded: DecodedPicture) -> None:
    """Annotations made on the unturned picture, or on another size of it, would mark the wrong pixels."""
    for prompt in given:
        if prompt.mask_hw is not None and prompt.mask_hw.shape != (decoded.height, decoded.width):
            height, width = prompt.mask_hw.shape
            size = f"{decoded.width} x {decoded.height}"
            sentence = f"The mask of {prompt.label!r} is {width} x {height}, the upright picture {size}."
            raise Refusal("annotations_of_another_size", sentence)


def _with_given(image: SourceImage, given: Sequence[GivenPrompt]) -> SourceImage:
    if given:
        image.given_prompts = given_to_json(tuple(given))
        image.save(update_fields=["given_prompts"])
    return image


def _look_alike(project: Project, look: int) -> SourceImage | None:
    """The earliest picture of the project within the near-duplicate distance; PostgreSQL counts the bits."""
    differing_bits = Func(
        F("perceptual_hash"),
        Value(look, BigIntegerField()),
        arg_joiner=" # ",
        template="bit_count((%(expressions)s)::bit(64))",
        output_field=BigIntegerField(),
    )
    return (
        SourceImage.objects.filter(project=project, duplicate_of=None)
        .alias(differing_bits=differing_bits)
        .filter(differing_bits__lte=NEAR_DUPLICATE_BITS)
        .order_by("created_at")
        .first()
    )


def _facts(decoded: DecodedPicture) -> dict[str, Any]:
    return {field.name: getattr(decoded, field.name) for field in fields(decoded) if field.name != "image_hwc"}


def _take_back(files: Sequence[Stored]) -> None:
    """Delete what a failed import stored, unless another image came to use it meanwhile."""
    for file in files:
        is_used = SourceImage.objects.filter(Q(original=file.name) | Q(picture=file.name) | Q(thumbnail=file.name))
        if not is_used.exists():
            default_storage.delete(file.name)


def given_prompts_of(image: SourceImage) -> tuple[GivenPrompt, ...]:
    return given_from_json(image.given_prompts)
