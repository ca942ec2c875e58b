"""Pre-filter: drop pictures that no layer should be made from (paper, section 4, stage 1).

Reads ``image_hwc``, ``facts``. Fills ``numbers["prefilter"]`` with every feature it measured, also for a
dropped picture, and ``drop_reason`` with the *first* failing rule.
"""

from engine.records import Scene
from engine.runner import BrokenPromise


def check(scene: Scene) -> None:
    """Raise ``BrokenPromise`` when a kept scene does not carry its features."""
    if not scene.numbers.get("prefilter"):
        raise BrokenPromise("prefilter measured nothing")
