"""Gold items from pictures that the generator composed. Only commands load the generator."""

from __future__ import annotations

from itertools import zip_longest

from annotation.models import GoldItem, GoldOrigin
from annotation.selectors.truth import Truth
from annotation.services.gold import make_gold
from engine.models import Layer, LayerStatus, Project


def make_gold_of_truth(*, project: Project, most: int) -> list[GoldItem]:
    """Up to ``most`` new gold items of layers nobody has judged, whose true layer is known (``engine.composites``).

    Right and wrong ones alternate while there are both, so that neither answer is a safe guess.
    """
    unseen = Layer.objects.filter(project=project, status=LayerStatus.READY, gold_item=None, verdicts=None)
    truth = Truth(project, seed=0)
    known: dict[bool, list[Layer]] = {True: [], False: []}
    for layer in unseen.order_by("image__original_name", "pk"):
        answer = truth.of_composite(layer.pk)
        if answer is not None:
            known[answer].append(layer)
    pairs = zip_longest(*([(layer, answer) for layer in layers] for answer, layers in known.items()))
    chosen = [each for pair in pairs for each in pair if each is not None][:most]
    return [make_gold(layer=layer, is_acceptable=answer, origin=GoldOrigin.TRUTH) for layer, answer in chosen]
