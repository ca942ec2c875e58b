"""Names of objects as detectors give them, made comparable. English only."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod

GENERIC = "object"
"""What a source says that does not name things."""

_ARTICLES = {"a", "an", "the", "some", "one", "two", "three", "several"}
_IRREGULAR = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "feet": "foot",
    "teeth": "tooth",
    "mice": "mouse",
    "geese": "goose",
    "knives": "knife",
    "leaves": "leaf",
    "shelves": "shelf",
    "loaves": "loaf",
    "wolves": "wolf",
    "scarves": "scarf",
}
_ALWAYS_S = {"glass", "bus", "dress", "grass", "scissors", "glasses", "trousers", "jeans", "lens", "cactus", "octopus"}

PARTS: Mapping[str, Collection[str]] = {
    "person": ("face", "head", "hand", "arm", "leg", "foot", "hair", "eye", "nose", "mouth", "finger"),
    "animal": ("face", "head", "tail", "ear", "paw", "leg", "wing", "eye", "nose", "beak", "fur"),
    "vehicle": ("wheel", "tire", "window", "windshield", "door", "headlight", "mirror", "license plate", "bumper"),
    "furniture": ("leg", "drawer", "handle", "seat", "backrest"),
    "plant": ("leaf", "stem", "branch", "petal", "blossom"),
    "building": ("window", "door", "roof", "chimney", "wall", "balcony"),
    "tableware": ("handle", "lid", "spout"),
}
"""Kind of a whole to the names of its parts."""
KINDS: Mapping[str, Collection[str]] = {
    "person": ("person", "man", "woman", "child", "boy", "girl", "baby", "player", "rider", "pedestrian"),
    "animal": ("animal", "cat", "dog", "horse", "bird", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "duck"),
    "vehicle": ("vehicle", "car", "truck", "bus", "van", "bicycle", "bike", "motorcycle", "train", "airplane", "boat"),
    "furniture": ("furniture", "chair", "table", "desk", "couch", "sofa", "bed", "cabinet", "bench", "dresser"),
    "plant": ("plant", "flower", "tree", "potted plant", "bush", "bouquet", "rose"),
    "building": ("building", "house", "church", "tower", "castle", "skyscraper"),
    "tableware": ("cup", "mug", "teapot", "pot", "kettle", "pan", "jug", "pitcher"),
}


@dataclass(frozen=True, slots=True)
class Vote:
    """One source's name for an object; ``weight`` is the calibrated score, its chance to be right."""

    label: str
    source: str
    weight: float


def belief(votes: Sequence[Vote]) -> float:
    """The chance that at least one source is right: they are independent witnesses, each heard once, at its surest."""
    best: dict[str, float] = {}
    for vote in votes:
        best[vote.source] = max(best.get(vote.source, 0.0), vote.weight)
    return 1.0 - prod(1.0 - weight for weight in best.values())


def canonical(phrase: str) -> str:
    """Lower case, no article, last word singular: ``"The red Cups"`` is ``"red cup"``; nothing is ``object``."""
    words = [word for word in re.findall(r"[\w'-]+", phrase.lower()) if word not in _ARTICLES]
    if not words:
        return GENERIC
    return " ".join([*words[:-1], singular(words[-1])])


def singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in _ALWAYS_S or len(word) < 4 or word.endswith(("ss", "us", "is")) or not word.endswith("s"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zes")):
        return word[:-2]
    return word[:-1]


def head(label: str) -> str:
    """The noun itself: ``"red cup"`` is a ``"cup"``."""
    return canonical(label).rsplit(" ", 1)[-1]


def agree(a: str, b: str) -> bool:
    """Whether two names may be of one object: the same noun, one of the same kind as its kind's name, or no name."""
    first, second = head(a), head(b)
    if first == second or GENERIC in (first, second):
        return True
    return any({first, second} <= set(names) and kind in (first, second) for kind, names in KINDS.items()) or any(
        {first, second} <= set(KINDS[kind]) for kind in ("person",)
    )


def is_part_noun(part: str, whole: str) -> bool:
    """Whether ``part`` names a part of what ``whole`` names: a wheel of a car."""
    inner, outer = head(part), head(whole)
    return any(outer in names and inner in PARTS[kind] for kind, names in KINDS.items())


def elect(votes: Sequence[Vote]) -> tuple[str, tuple[str, ...]]:
    """The name with the most weight, and the others from heavy to light.

    Votes for names that agree are counted together, so ``"cup"`` and ``"red cup"`` do not split; among those the
    longest wins, as it says most. One source counts once for a name. The generic name wins only alone.
    """
    best: dict[tuple[str, str], float] = {}
    for vote in votes:
        key = (canonical(vote.label), vote.source)
        best[key] = max(best.get(key, 0.0), vote.weight)
    weight: dict[str, float] = {}
    for (label, _), value in best.items():
        weight[label] = weight.get(label, 0.0) + value
    named = {label: value for label, value in weight.items() if label != GENERIC} or weight
    if not named:
        return GENERIC, ()
    together = {label: sum(value for other, value in named.items() if head(other) == head(label)) for label in named}
    ranking = sorted(named, key=lambda label: (-together[label], -len(label.split()), -named[label], label))
    return ranking[0], tuple(label for label in ranking[1:] if head(label) != head(ranking[0]))
