"""The rules of a project's queue over HTTP: curators and above."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api import quality_shapes as shapes
from annotation.api.quality import PROJECT, asked_project
from annotation.api.views import REFUSALS
from annotation.selectors.policies import annotator_named, assignees_of, policy_of
from annotation.services.people import repeat_test, set_assignee, set_policy
from engine.models import Role


class Policy(APIView):
    @extend_schema(parameters=[PROJECT], responses={200: shapes.PolicySerializer, **REFUSALS})
    def get(self, request: Request) -> Response:
        """Gold and repeat rates, qualification, when a reviewer decides."""
        return Response(shapes.PolicySerializer(policy_of(asked_project(request, Role.REVIEWER).pk)).data)

    @extend_schema(
        parameters=[PROJECT],
        request=shapes.PolicySerializer(partial=True),
        responses={200: shapes.PolicySerializer, **REFUSALS},
    )
    def patch(self, request: Request) -> Response:
        """Change some of it."""
        project = asked_project(request, Role.CURATOR)
        given = shapes.PolicySerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        policy = set_policy(project=project, actor=request.user, **given.validated_data)
        return Response(shapes.PolicySerializer(policy).data)


class Assignees(APIView):
    @extend_schema(parameters=[PROJECT], responses={200: shapes.AssigneesSerializer, **REFUSALS})
    def get(self, request: Request) -> Response:
        """People with a cap, a pause, a test or a session in the project's queue."""
        rows = assignees_of(asked_project(request, Role.REVIEWER))
        return Response({"assignees": shapes.AssigneeSerializer(rows, many=True).data})


class AssigneeByName(APIView):
    @extend_schema(
        parameters=[PROJECT],
        request=shapes.AssigneeSerializer(partial=True),
        responses={200: shapes.AssigneeSerializer, **REFUSALS},
    )
    def patch(self, request: Request, username: str) -> Response:
        """Pause a person, let them go on, cap their day, or with `repeat_test` test them again."""
        project = asked_project(request, Role.CURATOR)
        given = shapes.AssigneeSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changes = given.validated_data
        user = annotator_named(project, username)
        if changes.pop("repeat_test", False):
            repeat_test(project=project, user=user, actor=request.user)
        assignee = set_assignee(project=project, user=user, actor=request.user, **changes)
        return Response(shapes.AssigneeSerializer(assignee).data)
