"""Projects over the API: one's own are listed, and whoever makes one is its admin."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from engine import recipes
from engine.models import Membership, Project, Role


def test_one_sees_the_projects_one_is_a_member_of(as_bob: APIClient, as_charlie: APIClient, project: Project) -> None:
    assert [row["slug"] for row in as_bob.get("/api/projects/").json()["results"]] == [project.slug]
    assert as_charlie.get("/api/projects/").json()["results"] == []


def test_whoever_makes_a_project_is_its_admin(as_charlie: APIClient, charlie: Any) -> None:
    answer = as_charlie.post("/api/projects/", {"name": "Harbour", "needed_judgements": 2})
    assert answer.status_code == 201
    assert (answer.json()["slug"], answer.json()["needed_judgements"]) == ("harbour", 2)
    assert Membership.objects.get(user=charlie).role == Role.ADMIN


def test_a_taken_name_is_a_conflict(as_charlie: APIClient, project: Project) -> None:
    answer = as_charlie.post("/api/projects/", {"name": project.name})
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


def test_an_unknown_recipe_is_named(as_charlie: APIClient) -> None:
    answer = as_charlie.post("/api/projects/", {"name": "Harbour", "recipe": "magic"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_recipe")
    assert not Project.objects.filter(name="Harbour").exists()


def test_invalid_fields_are_named(as_charlie: APIClient) -> None:
    answer = as_charlie.post("/api/projects/", {"name": "", "needed_judgements": 10})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert set(answer.json()["fields"]) == {"name", "needed_judgements"}


def test_every_recipe_is_listed_with_its_six_stages(as_charlie: APIClient) -> None:
    rows = as_charlie.get("/api/recipes/").json()
    assert {row["name"] for row in rows} == set(recipes.RECIPES)
    assert all(row["summary"] and len(row["stages"]) == 6 for row in rows)
    assert rows[0]["digest"] == recipes.find(rows[0]["name"]).digest
