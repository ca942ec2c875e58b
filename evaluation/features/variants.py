"""The three sets of networks that score, by name. Imports no torch: the web process asks for them too.

Scores of one set never stand on a board with those of another.
"""

from __future__ import annotations

from pathlib import Path

from engine.weights_folder import root

PUBLISHED = "published"
OFFLINE = "offline"
"""Fixed-seed AlexNet in every place."""
OFFLINE_TINY = "offline-reflayer-tiny"
"""The trunk of the shipped ``reflayer-tiny`` in every place: it was trained on ImageNet."""
VARIANTS = (PUBLISHED, OFFLINE, OFFLINE_TINY)

FILES = {
    "lpips_alexnet": "alexnet-owt-7be5be79.pth",
    "clip_openai_vit_b_32": "open_clip_model.safetensors",
    "inception_fid": "pt_inception-2015-12-05-6726825d.pth",
    "clip_openai_vit_l_14_336": "open_clip_model.safetensors",
}
"""Name of the weights, as ``fetch_weights`` knows them, and the file of each that is read."""
HPA = ("lpips_alexnet", "clip_openai_vit_b_32", "inception_fid")
CMMD = "clip_openai_vit_l_14_336"


def missing(folder: Path | None = None) -> list[str]:
    """Names of the weights that are not here, in the order of the table."""
    place = folder or root()
    return [name for name, file in FILES.items() if not (place / name / file).is_file()]


def best_here(folder: Path | None = None) -> str:
    """For checkpoints: ``published`` where HPA's three weights are here, else ``offline-reflayer-tiny``.

    Not ``offline``: its completion axis once found an untrained checkpoint better than all that were trained from it.
    """
    return OFFLINE_TINY if set(missing(folder)) & set(HPA) else PUBLISHED


def how_to_publish(absent: list[str]) -> str:
    """The command that gets what is missing; empty when nothing is."""
    return f"python manage.py fetch_weights {' '.join(absent)}" if absent else ""
