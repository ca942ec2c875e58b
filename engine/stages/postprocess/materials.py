"""How wide the band is in which alpha must be decided, by what the object is made of."""

from __future__ import annotations

from engine.labels import KINDS, head

_SOFT = {
    *("hair", "fur", "wig", "beard", "feather", "grass", "teddy bear", "bear", "broom", "brush", "dandelion", "fern"),
    *("carpet", "scarf", "sweater", "rope", "wool"),
}
_SOFT_KINDS = ("animal", "plant", "person")
_RIGID = {
    *("box", "book", "phone", "laptop", "television", "computer", "keyboard", "clock", "sign", "poster", "door"),
    *("frame", "refrigerator", "oven", "microwave", "cabinet", "shelf", "plate", "ball", "wall", "brick"),
}
_RIGID_KINDS = ("vehicle", "furniture", "building", "tableware")
_CLEAR = {
    *("glass", "glasses", "smoke", "steam", "fog", "cloud", "net", "veil", "bubble", "flame", "fire", "water", "lace"),
    *("spiderweb", "fountain", "splash", "tulle", "jellyfish"),
}

SOFT, RIGID = 2.0, 0.5


def band_factor(label: str) -> float:
    """Twice the usual band for hair, fur and leaves, half of it for rigid things."""
    noun = head(label)
    if noun in _SOFT or any(noun in KINDS[kind] for kind in _SOFT_KINDS):
        return SOFT
    if noun in _RIGID or any(noun in KINDS[kind] for kind in _RIGID_KINDS):
        return RIGID
    return 1.0


def is_clear(label: str) -> bool:
    """Whether one looks through it everywhere, so that no pixel of it is known to be opaque."""
    return head(label) in _CLEAR
