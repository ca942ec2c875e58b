"""Keep pictures out of training: benchmarks say here what they hold, and what holds one of them is refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.models import Project, SourceImage
from engine.refusals import Refusal
from training.models import ReservedPicture
from training.selectors.candidates import Reservation, digest_of

NAMED = 10
"""So many reserved pictures are named in a refusal; the preview lists all."""


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


def refuse_reserved(reserved: Sequence[Reservation], way_out: str) -> None:
    """Raises ``Refusal`` 409 ``reserved_pictures``, which names them and the way out, unless there are none."""
    if not reserved:
        return
    named = ", ".join(found.sentence for found in reserved[:NAMED])
    more = f" and {len(reserved) - NAMED} more" if len(reserved) > NAMED else ""
    sentence = f"Pictures that must never be trained on are among the chosen ones: {named}{more}."
    raise Refusal("reserved_pictures", f"{sentence} {way_out}", 409)
