"""Scores of networks beside the rules' own, and a fitted combination of all where verdicts have been given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine import networks
from engine.records import Instance, RGBALayer, Scene
from engine.stages.completion.hidden_region import ancestors
from engine.stages.postfilter import rules
from engine.stages.postfilter.combination import Combination
from engine.stages.postfilter.judge import judge
from engine.stages.postfilter.rules import Rules
from engine.stages.postfilter.squares import on_grey, to_square
from engine.stages.roles import Agreement, Detector, Features, Language

_DETECTION_PX = 512
"""Layers are shown to the detector at one size, so that they share its passes."""
_OTHER_WORDS = ("a blurred picture", "a part of something", "a plain surface", "several things at once")
"""What a failed layer looks like; labels of the other objects are the nearer distractors."""


@dataclass(frozen=True, slots=True)
class Params(rules.Params):
    """Networks are specs of ``engine.networks``; those that are ``None`` give no score.

    Until verdicts are there, limits drop only what is plainly wrong. ``combination``: what ``fit_postfilter`` fitted
    (``engine.stages.postfilter.combination``), which then decides beside the rules.
    """

    agreement: Mapping[str, Any] | None = field(default_factory=lambda: {"network": "open_clip"})
    features: Mapping[str, Any] | None = field(default_factory=lambda: {"network": "dinov2"})
    detector: Mapping[str, Any] | None = field(default_factory=lambda: {"network": "grounding_dino", "threshold": 0.1})
    language: Mapping[str, Any] | None = None
    least_label_margin: float = -0.1
    least_similarity: float = 0.2
    most_leak: float = 0.6
    combination: Mapping[str, Any] | None = None


class Scored(Rules):
    """All layers of a batch share the calls of each network."""

    def __init__(self, **params: Any) -> None:
        chosen = Params(**params)
        self.params, self.chosen = chosen, chosen
        made = {
            name: networks.make(spec)
            for name in ("agreement", "features", "detector", "language")
            if (spec := getattr(chosen, name)) is not None
        }
        self.agreement: Agreement | None = made.get("agreement")
        self.features: Features | None = made.get("features")
        self.detector: Detector | None = made.get("detector")
        self.language: Language | None = made.get("language")
        self.combination = Combination.from_json(chosen.combination) if chosen.combination is not None else None

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        for network in (self.agreement, self.features, self.detector, self.language):
            if network is not None:
                network.load(device, dtype)

    def __call__(self, scenes: list[Scene]) -> list[Scene]:
        kept = [scene for scene in scenes if scene.is_kept]
        layers = [(scene, i, i.layer) for scene in kept for i in scene.foregrounds if i.layer is not None]
        if self.agreement is not None:
            self._agree(self.agreement, layers)
        if self.features is not None:
            self._compare(self.features, layers)
        if self.detector is not None:
            self._find_again(self.detector, layers)
        tokens = judge(self.language, kept) if self.language is not None else {}
        super().__call__(scenes)
        for scene in kept:
            scene.numbers["postfilter"]["tokens"] = float(tokens.get(id(scene), 0))
        return scenes

    def _agree(self, network: Agreement, layers: Sequence[tuple[Scene, Instance, RGBALayer]]) -> None:
        """``label_agreement`` and ``label_margin``: cosine with its label, and that less the best other words'."""
        texts = list(dict.fromkeys([*(f"a photo of a {i.label}" for _, i, _ in layers), *_OTHER_WORDS]))
        cosines = network([on_grey(layer) for _, _, layer in layers], texts)
        for (scene, instance, _), row in zip(layers, cosines, strict=True):
            own = texts.index(f"a photo of a {instance.label}")
            around = {f"a photo of a {i.label}" for i in scene.foregrounds if i.label != instance.label}
            others = [k for k, text in enumerate(texts) if text in around or text in _OTHER_WORDS]
            instance.scores["label_agreement"] = float(row[own])
            instance.scores["label_margin"] = float(row[own] - row[others].max())

    def _compare(self, network: Features, layers: Sequence[tuple[Scene, Instance, RGBALayer]]) -> None:
        """``visible_similarity``: cosine between the whole layer and its visible part; 1 where nothing is hidden."""
        hidden = [(i, layer) for _, i, layer in layers if (layer.amodal_hw & ~layer.visible_hw).any()]
        whole = network([on_grey(layer) for _, layer in hidden])
        seen = network([on_grey(layer, layer.visible_hw) for _, layer in hidden])
        for _, instance, _ in layers:
            instance.scores["visible_similarity"] = 1.0
        for (instance, _), a, b in zip(hidden, whole, seen, strict=True):
            instance.scores["visible_similarity"] = float(a @ b)

    def _find_again(self, detector: Detector, layers: Sequence[tuple[Scene, Instance, RGBALayer]]) -> None:
        """``found_again``: best score of its label in the layer; ``occluder_leak``: of what hid a part of it."""
        in_front = [sorted({other.label for other in ancestors(scene, i.key)} - {i.label}) for scene, i, _ in layers]
        pictures = [to_square(on_grey(layer), _DETECTION_PX) for _, _, layer in layers]
        phrases = [[i.label, *others] for (_, i, _), others in zip(layers, in_front, strict=True)]
        for (_, instance, layer), others, found in zip(layers, in_front, detector(pictures, phrases), strict=True):
            has_hidden = bool((layer.amodal_hw & ~layer.visible_hw).any())
            best = dict.fromkeys((instance.label, *others), 0.0)
            for one in found:
                name = next((phrase for phrase in best if phrase.lower() == one.phrase.lower()), "")
                best[name] = max(best.get(name, 0.0), one.score)
            instance.scores["found_again"] = best[instance.label]
            instance.scores["occluder_leak"] = max((best[o] for o in others), default=0.0) if has_hidden else 0.0

    def _reason(self, scores: dict[str, float]) -> str:
        chosen = self.chosen
        failed = {
            "completion_failed": scores.get("completion_failed", 0.0) > 0,
            "unlike_its_label": scores.get("label_margin", 0.0) < chosen.least_label_margin,
            "completed_as_another": scores.get("visible_similarity", 1.0) < chosen.least_similarity,
            "occluder_in_it": scores.get("occluder_leak", 0.0) > chosen.most_leak,
        }
        reason = super()._reason(scores) or next((name for name, fails in failed.items() if fails), "")
        if self.combination is not None:
            scores["chance"] = self.combination(scores)
            reason = reason or ("unlikely_accepted" if scores["chance"] < self.combination.limit else "")
        return reason
