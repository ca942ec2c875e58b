"""Snapshots over HTTP: look before, freeze, read the manifest, compare."""

from __future__ import annotations

import uuid
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.api.asking import ProjectFilter, asked, refused
from engine.models import Role
from engine.refusals import Refusal
from engine.selectors.access import project_for
from training.api.ranges import Segment, answer
from training.models import Snapshot
from training.rules import BadRules, Rules, rules_from_json
from training.selectors.candidates import preview
from training.selectors.snapshots import difference, frozen_for, snapshot_for, snapshots_of
from training.services.freezing import request_snapshot
from training.services.frozen_files import header_of, manifest_size


class RulesField(serializers.JSONField):
    """As ``training.rules.Rules``: an object whose missing fields keep their defaults."""

    def to_internal_value(self, data: Any) -> Rules:  # type: ignore[override]
        if not isinstance(data, dict):
            raise serializers.ValidationError("Rules are an object.", code="rules")
        try:
            return rules_from_json(data)
        except BadRules as error:
            raise serializers.ValidationError(f"{error.field}: {error}", code=error.field) from error


class NewRules(serializers.Serializer[Any]):
    project = serializers.CharField(max_length=140, help_text="Id, slug or name.")
    rules = RulesField(required=False, help_text="Missing fields keep their defaults.")


class NewSnapshot(NewRules):
    name = serializers.CharField(max_length=120)


class SnapshotSerializer(serializers.ModelSerializer[Snapshot]):
    is_frozen = serializers.BooleanField(read_only=True)

    class Meta:
        model = Snapshot
        fields = (
            "id",
            "project",
            "name",
            "status",
            "is_frozen",
            "reason",
            "rules",
            "rows",
            "splits",
            "digest",
            "merkle_root",
            "code_revision",
            "composition",
            "deleted_rows",
            "verified_at",
            "problems",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields
        extra_kwargs = {"status": {"help_text": "`finished` is frozen."}}


class ReservedAnswer(serializers.Serializer[Any]):
    image = serializers.UUIDField()
    name = serializers.CharField()
    purpose = serializers.CharField(help_text="gold, vote, benchmark, ...")
    reserved_for = serializers.CharField()
    like = serializers.CharField(help_text="The reserved picture that it looks like, when it is not one itself.")


class PreviewAnswer(serializers.Serializer[Any]):
    layers = serializers.IntegerField()
    pictures = serializers.IntegerField()
    groups = serializers.IntegerField(help_text="Of pictures that look the same.")
    splits = serializers.DictField(child=serializers.IntegerField())
    counts = serializers.DictField(help_text="kind, label, producer, licence: [[value, layers], ...]")
    reserved = ReservedAnswer(many=True)
    reserved_layers = serializers.IntegerField()
    without_prompt = serializers.IntegerField()


class DifferenceAnswer(serializers.Serializer[Any]):
    old = serializers.UUIDField()
    new = serializers.UUIDField()
    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    changed = serializers.IntegerField(help_text="The same layer with other verdicts, prompts, label or split.")
    unchanged = serializers.IntegerField()
    moved = serializers.IntegerField(help_text="To another split.")
    rules = serializers.DictField(help_text="Rule to [old, new].")
    counts = serializers.DictField(help_text="split, kind, label, producer, licence: [[value, old, new], ...]")


class Snapshots(generics.ListAPIView[Snapshot]):
    """Frozen datasets, newest first."""

    serializer_class = SnapshotSerializer

    def get_queryset(self) -> Any:
        return snapshots_of(self.request.user, asked(self.request, ProjectFilter).project_of(self.request.user))

    @extend_schema(parameters=[ProjectFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=NewSnapshot,
        responses={
            201: SnapshotSerializer,
            202: OpenApiResponse(SnapshotSerializer, description="A worker freezes it: look again."),
            **refused(400, 401, 403, 404),
            **refused(409, why="`name_taken`, `nothing_to_freeze`, `reserved_pictures` (named)"),
        },
    )
    def post(self, request: Request) -> Response:
        """Freeze the accepted layers that the rules take."""
        body = NewSnapshot(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        snapshot = request_snapshot(
            project=project_for(request.user, given["project"], Role.CURATOR),
            name=given["name"],
            rules=given.get("rules") or Rules(),
            user=request.user,
        )
        code = status.HTTP_201_CREATED if snapshot.is_frozen else status.HTTP_202_ACCEPTED
        return Response(SnapshotSerializer(snapshot).data, code)


class SnapshotPreview(APIView):
    """What freezing by these rules would do now; nothing is changed."""

    @extend_schema(request=NewRules, responses={200: PreviewAnswer, **refused(400, 401, 403, 404)})
    def post(self, request: Request) -> Response:
        body = NewRules(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        project = project_for(request.user, given["project"], Role.CURATOR)
        return Response(PreviewAnswer(preview(project, given.get("rules") or Rules())).data)


class SnapshotById(APIView):
    @extend_schema(responses={200: SnapshotSerializer, **refused(401, 404)})
    def get(self, request: Request, snapshot_id: uuid.UUID) -> Response:
        return Response(SnapshotSerializer(snapshot_for(request.user, snapshot_id)).data)


class SnapshotManifest(APIView):
    """The header of the manifest (`manifest.json`): digests, Merkle root, terms. Its rows are at `lines/`."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT, **refused(401, 404), **refused(409, why="`not_frozen`")})
    def get(self, request: Request, snapshot_id: uuid.UUID) -> Response:
        snapshot = frozen_for(request.user, snapshot_id)
        lines = request.build_absolute_uri(f"/api/snapshots/{snapshot.pk}/manifest/lines/")
        return Response({**header_of(snapshot).to_json(), "lines_url": lines})


class SnapshotLines(APIView):
    """The rows of the manifest (`manifest.jsonl`), with ranges. Its SHA-256 is the header's `digest`."""

    @extend_schema(responses={(200, "application/jsonl"): OpenApiTypes.BINARY, **refused(401, 404, 409)})
    def get(self, request: Request, snapshot_id: uuid.UUID) -> HttpResponseBase:
        snapshot = frozen_for(request.user, snapshot_id, Role.CURATOR)
        segments = [Segment(manifest_size(snapshot), str(snapshot.manifest))]
        return answer(
            request._request,
            segments,
            etag=f'"{snapshot.digest}"',
            content_type="application/jsonl",
            filename="manifest.jsonl",
        )


class SnapshotDifference(APIView):
    """From the snapshot in the address to the other one."""

    @extend_schema(responses={200: DifferenceAnswer, **refused(401, 404, 409)})
    def get(self, request: Request, snapshot_id: uuid.UUID, other_id: uuid.UUID) -> Response:
        old, new = frozen_for(request.user, snapshot_id), frozen_for(request.user, other_id)
        if old.project_id != new.project_id:
            raise Refusal("other_project", "Snapshots of two projects cannot be compared.", 409)
        found = difference(old, new)
        numbers = {name: getattr(found, name) for name in ("added", "removed", "changed", "unchanged", "moved")}
        rules = {name: [before, after] for name, before, after in found.rules}
        return Response({"old": old.pk, "new": new.pk, **numbers, "rules": rules, "counts": found.counts})
