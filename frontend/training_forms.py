"""Forms of the training page."""

from __future__ import annotations

from typing import Any

from django import forms

from engine.models import Project
from training import recipes
from training.mixing import BadMix, Mix
from training.models import Checkpoint, RetrainPolicy, Snapshot
from training.run_params import LIMITS, STEPS

NOW = ""
"""Chosen instead of a snapshot: the layers that are accepted now, frozen first."""


def _input(**attributes: Any) -> dict[str, Any]:
    return {"class": "input", **attributes}


class _Weights(forms.Form):
    """Sampling weights in percent."""

    validated = forms.IntegerField(min_value=0, max_value=100, initial=60, label="Accepted layers")
    automatic = forms.IntegerField(min_value=0, max_value=100, initial=0, label="Layers nobody judged")
    composite = forms.IntegerField(min_value=0, max_value=100, initial=40, label="Composites")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        for name in ("validated", "automatic", "composite"):
            self.fields[name].widget.attrs.update(_input())

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not self.errors:
            try:
                self.mix()
            except BadMix as error:
                self.add_error(None, str(error))
        return found

    def mix(self) -> Mix:
        given = self.cleaned_data
        return Mix(**{name: given[name] / 100 for name in ("validated", "automatic", "composite")})


class Retrain(_Weights):
    """From what, how and how long; ``snapshot`` is empty for the layers that are accepted now."""

    field_order = ("snapshot", "parent", "recipe", "steps", "validated", "automatic", "composite")
    snapshot = forms.ChoiceField(required=False, widget=forms.Select(attrs=_input()), label="Data")
    parent = forms.ChoiceField(widget=forms.Select(attrs=_input()), label="Start from")
    recipe = forms.ChoiceField(
        choices=[(name, name) for name in recipes.RECIPES], widget=forms.Select(attrs=_input()), initial="tiny_cpu"
    )
    steps = forms.IntegerField(
        min_value=int(LIMITS["steps"][1]),
        max_value=int(LIMITS["steps"][2]),
        initial=STEPS,
        widget=forms.NumberInput(attrs=_input()),
    )

    def __init__(self, snapshots: list[Snapshot], parents: list[str], current: str, data: Any = None) -> None:
        super().__init__(data, initial={"parent": current, "snapshot": NOW})
        frozen = [(str(one.pk), f"{one.name}, {one.rows} layers") for one in snapshots]
        self.fields["snapshot"].choices = [(NOW, "Accepted layers, as they are now"), *frozen]  # type: ignore[attr-defined]
        names = [(name, f"{name}, in use" if name == current else name) for name in parents]
        self.fields["parent"].choices = names  # type: ignore[attr-defined]


class PolicyForm(forms.ModelForm):
    class Meta:
        model = RetrainPolicy
        fields = (
            "is_enabled",
            "every_layers",
            "every_days",
            "hpa_drop",
            "cooldown_hours",
            "budget_runs",
            "budget_minutes",
        )
        labels = {
            "is_enabled": "Retrain by itself",
            "every_layers": "After so many new accepted layers",
            "every_days": "After so many days",
            "hpa_drop": "When HPA has fallen by",
            "cooldown_hours": "Hours between two runs, at least",
            "budget_runs": "Runs in 30 days, at most",
            "budget_minutes": "Minutes in 30 days, at most",
        }
        widgets = {
            **dict.fromkeys(
                ("every_layers", "every_days", "budget_runs", "budget_minutes"),
                forms.NumberInput(attrs=_input(min=0)),
            ),
            "hpa_drop": forms.NumberInput(attrs=_input(min=0, max=1, step=0.005)),
            "cooldown_hours": forms.NumberInput(attrs=_input(min=0, step=0.5)),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


def parents_of(project: Project, shipped: list[str]) -> list[str]:
    """Names of checkpoints to start from: the project's, newest first, then the shipped ones."""
    own = list(Checkpoint.objects.filter(project=project).values_list("name", flat=True))
    return own + [name for name in shipped if name not in own]
