"""Numbers as people read them: thin spaces in thousands, a space before the unit, a dash for what is not known."""

from __future__ import annotations

UNKNOWN = "–"


def whole(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


def counted(number: int, noun: str) -> str:
    """With the noun's plural where it is due."""
    return f"{whole(number)} {noun}{'' if number == 1 else 's'}"


def percent(share: float | None) -> str:
    """A share 0..1 with one decimal; never rounded up to a whole that it is not."""
    if share is None:
        return UNKNOWN
    shown = min(round(share * 100, 1), 99.9) if share < 1 else 100.0
    return f"{shown:.1f} %"


def seconds(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    if value >= 120:
        return f"{value / 60:.1f} min"
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def signed(difference: float) -> str:
    """With its sign; none where there is no difference."""
    return f"{difference:+.3g}" if difference else "0"


def measured(name: str) -> str:
    """A number of a training run as people say it: ``iou_layers`` is ``IoU, layers``, ``n_layers`` what it is of."""
    what, _, of = name.partition("_")
    if what == "n":
        return f"Number of {words(of)}"
    return f"IoU, {words(of)}" if what == "iou" else words(name).capitalize()


def words(reason: str) -> str:
    """A reason's code as words: ``too_small`` is ``too small``."""
    return reason.replace("_", " ")
