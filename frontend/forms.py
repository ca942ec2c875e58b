"""Forms of the project, snapshot and training pages."""

from __future__ import annotations

from typing import Any

from django import forms

from annotation.models import Assignee, QueuePolicy
from engine import recipes
from engine.models import Project, Role
from engine.records import LayerKind
from training import recipes as training_recipes
from training.mixing import BadMix, Mix
from training.models import Checkpoint, RetrainPolicy, Snapshot
from training.rules import BadRules, OnReserved, Rules, rules_from_json
from training.run_params import LIMITS, STEPS
from training.selectors.candidates import choices_of


def _input(**attributes: Any) -> dict[str, Any]:
    return {"class": "input", **attributes}


class ProjectSettings(forms.ModelForm):
    class Meta:
        model = Project
        fields: tuple[str, ...] = ("instructions", "needed_judgements")
        widgets = {
            "instructions": forms.Textarea(attrs=_input(rows=5, placeholder="What counts as a good layer here?")),
            "needed_judgements": forms.NumberInput(attrs=_input(min=1, max=9)),
        }


class NewProject(ProjectSettings):
    recipe = forms.ChoiceField(
        choices=lambda: [(name, name) for name in recipes.RECIPES], widget=forms.Select(attrs=_input())
    )

    class Meta(ProjectSettings.Meta):
        fields = ("name", "recipe", "needed_judgements", "instructions")
        widgets = {
            **ProjectSettings.Meta.widgets,
            "name": forms.TextInput(attrs=_input(autocomplete="off", placeholder="Street and studio")),
        }


class Member(forms.Form):
    username = forms.CharField(
        max_length=150, widget=forms.TextInput(attrs=_input(autocomplete="off", placeholder="User name"))
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.ANNOTATOR, widget=forms.Select(attrs=_input()))


class QualitySettings(forms.ModelForm):
    class Meta:
        model = QueuePolicy
        fields = (
            "gold_first",
            "gold_rate",
            "mirror_rate",
            "qualification_items",
            "qualification_accuracy",
            "unsure_limit",
            "rework_hours",
            "is_conflict_adjudicated",
        )
        labels = {
            "gold_first": "Gold items at the start of a session",
            "gold_rate": "Share of gold items after that",
            "mirror_rate": "Share of hidden repeats",
            "qualification_items": "Gold items to answer before live work",
            "qualification_accuracy": "Share of them to answer rightly",
            "unsure_limit": "Unsure people until a reviewer decides",
            "rework_hours": "Hours that returned work waits for its author",
            "is_conflict_adjudicated": "A reviewer decides every even split",
        }
        widgets = {
            **dict.fromkeys(("gold_first", "qualification_items"), forms.NumberInput(attrs=_input(min=0))),
            **dict.fromkeys(("gold_rate", "mirror_rate"), forms.NumberInput(attrs=_input(min=0, max=0.5, step=0.01))),
            "qualification_accuracy": forms.NumberInput(attrs=_input(min=0, max=1, step=0.05)),
            **dict.fromkeys(("unsure_limit", "rework_hours"), forms.NumberInput(attrs=_input(min=1))),
        }


class AssigneeSettings(forms.ModelForm):
    class Meta:
        model = Assignee
        fields = ("daily_cap", "is_paused")


class SnapshotRules(forms.Form):
    """Empty choices mean any; ``rules()`` gives ``training.rules.Rules`` once the form is valid."""

    kinds = forms.MultipleChoiceField(
        choices=[(kind.value, kind.value.capitalize()) for kind in LayerKind],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    producers = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    licences = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Licence of the photo"
    )
    since = forms.DateField(required=False, widget=forms.DateInput(attrs=_input(type="date")), label="Made from")
    until = forms.DateField(required=False, widget=forms.DateInput(attrs=_input(type="date")), label="Made to")
    least_judgements = forms.IntegerField(
        min_value=0, max_value=99, initial=0, widget=forms.NumberInput(attrs=_input()), label="Judgements, at least"
    )
    least_agreement = forms.IntegerField(
        min_value=0, max_value=100, initial=0, widget=forms.NumberInput(attrs=_input()), label="Agreement, at least (%)"
    )
    validation = forms.IntegerField(
        min_value=0, max_value=90, initial=5, widget=forms.NumberInput(attrs=_input()), label="For validation (%)"
    )
    test = forms.IntegerField(
        min_value=0, max_value=90, initial=5, widget=forms.NumberInput(attrs=_input()), label="For tests (%)"
    )
    seed = forms.IntegerField(
        min_value=0, max_value=2**31 - 1, initial=0, widget=forms.NumberInput(attrs=_input()), label="Seed of the split"
    )
    leave_out = forms.BooleanField(required=False, label="Leave out gold, benchmark and vote pictures")

    def __init__(self, project: Project, data: Any = None) -> None:
        shown = None
        if data is not None:
            shown = data.copy()
            for name, field in self.base_fields.items():
                if name not in shown and field.initial is not None:
                    shown[name] = str(field.initial)
        super().__init__(shown, label_suffix="")
        choices = choices_of(project)
        self.fields["producers"].choices = [(name, name) for name in choices["producers"]]  # type: ignore[attr-defined]
        self.fields["licences"].choices = [(name, name or "none stated") for name in choices["licences"]]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not self.errors:
            try:
                self.rules()
            except BadRules as error:
                self.add_error(error.field if error.field in self.fields else None, str(error))
        return found

    def chosen(self) -> list[tuple[str, str]]:
        """Name and value of everything that is filled in, for a form that sends the same rules again."""
        given: Any = self.data
        return [(name, value) for name in self.fields for value in (given.getlist(name) if given else [])]

    def rules(self) -> Rules:
        given = self.cleaned_data
        lists = {name: given[name] for name in ("kinds", "producers", "licences")}
        dates = {name: given[name].isoformat() if given[name] else "" for name in ("since", "until")}
        shares = {name: given[name] / 100 for name in ("least_agreement", "validation", "test")}
        reserved = OnReserved.LEAVE_OUT if given["leave_out"] else OnReserved.REFUSE
        numbers = {name: given[name] for name in ("least_judgements", "seed")}
        return rules_from_json({**lists, **dates, **shares, **numbers, "on_reserved": reserved.value})


NOW = ""
"""Chosen instead of a snapshot: the layers that are accepted now, frozen first."""


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
        choices=[(name, name) for name in training_recipes.RECIPES],
        widget=forms.Select(attrs=_input()),
        initial="tiny_cpu",
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
