"""What one closed loop on composites is made of: sizes, people, training; and its steps, in their order."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

STEPS = ("engine", "judging", "freezing", "training", "vote_pictures", "scoring", "voting", "calibrating")
FIRST_SEED = 3_000_000
"""Of the loop's composites, below those that are held out."""
ROUND_SEEDS = 10_000


class BadTerms(ValueError):
    code = "bad_terms"


@dataclass(frozen=True, slots=True)
class LoopTerms:
    pictures: int = 12
    """New composites to learn from in the first round."""
    growth: int = 2
    """Every round has so many times the new composites of the round before: what more layers are worth shows when
    there are twice as many, hardly when there are some more."""
    vote_pictures: int = 8
    """New composites on whose layers people vote; nobody learns from them."""
    size_px: int = 256
    annotators: int = 4
    judgements: int = 2
    error_rate: float = 0.05
    """Share of wrong verdicts, and of wrong votes."""
    voters: int = 5
    votes: int = 120
    """At most, of one gate."""
    mends: int = 12
    """Rejected layers that people mend, at most, every round; others judge them."""
    benchmark: int = 32
    """Held-out composites."""
    steps: int = 80
    """Of the first round; the others take more, as there are more layers by then."""
    batch: int = 8
    rate: float = 8e-4
    seed: int = 0
    accepted_by_lot: int = 0
    """So many layers are accepted by lot instead of what people say; 0: people judge."""

    def __post_init__(self) -> None:
        counts = (
            "pictures",
            "growth",
            "vote_pictures",
            "annotators",
            "judgements",
            "voters",
            "votes",
            "steps",
            "batch",
        )
        small = [name for name in counts if getattr(self, name) < 1]
        if small or min(self.benchmark - 2, self.mends) < 0 or self.size_px < 256 or not 0 <= self.error_rate < 0.5:
            raise BadTerms(
                "counts are at least 1 (mended layers 0), the benchmark 2, pictures 256 px, errors below one half"
            )
        if self.annotators < self.judgements:
            raise BadTerms(f"{self.judgements} judgements a layer need as many annotators")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LoopTerms:
        return cls(**{one.name: data[one.name] for one in fields(cls) if one.name in data})

    def seeds(self, number: int, is_for_votes: bool) -> range:
        """Of the composites of a round, counted from 1; no two rounds share one."""
        first = FIRST_SEED + (self.seed * 100 + number) * ROUND_SEEDS
        if is_for_votes:
            return range(first + ROUND_SEEDS // 2, first + ROUND_SEEDS // 2 + self.vote_pictures)
        return range(first, first + min(self.pictures * self.growth ** (number - 1), ROUND_SEEDS // 2))
