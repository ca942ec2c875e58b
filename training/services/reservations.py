"""Keep pictures out of training: benchmarks say here what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.models import Project, SourceImage
from training.models import ReservedPicture
from training.selectors.candidates import digest_of


@dataclass(frozen=True, slots=True)
class Look:
    """A picture that need not be in the project: ``sha256`` of its upright sRGB PNG, and its perceptual hash."""

    name: str
    sha256: str
    perceptual_hash: int


def reserve_looks(*, project: Project, purpose: str, reserved_for: str, looks: Iterable[Look]) -> int:
    """Reserve pictures for a purpose (``benchmark``); returns how many were new. Saying it again changes nothing."""
    before = ReservedPicture.objects.filter(project=project, purpose=purpose, reserved_for=reserved_for)
    count = before.count()
    ReservedPicture.objects.bulk_create(
        [
            ReservedPicture(
                project=project,
                purpose=purpose,
                reserved_for=reserved_for,
                name=look.name[:255],
                sha256=look.sha256,
                perceptual_hash=look.perceptual_hash,
            )
            for look in looks
        ],
        ignore_conflicts=True,
    )
    return before.count() - count


def reserve_images(*, project: Project, purpose: str, reserved_for: str, images: Iterable[SourceImage]) -> int:
    """The same for pictures of a project."""
    looks = [Look(image.original_name, digest_of(str(image.picture)), image.perceptual_hash) for image in images]
    return reserve_looks(project=project, purpose=purpose, reserved_for=reserved_for, looks=looks)


def release(*, project: Project, purpose: str, reserved_for: str) -> int:
    """Take all reservations of a purpose back; returns how many there were."""
    found = ReservedPicture.objects.filter(project=project, purpose=purpose, reserved_for=reserved_for)
    return found.delete()[0]
