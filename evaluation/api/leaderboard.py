"""The leaderboard over HTTP."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.records import LayerKind
from engine.selectors.access import project_for
from evaluation.selectors.leaderboard import leaderboard, leaderboard_row

BOARDS = [kind.value for kind in LayerKind]


class LeaderboardRowSerializer(serializers.Serializer[Any]):
    """``rating`` and what follows it is null while the producer has not enough votes."""

    producer = serializers.CharField()
    rating = serializers.FloatField(allow_null=True, help_text="400 points are odds of ten to one; the mean is 1000.")
    ci_low = serializers.FloatField(allow_null=True, help_text="95 %, resampling photos.")
    ci_high = serializers.FloatField(allow_null=True)
    people_low = serializers.FloatField(allow_null=True, help_text="95 %, resampling annotators.")
    people_high = serializers.FloatField(allow_null=True)
    votes = serializers.IntegerField()
    rank_low = serializers.IntegerField(allow_null=True)
    rank_high = serializers.IntegerField(allow_null=True)


class AskedBoardSerializer(serializers.Serializer[Any]):
    project = serializers.CharField()
    board = serializers.ChoiceField(choices=[(board, board) for board in BOARDS], default=BOARDS[0])


class Leaderboard(APIView):
    @extend_schema(
        parameters=[
            OpenApiParameter("project", str, required=True, description="Id, slug or name."),
            OpenApiParameter("board", str, enum=BOARDS, description="foreground without."),
        ],
        responses={200: LeaderboardRowSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """Producers by blind votes, best first. A rank is a range: intervals that meet do not tell two apart."""
        asked = AskedBoardSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        project = project_for(request.user, asked.validated_data["project"])
        return Response([leaderboard_row(rating) for rating in leaderboard(project, asked.validated_data["board"])])
