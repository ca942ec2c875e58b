"""Acts of an admin over many rows at once. Each answers with how many rows it changed; large ones go on afterwards."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api.quality import PROJECT, asked_project
from annotation.api.views import CONFLICTS, REFUSALS
from annotation.models import BulkAct
from annotation.selectors.bulk_acts import act_for, acts_of
from annotation.selectors.policies import annotator_named
from annotation.services import bulk, bulk_acts
from engine.models import Role
from engine.selectors.access import project_for

MOST_LAYERS = 1000


class OfPerson(serializers.Serializer[Any]):
    project = serializers.CharField(max_length=140, help_text="Id, slug or name.")
    username = serializers.CharField(max_length=150)


class Reassignment(OfPerson):
    to = serializers.CharField(max_length=150, help_text="User name of another member.")


class Recall(OfPerson):
    since = serializers.DateTimeField(required=False, help_text="Only verdicts from then on.")


class Requeue(serializers.Serializer[Any]):
    project = serializers.CharField(max_length=140, help_text="Id, slug or name.")
    layers = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_LAYERS)


class Changed(serializers.Serializer[Any]):
    count = serializers.IntegerField()


class BulkActSerializer(serializers.ModelSerializer[BulkAct]):
    person = serializers.CharField(source="person.username", allow_null=True, default=None)
    actor = serializers.CharField(source="actor.username")

    class Meta:
        model = BulkAct
        fields = (
            "id",
            "verb",
            "person",
            "actor",
            "since",
            "status",
            "layers",
            "done",
            "count",
            "created_at",
            "finished_at",
        )


def answer_of(act: BulkAct) -> Response:
    """202 while it goes on: ask ``bulk/acts/{id}/``."""
    return Response(BulkActSerializer(act).data, status=202 if act.finished_at is None else 200)


STARTED = {200: BulkActSerializer, 202: BulkActSerializer, **REFUSALS}


def given(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """The checked body, with the project and the people looked up; for admins of the project only."""
    body = shape(data=request.data)
    body.is_valid(raise_exception=True)
    found = dict(body.validated_data)
    found["project"] = project_for(request.user, found["project"], Role.ADMIN)
    for name in ("username", "to"):
        if name in found:
            found["person" if name == "username" else name] = annotator_named(found["project"], found.pop(name))
    return {**found, "actor": request.user}


class ReleaseLeases(APIView):
    @extend_schema(request=OfPerson, responses={200: Changed, **REFUSALS})
    def post(self, request: Request) -> Response:
        """Give all layers that a person holds back to the queue."""
        return Response({"count": bulk.release_leases(**given(request, OfPerson))})


class ReassignLeases(APIView):
    @extend_schema(request=Reassignment, responses={200: Changed, **REFUSALS})
    def post(self, request: Request) -> Response:
        """Hand the layers that a person holds to another one."""
        return Response({"count": bulk.reassign_leases(**given(request, Reassignment))})


class RecallVerdicts(APIView):
    @extend_schema(request=Recall, responses=STARTED)
    def post(self, request: Request) -> Response:
        """Take back what a person said that counts; others judge those layers. The verdicts stay as history.

        The person is not served those layers again until an admin lifts the recall.
        """
        return answer_of(bulk_acts.recall_verdicts(**given(request, Recall)))


class LiftRecall(APIView):
    @extend_schema(request=OfPerson, responses={200: Changed, **REFUSALS})
    def post(self, request: Request) -> Response:
        """Let a person judge the layers again of which verdicts were recalled."""
        return Response({"count": bulk.lift_recall(**given(request, OfPerson))})


class RequeueLayers(APIView):
    @extend_schema(request=Requeue, responses=STARTED)
    def post(self, request: Request) -> Response:
        """Have layers judged from the beginning. Those on which a reviewer has decided are left alone."""
        return answer_of(bulk_acts.requeue_layers(**given(request, Requeue)))


class Acts(APIView):
    @extend_schema(parameters=[PROJECT], responses={200: BulkActSerializer(many=True), **REFUSALS})
    def get(self, request: Request) -> Response:
        """The latest acts over many layers and how far each is."""
        acts = acts_of(asked_project(request, Role.ADMIN))
        return Response(BulkActSerializer(acts, many=True).data)


class ActById(APIView):
    @extend_schema(responses={200: BulkActSerializer, **REFUSALS})
    def get(self, request: Request, act_id: uuid.UUID) -> Response:
        """How far an act is."""
        return Response(BulkActSerializer(act_for(request.user, act_id)).data)


class CancelAct(APIView):
    @extend_schema(request=None, responses={200: BulkActSerializer, **CONFLICTS})
    def post(self, request: Request, act_id: uuid.UUID) -> Response:
        """Stop it; what is taken back by then stays so."""
        act = act_for(request.user, act_id)
        bulk_acts.cancel_act(act)
        act.refresh_from_db()
        return Response(BulkActSerializer(act).data)
