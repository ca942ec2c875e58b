"""The arena over HTTP: comparisons to vote on, blind."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api import comparing_shapes as shapes
from annotation.api.serializers import ClaimSerializer
from annotation.api.views import CONFLICTS, REFUSALS
from annotation.selectors.comparing import comparison_for, comparison_payloads, vote_for
from annotation.services import votes
from engine.models import Role
from engine.selectors.access import project_for


class ClaimComparisons(APIView):
    @extend_schema(
        request=ClaimSerializer,
        responses={200: shapes.ComparisonsSerializer, 204: OpenApiResponse(description="None left."), **REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Take the next comparisons to vote on. One's own live leases come back first. Nothing names a producer."""
        wanted = ClaimSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        project = project_for(request.user, wanted.validated_data["project"], Role.ANNOTATOR)
        found = votes.claim_comparisons(user=request.user, project=project, count=wanted.validated_data["count"])
        return Response({"assignments": comparison_payloads(found)}) if found else Response(status=204)


class RecordVote(APIView):
    @extend_schema(
        request=shapes.BallotSerializer, responses={200: shapes.VoteSerializer, 201: shapes.VoteSerializer, **CONFLICTS}
    )
    def post(self, request: Request, assignment_id: uuid.UUID) -> Response:
        """Vote. The same `client_id` again answers 200 with the same body; too late is 409 and kept as an extra."""
        given = shapes.BallotSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        comparison = comparison_for(request.user, assignment_id)
        vote, is_new = votes.record_vote(user=request.user, comparison=comparison, **given.validated_data)
        return Response(shapes.vote_answer(vote), status=201 if is_new else 200)


class UndoVote(APIView):
    @extend_schema(request=None, responses={200: shapes.UndoneVoteSerializer, **CONFLICTS})
    def post(self, request: Request, vote_id: uuid.UUID) -> Response:
        """Take one's own vote back and hold its comparison again."""
        vote = vote_for(request.user, vote_id)
        comparison = votes.undo_vote(user=request.user, vote=vote)
        vote.refresh_from_db()
        [assignment] = comparison_payloads([comparison])
        return Response({"vote": shapes.vote_answer(vote), "assignment": assignment})
