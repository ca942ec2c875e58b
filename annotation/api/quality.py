"""Reviewing and quality over HTTP. Reviewers and above; annotators only get their own, limited feedback."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api import quality_shapes as shapes
from annotation.api.views import CONFLICTS, REFUSALS
from annotation.models import GoldItem
from annotation.selectors import reviewing
from annotation.selectors.doubts import doubtful_layers
from annotation.selectors.quality import own_feedback, project_quality
from annotation.services.adjudications import decide
from annotation.services.gold import make_gold, retire_gold
from annotation.services.rework import return_to_author
from engine.models import Role
from engine.selectors.access import project_for

PROJECT = OpenApiParameter("project", str, required=True, description="Id, slug or name.")


def asked_project(request: Request, at_least: str) -> Any:
    return project_for(request.user, request.query_params.get("project", ""), at_least)


class Adjudications(APIView):
    @extend_schema(parameters=[PROJECT], responses={200: shapes.AdjudicationsSerializer, **REFUSALS})
    def get(self, request: Request) -> Response:
        """The layers that wait for a reviewer, oldest first, at most 50, with what everybody said."""
        pending = reviewing.open_adjudications(asked_project(request, Role.REVIEWER))[:50]
        return Response({"adjudications": [reviewing.adjudication_payload(each) for each in pending]})


class Decide(APIView):
    @extend_schema(request=shapes.RulingSerializer, responses={200: shapes.AdjudicationSerializer, **CONFLICTS})
    def post(self, request: Request, adjudication_id: uuid.UUID) -> Response:
        """Settle a layer in dispute, or send it back to the queue."""
        given = shapes.RulingSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        reviewing.adjudication_for(request.user, adjudication_id)
        decided = decide(adjudication_id=adjudication_id, reviewer=request.user, **given.validated_data)
        return Response(reviewing.adjudication_payload(decided))


class LayerHistory(APIView):
    @extend_schema(responses={200: shapes.HistorySerializer, **REFUSALS})
    def get(self, request: Request, layer_id: uuid.UUID) -> Response:
        """All verdicts and acts on one layer; none while the queue may still ask this reviewer about it."""
        layer = reviewing.layer_for(request.user, layer_id, Role.REVIEWER)
        is_told = reviewing.is_told(request.user, layer)
        return Response({"history": reviewing.layer_history(layer) if is_told else [], "is_withheld": not is_told})


class ReturnLayer(APIView):
    @extend_schema(request=shapes.ReturnSerializer, responses={201: shapes.ReworkSerializer, **CONFLICTS})
    def post(self, request: Request, layer_id: uuid.UUID) -> Response:
        """Return a rejected, repaired layer to its author with a reason."""
        given = shapes.ReturnSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        layer = reviewing.layer_for(request.user, layer_id, Role.REVIEWER)
        rework = return_to_author(layer=layer, reviewer=request.user, **given.validated_data)
        return Response(shapes.ReworkSerializer(rework).data, status=201)


class Reworks(APIView):
    @extend_schema(parameters=[PROJECT], responses={200: shapes.ReworksSerializer, **REFUSALS})
    def get(self, request: Request) -> Response:
        """Returned layers one may take up: one's own, and everybody's after the deadline."""
        open_reworks = reviewing.rework_for(request.user, asked_project(request, Role.ANNOTATOR))[:50]
        return Response({"reworks": shapes.ReworkSerializer(open_reworks, many=True).data})


class Gold(APIView):
    @extend_schema(parameters=[PROJECT], responses={200: shapes.GoldListSerializer, **REFUSALS})
    def get(self, request: Request) -> Response:
        """The project's gold items, newest first, at most 500."""
        items = GoldItem.objects.filter(project=asked_project(request, Role.REVIEWER)).order_by("-created_at")[:500]
        return Response({"gold": shapes.GoldSerializer(items, many=True).data})

    @extend_schema(request=shapes.MakeGoldSerializer, responses={201: shapes.GoldSerializer, **CONFLICTS})
    def post(self, request: Request) -> Response:
        """Give a layer a known answer."""
        given = shapes.MakeGoldSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        layer = reviewing.layer_for(request.user, given.validated_data.pop("layer"), Role.REVIEWER)
        item = make_gold(layer=layer, user=request.user, **given.validated_data)
        return Response(shapes.GoldSerializer(item).data, status=201)


class RetireGold(APIView):
    @extend_schema(request=None, responses={204: OpenApiResponse(description="Served no more."), **REFUSALS})
    def delete(self, request: Request, gold_id: uuid.UUID) -> Response:
        """Serve a gold item no more; answers given to it stay."""
        retire_gold(item=reviewing.gold_for(request.user, gold_id, Role.REVIEWER), user=request.user)
        return Response(status=204)


class Agreement(APIView):
    @extend_schema(parameters=[PROJECT], responses={200: shapes.AgreementSerializer, **REFUSALS})
    def get(self, request: Request) -> Response:
        """Alpha, raw agreement and gold accuracy of a project and its people."""
        quality = project_quality(asked_project(request, Role.REVIEWER))
        return Response(shapes.AgreementSerializer(quality).data)


class DoubtfulLayers(APIView):
    @extend_schema(parameters=[PROJECT], responses={200: shapes.DoubtfulLayersSerializer, **REFUSALS})
    def get(self, request: Request) -> Response:
        """The settled layers whose consensus is least sure, at most 50."""
        return Response({"layers": doubtful_layers(asked_project(request, Role.REVIEWER))})


class Feedback(APIView):
    @extend_schema(parameters=[PROJECT], responses={200: shapes.FeedbackSerializer, **REFUSALS})
    def get(self, request: Request) -> Response:
        """One's own gold accuracy, in blocks, so that no single answer is given away."""
        return Response(own_feedback(request.user, asked_project(request, Role.ANNOTATOR)))
