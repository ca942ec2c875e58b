"""What the endpoints have in common: the filters of a list, errors in the schema, one page of rows."""

from __future__ import annotations

from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request

from engine.models import LayerStatus, Project
from engine.records import LayerKind
from engine.selectors.access import project_for

F = TypeVar("F", bound="ProjectFilter")


class ErrorAnswer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    fields_ = serializers.DictField(required=False, help_text="Named `fields`: what was wrong with which field.")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["fields"] = fields.pop("fields_")
        return fields


def refused(*statuses: int, why: str = "") -> dict[int, OpenApiResponse]:
    """Error answers for ``extend_schema(responses=...)``."""
    return {status: OpenApiResponse(ErrorAnswer, description=why) for status in statuses}


class ProjectFilter(serializers.Serializer[Any]):
    """``?project=`` by id, slug or name; without it the list covers all of one's projects."""

    project = serializers.CharField(required=False, max_length=140)

    def project_of(self, user: Any) -> Project | None:
        key = self.validated_data.get("project")
        return project_for(user, key) if key else None


class LayerFilter(ProjectFilter):
    status = serializers.ChoiceField(LayerStatus.choices, required=False)
    kind = serializers.ChoiceField([(kind.value, kind.value) for kind in LayerKind], required=False)


class FunnelFilter(ProjectFilter):
    """Exactly one of project and run."""

    run = serializers.UUIDField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("project" in attrs) == ("run" in attrs):
            raise serializers.ValidationError("Give either a project or a run.", code="one_of")
        return attrs


def asked(request: Request, filter_class: type[F]) -> F:
    """The checked query parameters; unknown values answer 400 with the field's name."""
    query = filter_class(data=request.query_params.dict())
    query.is_valid(raise_exception=True)
    return query
