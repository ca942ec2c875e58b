"""Projects one may see, new ones, and the recipes they can use."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine import recipes
from engine.api.asking import refused
from engine.models import Project
from engine.selectors.access import projects_of
from engine.selectors.recipes import recipe_summaries
from engine.services.projects import create_project


class ProjectSerializer(serializers.ModelSerializer[Project]):
    class Meta:
        model = Project
        fields = ("id", "name", "slug", "instructions", "needed_judgements", "recipe", "created_at")


class NewProject(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    instructions = serializers.CharField(required=False, default="", allow_blank=True)
    needed_judgements = serializers.IntegerField(min_value=1, max_value=9, required=False, default=1)
    recipe = serializers.CharField(max_length=60, required=False, default=recipes.cpu().name)


class Projects(generics.ListAPIView[Project]):
    """The projects one is a member of, newest first."""

    serializer_class = ProjectSerializer

    def get_queryset(self) -> Any:
        return projects_of(self.request.user)

    @extend_schema(request=NewProject, responses={201: ProjectSerializer, **refused(400, 401, 409)})
    def post(self, request: Request) -> Response:
        """Make a project; whoever makes it is its admin."""
        body = NewProject(data=request.data)
        body.is_valid(raise_exception=True)
        project = create_project(user=request.user, **body.validated_data)
        return Response(ProjectSerializer(project).data, status.HTTP_201_CREATED)


class StageChoice(serializers.Serializer[Any]):
    stage = serializers.CharField()
    backend = serializers.CharField()
    summary = serializers.CharField()
    licence = serializers.CharField()
    queue = serializers.CharField()
    params = serializers.JSONField()


class RecipeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    summary = serializers.CharField()
    queue = serializers.CharField()
    digest = serializers.CharField()
    stages = StageChoice(many=True)


class Recipes(APIView):
    """The recipes there are, stage by stage."""

    @extend_schema(responses={200: RecipeSerializer(many=True), **refused(401)})
    def get(self, request: Request) -> Response:
        return Response(RecipeSerializer(recipe_summaries(), many=True).data)
