"""Post-filter: keep the layers worth a person's time (stage 6).

Reads ``layer``. Fills ``scores`` of every instance that came in and ``drop_reason`` of those it gives up.
"""

from engine.records import Scene
from engine.runner import BrokenPromise


def check(scene: Scene) -> None:
    """Raise ``BrokenPromise`` when a kept layer carries no scores or one that is not finite."""
    for instance in scene.kept_instances:
        if not instance.scores:
            raise BrokenPromise(f"{instance.key} was not scored")
        bad = [name for name, value in instance.scores.items() if value != value or abs(value) == float("inf")]
        if bad:
            raise BrokenPromise(f"{instance.key} has scores that are not finite: {', '.join(sorted(bad))}")
