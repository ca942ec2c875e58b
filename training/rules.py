"""The rules by which a snapshot is frozen: shown before it happens, written into the manifest, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any

from engine.records import LayerKind


class BadRules(ValueError):
    """One sentence; ``field`` names what is wrong."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class OnReserved(StrEnum):
    """What to do when gold, benchmark or vote pictures are among the chosen ones."""

    REFUSE = "refuse"
    LEAVE_OUT = "leave_out"


@dataclass(frozen=True, slots=True)
class Rules:
    """Which accepted layers are taken. Empty means any.

    ``producers``: names; a repair counts as its original maker's and as its own. ``licences``: of the source, exactly
    as written there; ``""`` is a picture without one. ``since`` and ``until``: ISO dates (UTC, both included) on which
    the layer was made. ``least_judgements`` counted verdicts, of which ``least_agreement`` (0..1) accept.
    ``validation`` and ``test``: shares 0..1 of the groups of pictures; ``seed`` decides which groups.
    """

    producers: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    least_judgements: int = 0
    least_agreement: float = 0.0
    validation: float = 0.05
    test: float = 0.05
    seed: int = 0
    on_reserved: str = OnReserved.REFUSE.value

    def __post_init__(self) -> None:
        _check(set(self.kinds) <= {kind.value for kind in LayerKind}, "kinds", "Kinds are foreground and background.")
        for name in ("since", "until"):
            _check(_is_date(getattr(self, name)), name, "A date is written YYYY-MM-DD.")
        ordered = not (self.since and self.until) or self.since <= self.until
        _check(ordered, "until", "The last day is before the first.")
        _check(0 <= self.least_judgements <= 99, "least_judgements", "Judgements are 0 to 99.")
        _check(0 <= self.least_agreement <= 1, "least_agreement", "Agreement is a share from 0 to 1.")
        shares = self.validation >= 0 and self.test >= 0 and self.validation + self.test <= 0.9
        _check(shares, "validation", "Validation and test are shares from 0; a tenth at least is left for training.")
        _check(0 <= self.seed < 2**31, "seed", "The seed is a whole number from 0.")
        known = self.on_reserved in [choice.value for choice in OnReserved]
        _check(known, "on_reserved", "Reserved pictures are refused (refuse) or left out (leave_out).")

    def to_json(self) -> dict[str, Any]:
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def rules_from_json(data: Mapping[str, Any]) -> Rules:
    """Missing fields keep their defaults. Raises ``BadRules``."""
    known = {field.name for field in fields(Rules)}
    for name in data:
        _check(name in known, str(name), f"There is no rule {name}; there are {', '.join(sorted(known))}.")
    changed: Any = {name: tuple(value) if isinstance(value, list | tuple) else value for name, value in data.items()}
    try:
        return Rules(**changed)
    except TypeError as error:
        raise BadRules("rules", f"The rules make no sense: {error}.") from error


def _check(is_right: bool, field: str, sentence: str) -> None:
    if not is_right:
        raise BadRules(field, sentence)


def _is_date(text: str) -> bool:
    try:
        return text == "" or date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
